"""Compiled local search over integral allocations: moves, and ejections that make room for one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.allocation.batch_kernels import FLOOR, SEAT, WHALE, WHALE_VALUE
from giftlive.allocation.returns import value_at
from giftlive.types import Bools, Floats, Ints

LEAST_GAIN = 1e-12  # relative to the worth at stake: a smaller gain may be rounding


class Edges(NamedTuple):
    """The batch: arrays as in ``Batch``, returns as code and scale [S]."""

    values: Floats
    rooms: Ints
    affinity: Floats
    takes: Ints
    whale: Bools
    code: int
    scale: Floats


class Limits(NamedTuple):
    """Signed limits [KINDS, S] and [G]; groups of room s at ``groups[starts[s]:starts[s + 1]]``."""

    room: Floats
    group: Floats
    groups: Ints
    starts: Ints


class State(NamedTuple):
    """An allocation: what users have, what rooms have, and who sits where.

    The occupants of room s are ``seat_user`` and ``seat_column`` from ``seat_start[s]`` on,
    ``heads[s]`` of them.
    """

    shown: Bools
    taken: Ints
    money: Floats
    use: Floats
    group_use: Floats
    seat_user: Ints
    seat_column: Ints
    seat_start: Ints
    heads: Ints


@njit(cache=True)
def _count(i: int, j: int, sign: float, edges: Edges, limits: Limits, state: State) -> None:
    s, v = edges.rooms[i, j], edges.values[i, j]
    state.money[s] += sign * v
    state.use[SEAT, s] += sign
    if edges.affinity.shape[0] > 0:
        state.use[FLOOR, s] += sign * edges.affinity[i, j]
    if edges.whale[i]:
        state.use[WHALE, s] += sign
        state.use[WHALE_VALUE, s] += sign * v
    for q in range(limits.starts[s], limits.starts[s + 1]):
        state.group_use[limits.groups[q]] += sign


@njit(cache=True)
def enter(i: int, j: int, edges: Edges, limits: Limits, state: State) -> None:
    """Give candidate ``j`` to user ``i``."""
    s = edges.rooms[i, j]
    _count(i, j, 1.0, edges, limits, state)
    state.shown[i, j] = True
    state.taken[i] += 1
    at = state.seat_start[s] + state.heads[s]
    state.seat_user[at], state.seat_column[at] = i, j
    state.heads[s] += 1


@njit(cache=True)
def leave(i: int, j: int, edges: Edges, limits: Limits, state: State) -> None:
    """Take candidate ``j`` from user ``i``; the last occupant of the room moves to the seat."""
    s = edges.rooms[i, j]
    _count(i, j, -1.0, edges, limits, state)
    state.shown[i, j] = False
    state.taken[i] -= 1
    state.heads[s] -= 1
    first = state.seat_start[s]
    last, at = first + state.heads[s], first
    while state.seat_user[at] != i:
        at += 1
    state.seat_user[at], state.seat_column[at] = state.seat_user[last], state.seat_column[last]


@njit(cache=True)
def _fits(s: int, v: float, whale: bool, limits: Limits, state: State) -> bool:
    """Whether one more user fits into a room."""
    if state.use[SEAT, s] + 1.0 > limits.room[SEAT, s]:
        return False
    for q in range(limits.starts[s], limits.starts[s + 1]):
        if state.group_use[limits.groups[q]] + 1.0 > limits.group[limits.groups[q]]:
            return False
    return not whale or (
        state.use[WHALE, s] + 1.0 <= limits.room[WHALE, s]
        and state.use[WHALE_VALUE, s] + v <= limits.room[WHALE_VALUE, s]
    )


@njit(cache=True)
def gain_of(s: int, v: float, edges: Edges, state: State) -> float:
    """Return g(V + v) - g(V); v may be negative."""
    now, scale = state.money[s], edges.scale[s]
    return value_at(edges.code, max(0.0, now + v), scale) - value_at(edges.code, now, scale)


@njit(cache=True)
def keeps_minimum(s: int, change: float, limits: Limits, state: State) -> bool:
    """Whether a room's minimum is as well met after its affinity changes."""
    least = -limits.room[FLOOR, s]
    return change >= 0.0 or np.isinf(least) or state.use[FLOOR, s] + change >= least


