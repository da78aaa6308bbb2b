"""Candidates and rooms shown, brought together into the rows of a decision, with weights.

The shown rooms are in with certainty, as are those that a reason brought. Of the rest, N' live
rooms, the draw brought k' at random without replacement (given how many of the drawn were shown
anyway), so each stands for N' / k' rooms. A total over the live rooms is then estimated without
bias by Σ weight · x, and Σ weight is the number of rooms live, exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.tables.candidates.reasons import UNIFORM
from giftlive.tables.candidates.rooms import Codes
from giftlive.types import Bools, Floats, Ints

ONLY_LIVE, NEGATIVE, CHOSEN = range(3)
SHOWN = ("live", "negative", "chosen")
"""Text of the three kinds of rows."""


class Shown(NamedTuple):
    """Shown rooms; those of decision i are ``first[i]`` to ``first[i + 1]``, the chosen first.

    ``room`` is -1 where the id has no row; ``live`` tells whether it was on air at the decision.
    """

    first: Ints
    live_id: Ints
    streamer_id: Ints
    room: Codes
    live: Bools


class ListedRows(NamedTuple):
    """Rows [k] by decision (its position in the chunk) and live id."""

    decision: Ints
    live_id: Ints
    streamer_id: Ints
    shown: Codes
    why: Codes
    weight: Floats
    live: Bools


@njit(cache=True)
def listed_rows(rows, shown, live_ids, streamers, streamer_ids):  # type: ignore[no-untyped-def]
    """Return the columns of :class:`ListedRows` for the decisions of ``rows``."""
    n = rows.size.size
    most = rows.size.sum() + shown.live_id.size
    decision, live_id = np.empty(most, np.int64), np.empty(most, np.int64)
    streamer_id, weight = np.empty(most, np.int64), np.empty(most, np.float64)
    kind, why = np.empty(most, np.int32), np.empty(most, np.int32)
    live = np.empty(most, np.bool_)
    filled = 0
    for i in range(n):
        begin, size = filled, rows.size[i]
        for k in range(size):
            room = rows.room[i, k]
            live_id[filled], why[filled] = live_ids[room], rows.why[i, k]
            streamer_id[filled] = streamer_ids[streamers[room]]
            kind[filled], live[filled] = ONLY_LIVE, True
            filled += 1
        rest, drawn = rows.live[i] - rows.certain[i], size - rows.certain[i]
        for j in range(shown.first[i], shown.first[i + 1]):
            k = _find(rows.room[i], size, shown.room[j])
            if k < 0:
                k = filled - begin
                live_id[filled], why[filled] = shown.live_id[j], 0
                streamer_id[filled], live[filled] = shown.streamer_id[j], shown.live[j]
                filled += 1
                rest -= 1 if shown.live[j] else 0
            elif why[begin + k] == UNIFORM:
                rest, drawn = rest - 1, drawn - 1
            kind[begin + k] = CHOSEN if j == shown.first[i] else NEGATIVE
        decision[begin:filled] = i
        for k in range(begin, filled):
            free = kind[k] == ONLY_LIVE and why[k] == UNIFORM
            weight[k] = rest / drawn if free else 1.0
        _sort(begin, filled, live_id, streamer_id, kind, why, weight, live)
    end = filled
    return (
        decision[:end],
        live_id[:end],
        streamer_id[:end],
        kind[:end],
        why[:end],
        weight[:end],
        live[:end],
    )


@njit(cache=True)
def _find(rooms, size, room):  # type: ignore[no-untyped-def]
    if room >= 0:
        for k in range(size):
            if rooms[k] == room:
                return k
    return -1


@njit(cache=True)
def _sort(begin, end, live_id, streamer_id, kind, why, weight, live):  # type: ignore[no-untyped-def]
    """Put the rows of a decision in order of the live id: the order must not tell the choice."""
    order = begin + np.argsort(live_id[begin:end])
    live_id[begin:end] = live_id[order]
    streamer_id[begin:end] = streamer_id[order]
    kind[begin:end] = kind[order]
    why[begin:end] = why[order]
    weight[begin:end] = weight[order]
    live[begin:end] = live[order]
