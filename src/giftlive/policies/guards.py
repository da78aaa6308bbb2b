"""Wrappers that close candidates: eligibility, seats, showings per user and room, fatigue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import Policy
from giftlive.policies.greedy import Greedy
from giftlive.policies.journal import Journal, pair_keys
from giftlive.policies.limits import decide_within, masked
from giftlive.policies.signals import ShareOfValue, Signal, numbers
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class Counting:
    """The state of a wrapped policy, and who was shown what."""

    inner: Any
    journal: Journal


@dataclass(frozen=True)
class Eligibility:
    """Let ``policy`` choose among eligible candidates only.

    Attributes
    ----------
    policy : decides. eligible : signal above 0 where a room may be shown to a user (age, language,
        blocked pairs); by default where the value is not 0.
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    eligible: Signal = field(default_factory=lambda: ShareOfValue(1.0))
    name: str = "eligibility"

    def init(self, seats: Ints, /) -> Any:
        """Return the state of the policy."""
        return self.policy.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Decide without the candidates that are not eligible; their propensity is 0."""
        keep = numbers(self.eligible, batch, "eligibility.eligible") > 0.0
        return self.policy.decide(state, masked(batch, keep), rng)

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state of the policy."""
        return self.policy.update(state, feedback)


@dataclass(frozen=True)
class CapacityGuard:
    """Let ``policy`` choose among rooms with a free seat only, whatever it thinks of seats.

    Attributes
    ----------
    policy : decides; one that counts within a batch should keep to seats by its own option.
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    name: str = "capacity_guard"

    def init(self, seats: Ints, /) -> Any:
        """Return the state of the policy."""
        return self.policy.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Decide with full rooms closed, in batch order."""
        seen, there = batch.observation, batch.available
        left = np.full(int(seen.rooms.max(initial=0)) + 1, np.iinfo(np.int64).max, dtype=np.int64)
        np.minimum.at(left, seen.rooms[there], seen.seats_left[there])
        return decide_within(self.policy, state, batch, rng, seen.rooms, left, "seat")

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state of the policy."""
        return self.policy.update(state, feedback)


@dataclass(frozen=True)
class FrequencyCap:
    """Let ``policy`` show a room to the same user at most ``cap`` times in the evening.

    Attributes
    ----------
    policy : decides. cap : >= 1.
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    cap: int = 3
    name: str = "frequency_cap"

    def __post_init__(self) -> None:
        if self.cap < 1:
            raise ConfigError(f"{self.cap}", "frequency_cap.cap", ">= 1")

    def init(self, seats: Ints, /) -> Counting:
        """Return nobody shown anything."""
        return Counting(self.policy.init(seats), Journal())

    def decide(
        self, state: Counting, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Decide with rooms closed that this user has seen often enough."""
        seen = batch.observation
        keys = pair_keys(seen.user[:, None], seen.rooms)
        return _within(self.policy, state, batch, rng, keys, self.cap, "frequency_cap")

    def update(self, state: Counting, feedback: Feedback, /) -> Counting:
        """Return the counts with what was shown."""
        shown = feedback.room >= 0
        keys = pair_keys(feedback.user[shown], feedback.room[shown])
        return _counted(self.policy, state, feedback, keys)


@dataclass(frozen=True)
class FatigueBudget:
    """Let ``policy`` show a user at most ``budget`` rooms in the evening, then nothing.

    Attributes
    ----------
    policy : decides. budget : >= 0.
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    budget: int = 20
    name: str = "fatigue_budget"

    def __post_init__(self) -> None:
        if self.budget < 0:
            raise ConfigError(f"{self.budget}", "fatigue_budget.budget", ">= 0")

    def init(self, seats: Ints, /) -> Counting:
        """Return nobody shown anything."""
        return Counting(self.policy.init(seats), Journal())

    def decide(
        self, state: Counting, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Decide for users with budget left."""
        seen = batch.observation
        keys = np.broadcast_to(seen.user[:, None], seen.rooms.shape)
        return _within(self.policy, state, batch, rng, keys, self.budget, "fatigue_budget")

    def update(self, state: Counting, feedback: Feedback, /) -> Counting:
        """Return the counts with what was shown."""
        return _counted(self.policy, state, feedback, feedback.user[feedback.room >= 0])


def _within(
    policy: Policy[Any],
    state: Counting,
    batch: DecisionBatch,
    rng: np.random.Generator,
    keys: Ints,
    cap: int,
    code: str,
) -> Decisions:
    known, resource = np.unique(keys, return_inverse=True)
    left = np.maximum(cap - state.journal.counts(known), 0)
    if not len(known):
        left = np.zeros(1, dtype=np.int64)
    return decide_within(policy, state.inner, batch, rng, resource.reshape(keys.shape), left, code)


def _counted(policy: Policy[Any], state: Counting, feedback: Feedback, keys: Ints) -> Counting:
    journal = state.journal.add(keys, np.full(len(keys), feedback.ts))
    return Counting(policy.update(state.inner, feedback), journal)
