"""Instances of a batch, and independent optima to hold solvers against."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import bmat, coo_matrix, csr_matrix, vstack

from giftlive.allocation.batch import Batch
from giftlive.allocation.returns import Returns
from giftlive.rng import stream
from giftlive.types import Floats


def make_batch(
    seed: int, n: int = 200, m: int = 6, rooms: int = 10, *, load: float = 1.5,
    returns: Returns | None = None, limits: bool = True,
) -> Batch:  # fmt: skip
    """Heavy-tailed users, some with two or no rooms, padding, and every kind of limit."""
    draw = stream(seed, "batch")
    listed = np.argsort(draw.random((n, rooms)), axis=1)[:, :m].astype(np.int64)
    listed[draw.random((n, m)) < 0.1] = -1
    wealth, quality = draw.normal(0.0, 1.3, (n, 1)), draw.normal(0.0, 0.8, rooms)
    values = np.exp(wealth + quality[listed] + draw.normal(0.0, 0.5, (n, m)))
    capacity = np.ceil(draw.dirichlet(np.full(rooms, 3.0)) * n / load)
    per_user = draw.choice([0, 1, 1, 2], n).astype(np.int64)
    plain = Batch(values, listed, capacity, per_user, returns=returns or Returns())
    if not limits:
        return plain
    whale = values.max(axis=1) > np.quantile(values.max(axis=1), 0.9)
    minimum = np.zeros(rooms)
    minimum[-3:] = 0.3 * capacity[-3:]
    groups = np.zeros((2, rooms), np.bool_)
    groups[0, :3] = groups[1, 2:5] = True
    return Batch(
        values, listed, capacity, per_user, draw.random((n, m)), minimum, np.inf, whale,
        np.full(rooms, np.ceil(0.05 * n / rooms)), np.full(rooms, 0.1 * values.max()),
        groups, np.floor(0.6 * groups @ capacity), plain.returns,
    )  # fmt: skip


def constraint_rows(batch: Batch) -> tuple[Any, Floats]:
    """Return A and b of A x <= b over the edges, written from the definition, not the package."""
    row, column = np.nonzero(batch.rooms >= 0)
    room, edge = batch.rooms[row, column], np.arange(row.size)
    value, n = batch.values[row, column], len(batch.rooms)
    takes = np.ones(n) if batch.per_user is None else batch.per_user
    blocks: list[tuple[Any, Floats]] = []

    def add(of: Any, weight: Any, limit: Any) -> None:
        size = len(limit)
        blocks.append((coo_matrix((weight, (of, edge)), (size, row.size)), np.asarray(limit)))

    add(row, np.ones(row.size), takes)
    add(room, np.ones(row.size), batch.capacity)
    if batch.minimum is not None and batch.affinity is not None:
        add(room, -batch.affinity[row, column], -batch.minimum)
    if batch.whale is not None:
        is_whale = batch.whale[row].astype(float)
        if batch.whale_cap is not None:
            add(room, is_whale, batch.whale_cap)
        if batch.whale_value_cap is not None:
            add(room, is_whale * value, batch.whale_value_cap)
    if batch.groups is not None and batch.group_cap is not None:
        for members, cap in zip(batch.groups, batch.group_cap, strict=True):
            add(np.zeros(row.size, int), members[room].astype(float), [cap])
    matrix, limit = vstack([a for a, _ in blocks]).tocsr(), np.concatenate([b for _, b in blocks])
    bounded = np.isfinite(limit)
    return matrix[np.flatnonzero(bounded)], limit[bounded]


def fluid_optimum(batch: Batch, tangents: int = 60) -> tuple[float, float] | None:
    """Return bounds on the optimum of the fluid from a linear programme; None if infeasible.

    g is replaced by the minimum of tangents, so that the programme is an upper bound, and g of its
    solution a lower one; for linear returns both are the optimum.
    """
    row, column = np.nonzero(batch.rooms >= 0)
    room, value = batch.rooms[row, column], batch.values[row, column]
    edges, rooms = row.size, len(batch.capacity)
    matrix, limit = constraint_rows(batch)
    top = float(value.sum())
    points = np.concatenate([[0.0], np.geomspace(1e-3, 1.0, tangents - 1) * top])
    kinds, of_room = np.meshgrid(points, np.arange(rooms))
    level, s = kinds.ravel(), of_room.ravel()
    returns = batch.returns
    slope = np.array([returns.slope(np.full(rooms, p)) for p in points]).T.ravel()
    height = np.array([returns.value(np.full(rooms, p)) for p in points]).T.ravel()
    total = csr_matrix((value, (room, np.arange(edges))), (rooms, edges))
    cuts = csr_matrix((slope, (np.arange(s.size), s)), (s.size, rooms)) @ total
    pick = csr_matrix((np.ones(s.size), (np.arange(s.size), s)), (s.size, rooms))
    full = bmat([[matrix, None], [-cuts, pick]]).tocsr()
    solved: Any = linprog(
        np.concatenate([np.zeros(edges), -np.ones(rooms)]), A_ub=full,
        b_ub=np.concatenate([limit, height - slope * level]),
        bounds=[(0, 1)] * edges + [(None, None)] * rooms, method="highs",
    )  # fmt: skip
    if solved.status == 2:
        return None
    assert solved.status == 0, solved.message
    money: Floats = np.asarray(total @ solved.x[:edges])
    return float(returns.value(money).sum()), -float(solved.fun)


def integral_optimum(batch: Batch) -> float | None:
    """Return the best worth over all 0-1 allocations by trying every one; None if infeasible."""
    row, column = np.nonzero(batch.rooms >= 0)
    room, value = batch.rooms[row, column], batch.values[row, column]
    matrix, limit = constraint_rows(batch)
    every = np.array(list(product([0.0, 1.0], repeat=row.size)))
    feasible = every[(limit + 1e-9 >= (matrix @ every.T).T).all(axis=1)]
    if not len(feasible):
        return None
    money = np.zeros((len(feasible), len(batch.capacity)))
    for s in range(len(batch.capacity)):
        money[:, s] = feasible[:, room == s] @ value[room == s]
    return max(float(batch.returns.value(row).sum()) for row in money)
