"""The multi-pass stochastic dual against independent programmes, and its limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.allocation.oracles import fluid_optimum, make_batch

from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_certificate import batch_certificate
from giftlive.allocation.batch_descent import BatchDescent
from giftlive.allocation.batch_dual import BatchPrices, batch_bound
from giftlive.allocation.batch_kernels import FLOOR, SEAT, WHALE, WHALE_VALUE
from giftlive.allocation.fluid import fits, tally
from giftlive.allocation.returns import Kind, Returns
from giftlive.rng import stream


@pytest.mark.parametrize("kind", ["linear", "log", "saturating", "sqrt"])
@pytest.mark.parametrize("limits", [False, True])
def test_bound_is_the_optimum_of_an_independent_programme(kind: Kind, limits: bool) -> None:
    batch = make_batch(3, returns=Returns(kind, 20.0), limits=limits)
    optimum, priced = fluid_optimum(batch), batch_certificate(batch, passes=400)
    assert optimum is not None
    lower, upper = optimum
    assert upper <= lower * 1.001  # the programme itself knows the optimum
    assert lower * (1 - 1e-9) <= priced.bound <= upper * 1.002
    if priced.fluid.feasible:
        assert priced.fluid.worth <= upper * (1 + 1e-9)


def test_the_fluid_meets_its_limits_and_proves_the_gap() -> None:
    batch = replace(make_batch(4), minimum=None)
    priced = batch_certificate(batch, passes=400)
    fluid = priced.fluid
    assert fits(batch, fluid.shares)
    assert (fluid.shares.sum(axis=1) <= batch.takes + 1e-9).all()
    assert ((fluid.shares >= 0.0) & (fluid.shares <= 1.0 + 1e-12)).all()
    use, money = tally(batch, fluid.shares)
    np.testing.assert_allclose(fluid.use, use, atol=1e-9)
    np.testing.assert_allclose(fluid.money, money, rtol=1e-9)
    assert priced.gap == pytest.approx(1.0 - fluid.worth / priced.bound)
    assert priced.gap < 0.01
    assert batch_bound(batch, priced.prices) == priced.bound


def test_a_price_appears_only_where_a_limit_binds() -> None:
    batch = replace(make_batch(8), minimum=None)
    priced = batch_certificate(batch, passes=400, tolerance=0.0)
    use, prices = priced.fluid.use, priced.prices
    assert batch.whale_cap is not None
    assert batch.whale_value_cap is not None
    paid = [
        (prices.seat * (batch.capacity - use[SEAT])).sum(),
        (prices.whale * (batch.whale_cap - use[WHALE])).sum(),
        (prices.whale_value * (batch.whale_value_cap - use[WHALE_VALUE])).sum(),
    ]
    assert all(-1e-6 <= rent <= priced.gap * priced.bound * (1 + 1e-6) for rent in paid)
    roomy = replace(batch, capacity=batch.capacity + 1e4 * (np.arange(10) < 3))
    assert batch_certificate(roomy, passes=200).prices.seat[:3].max() == 0.0


@pytest.mark.parametrize(("cap", "binds"), [(2.0, True), (3.0, True), (5.0, False)])
def test_whale_cap_has_a_price_exactly_when_more_whales_want_the_room(
    cap: float, binds: bool
) -> None:
    """Of 12 whales a third prefers room 0: W p_max = 4 > k is when the cap binds."""
    n, whale = 60, np.arange(60) < 12
    favourite = np.where(whale, np.minimum(np.arange(n) // 4, 2), np.arange(n) % 3)
    values = (
        np.where(np.arange(3) == favourite[:, None], 2.0, 1.0) * np.where(whale, 50, 1)[:, None]
    )
    rooms = np.tile(np.arange(3), (n, 1))
    batch = Batch(
        values, rooms, np.full(3, 60.0), whale=whale, whale_cap=np.array([cap, 60.0, 60.0])
    )
    priced = batch_certificate(batch, passes=400)
    expected = 50.0 * (min(cap, 4.0) - 4.0) + batch.values.max(axis=1).sum()
    assert priced.bound == pytest.approx(expected, rel=1e-3)
    assert (priced.prices.whale[0] > 0.0) == binds
    assert priced.prices.whale[1:].max() < 1.0


def test_a_minimum_has_a_price_and_is_met() -> None:
    free = make_batch(6, limits=False)
    affinity = stream(6, "affinity").random(free.rooms.shape)
    use, _ = tally(replace(free, affinity=affinity), batch_certificate(free).fluid.shares)
    wanted = np.zeros(10)
    wanted[np.argmin(use[FLOOR] / free.capacity)] = use[FLOOR].min() + 0.1 * free.capacity.min()
    bound = batch_certificate(free, passes=400).bound
    batch = replace(free, affinity=affinity, minimum=wanted)
    priced = batch_certificate(batch, passes=400)
    s = int(np.argmax(wanted))
    assert priced.prices.floor[s] > 0.0
    assert priced.bound < bound
    elastic = batch_certificate(replace(batch, shortfall_price=1e-3), passes=400)
    assert priced.bound < elastic.bound <= bound * (1 + 1e-4)
    assert elastic.fluid.shortfall[s] > 0.0
    assert elastic.fluid.feasible


def test_impossible_minima_are_proved_impossible() -> None:
    batch = make_batch(7)
    priced = batch_certificate(replace(batch, minimum=batch.capacity * 1.1), passes=400)
    assert priced.status == "infeasible"
    assert priced.bound < 0.0
    assert priced.gap == 1.0
    assert not priced.fluid.feasible


@pytest.mark.parametrize(("price", "worth"), [(3.0, 2.0), (6.0, 1.0)])
def test_a_minimum_is_missed_where_missing_it_is_cheaper(price: float, worth: float) -> None:
    """One user, worth 5 in room 0 and 1 in room 1, which is promised one viewer."""
    batch = Batch(
        np.array([[5.0, 1.0]]), np.array([[0, 1]]), np.ones(2), affinity=np.ones((1, 2)),
        minimum=np.array([0.0, 1.0]), shortfall_price=price,
    )  # fmt: skip
    priced = batch_certificate(batch, passes=400)
    assert priced.bound == pytest.approx(worth, rel=0.01)
    assert priced.fluid.worth == pytest.approx(worth, rel=0.05)


def test_without_congestion_greedy_is_optimal_and_nothing_has_a_price() -> None:
    base = make_batch(9, limits=False)
    priced = batch_certificate(replace(base, capacity=base.capacity * 100))
    assert priced.status == "uncongested"
    assert not priced.prices.packed.any()
    assert priced.bound == priced.greedy_value == pytest.approx(priced.fluid.worth)
    assert priced.overflow_share == priced.price_share == priced.gap == 0.0


@pytest.mark.parametrize("kind", ["linear", "log"])
@pytest.mark.parametrize("factor", [0.25, 3.7])
def test_scaling_values_scales_bound_and_prices(kind: Kind, factor: float) -> None:
    base = make_batch(9, returns=Returns(kind, 20.0), limits=False)
    scaled = replace(base, values=base.values * factor, returns=Returns(kind, 20.0 * factor))
    one, other = batch_certificate(base), batch_certificate(scaled)
    assert other.bound == pytest.approx(factor * one.bound, rel=1e-3)
    if factor == 0.25:  # a power of two: not a bit may differ
        assert (other.prices.seat == factor * one.prices.seat).all()
        assert (other.fluid.shares == one.fluid.shares).all()


def test_renaming_rooms_renames_the_prices() -> None:
    batch = make_batch(10, limits=False)
    name = stream(1, "names").permutation(10)
    renamed = replace(
        batch,
        rooms=np.where(batch.rooms >= 0, name[batch.rooms], -1),
        capacity=batch.capacity[np.argsort(name)],
    )
    # the fluid is cut room by room: a stop at a gap could come a pass earlier in one of them
    one, other = (batch_certificate(b, passes=60, tolerance=0.0) for b in (batch, renamed))
    np.testing.assert_allclose(other.prices.seat[name], one.prices.seat, rtol=1e-9)
    assert other.bound == pytest.approx(one.bound, rel=1e-12)


def test_of_equal_rooms_the_earlier_column_is_taken() -> None:
    batch = Batch(np.array([[1.0, 3.0, 3.0, 3.0]]), np.array([[0, 1, 2, 3]]), np.full(4, 2.0))
    for most, taken in ((1, [0, 1, 0, 0]), (2, [0, 1, 1, 0]), (4, [1, 1, 1, 1])):
        shares = batch_certificate(replace(batch, per_user=np.array([most]))).fluid.shares
        assert shares.tolist() == [taken]


def test_limits_of_nothing_cost_nothing_to_prove() -> None:
    """No whale, no whale's value, nobody in the group: the bound is exact at once."""
    base = make_batch(3, limits=False)
    base.values[0] = 1e5  # far from any guess of a price
    batch = replace(
        base, capacity=np.full(10, 1e4), whale=np.ones(200, np.bool_), whale_cap=np.zeros(10)
    )
    by_value = replace(batch, whale_cap=None, whale_value_cap=np.zeros(10))
    group = replace(batch, whale_cap=None, groups=np.ones((1, 10), np.bool_), group_cap=np.zeros(1))
    for closed in (batch, by_value, group):
        priced = batch_certificate(closed, passes=1)
        assert priced.fluid.worth == 0.0
        assert priced.bound == pytest.approx(0.0, abs=1e-9 * priced.greedy_value)


