"""One boosted regression on the amount itself: squared loss, or Tweedie deviance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Card, State, Training, known, training
from giftlive.models.curves import Line, logit_line, positive, probability
from giftlive.models.early_stopping import PUBLISHED, EarlyStopping
from giftlive.models.trees import Forest, TreeSettings
from giftlive.types import Floats, Ints

FLOOR = 0.01
"""Squared-loss predictions below this share of the mean amount are bent to stay positive."""

_LIMITS = {
    "raw": (
        "Squared error on heavy-tailed amounts: a few large gifts decide where trees are cut, and "
        "early stopping soon finds that the next cut does not help; the order suffers most.",
        "Predictions below 1 % of the mean amount are bent to stay positive.",
    ),
    "tweedie": (
        "Trees under a log link shrink towards the mean logarithm and under-predict the sum; one "
        "factor rescales it to the training sum, deciles may stay off.",
    ),
}
_SHARED_LIMIT = "Probabilities are scaled on the rows the trees were grown on: optimistic."


@dataclass(frozen=True)
class BoostedAmount:
    """E[amount | x] by boosting, in one step.

    "raw": squared loss. "tweedie": deviance of a compound Poisson-gamma law with
    Var[amount] ∝ E[amount]^``power`` under a log link, from the constant log mean. Trees leave
    that constant out when they are grown, so that shrinking pulls towards the mean, not towards 1.
    Amounts are fitted as shares of their mean. In both, Σ predicted = Σ actual on the training
    rows by one factor, ``level``. Assumption: that factor is the same everywhere.

    Attributes
    ----------
    name : in the registry. loss : "raw" or "tweedie". power : of the variance, in (1, 2).
    """

    name: str
    loss: Literal["raw", "tweedie"]
    trees: TreeSettings = field(default=PUBLISHED)
    stopping: EarlyStopping = field(default_factory=EarlyStopping)
    power: float = 1.5
    minimum_positives: int = 50

    def __post_init__(self) -> None:
        """Refuse a loss or a power that does not exist."""
        if self.loss not in _LIMITS:
            raise UsageError(f"loss {self.loss!r}", "BoostedAmount.loss", "raw or tweedie")
        if not 1.0 < self.power < 2.0:
            raise UsageError(f"power {self.power}", "BoostedAmount.power", "1 < power < 2")

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedBoostedAmount:
        """Grow the ensemble until the rows held out stop gaining, then set the level."""
        data = training(X, y, groups, names, self.minimum_positives)
        counted = data.y / data.unit
        mean = float(counted.mean())
        target = counted / mean
        forest, rounds = self._grown(data, target)
        share = _share(self.loss, forest, data.X)
        level = float(counted.sum() / share.sum()) * data.unit
        gift = logit_line(np.log(share), (data.y > 0.0).astype(np.float64))
        fitted = {
            "rounds": rounds,
            "predicted_over_actual_before": float(mean * share.sum() / counted.sum()),
        }
        return FittedBoostedAmount(self._card(data, fitted), self.loss, forest, level, gift)

    def _grown(self, data: Training, target: Floats) -> tuple[Forest, int]:
        if self.loss == "raw":
            return self.stopping.grow(data, target, "regression", self.trees)
        power = {"tweedie_variance_power": self.power}
        # The mean of the target is 1, so the constant to begin with is log 1 = 0: LightGBM's own
        # start is that of the rows it grows on, the same up to the luck of the part held out.
        return self.stopping.grow(
            data, target, "tweedie", self.trees, boost_from_average=True, **power
        )

    def _card(self, data: Training, fitted: dict[str, Any]) -> Card:
        power = {"power": self.power} if self.loss == "tweedie" else {}
        return Card(
            name=self.name,
            estimand="E[amount], directly",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings=self.stopping.settings(self.trees) | {"loss": self.loss} | power,
            fitted=fitted,
            limits=(*_LIMITS[self.loss], _SHARED_LIMIT),
        )


@dataclass(frozen=True)
class FittedBoostedAmount:
    """A fitted direct ensemble."""

    about: Card
    loss: str
    forest: Forest
    level: float
    gift: Line

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount."""
        return self.level * self._share(X)

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0), a monotone function of the prediction."""
        return probability(self.gift(np.log(self._share(X))))

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        numbers = {"card": self.card(), "gift": self.gift.as_list()}
        return State(
            "boosted_amount",
            numbers | {"loss": self.loss, "level": self.level},
            {"amount": self.forest.texts},
        )

    @classmethod
    def from_state(cls, state: State) -> FittedBoostedAmount:
        """Rebuild the model."""
        n = state.numbers
        card, forest = Card.from_dict(n["card"]), Forest(state.forests["amount"])
        return cls(card, n["loss"], forest, n["level"], Line(*n["gift"]))

    def _share(self, X: Floats) -> Floats:
        return _share(self.loss, self.forest, known(X, len(self.about.features)))


def _share(loss: str, forest: Forest, X: Floats) -> Floats:
    """Return [n] the amount as a share of the mean amount, > 0."""
    raw = forest.raw(X)
    return positive(raw, FLOOR) if loss == "raw" else np.exp(raw)
