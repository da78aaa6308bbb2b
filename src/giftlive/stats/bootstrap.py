"""The clustered bootstrap with Poisson(1) weights keyed by (cluster, replicate).

Replicate r gives every cluster g an independent weight W_rg ~ Poisson(1), the limit of drawing
G clusters with replacement. The weight is a pure function of (seed, cluster id, r): two chunks,
two workers or two models that meet the same user give it the same weight, so partial sums
add up to the sums of the whole and differences between models are paired.

Here are the weights and :func:`clustered_bootstrap` for any statistic of row weights (capture,
Gini, PR-AUC); functions of sums have a mergeable state of constant size in ``bootstrap_sums``.

Assumption: clusters are independent, and the statistic is smooth in their weights. A percentile
interval is too narrow with few clusters or one that dominates; ``print_rule`` decides.

**The law of the weights.** W = #{k : u >= F(k)} for a keyed 31-bit u and F the distribution
function rounded to 31 bits, which stops at 12: P(W > 12) = 6e-11. Rounding moves the mean and
the variance by less than 1e-8.

References: Oza, Russell (2001), "Online bagging and boosting", the weights; Chamandy,
Muralidharan, Najmi, Naidu (2012), "Estimating uncertainty for massive data streams", the keyed
weights of clusters; Efron, Tibshirani (1993), section 13.3, the percentile interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from giftlive.errors import InputError
from giftlive.rng import bits
from giftlive.stats.cluster_errors import LARGEST, refuse_beyond
from giftlive.stats.intervals import Interval, no_interval
from giftlive.types import Floats, Ints

_PURPOSE = 0x0B00
_MAX_UNDEFINED = 0.05

LARGEST_WEIGHT = 12
"""No weight is larger: P(W > 12) = 6e-11 is less than half of 2^-31."""

_CHANCES = [math.exp(-1.0) / math.factorial(k) for k in range(LARGEST_WEIGHT)]
_CUTS = np.array(
    [round(math.fsum(_CHANCES[: k + 1]) * 2**31) for k in range(LARGEST_WEIGHT)], dtype=np.int32
)
_CUT_COUNT = len(_CUTS)  # a constant, so that the compiler unrolls the loop over cuts
_TOP_31 = np.uint64(33)


@njit(cache=True, nogil=True)
def _count_cuts(u: Ints) -> None:
    """Turn 31-bit uniforms into Poisson(1) weights, in place (compiles to vector code)."""
    for i in range(len(u)):
        weight = np.int32(0)
        for k in range(_CUT_COUNT):
            weight += np.int32(u[i] >= _CUTS[k])
        u[i] = weight


@njit(cache=True, nogil=True)
def _of_cluster(out: Ints, seed: int, cluster: int, first: int) -> None:
    """Fill ``out`` with one cluster's weights in replicates first, first + 1, ..."""
    for r in range(len(out)):
        out[r] = np.int32(bits(seed, _PURPOSE, cluster, 0, first + r) >> _TOP_31)
    _count_cuts(out)


@njit(cache=True, nogil=True)
def _of_replicate(out: Ints, seed: int, clusters: Ints, replicate: int) -> None:
    """Fill ``out`` [G] with one replicate's weights."""
    for g in range(len(out)):
        out[g] = np.int32(bits(seed, _PURPOSE, clusters[g], 0, replicate) >> _TOP_31)
    _count_cuts(out)


@njit(cache=True, nogil=True)
def _add_weighted(out: Floats, seed: int, clusters: Ints, columns: Floats, first: int) -> None:
    """Add Σ_g W_rg · columns[g] to ``out`` [K, replicates from ``first`` on]."""
    weights = np.empty(out.shape[1], dtype=np.int32)
    for g in range(len(clusters)):
        _of_cluster(weights, seed, clusters[g], first)
        for k in range(columns.shape[1]):
            _add_scaled(out[k], weights, columns[g, k])


@njit(cache=True, nogil=True)
def _add_scaled(out: Floats, weights: Ints, x: float) -> None:
    for r in range(len(out)):
        out[r] += weights[r] * x


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
    out = np.empty((_at_least_one(replicates, "replicates"), len(ids)))
    weights = np.empty(len(ids), dtype=np.int32)
    for r in range(replicates):
        _of_replicate(weights, seed, ids, r)
        out[r] = weights
    return out


