"""Compiled choice in batch order: the best column of each row, or a draw from its weights.

Rows are served one after another. With ``guard`` a column is open only while its room has a free
seat after the rows before it took theirs; a shown room is counted as a seat taken until the next
batch reports the occupancy, even if the user may skip it: never too many, at worst one too few.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from giftlive.errors import InputError
from giftlive.types import DecisionBatch, Decisions, Floats, Ints


def choose_best(
    batch: DecisionBatch, scores: Floats, *, guard: bool, at_least: float = -np.inf
) -> Decisions:
    """Choose the open column with the largest score, ties to the lowest room index.

    Parameters
    ----------
    scores : [n, m], any finite number. guard : whether rooms without a free seat are closed.
    at_least : rows whose best open score is lower show nothing.
    """
    seen = batch.observation
    choice, propensities, bad = _best(scores, seen.rooms, seen.seats_left, guard, at_least)
    refuse_nan(bad)
    return Decisions(choice, propensities)


def draw(
    batch: DecisionBatch, scores: Floats, uniforms: Floats, *, guard: bool, floor: float
) -> Decisions:
    """Draw one open column with probability (1 - floor) softmax(score) + floor / (open columns).

    Parameters
    ----------
    scores : [n, m], any finite number; equal scores draw uniformly.
    uniforms : [n] in [0, 1), one per row. guard : as ``choose_best``. floor : in [0, 1].
    """
    seen = batch.observation
    choice, propensities, bad = _draw(scores, seen.rooms, seen.seats_left, uniforms, guard, floor)
    refuse_nan(bad)
    return Decisions(choice, propensities)


def explore(
    batch: DecisionBatch, scores: Floats, uniforms: Floats, *, guard: bool, floor: float
) -> Decisions:
    """Choose the best open column, or with probability ``floor`` any open one; arguments of `draw`.

    The best has propensity 1 - floor + floor / (open columns), the others the last term.
    """
    seen = batch.observation
    choice, propensities, bad = _explore(
        scores, seen.rooms, seen.seats_left, uniforms, guard, floor
    )
    refuse_nan(bad)
    return Decisions(choice, propensities)


def refuse_nan(row: int) -> None:
    """Raise InputError if ``row`` >= 0: the row in which a kernel met a NaN."""
    if row >= 0:
        raise InputError(
            "a score is not a number", f"row {row} of the batch", "numbers for every candidate"
        )


@njit(cache=True)
def _best(
    scores: Floats, rooms: Ints, seats_left: Ints, guard: bool, at_least: float
) -> tuple[Ints, Floats, int]:
    n, m = rooms.shape
    choice = np.full(n, -1, np.int64)
    propensities = np.zeros((n, m))
    taken = seat_counter(rooms, seats_left, guard)
    for i in range(n):
        best, best_room, best_score = -1, -1, at_least
        for j in range(m):
            room, score = rooms[i, j], scores[i, j]
            if room < 0:
                continue
            if np.isnan(score):
                return choice, propensities, i
            if score < best_score or (score == best_score and best >= 0 and room >= best_room):
                continue
            if open_seats(room, seats_left[i, j], taken, guard):
                best, best_room, best_score = j, room, score
        if best >= 0:
            choice[i] = best
            propensities[i, best] = 1.0
            take_seat(best_room, taken)
    return choice, propensities, -1


@njit(cache=True)
def _draw(
    scores: Floats, rooms: Ints, seats_left: Ints, uniforms: Floats, guard: bool, floor: float
) -> tuple[Ints, Floats, int]:
    n, m = rooms.shape
    choice = np.full(n, -1, np.int64)
    propensities = np.zeros((n, m))
    taken = seat_counter(rooms, seats_left, guard)
    opened = np.empty(m, np.int64)
    for i in range(n):
        count, top = 0, -np.inf
        for j in range(m):
            if rooms[i, j] >= 0 and open_seats(rooms[i, j], seats_left[i, j], taken, guard):
                if np.isnan(scores[i, j]):
                    return choice, propensities, i
                opened[count] = j
                count += 1
                top = max(top, scores[i, j])
        if count > 0:
            choice[i] = _draw_row(
                scores[i], opened[:count], top, floor, uniforms[i], propensities[i]
            )
            take_seat(rooms[i, choice[i]], taken)
    return choice, propensities, -1


@njit(cache=True)
def _explore(
    scores: Floats, rooms: Ints, seats_left: Ints, uniforms: Floats, guard: bool, floor: float
) -> tuple[Ints, Floats, int]:
    n, m = rooms.shape
    choice, propensities = np.full(n, -1, np.int64), np.zeros((n, m))
    taken = seat_counter(rooms, seats_left, guard)
    opened = np.empty(m, np.int64)
    for i in range(n):
        count, best = 0, -1
        for j in range(m):
            if rooms[i, j] >= 0 and open_seats(rooms[i, j], seats_left[i, j], taken, guard):
                if np.isnan(scores[i, j]):
                    return choice, propensities, i
                opened[count] = j
                count += 1
                if best < 0 or ahead(scores[i], rooms[i], j, best):
                    best = j
        if count > 0:
            for j in opened[:count]:
                propensities[i, j] = floor / count
            propensities[i, best] += 1.0 - floor
            choice[i] = pick(propensities[i], opened[:count], uniforms[i])
            take_seat(rooms[i, choice[i]], taken)
    return choice, propensities, -1


@njit(cache=True)
def ahead(scores: Floats, rooms: Ints, one: int, two: int) -> bool:
    """Return whether column ``one`` comes before ``two``: larger score, or equal and lower room."""
    if scores[one] != scores[two]:
        return bool(scores[one] > scores[two])
    return bool(rooms[one] < rooms[two])


@njit(cache=True)
def pick(propensities: Floats, opened: Ints, u: float) -> int:
    """Return the column of ``opened`` in whose share of [0, 1) ``u`` falls."""
    below, choice = 0.0, opened[0]
    for j in opened:
        if propensities[j] > 0.0 and below <= u:
            choice = j
        below += propensities[j]
    return choice


@njit(cache=True)
def _draw_row(
    scores: Floats, opened: Ints, top: float, floor: float, u: float, propensities: Floats
) -> int:
    """Fill the propensities of one row and return the column in which ``u`` falls."""
    total = 0.0
    for j in opened:
        propensities[j] = np.exp(scores[j] - top)
        total += propensities[j]
    for j in opened:
        propensities[j] = (1.0 - floor) * propensities[j] / total + floor / opened.shape[0]
    return pick(propensities, opened, u)


@njit(cache=True)
def seat_counter(rooms: Ints, seats_left: Ints, guard: bool) -> Ints:
    """Return zeros per room, or nothing where the batch is too small to fill any free room."""
    n, m = rooms.shape
    highest = -1
    scarce = False
    for i in range(n):
        for j in range(m):
            highest = max(highest, rooms[i, j])
            scarce = scarce or seats_left[i, j] < n
    return np.zeros(highest + 1 if guard and scarce else 0, np.int64)


@njit(cache=True)
def open_seats(room: int, seats_left: int, taken: Ints, guard: bool) -> bool:
    """Return whether the room has a seat after the rows before; always without ``guard``."""
    if not guard:
        return True
    used = taken[room] if taken.shape[0] > 0 else 0
    return seats_left > used


@njit(cache=True)
def take_seat(room: int, taken: Ints) -> None:
    """Count a seat as taken."""
    if taken.shape[0] > 0:
        taken[room] += 1
