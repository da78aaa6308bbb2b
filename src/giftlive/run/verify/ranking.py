"""The metrics of a ranking, from their definitions: sums over blocks of tied scores.

Every metric takes row weights, so that the standard error of any of them can be measured by
nudging the weights; at weights 1 scikit-learn and SciPy must give the same value (tested, and
used for the value itself where they have the metric).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from giftlive.types import Floats, Ints

Metric = Callable[[Floats], float]
"""Maps row weights [n] to the metric."""

BINS = 15


@dataclass(frozen=True)
class Blocks:
    """Rows by score, highest first; equal scores share a block.

    Attributes
    ----------
    of_row : [n] the block of each row. count : how many blocks.
    """

    of_row: Ints
    count: int

    @staticmethod
    def of(score: Floats) -> Blocks:
        """Sort rows by ``score`` [n]."""
        keys, inverse = np.unique(-score, return_inverse=True)
        return Blocks(inverse, len(keys))

    def sums(self, values: Floats) -> Floats:
        """Return the sum of row ``values`` in each block."""
        return np.bincount(self.of_row, values, self.count).astype(np.float64)


def reached(limit: Floats, mass: Floats, value: Floats) -> Floats:
    """Return how much of ``value`` lies in the first ``limit`` units of ``mass``, block by block.

    A block that straddles the limit gives the part of it that lies inside.
    """
    upto = np.cumsum(mass)
    block = np.minimum(np.searchsorted(upto, limit), len(mass) - 1)
    before = np.cumsum(value) - value
    part = (limit - (upto[block] - mass[block])) / mass[block]
    return before[block] + np.clip(part, 0.0, 1.0) * value[block]


def _dot(a: Floats, b: Floats) -> float:
    """Return Σ a b without the threads of a matrix product, which cost more than they save."""
    return float(np.sum(a * b))


def _over(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where a resample left nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def capture(y: Floats, score: Floats, fraction: float) -> Metric:
    """Return the share of ``y`` held by the top ``fraction`` of the weight by ``score``."""
    blocks = Blocks.of(score)

    def at(w: Floats) -> float:
        mass, money = blocks.sums(w), blocks.sums(w * y)
        top = reached(np.array([fraction * w.sum()]), mass, money)[0]
        return float(top / money.sum())

    return at


def overlap(y: Floats, score: Floats, fraction: float) -> float:
    """Return the expected share of the top by ``score`` that is in the top by ``y`` as well.

    A row's chance to be in a top is that of its block of ties: 1, 0, or the part that fits.
    """
    k = fraction * len(y)
    chances = []
    for column in (score, y):
        above = len(column) - np.searchsorted(np.sort(column), column, side="right")
        level = np.searchsorted(np.sort(column), column, side="right") - np.searchsorted(
            np.sort(column), column, side="left"
        )
        chances.append(np.clip((k - above) / level, 0.0, 1.0))
    return _dot(chances[0], chances[1]) / k


def average_precision(hit: Floats, score: Floats) -> Metric:
    """Return the sum over distinct scores of recall step times precision after it."""
    blocks = Blocks.of(score)

    def at(w: Floats) -> float:
        mass, hits = blocks.sums(w), blocks.sums(w * hit)
        return _dot(hits, _over(np.cumsum(hits), np.cumsum(mass))) / float(hits.sum())

    return at


def calibration_error(hit: Floats, chance: Floats) -> Metric:
    """Return the mean gap between promised and observed rates in 15 bins of equal weight."""
    blocks = Blocks.of(-chance)

    def at(w: Floats) -> float:
        mass = blocks.sums(w)
        borders = np.arange(1, BINS) * w.sum() / BINS
        gap = blocks.sums(w * (chance - hit))
        ends = np.concatenate([[0.0], reached(borders, mass, gap), [gap.sum()]])
        return float(np.abs(np.diff(ends)).sum() / w.sum())

    return at


def rank_correlation(y: Floats, score: Floats) -> Metric:
    """Return Pearson's correlation of the middle ranks."""
    pair = Blocks.of(y), Blocks.of(score)

    def at(w: Floats) -> float:
        ranks = []
        for blocks in pair:
            mass = blocks.sums(w)
            middle = (np.cumsum(mass) - mass / 2)[blocks.of_row]
            ranks.append(middle - np.average(middle, weights=w))
        a, b = ranks
        return _dot(w * a, b) / math.sqrt(_dot(w * a, a) * _dot(w * b, b))

    return at


def discounted_gain(y: Floats, score: Floats, places: int) -> Metric:
    """Return Σ y / log2(1 + rank) over the first ``places`` ranks, relative to the order of y.

    A row of weight w fills w places, and tied rows share theirs.
    """
    pair = Blocks.of(score), Blocks.of(y)
    discount = 1.0 / np.log2(2.0 + np.arange(places))

    def at(w: Floats) -> float:
        found, best = (gain(blocks, w) for blocks in pair)
        return found / best

    def gain(blocks: Blocks, w: Floats) -> float:
        mass, money = blocks.sums(w), blocks.sums(w * y)
        last = np.cumsum(mass)
        used = reached_ends(last) - reached_ends(last - mass)
        return _dot(used, _over(money, mass))

    def reached_ends(ends: Floats) -> Floats:
        inside = np.clip(ends, 0.0, places)
        whole = inside.astype(np.int64)
        sums = np.concatenate([[0.0], np.cumsum(discount), [0.0]])
        step = np.append(discount, 0.0)
        return sums[whole] + (inside - whole) * step[whole]

    return at


def concentration_found(y: Floats, score: Floats) -> Metric:
    """Return the Gini of ``y`` in the order of the score, relative to its own order.

    Gini = Σ y (W - 2 · middle rank from the top) / (W Σ y); W and Σ y cancel.
    """
    pair = Blocks.of(score), Blocks.of(y)

    def at(w: Floats) -> float:
        sums = []
        for blocks in pair:
            mass, money = blocks.sums(w), blocks.sums(w * y)
            middle = np.cumsum(mass) - mass / 2
            sums.append(_dot(money, mass.sum() - 2.0 * middle))
        return sums[0] / sums[1]

    return at
