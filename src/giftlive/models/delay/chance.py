"""P(label | x) from weighted rows: the classifier inside every treatment, and what may replace it.

A treatment turns late labels into rows, labels and weights; anything that fits a probability to
weighted rows can then learn from them (``Logistic`` here, trees as well).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from scipy.special import expit

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.models.curves import probability
from giftlive.models.delay.design import Design, gram, ridge
from giftlive.models.delay.newton import minimise
from giftlive.models.trees import Forest, TreeSettings
from giftlive.types import Floats


class FittedChance(Protocol):
    """A probability after training."""

    def probability(self, X: Floats, /) -> Floats:
        """Return [n] the probability of every row [n, p]."""


class Chance(Protocol):
    """Settings of a classifier that understands weights."""

    def fit(self, X: Floats, y: Floats, weight: Floats | None = None, /) -> FittedChance:
        """Fit to features [n, p] and labels [n] in [0, 1], row i counted weight_i >= 0 times."""


@dataclass(frozen=True)
class LinearChance:
    """p(x) = 1 / (1 + exp(−(a + b·x)))."""

    design: Design
    coefficients: Floats

    def logit(self, X: Floats) -> Floats:
        """Return [n] a + b·x."""
        return np.asarray(self.design(X) @ self.coefficients)

    def probability(self, X: Floats) -> Floats:
        """Return [n] the probability of every row."""
        return probability(self.logit(X))


@dataclass(frozen=True)
class Logistic:
    """Logistic regression: minimises Σ w·log-loss + ½·penalty·Σ (slope per standard deviation)².

    Parameters
    ----------
    penalty : >= 0. 1 is the weight of one row of unit information: it moves nothing where there
        are many, and keeps rows that a plane separates finite.
    """

    penalty: float = 1.0

    def fit(self, X: Floats, y: Floats, weight: Floats | None = None) -> LinearChance:
        """Fit; where all labels are equal only their rate, half a row of each kind added."""
        w = checked_weight(X, y, weight)
        design, mass, hits = Design.of(X), float(w.sum()), float(w @ y)
        start = np.zeros(design.width)
        rate = (hits + 0.5) / (mass + 1.0)
        start[0] = np.log(rate) - np.log1p(-rate)
        if hits <= 0.0 or hits >= mass:
            return LinearChance(design, start)
        columns, penalty = design(X), ridge(design.width, self.penalty)
        constant = np.diag(np.append(0.0, np.where(np.ptp(columns[:, 1:], axis=0) > 0.0, 0.0, 1.0)))

        def loss(b: Floats) -> tuple[float, Floats, Floats]:
            z = columns @ b
            p = expit(z)
            value = w @ (np.logaddexp(0.0, z) - y * z) + 0.5 * b @ (penalty * b)
            slope = columns.T @ (w * (p - y)) + penalty * b
            bend = gram(columns, w * p * (1.0 - p))
            return float(value), slope, bend + np.diag(penalty) + constant

        return LinearChance(design, minimise(loss, start, "logistic regression")[0])


@dataclass(frozen=True)
class BoostedChance:
    """Gradient-boosted trees with log-loss (LightGBM) in place of ``Logistic``."""

    trees: TreeSettings = field(default_factory=TreeSettings)

    def fit(self, X: Floats, y: Floats, weight: Floats | None = None) -> GrownChance:
        """Grow; labels must be 0 or 1."""
        import lightgbm

        w = checked_weight(X, y, weight)
        if not np.isin(y, (0.0, 1.0)).all():
            raise InputError("a label is not 0 or 1", "argument y", "zeros and ones")
        settings = self.trees.parameters("binary")
        data = lightgbm.Dataset(X, y, weight=w, params=settings)
        grown = lightgbm.train(settings, data, num_boost_round=self.trees.rounds)
        return GrownChance(Forest((str(grown.model_to_string()),)))


@dataclass(frozen=True)
class GrownChance:
    """An ensemble of trees; its raw score is the logit."""

    forest: Forest

    def probability(self, X: Floats) -> Floats:
        """Return [n] the probability of every row."""
        return probability(self.forest.raw(X))


def checked_weight(X: Floats, y: Floats, weight: Floats | None) -> Floats:
    """Return the weights as floats, ones where none are given.

    Raises
    ------
    UsageError, InputError, NotEnoughDataError
        Shapes differ; a label is not in [0, 1] or a weight negative; the weights sum to 0.
    """
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    if X.ndim != 2 or {np.shape(y), w.shape} != {X.shape[:1]}:
        shapes = f"shapes {X.shape}, {np.shape(y)}, {w.shape}"
        raise UsageError(shapes, "arguments X, y, weight", "[n, p], [n], [n]")
    if not ((y >= 0.0) & (y <= 1.0)).all():
        raise InputError("a label is not in [0, 1]", "argument y", "numbers from 0 to 1")
    if not (np.isfinite(w) & (w >= 0.0)).all():
        raise InputError("a weight is negative or not finite", "argument weight", "numbers >= 0")
    if not w.sum() > 0.0:
        raise NotEnoughDataError(
            "no row counts", "arguments X, weight", "a row with a weight", "wait for mature labels"
        )
    return w
