"""Rank by one column everybody has: the yardstick every model must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Card, State, known, training
from giftlive.models.curves import Line, amount_line, logit_line, probability
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class TrivialRanker:
    """E[amount] = c·(1 + x)^b for one non-negative feature x (unknown counts as 0).

    The order is that of the column; b > 0 and c are fitted by Poisson deviance so that the
    ranker also has an honest level.
    """

    name: str
    column: str

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedTrivial:
        """Fit the level of the ranker's column.

        Raises
        ------
        UsageError
            The column is not among ``names``.
        """
        data = training(X, y, groups, names)
        if self.column not in data.names:
            raise UsageError(
                f"no feature {self.column}",
                f"model {self.name}",
                f"one of {', '.join(data.names)}",
                "build the tables with this feature, or leave the ranker out",
            )
        index = data.names.index(self.column)
        t = _score(data.X, index)
        amount, gift = amount_line(t, data.y), logit_line(t, (data.y > 0.0).astype(np.float64))
        if not t.min() < t.max():  # it never varied: whatever it is later, it says nothing
            amount, gift = (Line(float(line(t[:1])[0]), 0.0) for line in (amount, gift))
        card = Card(
            name=self.name,
            estimand=f"E[amount] as a power of 1 + {self.column}",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={"column": self.column},
            fitted={"exponent": amount.slope},
            limits=("One column only: rows it does not distinguish share one prediction.",),
        )
        return FittedTrivial(card, index, amount, gift)


@dataclass(frozen=True)
class FittedTrivial:
    """A trivial ranker with its level."""

    about: Card
    index: int
    amount: Line
    gift: Line

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount."""
        return np.exp(self.amount(self._score(X)))

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0)."""
        return probability(self.gift(self._score(X)))

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        lines = {"amount": self.amount.as_list(), "gift": self.gift.as_list()}
        return State("trivial", {"card": self.card(), "index": self.index, **lines})

    @classmethod
    def from_state(cls, state: State) -> FittedTrivial:
        """Rebuild the model."""
        n = state.numbers
        card = Card.from_dict(n["card"])
        return cls(card, n["index"], Line(*n["amount"]), Line(*n["gift"]))

    def _score(self, X: Floats) -> Floats:
        return _score(known(X, len(self.about.features)), self.index)


def _score(X: Floats, index: int) -> Floats:
    return np.log1p(np.maximum(np.nan_to_num(X[:, index], nan=0.0), 0.0))
