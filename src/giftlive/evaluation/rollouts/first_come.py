"""The plain way to keep a cap on whales per room: whoever comes first takes the place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.policies.base import Policy
from giftlive.policies.limits import without
from giftlive.types import Bools, DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class FirstCome:
    """Show whales, in batch order, their best room with fewer than ``k`` whales in this batch.

    What an exact assignment is compared with. For rounds, whose rooms are empty again in every
    batch; ``rest`` decides for everybody else.

    Attributes
    ----------
    k : >= 1. whales : [U] who is one.
    """

    k: int
    whales: Bools
    rest: Policy[Any]
    name: str = "first_come"

    def init(self, seats: Ints, /) -> Any:
        """Return the state of the policy for everybody else."""
        return self.rest.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Place the whales one by one, then let the other policy decide."""
        whale = self.whales[batch.observation.user]
        choice = np.full(len(batch), -1, dtype=np.int64)
        rooms = batch.observation.rooms
        inside = np.zeros(int(rooms.max(initial=0)) + 1, dtype=np.int64)
        for i in np.flatnonzero(whale):
            open_ = (rooms[i] >= 0) & (inside[rooms[i]] < self.k)
            if open_.any():
                choice[i] = int(np.argmax(np.where(open_, batch.values[i], -np.inf)))
                inside[rooms[i, choice[i]]] += 1
        decisions = self.rest.decide(state, without(batch, whale, choice), rng)
        chances, placed = decisions.propensities.copy(), np.flatnonzero(choice >= 0)
        chances[placed, choice[placed]] = 1.0
        return Decisions(np.where(whale, choice, decisions.choice), chances)

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the other policy's state after the feedback."""
        return self.rest.update(state, feedback)