def test_one_pass_from_the_optimum_stays_near_it() -> None:
    batch = make_batch(11, n=2_000, returns=Returns("log", 200.0), limits=False)
    priced = batch_certificate(batch)
    after = []
    for start in (priced.prices, BatchPrices.zero(batch)):
        descent = BatchDescent(batch, stream(1, "one pass"), start)
        descent.advance()
        after.append(batch_bound(batch, descent.mean) / priced.bound - 1.0)
    assert after[0] < 0.03 < 0.05 < after[1]


def test_the_best_prices_are_kept_whatever_comes_after() -> None:
    batch = make_batch(11, limits=False)
    prices = batch_certificate(batch).prices
    descent = BatchDescent(batch, stream(1, "one pass"), prices)
    descent.advance()
    descent.look()
    assert batch_bound(batch, descent.mean) > batch_bound(batch, prices)
    assert descent.bound == batch_bound(batch, descent.best) == batch_bound(batch, prices)


def test_what_stands_in_the_padding_does_not_matter() -> None:
    batch = make_batch(3, returns=Returns("log", 20.0))
    assert batch.affinity is not None
    padding = batch.rooms < 0
    assert padding.any()
    other = replace(
        batch,
        values=np.where(padding, np.nan, batch.values),
        affinity=np.where(padding, np.nan, batch.affinity),
    )
    one, two = batch_certificate(batch, passes=20), batch_certificate(other, passes=20)
    assert (one.bound, one.fluid.worth) == (two.bound, two.fluid.worth)


