"""An integral allocation from prices: serve by price, then move, eject and swap while it gains.

Fluids split users over rooms; a whale cannot be split. Users are served by price in falling order
of their best value, every limit checked, then each user in turn moves to a room with space, or
takes the seat of another one who finds a better place than the loss; then two users of two rooms
change places, which needs no free seat. This is repeated until it gains little.
Only linear returns without weighted minima have an exact optimum (``batch_optimum``).
"""

from __future__ import annotations

import numpy as np

from giftlive import rng
from giftlive.allocation.admission import OpenDay, serve
from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_dual import BatchPrices, edge_arrays, signed_limits
from giftlive.allocation.batch_flow import Allocation
from giftlive.allocation.fluid import groups_of_rooms
from giftlive.allocation.rounding_kernels import Edges, Limits, State, enter, sweep
from giftlive.allocation.rounding_swaps import swap_sweep
from giftlive.allocation.samples import rows
from giftlive.types import Bools, Floats

_SMALL = 1e-5  # a sweep that gains less of the worth is the last


def integral_allocation(
    batch: Batch, prices: BatchPrices, *, sweeps: int = 20, seed: int = 0
) -> Allocation:
    """Return a good integral allocation near the given prices.

    Every limit but minima holds exactly; a minimum met by the prices is not undone.

    Parameters
    ----------
    batch : the instance. prices : as a certificate returns them.
    sweeps : upper limit of passes of the local search; 0 leaves the rounding by price.
    seed : of the orders in which users are tried.

    Examples
    --------
    >>> values, seats = np.array([[5.0, 4.0], [5.0, 1.0]]), np.array([1.0, 2.0])
    >>> batch = Batch(values, np.array([[0, 1]] * 2), seats)
    >>> integral_allocation(batch, BatchPrices.zero(batch)).worth
    9.0
    """
    state = _seated(batch, by_price(batch, prices.checked(batch)))
    edges = _edges(batch)
    limits = _limits(batch)
    shuffle = rng.stream(seed, "rounding")
    for _ in range(sweeps):
        gain = sweep(shuffle.permutation(len(batch)), edges, limits, state)
        gain += swap_sweep(shuffle.permutation(len(batch)), edges, limits, state)
        if gain <= _SMALL * float(batch.returns.value(np.maximum(state.money, 0.0)).sum()):
            break
    money = np.bincount(
        batch.rooms[state.shown], batch.values[state.shown], batch.room_count
    ).astype(np.float64)
    return Allocation(state.shown, float(batch.returns.value(money).sum()), 0.0)


def by_price(batch: Batch, prices: BatchPrices) -> Bools:
    """Return what users take at fixed prices when served in falling order of their best value."""
    real = np.where(batch.rooms >= 0, batch.values, 0.0)
    order = np.argsort(-real.max(axis=1, initial=0.0), kind="stable")
    queue = rows(batch, order)
    day = OpenDay.of(queue)
    serve(queue, day, prices, 0, len(queue))
    shown = np.zeros_like(day.shown)
    shown[order] = day.shown
    return shown


def _seated(batch: Batch, shown: Bools) -> State:
    """Return the state of a search that starts from ``shown``."""
    rooms = batch.room_count
    listed = np.bincount(batch.rooms[batch.rooms >= 0], minlength=rooms)
    seats = np.minimum(batch.capacity, listed).astype(np.int64) + 1
    start = np.concatenate([[0], np.cumsum(seats)])
    total, day = int(start[-1]), OpenDay.of(batch)
    groups = 0 if batch.group_cap is None else len(batch.group_cap)
    state = State(
        day.shown, np.zeros(len(batch), np.int64), day.money, day.use, np.zeros(groups),
        np.full(total, -1, np.int64), np.full(total, -1, np.int64), start[:-1].astype(np.int64),
        np.zeros(rooms, np.int64),
    )  # fmt: skip
    edges, limits = _edges(batch), _limits(batch)
    for i, j in np.argwhere(shown):
        enter(i, j, edges, limits, state)
    return state


def _edges(batch: Batch) -> Edges:
    scale: Floats = np.asarray(batch.returns.scale, dtype=np.float64)
    by_room = np.broadcast_to(scale, (batch.room_count,)).copy()
    return Edges(*edge_arrays(batch), batch.returns.code, by_room)


def _limits(batch: Batch) -> Limits:
    room, group = signed_limits(batch)
    return Limits(room, group, *groups_of_rooms(batch))
