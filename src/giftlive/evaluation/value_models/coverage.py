"""How often nominal intervals hold the amounts that were given, by tenths of the prediction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.evaluation.behavioural.measure import Number
from giftlive.evaluation.leaderboard.predictions import within
from giftlive.evaluation.value_models.measure import TENTHS
from giftlive.models.intervals import Intervals
from giftlive.models.registry import make
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold

LEVEL = 0.9
"""Nominal coverage of the amount of a gift."""


def covered(matrix: Matrix, fold: Fold, name: str) -> Iterator[Number]:
    """Yield gifts and covered gifts of the fold's test days, overall and by tenth.

    The intervals are those of ``Intervals`` around the model ``name``, fitted on the fold's
    training days. A tenth is one of the gifts by the middle of their intervals.
    Nothing is yielded where the training days hold too few gifts for an interval.

    Parameters
    ----------
    name : in the registry.
    """
    train, test = (np.flatnonzero(within(matrix.day, s)) for s in (fold.train, fold.test))
    gifts = test[matrix.y[test] > 0.0]
    try:
        fitted = Intervals(make(name)).fit(
            matrix.X[train], matrix.y[train], matrix.user[train], names=matrix.names
        )
    except NotEnoughDataError:
        return
    low, high = fitted.amount_interval(matrix.X[gifts], LEVEL)
    y = matrix.y[gifts]
    inside = (low <= y) & (y <= high)
    order = np.argsort(low * high, kind="stable")
    tenths = zip(TENTHS, np.array_split(order, len(TENTHS)), strict=True)
    groups = {"all gifts": order} | dict(tenths)
    for label, rows in groups.items():
        yield Number("coverage", label, "gifts", float(len(rows)))
        yield Number("coverage", label, "covered", float(inside[rows].sum()))
