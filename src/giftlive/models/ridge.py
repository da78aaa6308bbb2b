"""Ridge regression on raw amounts: the published leak-free baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.models.base import Card, State, known, training
from giftlive.models.curves import Line, logit_line, positive, probability
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

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedRidge:
        """Fit coefficients, then the level that keeps Σ predicted = Σ actual."""
        from sklearn.linear_model import Ridge as Regression

        data = training(X, y, groups, names)
        design = Design.of(data.X, self.long_tail)
        Z = design.columns(data.X)
        fit = Regression(alpha=self.penalty * len(data.y), solver="cholesky").fit(Z, data.y)
        raw = Z @ fit.coef_ + float(fit.intercept_)
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
        coefficients = np.asarray(fit.coef_, dtype=np.float64)
        return FittedRidge(card, design, coefficients, float(fit.intercept_), floor, level, gift)


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
        """Learn from training rows ``X`` [n, p], NaN where unknown."""
        present = ~np.isnan(X)
        counts = np.maximum(present.sum(axis=0), 1)
        fill = np.where(present, X, 0.0).sum(axis=0) / counts
        lowest = np.where(present, X, np.inf).min(axis=0)
        highest = np.where(present, X, -np.inf).max(axis=0)
        gappy = np.asarray(np.isnan(X).any(axis=0), dtype=np.bool_)
        long = np.asarray((lowest >= 0.0) & (highest > long_tail), dtype=np.bool_)
        size = X.shape[1] + int(long.sum()) + int(gappy.sum())
        unscaled = cls(fill, gappy, long, np.zeros(size), np.ones(size)).columns(X)
        # The deviation of a constant column may be rounding, by which nothing may be divided.
        varied = unscaled.min(axis=0) < unscaled.max(axis=0)
        spread = np.where(varied, unscaled.std(axis=0), 1.0)
        return cls(fill, gappy, long, unscaled.mean(axis=0), spread)

    def columns(self, X: Floats) -> Floats:
        """Return [n, features + logs + indicators], standardised."""
        absent = np.isnan(X)
        filled = np.where(absent, self.fill, X)
        logs = np.log1p(np.maximum(filled[:, self.long], 0.0))
        columns = np.hstack([filled, logs, absent[:, self.gappy].astype(np.float64)])
        return (columns - self.centre) / self.spread

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
        Z = self.design.columns(known(X, len(self.about.features)))
        return positive(Z @ self.coefficients + self.intercept, self.floor)
