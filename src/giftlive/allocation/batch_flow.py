"""The exact optimum of a batch with linear returns, by minimum-cost flow.

Users send b_u units through candidate edges to rooms, from rooms through nested groups to the
sink; whales pass a gate of width k_s before the room, what is not shown goes straight to the sink.
All limits are whole numbers, so the flow is integral and also the optimum of the fluid. A flow
cannot express minima weighted by affinity, caps by value or groups that overlap: the dual bounds
those.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from giftlive.allocation.batch import Batch
from giftlive.allocation.infeasibility import explain_infeasibility
from giftlive.errors import InputError, IntegrityError
from giftlive.types import Bools, Floats, Ints

_LARGEST_COST = 1 << 40  # relative precision of a value 2^-40, far from int64 overflow on any path


@dataclass(frozen=True)
class Allocation:
    """An integral allocation.

    Attributes
    ----------
    shown : [n, m] whether the user gets the candidate.
    worth : the objective it was chosen for.
    resolution : largest error of one edge's worth caused by integer costs.
    """

    shown: Bools
    worth: float
    resolution: float


@dataclass
class _Arcs:
    """Arcs of a network under construction; gains are money per unit of flow."""

    tail: list[Ints] = field(default_factory=list)
    head: list[Ints] = field(default_factory=list)
    width: list[Ints] = field(default_factory=list)
    gain: list[Floats] = field(default_factory=list)

    def add(self, tail: Ints, head: Ints, width: Ints, gain: Floats | None = None) -> None:
        """Add arcs of the given width [k]; without a gain they are free."""
        self.tail.append(tail)
        self.head.append(head)
        self.width.append(width)
        self.gain.append(np.zeros(len(tail)) if gain is None else gain)


def batch_optimum(
    batch: Batch, *, count_minimum: Ints | None = None, head_worth: Floats | None = None
) -> Allocation:
    """Return the allocation with the largest Σ v x, plus what heads are worth by themselves.

    Parameters
    ----------
    batch : linear returns, without weighted minima and caps by value; groups nested or apart.
        Limits that are not whole are rounded down.
    count_minimum : [S] viewers a room gets at least, whatever they are worth.
    head_worth : [S, K] money for the k-th viewer of a room, falling in k; 0 after K. Concave
        returns of head-count, exact because cheaper arcs fill first.

    Raises
    ------
    InputError
        When the batch needs what a flow cannot express, or its limits contradict each other: the
        message names those that do and the cheapest to relax.

    Examples
    --------
    >>> batch = Batch(np.array([[5.0, 4.0], [5.0, 1.0]]), np.array([[0, 1]] * 2), np.ones(2))
    >>> best = batch_optimum(batch)
    >>> best.shown.tolist(), best.worth
    ([[False, True], [True, False]], 9.0)
    """
    _refuse_what_no_flow_can_do(batch)
    rows, columns = np.nonzero(batch.rooms >= 0)
    if count_minimum is None:
        keep = batch.values[rows, columns] > 0.0
        rows, columns = (rows, columns) if head_worth is not None else (rows[keep], columns[keep])
    arcs = _Arcs()
    sink, supplies = _network(batch, rows, columns, arcs, count_minimum, head_worth)
    gains = np.concatenate(arcs.gain)
    unit = float(np.abs(gains).max(initial=0.0)) / _LARGEST_COST or 1.0
    flow = _solve(arcs, np.rint(gains / unit).astype(np.int64), supplies, sink)
    if flow is None:
        raise _contradiction(batch, count_minimum)
    shown = np.zeros(batch.rooms.shape, np.bool_)
    shown[rows, columns] = flow[: len(rows)] > 0
    return Allocation(shown, float((flow * gains).sum()), unit / 2.0)


def _refuse_what_no_flow_can_do(batch: Batch) -> None:
    refused = {
        "returns": batch.returns.kind != "linear",
        "minimum": batch.minimum is not None and bool(batch.minimum.any()),
        "whale_value_cap": (
            batch.whale_value_cap is not None and bool(np.isfinite(batch.whale_value_cap).any())
        ),
    }
    for name, is_set in refused.items():
        if is_set:
            raise InputError(
                "not expressible as a flow", f"Batch.{name}", "linear returns and whole heads",
                "use batch_certificate, which bounds every batch",
            )  # fmt: skip


def _network(
    batch: Batch, rows: Ints, columns: Ints, arcs: _Arcs,
    count_minimum: Ints | None, head_worth: Floats | None,
) -> tuple[int, Ints]:  # fmt: skip
    """Fill ``arcs``, edges first, and return the sink and the supplies of all nodes.

    Nodes: users, gates of whales, entrances of rooms, exits of rooms, groups, sink.
    """
    n, rooms = len(batch), batch.room_count
    n, rooms = len(batch), batch.room_count
    room_parent, group_parent, group_width = nested(batch)
    gate, entrance, leave, group = (n + k * rooms for k in range(4))
    sink = group + len(group_width)
    every, listed = np.arange(rooms), batch.rooms[rows, columns]
    supply = np.minimum(batch.takes, batch.rooms.shape[1]).astype(np.int64)
    total = int(supply.sum())
    first = np.where(batch.is_whale[rows], gate, entrance) + listed
    arcs.add(rows, first, np.ones(len(rows), np.int64), batch.values[rows, columns])
    arcs.add(np.arange(n), np.full(n, sink), supply)
    cap = np.full(rooms, np.inf) if batch.whale_cap is None else batch.whale_cap
    arcs.add(gate + every, entrance + every, _whole(cap, total))
    seats = _whole(batch.capacity, total)
    _add_heads(arcs, entrance + every, leave + every, seats, head_worth)
    least = np.zeros(rooms, np.int64) if count_minimum is None else count_minimum
    _check_minimum(batch, least, seats)
    arcs.add(leave + every, group + room_parent, seats - least)
    arcs.add(group + np.arange(len(group_width)), group + group_parent, _whole(group_width, total))
    supplies = np.zeros(sink + 1, np.int64)
    supplies[:n] = supply
    supplies[leave + every] -= least  # a forced flow ends at the room's exit ...
    np.add.at(supplies, group + room_parent, least)  # ... and starts again behind it
    supplies[sink] -= total
    return sink, supplies


def nested(batch: Batch) -> tuple[Ints, Ints, Floats]:
    """Return the smallest group of each room [S], of each group [G], and the widths [G].

    G stands for "none": the sink.

    Raises
    ------
    InputError
        When two groups overlap and neither contains the other.
    """
    if batch.groups is None or batch.group_cap is None:
        none = np.zeros(0, np.int64)
        return np.zeros(batch.room_count, np.int64), none, np.zeros(0)
    members, count = batch.groups.astype(np.int64), len(batch.groups)
    size, common = members.sum(axis=1), members @ members.T
    overlap = (common > 0) & (common != size[:, None]) & (common != size[None, :])
    if overlap.any():
        a, b = np.argwhere(overlap)[0]
        raise InputError(
            f"groups {a} and {b} overlap", "Batch.groups", "groups nested in one another or apart"
        )
    rank = np.lexsort((np.arange(count), size))  # smaller first; of equal groups the earlier
    room_parent, group_parent = np.full(batch.room_count, count), np.full(count, count)
    for place in range(count - 1, -1, -1):
        room_parent[batch.groups[rank[place]]] = rank[place]
        inside = [g for g in rank[:place] if common[g, rank[place]] == size[g] > 0]
        group_parent[inside] = rank[place]
    return room_parent, group_parent, batch.group_cap


def _add_heads(
    arcs: _Arcs, entrance: Ints, leave: Ints, seats: Ints, head_worth: Floats | None
) -> None:
    """Join entrances and exits of rooms, by one arc per seat that is worth something by itself."""
    if head_worth is None:
        arcs.add(entrance, leave, seats)
        return
    rooms, most = len(entrance), 0 if head_worth.ndim < 2 else head_worth.shape[1]
    falls = head_worth.shape == (rooms, most) and (np.diff(head_worth, axis=1) <= 0.0).all()
    if not falls or not (np.isfinite(head_worth) & (head_worth >= 0.0)).all():
        raise InputError("not a table of falling worths", "head_worth", f"[{rooms}, K] >= 0")
    s, k = np.nonzero(np.arange(most) < seats[:, None])
    arcs.add(entrance[s], leave[s], np.ones(len(s), np.int64), head_worth[s, k])
    arcs.add(entrance, leave, np.maximum(seats - most, 0))


def _check_minimum(batch: Batch, least: Ints, seats: Ints) -> None:
    if least.dtype.kind not in "iu":
        raise InputError(f"type {least.dtype}", "count_minimum", "whole numbers")
    if least.shape != seats.shape or (least < 0).any():
        raise InputError(f"shape {least.shape}", "count_minimum", f"{seats.shape}, >= 0")
    if (least > seats).any():  # an arc of negative width is no network
        raise _contradiction(batch, least)


def _contradiction(batch: Batch, least: Ints | None) -> InputError:
    """Return what says which limits conflict, and the cheapest to relax.

    A head counts as one unit of attention, and limits as the network has them: whole.
    """
    wanted = np.zeros(batch.room_count) if least is None else least.astype(np.float64)
    whole = {
        name: np.floor(getattr(batch, name) + 1e-9)
        for name in ("capacity", "whale_cap", "group_cap")
        if getattr(batch, name) is not None
    }
    heads = replace(batch, affinity=np.ones(batch.rooms.shape), minimum=wanted, **whole)
    why = explain_infeasibility(heads)
    words = "the minima cannot all be met" if why is None else why.in_words().rstrip(".")
    return InputError(words, "count_minimum", "minima that users, seats and groups allow")


def _whole(limit: Floats, total: int) -> Ints:
    """Return limits as whole numbers, none above what all users together could fill."""
    return np.floor(np.minimum(limit, float(total)) + 1e-9).astype(np.int64)


def _solve(arcs: _Arcs, gains: Ints, supplies: Ints, sink: int) -> Ints | None:
    """Return the flow on every arc of the optimum; None where the minima cannot be met."""
    from ortools.graph.python import min_cost_flow

    solver = min_cost_flow.SimpleMinCostFlow()
    handles = solver.add_arcs_with_capacity_and_unit_cost(
        np.concatenate(arcs.tail), np.concatenate(arcs.head), np.concatenate(arcs.width), -gains
    )
    solver.set_nodes_supplies(np.arange(sink + 1), supplies)
    status = solver.solve()
    if status == solver.INFEASIBLE:
        return None
    if status != solver.OPTIMAL:
        raise IntegrityError(f"min-cost flow ended with {status}", "batch_optimum", "OPTIMAL")
    return np.asarray(solver.flows(handles), dtype=np.int64)
