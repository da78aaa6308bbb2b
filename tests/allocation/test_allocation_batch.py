"""The batch at its boundary, and its dual bound against brute force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.allocation.oracles import fluid_optimum, integral_optimum, make_batch

from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_dual import BatchPrices, batch_bound
from giftlive.allocation.returns import Kind, Returns
from giftlive.errors import InputError
from giftlive.rng import stream


def random_prices(batch: Batch, seed: int, size: float) -> BatchPrices:
    draw = stream(seed, "prices")
    groups = 0 if batch.group_cap is None else len(batch.group_cap)

    def price(scale: float = 1.0) -> Any:
        return size * scale * draw.exponential(size=batch.room_count)

    linear = batch.returns.kind == "linear"
    worth = np.ones(batch.room_count) if linear else draw.uniform(0.05, 1.1, batch.room_count)
    return BatchPrices(
        worth, price(), price(), price(), price(0.05), size * draw.exponential(size=groups)
    )


def test_every_term_of_the_bound_on_one_instance_by_hand() -> None:
    batch = Batch(
        values=np.array([[8.0, 5.0], [3.0, 2.0]]), rooms=np.array([[0, 1], [0, 1]]),
        capacity=np.array([1.0, 2.0]), per_user=np.array([2, 1]),
        affinity=np.array([[0.5, 0.5], [1.0, 0.5]]), minimum=np.array([0.0, 0.25]),
        whale=np.array([True, False]), whale_cap=np.array([1.0, 1.0]),
        whale_value_cap=np.array([9.0, 4.0]), groups=np.array([[True, True]]),
        group_cap=np.array([2.0]), returns=Returns("log", 10.0),
    )  # fmt: skip
    prices = BatchPrices(
        worth=np.array([0.5, 0.8]), seat=np.array([0.3, 0.1]), floor=np.array([0.0, 0.4]),
        whale=np.array([0.2, 0.0]), whale_value=np.array([0.0, 0.25]), group=np.array([0.05]),
    )  # fmt: skip
    user_0 = (4.0 - 0.3 - 0.2 - 0.05) + (0.8 * 5.0 - 0.1 + 0.4 * 0.5 - 0.25 * 5.0 - 0.05)
    user_1 = max(1.5 - 0.3 - 0.05, 1.6 - 0.1 + 0.4 * 0.5 - 0.05)
    limits = 1 * 0.3 + 2 * 0.1 - 0.25 * 0.4 + 1 * 0.2 + 4.0 * 0.25 + 2 * 0.05
    conjugate = 10.0 * (0.5 - 1.0 - np.log(0.5)) + 10.0 * (0.8 - 1.0 - np.log(0.8))
    assert batch_bound(batch, prices) == pytest.approx(conjugate + user_0 + user_1 + limits)


def test_the_largest_reduced_values_count_and_none_where_none_may_be_taken() -> None:
    values, rooms = np.array([[1.0, 4.0, 2.0, 3.0]]), np.array([[0, 1, 2, 3]])
    for most, expected in enumerate([0.0, 4.0, 7.0, 9.0, 10.0, 10.0]):
        batch = Batch(values, rooms, np.full(4, 9.0), np.array([most]))
        assert batch_bound(batch, BatchPrices.zero(batch)) == expected


def small(seed: int, kind: Kind) -> Batch:
    whole = make_batch(seed, n=4, m=3, rooms=3, load=1.2, returns=Returns(kind, 2.0))
    assert whole.affinity is not None
    return replace(
        whole, groups=whole.groups[:, :3] if whole.groups is not None else None,
        minimum=np.array([0.4, 0.0, 0.2]), whale_cap=np.array([1.0, 1.0, 0.0]),
        whale_value_cap=np.array([np.inf, 2.0, 5.0]), group_cap=np.array([3.0, 2.0]),
        per_user=np.array([2, 1, 2, 1]),
    )  # fmt: skip


KINDS: list[Kind] = ["linear", "log", "saturating", "sqrt"]
SMALL = [(s, kind) for s in range(6) for kind in KINDS]


@pytest.mark.parametrize(("seed", "kind"), SMALL)
def test_no_integral_allocation_of_a_small_batch_beats_the_bound(seed: int, kind: Kind) -> None:
    batch = small(seed, kind)
    best = integral_optimum(batch)
    for trial in range(50):
        bound = batch_bound(batch, random_prices(batch, trial, 0.3 * (trial % 5)))
        assert best is None or bound >= best - 1e-9


def test_the_small_batches_are_feasible_often_enough_to_test_anything() -> None:
    assert sum(integral_optimum(small(seed, kind)) is not None for seed, kind in SMALL) >= 12


OPTIMA = {
    kind: fluid_optimum(make_batch(5, n=60, returns=Returns(kind, 30.0)))
    for kind in ("linear", "log")
}


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["linear", "log"]),
    seed=st.integers(0, 10_000),
    size=st.floats(0.0, 10.0),
)
def test_weak_duality_for_random_prices(kind: Kind, seed: int, size: float) -> None:
    batch, optimum = make_batch(5, n=60, returns=Returns(kind, 30.0)), OPTIMA[kind]
    assert optimum is not None
    assert batch_bound(batch, random_prices(batch, seed, size)) >= optimum[0] * (1 - 1e-9)


def test_prices_outside_the_dual_prove_nothing() -> None:
    batch = make_batch(1)
    zero = BatchPrices.zero(batch)
    assert np.isfinite(batch_bound(batch, zero))
    assert np.isinf(batch_bound(batch, replace(zero, worth=zero.worth * 0.99)))
    elastic = replace(batch, shortfall_price=2.0)
    assert np.isinf(batch_bound(elastic, replace(zero, floor=zero.floor + 2.01)))
    assert np.isfinite(batch_bound(elastic, replace(zero, floor=zero.floor + 2.0)))
    unlimited = replace(batch, capacity=np.full(batch.room_count, np.inf))
    assert np.isinf(batch_bound(unlimited, replace(zero, seat=zero.seat + 0.1)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("values", np.full((200, 6), np.nan)),
        ("values", np.full((200, 6), -1.0)),
        ("values", np.full((200, 6), np.inf)),
        ("values", np.zeros((3, 3))),
        ("rooms", np.full((200, 6), 10)),
        ("rooms", np.zeros((200, 6), np.int64)),
        ("capacity", np.full(10, np.nan)),
        ("capacity", np.full(10, -1.0)),
        ("per_user", np.full(200, -1)),
        ("per_user", np.ones(199, np.int64)),
        ("per_user", np.full(200, 1.5)),
        ("rooms", np.zeros((200, 6))),
        ("groups", np.ones((2, 10), np.int64)),
        ("whale", np.zeros(200)),
        ("affinity", np.full((200, 6), 1.01)),
        ("minimum", np.full(10, np.inf)),
        ("minimum", np.zeros(9)),
        ("whale_cap", np.full(10, np.nan)),
        ("whale_value_cap", np.full(10, -1.0)),
        ("groups", np.ones((2, 9), np.bool_)),
        ("group_cap", np.ones(3)),
        ("shortfall_price", np.nan),
    ],
)
def test_bad_batches_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"Batch\.({field}|group)"):
        replace(make_batch(1), **{field: value})


@pytest.mark.parametrize(
    ("missing", "limit"),
    [("affinity", "minimum"), ("whale", "whale_cap"), ("groups", "group_cap")],
)
def test_a_limit_without_what_it_counts_is_refused(missing: str, limit: str) -> None:
    nothing: dict[str, Any] = {missing: None}
    with pytest.raises(InputError, match=rf"{missing} is missing"):
        replace(make_batch(1), **nothing)


def test_bad_prices_and_scales_are_refused() -> None:
    batch = make_batch(1)
    zero = BatchPrices.zero(batch)
    with pytest.raises(InputError, match=r"BatchPrices\.seat"):
        batch_bound(batch, replace(zero, seat=-zero.worth))
    with pytest.raises(InputError, match=r"BatchPrices\.group"):
        batch_bound(batch, replace(zero, group=np.zeros(3)))
    with pytest.raises(InputError, match=r"Batch\.returns\.scale"):
        replace(batch, returns=Returns("log", np.ones(3)))
