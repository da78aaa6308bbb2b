"""The best value after paying for the seat: v - price * expected seat-seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numba import njit

from giftlive.allocation.prices import Prices
from giftlive.clock import MS_PER_HOUR
from giftlive.errors import ConfigError
from giftlive.policies.base import require_rooms
from giftlive.policies.choice import open_seats, refuse_nan, seat_counter, take_seat
from giftlive.types import UNLIMITED_SEATS, DecisionBatch, Decisions, Feedback, Floats, Ints

_LARGEST_FACTOR = 100.0


@dataclass(frozen=True)
class PriceState:
    """What the policy believes a second in each room costs.

    Attributes
    ----------
    per_second : [S, T] price of one expected second of a stay that starts in the bucket.
    factor : [S] what the day's occupancy has multiplied those by.
    ts : ms of the last feedback, -1 before the first.
    """

    per_second: Floats
    factor: Floats
    ts: int


@dataclass(frozen=True)
class DualPrice:
    """Show, among rooms with a free seat, the largest v_s - λ_s(t) * seat_seconds_s.

    λ starts from the prices of another day (``train_prices``) and, with ``learning_rate`` > 0,
    follows the occupancy, by mirror descent on the dual. With the entropy as mirror map each room's
    price is multiplied by exp(rate * hours * (occupancy / seats - target)), within a factor 100
    either way; with the Euclidean one rate * hours * (occupancy / seats - target) opening prices
    are added, down to 0 and up to 100 of them. The target lies below 1 because occupancy is demand
    cut off at the seats: it cannot show more than full.

    A negative best score means that, at these prices, later users are expected to pay more for
    any of the seats than this one: by complementary slackness the dual optimum shows nothing.
    A free seat is not free while its room fills later, so the default declines
    (``decline_below=0``): with every room in short supply, filling seats as they come degrades to
    first come, first served (at load 1.5 of the test evening: 0.24 of the bound against 0.79).
    Where prices are 0 scores equal values and nothing is ever declined; ``None`` always shows the
    best free room, for products that may not leave a user without one.

    Attributes
    ----------
    prices : of the rooms the policy will see, one row per dense room; None: ``cold_price`` only.
    learning_rate : per hour of occupancy one full room above target; 0 keeps λ as given.
    geometry : ``entropy`` (prices never reach 0) or ``euclidean`` (they may, and can then only
        come back by addition).
    pooled : one price for all rooms with limited seats, the mean weighted by seats, moved by the
        occupancy of all: what is left of prices when they do not tell rooms apart.
    target : occupancy at which a price stays, in (0, 1].
    cold_price : added to every price of a room with limited seats, money per seat-second; what a
        multiplicative rule can grow from where ``prices`` are 0 or missing.
    decline_below : show nothing when the best score is lower; None: never for that reason.
    """

    prices: Prices | None = None
    learning_rate: float = 2.0
    target: float = 0.75
    cold_price: float = 0.0
    decline_below: float | None = 0.0
    geometry: Literal["entropy", "euclidean"] = "entropy"
    pooled: bool = False
    name: str = "dual_price"

    def __post_init__(self) -> None:
        if not 0.0 < self.target <= 1.0:
            raise ConfigError(f"{self.target}", "dual_price.target", "an occupancy in (0, 1]")
        if self.geometry not in ("entropy", "euclidean"):
            raise ConfigError(f"{self.geometry!r}", "dual_price.geometry", "entropy or euclidean")
        for option in ("learning_rate", "cold_price"):
            if not getattr(self, option) >= 0.0:
                raise ConfigError(f"{getattr(self, option)}", f"dual_price.{option}", ">= 0")

    def init(self, seats: Ints, /) -> PriceState:
        """Return the opening prices, 0 for rooms without a limit on seats."""
        table = np.zeros((len(seats), 1)) if self.prices is None else self.prices.per_stay_second()
        if len(table) != len(seats):
            raise ConfigError(
                f"{len(table)} rooms", "dual_price.prices", f"{len(seats)}, one row per room",
                "map the old rows to the new rooms with Prices.for_rooms",
            )  # fmt: skip
        limited = seats < UNLIMITED_SEATS
        if self.pooled and seats[limited].sum() > 0:
            table = np.average(table[limited], axis=0, weights=seats[limited])[None, :]
        opening = (table + self.cold_price) * limited[:, None]
        return PriceState(opening, np.ones(len(seats)), -1)

    def decide(
        self, state: PriceState, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Choose by value net of the seat's price, in batch order, free seats only."""
        seen = batch.observation
        require_rooms(batch, len(state.factor))
        when = np.zeros_like(seen.ts) if self.prices is None else self.prices.bucket(seen.ts)
        at_least = -np.inf if self.decline_below is None else self.decline_below
        choice, chances, charges, bad = _serve(
            batch.values,
            batch.seat_seconds,
            seen.rooms,
            seen.seats_left,
            when,
            state.per_second,
            state.factor,
            at_least,
        )
        refuse_nan(bad)
        return Decisions(choice, chances, charges)

    def update(self, state: PriceState, feedback: Feedback, /) -> PriceState:
        """Return the prices after one step of mirror descent on the occupancy."""
        if self.learning_rate == 0.0:
            return state
        hours = (feedback.ts - state.ts) / MS_PER_HOUR if state.ts >= 0 else 0.0
        inside, seats = feedback.occupancy, feedback.seats
        if self.pooled:
            limited = seats < UNLIMITED_SEATS
            inside, seats = inside[limited].sum(keepdims=True), seats[limited].sum(keepdims=True)
        step = self.learning_rate * hours * (inside / np.maximum(seats, 1) - self.target)
        if self.geometry == "euclidean":
            factor = np.clip(state.factor + step, 0.0, _LARGEST_FACTOR)
        else:
            limit = np.log(_LARGEST_FACTOR)
            factor = np.exp(np.clip(np.log(state.factor) + step, -limit, limit))
        return replace(state, factor=factor, ts=feedback.ts)


