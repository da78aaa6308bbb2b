"""A number computed again, and what its interval can be computed again from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from giftlive.types import Floats, Ints

SMOOTH_STEP, BORDER_STEP = 1e-6, 0.1
Statistic = Callable[[Floats], Floats]
"""Maps weights [R, G] of the clusters to R values; nan where there is none."""


@dataclass(frozen=True)
class Clustered:
    """A statistic of G independent clusters.

    Attributes
    ----------
    size : G. at : the statistic under cluster weights.
    num, den : [G] terms of the ratio that the statistic is, where it is one.
    step : by which weights are moved to see how much a cluster matters.
    slack : by how much a standard error measured so may differ, as a share of it.
    """

    size: int
    at: Statistic
    num: Floats | None = None
    den: Floats | None = None
    step: float = SMOOTH_STEP
    slack: float = 0.20


@dataclass(frozen=True)
class Debiased:
    """A sum of absolute errors from which the noise was taken.

    Attributes
    ----------
    raw : the sum with its noise, whose error the interval has. calm : noise alone explains it.
    """

    raw: Clustered
    calm: bool


@dataclass(frozen=True)
class Given:
    """Bounds that were kept with the value: the decisions of a single log are not."""

    low: float
    high: float


@dataclass(frozen=True)
class Trials:
    """How many of n trials were hits."""

    hits: int
    n: int


@dataclass(frozen=True)
class Ordered:
    """The quantile at ``percent`` of independent values ``x`` [n], ascending."""

    x: Floats
    percent: int


@dataclass(frozen=True)
class Tail:
    """The k largest values, whose logarithms above the threshold were summed."""

    k: int


@dataclass(frozen=True)
class RowQuantile:
    """The quantile at ``percent`` of rows that belong to clusters.

    Attributes
    ----------
    x, upto : distinct values, ascending, and the share of the rows at or below each.
    under, within, rows : [G] rows below, at or below the quantile, and in all.
    """

    x: Floats
    upto: Floats
    percent: int
    under: Floats
    within: Floats
    rows: Floats


Basis = Clustered | Debiased | Given | Trials | Ordered | Tail | RowQuantile


@dataclass(frozen=True)
class Recomputed:
    """A number computed again; ``value`` None: there is none in these rows.

    Attributes
    ----------
    n : units behind it, where the printed one must say the same.
    scale : size of the numbers whose small difference the value is.
    """

    value: float | None
    basis: Basis | None = None
    n: int | None = None
    scale: float = 0.0


def ratio(num: Floats, den: Floats, n: int | None = None) -> Recomputed:
    """Compute Σ num / Σ den over clusters; no value where Σ den is 0.

    Its interval rests on the clusters that have a denominator.
    """
    total, there = float(np.sum(den)), den > 0
    if not total:
        return Recomputed(None)
    return Recomputed(float(np.sum(num)) / total, ratio_basis(num[there], den[there]), n)


def ratio_basis(num: Floats, den: Floats) -> Clustered:
    """Return Σ w num / Σ w den as a statistic of the cluster weights w."""

    def at(weights: Floats) -> Floats:
        top, bottom = weights @ num, weights @ den
        return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)

    return Clustered(len(den), at, num, den)


def mean(x: Floats) -> Recomputed:
    """Compute the mean of independent values."""
    return ratio(x, np.ones(len(x)), len(x))


def share(hits: int, n: int) -> Recomputed:
    """Compute hits / n of independent trials."""
    return Recomputed(hits / n, Trials(hits, n), n) if n else Recomputed(None)


def quantile(x: Floats, percent: int) -> Recomputed:
    """Compute the smallest value that at least ``percent`` of all values do not exceed."""
    if not len(x):
        return Recomputed(None)
    ordered = np.sort(x)
    return Recomputed(float(ordered[place(percent, len(x))]), Ordered(ordered, percent), len(x))


def place(percent: int, n: int) -> int:
    """Return the 0-based place of a quantile of n values, in whole numbers.

    Examples
    --------
    >>> place(50, 4), place(90, 10), place(100, 3)
    (1, 8, 2)
    """
    return max(-(-percent * n // 100) - 1, 0)


def of_rows(statistic: Callable[[Floats], float], cluster: Ints, border: bool = False) -> Clustered:
    """Return a statistic of row weights [n] as one of the weights of the rows' clusters.

    Parameters
    ----------
    border : whether it depends on which rows lie beyond a border between ranks. The influence of
        such a statistic is a mean over the rows near the border, not that of the single row that
        happens to lie there: the border is moved over several rows, and these are not the same.
    """
    keys, index = np.unique(cluster, return_inverse=True)

    def at(weights: Floats) -> Floats:
        return np.array([statistic(w[index]) for w in weights])

    found = Clustered(len(keys), at)
    return replace(found, step=BORDER_STEP, slack=0.30) if border else found
