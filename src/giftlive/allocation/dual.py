"""Compiled kernels of the hard-seat dual: exact evaluation, one stochastic pass, a feasible fluid.

Shapes as in ``Problem``; ``spill`` is [1 or n, 1 or m, K]; ``duals`` is [S, T] in money per
seat-second. All loops run in a fixed order on one thread, so results repeat bit for bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from giftlive.types import Floats, Ints


@njit(cache=True)
def _best(
    i: int, values: Floats, rooms: Ints, seconds: Floats, start: int, spill: Floats, duals: Floats
) -> tuple[int, float]:
    """Return the column with the largest reduced value v - e.λ of row ``i``, if above 0."""
    row = i if spill.shape[0] > 1 else 0
    depth = min(spill.shape[2], duals.shape[1] - start)
    chosen, reduced = -1, 0.0
    for j in range(rooms.shape[1]):
        room = rooms[i, j]
        if room < 0 or values[i, j] <= reduced:  # prices only take away
            continue
        column = j if spill.shape[1] > 1 else 0
        price = 0.0
        for k in range(depth):
            price += spill[row, column, k] * duals[room, start + k]
        net = values[i, j] - seconds[i, j] * price
        if net > reduced:
            chosen, reduced = j, net
    return chosen, reduced


@njit(cache=True)
def _add_use(
    use: Floats, room: int, seconds: float, start: int, shares: Floats, sign: float
) -> None:
    for k in range(min(shares.shape[0], use.shape[1] - start)):
        use[room, start + k] += sign * seconds * shares[k]


@njit(cache=True)
def _shares(spill: Floats, i: int, j: int) -> Floats:
    return spill[i if spill.shape[0] > 1 else 0, j if spill.shape[1] > 1 else 0]


@njit(cache=True)
def respond(
    values: Floats, rooms: Ints, seconds: Floats, bucket: Ints, spill: Floats, duals: Floats
) -> tuple[float, Ints, Floats]:
    """Return Σ_i max(0, max_s v - e.λ), the column each row takes (-1: none) and the use [S, T]."""
    n = rooms.shape[0]
    choice = np.empty(n, np.int64)
    use = np.zeros(duals.shape)
    total = 0.0
    for i in range(n):
        j, reduced = _best(i, values, rooms, seconds, bucket[i], spill, duals)
        choice[i] = j
        total += reduced
        if j >= 0:
            _add_use(use, rooms[i, j], seconds[i, j], bucket[i], _shares(spill, i, j), 1.0)
    return total, choice, use


@njit(cache=True)
def descend(
    values: Floats,
    rooms: Ints,
    seconds: Floats,
    bucket: Ints,
    spill: Floats,
    capacity: Floats,
    order: Ints,
    block: int,
    step: Floats,
    duals: Floats,
    squares: Floats,
    shown: Floats,
) -> Floats:
    """Make one stochastic pass over ``order`` and return the mean of the iterates [S, T].

    A block of decisions estimates the subgradient C - use of the dual; each cell then moves
    against it by step_s / sqrt(sum of its squared subgradients) and is cut at 0 (projected
    diagonal AdaGrad). ``duals``, ``squares`` and ``shown`` (how often each column was taken) are
    updated in place.
    """
    n = rooms.shape[0]
    mean = np.zeros(duals.shape)
    gradient = np.empty(duals.shape)
    blocks = (n + block - 1) // block
    for b in range(blocks):
        first, last = b * block, min(n, (b + 1) * block)
        gradient[:, :] = capacity * ((last - first) / n)
        for q in range(first, last):
            i = order[q]
            j, _ = _best(i, values, rooms, seconds, bucket[i], spill, duals)
            if j >= 0:
                shown[i, j] += 1.0
                shares = _shares(spill, i, j)
                _add_use(gradient, rooms[i, j], seconds[i, j], bucket[i], shares, -1.0)
        for s in range(duals.shape[0]):
            for t in range(duals.shape[1]):
                g = gradient[s, t]
                squares[s, t] += g * g
                if squares[s, t] > 0.0:
                    duals[s, t] = max(0.0, duals[s, t] - step[s] * g / np.sqrt(squares[s, t]))
                mean[s, t] += duals[s, t] / blocks
    return mean


@njit(cache=True)
def admit(
    shown: Floats,
    rows: Ints,
    columns: Ints,
    values: Floats,
    rooms: Ints,
    seconds: Floats,
    bucket: Ints,
    spill: Floats,
    capacity: Floats,
) -> tuple[float, Floats]:
    """Cut the fluid ``shown`` [n, m] to the seats, pair by pair in the given order.

    Returns the value of the feasible fluid and its use [S, T] <= capacity.
    """
    use = np.zeros(capacity.shape)
    value = 0.0
    for q in range(rows.shape[0]):
        i, j = rows[q], columns[q]
        shares, start, room = _shares(spill, i, j), bucket[i], rooms[i, j]
        depth = min(shares.shape[0], capacity.shape[1] - start)
        part = shown[i, j]
        for k in range(depth):
            need = seconds[i, j] * shares[k]
            left = max(0.0, capacity[room, start + k] - use[room, start + k])
            if need * part > left:
                part = left / need
        _add_use(use, room, part * seconds[i, j], start, shares, 1.0)
        value += part * values[i, j]
    return value, use
