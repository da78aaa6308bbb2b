"""A minimum by heads: every round, each room gets so many viewers, whoever costs least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.policies.base import Policy
from giftlive.policies.limits import without
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class Quota:
    """Send each room its number of viewers of the batch, those who lose least by it.

    What a floor weighted by attention is compared with: heads are cheap, and so are the viewers.

    Attributes
    ----------
    heads : [S] viewers of a batch that a room is sent. rest : decides for everybody else.
    """

    heads: Ints
    rest: Policy[Any]
    name: str = "quota"

    def init(self, seats: Ints, /) -> Any:
        """Return the state of the policy for everybody else."""
        return self.rest.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Fill the quotas room by room, then let the other policy decide."""
        values = np.where(batch.available, batch.values, -np.inf)
        loss = values.max(axis=1)[:, None] - values
        choice = np.full(len(batch), -1, dtype=np.int64)
        for room in np.flatnonzero(self.heads):
            rows, columns = np.nonzero(batch.observation.rooms == room)
            free = choice[rows] < 0
            rows, columns = rows[free], columns[free]
            cheapest = np.argsort(loss[rows, columns], kind="stable")[: self.heads[room]]
            choice[rows[cheapest]] = columns[cheapest]
        placed = choice >= 0
        decisions = self.rest.decide(state, without(batch, placed, choice), rng)
        chances = decisions.propensities.copy()
        chances[placed, choice[placed]] = 1.0
        return Decisions(np.where(placed, choice, decisions.choice), chances)

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the other policy's state after the feedback."""
        return self.rest.update(state, feedback)
