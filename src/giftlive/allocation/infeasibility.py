"""Why minima cannot be met: which limits conflict, and which of them is the cheapest to relax.

Only guaranteed exposure can be impossible: showing nothing meets every other limit. A linear
programme over the rooms with a minimum finds the least total shortfall; its multipliers (Farkas)
name limits that together are impossible, and leaving out one after the other keeps a smallest set:
without any one of them the rest can be met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, csr_matrix, hstack, vstack

from giftlive.allocation.batch import Batch
from giftlive.types import Bools, Floats, Ints

LimitKind = Literal[
    "minimum", "seats", "whale cap", "whale value cap", "group cap", "rooms per user"
]
_TOLERANCE = 1e-6  # relative to the minima, ten times that of the solver


@dataclass(frozen=True)
class Limit:
    """One limit of a batch.

    Attributes
    ----------
    kind : what is limited. index : the room or group; -1 for the users' own limits, all together.
    value : L, C, k, K or K_G; for users Σ b_u.
    """

    kind: LimitKind
    index: int
    value: float

    def in_words(self) -> str:
        """Return the limit with its place and value."""
        if self.kind == "rooms per user":
            return f"rooms per user ({self.value:g} in total)"
        place = "group" if self.kind == "group cap" else "room"
        return f"{self.kind} of {place} {self.index} ({self.value:g})"


@dataclass(frozen=True)
class Relaxation:
    """How far one limit alone would have to give way for its conflict to vanish.

    Another conflict of the same batch may ask for more.

    Attributes
    ----------
    limit : the limit. by : how much lower a minimum, how much higher any other (rooms per user: in
        total over all users, as the limit counts them); infinite where no change of this limit
        alone helps.
    """

    limit: Limit
    by: float

    @property
    def share(self) -> float:
        """``by`` relative to the limit, infinite where the limit is 0."""
        return self.by / self.limit.value if self.limit.value > 0.0 else np.inf

    def in_words(self) -> str:
        """Return the change as a request."""
        if not np.isfinite(self.by):
            return f"no change of {self.limit.in_words()} alone helps"
        verb = "lower" if self.limit.kind == "minimum" else "raise"
        share = f" ({self.share:.0%})" if np.isfinite(self.share) else ""
        return f"{verb} {self.limit.in_words()} by {self.by:.4g}{share}"


@dataclass(frozen=True)
class Infeasibility:
    """Limits that cannot hold together.

    Attributes
    ----------
    conflict : limits that are impossible together and possible without any one of them.
    relaxations : one per limit of the conflict, smallest relative change first.
    shortfall : [S] cuts of minima, smallest in total, after which *all* limits can be met.
    """

    conflict: tuple[Limit, ...]
    relaxations: tuple[Relaxation, ...]
    shortfall: Floats

    def in_words(self) -> str:
        """Return conflict and ways out as sentences."""
        names = "; ".join(limit.in_words() for limit in self.conflict)
        first, *others = [relaxation.in_words() for relaxation in self.relaxations]
        text = f"These limits cannot hold together: {names}. Cheapest for these: {first}."
        if others:
            text += " Or: " + "; or ".join(others) + "."
        rooms = np.flatnonzero(self.shortfall)
        cuts = ", ".join(f"{self.shortfall[s]:.4g} in room {s}" for s in rooms)
        return f"{text} Minima alone, for the whole batch: lower them by {cuts}."


@dataclass(frozen=True)
class _Programme:
    """A x <= b over edges of rooms with a minimum; ``owner`` [rows] is the limit of each row."""

    matrix: Any
    bound: Floats
    owner: Ints
    limits: tuple[Limit, ...]

    def least_relaxation(self, kept: Bools, relaxed: Bools) -> tuple[float, Floats, Floats]:
        """Return the least total by which ``relaxed`` limits must give way, each and multipliers.

        ``kept`` and ``relaxed`` are flags per limit; limits not kept are absent. The relaxation is
        infinite where it does not help.
        """
        rows = np.flatnonzero(kept[self.owner])
        gives = np.flatnonzero(relaxed[self.owner[rows]])  # every user's row gives by itself
        loose = len(gives)
        slack = coo_matrix((-np.ones(loose), (gives, np.arange(loose))), (len(rows), loose))
        edges = self.matrix.shape[1]
        if edges + loose == 0:  # nothing to choose: the solver wants a variable
            met = bool((self.bound[rows] >= 0.0).all())
            return 0.0 if met else np.inf, np.zeros(len(kept)), np.zeros(len(kept))
        cost = np.concatenate([np.zeros(edges), np.ones(loose)])
        solved: Any = linprog(
            cost, A_ub=hstack([self.matrix[rows], slack]).tocsr(), b_ub=self.bound[rows],
            bounds=[(0.0, 1.0)] * edges + [(0.0, None)] * loose, method="highs",
        )  # fmt: skip
        by, multipliers = np.zeros(len(kept)), np.zeros(len(kept))
        if solved.status != 0:
            by[relaxed & kept] = np.inf
            return np.inf, by, multipliers
        np.add.at(by, self.owner[rows[gives]], solved.x[edges:])
        np.maximum.at(multipliers, self.owner[rows], -solved.ineqlin.marginals)
        return float(solved.fun), by, multipliers


def explain_infeasibility(batch: Batch) -> Infeasibility | None:
    """Return which limits of a batch cannot hold together, or None if all can.

    Fluids are asked, not whole rooms: None does not promise an integral allocation.

    Examples
    --------
    >>> batch = Batch(np.ones((3, 1)), np.zeros((3, 1), np.int64), np.array([1.0]),
    ...               affinity=np.full((3, 1), 0.5), minimum=np.array([1.0]))
    >>> why = explain_infeasibility(batch)
    >>> [limit.in_words() for limit in why.conflict]
    ['minimum of room 0 (1)', 'seats of room 0 (1)']
    >>> why.relaxations[0].in_words()
    'lower minimum of room 0 (1) by 0.5 (50%)'
    """
    if batch.minimum is None or not batch.minimum.any():
        return None
    programme = _programme(batch)
    everything = np.ones(len(programme.limits), np.bool_)
    minima = np.array([limit.kind == "minimum" for limit in programme.limits])
    tolerance = _TOLERANCE * float(batch.minimum.sum())
    total, by, multipliers = programme.least_relaxation(everything, minima)
    if total <= tolerance:
        return None
    shortfall = np.zeros(batch.room_count)
    for limit, cut in zip(programme.limits, by, strict=True):
        if limit.kind == "minimum" and cut > tolerance:
            shortfall[limit.index] = cut
    suspects = (multipliers > 1e-9) | (by > tolerance)
    kept = _smallest_conflict(programme, suspects, minima, by, tolerance)
    relaxations = [
        Relaxation(programme.limits[k], programme.least_relaxation(kept, _only(k, kept))[0])
        for k in np.flatnonzero(kept)
    ]
    relaxations.sort(key=lambda relaxation: (relaxation.share, relaxation.by))
    conflict = tuple(programme.limits[k] for k in np.flatnonzero(kept))
    return Infeasibility(conflict, tuple(relaxations), shortfall)


def _only(k: np.intp, like: Bools) -> Bools:
    flags = np.zeros_like(like)
    flags[k] = True
    return flags


def _smallest_conflict(
    programme: _Programme, suspects: Bools, minima: Bools, by: Floats, tolerance: float
) -> Bools:
    """Return a set of limits that is impossible, and possible without any one of them.

    Minima that lack least are left out first, so that one room's conflict is shown rather than
    several at once.
    """
    kept = suspects.copy()
    order = sorted(np.flatnonzero(suspects), key=lambda k: (not minima[k], by[k]))
    for k in order:
        without = kept & ~_only(k, kept)
        if programme.least_relaxation(without, minima)[0] > tolerance:
            kept = without
    return kept


def _programme(batch: Batch) -> _Programme:
    """Return all limits as rows over the edges that can help a minimum."""
    minimum = np.zeros(batch.room_count) if batch.minimum is None else batch.minimum
    affinity = np.zeros(batch.rooms.shape) if batch.affinity is None else batch.affinity
    helps = (batch.rooms >= 0) & (affinity > 0.0)
    helps[helps] = minimum[batch.rooms[helps]] > 0.0
    row, column = np.nonzero(helps)
    room, value = batch.rooms[row, column], batch.values[row, column]
    wanted, edges = np.flatnonzero(minimum > 0.0), len(row)
    limits: list[Limit] = []
    blocks: list[Any] = []
    bounds: list[Floats] = []
    owners: list[Ints] = []

    def add(kind: LimitKind, weight: Floats, bound: Floats, sign: float = 1.0) -> None:
        some = wanted[np.isfinite(bound[wanted])]
        matrix = csr_matrix((sign * weight, (room, np.arange(edges))), (batch.room_count, edges))
        blocks.append(matrix[some])
        bounds.append(sign * bound[some])
        owners.append(len(limits) + np.arange(len(some)))
        limits.extend(Limit(kind, int(s), float(bound[s])) for s in some)

    add("minimum", affinity[row, column], minimum, -1.0)
    add("seats", np.ones(edges), batch.capacity)
    whale = batch.is_whale[row].astype(np.float64)
    if batch.whale_cap is not None:
        add("whale cap", whale, batch.whale_cap)
    if batch.whale_value_cap is not None:
        add("whale value cap", whale * value, batch.whale_value_cap)
    if batch.groups is not None and batch.group_cap is not None:
        blocks.append(csr_matrix(batch.groups[:, room].astype(np.float64)))
        bounds.append(batch.group_cap.astype(np.float64))
        owners.append(len(limits) + np.arange(len(batch.groups)))
        limits.extend(Limit("group cap", g, float(k)) for g, k in enumerate(batch.group_cap))
    takes = batch.takes.astype(np.float64)
    blocks.append(csr_matrix((np.ones(edges), (row, np.arange(edges))), (len(batch), edges)))
    bounds.append(takes)
    owners.append(np.full(len(batch), len(limits)))
    limits.append(Limit("rooms per user", -1, float(takes.sum())))
    return _Programme(
        vstack(blocks).tocsr(), np.concatenate(bounds), np.concatenate(owners), tuple(limits)
    )