def test_same_seed_same_bits_and_a_warm_start_helps() -> None:
    batch = make_batch(11, returns=Returns("log", 20.0))
    first, second = batch_certificate(batch, passes=20), batch_certificate(batch, passes=20)
    assert first.prices.seat.tobytes() == second.prices.seat.tobytes()
    warm = batch_certificate(batch, passes=5, start=batch_certificate(batch).prices)
    assert warm.bound < batch_certificate(batch, passes=5).bound


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_nobody_nothing_and_closed_rooms(kind: Kind) -> None:
    returns = Returns(kind, 5.0)
    nobody = Batch(np.zeros((0, 3)), np.zeros((0, 3), np.int64), np.ones(2), returns=returns)
    assert batch_certificate(nobody, passes=20).bound == pytest.approx(0.0, abs=1e-3)
    no_candidates = Batch(np.zeros((4, 2)), np.full((4, 2), -1), np.ones(2), returns=returns)
    assert batch_certificate(no_candidates, passes=20).fluid.worth == 0.0
    base = make_batch(12, limits=False, returns=returns)
    closed = batch_certificate(replace(base, capacity=np.zeros(10)), passes=200)
    assert closed.fluid.worth == 0.0
    assert closed.bound == pytest.approx(0.0, abs=1e-3 * closed.greedy_value)
    assert closed.overflow_share == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["linear", "log"])
def test_a_large_batch_is_priced_within_the_tolerance(kind: Kind) -> None:
    batch = make_batch(2, 20_000, 50, 200, returns=Returns(kind, 200.0), limits=False)
    priced = batch_certificate(batch, passes=400)
    assert priced.status == "tight"


@pytest.mark.parametrize("users", [31, 96, 480, 864])
def test_the_worth_of_linear_returns_is_one_for_any_number_of_users(users: int) -> None:
    # a mean of ones that is 1 - 1e-16 makes the conjugate, and D, infinite: no pass would count
    g = stream(5, "contested")
    values = g.lognormal(0.0, 1.0, (users, 6)) * np.array([9.0, 4.0, 2.0, 1.0, 1.0, 1.0])
    batch = Batch(values, np.tile(np.arange(6), (users, 1)), np.full(6, users / 6.0))
    descent = BatchDescent(batch, stream(6, "order"), BatchPrices.zero(batch))
    start = descent.bound
    for _ in range(12):
        descent.advance()
        assert (descent.mean.worth == 1.0).all()
    descent.look()
    assert descent.bound < 0.9 * start
