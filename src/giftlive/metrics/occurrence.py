"""Whether a gift happens at all: ranking and calibration of probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import InputError
from giftlive.metrics.order import (
    UNDEFINED,
    Bins,
    Ranked,
    Ranking,
    column,
    equal_mass_bins,
    equal_mass_rows,
    row_weights,
    share,
    whole_numbers,
)
from giftlive.types import Floats, Ints

_ROUNDING = 64 * float(np.finfo(np.float64).eps)

CLIP = 1e-15
"""Probabilities are kept this far from 0 and 1 in the logarithmic loss."""


def _occurred(y: ArrayLike, size: int) -> Floats:
    """Return 1.0 where the amount (or the 0/1 label) is positive."""
    return (column(y, "y", size) > 0.0).astype(np.float64)


def _probability(p: ArrayLike | Ranked) -> Floats:
    x = column(p, "p")
    if len(x) and (x.min() < 0.0 or x.max() > 1.0):
        raise InputError(
            f"probabilities from {x.min()} to {x.max()}", "argument p", "numbers in [0, 1]"
        )
    return x


@dataclass(frozen=True, slots=True)
class RankedOccurrence:
    """Both areas under a ranking curve, sorted once, evaluated under many weight vectors."""

    occurred: Floats
    ranking: Ranking

    @classmethod
    def of(cls, y: ArrayLike, score: ArrayLike) -> RankedOccurrence:
        """Sort ``y`` [n] (positive = a gift) by ``score`` [n], highest first."""
        ranking = Ranking.by(score)
        return cls(_occurred(y, len(ranking.order)), ranking)

    def pr_auc(self, weights: ArrayLike | None = None) -> float:
        """Return Σ (recall step × precision after the step): the average precision."""
        mass, hits = self._curves(weights)
        precision = np.divide(hits[1:], mass[1:], out=np.zeros(len(mass) - 1), where=mass[1:] > 0)
        return share(float(np.sum(np.diff(hits) * precision)), float(hits[-1]))

    def roc_auc(self, weights: ArrayLike | None = None) -> float:
        """Return P(a gift ranks above a non-gift), a tie counting one half."""
        mass, hits = self._curves(weights)
        misses = mass - hits
        area = float(np.sum(np.diff(misses) * (hits[1:] + hits[:-1]))) / 2.0
        return share(area, float(hits[-1] * misses[-1]))

    def _curves(self, weights: ArrayLike | None) -> tuple[Floats, Floats]:
        w = row_weights(weights, len(self.occurred))
        return self.ranking.curve(w), self.ranking.curve(w * self.occurred)


def pr_auc(y: ArrayLike, score: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the area under the precision-recall curve, as average precision.

    Σ_t (R_t − R_{t−1})·P_t over distinct scores t, highest first. Undefined (nan) without a
    positive.

    Examples
    --------
    >>> pr_auc([1.0, 0.0, 1.0], [0.9, 0.8, 0.7])
    0.8333333333333333
    """
    return RankedOccurrence.of(y, score).pr_auc(weights)


