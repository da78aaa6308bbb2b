"""One boosted regression on log(1 + amount), transformed back: the published direct model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.models.base import Card, State, known, training
from giftlive.models.curves import Line, logit_line, positive, probability
from giftlive.models.early_stopping import PUBLISHED, EarlyStopping
from giftlive.models.trees import Forest, TreeSettings
from giftlive.types import Floats, Ints

FLOOR = 1e-6
"""Back-transformed predictions below this share of the smallest gift are bent to stay positive."""


@dataclass(frozen=True)
class BoostedLog1p:
    """exp(E[log(1 + amount)]) − 1 by squared loss on the log scale, as published.

    By Jensen's inequality this lies below E[amount], by more the more uncertain the gift is; it
    is kept as published, without retransformation, so that the gap is seen. Amounts are counted
    in the smallest gift of the training rows, which is 1 where the published log has its unit: so
    the model does not depend on the currency. Trees as published too: 31 leaves, learning rate
    0.05, stopped early on users they do not see.
    """

    trees: TreeSettings = field(default=PUBLISHED)
    stopping: EarlyStopping = field(default_factory=EarlyStopping)
    minimum_positives: int = 50

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedBoostedLog1p:
        """Grow the ensemble until the rows held out stop gaining."""
        data = training(X, y, groups, names, self.minimum_positives)
        target = np.log1p(data.y / data.unit)
        forest, rounds = self.stopping.grow(data, target, "regression", self.trees)
        predicted = _amount(forest, data.X)
        gift = logit_line(np.log(predicted), (data.y > 0.0).astype(np.float64))
        card = Card(
            name="boosted_log1p",
            estimand="exp(E[log(1 + amount)]) - 1, not E[amount]",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings=self.stopping.settings(self.trees),
            fitted={
                "rounds": rounds,
                "unit": data.unit,
                "predicted_over_actual": float(data.unit * predicted.sum() / data.y.sum()),
            },
            limits=(
                "It estimates another quantity than the expected amount: far too low in level, "
                "and its order prefers likely gifts to large ones.",
                "Probabilities are scaled on the rows the trees were grown on: optimistic.",
            ),
        )
        return FittedBoostedLog1p(card, forest, gift, data.unit)


@dataclass(frozen=True)
class FittedBoostedLog1p:
    """A fitted log-target ensemble."""

    about: Card
    forest: Forest
    gift: Line
    unit: float

    def predict(self, X: Floats) -> Floats:
        """Return [n] the back-transformed log amount."""
        return self.unit * self._counted(X)

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0), a monotone function of the prediction."""
        return probability(self.gift(np.log(self._counted(X))))

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        numbers = {"card": self.card(), "gift": self.gift.as_list(), "unit": self.unit}
        return State("boosted_log1p", numbers, {"log_amount": self.forest.texts})

    @classmethod
    def from_state(cls, state: State) -> FittedBoostedLog1p:
        """Rebuild the model."""
        n = state.numbers
        forest = Forest(state.forests["log_amount"])
        return cls(Card.from_dict(n["card"]), forest, Line(*n["gift"]), n["unit"])

    def _counted(self, X: Floats) -> Floats:
        return _amount(self.forest, known(X, len(self.about.features)))


def _amount(forest: Forest, X: Floats) -> Floats:
    return positive(np.expm1(forest.raw(X)), FLOOR)
