"""What a policy is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from giftlive.types import DecisionBatch, Decisions, Feedback, Ints

StateT = TypeVar("StateT")


class Policy(Protocol[StateT]):
    """A frozen configuration that answers batches; everything it learns is in its state.

    ``decide`` must not change ``state``, must draw randomness only from ``rng``, must never choose
    padding (``rooms`` = -1), and must return the exact probability of every column given the
    decisions it has already taken in the same batch.
    """

    @property
    def name(self) -> str:
        """Name under which results are reported."""

    def init(self, seats: Ints, /) -> StateT:
        """Return the state before the first batch; ``seats`` [S] per dense room."""

    def decide(self, state: StateT, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Choose one column, or -1 for nothing, in every row of the batch."""

    def update(self, state: StateT, feedback: Feedback, /) -> StateT:
        """Return the state after hearing what the batch led to."""


@dataclass(frozen=True)
class Memoryless:
    """The state of a policy that remembers nothing."""
