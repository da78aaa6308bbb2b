"""The level-calibrated hurdle: P(gift) × amount ranks, a spline on held-out scores sets the level.

1. Rows without a gift are thinned to a stated number per gift, and the thinning undone exactly.
2. Chance and amount are a linear start and boosted trees each, cross-fitted by user.
3. A beta curve calibrates the chance on users its member did not see.
4. A monotone spline on t = log P(gift) + log amount, fitted by Tweedie deviance on the same unseen
   rows, sets the level of every tenth: trees shrink, and a product of two estimates is no mean.
5. One factor sets the sum on the training rows as they will be asked about: by all members. Most
   users of tomorrow are users of today, and members say more of a big giver whom they saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Card, State, Training, by_chunks, training
from giftlive.models.level import LevelSpline, level_spline
from giftlive.models.parts import Part, cross_part, usable_folds
from giftlive.models.settings import SOME_USERS, above_zero, at_least
from giftlive.models.thinned_chance import ThinnedChance, fit_thinned_chance, thin
from giftlive.models.trees import TreeSettings
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Hurdle:
    """E[amount | x] = mean over members k of exp(L(log P_k(gift | x) + log m_k(x))).

    P_k is member k's calibrated chance, m_k its mean amount of a gift (gamma deviance, log link),
    both from users outside fold k; L is one increasing spline for all. Its shape is that of a
    member on the users it did not see; its sum is that of all members on the training rows.

    Assumption: tomorrow's rows are mostly of users of the training. On users nobody saw the sum
    is off by the card's ``seen_over_unseen``. Where the level of a platform drifts, the sum
    drifts with it. With few gifts, or gifts of which one user holds most,
    the spline stays at slope 1 and only the sum is corrected.

    Attributes
    ----------
    occurrence, amount : the trees of both parts.
    negatives_per_gift : rows without a gift kept per gift, where there are more.
    power, freedom : of ``level.level_spline``. folds : of users. minimum_positives : gifts.
    """

    occurrence: TreeSettings = field(
        default_factory=lambda: TreeSettings(rounds=80, leaves=8, learning_rate=0.05)
    )
    amount: TreeSettings = field(
        default_factory=lambda: TreeSettings(
            rounds=40, leaves=8, learning_rate=0.05, rows_per_leaf=20
        )
    )
    negatives_per_gift: float = 30.0
    power: float = 1.5
    freedom: float = 0.3
    folds: int = 3
    seed: int = 0
    minimum_positives: int = 50

    def __post_init__(self) -> None:
        """Refuse settings that nothing can be fitted with."""
        at_least("Hurdle", SOME_USERS, folds=self.folds)
        at_least("Hurdle", 0, negatives_per_gift=self.negatives_per_gift)
        above_zero("Hurdle", freedom=self.freedom)
        if not 1.0 <= self.power < 2.0:
            raise UsageError(f"power {self.power}", "Hurdle.power", "1 <= power < 2")

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedHurdle:
        """Fit both parts, their calibration and the level.

        Raises
        ------
        NotEnoughDataError
            Fewer than ``minimum_positives`` rows hold a gift.
        """
        data = training(X, y, groups, names, self.minimum_positives, as_given=True)
        fold = usable_folds(data, self.folds, self.seed)
        thinned = thin(data, self.negatives_per_gift, self.seed)
        X, y, fold = data.rows(thinned.rows), data.y[thinned.rows], fold[thinned.rows]
        occurred = (y > 0.0).astype(np.float64)
        gift = np.flatnonzero(y > 0.0)
        chance, log_chance = fit_thinned_chance(
            X, occurred, fold, thinned.keep, self.occurrence, self.seed
        )
        # Amounts in units of their mean: trees keep single precision, and money has no unit.
        unit = float(y[gift].mean())
        amount = cross_part(X[gift], y[gift] / unit, fold[gift], "gamma", self.amount, self.seed)
        t = log_chance + amount.unseen(X, fold)
        level = level_spline(t, y, thinned.weights, power=self.power, freedom=self.freedom)
        unlevelled = unit * float(thinned.weights @ np.exp(t))
        served = np.exp(level(chance.log_chances(X) + amount.scores(X))).mean(axis=1)
        seen_over_unseen = float(thinned.weights @ served) / float(thinned.weights @ y)
        fitted = {
            "level_before_spline": unlevelled / float(data.y.sum()),
            "seen_over_unseen": seen_over_unseen,
            "slopes": level.slopes.tolist(),
            "negatives_kept": thinned.keep,
            "beta": [chance.curve.a, chance.curve.b, chance.curve.c],
        }
        about = self._card(data, fitted)
        return FittedHurdle(about, chance, amount, level.times(1.0 / seen_over_unseen))

    def _card(self, data: Training, fitted: dict[str, Any]) -> Card:
        return Card(
            name="hurdle",
            estimand="E[amount] = P(gift) x E[amount | gift], tenths levelled on unseen users",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={
                "folds": self.folds,
                "rounds": [self.occurrence.rounds, self.amount.rounds],
                "leaves": [self.occurrence.leaves, self.amount.leaves],
                "negatives_per_gift": self.negatives_per_gift,
                "power": self.power,
                "freedom": self.freedom,
                "seed": self.seed,
            },
            fitted=fitted,
            limits=(
                "The level is that of the training days: it carries their luck with large gifts "
                "and drifts where the platform does.",
                "A tenth of the rows that holds a few dozen gifts has a level no better than "
                "those gifts; the spline borrows from its neighbours.",
                "Beyond the scores seen, the level goes on as a power of the score.",
            ),
        )


@dataclass(frozen=True)
class FittedHurdle:
    """A fitted level-calibrated hurdle."""

    about: Card
    chance: ThinnedChance
    amount: Part
    level: LevelSpline

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount."""
        return by_chunks(X, len(self.about.features), self._values)

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0), calibrated."""
        return by_chunks(X, len(self.about.features), self.chance.chance)

    def _values(self, features: Floats) -> Floats:
        t = self.chance.log_chances(features) + self.amount.scores(features)
        return np.asarray(np.exp(self.level(t)).mean(axis=1))

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        numbers = {
            "card": self.card(),
            "chance": self.chance.numbers(),
            "amount": self.amount.numbers(),
            "level": self.level.as_dict(),
        }
        forests = {"chance": self.chance.part.forest.texts, "amount": self.amount.forest.texts}
        return State("hurdle", numbers, forests)

    @classmethod
    def from_state(cls, state: State) -> FittedHurdle:
        """Rebuild the model."""
        n = state.numbers
        chance = ThinnedChance.stored(state.forests["chance"], n["chance"])
        amount = Part.stored(state.forests["amount"], n["amount"])
        return cls(Card.from_dict(n["card"]), chance, amount, LevelSpline.from_dict(n["level"]))
