"""A linear correction of every room's values, learned with optimism."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import ConfigError, InputError
from giftlive.policies.base import at_rooms, explained
from giftlive.policies.choice import choose_best
from giftlive.policies.evidence import Waiting
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints


@dataclass(frozen=True)
class Arms:
    """Ridge regressions, one per room, and what is not final yet.

    Attributes
    ----------
    inverse : [S, d, d] A⁻¹ with A = ridge I + Σ x xᵀ. target : [S, d] Σ x (amount - v).
    scale : Σ |amount - v| and count, whose ratio is the unit of the bonus.
    waiting : viewings under way.
    """

    inverse: Floats
    target: Floats
    scale: tuple[float, int]
    waiting: Waiting


@dataclass(frozen=True)
class LinUCB:
    """Show the largest v_s + xᵀ θ_s + width · unit · sqrt(xᵀ A_s⁻¹ x), x the user's features.

    Li et al. (2010), disjoint models: every room s has its own ridge regression of amount - v on
    the user's features x, so that it learns what the estimate v misses. The bonus shrinks with
    what the room has seen of such users. unit is the mean |amount - v| so far (before, the
    mean value of the batch), which keeps decisions the same in any currency.

    Attributes
    ----------
    features : [U, d] by dense user; None: the constant 1, a bandit without context.
    width : >= 0; 0 is greedy on the corrected value. ridge : > 0.

    References
    ----------
    L. Li, W. Chu, J. Langford, R. Schapire, A contextual-bandit approach to personalized news
    article recommendation, WWW 2010, algorithm 1.
    """

    features: Floats | None = None
    width: float = 0.5
    ridge: float = 1.0
    respect_seats: bool = False
    name: str = "lin_ucb"

    def __post_init__(self) -> None:
        if not 0.0 <= self.width < np.inf:
            raise ConfigError(f"{self.width}", "lin_ucb.width", ">= 0")
        if not 0.0 < self.ridge < np.inf:
            raise ConfigError(f"{self.ridge}", "lin_ucb.ridge", "> 0")

    def init(self, seats: Ints, /) -> Arms:
        """Return rooms that have seen nobody."""
        rooms, d = len(seats), 1 if self.features is None else self.features.shape[1]
        inverse = np.broadcast_to(np.eye(d) / self.ridge, (rooms, d, d)).copy()
        return Arms(inverse, np.zeros((rooms, d)), (0.0, 0), Waiting.nobody())

    def decide(self, state: Arms, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Choose by the upper bound, in batch order."""
        x = self._features(batch.observation.user)
        theta = np.einsum("sij,sj->si", state.inverse, state.target)
        learned = np.einsum("nd,nmd->nm", x, at_rooms(theta, batch))
        spread = np.einsum("nd,nmde,ne->nm", x, at_rooms(state.inverse, batch), x, optimize=True)
        unit = state.scale[0] / state.scale[1] if state.scale[1] else _mean(batch)
        bonus = self.width * unit * np.sqrt(spread.clip(0.0))
        scores = np.where(batch.available, batch.values + learned + bonus, 0.0)
        return explained(batch, scores, choose_best(batch, scores, guard=self.respect_seats))

    def update(self, state: Arms, feedback: Feedback, /) -> Arms:
        """Return the regressions with what has become final, one row at a time."""
        waiting, due = state.waiting.heard(feedback, self.name)
        inverse, target = state.inverse.copy(), state.target.copy()
        for x, s, error in zip(self._features(due.user), due.room, due.error, strict=True):
            along = inverse[s] @ x
            inverse[s] -= np.outer(along, along) / (1.0 + float(x @ along))
            target[s] += error * x
        total = state.scale[0] + float(np.abs(due.error).sum())
        return Arms(inverse, target, (total, state.scale[1] + len(due.error)), waiting)

    def _features(self, users: Ints) -> Floats:
        if self.features is None:
            return np.ones((len(users), 1))
        if users.max(initial=-1) >= len(self.features):
            raise InputError(
                f"user {users.max()}, {len(self.features)} rows", "lin_ucb.features", "all users"
            )
        return self.features[users]


def _mean(batch: DecisionBatch) -> float:
    sizes = np.abs(batch.values[batch.available])
    return float(sizes.mean()) if sizes.size else 0.0
