"""What a policy is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from giftlive.errors import UsageError
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints, Texts

StateT = TypeVar("StateT")


class Policy(Protocol[StateT]):
    """A frozen configuration that answers batches; everything it learns is in its state.

    ``decide`` must not change ``state``, must draw randomness only from ``rng``, must never choose
    padding (``rooms`` = -1), and must return the exact probability of every column given the
    decisions it has already taken in the same batch.
    """

    @property
    def name(self) -> str:
        """Name under which results are reported."""

    def init(self, seats: Ints, /) -> StateT:
        """Return the state before the first batch; ``seats`` [S] per dense room."""

    def decide(self, state: StateT, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Choose one column, or -1 for nothing, in every row of the batch."""

    def update(self, state: StateT, feedback: Feedback, /) -> StateT:
        """Return the state after hearing what the batch led to."""


@dataclass(frozen=True)
class Memoryless:
    """The state of a policy that remembers nothing."""


def hear(feedback: Feedback, batch: DecisionBatch, decisions: Decisions) -> Feedback:
    """Return ``feedback`` with the value that each shown room had in the batch it answers.

    Who plays a policy calls this between the world and ``update``.
    """
    shown = np.flatnonzero(decisions.choice >= 0)
    value = np.zeros(len(batch))
    value[shown] = batch.values[shown, decisions.choice[shown]]
    return replace(feedback, value=value)


def value_heard(feedback: Feedback, policy: str) -> Floats:
    """Return [n] the values of the rooms shown.

    Raises
    ------
    UsageError
        The feedback was passed on as it came from the world, without them.
    """
    if feedback.value is None:
        raise UsageError(
            "feedback without the values of the rooms shown",
            f"update of {policy}",
            "Feedback.value",
            "pass it through policies.hear(feedback, batch, decisions)",
        )
    return feedback.value


def explained(
    batch: DecisionBatch, scores: Floats, decisions: Decisions, reason: Texts | None = None
) -> Decisions:
    """Return ``decisions`` with what was taken off each value to make its score [n, m]."""
    charges = np.where(batch.available, batch.values - scores, 0.0)
    return replace(decisions, charges=charges, reason=reason)


def reasons_of(decisions: Decisions) -> Texts:
    """Return a copy of the rows' reasons, "" everywhere where the policy names none."""
    if decisions.reason is not None:
        return decisions.reason.copy()
    return np.full(len(decisions.choice), "", dtype=object)


def final_at(feedback: Feedback) -> Ints:
    """Return [n] ms at which each amount is final, the feedback's own time if it does not say."""
    if feedback.reward_ts is not None:
        return feedback.reward_ts
    return np.full(len(feedback.user), feedback.ts)
