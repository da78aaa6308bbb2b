"""Admission: users are served one by one, and no limit is ever exceeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_dual import BatchPrices, edge_arrays, group_members, signed_limits
from giftlive.allocation.batch_kernels import FLOOR, KINDS, SEAT, WHALE, WHALE_VALUE, lines, take
from giftlive.allocation.fluid import groups_of_rooms
from giftlive.types import Bools, Floats, Ints


@dataclass(frozen=True)
class Day:
    """What a day came to.

    Attributes
    ----------
    worth : Σ_s g_s(V_s) of the expected values, on which the certificate's bound is a bound.
    use : [KINDS, S] heads, affinity, whales and whale value per room. money : [S] V_s.
    shown : [n, m] whether the user took the candidate.
    """

    worth: float
    use: Floats
    money: Floats
    shown: Bools


@dataclass
class OpenDay:
    """Counts of a day in progress, updated in place; fields as in ``Day``."""

    use: Floats
    money: Floats
    shown: Bools

    @classmethod
    def of(cls, today: Batch) -> OpenDay:
        """Return the counts before the first user."""
        rooms = today.room_count
        shown = np.zeros(today.rooms.shape, np.bool_)
        return cls(np.zeros((KINDS, rooms)), np.zeros(rooms), shown)

    def close(self, today: Batch) -> Day:
        """Return the day as it stands."""
        worth = float(today.returns.value(self.money).sum())
        return Day(worth, self.use, self.money, self.shown)


def serve(today: Batch, counter: OpenDay, prices: BatchPrices, first: int, last: int) -> None:
    """Serve users ``first`` to ``last - 1`` at fixed prices, limits checked at admission."""
    members, starts = group_members(today)
    slope, cost = lines(prices.worth, prices.packed, prices.group, members, starts)
    limits, group_limits = signed_limits(today)
    _serve(
        first, last, *edge_arrays(today), slope, cost, prices.floor, limits, group_limits,
        *groups_of_rooms(today), members, starts, counter.use, counter.money, counter.shown,
    )  # fmt: skip


@njit(cache=True)
def _serve(
    first: int, last: int, values: Floats, rooms: Ints, affinity: Floats, takes: Ints,
    whale: Bools, slope: Floats, cost: Floats, floor: Floats, limits: Floats,
    group_limits: Floats, groups: Ints, group_starts: Ints, members: Ints, starts: Ints,
    use: Floats, money: Floats, shown: Bools,
) -> None:  # fmt: skip
    """Serve users in order; a room or group at its limit costs more than anything is worth."""
    group_use = np.zeros(group_limits.shape[0])
    for g in range(group_limits.shape[0]):
        for k in range(starts[g], starts[g + 1]):
            group_use[g] += use[SEAT, members[k]]
    for s in range(money.shape[0]):
        _close_if_full(s, use, limits, group_use, group_limits, groups, group_starts, members,
                       starts, cost)  # fmt: skip
    columns, reduced = np.empty(rooms.shape[1] + 1, np.int64), np.empty(rooms.shape[1] + 1)
    for i in range(first, last):
        kind = 1 if whale[i] else 0
        width = rooms.shape[1] if whale[i] else takes[i]  # a whale may be refused by value
        found = take(i, width, values, rooms, affinity, slope[kind], cost[kind], floor,
                     columns, reduced)  # fmt: skip
        taken = 0
        for k in range(found):
            j = columns[k]
            s, v = rooms[i, j], values[i, j]
            heavy = whale[i] and use[WHALE_VALUE, s] + v > limits[WHALE_VALUE, s]
            if taken == takes[i] or heavy or np.isinf(cost[kind, s]):
                continue
            taken += 1
            shown[i, j] = True
            _count(use, money, s, v, affinity[i, j] if affinity.shape[0] > 0 else 0.0, whale[i])
            for q in range(group_starts[s], group_starts[s + 1]):
                group_use[groups[q]] += 1.0
            _close_if_full(s, use, limits, group_use, group_limits, groups, group_starts, members,
                           starts, cost)  # fmt: skip


@njit(cache=True)
def _count(use: Floats, money: Floats, s: int, v: float, affinity: float, whale: bool) -> None:
    money[s] += v
    use[SEAT, s] += 1.0
    use[FLOOR, s] += affinity
    if whale:
        use[WHALE, s] += 1.0
        use[WHALE_VALUE, s] += v


@njit(cache=True)
def _close_if_full(
    s: int, use: Floats, limits: Floats, group_use: Floats, group_limits: Floats, groups: Ints,
    group_starts: Ints, members: Ints, starts: Ints, cost: Floats,
) -> None:  # fmt: skip
    """Put an infinite cost on a room, for whales or all, and on all rooms of a full group."""
    if use[SEAT, s] + 1.0 > limits[SEAT, s]:
        cost[:, s] = np.inf
    if use[WHALE, s] + 1.0 > limits[WHALE, s]:
        cost[1, s] = np.inf
    for q in range(group_starts[s], group_starts[s + 1]):
        g = groups[q]
        if group_use[g] + 1.0 > group_limits[g]:
            for k in range(starts[g], starts[g + 1]):
                cost[:, members[k]] = np.inf
