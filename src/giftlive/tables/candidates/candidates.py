"""Bounded candidate sets for any (user, time), as known strictly before the time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from giftlive.errors import UsageError
from giftlive.logs.store import Store
from giftlive.tables.candidates.options import CandidateOptions
from giftlive.tables.candidates.reasons import UNIFORM
from giftlive.tables.candidates.retrieval import Rows
from giftlive.tables.candidates.rooms import RoomIndex
from giftlive.tables.candidates.stream import POINTS, load_rooms, retrieved
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Candidates:
    """Candidate sets of ``n`` queries; those of query i are ``first[i]`` to ``first[i + 1]``.

    Attributes
    ----------
    live_id, streamer_id : [k] ids. why : [k] bits of :mod:`~giftlive.tables.candidates.reasons`.
    inclusion : [k] probability with which the draw brings the room, given the rooms that the
        other reasons brought; 1 for those.
    live_count : [n] rooms live at the time.
    """

    first: Ints
    live_id: Ints
    streamer_id: Ints
    why: Ints
    inclusion: Floats
    live_count: Ints

    def of(self, query: int) -> NDArray[np.int64]:
        """Return the live ids of one query."""
        return self.live_id[self.first[query] : self.first[query + 1]]


def candidates_at(
    store: Store,
    users: ArrayLike,
    ts: ArrayLike,
    options: CandidateOptions = CandidateOptions(),  # noqa: B008  (frozen)
) -> Candidates:
    """Return the candidates of each (user, time) among the rooms live at that time.

    Everything is known strictly before ``ts``; of the future only the fact that a room has not
    ended yet is used. The uniform part is a function of (seed, user, ts) and of the rooms that
    were on air until then: neither the order nor the number of the queries matters.

    Parameters
    ----------
    users : [n] ids, -1 unknown. ts : [n] ms UTC, in any order.

    Raises
    ------
    MissingCapabilityError
        The source has no clicks or no rooms.
    UsageError
        Unequal lengths.
    """
    import pyarrow as pa

    store.source.require("click", "room", step="retrieving candidates")
    user, t = np.asarray(users, dtype=np.int64), np.asarray(ts, dtype=np.int64)
    if user.ndim != 1 or user.shape != t.shape:
        raise UsageError(f"shapes {user.shape} and {t.shape}", "candidates_at", "one [n]")
    number, zero = np.arange(len(user)), np.zeros(len(user), dtype=np.int64)
    names = ("sample_id", "user_id", "live_id", "streamer_id", "ts", "label_amount")
    con = store.connect(options.memory_limit, options.threads)
    try:
        rows = pa.table(dict(zip(names, (number, user, zero, zero, t, zero), strict=True)))
        con.register(POINTS, rows)
        index = load_rooms(con, store.source.window[1])
        parts = [(p.sample_id, p.rows) for p in retrieved(con, index, options)]
    finally:
        con.close()
    return _in_order(index, parts, len(user))


def inclusion_of(rows: Rows) -> Floats:
    """Return [n] the probability with which a draw brought each room it could: drawn / rest."""
    rest = rows.live - rows.certain
    drawn = rows.size - rows.certain
    return np.divide(drawn, rest, out=np.ones(len(rest)), where=rest > 0)


def _in_order(index: RoomIndex, parts: list[tuple[Ints, Rows]], n: int) -> Candidates:
    size, live = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for number, rows in parts:
        size[number], live[number] = rows.size, rows.live
    first = np.concatenate([[0], np.cumsum(size)])
    room = np.zeros(first[-1], dtype=np.int64)
    why, inclusion = np.zeros_like(room), np.ones(len(room))
    for number, rows in parts:
        taken = np.arange(rows.room.shape[1]) < rows.size[:, None]
        place = (first[number][:, None] + np.arange(rows.room.shape[1]))[taken]
        room[place], why[place] = rows.room[taken], rows.why[taken]
        chance = np.broadcast_to(inclusion_of(rows)[:, None], taken.shape)[taken]
        inclusion[place] = np.where(why[place] == UNIFORM, chance, 1.0)
    streamer = index.streamer_id[index.streamer[room]]
    return Candidates(first, index.live_id[room], streamer, why, inclusion, live)
