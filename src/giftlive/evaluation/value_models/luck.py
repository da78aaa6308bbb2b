"""What no model can know of the level: the luck of few large givers, in training and after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from giftlive.evaluation.behavioural.measure import Number
from giftlive.evaluation.leaderboard.predictions import within
from giftlive.evaluation.leaderboard.truth import Truth
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold

TRAINED, TESTED = "given / expected, training days", "given / expected, test days"
CONSTANT = "Σ pred / Σ expected of the mean training amount"
USERS = "users that count among the test rows"
LUCK = (TRAINED, TESTED, CONSTANT, USERS)


def luck(matrix: Matrix, folds: Sequence[Fold], truth: Truth) -> Iterator[Number]:
    """Yield how far sums of gifts and a constant are from what was due, over the folds' rows.

    Users that count: (Σ_u e_u)² / Σ_u e_u², e_u the expected amount of user u's test rows; so many
    equal users would make a sum as uneven as these do (Kish 1965).

    Parameters
    ----------
    truth : of every row of ``matrix``.
    """
    y, value = matrix.y, truth.value
    given, due, said = np.zeros(2), np.zeros(2), 0.0
    who = np.unique(matrix.user, return_inverse=True)[1].reshape(-1)
    per_user = np.zeros(int(who.max()) + 1)
    for fold in folds:
        train, test = (np.flatnonzero(within(matrix.day, s)) for s in (fold.train, fold.test))
        given += (y[train].sum(), y[test].sum())
        due += (value[train].sum(), value[test].sum())
        said += float(y[train].mean()) * len(test)
        per_user += np.bincount(who[test], value[test], len(per_user))
    count = float(per_user.sum() ** 2 / np.sum(per_user**2))
    found = (*(given / due), said / due[1], count)
    for label, number in zip(LUCK, found, strict=True):
        yield Number("luck", label, "of a world", float(number))
