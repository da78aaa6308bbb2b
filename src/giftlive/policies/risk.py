"""Values with their uncertainty: the optimist's, the pessimist's, the mean of the worst tail."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import Memoryless, explained
from giftlive.policies.choice import choose_best
from giftlive.policies.signals import ShareOfValue, Signal, numbers
from giftlive.types import DecisionBatch, Decisions, Feedback, Ints


@dataclass(frozen=True)
class Risk:
    """Show the candidate of largest v_s + width * sd_s.

    width > 0 is an upper confidence bound (it tries what it does not know), width < 0 a lower one
    (it avoids that); use ``ucb``, ``lcb`` and ``cvar``, which give the width its meaning. sd is the
    error of the *estimate* of E[amount], not the spread of amounts; if it is not calibrated, the
    width has no meaning: under a relative error that is the same for all, every width is greedy.

    Attributes
    ----------
    width : number of standard deviations. uncertainty : sd of every candidate's value, >= 0.
    respect_seats : only rooms with a free seat.
    """

    width: float
    uncertainty: Signal = field(default_factory=ShareOfValue)
    respect_seats: bool = False
    name: str = "risk"

    def __post_init__(self) -> None:
        if not np.isfinite(self.width):
            raise ConfigError(f"{self.width}", f"{self.name}.width", "a finite number")

    def init(self, seats: Ints, /) -> Memoryless:
        """Return the empty state."""
        return Memoryless()

    def decide(
        self, state: Memoryless, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Choose by the bound, in batch order."""
        sd = numbers(self.uncertainty, batch, f"{self.name}.uncertainty", least=0.0)
        scores = batch.values + self.width * sd
        return explained(batch, scores, choose_best(batch, scores, guard=self.respect_seats))

    def update(self, state: Memoryless, feedback: Feedback, /) -> Memoryless:
        """Return the state as it was."""
        return state


def ucb(
    width: float = 1.0,
    uncertainty: Signal | None = None,
    respect_seats: bool = False,
    name: str = "ucb",
) -> Risk:
    """Return the policy of the upper bound v + width * sd, width >= 0."""
    return Risk(_not_negative(width, name), uncertainty or ShareOfValue(), respect_seats, name)


def lcb(
    width: float = 1.0,
    uncertainty: Signal | None = None,
    respect_seats: bool = False,
    name: str = "lcb",
) -> Risk:
    """Return the policy of the lower bound v - width * sd, width >= 0."""
    return Risk(-_not_negative(width, name), uncertainty or ShareOfValue(), respect_seats, name)


def cvar(
    tail: float = 0.05,
    uncertainty: Signal | None = None,
    respect_seats: bool = False,
    name: str = "cvar",
) -> Risk:
    """Return the policy of the mean value within the worst ``tail`` of its uncertainty.

    For v ~ N(v, sd²): CVaR = v - sd φ(z) / tail with z the standard normal quantile of tail; at
    tail = 1 it is greedy.

    Parameters
    ----------
    tail : share of the worst cases, in (0, 1].

    Examples
    --------
    >>> round(cvar(0.05).width, 3), cvar(1.0).width
    (-2.063, 0.0)
    """
    if not 0.0 < tail <= 1.0:
        raise ConfigError(f"{tail}", f"{name}.tail", "a share in (0, 1]")
    normal = NormalDist()
    width = normal.pdf(normal.inv_cdf(tail)) / tail if tail < 1.0 else 0.0
    return Risk(-width if width else 0.0, uncertainty or ShareOfValue(), respect_seats, name)


def _not_negative(width: float, name: str) -> float:
    if not width >= 0.0:
        raise ConfigError(f"{width}", f"{name}.width", ">= 0")
    return width
