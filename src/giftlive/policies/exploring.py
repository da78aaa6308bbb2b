"""Wrappers that add chance: a floor under every propensity, and a random bucket."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numba import njit

from giftlive.errors import ConfigError
from giftlive.policies.base import Policy, reasons_of
from giftlive.policies.greedy import Greedy
from giftlive.policies.limits import Limit, ask_within, limits_of, masked
from giftlive.rng import uniform as keyed_uniform
from giftlive.types import Bools, DecisionBatch, Decisions, Feedback, Floats, Ints

BUCKET = "random_bucket"
"""Code of a row in the random bucket."""

_PURPOSE = 0x6275636B  # "buck": a stream of its own among the keyed draws


@dataclass(frozen=True)
class ExplorationFloor:
    """With probability ``floor`` show any candidate, each alike, instead of the policy's.

    With m candidates that the policy's limits leave open (whales per room, showings per user,
    eligibility: ``Limited``), the propensity of each is (1 - floor) p + floor / m, p of the policy:
    at least floor / m; of the others it is 0. Where the policy shows nothing, nothing is shown.
    Propensities are exact given what the policy answered in the rows before, its answers that were
    replaced included. A replaced answer takes a seat nobody counted: a policy's own regard for
    seats is no limit, since the door keeps them; ``CapacityGuard`` makes one, inside or around.

    Attributes
    ----------
    policy : decides. floor : in [0, 1].
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    floor: float = 0.05
    name: str = "exploration_floor"

    def __post_init__(self) -> None:
        if not 0.0 <= self.floor <= 1.0:
            raise ConfigError(f"{self.floor}", "exploration_floor.floor", "a share in [0, 1]")

    def init(self, seats: Ints, /) -> Any:
        """Return the state of the policy."""
        return self.policy.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Mix the policy's choice with a uniform one, within the policy's limits."""

        def ask(rest: DecisionBatch, _: Ints) -> Decisions:
            return self._mixed(state, rest, rng)

        return ask_within(ask, batch, self.limits(state, batch))

    def limits(self, state: Any, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the limits of the policy."""
        return limits_of(self.policy, state, batch)

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state of the policy."""
        return self.policy.update(state, feedback)

    def _mixed(self, state: Any, batch: DecisionBatch, rng: np.random.Generator) -> Decisions:
        coins, uniforms = rng.random(len(batch)), rng.random(len(batch))
        answer = self.policy.decide(state, batch, rng)
        shown = answer.choice >= 0
        uniform = even(batch.available)
        mixed = (1.0 - self.floor) * answer.propensities + self.floor * uniform
        chances = np.where(shown[:, None], mixed, 0.0)
        explores = shown & (coins < self.floor)
        return replace(
            answer,
            choice=np.where(explores, drawn(uniform, uniforms), answer.choice),
            propensities=chances,
        )


@dataclass(frozen=True)
class RandomBucket:
    """Serve a fixed share of users, or of visits, uniformly at random; the policy serves the rest.

    Who is in the bucket follows from ``salt`` and the user (and visit), so a row's propensities are
    1/m in the bucket and the policy's outside: rows in the bucket (reason ``random_bucket``) are a
    log that any target policy can be evaluated on, unconfounded by the policy in production. The m
    candidates are those that the policy's limits leave open (whales per room, showings per user,
    eligibility: ``Limited``), and a row without any is shown nothing: a target is judged as it
    acts under the same limits. Seats are no limit unless a ``CapacityGuard`` makes them one.

    Attributes
    ----------
    policy : serves the others; it does not see the rows of the bucket. share : in [0, 1].
    unit : what is assigned: a ``user`` for good, or each ``visit``. salt : names the assignment.
    respect_seats : the bucket draws only among rooms that had a free seat before the batch.
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    share: float = 0.05
    unit: Literal["user", "visit"] = "user"
    salt: int = 0
    respect_seats: bool = False
    name: str = "random_bucket"

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ConfigError(f"{self.share}", "random_bucket.share", "a share in [0, 1]")
        if self.unit not in ("user", "visit"):
            raise ConfigError(f"{self.unit!r}", "random_bucket.unit", "user or visit")

    def init(self, seats: Ints, /) -> Any:
        """Return the state of the policy."""
        return self.policy.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Draw uniformly in the bucket, decide by the policy outside; keep the policy's limits."""

        def ask(rest: DecisionBatch, _: Ints) -> Decisions:
            return self._answer(state, rest, rng)

        return ask_within(ask, batch, self.limits(state, batch))

    def limits(self, state: Any, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the limits of the policy."""
        return limits_of(self.policy, state, batch)

    def contains(self, users: Ints, visits: Ints) -> Bools:
        """Return [n] who is in the bucket."""
        visit = visits if self.unit == "visit" else np.zeros_like(visits)
        return _keyed(self.salt, users, visit) < self.share

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state of the policy."""
        return self.policy.update(state, feedback)

    def _answer(self, state: Any, batch: DecisionBatch, rng: np.random.Generator) -> Decisions:
        uniforms, seen = rng.random(len(batch)), batch.observation
        inside = self.contains(seen.user, seen.visit)
        if not inside.any():
            answer = self.policy.decide(state, batch, rng)
            return replace(answer, reason=reasons_of(answer))
        answer = self.policy.decide(state, masked(batch, ~inside[:, None]), rng)
        there = batch.available & inside[:, None]
        if self.respect_seats:
            there = there & (seen.seats_left > 0)
        uniform = even(there)
        reason = reasons_of(answer)
        reason[inside & there.any(axis=1)] = BUCKET
        return replace(
            answer,
            choice=np.where(inside, drawn(uniform, uniforms), answer.choice),
            propensities=np.where(inside[:, None], uniform, answer.propensities),
            reason=reason,
        )


@njit(cache=True)
def _keyed(salt: int, users: Ints, visits: Ints) -> Floats:
    draws = np.empty(len(users))
    for i in range(len(users)):
        draws[i] = keyed_uniform(salt, _PURPOSE, users[i], visits[i], 0)
    return draws


def even(there: Bools) -> Floats:
    """Return [n, m] the same probability for every candidate there is."""
    count = there.sum(axis=1, keepdims=True)
    return np.where(there, 1.0 / np.maximum(count, 1), 0.0)


def drawn(chances: Floats, uniforms: Floats) -> Ints:
    """Return [n] the column drawn by ``uniforms`` [n] in [0, 1), -1 in rows without chances."""
    if chances.shape[1] == 0:
        return np.full(len(chances), -1, dtype=np.int64)
    upto = np.cumsum(chances, axis=1)
    column = (upto <= uniforms[:, None]).sum(axis=1)
    last = chances.shape[1] - 1 - np.argmax(chances[:, ::-1] > 0.0, axis=1)
    return np.where((chances > 0.0).any(axis=1), np.minimum(column, last), -1)
