"""Mostly the best as far as known, now and then any: the simplest learner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import at_rooms, explained
from giftlive.policies.choice import explore
from giftlive.policies.evidence import Evidence
from giftlive.policies.thompson import check_prior
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class EpsilonGreedy:
    """Show the largest v_s E[θ_s] with probability 1 - ε, else any candidate, each alike.

    θ_s is the room's factor learned from gifts that are final (``evidence``). Every one of m open
    candidates has propensity >= ε / m.

    Attributes
    ----------
    epsilon : ε in [0, 1]. learn : False keeps θ = 1. prior_sd, dispersion : of θ, as in
    ``RoomThompson``. respect_seats : only rooms with a free seat.
    """

    epsilon: float = 0.05
    learn: bool = True
    prior_sd: float = 0.5
    dispersion: float | None = None
    respect_seats: bool = False
    name: str = "epsilon_greedy"

    def __post_init__(self) -> None:
        if not 0.0 <= self.epsilon <= 1.0:
            raise ConfigError(f"{self.epsilon}", "epsilon_greedy.epsilon", "a share in [0, 1]")
        check_prior(self.prior_sd, self.dispersion, "epsilon_greedy")

    def init(self, seats: Ints, /) -> Evidence:
        """Return nothing heard."""
        return Evidence.none(len(seats))

    def decide(
        self, state: Evidence, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Choose in batch order and report the exact propensities."""
        uniforms = rng.random(len(batch))
        mean, _ = state.posterior(self.prior_sd, self.dispersion)
        scores = batch.values * at_rooms(mean, batch)
        decisions = explore(batch, scores, uniforms, guard=self.respect_seats, floor=self.epsilon)
        return explained(batch, scores, decisions)

    def update(self, state: Evidence, feedback: Feedback, /) -> Evidence:
        """Return the evidence with what has become final."""
        return state.heard(feedback, self.name) if self.learn else state
