"""Greedy as a product runs it: caps, cooldowns, a bonus for newcomers, a discount for crowds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.errors import ConfigError
from giftlive.policies.base import explained, require_rooms
from giftlive.policies.choice import ahead, open_seats, refuse_nan, seat_counter, take_seat
from giftlive.policies.journal import Journal, pair_keys
from giftlive.policies.signals import ShareOfValue, Signal, numbers
from giftlive.types import UNLIMITED_SEATS, DecisionBatch, Decisions, Feedback, Floats, Ints

RULES = np.array(
    (
        "",
        "exposure_cap",
        "frequency_cap",
        "cooldown",
        "head_cap",
        "seat",
        "newcomer_bonus",
        "congestion",
        "rules_yielded",
    ),
    dtype=object,
)
"""Codes of the rule that kept the most valuable room from being shown; "": it was shown."""

_NONE, _EXPOSURE, _FREQUENCY, _COOLDOWN, _HEAD, _SEAT, _BONUS, _CROWD, _YIELDED = range(9)


@dataclass(frozen=True)
class RuleState:
    """What the rules count.

    Attributes
    ----------
    exposure : [S] times each room was shown. occupancy, seats : [S] as last reported.
    journal : who was shown which room, how often and when last.
    """

    exposure: Ints
    occupancy: Ints
    seats: Ints
    journal: Journal


@dataclass(frozen=True)
class GreedyWithRules:
    """Show the largest (v + bonus · newcomer) · (1 - congestion · occupancy / seats) left open.

    A room is closed to a user by the first rule that says so: ``exposure_cap`` times shown in the
    evening; ``frequency_cap`` times shown to this user; shown to him less than ``cooldown_ms``
    ago; holding ``head_cap`` of all exposure so far; no free seat. Where rules other than the seats
    close everything, they yield: a user is not left without a room for their sake. Users come at
    most once per batch.

    Attributes
    ----------
    exposure_cap, frequency_cap : >= 1; None: no cap. cooldown_ms : >= 0.
    newcomer_bonus : money, >= 0, for each unit of the signal ``newcomers``.
    head_cap : largest share of exposure in (0, 1]; it counts after ``warm_up`` exposures.
    congestion : share of value lost in a full room, in [0, 1]; rooms without limit lose nothing.
    """

    exposure_cap: int | None = None
    frequency_cap: int | None = None
    cooldown_ms: int = 0
    newcomer_bonus: float = 0.0
    newcomers: Signal = field(default_factory=lambda: ShareOfValue(0.0))
    head_cap: float = 1.0
    warm_up: int = 100
    congestion: float = 0.0
    respect_seats: bool = True
    name: str = "greedy_with_rules"

    def __post_init__(self) -> None:
        for option in ("exposure_cap", "frequency_cap"):
            cap = getattr(self, option)
            if cap is not None and cap < 1:
                raise ConfigError(f"{cap}", f"greedy_with_rules.{option}", ">= 1, or none")
        for option in ("cooldown_ms", "newcomer_bonus", "warm_up"):
            if not 0.0 <= getattr(self, option) < np.inf:
                raise ConfigError(f"{getattr(self, option)}", f"greedy_with_rules.{option}", ">= 0")
        if not 0.0 < self.head_cap <= 1.0:
            raise ConfigError(f"{self.head_cap}", "greedy_with_rules.head_cap", "in (0, 1]")
        if not 0.0 <= self.congestion <= 1.0:
            raise ConfigError(f"{self.congestion}", "greedy_with_rules.congestion", "in [0, 1]")

    def init(self, seats: Ints, /) -> RuleState:
        """Return empty counts."""
        nothing = np.zeros(len(seats), dtype=np.int64)
        return RuleState(nothing, nothing, seats.copy(), Journal())

    def decide(
        self, state: RuleState, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Choose in batch order, counting the rows before; name the rule that fired."""
        seen = batch.observation
        require_rooms(batch, len(state.exposure))
        bonus = np.zeros_like(batch.values)
        if self.newcomer_bonus > 0.0:
            bonus = self.newcomer_bonus * numbers(self.newcomers, batch, "newcomers")
        limits = _Limits(
            np.inf if self.exposure_cap is None else float(self.exposure_cap),
            self.head_cap,
            float(self.warm_up),
            self.congestion,
            self.respect_seats,
        )
        choice, chances, scores, fired, bad = _serve(
            batch.values, bonus, seen.rooms, seen.seats_left, self._closed(state, batch),
            state.exposure, state.occupancy, state.seats, limits,
        )  # fmt: skip
        refuse_nan(bad)
        return explained(batch, scores, Decisions(choice, chances), RULES[fired])

    def update(self, state: RuleState, feedback: Feedback, /) -> RuleState:
        """Return the counts with what was shown."""
        shown = feedback.room >= 0
        users, rooms = feedback.user[shown], feedback.room[shown]
        journal = state.journal
        if self.frequency_cap is not None or self.cooldown_ms > 0:
            keys = pair_keys(users, rooms)
            journal = journal.add(keys, np.full(len(keys), feedback.ts))
        return replace(
            state,
            exposure=state.exposure + np.bincount(rooms, minlength=len(state.exposure)),
            occupancy=feedback.occupancy,
            seats=feedback.seats,
            journal=journal,
        )

    def _closed(self, state: RuleState, batch: DecisionBatch) -> Ints:
        """Return [n, m] the rule about this user and room that closes it, 0 if none."""
        seen = batch.observation
        closed = np.zeros(seen.rooms.shape, dtype=np.int64)
        if self.frequency_cap is None and self.cooldown_ms == 0:
            return closed
        keys = pair_keys(seen.user[:, None], seen.rooms)
        if self.cooldown_ms > 0:
            last = state.journal.last_ts(keys)
            closed[(last >= 0) & (seen.ts[:, None] - last < self.cooldown_ms)] = _COOLDOWN
        if self.frequency_cap is not None:
            closed[state.journal.counts(keys) >= self.frequency_cap] = _FREQUENCY
        return closed


