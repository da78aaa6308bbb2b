"""How concentrated an amount is, and how heavy its tail.

Gifts are heavy-tailed: a few users carry most of the money. These measures take an amount per
unit (user, streamer) and optional weights, so that the bootstrap can resample the units. They
do not change when all amounts are multiplied by the same number.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from giftlive.errors import InputError
from giftlive.stats.cluster_errors import LARGEST
from giftlive.stats.intervals import Interval, checked_level, no_interval
from giftlive.types import Floats

_MIN_TAIL = 10


def hill(x: Floats, k: int | None = None, level: float = 0.95) -> Interval:
    """Estimate the tail index a in P(X > x) ~ x^-a by Hill's estimator.

    ``a = k / Σ_{i<=k} log(x_(i) / x_(k+1))`` with x_(1) >= x_(2) >= …; under an exact Pareto
    tail k / a is Gamma(k) distributed, which gives the interval. Above a = 2 the variance is
    finite, below it means have no normal limit. Assumption: the k largest values follow a
    power law; where they do not, the estimate moves with k. Whole-number amounts tie: a tail
    made of equal values has no index.

    Parameters
    ----------
    x : [n] amounts; only the positive ones are used.
    k : how many of the largest values form the tail; default √n of the positive ones.

    Returns
    -------
    Interval
        ``not_enough_data`` when the tail has fewer than 10 values or there is no threshold
        below it; ``undefined`` when an amount is not finite or the tail is one repeated value.
    """
    checked_level(level)
    bad = len(x) - int((np.abs(x) <= LARGEST).sum())
    if bad:
        reason = f"{bad} of {len(x)} amounts are not finite (or beyond {LARGEST:g})"
        return no_interval("undefined", reason, "hill", len(x), "amounts")
    positive = np.sort(_amounts(x)[np.asarray(x) > 0])[::-1]
    n = len(positive)
    k = math.isqrt(n) if k is None else k
    if k < _MIN_TAIL or n <= k:
        reason = f"{n} positive values and a tail of {k}: need a tail of {_MIN_TAIL} and one more"
        return no_interval("not_enough_data", reason, "hill", max(k, 0), "tail values")
    with np.errstate(over="ignore"):
        total = float(np.log(positive[:k] / positive[k]).sum())
    if total == math.inf:
        reason = f"the threshold {positive[k]:g} is too near 0"
        return no_interval("undefined", reason, "hill", k, "tail values")
    if total == 0.0:
        return no_interval("undefined", "the tail is one repeated value", "hill", k, "tail values")
    alpha = k / total
    ends = special.gammaincinv(k, [0.5 - level / 2.0, 0.5 + level / 2.0]) / k
    return Interval(alpha, alpha * float(ends[0]), alpha * float(ends[1]), "hill", k, "tail values")


def gini(x: Floats, weights: Floats | None = None) -> float:
    """Compute the Gini index: 0 when all hold the same, near 1 when one holds everything.

    ``Σ_i w_i x_i (W_{i-1} + W_i) / (W Σ w x) - 1`` over ascending x, W_i the running weight;
    whole-number weights equal repeated rows.

    Parameters
    ----------
    x : [n] amounts >= 0, zeros included: who counts is the population's definition.
    weights : [n] >= 0; default 1.

    Returns
    -------
    float
        nan where nothing is held (empty or all zero): concentration of nothing is undefined.

    Examples
    --------
    >>> gini(np.array([1.0, 1.0, 1.0, 1.0])), gini(np.array([0.0, 0.0, 0.0, 1.0]))
    (0.0, 0.75)
    """
    p, share = lorenz(x, weights)
    if np.isnan(share[-1]):
        return math.nan
    return float(1.0 - np.sum((share[1:] + share[:-1]) * np.diff(p)))


def lorenz(x: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Compute the Lorenz curve: the share held by the poorest share p of the units.

    Parameters
    ----------
    x : [n] amounts >= 0. weights : [n] >= 0; default 1.

    Returns
    -------
    p, share : [n + 1] each, both rising from 0 to 1; share is nan where nothing is held.

    Examples
    --------
    >>> p, share = lorenz(np.array([1.0, 3.0]))
    >>> p.tolist(), share.tolist()
    ([0.0, 0.5, 1.0], [0.0, 0.25, 1.0])
    """
    amounts = _amounts(x)
    w = np.ones_like(amounts) if weights is None else _amounts(weights)
    order = np.argsort(amounts, kind="stable")
    units = np.concatenate([[0.0], np.cumsum(w[order])])
    held = np.concatenate([[0.0], np.cumsum(w[order] * amounts[order])])
    if held[-1] == 0.0:
        nothing = np.full(len(units), np.nan)
        return (units / units[-1] if units[-1] > 0 else nothing), nothing
    return units / units[-1], held / held[-1]


def top_share(x: Floats, fraction: float, weights: Floats | None = None) -> float:
    """Compute the share held by the top ``fraction`` of the units.

    A unit that straddles the boundary counts with the part of it that lies inside, so the
    result is 1 - Lorenz(1 - fraction) and ties need no rule.

    Parameters
    ----------
    x : [n] amounts >= 0. fraction : in (0, 1]. weights : [n] >= 0; default 1.

    Returns
    -------
    float
        nan where nothing is held.

    Examples
    --------
    >>> top_share(np.array([1.0, 2.0, 3.0, 4.0]), 0.25)
    0.4
    """
    if not 0.0 < fraction <= 1.0:
        raise InputError(f"fraction {fraction:g}", "fraction", "a number in (0, 1]")
    p, share = lorenz(x, weights)
    return float(1.0 - np.interp(1.0 - fraction, p, share))


def _amounts(x: Floats) -> Floats:
    amounts = np.asarray(x, dtype=np.float64)
    bad = np.flatnonzero(~((amounts >= 0) & (amounts <= LARGEST)))
    if len(bad):
        raise InputError(f"amount {amounts[bad[0]]:g}", f"row {bad[0]}", "a finite number >= 0")
    return amounts


_NEAR = 1e-9
"""Relative distance below which two values count as one: equal up to how they were computed."""


def exceedance_curve(x: Floats, points: int = 60) -> tuple[Floats, Floats]:
    """Return at most ``points`` values of a positive sample, and the share as large or larger.

    The values are equally spaced in logarithm between the smallest and the largest; both arrays
    are empty for an empty sample.

    Examples
    --------
    >>> x, share = exceedance_curve(np.array([1.0, 2.0, 4.0, 4.0]), points=3)
    >>> x.tolist(), share.tolist()
    ([1.0, 2.0, 4.0], [1.0, 0.75, 0.5])
    """
    if not len(x):
        return np.zeros(0), np.zeros(0)
    ordered = np.sort(x)
    at = np.unique(np.geomspace(ordered[0], ordered[-1], points).clip(ordered[0], ordered[-1]))
    return at, 1.0 - np.searchsorted(ordered, at * (1.0 - _NEAR)) / len(ordered)
