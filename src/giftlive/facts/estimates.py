"""From per-user sums to facts: value, interval, and the rule that withholds an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import AMOUNT, Fact, Quantity
from giftlive.stats.intervals import Interval, proportion
from giftlive.stats.print_rule import printed
from giftlive.stats.quantiles import measured_level, order_statistics
from giftlive.stats.skewed import skew_t
from giftlive.types import Floats, Ints


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


def ratio(evidence: Evidence, quantity: Quantity, sample: Sample) -> Fact:
    """Estimate sum(first column) / sum(last column) over the users with a denominator."""
    reason = evidence.lacks(quantity.needs)
    num, den = sample.columns[:, 0], sample.columns[:, -1]
    there = den > 0
    if reason or not there.any():
        return undefined(evidence, quantity, reason or f"there are no {quantity.denominator}")
    interval = skew_t(num[there], den[there], n_unit="users")
    shown = printed(
        interval, quantity.ratio, evidence.tail(quantity), float(den.sum() / there.sum())
    )
    value = float(num.sum() / den.sum())
    return stated(evidence, quantity, value, shown, sample.n, sample.n_unit)


def share_of_units(evidence: Evidence, quantity: Quantity, hits: int, n: int, n_unit: str) -> Fact:
    """Estimate a share of independent units, with Wilson's score interval."""
    reason = evidence.lacks(quantity.needs)
    if reason or n == 0:
        return undefined(evidence, quantity, reason or f"there are no {quantity.denominator}")
    interval = proportion(hits, n, n_unit=n_unit)
    shown = printed(interval, "proportion", "count")  # as skewed as the rarest share measured
    return stated(evidence, quantity, hits / n, shown, n, n_unit)


def quantile_of_units(
    evidence: Evidence, quantity: Quantity, x: Floats, p: float, n_unit: str
) -> Fact:
    """Estimate the ``p`` quantile (inverse distribution function) of independent units ``x``."""
    reason = evidence.lacks(quantity.needs)
    if reason or not len(x):
        return undefined(evidence, quantity, reason or f"there are no {quantity.denominator}")
    if not np.isfinite(x).all():
        return undefined(evidence, quantity, "a value is not finite")
    value = float(np.quantile(x, p, method="inverted_cdf"))
    interval = order_statistics(x, p, n_unit=n_unit)
    if interval.value is None:  # too few for an interval: the value stands alone
        return stated(evidence, quantity, value, interval.reason, len(x), n_unit)
    shown = printed(interval, f"unit_quantile_{measured_level(p)}", "light")
    return stated(evidence, quantity, interval.value, shown, len(x), n_unit)


def stated(
    evidence: Evidence,
    quantity: Quantity,
    value: float,
    interval: Interval | str,
    n: int,
    n_unit: str,
) -> Fact:
    """Return the fact of a known value; a text in place of the interval says why there is none."""
    is_share = quantity.unit == "share"
    reason = interval if isinstance(interval, str) else _why_not_printed(interval, value, is_share)
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


def _why_not_printed(interval: Interval, value: float, is_share: bool) -> str:
    if interval.low is None or interval.high is None:
        return interval.reason
    if is_share and not 0.0 <= interval.low <= interval.high <= 1.0:
        return "the interval would leave 0 to 1: it rests on too few events"
    if interval.low == interval.high and value in (0.0, 1.0):
        return "the value lies on its boundary, where the sample shows no uncertainty"
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
