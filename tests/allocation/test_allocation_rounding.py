"""Integral allocations: every limit holds, no single move helps, little is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.allocation.oracles import constraint_rows, integral_optimum, make_batch

from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_certificate import batch_certificate
from giftlive.allocation.batch_dual import BatchPrices
from giftlive.allocation.batch_flow import batch_optimum
from giftlive.allocation.fluid import tally
from giftlive.allocation.lognormal import LogNormalMarket
from giftlive.allocation.returns import Kind, Returns
from giftlive.allocation.rounding import integral_allocation
from giftlive.allocation.samples import top_edges
from giftlive.errors import InputError
from giftlive.types import Bools


def within_limits(batch: Batch, shown: Bools) -> bool:
    matrix, limit = constraint_rows(replace(batch, minimum=None))
    taken = shown[np.nonzero(batch.rooms >= 0)].astype(float)
    return bool((matrix @ taken <= limit + 1e-9).all())


SLOW = pytest.mark.slow


def worth(batch: Batch, shown: Bools) -> float:
    _, money = tally(batch, shown.astype(float))
    return float(batch.returns.value(money).sum())


@pytest.mark.parametrize("kind", ["linear", "log", "saturating", "sqrt"])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=SLOW), pytest.param(2, marks=SLOW)])
def test_limits_hold_and_the_worth_is_that_of_what_is_shown(kind: Kind, seed: int) -> None:
    batch = replace(make_batch(seed, returns=Returns(kind, 20.0)), minimum=None)
    priced = batch_certificate(batch, passes=200)
    found = integral_allocation(batch, priced.prices)
    assert within_limits(batch, found.shown)
    assert found.worth == pytest.approx(worth(batch, found.shown))
    assert 0.85 * priced.bound < found.worth <= priced.bound
    start = integral_allocation(batch, priced.prices, sweeps=0)
    assert within_limits(batch, start.shown)
    assert start.worth <= found.worth


def test_no_move_of_one_user_to_free_space_helps() -> None:
    batch = make_batch(1, n=60, load=0.7, returns=Returns("log", 20.0), limits=False)
    shown = integral_allocation(batch, batch_certificate(batch).prices, sweeps=100).shown
    base = worth(batch, shown)
    tried = 0
    for i, j in np.argwhere((batch.rooms >= 0) & ~shown):
        for source in [-1, *np.flatnonzero(shown[i])]:
            other = shown.copy()
            other[i, j] = True
            if source >= 0:
                other[i, source] = False
            if within_limits(batch, other):
                tried += 1
                assert worth(batch, other) <= base * (1 + 1e-4)
    assert tried > 30


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_small_batches_come_close_to_brute_force_and_never_above(kind: Kind) -> None:
    ratios = []
    for seed in range(8):
        batch = make_batch(seed, n=5, m=3, rooms=3, returns=Returns(kind, 2.0))
        batch = replace(
            batch, minimum=None, per_user=np.array([2, 1, 1, 2, 1]), capacity=np.ones(3) * 2,
            whale_cap=np.ones(3), whale_value_cap=None, group_cap=np.array([4.0, 3.0]),
        )  # fmt: skip
        best = integral_optimum(batch)
        assert best is not None
        found = integral_allocation(batch, batch_certificate(batch).prices).worth
        assert found <= best * (1 + 1e-9)
        ratios.append(found / best)
    assert min(ratios) > 0.85
    assert np.mean(ratios) > 0.97


def test_an_ejection_makes_room_where_moves_cannot() -> None:
    """Both prefer room 0; the one who came first fares as well elsewhere, the other does not."""
    batch = Batch(np.array([[9.0, 8.9], [8.0, 0.0]]), np.array([[0, 1]] * 2), np.ones(2))
    free = BatchPrices.zero(batch)
    assert integral_allocation(batch, free, sweeps=0).worth == 9.0
    found = integral_allocation(batch, free)
    assert found.worth == pytest.approx(16.9)
    assert found.shown.tolist() == [[False, True], [True, False]]


def test_a_minimum_met_by_prices_is_not_undone() -> None:
    values = np.array([[5.0, 1.0]] * 4)
    batch = Batch(
        values, np.array([[0, 1]] * 4), np.full(2, 4.0), affinity=np.ones((4, 2)),
        minimum=np.array([0.0, 2.0]),
    )  # fmt: skip
    prices = replace(BatchPrices.zero(batch), floor=np.array([0.0, 4.5]))
    start = integral_allocation(batch, prices, sweeps=0)
    assert start.shown[:, 1].sum() == 4  # at this price everybody goes
    found = integral_allocation(batch, prices)
    assert found.shown[:, 1].sum() == 2
    assert found.worth == 12.0


def test_linear_rounding_is_within_a_thousandth_of_the_exact_flow() -> None:
    market = LogNormalMarket.draw(1, users=1_500, rooms=80)
    batch = top_edges(market.day(0), 30)
    found = integral_allocation(batch, batch_certificate(batch).prices)
    assert found.worth >= 0.999 * batch_optimum(batch).worth


@pytest.mark.parametrize("kind", ["log", "sqrt"])
def test_at_least_98_per_cent_of_the_bound_on_the_log_normal_market(kind: Kind) -> None:
    market = LogNormalMarket.draw(2, users=3_000, rooms=100)
    scale = batch_certificate(top_edges(market.day(0), 30)).bound / 100
    batch = top_edges(market.day(0, Returns(kind, scale)), 40)
    priced = batch_certificate(batch)
    assert integral_allocation(batch, priced.prices).worth >= 0.98 * priced.bound


@pytest.mark.slow
def test_saturating_returns_keep_98_per_cent_on_average() -> None:
    """A whale alone fills a room; what is left of the bound differs from market to market."""
    shares = []
    for seed in range(1, 21):
        market = LogNormalMarket.draw(seed, users=3_000, rooms=100)
        scale = batch_certificate(top_edges(market.day(0), 30)).bound / 100
        batch = top_edges(market.day(0, Returns("saturating", scale)), 40)
        priced = batch_certificate(batch)
        shares.append(integral_allocation(batch, priced.prices).worth / priced.bound)
    assert np.mean(shares) >= 0.98
    assert min(shares) >= 0.96


def test_prices_of_another_batch_are_refused_by_name() -> None:
    batch, other = make_batch(1, limits=False), make_batch(1, rooms=12, limits=False)
    with pytest.raises(InputError, match=r"BatchPrices\.worth"):
        integral_allocation(batch, BatchPrices.zero(other))
    with pytest.raises(InputError, match=r"BatchPrices\.worth"):
        batch_certificate(batch, start=BatchPrices.zero(other))
    with pytest.raises(InputError, match=r"BatchPrices\.seat"):
        integral_allocation(batch, replace(BatchPrices.zero(batch), seat=np.full(10, np.nan)))


def test_nobody_and_closed_rooms() -> None:
    nobody = Batch(np.zeros((0, 2)), np.zeros((0, 2), np.int64), np.ones(3))
    assert integral_allocation(nobody, BatchPrices.zero(nobody)).worth == 0.0
    closed = replace(make_batch(1, limits=False), capacity=np.zeros(10))
    assert not integral_allocation(closed, BatchPrices.zero(closed)).shown.any()
