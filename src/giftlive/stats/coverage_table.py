"""What has been measured about every interval: the coverage table as data.

The rows are written by ``giftlive coverage`` and shipped with the package; nothing in them is
typed by hand. An interval may be used for a statistic only if the table has a row for the pair.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from importlib.resources import files

import numpy as np

from giftlive.errors import IntegrityError
from giftlive.stats.intervals import Interval, proportion
from giftlive.types import Floats

LOWEST, HIGHEST = 0.93, 0.97
"""Share of samples that a nominal 95 % interval must cover, as measured."""

GUARANTEED = frozenset({"empirical_bernstein", "betting", "woodruff", "order_statistics"})
"""Methods that promise at least 95 %: a bound over a known range, or one between observed values,
which ties of prices can only widen. More than 97 % is not a fault of theirs."""


_KINDS = {"int": int, "float": float}


@dataclass(frozen=True)
class CoverageRow:
    """One interval method for one statistic at one tail and size.

    Attributes
    ----------
    statistic, method, tail : what was estimated, how, from which rewards.
    rows_per_cluster : mean rows of a user. clusters : users (independent units) in a sample.
    replications, covered, below, above, withheld : counts of samples; ``below`` means that the
        truth lay under the interval, ``withheld`` that there was none.
    relative_width : mean width of the intervals over the true value.
    cv, skew : of the statistic's influence values per user, in the population.
    """

    statistic: str
    method: str
    tail: str
    rows_per_cluster: int
    clusters: int
    replications: int
    covered: int
    below: int
    above: int
    withheld: int
    relative_width: float
    cv: float
    skew: float

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """Return what makes the row one of a kind, in the order of the table."""
        return (self.statistic, self.method, self.tail, self.rows_per_cluster, self.clusters)

    def as_dict(self) -> dict[str, str | int | float]:
        """Return the fields by name."""
        return asdict(self)

    @property
    def coverage(self) -> Interval:
        """Return the share of samples whose interval held the truth; none counts as a miss."""
        return proportion(self.covered, self.replications, n_unit="replications")

    @property
    def holds(self) -> bool:
        """Return whether the measured share keeps the promise of the method."""
        share = self.covered / self.replications
        return share >= LOWEST and (share <= HIGHEST or self.method in GUARANTEED)


def write_rows(rows: Iterable[CoverageRow]) -> str:
    """Return the rows as CSV text, sorted by key."""
    out = io.StringIO()
    names = [f.name for f in fields(CoverageRow)]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in sorted(rows, key=lambda r: r.key):
        writer.writerow(_cell(getattr(row, name)) for name in names)
    return out.getvalue()


def read_rows(text: str) -> tuple[CoverageRow, ...]:
    """Return the rows of a CSV text."""
    kinds = {f.name: _KINDS.get(str(f.type), str) for f in fields(CoverageRow)}
    return tuple(
        CoverageRow(**{name: kinds[name](value) for name, value in line.items()})
        for line in csv.DictReader(io.StringIO(text))
    )


@lru_cache(maxsize=1)
def table() -> tuple[CoverageRow, ...]:
    """Return the shipped rows."""
    return read_rows((files("giftlive.stats") / "coverage_table.csv").read_text(encoding="utf-8"))


@lru_cache(maxsize=256)
def groups_for(
    statistic: str, method: str, tail: str, rows_per_cluster: float
) -> tuple[tuple[CoverageRow, ...], ...]:
    """Return the rows that speak about an interval: one group per measured number of rows a user.

    Where ``rows_per_cluster`` lies between two measured numbers both speak, as neither is the
    harder case for every statistic; outside them the nearest one. Smallest sample first.

    Raises
    ------
    IntegrityError
        The pair of statistic and method was never measured.
    """
    known = [r for r in table() if (r.statistic, r.method) == (statistic, method)]
    if not known:
        raise IntegrityError(
            f"interval {method!r} for {statistic!r} has no row in the coverage table",
            "stats/coverage_table.csv",
            "a measured coverage for every interval that is used",
            "add the case to evaluation/coverage/cases.py and run `make coverage`",
        )
    there = [r for r in known if r.tail == tail]
    sizes = sorted({r.rows_per_cluster for r in there})
    above = [s for s in sizes if s >= rows_per_cluster][:1] or sizes[-1:]
    below = [s for s in sizes if s <= rows_per_cluster][-1:] or sizes[:1]
    return tuple(
        tuple(sorted((r for r in there if r.rows_per_cluster == s), key=lambda r: r.clusters))
        for s in sorted({*above, *below})
    )


def measured_this_uneven(tail: str, totals: Floats) -> bool:
    """Return whether the users behind a tail were at least as uneven as these.

    Parameters
    ----------
    totals : [G] what each user gave, from a history and not from the sample being judged.

    Returns
    -------
    bool
        False where the totals do not vary: nothing is known of a history without a gift.
    """
    mean, spread = (float(totals.mean()), float(totals.std())) if len(totals) else (0.0, 0.0)
    known = [r for rows in groups_for("mean", "student_t", tail, 1.0) for r in rows]
    if not (mean > 0.0 and spread > 0.0 and known):
        return False
    skew = float(np.mean(((totals - mean) / spread) ** 3))
    return spread / mean <= max(r.cv for r in known) and skew <= max(r.skew for r in known)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
