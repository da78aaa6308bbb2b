"""Tiers: prices drawn by tilted chances, and seats by the rank of a streamer's popularity.

Prices a_k with base chances c_k are tilted by wealth and match like an exponential family:

    P(a_k | tau) = c_k a_k^tau / sum_j c_j a_j^tau,   E[a | tau] = M(tau + 1) / M(tau),

with tau the location of the amount (``amount.base + wealth log1p(w) + match m``) and
M(t) = sum_k c_k a_k^t. tau = 0 gives the base chances; a larger tau moves weight to dearer prices.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.types import Floats, Ints
from giftlive.world.scenario import Tiers


class TierTable(NamedTuple):
    """[K] prices in increasing order, and the logarithms of price and base chance; [0] is off."""

    price: Floats
    log_price: Floats
    log_chance: Floats


def tier_table(tiers: Tiers) -> TierTable:
    """Return the price tiers of a scenario as the compiled law reads them."""
    price, chance = (np.asarray(x, dtype=np.float64) for x in (tiers.prices, tiers.chances))
    order = np.argsort(price, kind="stable")
    return TierTable(price[order], np.log(price[order]), np.log(chance[order]))


def tier_seats(popularity: Floats, tiers: Tiers) -> Ints:
    """Return the seats [S] of streamers: ``shares`` of them, most popular first, get ``seats``.

    Equally popular streamers are taken by index; the last tier takes what rounding leaves.

    Examples
    --------
    >>> tiers = Tiers(shares=(0.1, 0.5, 0.4), seats=(100, 50, 20))
    >>> tier_seats(np.array([3.0, 9.0, 1.0, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0, 0.5]), tiers).tolist()
    [20, 100, 20, 20, 50, 50, 50, 50, 50, 20]
    """
    count = len(popularity)
    ends = np.rint(np.cumsum(tiers.shares) * count).astype(np.int64)
    ends[-1] = count
    by_rank = np.repeat(np.asarray(tiers.seats, dtype=np.int64), np.diff(ends, prepend=0))
    seats = np.empty(count, dtype=np.int64)
    seats[np.argsort(-popularity, kind="stable")] = by_rank
    return seats


@njit(inline="always")
def _weight(tiers, tilt, shift, k):  # type: ignore[no-untyped-def]
    return math.exp(tiers.log_chance[k] + tilt * tiers.log_price[k] - shift)


@njit(inline="always")
def _largest(tiers, tilt):  # type: ignore[no-untyped-def]
    """Return the largest exponent of a weight; taken out of all, nothing overflows."""
    top = -math.inf
    for k in range(tiers.price.size):
        top = max(top, tiers.log_chance[k] + tilt * tiers.log_price[k])
    return top


@njit(inline="always")
def tilted_mean(tiers, tilt, worth):  # type: ignore[no-untyped-def]
    """Return E[worth | tilt], exact: of ``price`` the expected amount, of ``log_price`` log M'."""
    shift, mass, total = _largest(tiers, tilt), 0.0, 0.0
    for k in range(tiers.price.size):
        weight = _weight(tiers, tilt, shift, k)
        mass += weight
        total += weight * worth[k]
    return total / mass


@njit(inline="always")
def tilted_price(tiers, tilt, u):  # type: ignore[no-untyped-def]
    """Return the price at which the cumulative tilted chance first exceeds ``u`` in (0, 1)."""
    shift, mass = _largest(tiers, tilt), 0.0
    for k in range(tiers.price.size):
        mass += _weight(tiers, tilt, shift, k)
    k, left = 0, u * mass - _weight(tiers, tilt, shift, 0)
    while left >= 0.0 and k < tiers.price.size - 1:
        k += 1
        left -= _weight(tiers, tilt, shift, k)
    return tiers.price[k]
