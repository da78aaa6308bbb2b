"""Boosted trees that stop growing when rows they do not see stop gaining."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Training
from giftlive.models.trees import Forest, TreeSettings, user_folds
from giftlive.types import Bools, Floats, Ints

HELD_OUT = ("users", "last_rows")

PUBLISHED = TreeSettings(rounds=1_000, leaves=31, learning_rate=0.05)
"""The published configuration: 31 leaves, learning rate 0.05, as many rounds as still help."""


@dataclass(frozen=True)
class EarlyStopping:
    """Grow on nine tenths of the rows until ``patience`` rounds did not help the tenth.

    Attributes
    ----------
    held_out : "users" = all rows of a tenth of the users, the tenth whose number of gifts is
        closest to a tenth (rows of a random tenth where a few users hold nearly all gifts);
        "last_rows" = the last tenth of the rows: later in time where rows are given in time order.
    patience : rounds without gain before the best round is taken. parts : 10 = a tenth.
    """

    held_out: Literal["users", "last_rows"] = "users"
    patience: int = 50
    parts: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse an unknown part."""
        if self.held_out not in HELD_OUT:
            raise UsageError(f"held_out {self.held_out!r}", "EarlyStopping", f"one of {HELD_OUT}")

    def grow(
        self,
        data: Training,
        target: Floats,
        objective: str,
        trees: TreeSettings,
        **parameters: float,
    ) -> tuple[Forest, int]:
        """Return the ensemble cut at its best round, and that round.

        The loss watched is the objective's own. One stopped on the absolute error of amounts that
        are mostly 0 would learn nothing: its best guess is 0.

        Parameters
        ----------
        target : [n] what the trees fit. objective : in LightGBM's words, with its parameters.
        trees : ``rounds`` is the most that are grown.
        """
        import lightgbm

        held = held_out_rows(data, self.held_out, self.parts, self.seed)
        wanted = trees.parameters(objective) | parameters
        rows = lightgbm.Dataset(
            data.X[~held], label=target[~held], params=wanted, free_raw_data=False
        )
        judge = rows.create_valid(data.X[held], label=target[held])
        stop = lightgbm.early_stopping(self.patience, verbose=False)
        booster = lightgbm.train(
            wanted,
            rows,
            num_boost_round=trees.rounds,
            valid_sets=[judge],
            callbacks=[stop],
        )
        best = int(booster.best_iteration) or trees.rounds
        return Forest((str(booster.model_to_string(num_iteration=best)),)), best

    def settings(self, trees: TreeSettings) -> dict[str, object]:
        """Return what can be chosen, for the card."""
        return {
            "most_rounds": trees.rounds,
            "leaves": trees.leaves,
            "learning_rate": trees.learning_rate,
            "held_out": self.held_out,
            "patience": self.patience,
            "seed": self.seed,
        }


def held_out_rows(data: Training, kind: str, parts: int, seed: int) -> Bools:
    """Return [n] which rows only judge; see ``EarlyStopping.held_out``."""
    n = len(data.y)
    if kind == "last_rows":
        return np.arange(n) >= n - max(1, n // parts)
    fold = user_folds(data.groups, parts, seed)
    part = _most_usual(data.y, fold, parts)
    if not 0 < _gifts(data.y, fold == part) <= data.positives // 2:
        fold = user_folds(np.arange(n), parts, seed)
        part = _most_usual(data.y, fold, parts)
    return np.asarray(fold == part, dtype=np.bool_)


def _most_usual(y: Floats, fold: Ints, parts: int) -> int:
    held = np.bincount(fold[y > 0.0], minlength=parts)
    return int(np.argmin(np.abs(held - held.sum() / parts)))


def _gifts(y: Floats, rows: Bools) -> int:
    return int(np.count_nonzero(y[rows] > 0.0))
