"""A fluid allocation, cut to the limits of its batch: what proves that a bound is tight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_dual import BatchPrices, edge_arrays, signed_limits
from giftlive.allocation.batch_kernels import FLOOR, KINDS, SEAT, WHALE, WHALE_VALUE
from giftlive.types import Bools, Floats, Ints

_SLACK = 1e-9  # relative: sums of shares are exact only to rounding


@dataclass(frozen=True)
class Fluid:
    """Shares of users over rooms that respect every limit but, perhaps, minima.

    Attributes
    ----------
    shares : [n, m] x_us in [0, 1].
    use : [KINDS, S] heads, affinity, whales and whale value per room. money : [S] V_s.
    shortfall : [S] what is missing of each minimum.
    worth : Σ g_s(V_s) less shortfall times its price where that is finite.
    feasible : whether nothing is missing, or what is missing has a finite price.
    """

    shares: Floats
    use: Floats
    money: Floats
    shortfall: Floats
    worth: float
    feasible: bool


def cut_to_limits(batch: Batch, shares: Floats, prices: BatchPrices) -> Fluid:
    """Return ``shares`` cut to the limits, edge by edge in falling order of p v + μ a.

    Users' own limits b_u must hold already.
    """
    rows, columns = np.nonzero(shares)
    rooms = batch.rooms[rows, columns]
    rank = prices.worth[rooms] * batch.values[rows, columns]
    if batch.affinity is not None:
        rank += prices.floor[rooms] * batch.affinity[rows, columns]
    order = np.argsort(-rank, kind="stable")
    limits, group_limits = signed_limits(batch)
    left, group_left = limits.copy(), group_limits.copy()
    left[FLOOR] = np.inf
    kept = shares.copy()
    values, listed, affinity, _, whale = edge_arrays(batch)
    use, money = _cut(
        rows[order], columns[order], kept, values, listed, affinity, whale, left, group_left,
        *groups_of_rooms(batch),
    )  # fmt: skip
    return measured(batch, kept, use, money)


def measured(batch: Batch, shares: Floats, use: Floats, money: Floats) -> Fluid:
    """Return the fluid with its worth, given its use and value per room."""
    shortfall = np.zeros(batch.room_count)
    if batch.minimum is not None:
        shortfall = np.maximum(batch.minimum * (1.0 - _SLACK) - use[FLOOR], 0.0)
    worth = float(batch.returns.value(money).sum())
    hard = not np.isfinite(batch.shortfall_price)
    if not hard:
        worth -= batch.shortfall_price * float(shortfall.sum())
    return Fluid(shares, use, money, shortfall, worth, not (hard and shortfall.any()))


def tally(batch: Batch, shares: Floats) -> tuple[Floats, Floats]:
    """Return use [KINDS, S] and value [S] per room of any shares [n, m]."""
    rows, columns = np.nonzero(shares)
    rooms, part = batch.rooms[rows, columns], shares[rows, columns]
    value, whale = part * batch.values[rows, columns], batch.is_whale[rows]
    use = np.zeros((KINDS, batch.room_count))
    use[SEAT] = np.bincount(rooms, part, batch.room_count)
    if batch.affinity is not None:
        use[FLOOR] = np.bincount(rooms, part * batch.affinity[rows, columns], batch.room_count)
    use[WHALE] = np.bincount(rooms, part * whale, batch.room_count)
    use[WHALE_VALUE] = np.bincount(rooms, value * whale, batch.room_count)
    return use, np.bincount(rooms, value, batch.room_count).astype(np.float64)


def fits(batch: Batch, shares: Floats) -> bool:
    """Return whether ``shares`` meet every limit of rooms and groups, minima included."""
    use, _ = tally(batch, shares)
    limits, group_limits = signed_limits(batch)
    use[FLOOR] *= -1.0
    ok = bool((use <= limits + _SLACK * np.abs(np.where(np.isfinite(limits), limits, 0.0))).all())
    if batch.groups is not None:
        heads = batch.groups @ use[SEAT]
        ok = ok and bool((heads <= group_limits * (1.0 + _SLACK)).all())
    return ok


def groups_of_rooms(batch: Batch) -> tuple[Ints, Ints]:
    """Return the groups of all rooms, one room after the other, and where each room starts."""
    if batch.groups is None:
        return np.zeros(0, np.int64), np.zeros(batch.room_count + 1, np.int64)
    groups = np.nonzero(batch.groups.T)[1].astype(np.int64)
    return groups, np.concatenate([[0], np.cumsum(batch.groups.sum(axis=0))]).astype(np.int64)


@njit(cache=True)
def _cut(
    rows: Ints, columns: Ints, kept: Floats, values: Floats, rooms: Ints, affinity: Floats,
    whale: Bools, left: Floats, group_left: Floats, groups: Ints, starts: Ints,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Reduce ``kept`` in the given order to what is ``left``; return use and value per room."""
    use, money = np.zeros(left.shape), np.zeros(left.shape[1])
    for q in range(rows.shape[0]):
        i, j = rows[q], columns[q]
        s, v = rooms[i, j], values[i, j]
        part = min(kept[i, j], left[SEAT, s])
        for k in range(starts[s], starts[s + 1]):
            part = min(part, group_left[groups[k]])
        if whale[i]:
            part = min(part, left[WHALE, s])
            if part * v > left[WHALE_VALUE, s]:
                part = left[WHALE_VALUE, s] / v
            use[WHALE, s] += part
            use[WHALE_VALUE, s] += part * v
            left[WHALE, s] -= part
            left[WHALE_VALUE, s] = max(0.0, left[WHALE_VALUE, s] - part * v)
        left[SEAT, s] -= part
        for k in range(starts[s], starts[s + 1]):
            group_left[groups[k]] -= part
        kept[i, j] = part
        use[SEAT, s] += part
        money[s] += part * v
        if affinity.shape[0] > 0:
            use[FLOOR, s] += part * affinity[i, j]
    return use, money
