"""P(gift) × amount if there is one: the default model of expected amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Card, State, Training, by_chunks, training
from giftlive.models.curves import Line, logit_line, probability
from giftlive.models.occurrence import Occurrence, Undo
from giftlive.models.parts import MINIMUM_NEGATIVES, usable_folds
from giftlive.models.settings import SOME_USERS, at_least
from giftlive.models.smearing import RatioSmearing, ratio_smearing
from giftlive.models.trees import Forest, TreeSettings, cross_grow
from giftlive.types import Floats, Ints

_OBJECTIVES = {"gamma": "gamma", "log": "regression"}


@dataclass(frozen=True)
class TwoPart:
    """E[amount | x] = level · P(gift | x) · E[amount | gift, x].

    The chance is boosted trees, their loss undone exactly where it distorts (``occurrence``). The
    amount is boosted trees on gifts alone: under gamma deviance with a log link (a mean, so no
    retransformation is needed), or by squared loss on log amounts with ratio smearing per value
    bin. Both are grown on ``folds`` − 1 folds of users and averaged. Platt's scaling of the chance
    and all smearing are fitted on what no ensemble saw of a user. The level is ratio smearing,
    Σ amount / Σ (chance · amount), on the training rows: it makes up for the mean of logarithms
    that averaging ensembles takes. Assumption: that ratio is the same everywhere, or, with
    ``level_bins`` > 1, within bins of the product; where trees shrink towards the mean, the lowest
    decile is predicted too high and the top too low (``metrics.calibration_by_decile`` shows it).
    A slope for the level is not fitted: with a few thousand heavy-tailed gifts it is one user's
    slope.

    Attributes
    ----------
    stage1 : loss and rows of the chance. occurrence, amount : sizes of the trees of either part.
    severity : "gamma" or "log". level_bins : of the product's calibration; 1 = one factor.
    name : in the registry.
    """

    occurrence: TreeSettings = field(default_factory=lambda: TreeSettings(leaves=8))
    amount: TreeSettings = field(default_factory=lambda: TreeSettings(leaves=8, rows_per_leaf=20))
    folds: int = 3
    seed: int = 0
    minimum_positives: int = 50
    stage1: Occurrence = field(default_factory=Occurrence)
    severity: Literal["gamma", "log"] = "gamma"
    level_bins: int = 1
    name: str = "two_part"

    def __post_init__(self) -> None:
        """Refuse settings that nothing can be fitted with."""
        at_least("TwoPart", SOME_USERS, folds=self.folds)
        at_least("TwoPart", 1, level_bins=self.level_bins)
        if self.severity not in _OBJECTIVES:
            raise UsageError(f"severity {self.severity!r}", "TwoPart.severity", "gamma or log")

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
        chance, undo = Forest(()), Undo()
        if len(data.y) - len(gifts) >= MINIMUM_NEGATIVES:
            chance, undo = self.stage1.learn(data.X, occurred, fold, self.occurrence, self.seed)
        size = self._size(data, fold, gifts)
        logit = undo(chance.unseen(data.X, fold))
        gift = logit_line(logit, occurred)
        parts = FittedParts(chance, undo, gift, *size)
        product = None
        if self.level_bins > 1:
            unseen = probability(gift(logit)) * parts.size(size[0].unseen(data.X, fold))
            product = ratio_smearing(unseen, data.y / data.unit, bins=self.level_bins)
        value = parts.value(data.X)
        value = value if product is None else product(value)
        level = float(data.y.sum() / value.sum())
        return FittedTwoPart(self._card(data, parts, level), parts, product, level)

    def _size(self, data: Training, fold: Ints, gifts: Ints) -> tuple[Forest, RatioSmearing | None]:
        """Fit E[amount | gift] in the smallest gift: trees, and the way back from logarithms."""
        X, held = data.X[gifts], fold[gifts]
        counted = data.y[gifts] / data.unit
        if self.severity == "gamma":
            return cross_grow(X, counted, held, _OBJECTIVES["gamma"], self.amount), None
        forest = cross_grow(X, np.log(counted), held, _OBJECTIVES["log"], self.amount)
        return forest, ratio_smearing(np.exp(forest.unseen(X, held)), counted)

    def _card(self, data: Training, parts: FittedParts, level: float) -> Card:
        return Card(
            name=self.name,
            estimand="E[amount] = P(gift) x E[amount | gift]",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={
                "folds": self.folds,
                "rounds": [self.occurrence.rounds, self.amount.rounds],
                "leaves": [self.occurrence.leaves, self.amount.leaves],
                "stage1": asdict(self.stage1),
                "severity": self.severity,
                "level_bins": self.level_bins,
                "seed": self.seed,
            },
            fitted={
                "level": level / data.unit,
                "logit_slope": parts.gift.slope,
                "undone": asdict(parts.undo),
            },
            limits=(
                "Trees shrink towards the mean and do not extrapolate: with a few thousand gifts "
                "the low deciles are predicted too high and the top 1 % too low.",
                "The chance is calibrated on users the trees did not see.",
            ),
        )


@dataclass(frozen=True)
class FittedParts:
    """The chance and the size of a gift; sizes are counted in the smallest gift."""

    chance: Forest
    undo: Undo
    gift: Line
    amount: Forest
    back: RatioSmearing | None

    def probability(self, features: Floats) -> Floats:
        """Return [n] P(gift), undone and calibrated."""
        return probability(self.gift(self.undo(self.chance.raw(features))))

    def size(self, raw: Floats) -> Floats:
        """Return [n] E[amount | gift] of raw scores."""
        return np.exp(raw) if self.back is None else self.back(np.exp(raw))

    def value(self, features: Floats) -> Floats:
        """Return [n] the product."""
        return self.probability(features) * self.size(self.amount.raw(features))


@dataclass(frozen=True)
class FittedTwoPart:
    """A fitted two-part model; ``product`` is None where one level serves all."""

    about: Card
    parts: FittedParts
    product: RatioSmearing | None
    level: float

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount."""
        value = by_chunks(X, len(self.about.features), self.parts.value)
        return self.level * (value if self.product is None else self.product(value))

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0), calibrated."""
        return by_chunks(X, len(self.about.features), self.parts.probability)

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        numbers = {
            "card": self.card(),
            "gift": self.parts.gift.as_list(),
            "undo": asdict(self.parts.undo),
            "back": _stored(self.parts.back),
            "product": _stored(self.product),
            "level": self.level,
        }
        forests = {"chance": self.parts.chance.texts, "amount": self.parts.amount.texts}
        return State("two_part", numbers, forests)

    @classmethod
    def from_state(cls, state: State) -> FittedTwoPart:
        """Rebuild the model."""
        n = state.numbers
        chance, amount = (Forest(state.forests[key]) for key in ("chance", "amount"))
        back, product = (
            None if n[key] is None else RatioSmearing.from_dict(n[key])
            for key in ("back", "product")
        )
        parts = FittedParts(chance, Undo(**n["undo"]), Line(*n["gift"]), amount, back)
        return cls(Card.from_dict(n["card"]), parts, product, n["level"])


def _stored(curve: RatioSmearing | None) -> dict[str, list[float]] | None:
    return None if curve is None else curve.as_dict()
