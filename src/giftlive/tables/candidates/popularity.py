"""The most entered live rooms of the last hour, in all and by category.

The lists are those of the last whole minute m <= t: entries with m - 1 h <= ts < m, rooms live at
m, more entries first and the lower live id among equals. So they depend on t alone, and are
computed once a minute.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.tables.candidates.rooms import Codes
from giftlive.types import Ints

APPLIED, EXPIRED, ACTIVE, MINUTE = range(4)


class Popularity(NamedTuple):
    """State over ``r`` rooms and ``c`` categories.

    Attributes
    ----------
    entries : [r] in the window. active, is_active : rooms with entries, the first ``ACTIVE``.
    top : [1 + c, quota] most entered rooms of all and of each category, -1 at the end.
    size : [1 + c] how many of them there are.
    cursor : [4] entries of the current arrays that came in and went out; active rooms; the
        minute of ``top``.
    """

    entries: Codes
    active: Codes
    is_active: Codes
    top: Codes
    size: Ints
    cursor: Ints


def nothing_popular(rooms: int, categories: int, quota: int) -> Popularity:
    """Return the state before the first entry."""
    cursor = np.array([0, 0, 0, np.iinfo(np.int64).min], dtype=np.int64)
    return Popularity(
        np.zeros(rooms, dtype=np.int32),
        np.zeros(rooms, dtype=np.int32),
        np.zeros(rooms, dtype=np.int32),
        np.full((1 + categories, quota), -1, dtype=np.int32),
        np.zeros(1 + categories, dtype=np.int64),
        cursor,
    )


@njit(cache=True)
def slide(popularity, ts, rooms, minute, length_ms):  # type: ignore[no-untyped-def]
    """Move the window to minute - length_ms <= ts < minute over entries in order of time."""
    cursor = popularity.cursor
    while cursor[APPLIED] < ts.size and ts[cursor[APPLIED]] < minute:
        room = rooms[cursor[APPLIED]]
        cursor[APPLIED] += 1
        if room < 0:
            continue
        popularity.entries[room] += 1
        if not popularity.is_active[room]:
            popularity.is_active[room] = 1
            popularity.active[cursor[ACTIVE]] = room
            cursor[ACTIVE] += 1
    while cursor[EXPIRED] < cursor[APPLIED] and ts[cursor[EXPIRED]] < minute - length_ms:
        room = rooms[cursor[EXPIRED]]
        cursor[EXPIRED] += 1
        if room >= 0:
            popularity.entries[room] -= 1


@njit(cache=True)
def rank(popularity, place, category, minute):  # type: ignore[no-untyped-def]
    """List the most entered of the rooms that are live, and forget rooms without an entry."""
    popularity.size[:] = 0
    popularity.cursor[MINUTE] = minute
    many, kept = popularity.cursor[ACTIVE], 0
    for k in range(many):
        room = popularity.active[k]
        if popularity.entries[room] == 0:
            popularity.is_active[room] = 0
            continue
        popularity.active[kept] = room
        kept += 1
        if place[room] < 0:
            continue
        _insert(popularity, 0, room)
        if category[room] >= 0:
            _insert(popularity, 1 + category[room], room)
    popularity.cursor[ACTIVE] = kept


@njit(cache=True)
def _insert(popularity, row, room):  # type: ignore[no-untyped-def]
    """Put a room into its place of a list, if it has one there."""
    top, size, entries = popularity.top[row], popularity.size[row], popularity.entries
    k = min(size, top.size)
    while k > 0:
        other = top[k - 1]
        ahead = entries[other] > entries[room]
        if ahead or (entries[other] == entries[room] and other < room):
            break
        if k < top.size:
            top[k] = other
        k -= 1
    if k < top.size:
        top[k] = room
        popularity.size[row] = min(size + 1, top.size)
