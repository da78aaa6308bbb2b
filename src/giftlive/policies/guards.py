"""Wrappers that close candidates: eligibility, seats, showings per user and room, fatigue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import Policy
from giftlive.policies.greedy import Greedy
from giftlive.policies.journal import Journal, pair_keys
from giftlive.policies.limits import Limit, decide_within, limits_of, masked
from giftlive.policies.signals import ShareOfValue, Signal, numbers
from giftlive.types import Bools, DecisionBatch, Decisions, Feedback, Ints


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
        return self.policy.decide(state, masked(batch, self._keep(batch)), rng)

    def limits(self, state: Any, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return that nothing is left of who is not eligible, and the policy's limits."""
        nothing = Limit(np.where(self._keep(batch), -1, 0), np.zeros(1), "")
        return nothing, *limits_of(self.policy, state, batch)

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state of the policy."""
        return self.policy.update(state, feedback)

    def _keep(self, batch: DecisionBatch) -> Bools:
        return numbers(self.eligible, batch, "eligibility.eligible") > 0.0


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
        return decide_within(self.policy, state, batch, rng, _seats(batch))

    def limits(self, state: Any, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the free seats, and the policy's limits."""
        return _seats(batch), *limits_of(self.policy, state, batch)

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
        return decide_within(self.policy, state.inner, batch, rng, self._showings(state, batch))

    def limits(self, state: Counting, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the showings left of each user and room, and the policy's limits."""
        return self._showings(state, batch), *limits_of(self.policy, state.inner, batch)

    def update(self, state: Counting, feedback: Feedback, /) -> Counting:
        """Return the counts with what was shown."""
        shown = feedback.room >= 0
        keys = pair_keys(feedback.user[shown], feedback.room[shown])
        return _counted(self.policy, state, feedback, keys)

    def _showings(self, state: Counting, batch: DecisionBatch) -> Limit:
        seen = batch.observation
        keys = pair_keys(seen.user[:, None], seen.rooms)
        return _counts(state, keys, self.cap, "frequency_cap")


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
        return decide_within(self.policy, state.inner, batch, rng, self._showings(state, batch))

    def limits(self, state: Counting, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the showings left of each user, and the policy's limits."""
        return self._showings(state, batch), *limits_of(self.policy, state.inner, batch)

    def update(self, state: Counting, feedback: Feedback, /) -> Counting:
        """Return the counts with what was shown."""
        return _counted(self.policy, state, feedback, feedback.user[feedback.room >= 0])

    def _showings(self, state: Counting, batch: DecisionBatch) -> Limit:
        seen = batch.observation
        keys = np.broadcast_to(seen.user[:, None], seen.rooms.shape)
        return _counts(state, keys, self.budget, "fatigue_budget")


def _seats(batch: DecisionBatch) -> Limit:
    seen, there = batch.observation, batch.available
    left = np.full(int(seen.rooms.max(initial=0)) + 1, np.inf)
    np.minimum.at(left, seen.rooms[there], seen.seats_left[there])
    return Limit(seen.rooms, left, "seat")


def _counts(state: Counting, keys: Ints, cap: int, code: str) -> Limit:
    known, resource = np.unique(keys, return_inverse=True)
    left = np.maximum(cap - state.journal.counts(known), 0)
    return Limit(resource.reshape(keys.shape), left.astype(np.float64), code)


def _counted(policy: Policy[Any], state: Counting, feedback: Feedback, keys: Ints) -> Counting:
    journal = state.journal.add(keys, np.full(len(keys), feedback.ts))
    return Counting(policy.update(state.inner, feedback), journal)
