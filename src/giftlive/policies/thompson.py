"""Show each room as often as it is likely to be the best."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import Memoryless, at_rooms
from giftlive.policies.evidence import Evidence
from giftlive.policies.largest import draw_largest
from giftlive.policies.signals import ShareOfValue, Signal, numbers
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints

Law = Literal["gaussian", "gamma"]


@dataclass(frozen=True)
class Thompson:
    """Draw a room by the chance that its value, as uncertain as stated, is the largest.

    The errors of a row's values are taken to be independent. It learns nothing itself: whoever
    refits the values narrows their uncertainty. ``RoomThompson`` learns in the loop.

    Attributes
    ----------
    uncertainty : sd of every candidate's value, >= 0; with 0 everywhere it is greedy.
    law : of the value: normal, or Gamma, which cannot fall below 0 and has the longer upper tail.
    floor : share of uniform traffic, in [0, 1]. respect_seats : only rooms with a free seat.
    """

    uncertainty: Signal = field(default_factory=ShareOfValue)
    law: Law = "gaussian"
    floor: float = 0.0
    respect_seats: bool = False
    name: str = "thompson"

    def __post_init__(self) -> None:
        _check(self.law, self.floor, "thompson")

    def init(self, seats: Ints, /) -> Memoryless:
        """Return the empty state."""
        return Memoryless()

    def decide(
        self, state: Memoryless, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Draw in batch order and report the exact propensities."""
        uniforms = rng.random(len(batch))
        sd = numbers(self.uncertainty, batch, "thompson.uncertainty", least=0.0)
        return draw_largest(
            batch, batch.values, sd, uniforms,
            gamma=self.law == "gamma", guard=self.respect_seats, floor=self.floor,
        )  # fmt: skip

    def update(self, state: Memoryless, feedback: Feedback, /) -> Memoryless:
        """Return the state as it was."""
        return state


@dataclass(frozen=True)
class RoomThompson:
    """Thompson sampling on rooms: v_s θ_s, with a factor θ_s learned from the gifts of the room.

    The estimate v knows the pair; what it cannot know, whether a newcomer is good, is θ: mean 1
    and sd ``prior_sd`` before, then the posterior of ``evidence`` from amounts that are final. θ is
    drawn anew for every decision.

    Attributes
    ----------
    prior_sd : τ > 0, how far a room may be from its estimate.
    dispersion : φ > 0 in money, variance over mean of an amount; None: from the gifts heard.
    law, floor, respect_seats : as in ``Thompson``, of θ.
    """

    prior_sd: float = 0.5
    dispersion: float | None = None
    law: Law = "gamma"
    floor: float = 0.0
    respect_seats: bool = False
    name: str = "room_thompson"

    def __post_init__(self) -> None:
        _check(self.law, self.floor, "room_thompson")
        check_prior(self.prior_sd, self.dispersion, "room_thompson")

    def init(self, seats: Ints, /) -> Evidence:
        """Return nothing heard."""
        return Evidence.none(len(seats))

    def decide(
        self, state: Evidence, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Draw in batch order and report the exact propensities."""
        uniforms = rng.random(len(batch))
        mean, sd = state.posterior(self.prior_sd, self.dispersion)
        theta, spread = at_rooms(mean, batch), at_rooms(sd, batch)
        return draw_largest(
            batch, batch.values * theta, np.abs(batch.values) * spread, uniforms,
            gamma=self.law == "gamma", guard=self.respect_seats, floor=self.floor,
        )  # fmt: skip

    def update(self, state: Evidence, feedback: Feedback, /) -> Evidence:
        """Return the evidence with what has become final."""
        return state.heard(feedback, self.name)


def check_prior(prior_sd: float, dispersion: float | None, policy: str) -> None:
    """Refuse a prior or a dispersion that is not a positive number."""
    if not 0.0 < prior_sd < np.inf:
        raise ConfigError(f"{prior_sd}", f"{policy}.prior_sd", "> 0")
    if dispersion is not None and not 0.0 < dispersion < np.inf:
        raise ConfigError(f"{dispersion}", f"{policy}.dispersion", "> 0 money, or none")


def _check(law: str, floor: float, policy: str) -> None:
    if law not in ("gaussian", "gamma"):
        raise ConfigError(f"{law!r}", f"{policy}.law", "gaussian or gamma")
    if not 0.0 <= floor <= 1.0:
        raise ConfigError(f"{floor}", f"{policy}.floor", "a share in [0, 1]")
