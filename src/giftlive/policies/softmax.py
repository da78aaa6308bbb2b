"""Softer than greedy, with a floor under every propensity: the policy that leaves good logs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import Memoryless
from giftlive.policies.choice import draw
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class Softmax:
    """Draw candidates with probability (1 - floor) softmax(v / (temperature * scale)) + floor / m.

    Every one of a row's m available candidates has propensity >= floor / m, so importance weights
    of any target policy are at most m / floor.

    Attributes
    ----------
    temperature : > 0, in units of the scale; towards 0 it becomes greedy, large it is uniform.
    floor : share of uniform traffic, in [0, 1].
    scale : value that counts as one unit; None: the mean value of the batch's candidates, so that
        multiplying all values changes nothing.
    respect_seats : draw only among rooms that still have a free seat.
    """

    temperature: float = 0.5
    floor: float = 0.05
    scale: float | None = None
    respect_seats: bool = False
    name: str = "softmax"

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ConfigError(f"{self.temperature}", "softmax.temperature", "> 0")
        if not 0.0 <= self.floor <= 1.0:
            raise ConfigError(f"{self.floor}", "softmax.floor", "a share in [0, 1]")
        if self.scale is not None and not self.scale > 0.0:
            raise ConfigError(f"{self.scale}", "softmax.scale", "> 0, or none for the batch's mean")

    def init(self, seats: Ints, /) -> Memoryless:
        """Return the empty state."""
        return Memoryless()

    def decide(
        self, state: Memoryless, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Draw one available candidate per row and report the exact propensities."""
        uniforms = rng.random(len(batch))
        unit = self.scale if self.scale is not None else _mean_size(batch)
        scores = batch.values / (self.temperature * unit) if unit > 0.0 else batch.values
        return draw(batch, scores, uniforms, guard=self.respect_seats, floor=self.floor)

    def update(self, state: Memoryless, feedback: Feedback, /) -> Memoryless:
        """Return the state as it was."""
        return state


def _mean_size(batch: DecisionBatch) -> float:
    """Return the mean absolute value of the candidates, 0 where all are 0 or there are none."""
    sizes = np.abs(batch.values[batch.available])
    return float(sizes.mean()) if sizes.size else 0.0
