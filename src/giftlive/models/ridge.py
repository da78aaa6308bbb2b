"""Ridge regression on raw amounts: the published leak-free baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from giftlive.models.base import Card, State, by_chunks, chunks, known, training
from giftlive.models.curves import Line, logit_line, positive, probability
from giftlive.models.settings import at_least
from giftlive.types import Bools, Floats, Ints

FLOOR = 0.01
"""Predictions below this share of the mean amount are bent to stay positive."""


@dataclass(frozen=True)
class Ridge:
    """Least squares on raw amounts with an L2 penalty on standardised columns.

    Columns: the features as given; log(1 + x) of every feature that counts or sums (known values
    never negative and above ``long_tail`` somewhere); an indicator of every feature that may be
    unknown, whose gaps are filled with the training mean. The penalty is ``penalty``·n, i.e.
    every coefficient of an uncorrelated column shrinks by the factor 1/(1 + penalty): enough to
    tame collinear columns, and nothing is chosen on validation data.
    """

    penalty: float = 1e-3
    long_tail: float = 10.0

    def __post_init__(self) -> None:
        """Refuse settings that nothing can be fitted with."""
        at_least("Ridge", 0, penalty=self.penalty)

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedRidge:
        """Fit coefficients, then the level that keeps Σ predicted = Σ actual."""
        data = training(X, y, groups, names, as_given=True)
        design = Design.of(data.X, self.long_tail)
        coefficients, intercept = _solved(design, data.X, data.y, self.penalty)
        raw = _linear(design, data.X, coefficients, intercept)
        floor = FLOOR * float(data.y.mean())
        bent = positive(raw, floor)
        level = float(data.y.sum() / bent.sum())
        gift = logit_line(np.log(bent), (data.y > 0.0).astype(np.float64))
        card = Card(
            name="ridge",
            estimand="E[amount], linear in the features",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={"penalty": self.penalty, "long_tail": self.long_tail},
            fitted={"level": level, "share_bent": float(np.mean(raw < floor))},
            limits=(
                "Squared error on heavy-tailed amounts: a few large gifts decide the fit.",
                "Linear predictions below 1 % of the mean amount are bent to stay positive and "
                "the whole is rescaled to the training sum; the order is untouched.",
            ),
        )
        return FittedRidge(card, design, coefficients, intercept, floor, level, gift)


@dataclass(frozen=True)
class Design:
    """How features become standardised columns: all numbers come from the training rows."""

    fill: Floats
    gappy: Bools
    long: Bools
    centre: Floats
    spread: Floats

    @classmethod
    def of(cls, X: Floats, long_tail: float) -> Design:
        """Learn from training rows ``X`` [n, p], NaN or -1 where unknown, a chunk at a time."""
        p = X.shape[1]
        told, total = np.zeros(p), np.zeros(p)
        lowest, highest = np.full(p, np.inf), np.full(p, -np.inf)
        for part in chunks(len(X)):
            x = known(X[part])
            present = ~np.isnan(x)
            told, total = told + present.sum(axis=0), total + np.where(present, x, 0.0).sum(axis=0)
            lowest = np.minimum(lowest, np.where(present, x, np.inf).min(axis=0))
            highest = np.maximum(highest, np.where(present, x, -np.inf).max(axis=0))
        long = np.asarray((lowest >= 0.0) & (highest > long_tail), dtype=np.bool_)
        gappy = np.asarray(told < len(X), dtype=np.bool_)
        size = p + int(long.sum()) + int(gappy.sum())
        fill = total / np.maximum(told, 1.0)
        return cls(fill, gappy, long, np.zeros(size), np.ones(size))._scaled(X)

    def _scaled(self, X: Floats) -> Design:
        """Return the design with the means and deviations of its unscaled columns."""
        size = len(self.centre)
        total, lowest, highest = np.zeros(size), np.full(size, np.inf), np.full(size, -np.inf)
        for part in chunks(len(X)):
            columns = self.columns(known(X[part]))
            total = total + columns.sum(axis=0)
            lowest = np.minimum(lowest, columns.min(axis=0))
            highest = np.maximum(highest, columns.max(axis=0))
        centre = total / len(X)
        squares = np.zeros(size)
        for part in chunks(len(X)):
            squares = squares + ((self.columns(known(X[part])) - centre) ** 2).sum(axis=0)
        # The deviation of a constant column may be rounding, by which nothing may be divided.
        spread = np.where(lowest < highest, np.sqrt(squares / len(X)), 1.0)
        return replace(self, centre=centre, spread=spread)

    def columns(self, X: Floats) -> Floats:
        """Return [n, features + logs + indicators], standardised."""
        absent = np.isnan(X)
        filled = np.where(absent, self.fill, X)
        logs = np.log1p(np.maximum(filled[:, self.long], 0.0))
        columns = np.hstack([filled, logs, absent[:, self.gappy].astype(np.float64)])
        columns -= self.centre
        columns /= self.spread
        return columns

    def as_dict(self) -> dict[str, Any]:
        """Return the design as plain data."""
        return {key: value.tolist() for key, value in vars(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Design:
        """Return the design stored by ``as_dict``."""
        fill, centre, spread = (
            np.array(data[key], dtype=np.float64) for key in ("fill", "centre", "spread")
        )
        gappy, long = (np.array(data[key], dtype=np.bool_) for key in ("gappy", "long"))
        return cls(fill, gappy, long, centre, spread)


def _solved(design: Design, X: Floats, y: Floats, penalty: float) -> tuple[Floats, float]:
    """Return coefficients and intercept of the ridge regression, by its normal equations.

    They are summed over chunks: the columns of all rows are twice the features and more.
    """
    from scipy.linalg import solve

    size, n = len(design.centre), len(X)
    gram, moment, total = np.zeros((size, size)), np.zeros(size), np.zeros(size)
    mean = float(y.mean())
    for part in chunks(n):
        Z = design.columns(known(X[part]))
        gram, moment = gram + Z.T @ Z, moment + Z.T @ (y[part] - mean)
        total = total + Z.sum(axis=0)
    centre = total / n  # 0 up to rounding, and the value of a constant column
    gram -= n * np.outer(centre, centre)
    gram[np.diag_indices(size)] += penalty * n
    coefficients = np.asarray(solve(gram, moment, assume_a="pos"), dtype=np.float64)
    return coefficients, mean - float(centre @ coefficients)


def _linear(design: Design, X: Floats, coefficients: Floats, intercept: float) -> Floats:
    """Return [n] the linear predictor of features as given or known."""
    return by_chunks(X, len(design.fill), lambda x: design.columns(x) @ coefficients + intercept)


@dataclass(frozen=True)
class FittedRidge:
    """A fitted ridge regression."""

    about: Card
    design: Design
    coefficients: Floats
    intercept: float
    floor: float
    level: float
    gift: Line

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount."""
        return self.level * self._bent(X)

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0), a monotone function of the prediction."""
        return probability(self.gift(np.log(self._bent(X))))

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        scalars = {"intercept": self.intercept, "floor": self.floor, "level": self.level}
        return State(
            "ridge",
            self.design.as_dict()
            | {"coefficients": self.coefficients.tolist()}
            | scalars
            | {"card": self.card(), "gift": self.gift.as_list()},
        )

    @classmethod
    def from_state(cls, state: State) -> FittedRidge:
        """Rebuild the model."""
        n = state.numbers
        design = Design.from_dict(n)
        scalars = (n["intercept"], n["floor"], n["level"])
        coefficients = np.array(n["coefficients"])
        return cls(Card.from_dict(n["card"]), design, coefficients, *scalars, Line(*n["gift"]))

    def _bent(self, X: Floats) -> Floats:
        raw = _linear(self.design, X, self.coefficients, self.intercept)
        return positive(raw, self.floor)
