"""Show the room whose value is the largest that what was heard of it still allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import at_rooms, explained
from giftlive.policies.choice import choose_best
from giftlive.policies.evidence import Evidence
from giftlive.policies.thompson import check_prior
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class RoomUCB:
    """Show the largest v_s (E[θ_s] + width · sd[θ_s]), θ_s a factor learned from the room's gifts.

    The optimist to ``RoomThompson``: the same evidence and prior, no draw, so that a log of it
    says nothing about other policies. The bound of a room that is shown and gives nothing falls.

    Attributes
    ----------
    width : >= 0; 0 is greedy on v_s E[θ_s]. prior_sd, dispersion : as in ``RoomThompson``.
    respect_seats : only rooms with a free seat.
    """

    width: float = 1.0
    prior_sd: float = 0.5
    dispersion: float | None = None
    respect_seats: bool = False
    name: str = "room_ucb"

    def __post_init__(self) -> None:
        if not 0.0 <= self.width < np.inf:
            raise ConfigError(f"{self.width}", "room_ucb.width", ">= 0")
        check_prior(self.prior_sd, self.dispersion, "room_ucb")

    def init(self, seats: Ints, /) -> Evidence:
        """Return nothing heard."""
        return Evidence.none(len(seats))

    def decide(
        self, state: Evidence, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Choose by the upper bound, in batch order."""
        mean, sd = state.posterior(self.prior_sd, self.dispersion)
        theta, spread = at_rooms(mean, batch), at_rooms(sd, batch)
        bound = batch.values * theta + self.width * np.abs(batch.values) * spread
        scores = np.where(batch.available, bound, 0.0)
        return explained(batch, scores, choose_best(batch, scores, guard=self.respect_seats))

    def update(self, state: Evidence, feedback: Feedback, /) -> Evidence:
        """Return the evidence with what has become final."""
        return state.heard(feedback, self.name)
