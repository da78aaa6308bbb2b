"""The small world of a what-if: rounds with hard seats, whales, and rooms that nobody knows yet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import eye_array, kron, vstack

from giftlive.allocation import Prices
from giftlive.clock import MS_PER_DAY
from giftlive.evaluation.rollout import TableValuer
from giftlive.rng import stream
from giftlive.types import Bools, Floats, Ints
from giftlive.world import World, build_world, load_scenario
from giftlive.world.rounds import RoundsArena
from giftlive.world.truth import true_value

PRESET = "v2"
OVERRIDES = {
    "sizes.users": "600",
    "sizes.streamers": "40",
    "rounds.rounds": "15",
    "rounds.users_per_round": "120",
    "people.tail_share": "0.1",
    "seats.mode": "hard",
    "tiers.shares": "[0.1, 0.5, 0.4]",
    "tiers.seats": "[12, 5, 2]",
}
"""``v2`` made small: 120 users a round for 180 seats, so that the good rooms are short."""

NEW_SHARE, WHALE_SHARE = 0.2, 0.1
ERRORS = 0.4, 0.25
"""Sd of the log error of the estimated values: of a pair, and of a room."""
UNKNOWN = 0.25
"""Quantile of a user's values of known rooms, which a room without a past is taken for."""
TRAINING_ROUNDS = 4


@dataclass(frozen=True)
class Market:
    """One seed of the small world, with what a platform would believe of it.

    Attributes
    ----------
    world : in rounds mode. seed : of the world, the users of every round, the draws, the errors.
    """

    world: World
    seed: int

    @classmethod
    def of(cls, seed: int) -> Market:
        """Return the market of a seed."""
        return cls(build_world(load_scenario(PRESET, "full", OVERRIDES), seed), seed)

    def arena(self) -> RoundsArena:
        """Return the arena; every policy meets the same users and the same draws in it."""
        return RoundsArena(self.world, self.seed)

    @cached_property
    def seats(self) -> Ints:
        """[S] seats of every room."""
        return self.arena().seats

    @cached_property
    def newcomers(self) -> Bools:
        """[S] rooms whose worth is unknown: drawn, so that they are as good as the others."""
        rooms = len(self.world.streamer_ids)
        chosen = stream(self.seed, "newcomers").permutation(rooms)[: round(NEW_SHARE * rooms)]
        new = np.zeros(rooms, dtype=np.bool_)
        new[chosen] = True
        return new

    @cached_property
    def whales(self) -> Bools:
        """[U] the users of largest wealth."""
        wealth = self.world.scene.users.wealth
        return np.asarray(wealth > np.quantile(wealth, 1.0 - WHALE_SHARE))

    @cached_property
    def estimated(self) -> Floats:
        """[U, S] E[amount | shown] with log-normal errors; of a newcomer, a cautious guess.

        A platform knows nothing of a newcomer's pull, and expects of each user what the poorer
        rooms bring: the quantile ``UNKNOWN`` of that user's values of the known ones.
        """
        users, rooms = len(self.world.user_ids), len(self.world.streamer_ids)
        every = np.arange(users)[:, None]
        true = true_value(self.world, every, np.arange(rooms), self.world.origin_ms)
        rng, (pair, room) = stream(self.seed, "errors of values"), ERRORS
        error = pair * rng.standard_normal(true.shape) + room * rng.standard_normal(rooms)
        said = true * np.exp(error - (pair**2 + room**2) / 2.0)
        known = said[:, ~self.newcomers]
        said[:, self.newcomers] = np.quantile(known, UNKNOWN, axis=1)[:, None]
        return said

    def valuer(self) -> TableValuer:
        """Return the lookup of the estimates; a seat is held for one round, one second."""
        return TableValuer(self.estimated, np.ones_like(self.estimated))

    @cached_property
    def prices(self) -> Prices:
        """Seat prices formed on rounds of other users, as the estimates say."""
        many = TRAINING_ROUNDS * self.world.scenario.rounds.users_per_round
        came = stream(self.seed, "users of another day").choice(len(self.world.user_ids), many)
        seat = clearing_prices(self.estimated[came], TRAINING_ROUNDS * self.seats)
        return Prices(seat[:, None], 0, MS_PER_DAY, np.ones(1))


def clearing_prices(values: Floats, seats: Ints) -> Floats:
    """Return [S] the exact dual prices λ >= 0 of seats when each of n users takes one at most.

    The duals of max Σ v x under Σ_s x_us <= 1 and Σ_u x_us <= C_s: at them every user's best room
    by v - λ has a seat, and a room with seats to spare is free. Solved as a linear program, which a
    market this small allows: a gift's tail makes most values tiny beside their mean, and with them
    the prices, which a descent with steps of that mean would miss.

    Parameters
    ----------
    values : [n, S] >= 0. seats : [S] C_s.

    Examples
    --------
    >>> clearing_prices(np.array([[3.0, 1.0], [2.0, 1.5]]), np.array([1, 5])).tolist()
    [0.5, 0.0]
    """
    n, rooms = values.shape
    one_each = kron(eye_array(n), np.ones((1, rooms)))
    one_seat = kron(np.ones((1, n)), eye_array(rooms))
    limits = np.concatenate([np.ones(n), seats.astype(np.float64)])
    both: Any = vstack([one_each, one_seat]).tocsr()
    solved: Any = linprog(-values.ravel(), both, limits, method="highs")
    return np.asarray(np.maximum(-solved.ineqlin.marginals[n:], 0.0))
