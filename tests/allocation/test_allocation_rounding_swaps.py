"""Swaps: known answers, none left that helps, exact in integers, and no limit broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from tests.allocation.oracles import constraint_rows, integral_optimum, make_batch

import giftlive.allocation.rounding as rounding
from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_certificate import batch_certificate
from giftlive.allocation.batch_dual import BatchPrices
from giftlive.allocation.fluid import tally
from giftlive.allocation.returns import Returns
from giftlive.allocation.rounding_swaps import swap_sweep
from giftlive.types import Bools

_TWO = np.array([[0, 1], [0, 1]])


def worth(batch: Batch, shown: Bools) -> float:
    return float(batch.returns.value(tally(batch, shown.astype(float))[1]).sum())


def swapped(batch: Batch, shown: Bools) -> tuple[Bools, float]:
    """Return what one sweep of swaps makes of ``shown``, and the gain it claims."""
    state = rounding._seated(batch, shown)
    order = np.arange(len(batch), dtype=np.int64)
    gain = swap_sweep(order, rounding._edges(batch), rounding._limits(batch), state)
    assert state.money == pytest.approx(tally(batch, state.shown.astype(float))[1])
    return state.shown, gain


def every_swap(batch: Batch, shown: Bools) -> Iterator[Bools]:
    """Yield every allocation that differs by two users who changed places."""
    seats = np.argwhere(shown)
    for i, j in seats:
        for w, k in seats:
            a, b = batch.rooms[i, j], batch.rooms[w, k]
            to, back = np.flatnonzero(batch.rooms[i] == b), np.flatnonzero(batch.rooms[w] == a)
            if i >= w or a == b or not (to.size and back.size):
                continue
            if not (shown[i, to[0]] or shown[w, back[0]]):
                other = shown.copy()
                other[i, [j, to[0]]] = False, True
                other[w, [k, back[0]]] = False, True
                yield other


def test_two_users_of_full_rooms_change_places_where_no_ejection_can() -> None:
    """Seats are one each, so whoever is pushed out of one room finds the other one taken."""
    batch = Batch(np.array([[5.0, 8.0], [8.0, 5.0]]), _TWO, np.ones(2))
    steered = replace(BatchPrices.zero(batch), seat=np.array([0.0, 10.0]))
    assert rounding.integral_allocation(batch, steered, sweeps=0).shown[0].tolist() == [True, False]
    found = rounding.integral_allocation(batch, steered)
    assert found.worth == 16.0
    assert found.shown.tolist() == [[False, True], [True, False]]


def test_falling_returns_part_two_who_give_much() -> None:
    """Both rooms would have one rich and one poor user; together the rich are worth less."""
    values = np.array([[9.0, 9.0], [9.0, 9.0], [1.0, 1.0], [1.0, 1.0]])
    batch = Batch(values, np.array([[0, 1]] * 4), np.full(2, 2.0), returns=Returns("log", 1.0))
    together = np.array([[True, False], [True, False], [False, True], [False, True]])
    shown, gain = swapped(batch, together)
    assert (tally(batch, shown.astype(float))[1] == 10.0).all()
    assert gain == pytest.approx(2 * np.log(11.0) - np.log(19.0) - np.log(3.0))


def test_whale_caps_forbid_the_swap_that_would_gain() -> None:
    batch = Batch(
        np.array([[5.0, 8.0], [8.0, 5.0]]), _TWO, np.ones(2), whale=np.array([True, False])
    )
    apart = np.array([[True, False], [False, True]])
    assert swapped(batch, apart)[1] == 6.0
    none_in_room_1 = np.array([9.0, 0.0])
    assert swapped(replace(batch, whale_cap=none_in_room_1), apart)[1] == 0.0
    assert swapped(replace(batch, whale_value_cap=none_in_room_1), apart)[1] == 0.0


def test_a_minimum_forbids_the_swap_that_would_gain() -> None:
    affinity = np.array([[0.9, 0.1], [0.9, 0.9]])
    batch = Batch(
        np.array([[5.0, 8.0], [8.0, 5.0]]), _TWO, np.ones(2), affinity=affinity,
        minimum=np.array([0.0, 0.5]),
    )  # fmt: skip
    apart = np.array([[True, False], [False, True]])
    assert swapped(batch, apart)[1] == 0.0
    assert swapped(replace(batch, minimum=np.array([0.0, 0.05])), apart)[1] == 6.0


@pytest.mark.parametrize("seed", range(4))
def test_whole_numbers_stay_exact_and_heads_stay_where_they_were(seed: int) -> None:
    batch = make_batch(seed, n=80, limits=seed % 2 == 1)
    batch = replace(batch, values=np.rint(batch.values * 100.0), whale_value_cap=None)
    before = rounding.by_price(batch, BatchPrices.zero(batch))
    after, gain = swapped(batch, before)
    assert gain > 0.0
    assert worth(batch, after) - worth(batch, before) == gain
    heads = [np.bincount(batch.rooms[shown], minlength=10) for shown in (before, after)]
    assert (heads[0] == heads[1]).all()
    assert (before.sum(axis=1) == after.sum(axis=1)).all()


@pytest.mark.parametrize(("kind", "limits"), [("linear", True), ("log", False), ("log", True)])
def test_no_swap_is_left_that_helps(kind: str, limits: bool) -> None:
    batch = make_batch(3, n=40, m=5, rooms=6, limits=limits, returns=Returns(kind, 20.0))  # type: ignore[arg-type]
    batch = replace(batch, minimum=None)
    matrix, limit = constraint_rows(batch)
    place = np.nonzero(batch.rooms >= 0)
    shown, gain = rounding.by_price(batch, BatchPrices.zero(batch)), 1.0
    better = 0
    for other in every_swap(batch, shown):
        allowed = (matrix @ other[place] <= limit + 1e-9).all()
        better += bool(allowed and worth(batch, other) > worth(batch, shown) + 1e-9)
    assert better > 3  # there was something to find
    while gain > 0.0:
        shown, gain = swapped(batch, shown)
    assert (matrix @ shown[place] <= limit + 1e-9).all()
    for other in every_swap(batch, shown):
        if (matrix @ other[place] <= limit + 1e-9).all():
            assert worth(batch, other) <= worth(batch, shown) * (1 + 1e-9)


def test_with_swaps_full_rooms_reach_the_best_of_all_allocations_more_often() -> None:
    """Every seat is taken and nothing is free: moves and ejections alone stop earlier."""
    exact = {True: 0, False: 0}
    for seed in range(12):
        batch = make_batch(seed, n=5, m=3, rooms=3, limits=False, returns=Returns("log", 2.0))
        batch = replace(batch, per_user=None, capacity=np.array([2.0, 2.0, 1.0]))
        best = integral_optimum(batch)
        assert best is not None
        prices = batch_certificate(batch, passes=5).prices
        with pytest.MonkeyPatch.context() as patched:
            for swaps in (True, False):
                if not swaps:
                    patched.setattr(rounding, "swap_sweep", lambda *_: 0.0)
                found = rounding.integral_allocation(batch, prices).worth
                assert found <= best * (1 + 1e-9)
                exact[swaps] += found >= best * (1 - 1e-9)
    assert exact[True] >= 11
    assert exact[True] > exact[False]
