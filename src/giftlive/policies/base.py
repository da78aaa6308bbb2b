"""What a policy is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from giftlive.errors import InputError, UsageError
from giftlive.policies.choice import refuse_nan
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
    """Return ``decisions`` with what was taken off each value to make its score [n, m].

    Raises
    ------
    InputError
        A score is not a number: the row could be logged with no price that explains it.
    """
    with np.errstate(invalid="ignore"):
        charges = np.where(batch.available, batch.values - scores, 0.0)
    unknown = np.isnan(charges).any(axis=1)
    refuse_nan(int(np.argmax(unknown)) if unknown.any() else -1)
    return replace(decisions, charges=charges, reason=reason)


def require_rooms(batch: DecisionBatch, count: int) -> None:
    """Refuse a batch that lists rooms beyond the ``count`` that ``init`` was told of.

    Raises
    ------
    InputError
        A compiled kernel would read past the end of what the state holds.
    """
    highest = int(batch.observation.rooms.max(initial=-1))
    if highest >= count:
        raise InputError(
            f"room {highest}, {count} rooms", "a batch of decisions", "rooms that init had seats of"
        )


def at_rooms(table: Any, batch: DecisionBatch) -> Any:
    """Return the entries [n, m, …] of ``table`` [S, …] by room, any number at padding.

    Where there is no room at all, S = 0, everything is padding.
    """
    require_rooms(batch, len(table))
    rooms = batch.observation.rooms
    if len(table) == 0:
        return np.zeros((*rooms.shape, *table.shape[1:]))
    return table[np.maximum(rooms, 0)]


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
