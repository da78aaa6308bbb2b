"""What gifts have taught about rooms, as they become final.

A room's factor θ says how its gifts compare with what was expected: E[amount] = θ v. With amounts
whose variance is φ times their mean, Σ amount and Σ v over the users shown suffice, and a prior of
mean 1 and variance τ² gives ::

    a = 1/τ² + Σ amount / φ,    b = 1/τ² + Σ v / φ,    E[θ] = a / b,    Var[θ] = a / b².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.policies.base import final_at, value_heard
from giftlive.types import Feedback, Floats, Ints


@dataclass(frozen=True)
class Evidence:
    """Sums over final amounts, and the amounts that are not final yet.

    Attributes
    ----------
    expected, earned : [S] Σ v and Σ amount of the users admitted to each room.
    amount, square : Σ amount and Σ amount² over all rooms; their ratio estimates φ.
    room, value, gift, ready : [k] of viewings under way: where, v, amount, ms at which it is final.
    """

    expected: Floats
    earned: Floats
    amount: float
    square: float
    room: Ints
    value: Floats
    gift: Floats
    ready: Ints

    @staticmethod
    def none(rooms: int) -> Evidence:
        """Return nothing heard about ``rooms`` rooms."""
        empty, nothing = np.zeros(0, dtype=np.int64), np.zeros(rooms)
        return Evidence(
            nothing, nothing, 0.0, 0.0, empty, np.zeros(0), np.zeros(0), empty
        )  # fmt: skip

    def heard(self, feedback: Feedback, policy: str) -> Evidence:
        """Return the evidence at ``feedback.ts``: amounts count once they are final."""
        into = feedback.admitted & (feedback.room >= 0)
        room = np.concatenate([self.room, feedback.room[into]])
        value = np.concatenate([self.value, value_heard(feedback, policy)[into]])
        gift = np.concatenate([self.gift, feedback.amount[into]])
        ready = np.concatenate([self.ready, final_at(feedback)[into]])
        final, size = ready <= feedback.ts, len(self.expected)
        come = gift[final]
        return Evidence(
            self.expected + np.bincount(room[final], value[final], size),
            self.earned + np.bincount(room[final], come, size),
            self.amount + float(come.sum()),
            self.square + float(come @ come),
            room[~final],
            value[~final],
            gift[~final],
            ready[~final],
        )

    def posterior(self, prior_sd: float, dispersion: float | None) -> tuple[Floats, Floats]:
        """Return mean and sd of θ [S].

        Parameters
        ----------
        prior_sd : τ > 0. dispersion : φ > 0 in money; None: Σ amount² / Σ amount, which is φ where
            gifts are rare; before the first gift nothing is learned.
        """
        prior = 1.0 / prior_sd**2
        phi = dispersion
        if phi is None:
            phi = self.square / self.amount if self.amount > 0.0 else np.inf
        a, b = prior + self.earned / phi, prior + self.expected.clip(0.0) / phi
        return a / b, np.sqrt(a) / b


@dataclass(frozen=True)
class Due:
    """Viewings whose amounts are final, all [k]: who, where, and amount less what was expected."""

    user: Ints
    room: Ints
    error: Floats


@dataclass(frozen=True)
class Waiting:
    """Viewings under way, for learners that need each one by itself.

    Attributes
    ----------
    user, room, error : as in ``Due``. ready : [k] ms at which each amount is final.
    """

    user: Ints
    room: Ints
    error: Floats
    ready: Ints

    @staticmethod
    def nobody() -> Waiting:
        """Return no viewing."""
        none = np.zeros(0, dtype=np.int64)
        return Waiting(none, none, np.zeros(0), none)

    def heard(self, feedback: Feedback, policy: str) -> tuple[Waiting, Due]:
        """Return who is still waiting at ``feedback.ts``, and what has become final."""
        into = feedback.admitted & (feedback.room >= 0)
        error = feedback.amount - value_heard(feedback, policy)
        user = np.concatenate([self.user, feedback.user[into]])
        room = np.concatenate([self.room, feedback.room[into]])
        error = np.concatenate([self.error, error[into]])
        ready = np.concatenate([self.ready, final_at(feedback)[into]])
        due = ready <= feedback.ts
        still = Waiting(user[~due], room[~due], error[~due], ready[~due])
        return still, Due(user[due], room[due], error[due])
