"""Quantiles of rows that belong to clusters: Woodruff's interval.

The estimate is q = the smallest value x with F(x) >= p, F the share of rows at or below x. Rows
of one user are alike, so the uncertainty of F is that of a ratio over users: the lower bound of
q is the value at level p - a, a what F(q-) may be short of its truth, the upper bound the value
at p + b, b what F(q) may exceed it by. Taking each side at its own side of q keeps price atoms
honest: F(q) alone says nothing about values below q.

Reference: Woodruff (1952), "Confidence intervals for medians and other position measures".
"""

from __future__ import annotations

import math

import numpy as np

from giftlive.errors import InputError
from giftlive.stats.intervals import Interval, no_interval, proportion, ratio_delta
from giftlive.types import Floats, Ints


def rank_of(p: float, n: int) -> int:
    """Return the 0-based rank of the ``p`` quantile of ``n`` values: smallest x, F(x) >= p.

    Examples
    --------
    >>> rank_of(0.5, 4), rank_of(0.9, 10), rank_of(1.0, 3)
    (1, 8, 2)
    """
    return min(max(math.ceil(round(p * n, 9)) - 1, 0), n - 1)


def measured_level(p: float) -> str:
    """Return which of the measured quantiles stands for ``p``: the same or a more extreme one.

    Examples
    --------
    >>> measured_level(0.25), measured_level(0.5), measured_level(0.75), measured_level(0.95)
    ('p90', 'p50', 'p90', 'p99')
    """
    extreme = round(max(p, 1.0 - p), 9)
    return next((f"p{level}" for level in (50, 90) if extreme <= level / 100), "p99")


def woodruff_levels(
    p: float, under: Floats, upto: Floats, rows: Floats, level: float = 0.95
) -> tuple[float, float] | str:
    """Compute the levels at which the bounds of the ``p`` quantile q are read.

    Parameters
    ----------
    under, upto, rows : [G] rows of each cluster below q, at or below q, and in all.

    Returns
    -------
    (low, high) in [0, 1], or why there are none.
    """
    below, within = (ratio_delta(part, rows, level=level) for part in (under, upto))
    for side in (below, within):
        if side.value is None or side.low is None or side.high is None:
            return side.reason
    assert below.value is not None
    assert below.high is not None
    assert within.value is not None
    assert within.low is not None
    short, over = below.high - below.value, within.value - within.low
    return max(p - short, 0.0), min(p + over, 1.0)


def woodruff(
    x: Floats, cluster: Ints, p: float, level: float = 0.95, n_unit: str = "clusters"
) -> Interval:
    """Estimate the ``p`` quantile of the rows with an interval clustered by ``cluster``.

    Parameters
    ----------
    x : [n] finite values. cluster : [n] id of the independent unit of every row.
    p : in (0, 1).

    Examples
    --------
    >>> found = woodruff(np.arange(100.0), np.arange(100), 0.5)
    >>> found.value, found.low, found.high
    (49.0, 40.0, 59.0)
    """
    _refuse_level(p)
    x = np.asarray(x, dtype=np.float64)
    if not len(x) or not np.isfinite(x).all():
        return no_interval("undefined", "no rows, or a value not finite", "woodruff", 0, n_unit)
    ordered, n = np.sort(x), len(x)
    q = float(ordered[rank_of(p, n)])
    keys, index = np.unique(np.asarray(cluster), return_inverse=True)
    under, upto, rows = (
        np.bincount(index, counted, len(keys)).astype(np.float64)
        for counted in (x < q, x <= q, np.ones(n))
    )
    levels = woodruff_levels(p, under, upto, rows, level)
    if isinstance(levels, str):
        return no_interval("not_enough_data", levels, "woodruff", len(keys), n_unit)
    low, high = (float(ordered[rank_of(at, n)]) for at in levels)
    return Interval(q, low, high, "woodruff", len(keys), n_unit)


def order_statistics(x: Floats, p: float, level: float = 0.95, n_unit: str = "values") -> Interval:
    """Estimate the ``p`` quantile of independent values between two of the ordered values.

    The bounds are the values at Wilson's limits of the level p; no density is needed, and ties
    make the interval wider, never too narrow.

    Parameters
    ----------
    x : [n] independent, finite values. p : in (0, 1).

    Examples
    --------
    >>> found = order_statistics(np.arange(100.0), 0.5)
    >>> found.value, found.low, found.high
    (49.0, 40.0, 59.0)
    """
    _refuse_level(p)
    x = np.asarray(x, dtype=np.float64)
    method, n = "order_statistics", len(x)
    if not np.isfinite(x).all():
        return no_interval("undefined", "a value is not finite", method, n, n_unit)
    if n < 2:
        reason = f"{n} {n_unit}: an interval needs at least 2"
        return no_interval("not_enough_data", reason, method, n, n_unit)
    ordered = np.sort(x)
    at = proportion(rank_of(p, n) + 1, n, level)
    assert at.low is not None
    assert at.high is not None
    low, high = (float(ordered[rank_of(side, n)]) for side in (at.low, at.high))
    return Interval(float(ordered[rank_of(p, n)]), low, high, method, n, n_unit)


def _refuse_level(p: float) -> None:
    if not 0.0 < p < 1.0:
        raise InputError(f"level {p:g}", "quantile", "a number strictly between 0 and 1")