class _Limits(NamedTuple):
    exposure_cap: float
    head_cap: float
    warm_up: float
    congestion: float
    guard: bool


@njit(cache=True)
def _serve(
    values: Floats,
    bonus: Floats,
    rooms: Ints,
    seats_left: Ints,
    closed: Ints,
    exposure: Ints,
    occupancy: Ints,
    seats: Ints,
    limits: _Limits,
) -> tuple[Ints, Floats, Floats, Ints, int]:
    n, m = rooms.shape
    choice, chances = np.full(n, -1, np.int64), np.zeros((n, m))
    scores, fired = np.zeros((n, m)), np.zeros(n, np.int64)
    shown, inside, total = exposure.copy(), occupancy.copy(), float(exposure.sum())
    taken = seat_counter(rooms, seats_left, limits.guard)
    why = np.zeros(m, np.int64)
    for i in range(n):
        for j in range(m):
            room = rooms[i, j]
            if room < 0:
                continue
            if np.isnan(values[i, j]):
                return choice, chances, scores, fired, i
            crowd = _crowd(inside[room], seats[room]) * limits.congestion
            scores[i, j] = (values[i, j] + bonus[i, j]) * (1.0 - crowd)
            why[j] = closed[i, j]
            if why[j] == 0:
                why[j] = _rule(float(shown[room]), total, limits)
            if not open_seats(room, seats_left[i, j], taken, limits.guard):
                why[j] = _SEAT
        best, yielded = _first(scores[i], rooms[i], why)
        fired[i] = _YIELDED if yielded else _fired(best, values[i], bonus[i], rooms[i], why)
        if best >= 0:
            choice[i], chances[i, best] = best, 1.0
            room = rooms[i, best]
            take_seat(room, taken)
            shown[room], inside[room], total = shown[room] + 1, inside[room] + 1, total + 1.0
    return choice, chances, scores, fired, -1


@njit(cache=True)
def _crowd(inside: int, seats: int) -> float:
    """Return how full a room is, 0 to 1."""
    if seats >= UNLIMITED_SEATS:
        return 0.0
    return min(1.0, inside / seats) if seats > 0 else 1.0


@njit(cache=True)
def _rule(shown: float, total: float, limits: _Limits) -> int:
    if shown >= limits.exposure_cap:
        return _EXPOSURE
    if total >= limits.warm_up and total > 0.0 and shown / total >= limits.head_cap:
        return _HEAD if limits.head_cap < 1.0 else _NONE
    return _NONE


@njit(cache=True)
def _first(scores: Floats, rooms: Ints, why: Ints) -> tuple[int, bool]:
    """Return the best open column; the best with a seat, and True, where rules close all."""
    best, second = -1, -1
    for j in range(len(rooms)):
        if rooms[j] < 0 or why[j] == _SEAT:
            continue
        if second < 0 or ahead(scores, rooms, j, second):
            second = j
        if why[j] == _NONE and (best < 0 or ahead(scores, rooms, j, best)):
            best = j
    return (best, False) if best >= 0 else (second, second >= 0)


@njit(cache=True)
def _fired(chosen: int, values: Floats, bonus: Floats, rooms: Ints, why: Ints) -> int:
    """Return why the most valuable room was not chosen."""
    top = -1
    for j in range(len(rooms)):
        if rooms[j] >= 0 and (top < 0 or ahead(values, rooms, j, top)):
            top = j
    if top < 0 or top == chosen:
        return _NONE
    if why[top] != _NONE:
        return why[top]
    return _BONUS if bonus[chosen] > bonus[top] else _CROWD
