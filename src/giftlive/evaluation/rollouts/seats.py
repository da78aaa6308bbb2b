"""Rounds with hard seats: prices from another day, policies, and the exact optimum of the rounds.

Every round all rooms are empty and their seats are free, so that the best anyone could do with
true values is one assignment per round, solved exactly: its sum is the offline optimum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from giftlive.allocation import Prices, optimal_assignment
from giftlive.clock import MS_PER_DAY
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import Contestant
from giftlive.evaluation.rollouts.market import Market
from giftlive.rng import stream
from giftlive.types import Floats, Ints

OPTIMUM = "offline optimum"
TRAINING_ROUNDS = 8
"""Rounds of the other day on which prices are formed."""


def seated(cell: Cell, load: float, differentiation: float) -> Cell:
    """Return ``cell`` at a load and a vertical differentiation of its streamers.

    The load is the users of a round over all seats; differentiation is the weight of the streamer's
    own quality in the logit of a gift, 0: streamers differ by taste alone. Nothing else in a room
    acts: the externality of big donors is off, so that the optimum is exact. The cell's setting
    ``sizes`` holds users, streamers, seats of each, and rounds.
    """
    users, streamers, seats, rounds = cell.setting("sizes")
    changed = dict(cell.overrides) | {
        "sizes.users": str(users),
        "sizes.streamers": str(streamers),
        "rounds.rounds": str(rounds),
        "externality.donor_gamma": "0.0",
        "gift.skill": f"{differentiation:g}",
        "seats.mode": "hard",
        "tiers.shares": "[1.0]",
        "tiers.seats": f"[{seats}]",
        "rounds.users_per_round": str(max(1, round(load * streamers * seats))),
    }
    return replace(cell, scale="full", overrides=tuple(sorted(changed.items())))


def optimum(market: Market) -> float:
    """Return Σ over rounds of the best assignment of true values to free seats."""
    rooms = np.tile(np.arange(market.true.shape[1]), (market.rounds.shape[1], 1))
    return float(sum(_assigned(market.true[users], rooms, market.seats) for users in market.rounds))


def _assigned(values: Floats, rooms: Ints, seats: Ints) -> float:
    choice = optimal_assignment(values, rooms, seats).choice
    shown = np.flatnonzero(choice >= 0)
    return float(values[shown, choice[shown]].sum())


@dataclass(frozen=True)
class SeatPrices:
    """Prices of another day's rounds, and what they say about this one.

    Attributes
    ----------
    seat : [S] money per seat. price_share : part of the value placed that the seats are paid.
    """

    seat: Floats
    price_share: float


def seat_prices(market: Market, values: Floats) -> SeatPrices:
    """Price the seats on rounds of other users, as ``values`` [U, S] say.

    The users come from a stream of their own, out of those who come today: of others nothing is
    estimated.
    """
    known = np.unique(market.rounds)
    g = stream(market.seed, "users of another day")
    users = g.choice(known, TRAINING_ROUNDS * market.rounds.shape[1])
    seats = TRAINING_ROUNDS * market.seats
    price = clearing_prices(values[users], seats)
    left = (values[users] - price).max(axis=1).clip(0.0).sum()
    paid = float(price @ seats)
    return SeatPrices(price, paid / (paid + float(left)) if paid else 0.0)


def clearing_prices(values: Floats, seats: Ints, sweeps: int = 40) -> Floats:
    """Return [S] prices at which, nearly, nobody wants a seat that is not there.

    An ascending auction in the manner of Demange, Gale & Sotomayor (1986): from 0 on, each room in
    turn is priced at the bid of the first user it has no seat for, a bid being what the user gains
    there over his best other room at its price. Prices only rise, from below the smallest duals of
    the assignment; wars between rooms that near indifferent users want end with the sweeps. The
    dual bound at these prices is within 1 % of the optimum (tested).

    Parameters
    ----------
    values : [n, S] of users who take at most one seat. seats : [S]. sweeps : at most so many.

    Examples
    --------
    >>> clearing_prices(np.array([[5.0, 1.0], [3.0, 2.0], [4.0, 0.5]]), np.array([1, 1])).tolist()
    [3.5, 0.0]
    """
    price = np.zeros(values.shape[1])
    scarce = np.flatnonzero(seats < len(values))
    by_user, by_room = np.ascontiguousarray(values), np.ascontiguousarray(values.T)
    best = _BestTwo(np.empty((len(values), 2)), np.empty((len(values), 2), dtype=np.int64))
    _look(by_user, price, best, -1)
    for _ in range(sweeps):
        if not _sweep(by_user, by_room, seats, scarce, price, best):
            break
    return price


class _BestTwo(NamedTuple):
    """[n, 2] the two rooms in which every user gains most at the prices, and what he gains."""

    net: Floats
    room: Ints


@njit(cache=True)
def _sweep(by_user, by_room, seats, scarce, price, best):  # type: ignore[no-untyped-def]
    """Price every scarce room in turn; return whether a price rose.

    The best other room of a user is one of his best two. They change only where one of them rises:
    other users are not looked at again.
    """
    rose, bids = False, np.empty(by_room.shape[1])
    for s in scarce:
        above = 0
        for user in range(by_room.shape[1]):
            other = best.net[user, 1 if best.room[user, 0] == s else 0]
            bid = by_room[s, user] - max(other, 0.0)
            if bid > price[s]:
                bids[above] = bid
                above += 1
        first_out = above - 1 - seats[s]
        if first_out >= 0:
            price[s], rose = np.partition(bids[:above], first_out)[first_out], True
            _look(by_user, price, best, s)
    return rose


@njit(cache=True)
def _look(by_user, price, best, rising):  # type: ignore[no-untyped-def]
    """Find the best two rooms of users who have ``rising`` among them; -1: of all users."""
    for user in range(by_user.shape[0]):
        net, room = best.net[user], best.room[user]
        if rising >= 0 and room[0] != rising and room[1] != rising:
            continue
        net[:], room[:] = -np.inf, -1
        for s in range(len(price)):
            gain = by_user[user, s] - price[s]
            if gain > net[0]:
                net[1], room[1] = net[0], room[0]
                net[0], room[0] = gain, s
            elif gain > net[1]:
                net[1], room[1] = gain, s


def as_prices(seat: Floats) -> Prices:
    """Return prices per seat as prices per second: a seat is held for one round, one second."""
    return Prices(seat[:, None], 0, MS_PER_DAY, np.ones(1))


def lineup(prices: SeatPrices) -> Iterator[Contestant]:
    """Yield the policies that share the seats of a round.

    Greedy runs into full rooms, its capped form takes the best free one. Rules add a discount for
    crowds. Prices: of every room, one for all, and none but the whole round solved at once.
    """
    fixed: dict[str, Any] = {"prices": as_prices(prices.seat), "learning_rate": 0.0}
    yield Contestant("greedy", "greedy")
    yield Contestant("greedy_with_cap", "greedy_with_cap")
    yield Contestant("greedy_with_rules", "greedy_with_rules", {"congestion": 0.3})
    yield Contestant("one_price", "dual_price", fixed | {"pooled": True})
    yield Contestant("dual_price", "dual_price", fixed)
    yield Contestant("batch_optimal", "batch_optimal")
