"""Microseconds of one decision batch per policy, and of the Scorer per candidate.

Everything is relative to the least a greedy policy could do: ``numpy.argmax`` over the same
values, without seats, padding, ties or propensities.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np

from benchmarks.timing import Work, in_turns, ratio
from giftlive.allocation import Prices
from giftlive.models.distillation import distil
from giftlive.models.scorer import Scorer
from giftlive.policies import POLICIES, DualPrice
from giftlive.rng import stream
from giftlive.types import DecisionBatch, Feedback, Ints, Observation

ROOMS, SEATS, FEATURES = 500, 3, 10
ARGMAX = "numpy argmax"


def make_batch(rows: int, candidates: int) -> DecisionBatch:
    """Draw a batch in which a tenth of the candidates is padding and seats are short."""
    draw = stream(1, "benchmark batch")
    rooms = np.argsort(draw.random((rows, ROOMS)), axis=1)[:, :candidates].astype(np.int64)
    rooms[draw.random(rooms.shape) < 0.1] = -1
    there = rooms >= 0
    zero = np.zeros(rows, dtype=np.int64)
    left = draw.integers(0, SEATS + 1, ROOMS)
    seen = Observation(
        zero, np.arange(rows), zero, zero, rooms, rooms, np.where(there, left[rooms], 0)
    )
    values = np.where(there, draw.exponential(size=rooms.shape), 0.0)
    return DecisionBatch(seen, values, np.where(there, 60.0, 0.0))


def policy_works(batch: DecisionBatch) -> dict[str, Work]:
    """Return one ``decide`` of every policy, one ``update`` of the learning one, and argmax."""
    seats, rng = np.full(ROOMS, SEATS, dtype=np.int64), stream(1, "policy")
    prices = Prices(
        stream(1, "prices").exponential(0.001, (ROOMS, 24)), 0, 600_000, np.array([0.8, 0.2])
    )
    policies = {name: make() for name, make in POLICIES.items()} | {"dual_price": DualPrice(prices)}
    works: dict[str, Work] = {ARGMAX: partial(np.argmax, batch.values, axis=1)}
    for name, policy in policies.items():
        works[name] = partial(policy.decide, policy.init(seats), batch, rng)
    learner, state = policies["dual_price"], policies["dual_price"].init(seats)
    works["dual_price, update"] = partial(learner.update, state, feedback(batch, seats))
    return works


def feedback(batch: DecisionBatch, seats: Ints) -> Feedback:
    """Return feedback in which nobody was shown anything."""
    n = len(batch)
    nobody, false = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    return Feedback(
        5_000, batch.observation.user, nobody, false, false, np.zeros(n), seats * 0, seats
    )


def make_scorer() -> Scorer:
    """Distil a multiplicative value of ten user and ten room features."""
    draw = stream(1, "teacher")
    user, room = draw.normal(size=(2, 4_000, FEATURES))
    teacher = np.exp(0.5 * user[:, 0] + 0.5 * room[:, 0] + 0.3 * user[:, 1] * room[:, 1])
    scorer, _ = distil(teacher, user, room, np.zeros((4_000, 0)))
    return scorer


def scorer_works(rows: int, candidates: int) -> dict[str, Work]:
    """Return the Scorer's two ways from vectors to values of a batch, and argmax over those."""
    scorer, draw = make_scorer(), stream(1, "entities")
    users = scorer.user_vectors(draw.normal(size=(rows, FEATURES)))
    by_room = scorer.room_vectors(draw.normal(size=(ROOMS, FEATURES)))
    rooms = np.argsort(draw.random((rows, ROOMS)), axis=1)[:, :candidates].astype(np.int64)
    terms = np.zeros(rooms.shape)
    values = scorer.score_rooms(users, by_room, rooms, terms)
    if not np.allclose(values, scorer.score(users, by_room[rooms], terms)):
        raise AssertionError("the two ways of scoring disagree")
    return {
        ARGMAX: partial(np.argmax, values, axis=1),
        "score_rooms": lambda: scorer.score_rooms(users, by_room, rooms, terms),
        "gather, then score": lambda: scorer.score(users, by_room[rooms], terms),
    }


def show(title: str, works: dict[str, Work], repeats: int, candidates: int) -> None:
    """Print one table: time per call, per candidate, and relative to argmax."""
    seconds = in_turns(works, repeats, calls=max(20, 200_000 // candidates))
    print(f"\n{title:34}{'us / call':>11}{'ns / candidate':>16}{'x argmax':>10}")
    for name, times in seconds.items():
        per_call = median(times)
        relative = ratio(times, seconds[ARGMAX])[0]
        print(f"{name:34}{per_call * 1e6:11.1f}{per_call * 1e9 / candidates:16.1f}{relative:10.1f}")


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=7)
    asked = parser.parse_args()
    rows, candidates = asked.rows, asked.candidates
    tables: list[tuple[str, Callable[[], dict[str, Work]], int]] = [
        ("decide", lambda: policy_works(make_batch(rows, candidates)), rows),
        ("Scorer", lambda: scorer_works(rows, candidates), rows),
        ("Scorer", lambda: scorer_works(40 * rows, candidates), 40 * rows),
    ]
    for what, works, n in tables:
        show(f"{what}, batch of {n} x {candidates}", works(), asked.repeats, n * candidates)
    return 0


if __name__ == "__main__":
    sys.exit(main())
