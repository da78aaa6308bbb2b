"""Compiled swaps: two users of two rooms change places, where no free seat is needed.

With user i in room a and user w in room b, both listing both rooms,

    gain = g_a(V_a - v_ia + v_wa) - g_a(V_a) + g_b(V_b - v_wb + v_ib) - g_b(V_b).

Heads of rooms and groups stay as they are, so only whale caps and minima are checked.
"""

from __future__ import annotations

from numba import njit

from giftlive.allocation.batch_kernels import WHALE, WHALE_VALUE
from giftlive.allocation.rounding_kernels import (
    LEAST_GAIN,
    Edges,
    Limits,
    State,
    enter,
    gain_of,
    keeps_minimum,
    leave,
)
from giftlive.types import Ints


@njit(cache=True)
def swap_sweep(order: Ints, edges: Edges, limits: Limits, state: State) -> float:
    """Give every room of every user its best swap once, in order; return the total gain."""
    total = 0.0
    for q in range(order.shape[0]):
        i = order[q]
        for j in range(edges.rooms.shape[1]):
            if state.shown[i, j]:
                total += _swap(i, j, edges, limits, state)
    return total


@njit(cache=True)
def _swap(i: int, j: int, edges: Edges, limits: Limits, state: State) -> float:
    """Make the swap of ``i``'s seat at candidate ``j`` that gains most; return the gain or 0."""
    a = edges.rooms[i, j]
    best, least, to, w, k, back = 0.0, 0.0, -1, -1, -1, -1
    for target in range(edges.rooms.shape[1]):
        b = edges.rooms[i, target]
        if b < 0 or state.shown[i, target]:
            continue
        for at in range(state.seat_start[b], state.seat_start[b] + state.heads[b]):
            other, column = state.seat_user[at], state.seat_column[at]
            entry = _column(other, a, edges)
            if entry < 0 or state.shown[other, entry]:
                continue
            gain = gain_of(a, edges.values[other, entry] - edges.values[i, j], edges, state)
            gain += gain_of(b, edges.values[i, target] - edges.values[other, column], edges, state)
            if gain > best and (
                _room_allows(i, target, other, column, edges, limits, state)
                and _room_allows(other, entry, i, j, edges, limits, state)
            ):
                best, to, w, k, back = gain, target, other, column, entry
                least = LEAST_GAIN * (state.money[a] + state.money[b])
    if best <= least:
        return 0.0
    leave(i, j, edges, limits, state)
    leave(w, k, edges, limits, state)
    enter(i, to, edges, limits, state)
    enter(w, back, edges, limits, state)
    return best


@njit(cache=True)
def _column(i: int, s: int, edges: Edges) -> int:
    """Return user ``i``'s column of room ``s``, -1 where the room is no candidate."""
    for j in range(edges.rooms.shape[1]):
        if edges.rooms[i, j] == s:
            return j
    return -1


@njit(cache=True)
def _room_allows(
    i: int, j: int, out: int, column: int, edges: Edges, limits: Limits, state: State
) -> bool:
    """Whether user ``i`` may take the seat of user ``out`` in the room of ``i``'s candidate."""
    s = edges.rooms[i, j]
    if edges.whale[i]:
        heads = 0.0 if edges.whale[out] else 1.0
        value = edges.values[i, j] - (edges.values[out, column] if edges.whale[out] else 0.0)
        if state.use[WHALE, s] + heads > limits.room[WHALE, s] or (
            value > 0.0 and state.use[WHALE_VALUE, s] + value > limits.room[WHALE_VALUE, s]
        ):
            return False
    if edges.affinity.shape[0] == 0:
        return True
    change = edges.affinity[i, j] - edges.affinity[out, column]
    return keeps_minimum(s, change, limits, state)
