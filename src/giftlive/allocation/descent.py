"""The stochastic descent behind a certificate: passes over the decisions, best prices kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from giftlive.allocation import dual
from giftlive.allocation.problem import Problem
from giftlive.types import Floats, Ints

Arrays = tuple[Floats, Ints, Floats, Ints, Floats]

_BLOCKS = 100  # price moves per pass
_LATE = 3.0  # the latest of p passes weighs _LATE / (p + _LATE - 1) in the running mean
_FIRST_STEP, _STEP_HALVES_AT = 2.0, 5.0  # step of pass p: _FIRST_STEP / (1 + p / _STEP_HALVES_AT)
_FLOOR = 0.02  # of the overall scale, so that a room without a threshold can still be priced
_NO_TIME = 1e-12  # seconds: keeps densities finite for candidates that take no time


def kernel_arrays(problem: Problem) -> Arrays:
    """Return values, rooms, seat-seconds, bucket and spill, contiguous for the kernels."""
    return (
        np.ascontiguousarray(problem.values, dtype=np.float64),
        np.ascontiguousarray(problem.rooms, dtype=np.int64),
        np.ascontiguousarray(problem.seat_seconds, dtype=np.float64),
        np.ascontiguousarray(problem.bucket, dtype=np.int64),
        problem.shares,
    )


def evaluate(problem: Problem, duals: Floats) -> tuple[float, Ints, Floats]:
    """Return D(λ), the column each row takes at those prices and the use [S, T] of those."""
    total, choice, use = dual.respond(*kernel_arrays(problem), duals)
    return float(total + (problem.capacity * duals).sum()), choice, use


def price_scale(problem: Problem, choice: Ints, load: Floats) -> Floats:
    """Return the order of magnitude of each room's price [S], money per seat-second.

    The geometric mean of two guesses: greedy's value per seat-second, the same for all rooms, and
    the room's own threshold density, the v/e below which greedy's demand overfills its bucket
    (averaged over buckets). Alone the first moves cheap rooms too fast and the second dear rooms
    too slowly: prices of one day differ by orders of magnitude between rooms.
    """
    rows = np.flatnonzero(choice >= 0)
    columns = choice[rows]
    seconds = problem.seat_seconds[rows, columns]
    values = problem.values[rows, columns]
    overall = float(values.sum() / load.sum())
    shape = problem.capacity.shape
    cell = np.ravel_multi_index((problem.rooms[rows, columns], problem.bucket[rows]), shape)
    density = values / np.maximum(seconds, _NO_TIME)
    order = np.lexsort((-density, cell))
    cell, seconds, density = cell[order], seconds[order], density[order]
    before = np.cumsum(seconds) - seconds
    queue = before - before[np.searchsorted(cell, cell)] + seconds
    over = queue > problem.capacity.ravel()[cell]
    threshold = np.zeros(problem.capacity.size)
    np.maximum.at(threshold, cell[over], density[over])
    by_room = threshold.reshape(shape).mean(axis=1) + _FLOOR * overall
    return np.sqrt(by_room * overall)


@dataclass
class Descent:
    """Working memory of one minimisation of D: iterates, running mean and the best bound seen.

    Attributes
    ----------
    problem : the day. duals : [S, T] where to start. scale : [S] as ``price_scale``.
    shuffle : generator of the orders in which decisions are visited.
    best, bound : prices with the lowest D so far, and that D. passes : made so far.
    """

    problem: Problem
    duals: Floats
    scale: Floats
    shuffle: np.random.Generator
    best: Floats = field(init=False)
    bound: float = field(init=False)
    passes: int = 0

    def __post_init__(self) -> None:
        self.duals = self.duals.astype(np.float64, order="C", copy=True)
        self.best, self.bound = self.duals.copy(), evaluate(self.problem, self.duals)[0]
        self._mean = np.zeros_like(self.duals)
        self._squares = np.zeros_like(self.duals)
        self._shown = np.zeros(self.problem.values.shape)
        self._since = 0
        self._arrays = kernel_arrays(self.problem)

    def advance(self) -> None:
        """Make one pass and evaluate D at the running mean of the prices."""
        if self.passes == 2 * self._since + 2:  # the fluid forgets the early, badly priced passes
            self._shown[:], self._since = 0.0, self.passes
        n = len(self._shown)
        mean = dual.descend(
            *self._arrays,
            self.problem.capacity,
            self.shuffle.permutation(n),
            max(1, -(-n // _BLOCKS)),
            self.scale * (_FIRST_STEP / (1.0 + self.passes / _STEP_HALVES_AT)),
            self.duals,
            self._squares,
            self._shown,
        )
        self.passes += 1
        self._mean += _LATE / (self.passes + _LATE - 1.0) * (mean - self._mean)
        bound = evaluate(self.problem, self._mean)[0]
        if bound < self.bound:
            self.bound, self.best = bound, self._mean.copy()

    def feasible_fluid(self) -> tuple[float, Floats]:
        """Return value and use of the averaged choices, cut to the seats by falling density."""
        rows, columns = np.nonzero(self._shown)
        seconds = np.maximum(self.problem.seat_seconds[rows, columns], _NO_TIME)
        order = np.argsort(-self.problem.values[rows, columns] / seconds, kind="stable")
        shown = self._shown / max(1, self.passes - self._since)
        value, use = dual.admit(
            shown, rows[order], columns[order], *self._arrays, self.problem.capacity
        )
        return float(value), use
