"""Small batches and feedback written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from giftlive.policies import Policy, hear
from giftlive.rng import stream
from giftlive.types import UNLIMITED_SEATS, DecisionBatch, Decisions, Feedback, Ints, Observation


def batch_of(
    values: Any,
    *,
    rooms: Any = None,
    left: Any = UNLIMITED_SEATS,
    users: Any = None,
    ts: int = 0,
    slot: int = 0,
    seconds: float = 1.0,
) -> DecisionBatch:
    """Return a batch of rows of ``values``; rooms 0, 1, … unless named."""
    value = np.atleast_2d(np.asarray(values, dtype=np.float64))
    n, m = value.shape
    listed = np.arange(m) if rooms is None else np.asarray(rooms)
    room = np.broadcast_to(listed, (n, m)).astype(np.int64)
    seats = np.broadcast_to(np.asarray(left), (n, m)).astype(np.int64)
    user = np.arange(n) if users is None else np.asarray(users)
    every = np.zeros(n, dtype=np.int64)
    seen = Observation(every + ts, user, every, every + slot, room, room, seats)
    return DecisionBatch(seen, value, np.full((n, m), seconds))


def answer(policy: Policy[Any], batch: DecisionBatch, state: Any = None, rooms: int = 8) -> Any:
    """Return the decisions of ``policy`` from its opening state, or the one given."""
    opening = policy.init(np.full(rooms, 100)) if state is None else state
    return policy.decide(opening, batch, stream(0, "answer"))


def choices(policy: Policy[Any], batch: DecisionBatch, state: Any = None, rooms: int = 8) -> Any:
    """Return the chosen columns as a list."""
    return answer(policy, batch, state, rooms).choice.tolist()


def told(
    batch: DecisionBatch,
    decisions: Decisions,
    *,
    amounts: Any = 0.0,
    ready: Any = None,
    occupancy: Any = None,
    rooms: int = 8,
    seats: int = 100,
) -> Feedback:
    """Return feedback in which everybody shown was admitted, at the time of the batch."""
    seen, n = batch.observation, len(batch)
    shown = decisions.choice >= 0
    room = np.where(shown, seen.rooms[np.arange(n), decisions.choice], -1)
    inside = np.bincount(room[shown], minlength=rooms)
    came = Feedback(
        int(seen.ts.max(initial=0)), seen.user, room, shown, shown,
        np.broadcast_to(np.asarray(amounts, dtype=np.float64), (n,)).copy(),
        inside if occupancy is None else np.asarray(occupancy), np.full(rooms, seats),
        None if ready is None else np.broadcast_to(np.asarray(ready, np.int64), (n,)).copy(),
    )  # fmt: skip
    return hear(came, batch, decisions)


def after(policy: Policy[Any], batches: list[DecisionBatch], rooms: int = 8, **options: Any) -> Any:
    """Return the state after the policy's own decisions on ``batches``."""
    state, rng = policy.init(np.full(rooms, 100)), stream(0, "after")
    for batch in batches:
        decisions = policy.decide(state, batch, rng)
        state = policy.update(state, told(batch, decisions, rooms=rooms, **options))
    return state


def shown_rooms(batch: DecisionBatch, decisions: Decisions) -> Ints:
    """Return [n] the rooms shown, -1 for none."""
    rooms = batch.observation.rooms[np.arange(len(batch)), decisions.choice]
    return np.where(decisions.choice >= 0, rooms, -1)
