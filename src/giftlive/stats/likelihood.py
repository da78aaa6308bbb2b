"""Intervals by reweighting the sample: empirical likelihood and its Euclidean relative.

Both ask how far the weights w_g of the clusters must move away from 1/G before the ratio becomes
θ, that is before Σ_g w_g z_g(θ) = 0 with z_g(θ) = num_g - θ · den_g. The interval holds every θ
whose distance stays below F(1, G-1) = t(G-1)², Student's quantile squared:

- **empirical likelihood** (Owen 1988): distance -2 Σ log(G w_g), weights stay positive. With the
  multiplier λ that solves Σ z_g / (1 + λ z_g) = 0 the distance is 2 Σ log(1 + λ z_g).
  The data decide the shape: longer towards the heavy tail, never outside the range of the
  clusters' own ratios;
- **Cressie-Read of index -2** (Euclidean): distance Σ (G w_g - 1)², weights may be negative,
  and the bounds are the two roots of a quadratic in θ::

      (num̄ - θ den̄)² · G = t² · (S_nn - 2θ S_nd + θ² S_dd)        S: sample covariances (G - 1)

  which for a mean is Student's interval and for a ratio Fieller's (1954). The divisor G - 1
  makes it exact for normal errors. Karampatziakis, Langford and Mineiro (2020) use this member
  for contextual bandits.

Assumption: clusters are independent; both are first-order correct, like Student's interval.
Neither can see the whale that is not in the sample.

References
----------
Owen (1988), "Empirical likelihood ratio confidence intervals for a single functional",
Biometrika; Owen (2001), "Empirical Likelihood", sections 2.9 (the dual), 3.3 (F calibration)
and 3.15 (Euclidean); Fieller (1954), "Some problems in interval estimation"; Karampatziakis,
Langford, Mineiro (2020), "Empirical likelihood for contextual bandits".
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numba import njit

from giftlive.stats.cluster_errors import (
    columns_per_cluster,
    ratio_errors,
    terms_per_cluster,
    unit_of,
)
from giftlive.stats.intervals import Interval, no_interval, student_quantile, undefined_ratio
from giftlive.types import Floats, Ints

_UNBOUNDED = "the denominator is not clearly different from 0: the interval has no end"

_Bounds = Callable[[Floats, Floats, Floats, float], tuple[Floats, Floats]]


def empirical_likelihood(
    num: Floats,
    den: Floats | None = None,
    cluster: Ints | None = None,
    level: float = 0.95,
    n_unit: str = "clusters",
) -> Interval:
    """Estimate Σ num / Σ den with Owen's interval clustered by ``cluster``.

    Parameters
    ----------
    num, den : [n] terms of the numerator and of the denominator; ``den`` None: the mean of num.
    cluster : [n] id of the independent unit (user) of every row; ``None``: each row its own.

    Returns
    -------
    Interval
        Width exactly 0 when num / den is constant; ``undefined`` when Σ den = 0 or is not
        clearly different from 0; ``not_enough_data`` below two clusters.

    Examples
    --------
    >>> i = empirical_likelihood(np.array([0.0, 0.0, 0.0, 0.0, 1.0, 5.0]))
    >>> i.value, round(i.low, 2), round(i.high, 2)
    (1.0, 0.07, 3.44)
    """
    terms = terms_per_cluster(num, den, cluster)
    return _one(_likelihood_bounds, *terms, "empirical_likelihood", level, n_unit)


def cressie_read(
    num: Floats,
    den: Floats | None = None,
    cluster: Ints | None = None,
    level: float = 0.95,
    n_unit: str = "clusters",
) -> Interval:
    """Estimate Σ num / Σ den with the Euclidean interval clustered by ``cluster``.

    Parameters
    ----------
    num, den, cluster : as for :func:`empirical_likelihood`.

    Returns
    -------
    Interval
        As :func:`empirical_likelihood`; not confined to the range of the clusters' ratios.

    Examples
    --------
    >>> i = cressie_read(np.array([1.0, 2.0, 3.0]))  # a mean: student_t again
    >>> i.value, round(i.width, 3)
    (2.0, 4.968)
    """
    terms = terms_per_cluster(num, den, cluster)
    return _one(_euclidean_bounds, *terms, "cressie_read", level, n_unit)


def empirical_likelihood_replications(
    num: Floats, den: Floats | None = None, cluster: Ints | None = None, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Compute :func:`empirical_likelihood` for R replications [R, n] at once.

    Returns
    -------
    value, low, high : [R]; bounds are nan where the interval has no end.
    """
    terms = columns_per_cluster("empirical_likelihood_replications", num, den, cluster)
    return _many(_likelihood_bounds, *terms, level)


