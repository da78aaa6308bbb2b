"""A room's next user by what he adds to a return that falls: g(V + v) - g(V)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numba import njit

from giftlive.errors import ConfigError
from giftlive.policies.base import explained, require_rooms, value_heard
from giftlive.policies.choice import ahead, open_seats, refuse_nan, seat_counter, take_seat
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints

ConcaveKind = Literal["linear", "log", "saturating", "sqrt"]
KINDS: dict[str, int] = {"linear": 0, "log": 1, "saturating": 2, "sqrt": 3}


@dataclass(frozen=True)
class Earned:
    """What each room has been given so far.

    Attributes
    ----------
    value : [S] Σ of the estimated values of the users admitted.
    """

    value: Floats


@dataclass(frozen=True)
class Concave:
    """Show the candidate of largest g(V_s + v_s) - g(V_s), V_s the value already sent to the room.

    With scale B, all with g(0) = 0 and g'(0) = 1::

        linear      g(V) = V                        (greedy)
        log         g(V) = B log(1 + V/B)
        saturating  g(V) = B (1 - exp(-V/B))
        sqrt        g(V) = 2B (sqrt(1 + V/B) - 1)

    The *difference* counts, not the slope v g'(V): one whale spans the bend of g. What is concave
    is the *expected* value sent to a room: V adds up estimates, not gifts, whose heavy tail would
    close a room after one lucky evening. Values below 0 are valued at the slope.

    Attributes
    ----------
    kind : of return. scale : B > 0 in the unit of the values; at V = B the log return's slope is
        1/2. respect_seats : only rooms with a free seat.

    Examples
    --------
    >>> Concave("log", scale=50.0).name
    'concave'
    """

    kind: ConcaveKind = "log"
    scale: float = 100.0
    respect_seats: bool = False
    name: str = "concave"

    def __post_init__(self) -> None:
        check_kind(self.kind, self.scale, "concave")

    def init(self, seats: Ints, /) -> Earned:
        """Return rooms that were given nothing yet."""
        return Earned(np.zeros(len(seats)))

    def decide(self, state: Earned, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Choose by the marginal difference in batch order, counting the rows before."""
        return serve(batch, state, KINDS[self.kind], self.scale, self.respect_seats)

    def update(self, state: Earned, feedback: Feedback, /) -> Earned:
        """Return the state with the values of the admitted added to their rooms."""
        return add(state, feedback, self.name)


def check_kind(kind: str, scale: float, policy: str) -> None:
    """Refuse a return that is not known, or a scale that is not a positive number."""
    if kind not in KINDS:
        raise ConfigError(f"{kind!r}", f"{policy}.kind", f"one of {', '.join(KINDS)}")
    if not 0.0 < scale < np.inf:
        raise ConfigError(f"{scale}", f"{policy}.scale", "> 0, in the unit of the values")


def add(state: Earned, feedback: Feedback, policy: str) -> Earned:
    """Return the value per room after the admitted of ``feedback``."""
    value = value_heard(feedback, policy)
    into = feedback.admitted & (feedback.room >= 0)
    more = np.bincount(feedback.room[into], value[into], len(state.value))
    return replace(state, value=state.value + more)


def serve(
    batch: DecisionBatch,
    state: Earned,
    kind: int,
    scale: float,
    guard: bool,
    factors: Floats | None = None,
) -> Decisions:
    """Choose in batch order by the marginal return; ``factors`` [K]: by v f(V/B) instead.

    Parameters
    ----------
    factors : f on the grid of ``devanur_jain``; None or empty: the difference of g.
    """
    seen = batch.observation
    require_rooms(batch, len(state.value))
    table = np.zeros(0) if factors is None else factors
    choice, chances, scores, bad = _serve(
        batch.values, batch.worth, seen.rooms, seen.seats_left, state.value, kind, scale, guard,
        table,
    )  # fmt: skip
    refuse_nan(bad)
    return explained(batch, scores, Decisions(choice, chances))


@njit(cache=True)
def gain(kind: int, scale: float, have: float, more: float) -> float:
    """Return g(have + more) - g(have) without cancellation; at the slope for ``more`` <= 0."""
    x, y = have / scale, more / scale
    if kind == 0 or more == 0.0:
        return more
    if kind == 1:
        return scale * math.log1p(y / (1.0 + x)) if more > 0.0 else more / (1.0 + x)
    if kind == 2:
        return -scale * math.exp(-x) * math.expm1(-y) if more > 0.0 else more * math.exp(-x)
    near, far = math.sqrt(1.0 + x), math.sqrt(1.0 + x + max(y, 0.0))
    return 2.0 * more / (near + far)


@njit(cache=True)
def _serve(
    values: Floats,
    worth: Floats,
    rooms: Ints,
    seats_left: Ints,
    earned: Floats,
    kind: int,
    scale: float,
    guard: bool,
    factors: Floats,
) -> tuple[Ints, Floats, Floats, int]:
    n, m = rooms.shape
    choice, chances, scores = np.full(n, -1, np.int64), np.zeros((n, m)), np.zeros((n, m))
    have, taken = earned.copy(), seat_counter(rooms, seats_left, guard)
    for i in range(n):
        best = -1
        for j in range(m):
            room, v = rooms[i, j], values[i, j]
            if room < 0:
                continue
            if np.isnan(v):
                return choice, chances, scores, i
            if factors.shape[0] > 0:
                scores[i, j] = v * _read(factors, have[room] / scale)
            else:
                scores[i, j] = gain(kind, scale, have[room], v)
            if not open_seats(room, seats_left[i, j], taken, guard):
                continue
            if best < 0 or ahead(scores[i], rooms[i], j, best):
                best = j
        if best >= 0:
            choice[i], chances[i, best] = best, 1.0
            take_seat(rooms[i, best], taken)
            have[rooms[i, best]] += max(worth[i, best], 0.0)
    return choice, chances, scores, -1


@njit(cache=True)
def _read(table: Floats, x: float) -> float:
    """Return the table's value at ``x`` on the grid x = u / (1 - u), u = 0, 1/K, …, between linear.

    Beyond the last entry the factor falls as 1/x.
    """
    last = table.shape[0] - 1
    at = x / (1.0 + x) * (last + 1)
    if at >= last:
        return table[last] * last / max(x, float(last))
    low = int(at)
    return table[low] + (at - low) * (table[low + 1] - table[low])
