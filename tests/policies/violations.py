"""What policies with limits showed, held against those limits by a count of its own.

A ledger knows nothing of how a policy keeps a limit: it sees rooms, users and seats, and counts
every showing above a limit, one by one. Whales inside stay for good: nobody leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from giftlive.policies import Policy, hear
from giftlive.rng import stream
from giftlive.types import Bools, DecisionBatch, Decisions, Feedback, Floats, Ints, Observation


@dataclass(frozen=True)
class Promised:
    """What a policy promises over an evening; None is no promise.

    Attributes
    ----------
    seats : never a room without a free seat, the rows before counted.
    per_room, per_pair, per_user : showings of a room, of a room to a user, of anything to a user.
    whales, whale_value : at once in a room. whale : [U] who is one.
    """

    seats: bool = True
    per_room: int | None = None
    per_pair: int | None = None
    per_user: int | None = None
    whales: int | None = None
    whale_value: float | None = None
    whale: Bools | None = None


@dataclass
class Ledger:
    """Showings so far, and the violations found, by limit."""

    promised: Promised
    rooms: int
    users: int
    decisions: int = 0
    shown: int = 0
    violations: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.per_room = np.zeros(self.rooms, dtype=np.int64)
        self.per_pair = np.zeros((self.users, self.rooms), dtype=np.int64)
        self.whales_inside = np.zeros(self.rooms)
        self.whale_value_inside = np.zeros(self.rooms)

    @property
    def total(self) -> int:
        """Violations of every limit."""
        return sum(self.violations.values())

    def enter(self, batch: DecisionBatch, choice: Ints) -> None:
        """Count the decisions of a batch, in order."""
        seen, rows = batch.observation, np.flatnonzero(choice >= 0)
        room, user = seen.rooms[rows, choice[rows]], seen.user[rows]
        self.decisions += len(batch)
        self.shown += len(rows)
        self._found("padding", room < 0)
        left = seen.seats_left[rows, choice[rows]]
        if self.promised.seats:
            self._found("seats", _nth(room) > left)
        self._found("per_room", _above(self.per_room[room] + _nth(room), self.promised.per_room))
        pair = user * self.rooms + room
        so_far = self.per_pair[user, room] + _nth(pair)
        self._found("per_pair", _above(so_far, self.promised.per_pair))
        so_far = self.per_pair.sum(axis=1)[user] + _nth(user)
        self._found("per_user", _above(so_far, self.promised.per_user))
        self._whales(room, user, batch.values[rows, choice[rows]])
        np.add.at(self.per_room, room, 1)
        np.add.at(self.per_pair, (user, room), 1)

    def _whales(self, room: Ints, user: Ints, value: Floats) -> None:
        if self.promised.whale is None:
            return
        is_whale = self.promised.whale[user]
        np.add.at(self.whales_inside, room[is_whale], 1.0)
        np.add.at(self.whale_value_inside, room[is_whale], value[is_whale])
        touched = np.unique(room[is_whale])
        most = self.promised.whales
        self._found("whales", _above(self.whales_inside[touched], most))
        value_cap = self.promised.whale_value
        inside = self.whale_value_inside[touched]
        self._found("whale_value", _above(inside * (1 - 1e-12), value_cap))

    def _found(self, limit: str, broken: Bools) -> None:
        many = int(broken.sum())
        if many:
            self.violations[limit] = self.violations.get(limit, 0) + many


def play_evenings(
    make: Callable[[], Policy[Any]],
    promised: Promised,
    decisions: int,
    *,
    rows: int = 500,
    candidates: int = 20,
    rooms: int = 60,
    users: int = 400,
    batches: int = 12,
) -> Ledger:
    """Play evenings of ``batches`` batches until so many decisions were made; return all counts.

    Rooms fill over an evening (nobody leaves) and are empty in the next one, with a new state.
    """
    total = Ledger(promised, rooms, users)
    evening = 0
    while total.decisions < decisions:
        ledger = Ledger(promised, rooms, users)
        draw = stream(evening, "violations")
        seats = draw.integers(0, 2 * rows * batches // rooms // 3, rooms)
        policy, held, rng = make(), np.zeros(rooms, dtype=np.int64), stream(evening, "decide")
        state = policy.init(seats)
        for tick in range(batches):
            batch = _batch(draw, tick, rows, candidates, users, seats - held)
            answer = policy.decide(state, batch, rng)
            ledger.enter(batch, answer.choice)
            heard = _feedback(batch, answer, held, seats)
            held = heard.occupancy
            state = policy.update(state, hear(heard, batch, answer))
        total.decisions += ledger.decisions
        total.shown += ledger.shown
        for limit, many in ledger.violations.items():
            total.violations[limit] = total.violations.get(limit, 0) + many
        evening += 1
    return total


def _nth(keys: Ints) -> Ints:
    """Return which occurrence of its key each entry is, from 1."""
    order = np.argsort(keys, kind="stable")
    new = np.concatenate([[True], keys[order][1:] != keys[order][:-1]]) if len(keys) else keys > 0
    first = np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))
    nth = np.empty(len(keys), dtype=np.int64)
    nth[order] = np.arange(len(keys)) - first + 1
    return nth


def _above(count: Any, most: float | None) -> Bools:
    return np.asarray(count > (np.inf if most is None else most))


def _batch(
    draw: np.random.Generator, tick: int, rows: int, candidates: int, users: int, left: Ints
) -> DecisionBatch:
    rooms = np.argsort(draw.random((rows, len(left))), axis=1)[:, :candidates].astype(np.int64)
    rooms[draw.random(rooms.shape) < 0.1] = -1
    there = rooms >= 0
    appeal = np.linspace(0.1, 3.0, len(left))
    values = np.where(there, draw.exponential(size=rooms.shape) * appeal[rooms], 0.0)
    seen = Observation(
        ts=np.full(rows, 5_000 * tick), user=draw.integers(0, users, rows),
        visit=np.full(rows, tick, dtype=np.int64), slot=np.zeros(rows, dtype=np.int64),
        rooms=rooms, streamers=rooms.copy(),
        seats_left=np.where(there, left[rooms].clip(0), 0),
    )  # fmt: skip
    return DecisionBatch(seen, values, np.where(there, 60.0, 0.0))


def _feedback(batch: DecisionBatch, answer: Decisions, held: Ints, seats: Ints) -> Feedback:
    """Return feedback in which everybody shown a room gets in and stays."""
    shown, rows = answer.choice >= 0, np.arange(len(batch))
    room = np.where(shown, batch.observation.rooms[rows, answer.choice], -1)
    inside = held + np.bincount(room[shown], minlength=len(seats))
    amount = np.where(shown, batch.values[rows, answer.choice], 0.0)
    ts = int(batch.observation.ts[0]) + 5_000
    never = np.full(len(batch), 10**12)
    return Feedback(ts, batch.observation.user, room, shown, shown, amount, inside, seats, never)


def blind(policy: Policy[Any], every: int = 4) -> Policy[Any]:
    """Return the policy with a planted fault: every so many rows take their first real room."""
    return _Blind(policy, every)


@dataclass(frozen=True)
class _Blind:
    policy: Policy[Any]
    every: int
    name: str = "blind"

    def init(self, seats: Ints, /) -> Any:
        return self.policy.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        answer = self.policy.decide(state, batch, rng)
        choice, rows = answer.choice.copy(), slice(None, None, self.every)
        choice[rows] = np.argmax(batch.available[rows], axis=1)
        return replace(answer, choice=choice)

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        return self.policy.update(state, feedback)
