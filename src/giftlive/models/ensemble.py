"""The geometric mean of several models, at the level of the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Card, FittedModel, State, ValueModel, training, within
from giftlive.models.curves import probability
from giftlive.models.hurdle import Hurdle
from giftlive.models.ziln import Ziln
from giftlive.types import Floats, Ints

SMALLEST = 1e-300
"""Predictions are raised to this before the logarithm; every model of ours is far above."""


@dataclass(frozen=True)
class GeometricMean:
    """E[amount | x] = level · Π_m f_m(x)^(1/M), P(gift | x) by the mean logit.

    Errors of models that go wrong on different rows cancel on the log scale, where ranks live.
    Each factor lies above the truth in some rows and below in others, and by Jensen's inequality
    the geometric mean has a smaller sum than the arithmetic one: ``level`` restores Σ amount on
    the training rows. Assumption: the models are about equally good; a bad one pulls with the
    same weight.
    """

    models: tuple[ValueModel, ...] = (Hurdle(), Ziln())

    def __post_init__(self) -> None:
        """Refuse a mean of nothing."""
        if not self.models:
            raise UsageError("no model", "argument models", "at least one value model")

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedGeometricMean:
        """Fit every model on all rows, then the level."""
        data = training(X, y, groups, names)
        parts = tuple(
            model.fit(data.X, data.y, data.groups, names=data.names) for model in self.models
        )
        level = float(data.y.sum() / _mean(parts, data.X).sum())
        members = [part.card()["name"] for part in parts]
        card = Card(
            name="geo_mean",
            estimand=f"E[amount], geometric mean of {', '.join(members)}",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={"models": [within(part.card()) for part in parts]},
            fitted={"level": level},
            limits=(
                "It costs as much to fit and to predict as all its models together.",
                "The level is one factor, set on rows its models were trained on.",
            ),
        )
        return FittedGeometricMean(card, parts, level)


@dataclass(frozen=True)
class FittedGeometricMean:
    """Fitted models and the level of their geometric mean."""

    about: Card
    parts: tuple[FittedModel, ...]
    level: float

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount."""
        return self.level * _mean(self.parts, X)

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0)."""
        chances = [part.predict_proba(X) for part in self.parts]
        logits = [np.log(p) - np.log1p(-p) for p in chances]
        return probability(np.mean(logits, axis=0))

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        numbers = {"card": self.card(), "level": self.level}
        return State("geo_mean", numbers, parts=tuple(part.state() for part in self.parts))

    @classmethod
    def from_parts(cls, state: State, parts: tuple[FittedModel, ...]) -> FittedGeometricMean:
        """Rebuild the model from its own numbers and its rebuilt parts."""
        return cls(Card.from_dict(state.numbers["card"]), parts, state.numbers["level"])


def _mean(parts: tuple[FittedModel, ...], X: Floats) -> Floats:
    logs = [np.log(np.maximum(part.predict(X), SMALLEST)) for part in parts]
    return np.exp(np.mean(logs, axis=0))
