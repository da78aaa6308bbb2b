"""A small evening of hard seats, enough to run any policy against its certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from giftlive.allocation import Problem, stay_profile, time_buckets
from giftlive.policies import Policy
from giftlive.policies.base import hear
from giftlive.rng import stream
from giftlive.types import Bools, DecisionBatch, Feedback, Floats, Ints, Observation

BUCKET_MS = 600_000


@dataclass(frozen=True)
class Evening:
    """One evening of arrivals: [n] moments and stays, [n, m] candidates, [S] seats."""

    ts: Ints
    rooms: Ints
    values: Floats
    stays_seconds: Floats
    seats: Ints
    mean_stay_seconds: float
    buckets: int

    @property
    def problem(self) -> Problem:
        """The fluid problem whose D bounds every policy on this evening."""
        stays = np.sort(stream(0, "stay law").exponential(self.mean_stay_seconds, 20_000))
        stays *= self.mean_stay_seconds / stays.mean()
        return Problem(
            values=self.values,
            rooms=self.rooms,
            seat_seconds=np.full(self.values.shape, self.mean_stay_seconds),
            bucket=time_buckets(self.ts, 0, BUCKET_MS, self.buckets),
            capacity=np.tile(self.seats[:, None] * (BUCKET_MS / 1000.0), (1, self.buckets)),
            spill=stay_profile(self.ts, stays, 0, BUCKET_MS, depth=4, buckets=self.buckets),
        )


@dataclass(frozen=True)
class Played:
    """What a policy collected: value of the admitted, refusals, seats exceeded, its choices."""

    value: float
    refused: int
    violations: int
    choice: Ints


def make_evening(
    seed: int, n: int = 6_000, rooms: int = 40, m: int = 20, load: float = 1.0
) -> Evening:
    """Return an evening; the world (rooms, tastes) is fixed, ``seed`` draws arrivals and stays."""
    world, day = stream(7, "world", rooms), stream(seed, "arrivals")
    buckets, mean_stay = 12, 600.0
    popularity = world.pareto(1.2, rooms) + 1.0
    quality, taste = world.normal(0.0, 0.8, rooms), world.normal(size=(rooms, 8))
    ts = np.sort(day.integers(0, buckets * BUCKET_MS, n))
    chance = np.log(popularity) * 0.5 + day.gumbel(size=(n, rooms))
    listed = np.argsort(-chance, axis=1)[:, :m].astype(np.int64)
    wealth, liking = day.normal(0.0, 1.2, n), day.normal(size=(n, 8)) / np.sqrt(8)
    affinity = np.take_along_axis(liking @ taste.T, listed, axis=1)
    values = 0.02 * np.exp(wealth[:, None] + 0.8 * affinity + quality[listed])
    demand = n * mean_stay / (buckets * BUCKET_MS / 1000.0)
    shares = popularity**0.6 / (popularity**0.6).sum()
    seats = np.maximum(1, np.rint(shares * demand / load)).astype(np.int64)
    return Evening(ts, listed, values, day.exponential(mean_stay, n), seats, mean_stay, buckets)


def play(
    evening: Evening, policy: Policy[Any], *, per_batch: int = 5, estimates: Floats | None = None
) -> Played:
    """Run ``policy`` over the evening, batch by batch; admission is sequential and hard."""
    state, rng = policy.init(evening.seats), stream(0, "policy")
    seats, n = evening.seats, len(evening.ts)
    known = evening.values if estimates is None else estimates
    occupancy = np.zeros(len(seats), dtype=np.int64)
    leaves_at, leaves_room = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    inside = np.empty(0, dtype=np.int64)
    value, refused, violations, choice = 0.0, 0, 0, np.full(n, -1, dtype=np.int64)
    for first in range(0, n, per_batch):
        rows = np.arange(first, min(n, first + per_batch))
        now = int(evening.ts[rows[0]])
        gone = leaves_at[inside] <= now
        np.subtract.at(occupancy, leaves_room[inside[gone]], 1)
        inside = inside[~gone]
        listed = evening.rooms[rows]
        seen = Observation(
            evening.ts[rows], rows, rows * 0, rows * 0, listed, listed, (seats - occupancy)[listed]
        )
        use = np.full(listed.shape, evening.mean_stay_seconds)
        decisions = policy.decide(state, DecisionBatch(seen, known[rows], use), rng)
        choice[rows] = decisions.choice
        admitted: Bools = np.zeros(len(rows), dtype=np.bool_)
        shown = np.full(len(rows), -1, dtype=np.int64)
        for k, i in enumerate(rows):
            j = int(decisions.choice[k])
            if j < 0:
                continue
            room = shown[k] = listed[k, j]
            admitted[k] = occupancy[room] < seats[room]
            if admitted[k]:
                occupancy[room] += 1
                value += float(evening.values[i, j])
                leaves_at[i] = evening.ts[i] + int(1000 * evening.stays_seconds[i])
                leaves_room[i] = room
                inside = np.append(inside, i)
            refused += not admitted[k]
        violations += int((occupancy > seats).sum())
        last = int(evening.ts[rows[-1]])
        came = Feedback(
            last, rows, shown, admitted, admitted, np.zeros(len(rows)), occupancy.copy(), seats
        )
        batch = DecisionBatch(seen, known[rows], use)
        state = policy.update(state, hear(came, batch, decisions))
    return Played(value, refused, violations, choice)


@pytest.fixture(scope="session")
def evenings() -> Callable[..., Evening]:
    """The maker of evenings."""
    return make_evening


@pytest.fixture(scope="session")
def played() -> Callable[..., Played]:
    """The player of policies."""
    return play
