"""Gradient-boosted trees (LightGBM), grown the same way on every machine and kept as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from giftlive.models.compiled_trees import Trees, read_trees, scores
from giftlive.models.settings import above_zero, at_least
from giftlive.rng import stream
from giftlive.types import Floats, Ints

_FEW = 512
"""Rows that one thread predicts, by the compiled walk: waking threads, and asking LightGBM at all,
would cost more than the trees."""


@dataclass(frozen=True)
class TreeSettings:
    """Size of an ensemble; ``threads`` changes the time, never the trees."""

    rounds: int = 60
    leaves: int = 31
    learning_rate: float = 0.1
    rows_per_leaf: int = 100
    l2: float = 5.0
    threads: int = 2

    def __post_init__(self) -> None:
        """Refuse settings that nothing can be fitted with."""
        at_least("TreeSettings", 1, rounds=self.rounds)
        at_least("TreeSettings", 2, leaves=self.leaves)
        at_least("TreeSettings", 0, rows_per_leaf=self.rows_per_leaf, l2=self.l2)
        above_zero("TreeSettings", learning_rate=self.learning_rate)

    def parameters(self, objective: str) -> dict[str, Any]:
        """Return LightGBM's parameters."""
        return {
            "objective": objective,
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.rows_per_leaf,
            "lambda_l2": self.l2,
            "max_bin": 127,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.threads,
            "seed": 0,
            "verbosity": -1,
        }


@dataclass(frozen=True)
class Forest:
    """The mean of the raw scores of one or more tree ensembles, each in LightGBM's text format."""

    texts: tuple[str, ...]

    @cached_property
    def threads(self) -> int:
        """Threads of a prediction: those it was grown with, which the text says, also when read."""
        said = re.search(r"^\[num_threads: (\d+)\]$", "".join(self.texts[:1]), re.MULTILINE)
        return int(said[1]) if said else TreeSettings.threads

    @cached_property
    def _boosters(self) -> tuple[Any, ...]:
        import lightgbm

        return tuple(lightgbm.Booster(model_str=text) for text in self.texts)

    @cached_property
    def _trees(self) -> tuple[Trees | None, ...]:
        return tuple(read_trees(text) for text in self.texts)

    def raw(self, X: Floats) -> Floats:
        """Return [n] the mean raw score; a constant 0 when there is no ensemble."""
        total = np.zeros(len(X))
        for member in range(len(self.texts)):
            total += self.member(member, X)
        return total / max(len(self.texts), 1)

    def unseen(self, X: Floats, fold: Ints) -> Floats:
        """Return [n] each row's raw score by the ensemble grown without its fold."""
        scores = np.zeros(len(X))
        for member in range(len(self.texts)):
            scores[fold == member] = self.member(member, X[fold == member])
        return scores

    def member(self, index: int, X: Floats) -> Floats:
        """Return [n] the raw score of one ensemble."""
        if not len(X):
            return np.zeros(0)
        few = len(X) <= _FEW
        trees = self._trees[index] if few else None
        if trees is not None and np.shape(X)[1] == trees.width:  # else LightGBM says what is wrong
            return np.asarray(scores(trees, np.ascontiguousarray(X, dtype=np.float64)))
        threads = 1 if few else self.threads
        booster = self._boosters[index]
        return np.asarray(booster.predict(X, raw_score=True, num_threads=threads))


def grow(X: Floats, target: Floats, objective: str, settings: TreeSettings) -> Forest:
    """Grow one ensemble on features [n, p] with NaN where unknown."""
    return Forest((_grown(_binned(X, target, objective, settings), objective, settings),))


def cross_grow(
    X: Floats,
    target: Floats,
    fold: Ints,
    objective: str,
    settings: TreeSettings,
    start: Floats | None = None,
) -> Forest:
    """Grow ensemble k on the rows outside fold k; ``Forest.unseen`` then judges honestly.

    ``start`` [n, k] is the raw score that ensemble k begins from; its own scores leave it out.
    """
    data = _binned(X, target, objective, settings)
    texts = []
    for k in range(int(fold.max()) + 1):
        rows = np.flatnonzero(fold != k)
        outside = data.subset(rows.tolist())
        if start is not None:
            outside.construct().set_init_score(start[rows, k])
        texts.append(_grown(outside, objective, settings))
    return Forest(tuple(texts))


def user_folds(groups: Ints, folds: int, seed: int) -> Ints:
    """Return [n] a fold in 0..folds−1: whole users, in equal numbers."""
    users, member = np.unique(groups, return_inverse=True)
    shuffled = stream(seed, "folds").permutation(len(users)) % folds
    return np.asarray(shuffled[member], dtype=np.int64)


def _binned(X: Floats, target: Floats, objective: str, settings: TreeSettings) -> Any:
    import lightgbm

    return lightgbm.Dataset(
        X, label=target, params=settings.parameters(objective)
    ).construct()  # which lets go of X: subsets of it are of binned columns alone


def _grown(data: Any, objective: str, settings: TreeSettings) -> str:
    import lightgbm

    booster = lightgbm.train(settings.parameters(objective), data, num_boost_round=settings.rounds)
    return str(booster.model_to_string(num_iteration=-1))
