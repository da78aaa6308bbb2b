"""Rounds with hard seats: prices from another day, policies, and the exact optimum of the rounds.

Every round all rooms are empty and their seats are free, so that the best anyone could do with
true values is one assignment per round, solved exactly: its sum is the offline optimum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from giftlive.allocation import Batch, Prices, batch_certificate, optimal_assignment
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

    The users come from a stream of their own; of users who do not come today values are not
    needed elsewhere, so both days draw from those who do.
    """
    known = np.unique(market.rounds)
    g = stream(market.seed, "users of another day")
    users = g.choice(known, TRAINING_ROUNDS * market.rounds.shape[1])
    batch = Batch(
        values=values[users],
        rooms=np.tile(np.arange(values.shape[1]), (len(users), 1)),
        capacity=(TRAINING_ROUNDS * market.seats).astype(np.float64),
        label="estimated",
    )
    priced = batch_certificate(batch, passes=60, tolerance=2e-3)
    return SeatPrices(priced.prices.seat, priced.price_share)


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
