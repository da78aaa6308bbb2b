"""How an estimate is made of sums over users: its value, and what each user adds to its error.

An estimator's state is K sums for each of G users; its value is a smooth function f of the K
totals S. By the delta method user g, with sums s_g, adds

    e_g = ∇f(S) · s_g        (f does not change when all sums are doubled, hence Σ_g e_g = 0)

to the error, which is all an interval needs. Three functions cover every estimator here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from giftlive.stats.cluster_errors import ROUNDING, ratio_errors
from giftlive.types import Floats

SQUARE_UNIT = 2.0**20
"""Squares of amounts are summed in this unit: a power of two, so exact, and far from 2^61."""


class Form(Protocol):
    """A smooth function of sums."""

    def value(self, sums: Floats) -> Floats:
        """Return the value [...] at the totals ``sums`` [..., K]; nan where undefined."""

    def errors(self, sums: Floats) -> tuple[float, Floats]:
        """Return the value and the errors [G] of the users' ``sums`` [G, K]."""


@dataclass(frozen=True)
class Ratios:
    """A sum of ratios: Σ_j S_2j / S_(2j+1).

    One ratio is a mean (of the rows, or weighted); slates add one per place, and SNDR adds the
    mean of a model to a self-normalised correction.

    Examples
    --------
    >>> float(Ratios(2).value(np.array([2.0, 4.0, 3.0, 1.0])))
    3.5
    """

    count: int = 1

    def value(self, sums: Floats) -> Floats:
        """Return Σ_j S_2j / S_(2j+1)."""
        num, den = sums[..., 0::2], sums[..., 1::2]
        ratios = np.full(num.shape, np.nan)
        np.divide(num, den, out=ratios, where=den != 0.0)
        total: Floats = ratios.sum(axis=-1)
        return total

    def errors(self, sums: Floats) -> tuple[float, Floats]:
        """Return the value and Σ_j (num_gj - ratio_j den_gj) / Σ den_j."""
        if not np.all(sums[:, 1::2].sum(axis=0)):
            return np.nan, np.full(len(sums), np.nan)
        parts = [ratio_errors(sums[:, 2 * j], sums[:, 2 * j + 1]) for j in range(self.count)]
        error = np.sum([e for _, e in parts], axis=0)
        return float(sum(float(v) for v, _ in parts)), error


RATIO = Ratios()
"""Of two sums: what most estimators are."""


@dataclass(frozen=True)
class LogMeanExp:
    """-log(S_0 / S_1) / scale, where S_0 sums exp(-scale · x) and S_1 counts.

    Examples
    --------
    >>> x, scale = np.array([1.0, 1.0]), 0.5
    >>> sums = np.array([np.exp(-scale * x).sum(), 2.0])
    >>> float(LogMeanExp(scale).value(sums))
    1.0
    """

    scale: float

    def value(self, sums: Floats) -> Floats:
        """Return the soft mean of x; nan without rows or where every exp underflows."""
        share = RATIO.value(sums)
        found = np.full(share.shape, np.nan)
        np.log(share, out=found, where=share > 0.0)
        return -found / self.scale

    def errors(self, sums: Floats) -> tuple[float, Floats]:
        """Return the value and the ratio's errors times the slope of the logarithm."""
        share, error = RATIO.errors(sums)
        value = float(self.value(sums.sum(axis=0)))
        return value, -error / (self.scale * share) if share > 0.0 else np.full(len(sums), np.nan)


@dataclass(frozen=True)
class InverseVariance:
    """Means of several groups, each weighed by its size over its variance.

    Columns 3k, 3k + 1, 3k + 2 hold Σ x, Σ x² / SQUARE_UNIT and the count n_k of group k. With the
    population variance σ_k² of the rows, value = Σ_k (n_k / σ_k²) mean_k / Σ_k (n_k / σ_k²). The
    weights are taken as known in the error: every mean has the same expectation, so that what a
    weight gains another loses, to first order. A group without rows takes no part.

    Examples
    --------
    >>> squares = np.array([4.0, 20.0]) / SQUARE_UNIT
    >>> sums = np.array([2.0, squares[0], 2.0, 6.0, squares[1], 2.0])  # means 1, 3; variances 1
    >>> float(InverseVariance(2).value(sums))
    2.0
    """

    groups: int

    def value(self, sums: Floats) -> Floats:
        """Return the weighed mean; nan where a group of rows does not vary."""
        mean, weight = self._means(sums)
        total: Floats = (weight * mean).sum(axis=-1)
        return total

    def errors(self, sums: Floats) -> tuple[float, Floats]:
        """Return the value and Σ_k α_k (x_gk - mean_k n_gk) / n_k."""
        totals = sums.sum(axis=0)
        mean, weight = self._means(totals)
        count = np.where(totals[2::3] > 0.0, totals[2::3], 1.0)
        error: Floats = ((sums[:, 0::3] - mean * sums[:, 2::3]) * (weight / count)).sum(axis=1)
        return float((weight * mean).sum()), error

    def _means(self, sums: Floats) -> tuple[Floats, Floats]:
        x, squares, count = sums[..., 0::3], sums[..., 1::3] * SQUARE_UNIT, sums[..., 2::3]
        there = count > 0.0
        n = np.where(there, count, 1.0)
        mean = x / n
        variance = np.where(there, squares / n - mean * mean, 1.0)
        varies = variance > ROUNDING * np.maximum(mean * mean, squares / n)
        precision = np.full(n.shape, np.nan)
        np.divide(np.where(there, n, 0.0), variance, out=precision, where=varies)
        total = precision.sum(axis=-1, keepdims=True)
        return mean, precision / np.where(total > 0.0, total, np.nan)
