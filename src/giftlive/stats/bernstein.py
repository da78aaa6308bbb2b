"""The empirical Bernstein interval: valid at every sample size, for values in a known range.

Maurer and Pontil (2009, Theorem 4): for n independent values in [0, 1] with sample variance V
(divisor n - 1), with probability at least 1 - δ::

    E[mean] - mean <= √(2 V log(2/δ) / n) + 7 log(2/δ) / (3 (n - 1))

Applied to x and to -x with δ = (1 - level) / 2 each, and scaled by the range, both bounds hold
together with probability at least ``level`` (union bound). The first term is the normal
interval with a larger factor, the second is the price of not knowing the tail.

It is a guarantee over the whole range, so n equal values do not give width 0: they do not rule out
the rest of the range, and the width falls like 1/n.

Assumption: values are independent (one per user, not one per row) and the range [low, high] is
known *beforehand*: a cap, a share. A range read off the sample makes the bound meaningless,
for the sample that lacks its whale also lacks the whale's range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError
from giftlive.stats.cluster_errors import LARGEST, refuse_beyond
from giftlive.stats.intervals import Interval, checked_level, no_interval
from giftlive.types import Floats

_METHOD = "empirical_bernstein"


@dataclass(frozen=True)
class Moments:
    """What the bound needs of n values; a mergeable state.

    Attributes
    ----------
    n : how many values. total, squares : Σ x and Σ x². smallest, largest : their extremes
        (+inf and -inf without values; nan when a value is not finite or beyond 1e150).
    """

    n: int
    total: float
    squares: float
    smallest: float
    largest: float

    @property
    def mean(self) -> float:
        """Return Σ x / n, never outside the extremes by rounding."""
        return min(max(self.total / self.n, self.smallest), self.largest)

    @property
    def variance(self) -> float:
        """Return the sample variance, divisor n - 1; exactly 0 when all values are equal."""
        if self.smallest == self.largest:
            return 0.0
        spread = self.squares - self.total * self.total / self.n
        return max(spread, 0.0) / (self.n - 1)


def moments(x: Floats) -> Moments:
    """Summarise values [n]; the order of the rows does not change one bit.

    Examples
    --------
    >>> moments(np.array([1.0, 0.0, 2.0]))
    Moments(n=3, total=3.0, squares=5.0, smallest=0.0, largest=2.0)
    """
    x = np.asarray(x, dtype=np.float64)
    if not (np.abs(x) <= LARGEST).all():
        return Moments(len(x), math.nan, math.nan, math.nan, math.nan)
    smallest, largest = float(x.min(initial=math.inf)), float(x.max(initial=-math.inf))
    return Moments(len(x), math.fsum(x), math.fsum(x * x), smallest, largest)


def merge(a: Moments, b: Moments) -> Moments:
    """Add two states: exact for whole numbers (sums below 2^53), else to the last digits."""
    return Moments(
        a.n + b.n,
        a.total + b.total,
        a.squares + b.squares,
        float(np.minimum(a.smallest, b.smallest)),
        float(np.maximum(a.largest, b.largest)),
    )


def empirical_bernstein(
    x: Floats, low: float, high: float, level: float = 0.95, n_unit: str = "values"
) -> Interval:
    """Estimate the mean of independent values in [low, high], valid at every n.

    Parameters
    ----------
    x : [n] independent values, one per unit.
    low, high : the range, known before the sample was seen.
    level : probability, at least, that the interval contains the mean.

    Returns
    -------
    Interval
        Inside [low, high]; ``not_enough_data`` for n < 2, ``undefined`` when a value is not
        finite.

    Raises
    ------
    InputError
        When a value lies outside the range (the row is named), or low >= high.

    References
    ----------
    Maurer and Pontil (2009), "Empirical Bernstein bounds and sample-variance penalization",
    Theorem 4.

    Examples
    --------
    >>> gifts = np.zeros(1_000); gifts[:15] = 1.0
    >>> i = empirical_bernstein(gifts, 0.0, 1.0)
    >>> i.value, i.low, round(i.high, 4)
    (0.015, 0.0, 0.0366)
    """
    x = np.asarray(x, dtype=np.float64)
    refuse_outside(x, low, high)
    return empirical_bernstein_of(moments(x), low, high, level, n_unit)


def empirical_bernstein_of(
    state: Moments, low: float, high: float, level: float = 0.95, n_unit: str = "values"
) -> Interval:
    """Compute :func:`empirical_bernstein` from the (merged) moments of the values."""
    refuse_range(low, high)
    checked_level(level)
    n = state.n
    if math.isnan(state.largest):
        reason = f"a value is not finite (or beyond {LARGEST:g})"
        return no_interval("undefined", reason, _METHOD, n, n_unit)
    if n < 2:
        reason = f"{n} {n_unit}: an interval needs at least 2"
        return no_interval("not_enough_data", reason, _METHOD, n, n_unit)
    if state.smallest < low or state.largest > high:
        raise InputError(
            f"values from {state.smallest:g} to {state.largest:g}",
            "moments",
            f"values in the known range [{low:g}, {high:g}]",
        )
    half = float(_half_width(n, np.float64(state.variance), high - low, level))
    value = state.mean
    return Interval(value, max(low, value - half), min(high, value + half), _METHOD, n, n_unit)


def bernstein_replications(
    x: Floats, low: float, high: float, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Compute :func:`empirical_bernstein` for R replications at once.

    Parameters
    ----------
    x : [R, n >= 2] values in [low, high].

    Returns
    -------
    value, low, high : [R].
    """
    x = np.asarray(x, dtype=np.float64)
    refuse_outside(x, low, high)
    refuse_beyond("bernstein_replications", x)
    checked_level(level)
    if x.ndim != 2 or x.shape[1] < 2:
        raise InputError(f"shape {x.shape}", "bernstein_replications", "[R, n >= 2]")
    value = x.mean(axis=1)
    half = _half_width(x.shape[1], x.var(axis=1, ddof=1), high - low, level)
    return value, np.maximum(low, value - half), np.minimum(high, value + half)


def refuse_outside(x: Floats, low: float, high: float) -> None:
    """Refuse a value outside the known range, naming its row; nan passes."""
    refuse_range(low, high)
    bad = np.argwhere(np.isfinite(x) & ((x < low) | (x > high)))
    if len(bad):
        row = ", ".join(str(i) for i in bad[0])
        raise InputError(
            f"value {x[tuple(bad[0])]:g}",
            f"row {row}",
            f"a value in the known range [{low:g}, {high:g}]",
            "cap the values first, at a cap chosen before the sample was seen",
        )


def refuse_range(low: float, high: float) -> None:
    """Refuse a range that is empty or not finite (or beyond 1e150)."""
    if not -LARGEST <= low < high <= LARGEST:
        raise InputError(f"low {low:g}, high {high:g}", "range", "finite, low < high")


def _half_width(n: int, variance: Floats | np.float64, span: float, level: float) -> Floats:
    log = math.log(4.0 / (1.0 - level))  # 2/δ with δ = (1 - level) / 2 on each side
    return np.sqrt(2.0 * variance * log / n) + span * 7.0 * log / (3.0 * (n - 1))
