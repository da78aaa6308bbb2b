"""Recall by a cheap score, re-rank what was recalled by an expensive model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Card, FittedModel, State, ValueModel, known, training, within
from giftlive.models.hurdle import Hurdle
from giftlive.models.ridge import Ridge
from giftlive.types import Bools, Floats, Ints


@dataclass(frozen=True)
class RecallRerank:
    """f(x) = expensive(x) where cheap(x) > cut, level · cheap(x) elsewhere.

    The cut is fitted so that the share ``recalled`` of the training rows lies above it; it is a
    number, so a row's value depends on that row alone and the expensive model is asked for the
    recalled rows only. The rest keeps the cheap order, at the level Σ predicted = Σ amount over
    the training rows below the cut. A recalled row may be valued below one that was not: values
    are expected amounts first, and in a list ``recalled`` says which came through.

    Assumption: the cheap score loses few valuable rows. ``amount_recalled`` of the card says what
    share of the training amounts lies above the cut: no re-ranking can bring back the rest.
    """

    cheap: ValueModel = field(default_factory=Ridge)
    expensive: ValueModel = field(default_factory=Hurdle)
    recalled: float = 0.2

    def __post_init__(self) -> None:
        """Refuse a share that recalls nothing or everything."""
        if not 0.0 < self.recalled < 1.0:
            raise UsageError(f"share {self.recalled}", "argument recalled", "a share in (0, 1)")

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedRecallRerank:
        """Fit both models on all rows, then the cut and the level below it."""
        data = training(X, y, groups, names)
        cheap, expensive = (
            model.fit(data.X, data.y, data.groups, names=data.names)
            for model in (self.cheap, self.expensive)
        )
        score = cheap.predict(data.X)
        cut = float(np.quantile(score, 1.0 - self.recalled))
        below = score <= cut
        amount = float(data.y[below].sum())
        # Nobody gave below the cut: half the smallest gift keeps the level positive.
        amount = amount if amount > 0.0 else 0.5 * float(data.y[data.y > 0.0].min())
        level = amount / float(score[below].sum())
        card = Card(
            name="recall_rerank",
            estimand="E[amount], by the expensive model where the cheap one is high",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={
                "recalled": self.recalled,
                "cheap": within(cheap.card()),
                "expensive": within(expensive.card()),
            },
            fitted={
                "cut": cut,
                "level_below": level,
                "share_recalled": float(np.mean(~below)),
                "amount_recalled": float(data.y[~below].sum() / data.y.sum()),
            },
            limits=(
                "A valuable row that the cheap score misses stays missed.",
                "Below the cut the chance and the order are those of the cheap model.",
            ),
        )
        return FittedRecallRerank(card, cheap, expensive, cut, level)


@dataclass(frozen=True)
class FittedRecallRerank:
    """A fitted recall and its re-ranker."""

    about: Card
    cheap: FittedModel
    expensive: FittedModel
    cut: float
    level: float

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount."""
        features = known(X, len(self.about.features))
        score = self.cheap.predict(features)
        values, above = self.level * score, score > self.cut
        if above.any():
            values[above] = self.expensive.predict(features[above])
        return values

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0)."""
        features = known(X, len(self.about.features))
        chance, above = self.cheap.predict_proba(features), self.recalled(features)
        if above.any():
            chance[above] = self.expensive.predict_proba(features[above])
        return chance

    def recalled(self, X: Floats) -> Bools:
        """Return [n] which rows the expensive model is asked for."""
        return self.cheap.predict(known(X, len(self.about.features))) > self.cut

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        numbers = {"card": self.card(), "cut": self.cut, "level": self.level}
        return State("recall_rerank", numbers, parts=(self.cheap.state(), self.expensive.state()))

    @classmethod
    def from_parts(cls, state: State, parts: tuple[FittedModel, ...]) -> FittedRecallRerank:
        """Rebuild the model from its own numbers and its rebuilt parts."""
        n, (cheap, expensive) = state.numbers, parts
        return cls(Card.from_dict(n["card"]), cheap, expensive, n["cut"], n["level"])
