"""How much of the money, and which rows, stand at the top of a ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.metrics.order import (
    UNDEFINED,
    Ranked,
    Ranking,
    checked_fraction,
    column,
    row_weights,
    share,
)
from giftlive.types import Floats

CAPTURE_FRACTIONS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.10)
"""The tops at which revenue capture is reported: 0.1, 0.5, 1, 2, 5 and 10 %."""


@dataclass(frozen=True, slots=True)
class RankedCapture:
    """Revenue capture of one score, sorted once, evaluated under many weight vectors.

    Examples
    --------
    >>> RankedCapture.of([0.0, 5.0, 15.0], [1.0, 2.0, 3.0]).at(1 / 3)
    0.75
    """

    amount: Floats
    ranking: Ranking

    @classmethod
    def of(cls, y: ArrayLike, score: ArrayLike) -> RankedCapture:
        """Sort amounts ``y`` [n] (>= 0) by ``score`` [n], highest first."""
        ranking = Ranking.by(score)
        return cls(column(y, "y", len(ranking.order)), ranking)

    def at(self, fraction: float, weights: ArrayLike | None = None) -> float:
        """Return the share of the amount in the top ``fraction`` of the weight."""
        return float(self.curve([fraction], weights)[0])

    def curve(
        self, fractions: Sequence[float] = CAPTURE_FRACTIONS, weights: ArrayLike | None = None
    ) -> Floats:
        """Return [k] the share of the amount in the top of the weight, at every fraction."""
        at = np.array([checked_fraction(f) for f in fractions])
        w = row_weights(weights, len(self.amount))
        mass, amount = self.ranking.curve(w), self.ranking.curve(w * self.amount)
        if not amount[-1] > 0.0:
            return np.full(len(at), UNDEFINED)
        return np.interp(at * mass[-1], mass, amount) / amount[-1]


def revenue_capture(
    y: ArrayLike, score: ArrayLike, fraction: float, weights: ArrayLike | None = None
) -> float:
    """Estimate the share of revenue held by the rows a score puts on top.

    Σ amount in the top ``fraction`` of rows by ``score`` / Σ amount. The top holds exactly
    ``fraction`` of the weight: the last row, and a tie at the border, count in part.

    Parameters
    ----------
    y : [n] amounts >= 0 (realised, or expected for a ceiling).
    score : [n] any finite ranking score.
    fraction : in (0, 1]; RevCap@1 % is 0.01.
    weights : [n] row weights >= 0.

    Returns
    -------
    float in [0, 1]; nan if there are no rows or no amount.

    Examples
    --------
    >>> revenue_capture([0.0, 5.0, 15.0, 0.0], [1.0, 2.0, 3.0, 0.5], 0.25)
    0.75
    """
    return RankedCapture.of(y, score).at(fraction, weights)


def capture_curve(
    y: ArrayLike,
    score: ArrayLike,
    fractions: Sequence[float] = CAPTURE_FRACTIONS,
    weights: ArrayLike | None = None,
) -> Floats:
    """Estimate :func:`revenue_capture` at several tops with one sort.

    Parameters
    ----------
    y, score, weights : as in :func:`revenue_capture`. fractions : [k] each in (0, 1].

    Returns
    -------
    [k] shares in [0, 1], never falling; all nan if there are no rows or no amount.

    Examples
    --------
    >>> capture_curve([0.0, 5.0, 15.0, 0.0], [1.0, 2.0, 3.0, 0.5], [0.25, 0.5, 1.0]).tolist()
    [0.75, 1.0, 1.0]
    """
    return RankedCapture.of(y, score).curve(fractions, weights)


def normalised_gini(
    y: ArrayLike | Ranked, score: ArrayLike | Ranked, weights: ArrayLike | None = None
) -> float:
    """Estimate how much of the possible concentration of ``y`` a score finds.

    G(score) / G(y), where G(s) = 2·∫ capture_s(f) df − 1 over fractions f of the rows ordered by
    s: 1 for the order of ``y`` itself, 0 for an order that knows nothing. Undefined (nan) when
    ``y`` is constant or sums to 0.

    Examples
    --------
    >>> normalised_gini([0.0, 1.0, 9.0], [0.1, 0.2, 0.3])
    1.0
    """
    found = Ranking.by(score)
    amount = column(y, "y", len(found.order))
    w = row_weights(weights, len(amount))
    best = _concentration(amount, Ranking.by(y), w)
    return share(_concentration(amount, found, w), best) if best > 0.0 else UNDEFINED


def _concentration(amount: Floats, ranking: Ranking, w: Floats) -> float:
    """Return Σ of 2·area under the capture curve − 1, in units of amount × weight."""
    mass, money = ranking.curve(w), ranking.curve(w * amount)
    area = float(np.sum(np.diff(mass) * (money[1:] + money[:-1])))
    return area - float(mass[-1] * money[-1])


def topk_overlap(
    y: ArrayLike, score: ArrayLike, fraction: float, weights: ArrayLike | None = None
) -> float:
    """Estimate |top k predicted ∩ top k actual| / k, the published "Top-k capture".

    k is ``fraction`` of the weight. Ties in ``score`` and in ``y`` (most amounts are 0) are
    broken independently at random, in expectation.

    Examples
    --------
    >>> topk_overlap([0.0, 0.0, 2.0, 9.0], [0.0, 1.0, 2.0, 3.0], 0.5)
    1.0
    """
    checked_fraction(fraction)
    s = column(score, "score")
    amount = column(y, "y", len(s))
    w = row_weights(weights, len(s))
    k = fraction * float(w.sum())
    predicted = Ranking.by(s).share_within(k, w)
    actual = Ranking.by(amount).share_within(k, w)
    return share(float(np.sum(w * predicted * actual)), k)


def ndcg(
    y: ArrayLike | Ranked, score: ArrayLike | Ranked, n: int, weights: ArrayLike | None = None
) -> float:
    """Estimate the normalised discounted cumulative gain of the first ``n`` places.

    Σ_i gain_i / log2(1 + rank_i) over ranks 1..n, divided by the same sum in the order of ``y``;
    the gain is the amount itself. A tie shares its mean discount; a weight w fills w places.

    Examples
    --------
    >>> ndcg([3.0, 2.0, 0.0], [0.9, 0.8, 0.1], n=2)
    1.0
    """
    found = Ranking.by(score)
    amount = column(y, "y", len(found.order))
    w = row_weights(weights, len(amount))
    places = min(float(n), float(w.sum()))
    ranks = np.arange(1, int(np.ceil(places)) + 1)
    discount = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(1.0 + ranks))])

    def gain(ranking: Ranking) -> float:
        mass, money = ranking.blocks(w), ranking.blocks(w * amount)
        mean = np.divide(money, mass, out=np.zeros_like(mass), where=mass > 0.0)
        edges = np.minimum(ranking.curve(w), places)
        reached = np.interp(edges, np.arange(len(discount)), discount)
        return float(np.sum(mean * np.diff(reached)))

    return share(gain(found), gain(Ranking.by(y)))


def spearman(
    a: ArrayLike | Ranked, b: ArrayLike | Ranked, weights: ArrayLike | None = None
) -> float:
    """Estimate the rank correlation of two columns: Pearson's r of their mid-ranks.

    Undefined (nan) when either column is constant.

    Examples
    --------
    >>> spearman([1.0, 2.0, 3.0], [10.0, 100.0, 1000.0])
    1.0
    """
    size = len(column(a, "a"))
    column(b, "b", size)
    w = row_weights(weights, size)
    total = float(w.sum())
    if total <= 0.0:
        return UNDEFINED
    rx, rz = (_centred_midranks(Ranking.by(c), w, total) for c in (a, b))
    spread = float(np.sum(w * rx * rx)) * float(np.sum(w * rz * rz))
    return float(np.sum(w * rx * rz)) / spread**0.5 if spread > 0.0 else UNDEFINED


def _centred_midranks(ranking: Ranking, w: Floats, total: float) -> Floats:
    mass = ranking.blocks(w)
    return ranking.per_row(np.cumsum(mass) - mass / 2.0) - total / 2.0
