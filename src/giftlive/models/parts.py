"""One part of a composed model: a linear start and boosted trees, cross-fitted by user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.models.base import Training
from giftlive.models.linear_start import LinearStart, Objective, linear_start
from giftlive.models.trees import Forest, TreeSettings, cross_grow, user_folds
from giftlive.types import Floats, Ints

MINIMUM_NEGATIVES = 50
"""Below this many rows without a gift, the probability of one is a constant."""


@dataclass(frozen=True)
class Part:
    """raw_k(x) = linear_k(x) + trees_k(x), member k fitted on the users outside fold k.

    ``start`` is None where trees begin from nothing; without trees and start the score is 0.
    """

    forest: Forest
    start: LinearStart | None = None

    @property
    def members(self) -> int:
        """Return how many members there are."""
        return len(self.forest.texts)

    def scores(self, X: Floats) -> Floats:
        """Return [n, k] the raw score of every member."""
        trees = [self.forest.member(k, X) for k in range(self.members)]
        scores = np.column_stack(trees) if trees else np.zeros((len(X), 1))
        return scores if self.start is None else scores + self.start.scores(X)

    def unseen(self, X: Floats, fold: Ints) -> Floats:
        """Return [n] each row's raw score by the member that did not see its user."""
        scores = self.forest.unseen(X, fold)
        if self.start is None:
            return scores
        return scores + self.start.scores(X)[np.arange(len(X)), fold]

    def numbers(self) -> dict[str, Any] | None:
        """Return what is stored as JSON; the trees are stored as text."""
        return None if self.start is None else self.start.as_dict()

    @classmethod
    def stored(cls, texts: tuple[str, ...], numbers: dict[str, Any] | None) -> Part:
        """Return the part stored as ``numbers()`` and texts."""
        start = None if numbers is None else LinearStart.from_dict(numbers)
        return cls(Forest(texts), start)


def cross_part(
    X: Floats, target: Floats, fold: Ints, objective: Objective, trees: TreeSettings, seed: int
) -> Part:
    """Fit the linear start of every fold, then grow its trees from there."""
    return cross_fit(X, target, fold, objective, trees, seed)[0]


def cross_fit(
    X: Floats, target: Floats, fold: Ints, objective: Objective, trees: TreeSettings, seed: int
) -> tuple[Part, Floats]:
    """Return ``cross_part`` and its ``unseen`` scores [n] of the same rows."""
    start = linear_start(X, target, fold, objective, seed)
    scores = start.scores(X)
    forest = cross_grow(X, target, fold, objective, trees, scores)
    return Part(forest, start), forest.unseen(X, fold) + scores[np.arange(len(X)), fold]


def usable_folds(data: Training, folds: int, seed: int) -> Ints:
    """Return folds of users, or of rows where a few users hold nearly all the gifts."""
    fold = user_folds(data.groups, folds, seed)
    held = np.bincount(fold[data.y > 0.0], minlength=folds)
    if data.positives - held.max() >= data.positives // 3:
        return fold
    return user_folds(np.arange(len(data.y)), folds, seed)
