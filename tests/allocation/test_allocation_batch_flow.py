"""The exact flow against SciPy's assignment, linear programmes and brute force."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse import csr_matrix, vstack
from tests.allocation.oracles import constraint_rows, make_batch

from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_certificate import batch_certificate
from giftlive.allocation.batch_flow import batch_optimum
from giftlive.allocation.returns import Returns
from giftlive.errors import InputError
from giftlive.rng import stream
from giftlive.types import Floats, Ints


@pytest.mark.parametrize("seed", range(200))
def test_flow_is_the_linear_assignment_of_whole_numbers(seed: int) -> None:
    draw = stream(seed, "assignment")
    n, rooms = int(draw.integers(1, 12)), int(draw.integers(1, 7))
    values = draw.integers(0, 50, (n, rooms)).astype(float)
    seats, takes = draw.integers(0, 4, rooms), np.ones(n, np.int64)
    batch = Batch(values, np.tile(np.arange(rooms), (n, 1)), seats.astype(float), takes)
    wide = np.repeat(values, seats, axis=1)
    row, column = linear_sum_assignment(wide, maximize=True)
    best = batch_optimum(batch)
    assert best.worth == wide[row, column].sum()
    assert (best.shown.sum(axis=0) <= seats).all()
    assert (best.shown.sum(axis=1) <= 1).all()


def nested_batch(seed: int) -> Batch:
    """b_u up to 3, whale caps, and groups that are nested, equal or apart."""
    base = make_batch(seed, n=60)
    groups = np.zeros((4, 10), np.bool_)
    groups[0, :6] = groups[1, 1:3] = groups[2, 1:3] = groups[3, 7:9] = True
    return replace(
        base, minimum=None, whale_value_cap=None, groups=groups,
        group_cap=np.array([9.0, 4.0, 3.0, 2.0]),
        per_user=stream(seed, "takes").integers(0, 4, 60),
    )  # fmt: skip


def programme(batch: Batch, least: Ints | None) -> float | None:
    """The linear programme of the same limits, with minima by count."""
    row, column = np.nonzero(batch.rooms >= 0)
    matrix, limit = constraint_rows(batch)
    if least is not None:
        room = batch.rooms[row, column]
        count = csr_matrix((np.ones(row.size), (room, np.arange(row.size))), (10, row.size))
        matrix, limit = vstack([matrix, -count]), np.concatenate([limit, -least])
    solved: Any = linprog(-batch.values[row, column], matrix, limit, bounds=(0, 1), method="highs")
    return None if solved.status == 2 else -float(solved.fun)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("with_minimum", [False, True])
def test_flow_is_the_linear_programme_under_every_limit_it_knows(
    seed: int, with_minimum: bool
) -> None:
    batch = nested_batch(seed)
    least = np.minimum(batch.capacity, 1 + np.arange(10) % 2).astype(np.int64)
    least[[1, 2, 5, 8]] = 0
    minimum = least if with_minimum else None
    expected = programme(batch, minimum)
    if expected is None:
        with pytest.raises(InputError, match="minima"):
            batch_optimum(batch, count_minimum=minimum)
        return
    best = batch_optimum(batch, count_minimum=minimum)
    assert best.worth == pytest.approx(expected, rel=1e-9)
    assert best.worth == pytest.approx(float(batch.values[best.shown].sum()))
    taken = best.shown[np.nonzero(batch.rooms >= 0)].astype(float)
    matrix, limit = constraint_rows(batch)
    assert (matrix @ taken <= limit + 1e-9).all()
    if minimum is not None:
        heads = np.bincount(batch.rooms[best.shown], minlength=10)
        assert (heads >= minimum).all()


def test_enough_of_those_have_minima_that_can_be_met_and_that_cost() -> None:
    least = np.array([1, 0, 0, 2, 1, 0, 1, 2, 0, 2])
    free = [batch_optimum(nested_batch(seed)).worth for seed in range(20)]
    met = [programme(nested_batch(seed), least) for seed in range(20)]
    assert sum(m is not None and m < f - 1e-6 for m, f in zip(met, free, strict=True)) >= 5


def test_the_certificate_never_falls_below_the_flow_and_comes_close() -> None:
    for seed in range(5):
        batch = nested_batch(seed)
        priced, best = batch_certificate(batch, passes=300), batch_optimum(batch)
        assert best.worth * (1 - 1e-9) <= priced.bound <= best.worth * 1.01


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_concave_worth_of_heads_is_the_best_of_every_head_count(seed: int) -> None:
    """Against brute force over all allocations of five users to three rooms or none."""
    draw = stream(seed, "heads")
    values = draw.integers(0, 6, (5, 3)).astype(float)
    worth: Floats = -np.sort(-draw.integers(0, 8, (3, 2)).astype(float), axis=1)
    batch = Batch(values, np.tile(np.arange(3), (5, 1)), np.array([3.0, 2.0, 5.0]))
    every = np.stack(np.meshgrid(*[np.arange(4)] * 5), axis=-1).reshape(-1, 5)
    heads = (every[:, :, None] == np.arange(3)).sum(axis=1)
    money = np.where(every < 3, values[np.arange(5), np.minimum(every, 2)], 0.0).sum(axis=1)
    by_heads = np.concatenate([np.zeros((3, 1)), np.cumsum(worth, axis=1)], axis=1)
    money += sum(by_heads[s, np.minimum(heads[:, s], 2)] for s in range(3))
    best = float(money[(heads <= batch.capacity).all(axis=1)].max())
    assert batch_optimum(batch, head_worth=worth).worth == pytest.approx(best)


def test_what_no_flow_expresses_is_refused_by_name() -> None:
    batch = nested_batch(1)
    with pytest.raises(InputError, match="returns"):
        batch_optimum(replace(batch, returns=Returns("log", 3.0)))
    with pytest.raises(InputError, match="minimum"):
        batch_optimum(replace(batch, minimum=np.ones(10)))
    with pytest.raises(InputError, match="whale_value_cap"):
        batch_optimum(replace(batch, whale_value_cap=np.ones(10)))
    with pytest.raises(InputError, match="groups 0 and 1 overlap"):
        batch_optimum(replace(make_batch(1), minimum=None, whale_value_cap=None))
    with pytest.raises(InputError, match="type float64; expected whole numbers"):
        batch_optimum(batch, count_minimum=np.full(10, 0.5))
    with pytest.raises(InputError, match="head_worth"):
        batch_optimum(batch, head_worth=np.tile([1.0, 2.0], (10, 1)))


ALL, BOTH = np.ones(4, np.bool_), np.array([[True, True]])


@pytest.mark.parametrize(
    ("minimum", "limits", "cheapest", "lower", "mended"),
    [
        ([3, 0], {"capacity": np.array([2.9, 9.0])},
         "lower minimum of room 0 (3) by 1 (33%)", 1, {}),
        ([2, 3], {}, "raise rooms per user (4 in total) by 1 (25%)", 0,
         {"per_user": np.array([2, 1, 1, 1])}),
        ([2, 2], {"groups": BOTH, "group_cap": np.array([3.0])},
         "raise group cap of group 0 (3) by 1 (33%)", 0, {"group_cap": np.array([4.0])}),
        ([2, 0], {"whale": ALL, "whale_cap": np.array([1.0, 9.0])},
         "lower minimum of room 0 (2) by 1 (50%)", 1, {}),
    ],
)  # fmt: skip
def test_contradictory_minima_are_explained_and_the_cheapest_change_mends_them(
    minimum: list[int], limits: dict[str, Any], cheapest: str, lower: int, mended: dict[str, Any]
) -> None:
    """Four users, one room each; two seats and a part of a third are two."""
    free = Batch(np.ones((4, 2)), np.array([[0, 1]] * 4), np.full(2, 9.0))
    batch = replace(free, **limits)
    with pytest.raises(InputError, match=re.escape(f"Cheapest for these: {cheapest}.")):
        batch_optimum(batch, count_minimum=np.array(minimum))
    least = np.array(minimum) - [lower, 0]
    best = batch_optimum(replace(batch, **mended), count_minimum=least)
    assert (best.shown.sum(axis=0) >= least).all()


def test_nobody_nothing_and_closed_rooms() -> None:
    nobody = Batch(np.zeros((0, 2)), np.zeros((0, 2), np.int64), np.ones(3))
    assert batch_optimum(nobody).worth == 0.0
    alone = Batch(np.ones((2, 1)), np.array([[-1], [0]]), np.zeros(1))
    assert not batch_optimum(alone).shown.any()