def roc_auc(y: ArrayLike, score: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate P(score of a gift > score of a non-gift) + half of P(equal).

    Undefined (nan) unless both occur.

    Examples
    --------
    >>> roc_auc([1.0, 0.0, 1.0], [0.9, 0.8, 0.7])
    0.5
    """
    return RankedOccurrence.of(y, score).roc_auc(weights)


def log_loss(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the mean of −log(probability given to what happened), in nats.

    Probabilities are clipped to [1e-15, 1 − 1e-15]. Undefined (nan) without rows.
    """
    q = np.clip(_probability(p), CLIP, 1.0 - CLIP)
    z, w = _occurred(y, len(q)), row_weights(weights, len(q))
    loss = -np.where(z > 0.0, np.log(q), np.log1p(-q))
    return share(float(np.sum(w * loss)), float(w.sum()))


def brier(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the mean squared error of a probability, (p − 1{gift})².

    Examples
    --------
    >>> brier([1.0, 0.0], [0.5, 0.5])
    0.25
    """
    q = _probability(p)
    z, w = _occurred(y, len(q)), row_weights(weights, len(q))
    return share(float(np.sum(w * (q - z) ** 2)), float(w.sum()))


def reliability(
    y: ArrayLike, p: ArrayLike | Ranked, bins: int = 15, weights: ArrayLike | None = None
) -> Bins:
    """Return promised and observed gifts in ``bins`` of equal weight, lowest ``p`` first.

    ``predicted / weight`` is the mean probability and ``actual / weight`` the observed rate of a
    bin.
    """
    q = _probability(p)
    ordered = p if isinstance(p, Ranked) else q
    return equal_mass_bins(ordered, _occurred(y, len(q)), row_weights(weights, len(q)), bins)


def ece(
    y: ArrayLike, p: ArrayLike | Ranked, bins: int = 15, weights: ArrayLike | None = None
) -> float:
    """Estimate the expected calibration error over ``bins`` of equal mass.

    Σ_b weight_b·|mean p − observed rate| / Σ weight. Positive even for a perfectly calibrated
    model, by sampling noise of order sqrt(rate·bins/n): :func:`debiased_squared_ece` is not.
    Undefined (nan) without rows.

    Examples
    --------
    >>> ece([1.0, 0.0], [0.5, 0.5], bins=1)
    0.0
    """
    if not len(_probability(p)):
        return UNDEFINED
    table = reliability(y, p, bins, weights)
    error = float(np.sum(np.abs(table.predicted - table.actual)))
    return share(error, float(table.weight.sum()))


def debiased_squared_ece(
    y: ArrayLike,
    p: ArrayLike | Ranked,
    bins: int = 15,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
) -> float:
    """Estimate the squared calibration error over ``bins`` of equal mass, without its noise.

    With the residual d = p − 1{gift}, bin b is worth the mean of d_i·d_j over all pairs of rows
    of different clusters in it::

        U_b = [(Σ w d)² − Σ_g (Σ_{i in g} w d)²] / [(Σ w)² − Σ_g (Σ_{i in g} w)²]
        result = Σ_b weight_b·U_b / Σ weight

    The products of a row with itself, which make the plain error positive, are left out, so that
    the expectation is Σ_b weight_b·(mean true residual of b)²: given ``p``, exactly 0 when the
    model is calibrated. Where ``p`` is constant within bins and every row is its own cluster it
    is the debiased estimator of Kumar, Liang and Ma (2019); theirs takes the variance of the
    labels, which is too much where ``p`` varies within a bin, this one that of the residuals.

    The result is *squared*, and below 0 about half the time for a calibrated model: clipping
    it would bring the bias back. Its root, where positive, is on the scale of a probability. The
    absolute error of :func:`ece` has no unbiased estimator (|x| bends at 0).

    Parameters
    ----------
    y : [n] amounts or labels, positive = a gift. p : [n] probabilities.
    cluster : [n] whole numbers, usually the user. Residuals of different clusters must be
        independent; a row with weight w is w copies *within its cluster*. Default: every row.

    Returns
    -------
    float; nan when a bin holds rows of fewer than two clusters.

    References
    ----------
    Kumar, Liang and Ma (2019), "Verified uncertainty calibration", Definition 4.3; for the same
    correction in forecasting Ferro and Fricker (2012), "A bias-corrected decomposition of the
    Brier score".

    Examples
    --------
    >>> round(debiased_squared_ece([0.0, 1.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5], bins=1), 12)
    0.0
    """
    q = _probability(p)
    w = row_weights(weights, len(q))
    residual = q - _occurred(y, len(q))
    own = np.arange(len(q)) if cluster is None else whole_numbers(cluster, "cluster", len(q))
    worth, total = 0.0, 0.0
    for rows, mass in equal_mass_rows(p if isinstance(p, Ranked) else q, w, bins):
        worth += float(mass.sum()) * _between_clusters(residual[rows], mass, own[rows])
        total += float(mass.sum())
    return share(worth, total)


def _between_clusters(residual: Floats, mass: Floats, cluster: Ints) -> float:
    """Return the weighted mean product of two residuals of different clusters."""
    _, index = np.unique(cluster, return_inverse=True)
    sums, masses = np.bincount(index, mass * residual), np.bincount(index, mass)
    pairs = float(masses.sum() ** 2 - np.sum(masses**2))
    if pairs <= _ROUNDING * float(masses.sum() ** 2):
        return UNDEFINED
    return float(sums.sum() ** 2 - np.sum(sums**2)) / pairs
