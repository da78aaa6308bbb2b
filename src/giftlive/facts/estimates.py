"""From per-user sums to facts: value, interval, and the rules that withhold an interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import AMOUNT, Fact, Quantity
from giftlive.stats.bootstrap import percentile_interval
from giftlive.stats.intervals import Interval, proportion
from giftlive.stats.print_rule import MONEY_CLUSTERS
from giftlive.types import Floats, Ints

MONEY_USERS = MONEY_CLUSTERS
"""Users below which no interval of a money fact is printed (its coverage is not 95 %)."""
MIN_CLUSTERS = 10
"""Independent units below which no interval is printed."""
BOOTSTRAP = "percentile bootstrap, users resampled"
ORDER = "order statistics at Wilson's limits of the level"

Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Sample:
    """Sums of one quantity by user: the only input an interval needs.

    Attributes
    ----------
    user : [m] distinct ids. columns : [m, k] sums. n, n_unit : rows behind them.
    """

    user: Ints
    columns: Floats
    n: int
    n_unit: str


def by_user(user: Ints, *columns: Ints | Floats, n: int | None = None, n_unit: str) -> Sample:
    """Collect per-user sums; ``n`` is the sum of the last column unless given."""
    matrix = np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=1)
    count = int(matrix[:, -1].sum()) if n is None else n
    return Sample(np.asarray(user, dtype=np.int64), matrix, count, n_unit)


def ratio_of(totals: Floats) -> Floats:
    """Return the first total over the second, nan where the second is 0.

    Examples
    --------
    >>> ratio_of(np.array([[1.0, 2.0], [1.0, 0.0]]))
    array([0.5, nan])
    """
    out = np.full(totals.shape[:-1], np.nan)
    return np.divide(totals[..., 0], totals[..., 1], out=out, where=totals[..., 1] > 0)


def ratio(evidence: Evidence, quantity: Quantity, sample: Sample) -> Fact:
    """Estimate sum(first column) / sum(second column) over users."""
    return of_totals(evidence, quantity, sample, ratio_of)


def of_totals(evidence: Evidence, quantity: Quantity, sample: Sample, statistic: Statistic) -> Fact:
    """Estimate ``statistic`` of the totals, with a percentile interval over resampled users.

    Parameters
    ----------
    statistic : maps totals [..., k] to values [...]; nan where it has none.
    """
    reason = evidence.lacks(quantity.needs)
    value = float(statistic(sample.columns.sum(axis=0)[None, :])[0])
    if reason or math.isnan(value):
        return undefined(evidence, quantity, reason or f"there are no {quantity.denominator}")
    clusters = int((sample.columns[:, -1] > 0).sum())
    withheld = withholding(evidence, quantity, clusters, "users")
    if withheld:
        return stated(evidence, quantity, value, withheld, sample.n, sample.n_unit)
    draws = statistic(evidence.resampler.totals(sample.user, sample.columns))
    interval = percentile_interval(value, draws, BOOTSTRAP, clusters, "users")
    return stated(evidence, quantity, value, interval, sample.n, sample.n_unit)


def withholding(evidence: Evidence, quantity: Quantity, clusters: int, unit: str) -> str:
    """Return the print rule that forbids an interval here, or an empty text."""
    if quantity.money and len(evidence.users) < MONEY_USERS:
        return (
            f"not enough data: money intervals need >= {MONEY_USERS:,} users, "
            f"have {len(evidence.users):,}"
        )
    if clusters < MIN_CLUSTERS:
        return f"not enough data: an interval needs >= {MIN_CLUSTERS} {unit}, have {clusters}"
    if not len(evidence.resampler.weights):
        return "no intervals were asked for"
    return ""


def share_of_units(evidence: Evidence, quantity: Quantity, hits: int, n: int, n_unit: str) -> Fact:
    """Estimate a share of independent units, with Wilson's score interval."""
    reason = evidence.lacks(quantity.needs)
    if reason or n == 0:
        return undefined(evidence, quantity, reason or f"there are no {quantity.denominator}")
    reason = withholding(evidence, quantity, n, n_unit)
    interval = reason or proportion(hits, n, n_unit=n_unit)
    return stated(evidence, quantity, hits / n, interval, n, n_unit)


def quantile_of_units(
    evidence: Evidence, quantity: Quantity, x: Floats, p: float, n_unit: str
) -> Fact:
    """Estimate the ``p`` quantile (inverse distribution function) of independent units ``x``.

    The interval runs between the order statistics at Wilson's limits of the level ``p``.
    """
    reason = evidence.lacks(quantity.needs)
    if reason or not len(x):
        return undefined(evidence, quantity, reason or f"there are no {quantity.denominator}")
    ordered, n = np.sort(x), len(x)
    value = float(ordered[rank_of(p, n)])
    reason = withholding(evidence, quantity, n, n_unit)
    if reason:
        return stated(evidence, quantity, value, reason, n, n_unit)
    level = proportion(rank_of(p, n) + 1, n)
    low, high = (float(ordered[rank_of(v, n)]) for v in (level.low or 0.0, level.high or 1.0))
    return stated(
        evidence, quantity, value, Interval(value, low, high, ORDER, n, n_unit), n, n_unit
    )


def rank_of(p: float, n: int) -> int:
    """Return the 0-based rank of the ``p`` quantile of ``n`` values: smallest x, F(x) >= p.

    Examples
    --------
    >>> rank_of(0.5, 4), rank_of(0.9, 10), rank_of(1.0, 3)
    (1, 8, 2)
    """
    return min(max(math.ceil(round(p * n, 9)) - 1, 0), n - 1)


def stated(
    evidence: Evidence,
    quantity: Quantity,
    value: float,
    interval: Interval | str,
    n: int,
    n_unit: str,
) -> Fact:
    """Return the fact of a known value; a text in place of the interval says why there is none."""
    reason = interval if isinstance(interval, str) else _why_not_printed(interval, value)
    printed = None if reason or isinstance(interval, str) else interval
    return Fact(
        quantity.name,
        value,
        printed.low if printed else None,
        printed.high if printed else None,
        quantity.numerator,
        quantity.denominator,
        quantity.population,
        _unit(evidence, quantity),
        printed.method if printed else "none",
        n,
        "ok",
        reason,
        n_unit,
    )


def _why_not_printed(interval: Interval, value: float) -> str:
    if interval.status != "ok":
        return interval.reason
    if interval.low == interval.high and value in (0.0, 1.0):
        return "the value lies on its boundary, where resampling shows no uncertainty"
    return ""


def undefined(evidence: Evidence, quantity: Quantity, reason: str) -> Fact:
    """Return the fact of a value that this source cannot give."""
    return Fact(
        quantity.name,
        None,
        None,
        None,
        quantity.numerator,
        quantity.denominator,
        quantity.population,
        _unit(evidence, quantity),
        "none",
        0,
        "undefined",
        reason,
    )


def _unit(evidence: Evidence, quantity: Quantity) -> str:
    return evidence.unit if quantity.unit == AMOUNT else quantity.unit
