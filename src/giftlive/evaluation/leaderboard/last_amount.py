"""What a donor gave last: the yardstick of fundraisers, where every row is a gift.

Where rows are entries the amount of the last gift is not among the features; past spend and mean
gift stand for it. Where rows are gifts, the row before is the last gift.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive.errors import UsageError
from giftlive.tables.matrix import Matrix
from giftlive.types import Floats, Ints

LAST_AMOUNT = "user_last_amount"
"""Name of the column, and of the trivial ranker that reads it."""


def last_amounts(user: Ints, ts: Ints, y: Floats) -> Floats:
    """Return [n] what the user gave at his latest time strictly before each row; 0 for none.

    Several gifts at that time count as their sum: they were one moment's.

    Examples
    --------
    >>> last_amounts(np.array([7, 7, 7, 9]), np.array([1, 1, 5, 6]), np.array([2.0, 3.0, 4.0, 8.0]))
    array([0., 0., 5., 0.])
    """
    order = np.lexsort((ts, user))
    who, when = user[order], ts[order]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (who[1:] != who[:-1]) | (when[1:] != when[:-1])
    moment = np.cumsum(begins) - 1
    total = np.bincount(moment, y[order])
    owner = who[begins]
    before = np.zeros(len(total))
    same = owner[1:] == owner[:-1]
    before[1:][same] = total[:-1][same]
    found = np.empty(len(order))
    found[order] = before[moment]
    return found


def with_last_amount(matrix: Matrix) -> Matrix:
    """Return the matrix with one more feature, :data:`LAST_AMOUNT`, known strictly before each row.

    Raises
    ------
    UsageError
        Rows are not gifts.
    """
    if matrix.unit != "gift":
        raise UsageError(
            f"one row per {matrix.unit}", LAST_AMOUNT, "one row per gift",
            "leave the ranker out: user_mean_gift is the nearest one",
        )  # fmt: skip
    last = last_amounts(matrix.user, matrix.ts, matrix.y)
    return replace(matrix, X=np.column_stack([matrix.X, last]), names=(*matrix.names, LAST_AMOUNT))
