"""The best estimated value now, with and without looking at the seats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.policies.base import Memoryless
from giftlive.policies.choice import choose_best
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class Greedy:
    """Show the candidate of largest estimated value; a full room refuses the user at the door."""

    name: str = "greedy"

    def init(self, seats: Ints, /) -> Memoryless:
        """Return the empty state."""
        return Memoryless()

    def decide(
        self, state: Memoryless, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Choose by value, seats ignored; ties to the lowest room index."""
        return choose_best(batch, batch.values, guard=False)

    def update(self, state: Memoryless, feedback: Feedback, /) -> Memoryless:
        """Return the state as it was."""
        return state


@dataclass(frozen=True)
class GreedyWithCap:
    """Show the candidate of largest estimated value among rooms with a free seat."""

    name: str = "greedy_with_cap"

    def init(self, seats: Ints, /) -> Memoryless:
        """Return the empty state."""
        return Memoryless()

    def decide(
        self, state: Memoryless, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Choose by value in batch order, each row after the seats the rows before it took."""
        return choose_best(batch, batch.values, guard=True)

    def update(self, state: Memoryless, feedback: Feedback, /) -> Memoryless:
        """Return the state as it was."""
        return state
