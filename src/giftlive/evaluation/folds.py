"""Which days train, validate and test: rolling days, or rolling events where a source has them."""

from __future__ import annotations

import numpy as np

from giftlive.logs.store import Store
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold, event_folds, rolling_origins
from giftlive.types import Ints


def folds_of(store: Store, matrix: Matrix, folds: int) -> tuple[Fold, ...]:
    """Return the folds of ``matrix``.

    Where a source of gifts without clicks is a series of events (rooms carry the event's name as
    their category), whole events are the unit of time. Everything else rolls by days.
    """
    if matrix.unit == "gift" and store.source.series_of_events:
        return event_folds(matrix.day, event_of(store, matrix.live), folds)
    return rolling_origins(matrix.day, folds)


def event_of(store: Store, live: Ints) -> Ints:
    """Return [n] the number of the event each room belongs to, -1 where there is no room."""
    con = store.connect()
    try:
        rows = con.execute(
            "select live_id, dense_rank() over (order by category) - 1 as event"
            " from room where category is not null order by live_id"
        ).fetchnumpy()
    finally:
        con.close()
    rooms, events = np.asarray(rows["live_id"]), np.asarray(rows["event"], dtype=np.int64)
    if not len(rooms):
        return np.full(len(live), -1, dtype=np.int64)
    at = np.clip(np.searchsorted(rooms, live), 0, len(rooms) - 1)
    return np.where(rooms[at] == live, events[at], -1).astype(np.int64)