@njit(cache=True)
def _serve(
    values: Floats,
    seconds: Floats,
    rooms: Ints,
    seats_left: Ints,
    when: Ints,
    per_second: Floats,
    factor: Floats,
    at_least: float,
) -> tuple[Ints, Floats, Floats, int]:
    """Price and choose in one pass: ``choose_best`` of value less price, seats guarded."""
    n, m = rooms.shape
    choice, chances = np.full(n, -1, np.int64), np.zeros((n, m))
    charges = np.empty((n, m))
    taken = _seats_taken(rooms, seats_left, len(factor))
    now, price = -1, np.empty(0)
    many = n * m >= len(factor)
    for i in range(n):
        if many and when[i] != now:
            now = when[i]
            price = per_second[:, now] * factor
        best, best_room, best_net, unknown = -1, -1, at_least, False
        for j in range(m):
            room = rooms[i, j]
            if room < 0:
                charges[i, j] = 0.0
                continue
            each = price[room] if many else per_second[room, when[i]] * factor[room]
            charge = each * seconds[i, j]
            charges[i, j] = charge
            net = values[i, j] - charge
            unknown |= net != net
            if net >= best_net and seats_left[i, j] > 0:
                ahead = best < 0 or net > best_net or room < best_room
                if ahead and open_seats(room, seats_left[i, j], taken, True):
                    best, best_room, best_net = j, room, net
        if unknown:
            return choice, chances, charges, i
        if best >= 0:
            choice[i], chances[i, best] = best, 1.0
            take_seat(best_room, taken)
    return choice, chances, charges, -1


@njit(cache=True)
def _seats_taken(rooms: Ints, seats_left: Ints, count: int) -> Ints:
    """Return zeros per room, or nothing where no free room can fill: the cheaper to find out."""
    if count <= rooms.size:
        return np.zeros(count, np.int64)
    return seat_counter(rooms, seats_left, True)