@njit(cache=True)
def _best_open(i: int, edges: Edges, limits: Limits, state: State) -> tuple[float, int]:
    """Return the best gain > 0 of giving one more room with space to user ``i``, and its column."""
    best, column = 0.0, -1
    for j in range(edges.rooms.shape[1]):
        s = edges.rooms[i, j]
        if (
            s < 0
            or state.shown[i, j]
            or not _fits(s, edges.values[i, j], edges.whale[i], limits, state)
        ):
            continue
        gain = gain_of(s, edges.values[i, j], edges, state)
        if gain > best:
            best, column = gain, j
    return best, column


@njit(cache=True)
def _best_ejection(
    i: int, j: int, elsewhere: Floats, edges: Edges, limits: Limits, state: State
) -> tuple[float, int]:
    """Return gain and seat of the occupant whom ``i`` had best replace in candidate ``j``."""
    s, v = edges.rooms[i, j], edges.values[i, j]
    best, seat = -np.inf, -1
    weighted = edges.affinity.shape[0] > 0
    for at in range(state.seat_start[s], state.seat_start[s] + state.heads[s]):
        w, k = state.seat_user[at], state.seat_column[at]
        if w == i:
            continue
        out = edges.values[w, k]
        if edges.whale[i]:
            whales = 1.0 - (1.0 if edges.whale[w] else 0.0)
            value = v - (out if edges.whale[w] else 0.0)
            if (
                state.use[WHALE, s] + whales > limits.room[WHALE, s]
                or state.use[WHALE_VALUE, s] + value > limits.room[WHALE_VALUE, s]
            ):
                continue
        if weighted and not keeps_minimum(
            s, edges.affinity[i, j] - edges.affinity[w, k], limits, state
        ):
            continue
        gain = gain_of(s, v - out, edges, state) + elsewhere[w]
        if gain > best:
            best, seat = gain, at
    return best, seat


@njit(cache=True)
def _try(
    i: int, source: int, elsewhere: Floats, edges: Edges, limits: Limits, state: State
) -> float:
    """Move one room of user ``i`` (-1: one more) to where it gains most; return the gain."""
    before = 0.0
    if source >= 0:
        s = edges.rooms[i, source]
        lost = -edges.affinity[i, source] if edges.affinity.shape[0] > 0 else 0.0
        if not keeps_minimum(s, lost, limits, state):
            return 0.0
        leave(i, source, edges, limits, state)
        before = gain_of(s, edges.values[i, source], edges, state)
    best, column = _best_open(i, edges, limits, state)
    seat = -1
    for j in range(edges.rooms.shape[1]):
        s = edges.rooms[i, j]
        if s < 0 or state.shown[i, j] or gain_of(s, edges.values[i, j], edges, state) <= best:
            continue  # pushing somebody out gains less than an empty seat would
        gain, at = _best_ejection(i, j, elsewhere, edges, limits, state)
        if gain > best:
            best, column, seat = gain, j, at
    least = LEAST_GAIN * (before + best)
    if best > before + least and seat < 0:
        enter(i, column, edges, limits, state)
        return best - before
    if best > before + least:
        gain = _eject(i, column, seat, before + least, edges, limits, state)
        if gain > 0.0:
            return gain - before
    if source >= 0:
        enter(i, source, edges, limits, state)
    return 0.0


@njit(cache=True)
def _eject(
    i: int, j: int, seat: int, least: float, edges: Edges, limits: Limits, state: State
) -> float:
    """Put ``i`` on a seat and its occupant elsewhere if that gains more than ``least``, else 0."""
    s = edges.rooms[i, j]
    w, k = state.seat_user[seat], state.seat_column[seat]
    gain = gain_of(s, edges.values[i, j] - edges.values[w, k], edges, state)
    leave(w, k, edges, limits, state)
    enter(i, j, edges, limits, state)
    refuge, column = _best_open(w, edges, limits, state)
    if gain + refuge > least:
        if column >= 0:
            enter(w, column, edges, limits, state)
        return gain + refuge
    leave(i, j, edges, limits, state)
    enter(w, k, edges, limits, state)
    return 0.0


@njit(cache=True)
def sweep(order: Ints, edges: Edges, limits: Limits, state: State) -> float:
    """Try every room of every user once, in order; return the total gain."""
    elsewhere = np.empty(order.shape[0])
    for i in range(order.shape[0]):
        elsewhere[i] = _best_open(i, edges, limits, state)[0]
    total = 0.0
    for q in range(order.shape[0]):
        i = order[q]
        if state.taken[i] < edges.takes[i]:
            total += _try(i, -1, elsewhere, edges, limits, state)
        for j in range(edges.rooms.shape[1]):
            if state.shown[i, j]:
                total += _try(i, j, elsewhere, edges, limits, state)
        elsewhere[i] = _best_open(i, edges, limits, state)[0]
    return total
