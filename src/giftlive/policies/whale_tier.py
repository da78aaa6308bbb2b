"""Whales first: an exact assignment under a cap per room, then any policy for everybody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.allocation.flow import optimal_assignment
from giftlive.errors import ConfigError, InputError
from giftlive.policies.base import (
    Policy,
    at_rooms,
    final_at,
    reasons_of,
    require_rooms,
    value_heard,
)
from giftlive.policies.choice import refuse_nan
from giftlive.policies.greedy import GreedyWithCap
from giftlive.policies.limits import Limit, first_nan, limits_of, without
from giftlive.types import Bools, DecisionBatch, Decisions, Feedback, Floats, Ints

WHALE = "whale_tier"
"""Code of a row that the assignment decided."""

_DEAREST = 0.99


@dataclass(frozen=True)
class Whales:
    """The whales that are watching, all [w].

    Attributes
    ----------
    room : where. value : as estimated when shown. until : ms at which they leave; a platform knows
        at any time who is still there, and nothing else is read from it.
    """

    room: Ints
    value: Floats
    until: Ints


@dataclass(frozen=True)
class TierState:
    """Whales inside, the price of whale value per room, and the state of the other policy.

    Attributes
    ----------
    inside : as of the last feedback, leavers gone. price : [S] share of a whale's value, >= 0.
    rest : of the policy for everybody else.
    """

    inside: Whales
    price: Floats
    rest: Any


@dataclass(frozen=True)
class WhaleTier:
    """Assign the whales of a batch at best under k per room, then let ``rest`` serve the others.

    In each batch the whales' assignment
    maximises Σ v_us x_us with at most k - (whales inside) of them per room and its free seats, as a
    minimum-cost flow: exact, however the batch is ordered. Nobody is shown a room that would
    exceed k; a whale without such a room, or to whom none is worth more than 0, is shown nothing.
    By value, Σ_{whales inside} v <= K
    holds as well: the flow sees v (1 - price_s), the price follows how full the room is of
    whale value, and what would exceed K moves to the best room that can take it, largest first.
    K and its price are in money of the value model: what a wrapper charges moves a whale, but
    fills no room.

    k binds only where whales meet: with W whales at once whose favourite draws a share p, when
    W p > k. Otherwise this is ``rest`` with whales first.

    Attributes
    ----------
    k : whales per room at a time, >= 0. largest_value : K > 0, money per room; inf: no such cap.
    learning_rate : of the price of whale value, per batch.
    whales : [U] who is one, by dense user; None: nobody.
    rest : policy for everybody else; it sees the seats that whales left.
    """

    k: int = 2
    largest_value: float = float("inf")
    learning_rate: float = 0.05
    whales: Bools | None = None
    rest: Policy[Any] = field(default_factory=GreedyWithCap)
    respect_seats: bool = True
    name: str = "whale_tier"

    def __post_init__(self) -> None:
        if self.k < 0:
            raise ConfigError(f"{self.k}", "whale_tier.k", ">= 0 whales per room")
        if not self.largest_value > 0.0:
            raise ConfigError(f"{self.largest_value}", "whale_tier.largest_value", "> 0")
        if not 0.0 <= self.learning_rate < np.inf:
            raise ConfigError(f"{self.learning_rate}", "whale_tier.learning_rate", ">= 0")

    def init(self, seats: Ints, /) -> TierState:
        """Return rooms without whales."""
        none = np.zeros(0, dtype=np.int64)
        nobody = Whales(none, np.zeros(0), none)
        return TierState(nobody, np.zeros(len(seats)), self.rest.init(seats))

    def decide(
        self, state: TierState, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Assign the whales, close their rows and seats, and let the other policy decide."""
        refuse_nan(first_nan(batch))
        price = at_rooms(state.price, batch)
        whale = self._is_whale(batch.observation.user)
        choice = np.full(len(batch), -1, dtype=np.int64)
        choice[whale] = self._assign(state, batch, whale)
        decisions = self.rest.decide(state.rest, without(batch, whale, choice), rng)
        chances, chosen = decisions.propensities.copy(), np.flatnonzero(choice >= 0)
        chances[chosen, choice[chosen]] = 1.0
        reason = reasons_of(decisions)
        reason[whale & batch.available.any(axis=1)] = WHALE
        charges = np.zeros(chances.shape) if decisions.charges is None else decisions.charges
        priced = np.where(batch.available, batch.worth * price, 0.0)
        charges = np.where(whale[:, None], priced, charges)
        return Decisions(np.where(whale, choice, decisions.choice), chances, charges, reason)

    def limits(self, state: TierState, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the places and the value that whales may still take, and limits of the rest.

        They leave out the seats: whoever finds a room full is refused at its door.
        """
        whale, rooms = self._is_whale(batch.observation.user), batch.observation.rooms
        require_rooms(batch, len(state.price))
        resource, old, count = np.where(whale[:, None], rooms, -1), state.inside, len(state.price)
        places = (self.k - np.bincount(old.room, minlength=count)).astype(np.float64)
        found = [Limit(resource, places, WHALE)]
        if np.isfinite(self.largest_value):
            held = np.bincount(old.room, old.value, count).astype(np.float64)
            value: Floats = self.largest_value - held
            found.append(Limit(resource, value, WHALE, np.maximum(batch.worth, 0.0)))
        others = limits_of(self.rest, state.rest, batch)
        return *found, *(limit.sparing(whale) for limit in others)

    def update(self, state: TierState, feedback: Feedback, /) -> TierState:
        """Return the state with whales that came and without those that left."""
        ends = final_at(feedback)
        came = feedback.admitted & (ends > feedback.ts) & self._is_whale(feedback.user)
        stay, old = state.inside.until > feedback.ts, state.inside
        inside = Whales(
            np.concatenate([old.room[stay], feedback.room[came]]),
            np.concatenate([old.value[stay], value_heard(feedback, self.name)[came]]),
            np.concatenate([old.until[stay], ends[came]]),
        )
        price = state.price
        if np.isfinite(self.largest_value):
            full = np.bincount(inside.room, inside.value, len(price)) / self.largest_value
            price = np.clip(price + self.learning_rate * (full - 1.0), 0.0, _DEAREST)
        return TierState(inside, price, self.rest.update(state.rest, feedback))

    def _is_whale(self, users: Ints) -> Bools:
        if self.whales is None:
            return np.zeros(len(users), dtype=np.bool_)
        if users.max(initial=-1) >= len(self.whales):
            raise InputError(
                f"user {users.max()}, {len(self.whales)} entries", "whale_tier.whales", "all users"
            )
        return self.whales[users]

    def _assign(self, state: TierState, batch: DecisionBatch, whale: Bools) -> Ints:
        """Return [w] the columns of the whales of the batch, -1 for nothing."""
        seen = batch.observation
        rooms, worth = seen.rooms[whale], batch.worth[whale]
        there = rooms >= 0
        if not there.any():
            return np.full(len(rooms), -1, dtype=np.int64)
        held = np.bincount(state.inside.room, minlength=len(state.price))
        left = np.full(len(state.price), self.k, dtype=np.int64) - held
        if self.respect_seats:
            np.minimum.at(left, rooms[there], seen.seats_left[whale][there])
        left = left.clip(0)
        known, compact = np.unique(rooms[there], return_inverse=True)
        dense = np.full(rooms.shape, -1, dtype=np.int64)
        dense[there] = compact
        values = batch.values[whale]
        net = np.where(there, values - worth * state.price[rooms], 0.0)
        choice = optimal_assignment(net, dense, left[known]).choice
        if np.isfinite(self.largest_value):
            load: Floats = np.bincount(
                state.inside.room, state.inside.value, len(state.price)
            ).astype(np.float64)
            choice = _within_value(
                choice, values, worth, dense, left[known], load[known], self.largest_value
            )
        return choice


def _within_value(
    choice: Ints, values: Floats, worth: Floats, rooms: Ints, left: Ints, load: Floats, most: float
) -> Ints:
    """Return choices whose worth fits into ``most`` per room, largest first, moved or dropped."""
    kept, free, load = np.full(len(choice), -1, dtype=np.int64), left.copy(), load.copy()
    first = np.where(choice >= 0, worth[np.arange(len(choice)), choice], -np.inf)
    for i in np.argsort(-first, kind="stable"):
        fits = (rooms[i] >= 0) & (free[rooms[i]] > 0) & (values[i] > 0.0)
        fits &= load[rooms[i]] + worth[i] <= most
        column = choice[i]
        if column < 0 or not fits[column]:
            column = int(np.argmax(np.where(fits, values[i], -np.inf))) if fits.any() else -1
        if column >= 0:
            kept[i] = column
            free[rooms[i, column]] -= 1
            load[rooms[i, column]] += worth[i, column]
    return kept
