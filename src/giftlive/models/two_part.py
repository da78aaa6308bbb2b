"""P(gift) × amount if there is one: the default model of expected amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.models.base import Card, State, Training, known, training
from giftlive.models.curves import Line, logit_line, probability
from giftlive.models.parts import usable_folds
from giftlive.models.trees import Forest, TreeSettings, cross_grow
from giftlive.types import Floats, Ints

MINIMUM_NEGATIVES = 50
"""Below this many rows without a gift, the probability of one is a constant."""


@dataclass(frozen=True)
class TwoPart:
    """E[amount | x] = level · P(gift | x) · E[amount | gift, x].

    The chance is boosted trees under log-loss, the amount boosted trees under gamma deviance
    with a log link (a mean, so no retransformation is needed). Both are grown on ``folds`` − 1
    folds of users and averaged. Platt's scaling of the chance is fitted on what no ensemble saw
    of a user. The level is ratio smearing, Σ amount / Σ (chance · amount), on the training rows:
    it makes up for the mean of logarithms that averaging ensembles takes. Assumption: that
    ratio is the same everywhere; where trees shrink towards the mean, the lowest decile is
    predicted too high and the top too low (``metrics.calibration_by_decile`` shows it). A slope
    for the level is not fitted: with a few thousand heavy-tailed gifts it is one user's slope.
    """

    occurrence: TreeSettings = field(default_factory=lambda: TreeSettings(leaves=8))
    amount: TreeSettings = field(default_factory=lambda: TreeSettings(leaves=8, rows_per_leaf=20))
    folds: int = 3
    seed: int = 0
    minimum_positives: int = 50

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedTwoPart:
        """Fit both parts and their calibration.

        Raises
        ------
        NotEnoughDataError
            Fewer than ``minimum_positives`` rows hold a gift.
        """
        data = training(X, y, groups, names, self.minimum_positives)
        fold = usable_folds(data, self.folds, self.seed)
        occurred = (data.y > 0.0).astype(np.float64)
        gifts = np.flatnonzero(data.y > 0.0)
        chance = Forest(())
        if len(data.y) - len(gifts) >= MINIMUM_NEGATIVES:
            chance = cross_grow(data.X, occurred, fold, "binary", self.occurrence)
        amount = cross_grow(data.X[gifts], data.y[gifts], fold[gifts], "gamma", self.amount)
        gift = logit_line(chance.unseen(data.X, fold), occurred)
        unlevelled = probability(gift(chance.raw(data.X))) * np.exp(amount.raw(data.X))
        level = float(data.y.sum() / unlevelled.sum())
        card = self._card(data, gift, level)
        return FittedTwoPart(card, chance, amount, gift, level)

    def _card(self, data: Training, gift: Line, level: float) -> Card:
        return Card(
            name="two_part",
            estimand="E[amount] = P(gift) x E[amount | gift]",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={
                "folds": self.folds,
                "rounds": [self.occurrence.rounds, self.amount.rounds],
                "leaves": [self.occurrence.leaves, self.amount.leaves],
                "seed": self.seed,
            },
            fitted={"level": level, "logit_slope": gift.slope},
            limits=(
                "Trees shrink towards the mean and do not extrapolate: with a few thousand gifts "
                "the low deciles are predicted too high and the top 1 % too low.",
                "The chance is calibrated on users the trees did not see.",
            ),
        )


@dataclass(frozen=True)
class FittedTwoPart:
    """A fitted two-part model."""

    about: Card
    chance: Forest
    amount: Forest
    gift: Line
    level: float

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount."""
        features = known(X, len(self.about.features))
        return self.level * self._chance(features) * np.exp(self.amount.raw(features))

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0), calibrated."""
        return self._chance(known(X, len(self.about.features)))

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        numbers = {"card": self.card(), "gift": self.gift.as_list(), "level": self.level}
        forests = {"chance": self.chance.texts, "amount": self.amount.texts}
        return State("two_part", numbers, forests)

    @classmethod
    def from_state(cls, state: State) -> FittedTwoPart:
        """Rebuild the model."""
        n = state.numbers
        chance, amount = (Forest(state.forests[key]) for key in ("chance", "amount"))
        return cls(Card.from_dict(n["card"]), chance, amount, Line(*n["gift"]), n["level"])

    def _chance(self, features: Floats) -> Floats:
        return probability(self.gift(self.chance.raw(features)))
