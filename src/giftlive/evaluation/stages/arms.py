"""The arms of the comparison, on identical rows, folds and features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.evaluation.leaderboard.predictions import test_set, within
from giftlive.models.base import FittedModel
from giftlive.models.registry import make
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Bools, Floats, Ints

GIFT_ONLY = "gift_only"
"""Direct regression trained on gift rows alone: E[amount | gift, x], asked of every row."""

BOUND = "bound_y_above_0"
"""The same amounts with the realised occurrence: an order that knows who gives, not how much."""


@dataclass(frozen=True)
class Arm:
    """Predictions of the pooled test rows.

    Attributes
    ----------
    amount : [n] the score by which rows are ranked. chance : [n] P(gift), None where there is none.
    """

    name: str
    amount: Floats
    chance: Floats | None


def arms_of(
    matrix: Matrix, folds: Sequence[Fold], direct: str, staged: Sequence[str]
) -> tuple[Arm, ...]:
    """Return the direct model, every staged one, gift-only and the Y > 0 bound.

    The direct score becomes a probability by an isotonic map that is fitted on each fold's
    validation days, so that both sides are calibrated before they are compared.

    Parameters
    ----------
    direct, staged : names in the registry.
    """
    parts = [dict(_fold_arms(matrix, fold, direct, staged)) for fold in folds]
    found = []
    for name in parts[0]:
        pieces = [part[name] for part in parts]
        chances = [p for _, p in pieces if p is not None]
        chance = np.concatenate(chances) if len(chances) == len(pieces) else None
        found.append(Arm(name, np.concatenate([a for a, _ in pieces]), chance))
    gift_only = next(arm for arm in found if arm.name == GIFT_ONLY)
    gave = test_set(matrix, folds).y > 0.0
    return (*found, Arm(BOUND, np.where(gave, gift_only.amount, 0.0), None))


def _fold_arms(
    matrix: Matrix, fold: Fold, direct: str, staged: Sequence[str]
) -> Iterator[tuple[str, tuple[Floats, Floats | None]]]:
    train, valid, test = (
        np.flatnonzero(within(matrix.day, span))
        for span in (fold.train, fold.validation, fold.test)
    )
    one = _fit(direct, matrix, train)
    amount = one.predict(matrix.X[test])
    tried = one.predict(matrix.X[valid])
    yield direct, (amount, _isotonic(tried, matrix.y[valid] > 0.0, amount))
    for name in staged:
        two = _fit(name, matrix, train)
        yield name, (two.predict(matrix.X[test]), two.predict_proba(matrix.X[test]))
    gifts = train[matrix.y[train] > 0.0]
    yield GIFT_ONLY, (_fit(direct, matrix, gifts).predict(matrix.X[test]), None)


def _fit(name: str, matrix: Matrix, rows: Ints) -> FittedModel:
    return make(name).fit(matrix.X[rows], matrix.y[rows], matrix.user[rows], names=matrix.names)


def same_twice(matrix: Matrix, fold: Fold, name: str) -> bool:
    """Return whether the model ``name``, fitted twice, predicts the same to the bit."""
    train, valid = (np.flatnonzero(within(matrix.day, s)) for s in (fold.train, fold.validation))
    one, again = (_fit(name, matrix, train).predict(matrix.X[valid]) for _ in range(2))
    return bool(np.array_equal(one, again))


def _isotonic(tried: Floats, gave: Bools, score: Floats) -> Floats:
    """Return the probabilities that an isotonic map of validation scores gives to ``score``."""
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    curve.fit(tried, gave.astype(np.float64))
    return np.asarray(curve.predict(score), dtype=np.float64)
