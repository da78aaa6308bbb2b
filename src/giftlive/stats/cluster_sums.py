"""Sums per cluster that do not depend on the order of their terms.

Floating-point addition is not associative: two workers who each add half of a user's rows get
another last digit than one worker who adds them all. Here a sum is kept as an integer in units
of 2^-60, split into a whole part and a part below one. Integer addition is associative, so
chunks, workers and permutations of the rows give the same bits. Every term of magnitude
2^-8 or more is represented exactly; a smaller one is rounded by at most 2^-61.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from giftlive.errors import InputError
from giftlive.types import Floats, Ints

_ONE = 1 << 60
_LIMIT = float(1 << 61)


@dataclass(frozen=True, eq=False)
class ClusterSums:
    """K sums for each of G clusters; a mergeable state.

    Attributes
    ----------
    keys : [G] cluster ids, ascending and distinct.
    whole : [G, K] integer part of each sum (rounded down).
    part : [G, K] the rest in units of 2^-60, in [0, 2^60).
    """

    keys: Ints
    whole: Ints
    part: Ints

    @property
    def values(self) -> Floats:
        """Return the sums as floats, [G, K]."""
        up = self.part > _ONE // 2  # from the nearer whole number: small negatives keep digits
        nearer = self.part - np.where(up, _ONE, 0)
        return (self.whole + up).astype(np.float64) + nearer.astype(np.float64) / _ONE


def no_sums(columns: int) -> ClusterSums:
    """Return the state of an empty sum over ``columns`` quantities."""
    nothing = np.zeros((0, columns), dtype=np.int64)
    return ClusterSums(np.zeros(0, dtype=np.int64), nothing, nothing)


def cluster_sums(cluster: Ints, terms: Floats) -> ClusterSums:
    """Sum the rows of every cluster.

    Parameters
    ----------
    cluster : [n] id of each row's cluster.
    terms : [n, K] finite; n · max|term| below 2^61, so that no sum can overflow.

    Examples
    --------
    >>> s = cluster_sums(np.array([7, 3, 7]), np.array([[0.5], [1.0], [0.25]]))
    >>> s.keys.tolist(), s.values[:, 0].tolist()
    ([3, 7], [1.0, 0.75])
    """
    terms = np.ascontiguousarray(terms, dtype=np.float64)
    largest = float(np.abs(terms).max(initial=0.0))
    if not largest * max(len(terms), 1) < _LIMIT:  # also true for nan
        raise InputError(
            f"{len(terms)} terms of magnitude up to {largest:g}",
            "cluster sums",
            "finite terms whose sum stays below 2^61",
            "rescale the amounts or look for a propensity that is almost 0",
        )
    keys, index = np.unique(np.asarray(cluster, dtype=np.int64), return_inverse=True)
    whole = np.zeros((len(keys), terms.shape[1]), dtype=np.int64)
    part = np.zeros_like(whole)
    _accumulate(whole, part, index, terms)
    return ClusterSums(keys, whole, part)


def merge(a: ClusterSums, b: ClusterSums) -> ClusterSums:
    """Add two states; the order of merging does not change one bit."""
    keys = np.union1d(a.keys, b.keys)
    whole = np.zeros((len(keys), a.whole.shape[1]), dtype=np.int64)
    part = np.zeros_like(whole)
    for state in (a, b):
        rows = np.searchsorted(keys, state.keys)
        whole[rows] += state.whole
        part[rows] += state.part
    carry = part >= _ONE
    whole, part = whole + carry, part - np.where(carry, _ONE, 0)
    if np.abs(whole).max(initial=0) >= _LIMIT:
        raise InputError("a merged sum of 2^61 or more", "cluster sums", "sums below 2^61")
    return ClusterSums(keys, whole, part)


@njit(cache=True)
def _accumulate(whole: Ints, part: Ints, index: Ints, terms: Floats) -> None:
    for i in range(terms.shape[0]):
        g = index[i]
        for k in range(terms.shape[1]):
            truncated = np.trunc(terms[i, k])
            p = part[g, k] + np.int64(np.rint((terms[i, k] - truncated) * _ONE))
            w = whole[g, k] + np.int64(truncated)
            if p < 0:
                p, w = p + _ONE, w - 1
            elif p >= _ONE:
                p, w = p - _ONE, w + 1
            whole[g, k], part[g, k] = w, p
