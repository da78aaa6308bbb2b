"""The clustered bootstrap with Poisson(1) weights keyed by (cluster, replicate).

Replicate r gives every cluster g an independent weight W_rg ~ Poisson(1), the limit of drawing
G clusters with replacement. The weight is a pure function of (seed, cluster id, r): two chunks,
two workers or two models that meet the same user give it the same weight, so partial sums
add up to the sums of the whole and differences between models are paired.

Reference: Chamandy, Muralidharan, Najmi, Naidu (2012), "Estimating uncertainty for massive
data streams", the Poisson bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numba import njit

from giftlive.errors import InputError
from giftlive.rng import uniform
from giftlive.stats.intervals import Interval, no_interval
from giftlive.types import Floats, Ints

_PURPOSE = 0x0B00
_CDF = np.cumsum([math.exp(-1.0) / math.factorial(k) for k in range(20)])
_MAX_UNDEFINED = 0.05


@njit(cache=True)
def _weight(seed: int, cluster: int, replicate: int) -> float:
    u = uniform(seed, _PURPOSE, cluster, replicate, 0)
    k = 0
    while k < len(_CDF) and u > _CDF[k]:
        k += 1
    return float(k)


@njit(cache=True)
def _fill(out: Floats, ids: Ints, first: int, seed: int) -> None:
    for g in range(len(ids)):
        for r in range(out.shape[0]):
            out[r, g] = _weight(seed, ids[g], first + r)


@njit(cache=True)
def _weighted_sums(out: Floats, ids: Ints, columns: Floats, seed: int) -> None:
    for g in range(len(ids)):
        for r in range(out.shape[0]):
            w = _weight(seed, ids[g], r)
            for c in range(columns.shape[1]):
                out[r, c] += w * columns[g, c]


def poisson_weights(cluster_ids: Ints, replicates: int, seed: int) -> Floats:
    """Draw the bootstrap weights of every distinct cluster.

    Parameters
    ----------
    cluster_ids : [n] ids, repeated or not.
    replicates : R >= 1.
    seed : names the whole set of weights.

    Returns
    -------
    Floats
        [R, G], column g belonging to ``np.unique(cluster_ids)[g]``.

    Examples
    --------
    >>> whole = poisson_weights(np.array([7, 9, 7]), 4, seed=1)
    >>> bool((whole[:, 1] == poisson_weights(np.array([9]), 4, seed=1)[:, 0]).all())
    True
    """
    ids = np.unique(np.asarray(cluster_ids, dtype=np.int64))
    out = np.empty((_at_least_one(replicates), len(ids)))
    _fill(out, ids, 0, seed)
    return out


def poisson_sums(cluster_ids: Ints, columns: Floats, replicates: int, seed: int) -> Floats:
    """Compute Σ_g W_rg · columns_g for every replicate without storing the weights.

    Parameters
    ----------
    cluster_ids : [G] distinct ids.
    columns : [G, K] sums per cluster.

    Returns
    -------
    Floats
        [R, K], equal to ``poisson_weights(...) @ columns`` up to the order of additions.
    """
    out = np.zeros((_at_least_one(replicates), columns.shape[1]))
    ids = np.asarray(cluster_ids, dtype=np.int64)
    _weighted_sums(out, ids, np.ascontiguousarray(columns, dtype=np.float64), seed)
    return out


def clustered_bootstrap(
    statistic_from_weights: Callable[[Floats], float],
    cluster_ids: Ints,
    replicates: int = 200,
    seed: int = 0,
    level: float = 0.95,
    n_unit: str = "clusters",
) -> Interval:
    """Estimate a statistic with a percentile interval over resampled clusters.

    For a difference between two models let the statistic be the difference: both then see the
    same weights, and what moves them together cancels.

    Parameters
    ----------
    statistic_from_weights : maps row weights [n] to one number; nan where it is undefined.
        The estimate itself is the statistic at weights 1.
    cluster_ids : [n] cluster (user) of every row; all rows of a cluster share its weight.
    replicates : number of resamples R.

    Returns
    -------
    Interval
        ``not_enough_data`` below two clusters; ``undefined`` when the statistic is undefined on
        the sample itself or on more than 5 % of the resamples.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> mean = lambda w: float(w @ x / w.sum()) if w.any() else float("nan")
    >>> clustered_bootstrap(mean, np.arange(4), seed=3).value
    2.5
    """
    method = f"poisson_bootstrap({_at_least_one(replicates)})"
    ids, index = np.unique(np.asarray(cluster_ids, dtype=np.int64), return_inverse=True)
    if len(ids) < 2:
        reason = f"{len(ids)} {n_unit}: an interval needs at least 2"
        return no_interval("not_enough_data", reason, method, len(ids), n_unit)
    value = float(statistic_from_weights(np.ones(len(index))))
    draws, weights = np.empty(replicates), np.empty((1, len(ids)))
    for r in range(replicates):  # one replicate at a time: memory stays at one row of weights
        _fill(weights, ids, r, seed)
        draws[r] = statistic_from_weights(weights[0][index])
    return percentile_interval(value, draws, method, len(ids), n_unit, level)


def percentile_interval(
    value: float, draws: Floats, method: str, n: int, n_unit: str, level: float = 0.95
) -> Interval:
    """Turn an estimate and its R resampled values into a percentile interval.

    Parameters
    ----------
    value : the statistic on the sample. draws : [R] on the resamples; nan = undefined there.
    """
    if not math.isfinite(value):
        return no_interval("undefined", "undefined on the sample itself", method, n, n_unit)
    defined = draws[np.isfinite(draws)]
    missing = len(draws) - len(defined)
    if missing > _MAX_UNDEFINED * len(draws):
        reason = f"undefined on {missing} of {len(draws)} resamples (at most 5 % allowed)"
        return no_interval("undefined", reason, method, n, n_unit)
    low, high = np.quantile(defined, [0.5 - level / 2.0, 0.5 + level / 2.0])
    return Interval(value, float(low), float(high), method, n, n_unit)


def _at_least_one(replicates: int) -> int:
    if replicates < 1:
        raise InputError(f"{replicates} replicates", "replicates", "at least 1")
    return replicates
