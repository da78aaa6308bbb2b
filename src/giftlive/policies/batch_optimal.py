"""The best assignment of the whole batch at once, instead of one user after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.allocation.flow import optimal_assignment
from giftlive.policies.base import Memoryless
from giftlive.policies.choice import refuse_nan
from giftlive.policies.limits import first_nan
from giftlive.types import UNLIMITED_SEATS, DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class BatchOptimal:
    """Show what maximises Σ v_us x_us over the batch under the free seats: a min-cost flow.

    Optimal for the batch and blind to the next one: with batches smaller than a stay it saves no
    seat for a better user, as prices do. Values not above 0 are not shown.

    Attributes
    ----------
    respect_seats : False: no limit; it is then greedy, but for values not above 0.
    """

    respect_seats: bool = True
    name: str = "batch_optimal"

    def init(self, seats: Ints, /) -> Memoryless:
        """Return the empty state."""
        return Memoryless()

    def decide(
        self, state: Memoryless, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Solve the batch exactly, up to 2^-40 of its largest value."""
        refuse_nan(first_nan(batch))
        seen, there = batch.observation, batch.available
        chances = np.zeros(batch.values.shape)
        if not there.any():
            return Decisions(np.full(len(batch), -1, dtype=np.int64), chances)
        known, compact = np.unique(seen.rooms[there], return_inverse=True)
        dense = np.full(seen.rooms.shape, -1, dtype=np.int64)
        dense[there] = compact
        seats = np.full(len(known), UNLIMITED_SEATS, dtype=np.int64)
        if self.respect_seats:
            np.minimum.at(seats, compact, seen.seats_left[there].clip(0))
        choice = optimal_assignment(batch.values, dense, seats).choice
        shown = np.flatnonzero(choice >= 0)
        chances[shown, choice[shown]] = 1.0
        return Decisions(choice, chances)

    def update(self, state: Memoryless, feedback: Feedback, /) -> Memoryless:
        """Return the state as it was."""
        return state
