"""Tables on their way to a file: pieces in order, rows that wait for their turn, the grid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.types import Ints
from giftlive.world.entities import World
from giftlive.world.state import Log

Table = dict[str, NDArray[Any]]
"""Columns by name, all of one length."""

Piece = tuple[str, Table]
"""The name of a table and its next rows; truth tables are named ``truth/...``."""

Chunks = Callable[[], Iterator[Log]]
"""Starts reading a history from its beginning, chunk by chunk in order of time."""


def event_columns(world: World, log: Log, rows: Ints, ts: Ints) -> Table:
    """Return who was where at the times ``ts`` [n] of the decisions ``rows`` [n]."""
    room = log.room[rows]
    return {
        "user_id": world.user_ids[log.user[rows]],
        "live_id": world.live_ids[room],
        "streamer_id": world.streamer_ids[world.room_streamer[room]],
        "timestamp": on_grid(world, ts),
    }


def on_grid(world: World, ts: Ints) -> Ints:
    """Return times rounded down to the recorder's grid."""
    grid = world.scenario.recorder.grid_ms
    return ts // grid * grid


def end_of_log(world: World) -> int:
    """Return the first ms after the history."""
    return int(world.origin_ms + world.scenario.calendar.history_days * 86_400_000)


@dataclass
class Waiting:
    """Rows whose time lies after later decisions: held back until no earlier row can come."""

    _ts: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _table: Table = field(default_factory=dict)

    def due(self, ts: Ints, table: Table, before: int) -> Table:
        """Add rows and return those before ms ``before``, by time; ties in order of arrival."""
        held = self._table or {name: column[:0] for name, column in table.items()}
        ts = np.concatenate([self._ts, ts])
        joint = {name: np.concatenate([held[name], column]) for name, column in table.items()}
        order = np.argsort(ts, kind="stable")
        ts, ready = ts[order], int(np.searchsorted(ts[order], before))
        self._ts = ts[ready:]
        self._table = {name: column[order[ready:]] for name, column in joint.items()}
        return {name: column[order[:ready]] for name, column in joint.items()}


def collected(pieces: Iterable[Piece]) -> dict[str, Table]:
    """Return whole tables by name from their pieces."""
    parts: dict[str, list[Table]] = {}
    for name, table in pieces:
        parts.setdefault(name, []).append(table)
    return {
        name: {column: np.concatenate([t[column] for t in tables]) for column in tables[0]}
        for name, tables in parts.items()
    }
