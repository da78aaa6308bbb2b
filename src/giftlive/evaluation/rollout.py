"""One policy, one world, one evening: who was shown what, and what it was worth.

Common random numbers: the world's draws depend only on its seed, and every policy starts from
the same stream of its own, so two identical policies produce identical outcomes and a
difference between two policies is a difference between their decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from giftlive.policies.base import hear
from giftlive.rng import stream
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints, Observation


class Arena(Protocol):
    """A world that asks for decisions; ``world.Arena`` and ``world.RoundsArena`` are two."""

    def reset(self) -> Observation | None:
        """Start over and return the first batch."""

    def step(self, decisions: Decisions, /) -> tuple[Feedback, Observation | None]:
        """Carry out the decisions; return what was observed and the next batch."""

    def outcome(self) -> Any:
        """Return the truth about every decision so far."""


class Policy(Protocol):
    """What the rollout needs of a policy (``policies.base`` states the whole contract)."""

    def init(self, seats: Ints, /) -> Any:
        """Return the state before the first decision."""

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Return the decisions and their propensities."""

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state after the feedback."""


class Valuer(Protocol):
    """Puts an estimated value and an estimated seat time on every candidate."""

    def __call__(self, observation: Observation, /) -> tuple[Floats, Floats]:
        """Return values [n, m] and seat seconds [n, m], 0 at padding."""


@dataclass(frozen=True)
class TableValuer:
    """Values looked up in dense tables [users, streamers]: estimated ones or, for oracles, true.

    Attributes
    ----------
    values : [U, S] E[amount | shown], platform units.
    seat_seconds : [U, S] expected seconds a seat is held if shown.
    """

    values: Floats
    seat_seconds: Floats

    def __call__(self, observation: Observation, /) -> tuple[Floats, Floats]:
        """Look every candidate up; padding is worth 0 and takes no time."""
        padded = observation.streamers < 0
        cell = observation.user[:, None], np.where(padded, 0, observation.streamers)
        values, seconds = self.values[cell], self.seat_seconds[cell]
        values[padded] = 0.0
        seconds[padded] = 0.0
        return values, seconds


@dataclass(frozen=True)
class Rollout:
    """What one policy did in one evening.

    Attributes
    ----------
    policy, seed : which. decisions : number of decisions taken. declined : those in which
    nothing was shown. displaced : those in which the most valuable candidate was not shown
    (declined ones included).
    expected_revenue : Σ E[amount | shown, admitted] under the truth (Rao–Blackwell).
    revenue : Σ realised amounts. refused : chosen rooms without a free seat.
    seat_share : seat-seconds used / offered. income : [S] expected income by streamer.
    exposure : [S] times each streamer was shown.
    """

    policy: str
    seed: int
    decisions: int
    declined: int
    displaced: int
    expected_revenue: float
    revenue: float
    refused: int
    seat_share: float
    income: Floats
    exposure: Floats


def play(arena: Arena, policy: Policy, valuer: Valuer, seats: Ints, seed: int) -> tuple[Any, int]:
    """Run ``policy`` through ``arena`` to its end; return the outcome and the displaced count.

    Parameters
    ----------
    seats : [R] hard seats of every room. seed : names the policy's own random stream.
    """
    rng = stream(seed, "policy")
    state = policy.init(seats)
    displaced = 0
    observation = arena.reset()
    while observation is not None:
        values, seconds = valuer(observation)
        batch = DecisionBatch(observation, values, seconds)
        decisions = policy.decide(state, batch, rng)
        displaced += _displaced(batch, decisions)
        feedback, observation = arena.step(decisions)
        state = policy.update(state, hear(feedback, batch, decisions))
    return arena.outcome(), displaced


def _displaced(batch: DecisionBatch, decisions: Decisions) -> int:
    """Count decisions whose choice is worth less than the best candidate (ties are not)."""
    best = np.where(batch.available, batch.values, -np.inf).max(axis=1)
    rows = np.arange(len(batch))
    chosen = np.where(decisions.choice >= 0, batch.values[rows, decisions.choice], -np.inf)
    return int(np.sum((chosen < best) & np.isfinite(best)))


def summarise(policy: str, seed: int, outcome: Any, displaced: int) -> Rollout:
    """Return the numbers of one evening that comparisons are made of."""
    return Rollout(
        policy=policy,
        seed=seed,
        decisions=int(outcome.decisions),
        declined=int(np.sum(~outcome.shown)),
        displaced=displaced,
        expected_revenue=float(outcome.expected_revenue),
        revenue=float(outcome.revenue),
        refused=int(np.sum(outcome.refused)),
        seat_share=float(outcome.seat_ms_used / max(outcome.seat_ms_offered, 1)),
        income=np.asarray(outcome.streamer_expected_income, dtype=np.float64),
        exposure=np.asarray(outcome.streamer_exposure, dtype=np.float64),
    )
