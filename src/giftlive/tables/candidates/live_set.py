"""The rooms that are live as time moves on: a list for uniform draws, chains by streamer.

Openings and closings are applied in one canonical order (time, closings first, live id), so the
state at t is a function of the rooms known at t, whatever was asked before and in which steps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.tables.candidates.rooms import Codes, RoomIndex
from giftlive.types import Ints

OPENED, CLOSED, MANY, FRESH = range(4)
_ENDED = -2
_NEVER = np.iinfo(np.int64).max


class LiveSet(NamedTuple):
    """State of the sweep over ``r`` rooms of ``s`` streamers.

    Attributes
    ----------
    listed : [most live] rooms that are live, the first ``MANY`` of it. place : [r] where a room
        is listed, -1 before its first interval, -2 after an interval.
    head : [s] latest live room of a streamer; before, after : [r] a room's neighbours in that
        chain, -1 at the ends.
    debut : [s] when the streamer first went on air, ``_NEVER`` until then.
    fresh : ring of the rooms first opened last by new streamers.
    cursor : [4] openings and closings applied, rooms live, entries ever put into the ring.
    """

    open_ts: Ints
    open_room: Codes
    close_ts: Ints
    close_room: Codes
    streamer: Codes
    listed: Codes
    place: Codes
    head: Codes
    before: Codes
    after: Codes
    debut: Ints
    fresh: Codes
    cursor: Ints


def nobody_live(index: RoomIndex, ring: int) -> LiveSet:
    """Return the state before the first opening; ``ring`` >= 1 fresh rooms are remembered."""
    rooms, streamers = len(index.live_id), len(index.streamer_id)

    def none(n: int) -> Codes:
        return np.full(n, -1, dtype=np.int32)

    return LiveSet(
        index.open_ts,
        index.open_room,
        index.close_ts,
        index.close_room,
        index.streamer,
        listed=none(index.most_live()),
        place=none(rooms),
        head=none(streamers),
        before=none(rooms),
        after=none(rooms),
        debut=np.full(streamers, _NEVER, dtype=np.int64),
        fresh=none(ring),
        cursor=np.zeros(4, dtype=np.int64),
    )


@njit(cache=True)
def advance(live, ts, newcomer_ms):  # type: ignore[no-untyped-def]
    """Apply every opening and closing up to and including ``ts``."""
    cursor = live.cursor
    while True:
        opened, closed = cursor[OPENED], cursor[CLOSED]
        opening = live.open_ts[opened] if opened < live.open_ts.size else _NEVER
        closing = live.close_ts[closed] if closed < live.close_ts.size else _NEVER
        if min(opening, closing) > ts or (opening == _NEVER and closing == _NEVER):
            return
        if closing <= opening:
            _close(live, live.close_room[closed])
            cursor[CLOSED] += 1
        else:
            _open(live, live.open_room[opened], opening, newcomer_ms)
            cursor[OPENED] += 1


@njit(cache=True)
def _open(live, room, ts, newcomer_ms):  # type: ignore[no-untyped-def]
    many, streamer = live.cursor[MANY], live.streamer[room]
    again = live.place[room] == _ENDED
    live.listed[many], live.place[room] = room, many
    live.cursor[MANY] = many + 1
    latest = live.head[streamer]
    live.before[room], live.after[room], live.head[streamer] = latest, -1, room
    if latest >= 0:
        live.after[latest] = room
    live.debut[streamer] = min(live.debut[streamer], ts)
    if not again and ts - live.debut[streamer] < newcomer_ms:
        live.fresh[live.cursor[FRESH] % live.fresh.size] = room
        live.cursor[FRESH] += 1


@njit(cache=True)
def _close(live, room):  # type: ignore[no-untyped-def]
    many = live.cursor[MANY] - 1
    last, place = live.listed[many], live.place[room]
    live.listed[place], live.place[last] = last, place
    live.place[room] = _ENDED
    live.cursor[MANY] = many
    before, after = live.before[room], live.after[room]
    if after >= 0:
        live.before[after] = before
    else:
        live.head[live.streamer[room]] = before
    if before >= 0:
        live.after[before] = after