def cressie_read_replications(
    num: Floats, den: Floats | None = None, cluster: Ints | None = None, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Compute :func:`cressie_read` for R replications [R, n] at once.

    Returns
    -------
    value, low, high : [R]; bounds are nan where the interval has no end.
    """
    terms = columns_per_cluster("cressie_read_replications", num, den, cluster)
    return _many(_euclidean_bounds, *terms, level)


def _one(
    bounds: _Bounds, num: Floats, den: Floats, method: str, level: float, n_unit: str
) -> Interval:
    problem = undefined_ratio(num, den, method, n_unit)
    if problem is not None:
        return problem
    value, low, high = (float(v[0]) for v in _many(bounds, num[None], den[None], level))
    if not all(map(math.isfinite, (value, low, high))):
        return no_interval("undefined", _UNBOUNDED, method, len(num), n_unit)
    return Interval(value, low, high, method, len(num), n_unit)


def _many(bounds: _Bounds, num: Floats, den: Floats, level: float) -> tuple[Floats, Floats, Floats]:
    """Return value and bounds of every row [R, G]; rows whose ratio is constant have width 0.

    Both terms are measured in powers of two of their own size: squares of 1e-300 are no numbers.
    """
    of_den = unit_of(den)
    of_num = np.where(num.any(axis=1), unit_of(num), of_den)
    num, den = num / of_num[:, None], den / of_den[:, None]
    value, error = ratio_errors(num, den)
    low, high = value.copy(), value.copy()
    varies = error.any(axis=1)
    limit = student_quantile(num.shape[1] - 1, level) ** 2
    low[varies], high[varies] = bounds(num[varies], den[varies], value[varies], limit)
    unit = of_num / of_den
    return _times(value, unit), _times(low, unit), _times(high, unit)


def _times(x: Floats, unit: Floats) -> Floats:
    """Return x · unit, nan where that is too large for a float."""
    with np.errstate(over="ignore", invalid="ignore"):
        product: Floats = x * unit
    return np.where(np.isfinite(product), product, np.nan)


def _euclidean_bounds(
    num: Floats, den: Floats, value: Floats, limit: float
) -> tuple[Floats, Floats]:
    """Return the roots of the quadratic, written around the estimate so that nothing cancels.

    With δ = θ - value and e = num - value · den it reads δ² den̄² G = t² (S_ee - 2δ S_ed + δ² S_dd).
    """
    n = num.shape[1]
    error = num - value[:, None] * den
    mean = den.mean(axis=1)
    away = den - mean[:, None]
    per_degree = limit / (n * (n - 1.0))
    see = per_degree * np.square(error).sum(axis=1)
    sed = per_degree * (error * away).sum(axis=1)
    lead = mean * mean - per_degree * np.square(away).sum(axis=1)
    lead = np.where(lead > 0.0, lead, np.nan)
    root = np.sqrt(sed * sed + lead * see)
    return value - (sed + root) / lead, value + (root - sed) / lead


def _likelihood_bounds(
    num: Floats, den: Floats, value: Floats, limit: float
) -> tuple[Floats, Floats]:
    num, den = np.ascontiguousarray(num), np.ascontiguousarray(den)
    return _profile_bounds(num, den, value, limit)


@njit(cache=True)
def _profile_bounds(num: Floats, den: Floats, value: Floats, limit: float) -> tuple[Floats, Floats]:
    low, high = np.full(len(num), np.nan), np.full(len(num), np.nan)
    z = np.empty(num.shape[1])
    for r in range(len(num)):
        if _distance(den[r], den[r], 0.0, z) > limit:  # the denominator's own interval excludes 0
            n = len(z)
            square = 0.0
            for g in range(n):
                square += (num[r, g] - value[r] * den[r, g]) ** 2
            step = math.sqrt(limit * square) / abs(den[r].sum())
            low[r] = _bound(num[r], den[r], value[r], -step, limit, z)
            high[r] = _bound(num[r], den[r], value[r], step, limit, z)
    return low, high


@njit(cache=True)
def _bound(num: Floats, den: Floats, value: float, step: float, limit: float, z: Floats) -> float:
    """Return where the distance crosses ``limit`` on the side of ``step``.

    √distance is almost linear in θ, so the Illinois rule (false position that halves an end
    value kept twice) converges in a few steps; where the distance is infinite (θ beyond every
    cluster's ratio) the bracket is halved instead.
    """
    goal = math.sqrt(limit)
    if step == 0.0:  # the errors are below every digit of the value
        return value
    near, at_near = value, -goal
    far, at_far = value + step, math.sqrt(_distance(num, den, value + step, z)) - goal
    while at_far < 0.0:
        near, at_near, step = far, at_far, 2.0 * step
        far = value + step
        at_far = math.sqrt(_distance(num, den, far, z)) - goal
    side = 0
    for _ in range(200):
        middle = 0.5 * (near + far)
        if not math.isinf(at_far):
            middle = (near * at_far - far * at_near) / (at_far - at_near)
        at_middle = math.sqrt(_distance(num, den, middle, z)) - goal
        if abs(at_middle) <= 1e-13:
            return middle
        if abs(far - near) <= 1e-15 * (abs(near) + abs(far)):
            break
        if at_middle < 0.0:
            near, at_near, at_far = middle, at_middle, 0.5 * at_far if side < 0 else at_far
            side = -1
        else:
            far, at_far, at_near = middle, at_middle, 0.5 * at_near if side > 0 else at_near
            side = 1
    return near


@njit(cache=True)
def _residuals(num: Floats, den: Floats, theta: float, z: Floats) -> tuple[float, float]:
    """Fill z = num - θ · den and return its extremes; tiny ones are measured in their own size.

    The weights do not change when every z is divided by one number, and its squares must not
    vanish.
    """
    smallest, largest = math.inf, -math.inf
    for g in range(len(num)):
        z[g] = num[g] - theta * den[g]
        smallest, largest = min(smallest, z[g]), max(largest, z[g])
    size = max(-smallest, largest)
    if 0.0 < size < 1e-100:
        for g in range(len(num)):
            z[g] /= size
        smallest, largest = smallest / size, largest / size
    return smallest, largest


@njit(cache=True)
def _distance(num: Floats, den: Floats, theta: float, z: Floats) -> float:
    """Return 2 Σ log(1 + λ z) at its maximum over λ, the profile of -2 log likelihood.

    Every weight 1 / (G (1 + λ z)) is at most 1, which brackets λ; Newton's step is taken where
    it stays inside the bracket and the bracket is halved where it does not.
    """
    n = len(num)
    smallest, largest = _residuals(num, den, theta, z)
    if not smallest < 0.0 < largest:
        return math.inf
    left, right, multiplier = (1.0 / n - 1.0) / largest, (1.0 / n - 1.0) / smallest, 0.0
    for _ in range(100):
        slope, bend = 0.0, 0.0
        for g in range(n):
            part = z[g] / (1.0 + multiplier * z[g])
            slope += part
            bend += part * part
        if slope > 0.0:
            left = multiplier
        else:
            right = multiplier
        if bend == 0.0:
            break
        move = slope / bend
        if move * move * bend <= 1e-22:  # the gain still to be had is half of this
            break
        multiplier += move
        if not left < multiplier < right:
            multiplier = 0.5 * (left + right)
    total = 0.0
    for g in range(n):
        total += math.log1p(multiplier * z[g])
    return 2.0 * total
