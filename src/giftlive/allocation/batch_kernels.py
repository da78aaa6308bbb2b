"""Compiled kernels of the batch dual: the best response of users to prices, one pass of descent.

Prices are packed as ``[KINDS, S]`` in the order of the names below, groups apart as [G]. To a user
every room then looks like a line: reduced value = slope * v - cost + floor * a, with one slope and
one cost for whales and one for the others. Loops run in a fixed order on one thread.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from giftlive.allocation.returns import slope_at
from giftlive.types import Bools, Floats, Ints

SEAT, FLOOR, WHALE, WHALE_VALUE, KINDS = 0, 1, 2, 3, 4


@njit(cache=True)
def lines(
    worth: Floats, prices: Floats, group_prices: Floats, members: Ints, starts: Ints
) -> tuple[Floats, Floats]:
    """Return slope and cost [2, S] that rooms show to the others (0) and to whales (1).

    ``members`` are the rooms of group q at ``starts[q]:starts[q + 1]``.
    """
    rooms = worth.shape[0]
    slope, cost = np.empty((2, rooms)), np.empty((2, rooms))
    for s in range(rooms):
        slope[0, s] = worth[s]
        slope[1, s] = worth[s] - prices[WHALE_VALUE, s]
        cost[0, s] = prices[SEAT, s]
    for q in range(group_prices.shape[0]):
        for k in range(starts[q], starts[q + 1]):
            cost[0, members[k]] += group_prices[q]
    for s in range(rooms):
        cost[1, s] = cost[0, s] + prices[WHALE, s]
    return slope, cost


@njit(cache=True)
def take(
    i: int, limit: int, values: Floats, rooms: Ints, affinity: Floats,
    slope: Floats, cost: Floats, floor: Floats, columns: Ints, reduced: Floats,
) -> int:  # fmt: skip
    """Put the columns with the ``limit`` largest reduced values > 0 of row ``i`` first in order.

    ``slope`` and ``cost`` are [S], those of the user's kind. Returns how many there are; of equal
    ones the earlier column wins.
    """
    found = 0
    weighted = affinity.shape[0] > 0
    for j in range(rooms.shape[1]):
        s = rooms[i, j]
        if s < 0:
            continue
        net = slope[s] * values[i, j] - cost[s]
        if weighted:
            net += floor[s] * affinity[i, j]
        if net <= 0.0 or (found == limit and (limit == 0 or net <= reduced[found - 1])):
            continue
        at = found if found < limit else limit - 1
        while at > 0 and reduced[at - 1] < net:
            reduced[at], columns[at] = reduced[at - 1], columns[at - 1]
            at -= 1
        reduced[at], columns[at] = net, j
        found = min(limit, found + 1)
    return found


@njit(cache=True)
def respond(
    order: Ints, values: Floats, rooms: Ints, affinity: Floats, takes: Ints, whale: Bools,
    slope: Floats, cost: Floats, floor: Floats, use: Floats, money: Floats, shown: Floats,
) -> float:  # fmt: skip
    """Let the users of ``order`` take their best rooms; return Σ of their reduced values.

    ``use`` [KINDS, S] gains heads, affinity, whales and whale value; ``money`` [S] gains value;
    ``shown`` [n, m] counts what was taken, unless it has no rows.
    """
    total = 0.0
    columns, reduced = np.empty(rooms.shape[1] + 1, np.int64), np.empty(rooms.shape[1] + 1)
    for q in range(order.shape[0]):
        i = order[q]
        kind = 1 if whale[i] else 0
        found = take(i, min(takes[i], rooms.shape[1]), values, rooms, affinity, slope[kind],
                     cost[kind], floor, columns, reduced)  # fmt: skip
        for k in range(found):
            j = columns[k]
            s = rooms[i, j]
            total += reduced[k]
            money[s] += values[i, j]
            use[SEAT, s] += 1.0
            if affinity.shape[0] > 0:
                use[FLOOR, s] += affinity[i, j]
            if whale[i]:
                use[WHALE, s] += 1.0
                use[WHALE_VALUE, s] += values[i, j]
            if shown.shape[0] > 0:
                shown[i, j] += 1.0
    return total


@njit(cache=True)
def _step(price: float, gradient: float, squares: Floats, at: int, step: float) -> float:
    squares[at] += gradient * gradient
    if squares[at] == 0.0:
        return price
    return max(0.0, price - step * gradient / np.sqrt(squares[at]))


@njit(cache=True)
def descend(
    order: Ints, block: int, values: Floats, rooms: Ints, affinity: Floats, takes: Ints,
    whale: Bools, limits: Floats, group_limits: Floats, members: Ints, starts: Ints,
    code: int, scale: Floats, step: Floats, group_step: Floats, ceiling: float, memory: Floats,
    prices: Floats, group_prices: Floats, money: Floats, squares: Floats, group_squares: Floats,
    shown: Floats,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Make one stochastic pass over ``order``; return the means of prices, group prices and worth.

    Each block of users estimates the subgradient of D. Prices of limits move against theirs by
    projected diagonal AdaGrad; a limit that is infinite keeps price 0. The worth p of a room's
    value has the strongly convex term g* in D, so that its step is exact (regularised dual
    averaging, Xiao 2010): p = g'(running mean of the room's value), ``money`` [S], in which block
    b weighs ``memory[b]``. ``limits`` [KINDS, S] are signed: C, -L, k, K; ``ceiling`` bounds the
    price of a minimum. State is updated in place.
    """
    n, room_count = order.shape[0], prices.shape[1]
    blocks = (n + block - 1) // block
    mean, group_mean = np.zeros(prices.shape), np.zeros(group_prices.shape)
    worth_mean, worth = np.zeros(room_count), np.empty(room_count)
    use, gain = np.empty(prices.shape), np.empty(room_count)
    for b in range(blocks):
        first, last = b * block, min(n, (b + 1) * block)
        part = (last - first) / n
        for s in range(room_count):
            worth[s] = slope_at(code, money[s], scale[s])
            worth_mean[s] += worth[s]
        slope, cost = lines(worth, prices, group_prices, members, starts)
        use[:, :] = 0.0
        gain[:] = 0.0
        respond(order[first:last], values, rooms, affinity, takes, whale, slope, cost,
                prices[FLOOR], use, gain, shown)  # fmt: skip
        for s in range(room_count):
            money[s] += memory[b] * (gain[s] / part - money[s])
            for kind in range(KINDS):
                if np.isfinite(limits[kind, s]):
                    sign = -1.0 if kind == FLOOR else 1.0
                    gradient = part * limits[kind, s] - sign * use[kind, s]
                    price = _step(prices[kind, s], gradient, squares[kind], s, step[kind, s])
                    prices[kind, s] = min(price, ceiling) if kind == FLOOR else price
                    mean[kind, s] += prices[kind, s] / blocks
        for q in range(group_prices.shape[0]):
            gradient = part * group_limits[q]
            for k in range(starts[q], starts[q + 1]):
                gradient -= use[SEAT, members[k]]
            group_prices[q] = _step(group_prices[q], gradient, group_squares, q, group_step[q])
            group_mean[q] += group_prices[q] / blocks
    # divided once: 96 times 1/96 is below 1, and the conjugate of linear returns infinite there
    return mean, group_mean, worth_mean / blocks
