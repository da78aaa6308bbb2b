"""Every candidate with the same probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.policies.base import Memoryless
from giftlive.policies.choice import draw
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class Uniform:
    """Show a candidate drawn uniformly: the random bucket of a platform.

    Attributes
    ----------
    respect_seats : draw only among rooms that still have a free seat.
    """

    respect_seats: bool = False
    name: str = "uniform"

    def init(self, seats: Ints, /) -> Memoryless:
        """Return the empty state."""
        return Memoryless()

    def decide(
        self, state: Memoryless, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Draw one available candidate per row."""
        uniforms = rng.random(len(batch))
        alike = np.zeros_like(batch.values)
        return draw(batch, alike, uniforms, guard=self.respect_seats, floor=1.0)

    def update(self, state: Memoryless, feedback: Feedback, /) -> Memoryless:
        """Return the state as it was."""
        return state
