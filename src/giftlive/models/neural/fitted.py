"""A trained network: NumPy arrays that predict without PyTorch, row by row the same bits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from giftlive.models.base import Card, State, Stored
from giftlive.models.curves import probability
from giftlive.models.neural.columns import IDS, IdTable, Inputs, Scaling, chunks
from giftlive.models.neural.losses import NARROWEST, WIDEST
from giftlive.models.neural.network import forward
from giftlive.models.neural.outcomes import LogScale
from giftlive.types import Floats

PREDICTED_TOGETHER = 8192
"""Rows of a prediction that are in memory at once."""

_FURTHEST = 30.0
"""Logits are cut here: probabilities stay strictly between 0 and 1."""

_FIELDS = ("at", "long", "gappy", "centre", "spread")


@dataclass(frozen=True)
class Heads:
    """What each head says of n rows.

    Attributes
    ----------
    click : P(enter | shown); 1 where rows are entries. gift : P(gift | entered).
    watch_seconds : E[seconds | entered], None where no watch head was trained.
    amount : E[amount | gift], before the level.
    """

    click: Floats
    gift: Floats
    watch_seconds: Floats | None
    amount: Floats


@dataclass(frozen=True)
class Levels:
    """What turns the network's logarithms into seconds and money.

    Attributes
    ----------
    watch, amount : scales of the logarithms. unit : the smallest gift. mean_gift : in units.
    money : Σ amount / Σ (chance · amount) on the training rows. seconds : the same of watch.
    """

    watch: LogScale
    amount: LogScale
    unit: float
    mean_gift: float
    money: float = 1.0
    seconds: float = 1.0


@dataclass(frozen=True)
class FittedMultiTask:
    """A fitted network.

    Attributes
    ----------
    parameters : by name, single precision; predictions are made in double precision, so that a
        row's does not depend on the rows beside it.
    """

    about: Card
    inputs: Inputs
    tasks: tuple[str, ...]
    parameters: dict[str, Any]
    levels: Levels

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount of a row: of an exposure if exposures were trained on."""
        heads = self.heads(X)
        return self.levels.money * heads.click * heads.gift * heads.amount

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0) of a row."""
        heads = self.heads(X)
        return heads.click * heads.gift

    def heads(self, X: Floats) -> Heads:
        """Return what every head says of features [n, p]."""
        n = len(X)
        click, gift, watch, amount = (np.ones(n) for _ in range(4))
        amount *= self.levels.unit * self.levels.mean_gift
        for rows in chunks(n, PREDICTED_TOGETHER):
            out = forward(self._weights, self.inputs.block(X[rows]), self.tasks)
            for task, held in (("click", click), ("gift", gift)):
                if task in self.tasks:
                    held[rows] = probability(np.clip(out[task][:, 0], -_FURTHEST, _FURTHEST))
            if "watch" in self.tasks:
                mean = self.levels.watch.mean(out["watch"][:, 0], 0.0)
                watch[rows] = np.maximum(self.levels.seconds * mean - 1.0, 0.0)
            if "amount" in self.tasks:
                sd = np.exp(np.clip(out["amount"][:, 1], NARROWEST, WIDEST))
                mean = self.levels.amount.mean(out["amount"][:, 0], sd)
                amount[rows] = self.levels.unit * mean
        return Heads(click, gift, watch if "watch" in self.tasks else None, amount)

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        i = self.inputs
        arrays = {f"network/{name}": value for name, value in self.parameters.items()}
        for tower, scale in i.scalings.items():
            arrays |= {f"scaling/{tower}/{name}": getattr(scale, name) for name in _FIELDS}
        arrays |= {f"ids/{tower}": table.ids for tower, table in i.tables.items()}
        numbers = {
            "card": self.card(),
            "tasks": list(self.tasks),
            "id_at": i.id_at,
            "levels": asdict(self.levels),
        }
        stored = {name: Stored.of(value) for name, value in arrays.items()}
        return State("multi_task", numbers, arrays=stored)

    @classmethod
    def from_state(cls, state: State) -> FittedMultiTask:
        """Rebuild the model."""
        n, arrays = state.numbers, {name: a.array() for name, a in state.arrays.items()}
        scalings = {
            tower: Scaling(*(arrays[f"scaling/{tower}/{name}"] for name in _FIELDS))
            for tower in (*IDS, "rest")
        }
        tables = {tower: IdTable(arrays[f"ids/{tower}"]) for tower in n["id_at"]}
        card = Card.from_dict(n["card"])
        inputs = Inputs(scalings, n["id_at"], tables, len(card.features))
        held = n["levels"]
        scales = {key: LogScale(**held[key]) for key in ("watch", "amount")}
        network = {
            name.removeprefix("network/"): value
            for name, value in arrays.items()
            if name.startswith("network/")
        }
        return cls(card, inputs, tuple(n["tasks"]), network, Levels(**(held | scales)))

    @cached_property
    def _weights(self) -> dict[str, Floats]:
        return {name: value.astype(np.float64) for name, value in self.parameters.items()}
