"""Rules that do not ask what a room is worth: each in turn, or where everybody is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from giftlive.clock import MS_PER_HOUR
from giftlive.errors import ConfigError
from giftlive.policies.base import at_rooms, require_rooms
from giftlive.policies.choice import (
    choose_best,
    open_seats,
    refuse_nan,
    seat_counter,
    take_seat,
)
from giftlive.policies.limits import first_nan
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints


@dataclass(frozen=True)
class Shown:
    """How often each room was shown, [S], fading if the policy forgets; ms of the last feedback."""

    exposure: Floats
    ts: int = -1


@dataclass(frozen=True)
class RoundRobin:
    """Show the candidate that was shown least often so far, ties to the larger value.

    Exposure becomes as equal as the lists of candidates allow: the fair extreme, and what it
    costs.

    Attributes
    ----------
    respect_seats : only rooms with a free seat.
    """

    respect_seats: bool = False
    name: str = "round_robin"

    def init(self, seats: Ints, /) -> Shown:
        """Return rooms never shown."""
        return Shown(np.zeros(len(seats)))

    def decide(self, state: Shown, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Choose in batch order, counting the rows before."""
        seen = batch.observation
        require_rooms(batch, len(state.exposure))
        choice, chances, bad = _in_turn(
            batch.values, seen.rooms, seen.seats_left, state.exposure, self.respect_seats
        )
        refuse_nan(bad)
        return Decisions(choice, chances)

    def update(self, state: Shown, feedback: Feedback, /) -> Shown:
        """Return the counts with what was shown."""
        return heard(state, feedback, np.inf)


@dataclass(frozen=True)
class Popularity:
    """Show the candidate that was shown most so far, ties to the larger value.

    The rich get richer: what a ranking by popularity does to an ecosystem, for comparison.

    Attributes
    ----------
    half_life_hours : in which an exposure loses half its weight, > 0; inf: it keeps it.
    respect_seats : only rooms with a free seat.
    """

    half_life_hours: float = float("inf")
    respect_seats: bool = False
    name: str = "popularity"

    def __post_init__(self) -> None:
        if not self.half_life_hours > 0.0:
            raise ConfigError(f"{self.half_life_hours}", "popularity.half_life_hours", "> 0")

    def init(self, seats: Ints, /) -> Shown:
        """Return rooms never shown."""
        return Shown(np.zeros(len(seats)))

    def decide(self, state: Shown, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Choose by the counts before the batch, ties by value."""
        refuse_nan(first_nan(batch))
        there = batch.available
        largest = float(np.abs(np.where(there, batch.values, 0.0)).max(initial=0.0))
        most = float(state.exposure.max(initial=0.0))
        tie_break = batch.values * (1e-9 * max(most, 1.0) / largest) if largest > 0.0 else 0.0
        scores = at_rooms(state.exposure, batch) + tie_break
        return choose_best(batch, scores, guard=self.respect_seats)

    def update(self, state: Shown, feedback: Feedback, /) -> Shown:
        """Return the counts, faded to now, with what was shown."""
        return heard(state, feedback, self.half_life_hours)


def heard(state: Shown, feedback: Feedback, half_life_hours: float) -> Shown:
    """Return exposures faded to ``feedback.ts`` with one more for every room shown."""
    hours = (feedback.ts - state.ts) / MS_PER_HOUR if state.ts >= 0 else 0.0
    rooms = feedback.room[feedback.room >= 0]
    faded = state.exposure * 0.5 ** (hours / half_life_hours)
    more = np.bincount(rooms, minlength=len(faded))
    return replace(state, exposure=faded + more, ts=feedback.ts)


@njit(cache=True)
def _in_turn(
    values: Floats, rooms: Ints, seats_left: Ints, exposure: Floats, guard: bool
) -> tuple[Ints, Floats, int]:
    n, m = rooms.shape
    choice, chances = np.full(n, -1, np.int64), np.zeros((n, m))
    shown, taken = exposure.copy(), seat_counter(rooms, seats_left, guard)
    for i in range(n):
        best = -1
        for j in range(m):
            room = rooms[i, j]
            if room < 0:
                continue
            if np.isnan(values[i, j]):
                return choice, chances, i
            if not open_seats(room, seats_left[i, j], taken, guard):
                continue
            if best < 0 or _before(shown, values[i], rooms[i], j, best):
                best = j
        if best >= 0:
            choice[i], chances[i, best] = best, 1.0
            take_seat(rooms[i, best], taken)
            shown[rooms[i, best]] += 1.0
    return choice, chances, -1


@njit(cache=True)
def _before(shown: Floats, values: Floats, rooms: Ints, one: int, two: int) -> bool:
    a, b = shown[rooms[one]], shown[rooms[two]]
    if a != b:
        return bool(a < b)
    if values[one] != values[two]:
        return bool(values[one] > values[two])
    return bool(rooms[one] < rooms[two])
