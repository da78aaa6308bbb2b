"""The card of every model of the leaderboard: its data, how it was judged, its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from giftlive.evaluation.leaderboard import Predictions
from giftlive.studies.board import Board
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold


def card_of(
    board: Board,
    model: Predictions,
    matrix: Matrix,
    folds: tuple[Fold, ...],
    source: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the card of one model of the leaderboard, as plain data.

    Its own card is that of the last origin's fit, which learnt from the most rows. Beside it stand
    the data, the days of every origin, and every metric of the pooled test days as it may be
    printed.

    Parameters
    ----------
    source : fingerprint, kind and label of the logs.
    """
    last = matrix.rows(folds[-1].train)
    scored = next(s for s in board.scored if s.name == model.name)
    printable = {name: board.metric(scored, name, matrix.unit) for name in scored.metrics}
    own = dict(model.card)
    data = {
        **source,
        "unit": matrix.unit,
        "days": list(folds[-1].train),
        "users": len(np.unique(matrix.user[last])),
        "rows": own.pop("rows", int(last.sum())),
        "positives": own.pop("positives", int(np.count_nonzero(matrix.y[last] > 0.0))),
    }
    metrics = {
        name: {"value": e.value, "low": e.low, "high": e.high, "reason": e.reason, "n": e.n}
        for name, e in printable.items()
    }
    judged = {"data": data, "folds": [days_of(fold) for fold in folds], "metrics": metrics}
    said: dict[str, Any] = _sayable(own | judged | {"bytes": model.cost.bytes})
    return said


def days_of(fold: Fold) -> dict[str, object]:
    """Return the half-open ranges of local days of an origin."""
    return {
        "name": fold.name,
        "train": list(fold.train),
        "validation": list(fold.validation),
        "test": list(fold.test),
    }


def _sayable(value: Any) -> Any:
    """Return plain data in which a number that is not finite is a word."""
    if isinstance(value, dict):
        return {key: _sayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(item) for item in value]
    return value if not isinstance(value, float) or np.isfinite(value) else str(value)
