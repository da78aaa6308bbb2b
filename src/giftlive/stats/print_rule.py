"""When an interval may be printed.

At gift tails a nominal 95 % interval from a small sample covers far less than 95 %. So a number
gets its interval only with enough independent clusters G::

    G >= max((CV / 0.25)², 25 · skew²)        a level: narrow enough, and near its normal limit
    G >= 25 · skew²                           a difference near zero: the skew rule alone

with 5 in place of 25 for ``skew_t``, which removes the skewness to first order (ADR 0012).

CV (standard deviation / value) and skewness are those of the statistic's influence values per
cluster and fixed beforehand, from history or a calibrated world, never from the sample being
judged: the sample that lacks its whale also lacks the warning. On top of the formula the
coverage table must show that the interval holds at that size, and money needs 5,000 users.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import takewhile

from giftlive.errors import InputError
from giftlive.stats.coverage_table import CoverageRow, groups_for
from giftlive.stats.intervals import Interval, withheld

UNMEASURED = "unmeasured"
"""Tail of a source for which no measured tail stands: no interval of its money is printed."""

MONEY_CLUSTERS = 5_000
"""Fewest users behind a printed interval on money."""

DIFFERENCES = frozenset(
    {
        *("difference", "paired_difference", "capture_difference", "capture_10pct_difference"),
        *("normalised_gini_difference", "spearman_difference", "pr_auc_difference"),
        "log_loss_difference",
    }
)
"""Statistics that may be 0, so that their CV means nothing."""

WITHOUT_MONEY = (
    *("pr_auc", "roc_auc", "log_loss", "ece", "spearman"),
    *("tail_index", "quantile", "unit_quantile"),
)
"""Beginnings of the names of statistics in which no amount enters as an amount."""

MONEY_TAILS = frozenset({"capped", "full", "gift"})

_RELATIVE_ERROR = 0.25
_SKEW_FACTOR = 25.0
_SKEW_FACTORS = {
    "skew_t": 5.0,
    "woodruff": 0.0,
    "order_statistics": 0.0,
    "empirical_bernstein": 0.0,
    "betting": 0.0,
}
"""Methods that correct for skewness, or that never add up amounts to a normal limit."""


def needed_clusters(
    cv: float,
    skew: float,
    difference: bool = False,
    money: bool = False,
    method: str = "",
) -> int:
    """Compute how many clusters an interval needs before it may be printed.

    Parameters
    ----------
    cv : standard deviation / mean per cluster, >= 0 (ignored for a difference).
    skew : skewness per cluster, any sign.
    difference : the estimand is a difference near zero, whose CV means nothing.
    money : the estimand is an amount: never below ``MONEY_CLUSTERS``.
    method : of the interval, as in the coverage table.

    Examples
    --------
    >>> needed_clusters(5.0, 3.0), needed_clusters(5.0, 3.0, difference=True)
    (400, 225)
    """
    relevant = (skew,) if difference else (cv, skew)
    if not all(math.isfinite(v) for v in relevant) or (cv < 0 and not difference):
        raise InputError(f"cv {cv:g}, skew {skew:g}", "print rule", "finite numbers, cv >= 0")
    width_rule = 0.0 if difference else (cv / _RELATIVE_ERROR) ** 2
    factor = _SKEW_FACTORS.get(method, _SKEW_FACTOR)
    needed = max(2, math.ceil(width_rule), math.ceil(factor * skew * skew))
    return max(needed, MONEY_CLUSTERS) if money else needed


@dataclass(frozen=True)
class Need:
    """How many clusters an interval needs.

    Attributes
    ----------
    clusters : the number; where ``shown`` is False, a lower limit for it; 0 where no measured
        tail stands for the source.
    formula : what the formula alone asks for.
    shown : whether the coverage table has a size from which on the interval holds.
    """

    clusters: int
    formula: int
    shown: bool

    @property
    def words(self) -> str:
        """Return the number in words, as far as it is known."""
        return f"about {self.clusters:,}" if self.shown else f"more than {self.clusters - 1:,}"


def need(statistic: str, method: str, tail: str, rows_per_cluster: float = 1.0) -> Need:
    """Compute how many clusters an interval of this kind needs at this tail.

    Parameters
    ----------
    statistic, method, tail : as in the coverage table. rows_per_cluster : mean rows of a user.

    Raises
    ------
    IntegrityError
        The interval was never measured for this statistic.
    """
    needs = [need_of(rows) for rows in groups_for(statistic, method, tail, rows_per_cluster)]
    if not needs:
        return Need(0, 0, shown=False)
    return Need(
        max(n.clusters for n in needs),
        max(n.formula for n in needs),
        shown=all(n.shown for n in needs),
    )


def need_of(rows: tuple[CoverageRow, ...]) -> Need:
    """Compute the need from the rows of one interval at one number of rows per user.

    Parameters
    ----------
    rows : at least one, smallest sample first.
    """
    formula = max(
        needed_clusters(
            r.cv,
            r.skew,
            r.statistic in DIFFERENCES,
            r.tail in MONEY_TAILS and not r.statistic.startswith(WITHOUT_MONEY),
            r.method,
        )
        for r in rows
    )
    first = _holds_from(rows)
    if first is None:
        return Need(max(formula, rows[-1].clusters + 1), formula, shown=False)
    return Need(max(formula, first), formula, shown=True)


def _holds_from(rows: tuple[CoverageRow, ...]) -> int | None:
    """Return the smallest measured size from which on every row holds; one row alone is luck."""
    holding = list(takewhile(lambda row: row.holds, reversed(rows)))
    return holding[-1].clusters if len(holding) > 1 else None


def may_print(
    clusters: int,
    statistic: str,
    method: str,
    tail: str,
    rows_per_cluster: float = 1.0,
    n_unit: str = "clusters",
) -> tuple[bool, str]:
    """Decide whether an interval over ``clusters`` independent units may be printed.

    Returns
    -------
    allowed, reason : the reason is "" when allowed, else says how many clusters are needed.
    """
    needed = need(statistic, method, tail, rows_per_cluster)
    if needed.shown and clusters >= needed.clusters:
        return True, ""
    if not needed.clusters:
        return False, "not enough data: no tail that was measured stands for this source"
    return False, f"not enough data: {clusters:,} {n_unit}, need {needed.words}"


def method_of(interval: Interval) -> str:
    """Return the method of an interval as the coverage table names it.

    Examples
    --------
    >>> from giftlive.stats.intervals import no_interval
    >>> method_of(no_interval("undefined", "", "snips, poisson_bootstrap(400)", 0, "users"))
    'poisson_bootstrap'
    """
    name = interval.method.rpartition(", ")[2]
    base, _, inner = name.partition("(")
    return base if inner.rstrip(")").isdigit() else name


def printed(
    interval: Interval, statistic: str, tail: str, rows_per_cluster: float = 1.0
) -> Interval:
    """Return ``interval`` as it may be printed: without bounds, and with the reason, if not.

    Parameters
    ----------
    interval : of ``statistic``; its n counts the independent units.
    statistic, tail : as in the coverage table; ``UNMEASURED`` where none stands for the source.
    rows_per_cluster : mean rows of a unit.

    Raises
    ------
    IntegrityError
        The interval was never measured for this statistic.
    """
    if interval.status != "ok" or interval.low is None:
        return interval
    allowed, reason = may_print(
        interval.n, statistic, method_of(interval), tail, rows_per_cluster, interval.n_unit
    )
    return interval if allowed else withheld(interval, reason)
