"""How much of n random draws falls on the most frequent of several things."""

from __future__ import annotations

import math

import numpy as np

from giftlive.types import Floats, Ints


def expected_top_share(weights: Ints | Floats, most: int) -> Floats:
    """Compute E[largest count] / n of n independent draws, for n = 1 … ``most``.

    Things are drawn with probability p_s proportional to their weight. No thing is drawn more
    than m times with probability::

        P(max <= m) = n! [z^n] Π_s Σ_{j <= m} (p_s z)^j / j!

    and E[max] = n - Σ_{1 <= m < n} P(max <= m). Every term is positive, so that nothing cancels;
    things of equal weight are one power.

    Parameters
    ----------
    weights : [S] >= 0, one of them above 0. most : largest n, >= 1.

    Returns
    -------
    share : [most]; 1 for one draw, 1 everywhere where there is one thing only.

    Examples
    --------
    >>> expected_top_share(np.array([1, 1]), 3).tolist()  # two coins agree half of the time
    [1.0, 0.75, 0.75]
    """
    positive = np.asarray(weights, dtype=np.float64)
    weight, copies = np.unique(positive[positive > 0], return_counts=True)
    series = _one(most)
    for p, times in zip(weight / float(weight @ copies), copies.tolist(), strict=True):
        series = _times(series, _power(_terms(float(p), most), times))
    share = np.ones(most)
    for n in range(2, most + 1):
        within = math.factorial(n) * float(series[: n - 1, n].sum())
        share[n - 1] = (n - within) / n
    return share


def _one(most: int) -> Floats:
    """Return the constant 1 as [m, power of z] for every limit m."""
    series = np.zeros((most, most + 1))
    series[:, 0] = 1.0
    return series


def _terms(p: float, most: int) -> Floats:
    """Return Σ_{j <= m} (p z)^j / j! as [m, power of z]."""
    j = np.arange(most + 1)
    terms = p**j / np.array([math.factorial(i) for i in range(most + 1)], dtype=np.float64)
    return np.where(j <= np.arange(1, most + 1)[:, None], terms, 0.0)


def _times(a: Floats, b: Floats) -> Floats:
    """Multiply the series of every limit, cut after the highest power."""
    product = np.zeros_like(a)
    for j in range(a.shape[1]):
        product[:, j:] += a[:, j, None] * b[:, : a.shape[1] - j]
    return product


def _power(series: Floats, times: int) -> Floats:
    result = _one(len(series))
    while times:
        if times % 2:
            result = _times(result, series)
        series = _times(series, series)
        times //= 2
    return result
