"""Which rooms are live at a time: the union of a room's intervals, and binary searches in them.

A room is live at t iff start_ts <= t < end_ts for one of its rows. A room without an end is live
until the last event of the source. Live ids repeat in some sources: overlapping or touching rows
of an id are merged, so its intervals are disjoint; the streamer and the category of the id are
those of its first row by (start_ts, streamer_id, category), which is known as soon as it opens.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from giftlive.errors import InputError, UsageError
from giftlive.types import Bools, Ints

Codes = NDArray[np.int32]
OPEN = -1
"""The ``end_ts`` of a room that has none."""

_MOST = 2**31 - 2


@dataclass(frozen=True)
class RoomCounts:
    """What was found in the rows of the rooms.

    Attributes
    ----------
    rows, rooms : rows read, distinct live ids. open : rows without an end.
    repeated : rows beyond the first of their live id. merged : of those, the ones joined with an
    earlier interval of the id. empty : rows that end when they start, never live.
    other_streamer : rows whose streamer is not the first one of their live id.
    """

    rows: int
    rooms: int
    open: int
    repeated: int
    merged: int
    empty: int
    other_streamer: int


@dataclass(frozen=True)
class Contradictions:
    """Events by where they fall: inside an interval of their room, or against it."""

    inside: int = 0
    unknown_room: int = 0
    before_start: int = 0
    between: int = 0
    after_end: int = 0

    def __add__(self, other: Contradictions) -> Contradictions:
        """Return the counts over the events of both."""
        return Contradictions(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class RoomIndex:
    """The live intervals of all rooms; a *room* is a position in ``live_id``.

    Attributes
    ----------
    live_id : [r] distinct ids, ascending. streamer : [r] position in ``streamer_id``.
    category : [r] code, -1 unknown. streamer_id : [s] distinct ids, ascending.
    first : [r + 1] where the intervals of each room begin in ``start``, ``end`` [n].
    open_ts, open_room : [n] openings by (time, live id). close_ts, close_room : [n] closings.
    """

    live_id: Ints
    streamer: Codes
    category: Codes
    streamer_id: Ints
    first: Ints
    start: Ints
    end: Ints
    open_ts: Ints
    open_room: Codes
    close_ts: Ints
    close_room: Codes
    counts: RoomCounts

    @staticmethod
    def of(
        live_id: ArrayLike,
        streamer_id: ArrayLike,
        start_ts: ArrayLike,
        end_ts: ArrayLike,
        *,
        last_ts: int,
        category: ArrayLike | None = None,
        streamers: ArrayLike = (),
    ) -> RoomIndex:
        """Build the index of rows [n] in any order, in O(n log n).

        Parameters
        ----------
        live_id, streamer_id : ids. start_ts, end_ts : ms UTC, ``OPEN`` where there is no end.
        last_ts : the last event of the source, at which open rooms are still live.
        category : codes >= 0, -1 unknown; default all unknown.
        streamers : ids that get a place in ``streamer_id`` even without a room.

        Raises
        ------
        UsageError
            Columns of unequal length.
        InputError
            A room that ends before it starts.

        Examples
        --------
        >>> index = RoomIndex.of([7, 7, 9], [1, 1, 2], [0, 50, 20], [60, 90, -1], last_ts=99)
        >>> index.count_live([0, 20, 90, 99, 100]).tolist()
        [1, 2, 1, 1, 0]
        >>> index.is_live([7, 7, 8], [89, 90, 20]).tolist()
        [True, False, False]
        """
        columns = _columns(live_id, streamer_id, start_ts, end_ts, category)
        live, streamer, start, end, code = columns
        is_open = end == OPEN
        end = np.where(is_open, np.maximum(last_ts + 1, start), end)
        if (end < start).any():
            row = int(np.argmax(end < start))
            raise InputError(f"row {row} ends at {end[row]}", "rooms", f"{start[row]} or later")
        order = _content_order(live, start, streamer, code, end)
        if order is not None:
            live, streamer, start, end, code = (
                column[order] for column in (live, streamer, start, end, code)
            )
        others = np.asarray(streamers, dtype=np.int64)
        return _indexed(live, streamer, start, end, code, int(is_open.sum()), others)

    def room_of(self, live_id: ArrayLike) -> Codes:
        """Return the room [m] of each live id, -1 where it has no row. O(m log r)."""
        return position(self.live_id, live_id)

    def count_live(self, ts: ArrayLike) -> Ints:
        """Return [m] how many rooms are live at each time, in any order. O(m log n)."""
        t = np.asarray(ts, dtype=np.int64)
        opened = np.searchsorted(self.open_ts, t, side="right")
        return opened - np.searchsorted(self.close_ts, t, side="right")

    def is_live(self, live_id: ArrayLike, ts: ArrayLike) -> Bools:
        """Return [m] whether each room is live at its time; False where the id has no row."""
        return self.room_is_live(self.room_of(live_id), np.asarray(ts, dtype=np.int64))

    def room_is_live(self, room: Codes, ts: Ints) -> Bools:
        """Return [m] whether the rooms (-1: none) are live at the times."""
        return _standing(self.first, self.start, self.end, room, ts) == _INSIDE

    def category_at(self, room: Codes, ts: Ints) -> Codes:
        """Return [m] the category of each room, -1 where it had not been on air by then."""
        known = np.flatnonzero(room >= 0)
        r, t = room[known], ts[known]
        opened = self.first[r] < self.first[r + 1]
        opened[opened] = self.start[self.first[r[opened]]] <= t[opened]
        category = np.full(len(room), -1, dtype=np.int32)
        category[known[opened]] = self.category[r[opened]]
        return category

    def contradictions(self, live_id: ArrayLike, ts: ArrayLike) -> Contradictions:
        """Count events [m] (clicks, say) inside and outside the intervals of their room."""
        room, t = self.room_of(live_id), np.asarray(ts, dtype=np.int64)
        found = np.bincount(_standing(self.first, self.start, self.end, room, t), minlength=5)
        return Contradictions(*(int(n) for n in found))

    def most_live(self) -> int:
        """Return the largest number of rooms live at one time."""
        return int(_most_live(self.open_ts, self.close_ts))


def position(sorted_ids: Ints, ids: ArrayLike) -> Codes:
    """Return [m] where each id stands among the distinct ascending ids [n], -1 where it is not.

    Ids below 0 are unknown ones, and stand nowhere.

    Examples
    --------
    >>> position(np.array([3, 8]), [8, 4, 3]).tolist()
    [1, -1, 0]
    """
    wanted = np.asarray(ids, dtype=np.int64)
    if not len(sorted_ids):
        return np.full(wanted.shape, -1, dtype=np.int32)
    place = np.minimum(np.searchsorted(sorted_ids, wanted), len(sorted_ids) - 1)
    there = (sorted_ids[place] == wanted) & (wanted >= 0)
    return np.where(there, place, -1).astype(np.int32)


def _columns(*columns: ArrayLike | None) -> tuple[Ints, ...]:
    given = [None if c is None else np.asarray(c, dtype=np.int64) for c in columns]
    n = 0 if given[0] is None else len(given[0])
    if n > _MOST:
        raise UsageError(f"{n} rows", "rooms", f"at most {_MOST}")
    if any(c is not None and c.shape != (n,) for c in given):
        shapes = [c.shape for c in given if c is not None]
        raise UsageError(f"shapes {shapes}", "rooms", "columns of one length")
    return tuple(np.full(n, -1, dtype=np.int64) if c is None else c for c in given)


def _content_order(*keys: Ints) -> Ints | None:
    """Return the order by ``keys``, the first one first; None where the rows have it already."""
    if _is_sorted(*keys):
        return None
    return np.lexsort(keys[::-1])


def _indexed(
    live: Ints, streamer: Ints, start: Ints, end: Ints, code: Ints, open_rows: int, others: Ints
) -> RoomIndex:
    """Build the index from rows in order of (live id, start, streamer, category, end)."""
    new = np.ones(len(live), dtype=np.bool_)
    new[1:] = live[1:] != live[:-1]
    head = np.flatnonzero(new)
    room = (np.cumsum(new) - 1).astype(np.int32)
    merged_room, merged_start, merged_end = _union(room, start, end)
    streamer_id = np.union1d(streamer[head], others)
    by_start, by_end = _by_time(merged_start), _by_time(merged_end)
    counts = RoomCounts(
        rows=len(live),
        rooms=len(head),
        open=open_rows,
        repeated=len(live) - len(head),
        merged=int((end > start).sum()) - len(merged_room),
        empty=int((end == start).sum()),
        other_streamer=int((streamer != streamer[head][room]).sum()),
    )
    return RoomIndex(
        live_id=live[head],
        streamer=np.searchsorted(streamer_id, streamer[head]).astype(np.int32),
        category=code[head].astype(np.int32),
        streamer_id=streamer_id,
        first=np.searchsorted(merged_room, np.arange(len(head) + 1)),
        start=merged_start,
        end=merged_end,
        open_ts=merged_start[by_start],
        open_room=merged_room[by_start],
        close_ts=merged_end[by_end],
        close_room=merged_room[by_end],
        counts=counts,
    )


def _by_time(ts: Ints) -> Any:
    """Return the stable order by time: ties stay in order of the live id."""
    return np.argsort(ts, kind="stable")


@njit(cache=True)
def _is_sorted(live, start, streamer, code, end):  # type: ignore[no-untyped-def]
    for i in range(1, live.size):
        for a, b in (
            (live[i - 1], live[i]),
            (start[i - 1], start[i]),
            (streamer[i - 1], streamer[i]),
            (code[i - 1], code[i]),
            (end[i - 1], end[i]),
        ):
            if a > b:
                return False
            if a < b:
                break
    return True


@njit(cache=True)
def _union(room, start, end):  # type: ignore[no-untyped-def]
    """Return the disjoint intervals of rows in order of (room, start), empty rows left out."""
    rooms, starts, ends = np.empty_like(room), np.empty_like(start), np.empty_like(end)
    n = 0
    for i in range(room.size):
        if end[i] == start[i]:
            continue
        if n > 0 and rooms[n - 1] == room[i] and start[i] <= ends[n - 1]:
            ends[n - 1] = max(ends[n - 1], end[i])
        else:
            rooms[n], starts[n], ends[n] = room[i], start[i], end[i]
            n += 1
    return rooms[:n].copy(), starts[:n].copy(), ends[:n].copy()


_INSIDE, _UNKNOWN, _BEFORE, _BETWEEN, _AFTER = range(5)


@njit(cache=True)
def _standing(first, start, end, room, ts):  # type: ignore[no-untyped-def]
    """Return [m] where each time falls among its room's intervals."""
    where = np.empty(room.size, dtype=np.int64)
    for i in range(room.size):
        r = room[i]
        if r < 0:
            where[i] = _UNKNOWN
            continue
        low, high = first[r], first[r + 1]
        k = low + np.searchsorted(start[low:high], ts[i], side="right") - 1
        if k < low:
            where[i] = _BEFORE
        elif ts[i] < end[k]:
            where[i] = _INSIDE
        else:
            where[i] = _AFTER if k == high - 1 else _BETWEEN
    return where


@njit(cache=True)
def _most_live(open_ts, close_ts):  # type: ignore[no-untyped-def]
    most, closed = 0, 0
    for opened in range(open_ts.size):
        while close_ts[closed] <= open_ts[opened]:
            closed += 1
        most = max(most, opened + 1 - closed)
    return most
