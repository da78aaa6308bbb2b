"""Experiments under interference: two policies that share seats, and what a split says of them.

Where users compete for seats, what one arm leaves the other takes: users are no independent units.

user split
    users are drawn into arms and share all seats, as product experiments are run.
budget split
    every arm has its own users *and* its own share of every room's seats.
switchback
    whole rounds are drawn into arms; nothing is shared, because rooms are empty in the next one.

The truth is the difference between everybody under one and everybody under the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from giftlive.errors import InputError
from giftlive.policies.base import Policy
from giftlive.policies.limits import rows_of
from giftlive.types import Bools, DecisionBatch, Decisions, Feedback, Floats, Ints
from giftlive.world.outcome import Outcome

Split = Literal["user", "budget", "switchback"]
CONTROL, TREATMENT = 0, 1


@dataclass(frozen=True)
class TwoArms:
    """Two policies, each for its own users or rounds, in one world.

    Rows are decided in batch order, each arm seeing the seats that rows before left it; for a
    batch per round whose rooms are empty, as in rounds worlds.

    Attributes
    ----------
    arms : control and treatment. split : how arms are formed.
    treated : [U] users of the treatment, or [rounds] its rounds for a switchback (by ``visit``).
    """

    arms: tuple[Policy[Any], Policy[Any]]
    split: Split
    treated: Bools
    name: str = "two_arms"

    def init(self, seats: Ints, /) -> tuple[Any, Any]:
        """Return both states; an arm with a budget of its own knows only that."""
        return self.arms[0].init(self._own(seats, 0)), self.arms[1].init(self._own(seats, 1))

    def decide(
        self, state: tuple[Any, Any], batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Let each row's arm decide it."""
        arm = arms_of(self, batch.observation.user, batch.observation.visit)
        if self.split == "switchback":
            which = int(arm[0]) if len(arm) else 0
            return self.arms[which].decide(state[which], batch, rng)
        choice = np.full(len(batch), -1, dtype=np.int64)
        chances = np.zeros(batch.values.shape)
        rooms = batch.observation.rooms
        size = int(rooms.max(initial=0)) + 1
        used = np.zeros((2, size), dtype=np.int64)
        for i in range(len(batch)):
            which = int(arm[i])
            left = self._left(batch.observation.seats_left[i], rooms[i], used, which)
            row = rows_of(batch, slice(i, i + 1))
            seen = replace(row.observation, seats_left=left[None, :])
            one = self.arms[which].decide(state[which], replace(row, observation=seen), rng)
            choice[i], chances[i] = one.choice[0], one.propensities[0]
            if choice[i] >= 0:
                used[which, rooms[i, choice[i]]] += 1
        return Decisions(choice, chances)

    def update(self, state: tuple[Any, Any], feedback: Feedback, /) -> tuple[Any, Any]:
        """Let both hear of the batch."""
        return self.arms[0].update(state[0], feedback), self.arms[1].update(state[1], feedback)

    def _own(self, seats: Ints, which: int) -> Ints:
        """Return an arm's seats: half of every room's, the odd one to the control."""
        if self.split != "budget":
            return seats
        return (seats + 1) // 2 if which == CONTROL else seats // 2

    def _left(self, seats: Ints, rooms: Ints, used: Ints, which: int) -> Ints:
        if self.split == "budget":
            return np.maximum(self._own(seats, which) - used[which][rooms], 0)
        return np.maximum(seats - used.sum(axis=0)[rooms], 0)


def arms_of(experiment: TwoArms, user: Ints, visit: Ints) -> Ints:
    """Return [n] the arm of each decision."""
    unit = visit if experiment.split == "switchback" else user
    return experiment.treated[unit].astype(np.int64)


def paired_halves(g: np.random.Generator, covariate: Floats) -> Bools:
    """Return [units] a random half, True for the treatment, one of each two neighbours.

    Units are sorted by a covariate known beforehand, such as the value of a user: amounts are so
    uneven that two plain halves differ by more than most treatments do.

    Examples
    --------
    >>> half = paired_halves(np.random.default_rng(1), np.array([9.0, 1.0, 2.0, 8.0]))
    >>> bool(half[0] != half[3]), bool(half[1] != half[2])
    (True, True)
    """
    order = np.argsort(covariate, kind="stable")
    chosen = np.zeros(len(order), dtype=np.bool_)
    first = g.random(len(order) // 2) < 0.5
    pairs = order[: 2 * len(first)].reshape(-1, 2)
    chosen[np.where(first, pairs[:, 0], pairs[:, 1])] = True
    return chosen


def arm_means(outcome: Outcome, arm: Ints, worth: Floats) -> tuple[float, float]:
    """Return the adjusted mean expected revenue of a decision in control and in treatment.

    The ratio estimator: Σ revenue / Σ worth of the arm, times the mean worth of all decisions. Who
    came into which arm is luck, and what he is worth was known beforehand; where both arms have
    the same worth it is the plain mean.

    Parameters
    ----------
    arm : [n] of each decision. worth : [n] > 0, known before the experiment.

    Raises
    ------
    InputError
        An arm is empty.
    """
    means: list[float] = []
    for which in (CONTROL, TREATMENT):
        rows = arm == which
        if not rows.any():
            raise InputError("an arm without decisions", "arm_means", "both arms")
        per_worth = outcome.expected_amount[rows].sum() / worth[rows].sum()
        means.append(float(per_worth * worth.mean()))
    return means[0], means[1]
