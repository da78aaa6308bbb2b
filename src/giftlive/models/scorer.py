"""A model's values as user vector · room vector + context: fast enough for every candidate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from giftlive.errors import UsageError
from giftlive.models.base import UNKNOWN, State
from giftlive.models.basis import Basis
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Scorer:
    """v̂ = level · exp(min(a + f(u) + g(r) + φ_uᵀ M φ_r + h(c), cap)).

    f, g, h are sums of piecewise-linear functions of one feature each, evaluated once per user,
    room and context; M = left·rightᵀ is the interaction of the standardised features φ. The cap
    makes the teacher's largest value the largest possible score.

    Attributes
    ----------
    user, room, context : the bases. user_weights, room_weights, context_weights : on ``bent``.
    left, right : [du, k], [dr, k]. intercept : a. level, cap : above.
    """

    user: Basis
    room: Basis
    context: Basis
    user_weights: Floats
    room_weights: Floats
    context_weights: Floats
    left: Floats
    right: Floats
    intercept: float
    level: float
    cap: float

    @property
    def width(self) -> int:
        """Length d of the vectors."""
        return self.left.shape[1] + 2

    def user_vectors(self, user_features: Floats) -> Floats:
        """Return [U, d] from features [U, du]: (a + f(u), 1, φ_uᵀ left)."""
        main = self.intercept + effects(self.user, user_features, self.user_weights)
        pairs = self.user.linear(user_features) @ self.left
        return np.column_stack([main, np.ones(len(main)), pairs])

    def room_vectors(self, room_features: Floats) -> Floats:
        """Return [S, d] from features [S, dr]: (1, g(r), φ_rᵀ right)."""
        main = effects(self.room, room_features, self.room_weights)
        pairs = self.room.linear(room_features) @ self.right
        return np.column_stack([np.ones(len(main)), main, pairs])

    def context_terms(self, context: Floats) -> Floats:
        """Return [...] h(c) from context features [..., c]; zeros when c = 0."""
        shape = np.shape(context)
        rows = np.reshape(context, (math.prod(shape[:-1]), shape[-1]))
        return effects(self.context, rows, self.context_weights).reshape(shape[:-1])

    def score(self, user_vectors: Floats, room_vectors: Floats, context_terms: Floats) -> Floats:
        """Return [n, m] values from [n, d], candidates' vectors [n, m, d] and terms [n, m]."""
        dots = np.matmul(room_vectors, user_vectors[:, :, None])[:, :, 0]
        return self.level * np.exp(np.minimum(dots + context_terms, self.cap))

    def score_pairs(
        self, user_vectors: Floats, room_vectors: Floats, context_terms: Floats
    ) -> Floats:
        """Return [n] values of n pairs from vectors [n, d] of both sides and terms [n]."""
        dots = np.einsum("nk,nk->n", user_vectors, room_vectors)
        return self.level * np.exp(np.minimum(dots + context_terms, self.cap))

    def score_rooms(
        self, user_vectors: Floats, room_vectors: Floats, rooms: Ints, context_terms: Floats
    ) -> Floats:
        """Return [n, m] values of the candidates ``rooms`` [n, m] (-1 = none, value 0).

        The same numbers as ``score`` up to rounding, without copying the vectors of every
        candidate; ``room_vectors`` is [S, d].
        """
        return _score_rooms(
            np.ascontiguousarray(user_vectors),
            np.ascontiguousarray(room_vectors),
            rooms,
            context_terms,
            self.level,
            self.cap,
        )

    def state(self) -> State:
        """Return the scorer as data."""
        numbers: dict[str, Any] = {}
        for key, value in vars(self).items():
            if isinstance(value, Basis):
                numbers[key] = value.as_dict()
            else:
                numbers[key] = value.tolist() if isinstance(value, np.ndarray) else value
        return State("scorer", numbers)

    @classmethod
    def from_state(cls, state: State) -> Scorer:
        """Rebuild the scorer."""
        parts: dict[str, Any] = {}
        for key, value in state.numbers.items():
            if isinstance(value, dict):
                parts[key] = Basis.from_dict(value)
            else:
                parts[key] = np.array(value, dtype=np.float64) if isinstance(value, list) else value
        for side in ("user", "room"):
            matrix = {"user": "left", "room": "right"}[side]
            parts[matrix] = parts[matrix].reshape(len(parts[side].centre), -1)
        return cls(**parts)


def effects(basis: Basis, features: Floats, weights: Floats) -> Floats:
    """Return [n] ``basis.bent(features) @ weights`` up to rounding, without the columns."""
    p = len(basis.centre)
    if np.ndim(features) != 2 or np.shape(features)[1] != p:
        raise UsageError(f"shape {np.shape(features)}", "Scorer", f"[n, {p}] features of this side")
    return _effects(
        np.asarray(features, dtype=np.float64),
        (basis.centre, basis.spread, basis.low, basis.high),
        basis.knots,
        np.ascontiguousarray(weights),
    )


@njit(cache=True, error_model="numpy")
def _effects(
    X: Floats, ends: tuple[Floats, Floats, Floats, Floats], knots: Floats, weights: Floats
) -> Floats:
    centre, spread, low, high = ends
    (n, p), hinges = X.shape, knots.shape[1]
    out = np.zeros(n)
    for i in range(n):
        total = 0.0
        for j in range(p):
            x, z = X[i, j], 0.0
            if np.isnan(x) or x == UNKNOWN:
                total += weights[p + p * hinges + j]
            else:
                z = (np.copysign(np.log1p(abs(x)), x) - centre[j]) / spread[j]
            z = min(max(z, low[j]), high[j])
            total += weights[j] * z
            for k in range(hinges):
                total += weights[p + j * hinges + k] * max(z - knots[j, k], 0.0)
        out[i] = total
    return out


@njit(cache=True)
def _score_rooms(
    users: Floats, rooms_by_index: Floats, rooms: Ints, terms: Floats, level: float, cap: float
) -> Floats:
    n, m = rooms.shape
    values = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            r = rooms[i, j]
            if r >= 0:
                score = terms[i, j]
                for k in range(users.shape[1]):  # a dozen terms: a call to BLAS costs more
                    score += users[i, k] * rooms_by_index[r, k]
                values[i, j] = level * np.exp(min(score, cap))
    return values
