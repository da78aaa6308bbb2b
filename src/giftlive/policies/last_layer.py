"""Thompson sampling with Bayesian weights on the last layer of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import ConfigError, InputError
from giftlive.policies.base import explained
from giftlive.policies.evidence import Waiting
from giftlive.policies.largest import draw_largest
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints


@dataclass(frozen=True)
class Layer:
    """The posterior of the weights and what is not final yet.

    Attributes
    ----------
    precision : [d, d] A = ridge I + Σ φ φᵀ. target : [d] Σ φ (amount - v).
    square, count : Σ (amount - v)² and how many; their ratio is the noise σ².
    """

    precision: Floats
    target: Floats
    square: float
    count: int
    waiting: Waiting


@dataclass(frozen=True)
class LastLayer:
    """Draw a room by the chance that v + wᵀφ is the largest, w the weights of the last layer.

    Riquelme et al. (2018), neural-linear: the network is left alone and gives vectors of user and
    room; with φ = user · room, term by term, amount - v = wᵀφ + noise has the posterior
    w ~ N(A⁻¹ Σ φ (amount - v), σ² A⁻¹). σ² is the mean (amount - v)² so far; before anything is
    final nothing is uncertain yet and the choice is greedy. Unlike ``LinUCB`` all rooms share the
    weights: a gift in one room teaches about others like it. Errors of a row's scores are taken to
    be independent.

    Attributes
    ----------
    users, rooms : [U, d] and [S, d] vectors of the last layer, by dense user and room; None: the
        constant 1.
    ridge : prior precision in units of the noise, > 0. floor : share of uniform traffic.

    References
    ----------
    C. Riquelme, G. Tucker, J. Snoek, Deep Bayesian bandits showdown, ICLR 2018, section 3.
    """

    users: Floats | None = None
    rooms: Floats | None = None
    ridge: float = 1.0
    floor: float = 0.0
    respect_seats: bool = False
    name: str = "last_layer"

    def __post_init__(self) -> None:
        if not 0.0 < self.ridge < np.inf:
            raise ConfigError(f"{self.ridge}", "last_layer.ridge", "> 0")
        if not 0.0 <= self.floor <= 1.0:
            raise ConfigError(f"{self.floor}", "last_layer.floor", "a share in [0, 1]")
        if self.users is not None and self.rooms is not None:
            widths = self.users.shape[1], self.rooms.shape[1]
            if widths[0] != widths[1]:
                raise ConfigError(
                    f"widths {widths}", "last_layer.rooms", "that of last_layer.users"
                )

    def init(self, seats: Ints, /) -> Layer:
        """Return the prior."""
        given = self.users if self.users is not None else self.rooms
        d = 1 if given is None else given.shape[1]
        return Layer(self.ridge * np.eye(d), np.zeros(d), 0.0, 0, Waiting.nobody())

    def decide(self, state: Layer, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Draw in batch order and report the exact propensities."""
        uniforms, seen = rng.random(len(batch)), batch.observation
        x = self._features(seen.user[:, None], seen.rooms, len(state.target))
        mean = batch.values + x @ np.linalg.solve(state.precision, state.target)
        spread = np.einsum("nmd,de,nme->nm", x, np.linalg.inv(state.precision), x, optimize=True)
        noise = state.square / state.count if state.count else 0.0
        decisions = draw_largest(
            batch, mean, np.sqrt(noise * spread.clip(0.0)), uniforms,
            gamma=False, guard=self.respect_seats, floor=self.floor,
        )  # fmt: skip
        return explained(batch, mean, decisions)

    def update(self, state: Layer, feedback: Feedback, /) -> Layer:
        """Return the posterior with what has become final."""
        waiting, due = state.waiting.heard(feedback, self.name)
        x = self._features(due.user, due.room, len(state.target))
        return Layer(
            state.precision + x.T @ x,
            state.target + x.T @ due.error,
            state.square + float(due.error @ due.error),
            state.count + len(due.error),
            waiting,
        )

    def _features(self, users: Ints, rooms: Ints, d: int) -> Floats:
        found = np.ones((*np.broadcast_shapes(users.shape, rooms.shape), d))
        for index, table, name in ((users, self.users, "users"), (rooms, self.rooms, "rooms")):
            if table is None:
                continue
            if index.max(initial=-1) >= len(table):
                raise InputError(f"index {index.max()}", f"last_layer.{name}", f"{len(table)} rows")
            found = found * table[index]
        return found
