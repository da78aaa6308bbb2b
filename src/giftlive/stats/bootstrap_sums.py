"""The clustered bootstrap of functions of sums: constant memory, and the same bits in any order.

With S_k = Σ_i x_ik the sums over the rows of a sample, resample r has the sums
S_rk = Σ_g W_rg · Σ_(i in g) x_ik, where W_rg ~ Poisson(1) is keyed by (cluster g, replicate r).
That is linear in the rows and no weight has to be remembered, so the R x K sums S_rk are all
the state there is: nothing grows with rows or with clusters.

Assumption: clusters are independent. A percentile interval is too narrow with few clusters or
one that dominates; ``print_rule`` decides.

Reference: Chamandy, Muralidharan, Najmi, Naidu (2012), "Estimating uncertainty for massive data
streams", the Poisson bootstrap of sharded units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from giftlive.errors import InputError
from giftlive.stats.bootstrap import percentile_interval, poisson_sums
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums, merge
from giftlive.stats.intervals import Interval, no_interval
from giftlive.types import Floats, Ints

_BLOCK = 1 << 17
"""Rows or clusters in work at once: bounds memory, and 12 · 2^31 · _BLOCK < 2^53 (see _limbs)."""

_ONE = 1 << 60
_LOW_31, _LOW_30 = (1 << 31) - 1, (1 << 30) - 1


@dataclass(frozen=True, eq=False)
class SumsBootstrap:
    """The sums of K columns over a sample and over its R resamples; a mergeable state.

    Its size is R x K whatever was added, and it is kept in whole numbers (units of 2^-60, see
    ``cluster_sums``): a weight is a whole number too, so W · term and every sum of such are
    exact, and no order of rows, chunks, workers or threads changes one bit. A row of magnitude
    below 2^-8 is rounded by at most 2^-61, before it is weighted.

    Bounds: the sums stay below 2^60 in magnitude in every block of 131,072 rows and below 2^61
    in all; what exceeds them is refused, never wrapped around. The number of clusters is not
    part of the state: rows of one user may come in several chunks, and to know that a user is
    new takes memory for all of them. Whoever asks for an interval says how many there are.

    Attributes
    ----------
    seed : names the whole set of weights.
    sums : keyed by 0, 1, ..., R: the sample itself, then resample 0 to R - 1.
    unusable : rows left out because a term was nan or infinite; an interval refuses if any.

    Examples
    --------
    >>> user = np.array([1, 2, 3, 4, 5, 1])
    >>> spent = np.array([0.5, 0.0, 2.0, 0.0, 1.0, 2.5])
    >>> state = SumsBootstrap.init(columns=2, replicates=200, seed=1)
    >>> state = state.update(user, np.column_stack([spent, np.ones(6)]))
    >>> state.totals.tolist(), state.draws.shape
    ([6.0, 6.0], (200, 2))
    >>> ratio_interval(state, clusters=5).value
    1.0
    """

    seed: int
    sums: ClusterSums
    unusable: int = 0

    @staticmethod
    def init(columns: int, replicates: int, seed: int) -> SumsBootstrap:
        """Return the state that has seen nothing."""
        if columns < 1 or replicates < 1:
            what = f"{columns} columns, {replicates} replicates"
            raise InputError(what, "SumsBootstrap", "at least 1 of each")
        nothing = np.zeros((1 + replicates, columns), dtype=np.int64)
        return SumsBootstrap(seed, ClusterSums(np.arange(1 + replicates), nothing, nothing))

    @property
    def replicates(self) -> int:
        """Return R."""
        return len(self.sums.keys) - 1

    @property
    def totals(self) -> Floats:
        """Return the sums of the sample, [K]."""
        return self.sums.values[0]

    @property
    def draws(self) -> Floats:
        """Return the sums of the resamples, [R, K]."""
        return self.sums.values[1:]

    def update(self, cluster: Ints, terms: Floats, threads: int = 1) -> SumsBootstrap:
        """Return the state after a chunk; the rows of one cluster may be in several chunks.

        Parameters
        ----------
        cluster : [n] id of each row's cluster (user).
        terms : [n, K]. A row with a term that is not finite is left out and counted.
        threads : the replicates are shared out among them; the result is the same.

        Raises
        ------
        InputError
            The shapes do not fit, or a sum leaves the bounds above.
        """
        columns = self.sums.whole.shape[1]
        if np.shape(terms) != (len(cluster), columns):
            raise InputError(
                f"terms of shape {np.shape(terms)}", "terms", f"shape ({len(cluster)}, {columns})"
            )
        state = self
        for start in range(0, len(cluster), _BLOCK):
            ids = np.asarray(cluster[start : start + _BLOCK], dtype=np.int64)
            block = np.asarray(terms[start : start + _BLOCK], dtype=np.float64)
            finite = np.isfinite(block).all(axis=1)
            left_out = len(ids) - int(finite.sum())
            if left_out:
                ids, block = ids[finite], block[finite]
            added = state.add(cluster_sums(ids, block), threads)
            state = replace(added, unusable=state.unusable + left_out)
        return state

    def add(self, sums: ClusterSums, threads: int = 1) -> SumsBootstrap:
        """Return the state after the rows that ``sums`` has already added up by cluster."""
        total = self.sums
        for start in range(0, len(sums.keys), _BLOCK):
            part = slice(start, start + _BLOCK)
            block = ClusterSums(sums.keys[part], sums.whole[part], sums.part[part])
            whole, rest = _resampled(block, self.replicates, self.seed, threads)
            total = merge(total, ClusterSums(total.keys, whole, rest))
        return replace(self, sums=total)

    def merge(self, other: SumsBootstrap) -> SumsBootstrap:
        """Return the state of both samples together, to the bit.

        Raises
        ------
        InputError
            The states were made with different seeds, replicates or columns.
        """
        mine, others = (self.seed, self.sums.whole.shape), (other.seed, other.sums.whole.shape)
        if mine != others:
            raise InputError(
                f"(seed, (1 + replicates, columns)) is {mine} in one and {others} in the other",
                "merging bootstrap states",
                "the same in both",
            )
        return SumsBootstrap(
            self.seed, merge(self.sums, other.sums), self.unusable + other.unusable
        )


def ratio_interval(
    state: SumsBootstrap, clusters: int, level: float = 0.95, n_unit: str = "clusters"
) -> Interval:
    """Estimate Σ num / Σ den, the first two columns of ``state``, with a percentile interval.

    Each ratio is the exact quotient of two whole numbers, rounded once: where num / den is the
    same in every row, every resample gives that number and the width is exactly 0, however many
    resamples are empty.

    Parameters
    ----------
    state : column 0 the numerator, column 1 the denominator.
    clusters : number of distinct clusters the state has seen (it cannot count them itself).
    level : share of samples whose interval should contain the ratio.

    Returns
    -------
    Interval
        ``undefined`` when a row was not finite, when Σ den = 0 in the sample, or when it is 0 in
        more than 5 % of the resamples while the others differ: with G clusters a share of e^-G
        is empty, so three clusters or fewer have no interval unless the ratio is constant.
        ``not_enough_data`` below two clusters.
    """
    method = f"poisson_bootstrap({state.replicates})"
    if state.sums.whole.shape[1] < 2:
        raise InputError("1 column", "ratio_interval", "a numerator and a denominator")
    if state.unusable:
        reason = f"{state.unusable} rows are not finite"
        return no_interval("undefined", reason, method, clusters, n_unit)
    if clusters < 2:
        reason = f"{clusters} {n_unit}: an interval needs at least 2"
        return no_interval("not_enough_data", reason, method, clusters, n_unit)
    units = state.sums.whole.astype(object) * _ONE + state.sums.part.astype(object)
    ratios = np.array([num / den if den else math.nan for num, den in units[:, :2].tolist()])
    if math.isnan(ratios[0]):
        return no_interval("undefined", "the denominator sums to 0", method, clusters, n_unit)
    value, defined = float(ratios[0]), ratios[1:][~np.isnan(ratios[1:])]
    if len(defined) and (defined == value).all():
        return Interval(value, value, value, method, clusters, n_unit)
    return percentile_interval(value, ratios[1:], method, clusters, n_unit, level)


def _resampled(block: ClusterSums, replicates: int, seed: int, threads: int) -> tuple[Ints, Ints]:
    """Return the whole and the 2^-60 part of the block's sums: [1 + R, K], the sample first."""
    limbs = _limbs(block)
    used = limbs.any(axis=0)  # amounts are mostly whole numbers below 2^31: one limb of four
    sums = np.zeros((1 + replicates, limbs.shape[1]))
    sums[0] = limbs.sum(axis=0)
    sums[1:, used] = poisson_sums(block.keys, limbs[:, used], replicates, seed, threads)
    return _from_limbs(sums)


def _limbs(sums: ClusterSums) -> Floats:
    """Cut every sum into four pieces of at most 31 bits, [G, 4 K], the highest first.

    A piece times a weight (<= 12), added over a block of 2^17 clusters, stays below 2^53: there
    floating-point arithmetic on whole numbers is exact, and it is the fastest there is.
    """
    pieces = (sums.whole >> 31, sums.whole & _LOW_31, sums.part >> 30, sums.part & _LOW_30)
    return np.concatenate(pieces, axis=1).astype(np.float64)


def _from_limbs(limbs: Floats) -> tuple[Ints, Ints]:
    """Return the whole and the 2^-60 part of every sum of pieces, carrying upwards."""
    top, low, upper, lower = np.split(limbs.astype(np.int64), 4, axis=1)
    upper = upper + (lower >> 30)
    low = low + (upper >> 30)
    if np.abs(top).max(initial=0) >= 1 << 29:
        raise InputError(
            "a resampled sum of 2^60 or more",
            "bootstrap sums",
            "sums below 2^60",
            "rescale the amounts or look for a propensity that is almost 0",
        )
    return (top << 31) + low, ((upper & _LOW_30) << 30) + (lower & _LOW_30)
