"""The dual of a batch: for any prices >= 0 an upper bound on what any allocation is worth.

With x_us <= 1 and the reduced value of user *u* in room *s*::

    r_us = p_s v_us - λ_s + μ_s a_us - (κ_s + π_s v_us) 1{u whale} - Σ_{G containing s} ν_G
    D = Σ_s g*_s(p_s) + Σ_u Σ_{the b_u largest} max(0, r_us)
        + Σ_s (C_s λ_s - L_s μ_s + k_s κ_s + K_s π_s) + Σ_G K_G ν_G

Weak duality: every feasible x has Σ_s g_s(V_s) <= Σ_s (g*_s(p_s) + p_s V_s), and adding each price
times the slack of its limit, which is >= 0, gives at most D. It needs true values, hard limits and
a fixed list of users; on estimates it bounds estimated value. Where the minima cannot be met at
all, D falls without limit as μ grows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.allocation import batch_kernels as kernels
from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_kernels import FLOOR, KINDS, SEAT, WHALE, WHALE_VALUE
from giftlive.errors import InputError
from giftlive.types import Bools, Floats, Ints


@dataclass(frozen=True)
class BatchPrices:
    """One price for every limit, and the marginal worth of value in every room.

    Attributes
    ----------
    worth : [S] p_s, what one unit of expected value counts in the room; 1 for linear returns.
    seat : [S] λ_s, money per seat.
    floor : [S] μ_s, money per unit of guaranteed affinity: what guaranteed exposure costs.
    whale : [S] κ_s, money per whale. whale_value : [S] π_s, share of a whale's value.
    group : [G] ν_G, money per viewer of the group.
    """

    worth: Floats
    seat: Floats
    floor: Floats
    whale: Floats
    whale_value: Floats
    group: Floats

    @classmethod
    def zero(cls, batch: Batch) -> BatchPrices:
        """Return prices of 0 at a worth of 1: under them every user is on its own."""
        none = np.zeros(batch.room_count)
        return cls(none + 1.0, none, none, none, none, np.zeros(group_count(batch)))

    @property
    def packed(self) -> Floats:
        """Prices of the limits of single rooms, [KINDS, S], as the kernels read them."""
        return np.stack([self.seat, self.floor, self.whale, self.whale_value])

    @classmethod
    def unpack(cls, worth: Floats, packed: Floats, group: Floats) -> BatchPrices:
        """Return copies of the kernels' arrays."""
        seat, floor, whale, whale_value = (packed[kind].copy() for kind in range(KINDS))
        return cls(worth.copy(), seat, floor, whale, whale_value, group.copy())

    def checked(self, batch: Batch) -> BatchPrices:
        """Return the prices if they fit the batch.

        Raises
        ------
        InputError
            When a shape is wrong, or a price is negative or not a number.
        """
        for name in ("worth", "seat", "floor", "whale", "whale_value", "group"):
            given = getattr(self, name)
            size = group_count(batch) if name == "group" else batch.room_count
            if given.shape != (size,):
                raise InputError(f"shape {given.shape}", f"BatchPrices.{name}", f"({size},)")
            if not (given >= 0.0).all():
                raise InputError("negative or not a number", f"BatchPrices.{name}", ">= 0")
        return self


@dataclass(frozen=True)
class Response:
    """What users take at given prices.

    Attributes
    ----------
    reduced : Σ_u Σ max(0, r_us) of what they take.
    use : [KINDS, S] heads, affinity, whales and whale value per room. money : [S] V_s.
    """

    reduced: float
    use: Floats
    money: Floats


def batch_bound(batch: Batch, prices: BatchPrices) -> float:
    """Return D at ``prices``: no allocation of the batch is worth more.

    Infinite where a worth below 1 makes g* infinite, a price > 0 is put on a limit that is
    infinite, or a minimum is priced above what missing it costs.

    Examples
    --------
    Two users, one seat; the price that clears it proves the optimum.

    >>> batch = Batch(np.array([[5.0], [3.0]]), np.zeros((2, 1), np.int64), np.ones(1))
    >>> none = np.zeros(1)
    >>> prices = BatchPrices(np.ones(1), np.array([3.0]), none, none, none, np.zeros(0))
    >>> batch_bound(batch, prices)
    5.0
    """
    return bound_and_response(batch, prices.checked(batch))[0]


def bound_and_response(
    batch: Batch, prices: BatchPrices, shown: Floats | None = None
) -> tuple[float, Response]:
    """Return D and what users take; ``shown`` [n, m] counts the edges taken where given."""
    arrays = edge_arrays(batch)
    members, starts = group_members(batch)
    packed = prices.packed
    slope, cost = kernels.lines(prices.worth, packed, prices.group, members, starts)
    use, money = np.zeros((KINDS, batch.room_count)), np.zeros(batch.room_count)
    everyone = np.arange(len(batch))
    marks = np.empty((0, 0)) if shown is None else shown
    reduced = float(
        kernels.respond(everyone, *arrays, slope, cost, prices.floor, use, money, marks)
    )
    limits, group_limits = signed_limits(batch)
    charge = priced(limits, packed) + priced(group_limits, prices.group)
    if (prices.floor > batch.shortfall_price).any():
        charge = np.inf
    bound = float(batch.returns.conjugate(prices.worth).sum()) + reduced + charge
    return bound, Response(reduced, use, money)


def priced(limits: Floats, prices: Floats) -> float:
    """Return Σ limit * price, where a price of 0 makes an infinite limit free."""
    on = prices > 0.0
    return float((limits[on] * prices[on]).sum())


def group_count(batch: Batch) -> int:
    """Return G."""
    return 0 if batch.group_cap is None else len(batch.group_cap)


def signed_limits(batch: Batch) -> tuple[Floats, Floats]:
    """Return (C, -L, k, K) as [KINDS, S] and K_G as [G]; infinite where there is no limit."""
    limits = np.full((KINDS, batch.room_count), np.inf)
    limits[SEAT] = batch.capacity
    if batch.minimum is not None:
        limits[FLOOR] = -batch.minimum
    if batch.whale_cap is not None:
        limits[WHALE] = batch.whale_cap
    if batch.whale_value_cap is not None:
        limits[WHALE_VALUE] = batch.whale_value_cap
    return limits, np.zeros(0) if batch.group_cap is None else batch.group_cap.astype(np.float64)


def group_members(batch: Batch) -> tuple[Ints, Ints]:
    """Return the rooms of all groups, one group after the other, and where each group starts."""
    if batch.groups is None:
        return np.zeros(0, np.int64), np.zeros(1, np.int64)
    members = np.nonzero(batch.groups)[1].astype(np.int64)
    return members, np.concatenate([[0], np.cumsum(batch.groups.sum(axis=1))]).astype(np.int64)


def edge_arrays(batch: Batch) -> tuple[Floats, Ints, Floats, Ints, Bools]:
    """Return values, rooms, affinity (no rows: none), b_u and whale flags for the kernels."""
    affinity = np.empty((0, 0)) if batch.affinity is None else batch.affinity
    return (
        np.ascontiguousarray(batch.values, dtype=np.float64),
        np.ascontiguousarray(batch.rooms, dtype=np.int64),
        np.ascontiguousarray(affinity, dtype=np.float64),
        np.minimum(batch.takes, batch.rooms.shape[1]).astype(np.int64),
        np.ascontiguousarray(batch.is_whale, dtype=np.bool_),
    )