def poisson_sums(
    cluster_ids: Ints, columns: Floats, replicates: int, seed: int, threads: int = 1
) -> Floats:
    """Compute Σ_g W_rg · columns_g for every replicate without storing the weights.

    Parameters
    ----------
    cluster_ids : [G] distinct ids.
    columns : [G, K] sums per cluster, finite.
    threads : the replicates are shared out among them; the result is the same.

    Returns
    -------
    Floats
        [R, K], equal to ``poisson_weights(...) @ columns`` up to the order of additions; the
        terms are added in the order given. ``bootstrap_sums`` does not depend on it.
    """
    ids = np.asarray(cluster_ids, dtype=np.int64)
    columns = np.ascontiguousarray(columns, dtype=np.float64)
    refuse_beyond("poisson_sums", columns)
    sums = np.zeros((columns.shape[1], _at_least_one(replicates, "replicates")))

    def add(first: int, last: int) -> None:
        part = np.zeros((len(sums), last - first))
        _add_weighted(part, seed, ids, columns, first)
        sums[:, first:last] = part

    _share_out(add, replicates, threads)
    return np.ascontiguousarray(sums.T)


def clustered_bootstrap(
    statistic_from_weights: Callable[[Floats], float],
    cluster_ids: Ints,
    replicates: int = 200,
    seed: int = 0,
    level: float = 0.95,
    n_unit: str = "clusters",
    threads: int = 1,
) -> Interval:
    """Estimate a statistic with a percentile interval over resampled clusters.

    For a difference between two models let the statistic be the difference: both then see the
    same weights, and what moves them together cancels.

    Parameters
    ----------
    statistic_from_weights : maps row weights [n] to one number; nan where it is undefined.
        The estimate itself is the statistic at weights 1. With several threads it is called
        from all of them at once, so it must change nothing outside itself.
    cluster_ids : [n] cluster (user) of every row; all rows of a cluster share its weight.
    replicates : number of resamples R.
    threads : the replicates are shared out among them; the result is the same. Each holds one
        row of weights, and helps as far as the statistic runs outside the interpreter's lock.

    Returns
    -------
    Interval
        ``not_enough_data`` below two clusters; ``undefined`` when the statistic is undefined (or
        beyond 1e150) on the sample itself or on more than 5 % of the resamples. With three
        clusters or fewer that many resamples are empty: e^-3 is 5 %.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> mean = lambda w: float(w @ x / w.sum()) if w.any() else float("nan")
    >>> clustered_bootstrap(mean, np.arange(4), seed=3).value
    2.5
    """
    method = f"poisson_bootstrap({_at_least_one(replicates, 'replicates')})"
    ids, index = np.unique(np.asarray(cluster_ids, dtype=np.int64), return_inverse=True)
    if len(ids) < 2:
        reason = f"{len(ids)} {n_unit}: an interval needs at least 2"
        return no_interval("not_enough_data", reason, method, len(ids), n_unit)
    value = float(statistic_from_weights(np.ones(len(index))))
    draws = np.empty(replicates)

    def evaluate(first: int, last: int) -> None:
        weights = np.empty(len(ids), dtype=np.int32)
        for r in range(first, last):  # one at a time: memory stays at one row of weights
            _of_replicate(weights, seed, ids, r)
            draws[r] = statistic_from_weights(weights[index].astype(np.float64))

    _share_out(evaluate, replicates, threads)
    return percentile_interval(value, draws, method, len(ids), n_unit, level)


def percentile_interval(
    value: float, draws: Floats, method: str, n: int, n_unit: str, level: float = 0.95
) -> Interval:
    """Turn an estimate and its R resampled values into a percentile interval.

    Parameters
    ----------
    value : the statistic on the sample. draws : [R] on the resamples; nan = undefined there.
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"level {level:g}", "level", "a number strictly between 0 and 1")
    if not abs(value) <= LARGEST:
        return no_interval("undefined", "undefined on the sample itself", method, n, n_unit)
    defined = draws[np.abs(draws) <= LARGEST]
    if not len(draws):
        return no_interval("undefined", "no resamples", method, n, n_unit)
    missing = len(draws) - len(defined)
    if missing > _MAX_UNDEFINED * len(draws):
        reason = f"undefined on {missing} of {len(draws)} resamples (at most 5 % allowed)"
        if (empty := math.exp(-n)) > _MAX_UNDEFINED / 2:
            reason += f"; {n} {n_unit} leave about {empty:.0%} of them empty"
        return no_interval("undefined", reason, method, n, n_unit)
    low, high = np.quantile(defined, [0.5 - level / 2.0, 0.5 + level / 2.0])
    return Interval(value, float(low), float(high), method, n, n_unit)


def _share_out(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call ``work(first, last)`` on ``threads`` stretches that together are 0 to ``count``."""
    threads = min(_at_least_one(threads, "threads"), count)
    if threads == 1:
        return work(0, count)
    edges = [count * t // threads for t in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, edges[:-1], edges[1:]))  # consumed, so that an error is raised here
    return None


def _at_least_one(number: int, name: str) -> int:
    if number < 1:
        raise InputError(f"{number} {name}", name, "at least 1")
    return number
