"""The multi-pass stochastic descent on the dual of a batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from giftlive.allocation import batch_kernels as kernels
from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_dual import (
    BatchPrices,
    Response,
    bound_and_response,
    edge_arrays,
    group_count,
    group_members,
    signed_limits,
)
from giftlive.allocation.batch_kernels import FLOOR, KINDS, SEAT, WHALE, WHALE_VALUE
from giftlive.types import Floats

_BLOCKS = 100  # price moves per pass
_LATE = 8.0  # the latest of p passes weighs _LATE / (p + _LATE - 1) in the running mean
_FIRST_STEP, _STEP_HALVES_AT = 1.0, 5.0  # step of pass p: _FIRST_STEP / (1 + p / _STEP_HALVES_AT)
_WARM = 2  # passes that a warm start counts for
_FLOOR_SHARE = 0.02  # of the overall scale, so that a room without a threshold can be priced


@dataclass
class BatchDescent:
    """Working memory of one minimisation of D.

    Attributes
    ----------
    batch : the instance. shuffle : generator of the orders in which users are visited.
    start : prices to start from, trusted like ``_WARM`` passes unless all are 0.
    keep_fluid : whether to count what users take, [n, m], for ``fluid``.
    best, bound : prices with the lowest D so far, and that D. passes : made so far.
    """

    batch: Batch
    shuffle: np.random.Generator
    start: BatchPrices
    keep_fluid: bool = True
    best: BatchPrices = field(init=False)
    bound: float = field(init=False)
    passes: int = 0

    def __post_init__(self) -> None:
        self.start = shut(self.batch, self.start)
        self.best = self.start
        self.bound, response = bound_and_response(self.batch, self.start)
        self._packed, self._group = self.start.packed.copy(), self.start.group.copy()
        self._squares = np.zeros_like(self._packed)
        self._group_squares = np.zeros_like(self._group)
        self._mean = (self._packed.copy(), self._group.copy(), self.start.worth.copy())
        self._step, self._group_step = price_scale(self.batch)
        self._scale = np.broadcast_to(
            np.asarray(self.batch.returns.scale, dtype=np.float64), (self.batch.room_count,)
        ).copy()
        shape = self.batch.rooms.shape if self.keep_fluid else (0, 0)
        self.shown = np.zeros(shape)
        self._since = 0
        self._arrays = edge_arrays(self.batch)
        self._limits = signed_limits(self.batch)
        self._members = group_members(self.batch)
        self._money = self.batch.returns.at_slope(self.start.worth)
        self._age = 0
        if self.start.packed.any() or (self.start.worth < 1.0).any():
            self._remember(response)

    def _remember(self, response: Response) -> None:
        """Trust a warm start as if ``_WARM`` passes at its prices had been made.

        A block of users that takes a room on average c times has a subgradient of variance about
        c: over a pass, as much as the room's use.
        """
        self._age = _WARM * _BLOCKS
        self._squares += _WARM * response.use
        heads = np.maximum(response.use[WHALE], 1.0)
        self._squares[WHALE_VALUE] *= response.use[WHALE_VALUE] / heads
        if self.batch.groups is not None:
            self._group_squares += _WARM * (self.batch.groups @ response.use[SEAT])

    def advance(self) -> None:
        """Make one pass over the users and add its prices to the running mean."""
        n = len(self.batch)
        if self.passes == 2 * self._since + 2:  # the fluid forgets the early, badly priced passes
            self.shown[:], self._since = 0.0, self.passes
        block = max(1, -(-n // _BLOCKS))
        blocks = -(-n // block)
        step = _FIRST_STEP / (1.0 + self.passes / _STEP_HALVES_AT)
        age = self._age + np.arange(blocks)
        self._age += blocks
        fresh = kernels.descend(
            self.shuffle.permutation(n), block, *self._arrays, *self._limits, *self._members,
            self.batch.returns.code, self._scale, self._step * step, self._group_step * step,
            self.batch.shortfall_price, 1.0 / (age + 1.0), self._packed, self._group, self._money,
            self._squares, self._group_squares, self.shown,
        )  # fmt: skip
        self.passes += 1
        weight = _LATE / (self.passes + _LATE - 1.0)
        for mean, latest in zip(self._mean, fresh, strict=True):
            mean += weight * (latest - mean)

    def look(self) -> None:
        """Evaluate D exactly at the running means and keep them if it is the lowest so far."""
        prices = self.mean
        bound, _ = bound_and_response(self.batch, prices)
        if bound < self.bound:
            self.bound, self.best = bound, prices

    @property
    def mean(self) -> BatchPrices:
        """Running means of the prices, late passes weighing more; D there is not evaluated."""
        packed, group, worth = self._mean
        return BatchPrices.unpack(worth, packed, group)

    @property
    def fluid(self) -> Floats:
        """Mean of what users took at the prices of the later passes, [n, m] in [0, 1]."""
        return self.shown / max(1, self.passes - self._since)


def shut(batch: Batch, prices: BatchPrices) -> BatchPrices:
    """Return prices at which nobody wants what does not exist: seats, whales' places of limit 0.

    A price on a limit of 0 costs nothing in D, and a descent would climb to it step by step.
    """
    dearest = np.zeros(batch.room_count)
    real = batch.rooms >= 0
    np.maximum.at(dearest, batch.rooms[real], batch.values[real])
    limits, group_limits = signed_limits(batch)
    barrier = (dearest, np.zeros_like(dearest), dearest, np.ones_like(dearest))
    packed = np.where(limits == 0.0, np.maximum(prices.packed, barrier), prices.packed)
    top = float(dearest.max(initial=0.0))
    group = np.where(group_limits == 0.0, np.maximum(prices.group, top), prices.group)
    return BatchPrices.unpack(prices.worth, packed, group)


def price_scale(batch: Batch) -> tuple[Floats, Floats]:
    """Return the order of magnitude of each price: [KINDS, S] and [G].

    For a seat the geometric mean of two guesses, as in ``descent.price_scale``: the mean value per
    user, the same for all rooms, and the value of the first user that greedy's demand leaves
    without a seat in this room. For a whale's place the mean of what whales prefer, for affinity
    and groups twice the mean value per user, for a whale's value 1, as much as all of it.
    """
    zero = BatchPrices.zero(batch)
    marks = np.zeros(batch.rooms.shape)
    _, response = bound_and_response(batch, zero, marks)
    heads = max(1.0, float(response.use[0].sum()))
    overall = float(response.money.sum()) / heads or 1.0
    rows, columns = np.nonzero(marks)
    values, rooms = batch.values[rows, columns], batch.rooms[rows, columns]
    order = np.lexsort((-values, rooms))
    rooms, values = rooms[order], values[order]
    rank = np.arange(len(rooms)) - np.searchsorted(rooms, rooms)
    over = rank >= batch.capacity[rooms]
    threshold = np.zeros(batch.room_count)
    np.maximum.at(threshold, rooms[over], values[over])
    scale = np.empty((KINDS, batch.room_count))
    scale[:] = np.sqrt((threshold + _FLOOR_SHARE * overall) * overall)
    if batch.is_whale.any():
        prized = np.where(batch.rooms >= 0, batch.values, 0.0)[batch.is_whale]
        scale[WHALE] = float(prized.max(axis=1, initial=0.0).mean())
    scale[WHALE_VALUE] = 1.0
    scale[FLOOR] = 2.0 * overall
    return scale, np.full(group_count(batch), 2.0 * overall)
