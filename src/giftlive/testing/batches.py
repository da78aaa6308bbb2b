"""Batches to ask a policy about: padding, a user without candidates, rooms that are full."""

from __future__ import annotations

import numpy as np

from giftlive.rng import stream
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints, Observation

ROOMS = 12
"""Dense rooms of every batch; a policy configured room by room needs this many rows."""

TICK_MS = 5_000


def seats_of_rooms() -> Ints:
    """Return [ROOMS] the hard seats of every room, 1 to 4."""
    return 1 + np.arange(ROOMS, dtype=np.int64) % 4


def make_batch(seed: int, rows: int = 6, candidates: int = 5, tick: int = 0) -> DecisionBatch:
    """Draw a batch whose first row has no candidate, a fifth of the rest padding, no ties in value.

    Parameters
    ----------
    seed : names the batch. tick : moves it in time by ``TICK_MS`` each.

    Examples
    --------
    >>> batch = make_batch(1)
    >>> len(batch), bool(batch.available[0].any())
    (6, False)
    """
    draw = stream(seed, "conformance batch", tick)
    rooms = np.argsort(draw.random((rows, ROOMS)), axis=1)[:, :candidates].astype(np.int64)
    padded = draw.random((rows, candidates)) < 0.2
    padded[0] = True
    left = draw.integers(0, seats_of_rooms() + 1)
    values = draw.exponential(size=(rows, candidates))
    seconds = draw.uniform(1.0, 60.0, (rows, candidates))
    rooms[padded] = -1
    seen = Observation(
        ts=np.sort(tick * TICK_MS + draw.integers(0, TICK_MS, rows)),
        user=np.arange(rows, dtype=np.int64),
        visit=np.full(rows, tick, dtype=np.int64),
        slot=np.zeros(rows, dtype=np.int64),
        rooms=rooms,
        streamers=rooms.copy(),
        seats_left=np.where(padded, 0, left[rooms]),
    )
    return DecisionBatch(seen, np.where(padded, 0.0, values), np.where(padded, 0.0, seconds))


def feedback_to(batch: DecisionBatch, decisions: Decisions) -> Feedback:
    """Return what a platform could report of ``decisions``: everybody shown a free room clicks.

    Every third amount is final at once, the others two and four ticks later.
    """
    seen, rows = batch.observation, np.arange(len(batch))
    shown = decisions.choice >= 0
    room = np.where(shown, seen.rooms[rows, decisions.choice], -1)
    free = shown & (seen.seats_left[rows, decisions.choice] > 0)
    seats = seats_of_rooms()
    held = np.bincount(room[free], minlength=len(seats))
    return Feedback(
        ts=int(seen.ts.max(initial=0)) // TICK_MS * TICK_MS + TICK_MS,
        user=seen.user.copy(),
        room=room,
        admitted=free,
        clicked=free,
        amount=np.where(free, batch.values[rows, decisions.choice], 0.0),
        occupancy=np.minimum(held, seats),
        seats=seats,
        reward_ts=seen.ts + 2 * TICK_MS * (seen.user % 3),
        value=np.where(shown, batch.values[rows, decisions.choice], 0.0),
    )
