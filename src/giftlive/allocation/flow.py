"""The exact optimum of one batch in which every user takes exactly one seat.

A reference, not a policy: minimum-cost flow from decisions through candidate edges to rooms with
integer seats, and a free edge for showing nothing. The linear programme has an integral optimum,
so the flow is the optimum of the fluid as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError, IntegrityError
from giftlive.types import Floats, Ints

_LARGEST_COST = 1 << 40  # relative precision of a value 2^-40, far from int64 overflow on any path


@dataclass(frozen=True)
class Assignment:
    """An optimal assignment.

    Attributes
    ----------
    choice : [n] column of each decision, -1 where nothing is shown.
    value : Σ of the chosen values, in the unit of the values.
    resolution : largest error of one value caused by integer costs, same unit.
    """

    choice: Ints
    value: float
    resolution: float


def optimal_assignment(values: Floats, rooms: Ints, seats: Ints) -> Assignment:
    """Return the assignment with the largest total value under the seats of each room.

    Parameters
    ----------
    values : [n, m] value of each candidate; those <= 0 are never shown.
    rooms : [n, m] dense room index, -1 where there is no candidate.
    seats : [S] seats of each room, >= 0.

    Raises
    ------
    InputError
        When shapes disagree, a value is not a number or infinite, a room has no entry in ``seats``
        or fewer than 0 of them.

    Examples
    --------
    >>> best = optimal_assignment(np.array([[5.0, 4.0], [5.0, 1.0]]), np.array([[0, 1]] * 2),
    ...                           np.array([1, 1]))
    >>> best.choice.tolist(), best.value
    ([1, 0], 9.0)
    """
    _check(values, rooms, seats)
    row, column = np.nonzero((rooms >= 0) & (values > 0.0))
    choice = np.full(len(values), -1, dtype=np.int64)
    if row.size == 0:
        return Assignment(choice, 0.0, 0.0)
    unit = float(values[row, column].max()) / _LARGEST_COST or float(np.nextafter(0.0, 1.0))
    costs = np.rint(values[row, column] / unit).astype(np.int64)
    taken = _flow(row, rooms[row, column], costs, len(values), seats)
    choice[row[taken]] = column[taken]
    return Assignment(choice, float(values[row[taken], column[taken]].sum()), unit / 2.0)


def _check(values: Floats, rooms: Ints, seats: Ints) -> None:
    """Refuse what a flow would answer without a word: an unknown room would be a free seat."""
    if values.shape != rooms.shape:
        raise InputError(f"shape {values.shape}", "values", f"{rooms.shape}, as rooms")
    found = values[rooms >= 0]
    if np.isnan(found).any() or np.isposinf(found).any():
        raise InputError("a value is not finite", "values", "numbers")
    if rooms.max(initial=-1) >= len(seats):
        raise InputError(
            f"room {rooms.max()}, {len(seats)} entries", "seats", "the seats of every room listed"
        )
    if not (seats >= 0).all():
        raise InputError(f"{seats.min()} seats", "seats", "0 or more in every room")


def _flow(row: Ints, room: Ints, gain: Ints, decisions: int, seats: Ints) -> Ints:
    """Return the indices of the edges (row -> room) that carry flow in the optimum."""
    from ortools.graph.python import min_cost_flow

    sink = decisions + len(seats)
    everyone, every_room = np.arange(decisions), np.arange(len(seats))
    solver = min_cost_flow.SimpleMinCostFlow()
    edges = solver.add_arcs_with_capacity_and_unit_cost(
        row, decisions + room, np.ones_like(row), -gain
    )
    solver.add_arcs_with_capacity_and_unit_cost(
        decisions + every_room,
        np.full(len(seats), sink),
        np.minimum(seats, decisions),
        np.zeros(len(seats), dtype=np.int64),
    )
    solver.add_arcs_with_capacity_and_unit_cost(
        everyone, np.full(decisions, sink), np.ones_like(everyone), np.zeros_like(everyone)
    )
    supplies = np.append(np.ones(decisions, dtype=np.int64), np.zeros(len(seats), dtype=np.int64))
    solver.set_nodes_supplies(np.arange(sink + 1), np.append(supplies, -decisions))
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise IntegrityError(f"min-cost flow ended with {status}", "optimal_assignment", "OPTIMAL")
    return np.flatnonzero(np.asarray(solver.flows(edges)) > 0)
