"""Online days: limits hold at every admission, prices beat greed, nothing looks ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.allocation.oracles import constraint_rows, make_batch

from giftlive.allocation.admission import Day, OpenDay, serve
from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_certificate import batch_certificate
from giftlive.allocation.batch_dual import BatchPrices, batch_bound
from giftlive.allocation.fluid import tally
from giftlive.allocation.lognormal import LogNormalMarket
from giftlive.allocation.replanning import greedy_day, remaining, replanned_day
from giftlive.allocation.returns import Kind, Returns
from giftlive.allocation.samples import pooled, rows, top_edges
from giftlive.errors import InputError

MARKET = LogNormalMarket.draw(1, users=1_500, rooms=60)


def within_limits(batch: Batch, day: Day) -> bool:
    """Every limit but minima, in whole rooms."""
    return limits_broken(batch, day) == 0


def limits_broken(batch: Batch, day: Day) -> int:
    """Return how many limits of users, rooms, whales and groups are exceeded; minima are none."""
    matrix, limit = constraint_rows(replace(batch, minimum=None))
    taken = day.shown[np.nonzero(batch.rooms >= 0)].astype(float)
    return int((matrix @ taken > limit * (1.0 + 1e-12)).sum())


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_prices_beat_greed_and_nothing_beats_the_bound(kind: Kind) -> None:
    returns = Returns(kind, 1_000.0)
    today, yesterday = MARKET.day(1, returns), MARKET.day(0, returns)
    bound = batch_bound(today, batch_certificate(top_edges(today, 30)).prices)
    greedy = greedy_day(today)
    fixed = replanned_day(today, yesterday, replans=1)
    often = replanned_day(today, yesterday, replans=20)
    assert 1.05 * greedy.worth < fixed.worth < often.worth < bound
    assert often.worth > 0.92 * bound
    assert all(within_limits(today, day) for day in (greedy, fixed, often))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["linear", "saturating"])
def test_no_limit_of_any_kind_is_ever_exceeded(seed: int, kind: Kind) -> None:
    batch = make_batch(seed, n=400, returns=Returns(kind, 20.0))
    today = rows(batch, slice(0, 200))
    day = replanned_day(today, rows(batch, slice(200, 400)), replans=10, first_passes=30)
    assert within_limits(today, day)
    use, money = tally(today, day.shown.astype(float))
    np.testing.assert_allclose(day.use, use, atol=1e-9)
    np.testing.assert_allclose(day.money, money)
    assert day.worth == pytest.approx(float(today.returns.value(money).sum()))
    assert day.use[0].sum() > 20  # limits hold not because nothing happened


def test_a_group_closes_with_its_last_place_and_users_may_take_two() -> None:
    batch = Batch(
        np.array([[5.0, 4.0, 1.0]] * 3), np.array([[0, 1, 2]] * 3), np.full(3, 9.0),
        np.array([3, 3, 1]), groups=np.array([[True, True, False]]), group_cap=np.array([3.0]),
    )  # fmt: skip
    day = OpenDay.of(batch)
    serve(batch, day, BatchPrices.zero(batch), 0, 3)
    assert day.shown.tolist() == [[True, True, True], [True, False, True], [False, False, True]]


def test_a_group_that_filled_before_the_prices_were_solved_again_stays_closed() -> None:
    batch = Batch(
        np.array([[5.0, 4.0, 1.0]] * 4), np.array([[0, 1, 2]] * 4), np.full(3, 9.0),
        groups=np.array([[True, True, False]]), group_cap=np.array([2.0]),
        whale=np.ones(4, np.bool_), whale_cap=np.array([1.0, 9.0, 9.0]),
    )  # fmt: skip
    day = OpenDay.of(batch)
    for first in range(4):  # an interval per user
        serve(batch, day, BatchPrices.zero(batch), first, first + 1)
    assert day.shown.argmax(axis=1).tolist() == [0, 1, 2, 2]
    assert within_limits(batch, day.close(batch))


def test_what_is_left_of_a_day_by_hand() -> None:
    """Two of four users served, a sample of four: what is left is doubled."""
    today = Batch(
        np.ones((4, 2)), np.array([[0, 1]] * 4), np.array([3.0, 2.0]),
        affinity=np.ones((4, 2)), minimum=np.array([1.5, 0.0]), whale=np.ones(4, np.bool_),
        whale_cap=np.array([2.0, 9.0]), whale_value_cap=np.array([7.0, 8.0]),
        groups=np.array([[True, True]]), group_cap=np.array([5.0]), returns=Returns("log", 2.0),
    )  # fmt: skip
    use = np.array([[1.0, 2.0], [0.5, 2.0], [1.0, 1.0], [2.0, 6.0]])
    so_far = OpenDay(use, np.array([2.0, 6.0]), np.zeros((4, 2), np.bool_))
    rest, weight = remaining(today, today, so_far, 2)
    assert weight.tolist() == [0.5, 0.25]  # 1 / (1 + V / B)
    assert rest.values[0].tolist() == [0.5, 0.25]
    assert rest.capacity.tolist() == [4.0, 0.0]
    limits = (rest.minimum, rest.whale_cap, rest.whale_value_cap, rest.group_cap)
    expected = ([2.0, 0.0], [2.0, 16.0], [0.5 * 10.0, 0.25 * 4.0], [4.0])
    for limit, by_hand in zip(limits, expected, strict=True):
        assert limit is not None
        assert limit.tolist() == by_hand


def test_prices_lift_a_minimum_that_greed_ignores() -> None:
    draw = make_batch(3, n=600, limits=False, load=1.2)
    affinity = np.random.default_rng(3).random(draw.rooms.shape)
    minimum = np.zeros(10)
    worst = int(np.argmin(greedy_day(rows(draw, slice(300, 600))).use[0] / draw.capacity))
    minimum[worst] = 8.0
    batch = replace(draw, affinity=affinity, minimum=minimum, capacity=draw.capacity + 8.0)
    today, yesterday = rows(batch, slice(300, 600)), rows(batch, slice(0, 300))
    day = replanned_day(today, yesterday, replans=10)
    free = replanned_day(replace(today, minimum=None), replace(yesterday, minimum=None), replans=10)
    assert day.use[1, worst] > free.use[1, worst]
    assert day.use[1, worst] > 0.9 * minimum[worst]


def test_the_rule_does_not_look_ahead() -> None:
    today, yesterday = MARKET.day(1), MARKET.day(0)
    changed = today.values.copy()
    changed[1_000:] = changed[1_000:][::-1]  # in the middle of the interval from 900 to 1,200
    one = replanned_day(today, yesterday, replans=5, first_passes=20)
    other = replanned_day(replace(today, values=changed), yesterday, replans=5, first_passes=20)
    assert (one.shown[:1_000] == other.shown[:1_000]).all()
    assert (one.shown[1_000:] != other.shown[1_000:]).any()


def test_scaling_values_changes_no_decision() -> None:
    today, yesterday = MARKET.day(1), MARKET.day(0)
    one = replanned_day(today, yesterday, replans=3, first_passes=20)
    today = replace(today, values=4.0 * today.values)
    yesterday = replace(yesterday, values=4.0 * yesterday.values)
    other = replanned_day(today, yesterday, replans=3, first_passes=20)
    assert (one.shown == other.shown).all()


def test_free_seats_make_prices_greedy() -> None:
    today = replace(MARKET.day(1), capacity=np.full(60, 5_000.0))
    day = replanned_day(today, MARKET.day(0), replans=3, first_passes=20)
    assert (day.shown.argmax(axis=1) == today.values.argmax(axis=1)).all()
    assert day.worth == pytest.approx(greedy_day(today).worth)


def test_top_edges_and_pooling_keep_what_they_should() -> None:
    batch = make_batch(2)
    best = top_edges(batch, 2)
    real = np.where(batch.rooms >= 0, batch.values, -1.0)
    expected = np.sort(real, axis=1)[:, -2:]
    got = np.sort(np.where(best.rooms >= 0, best.values, -1.0), axis=1)
    np.testing.assert_array_equal(got, expected)
    again = pooled([rows(batch, slice(0, 50)), rows(batch, slice(50, 200))])
    assert (again.values == batch.values).all()
    assert (again.takes == batch.takes).all()
    with pytest.raises(InputError, match=r"Batch\.values"):
        pooled([batch, best])


def test_bad_histories_are_refused() -> None:
    batch = make_batch(2)
    with pytest.raises(InputError, match="rooms"):
        replanned_day(batch, make_batch(2, rooms=12))
    with pytest.raises(InputError, match="replans"):
        replanned_day(batch, rows(batch, slice(0, 0)))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "line"), [("linear", 0.955), ("log", 0.935)])
def test_fifty_solves_reach_the_line_on_fresh_days(kind: Kind, line: float) -> None:
    ratios = []
    for seed in range(4):
        market = LogNormalMarket.draw(seed)
        returns = Returns(kind, 1_280.0)
        today = market.day(1, returns)
        bound = batch_bound(today, batch_certificate(top_edges(today, 100)).prices)
        ratios.append(replanned_day(today, market.day(0, returns)).worth / bound)
    assert np.mean(ratios) > line


@pytest.mark.slow
def test_a_quarter_million_admissions_break_no_limit_and_one_seat_less_is_seen() -> None:
    """Capacity, both whale caps, overlapping groups, one or two rooms a user, through ``serve``."""
    many = 250_000
    today = make_batch(7, n=many, rooms=40)
    sample = make_batch(7, n=2_000, rooms=40)
    day = OpenDay.of(today)
    serve(today, day, batch_certificate(sample, passes=30).prices, 0, many)
    done = day.close(today)
    assert done.use[0].sum() > 0.3 * many
    assert limits_broken(today, done) == 0
    full = int(np.argmax(done.use[0] / today.capacity))
    assert done.use[0, full] == today.capacity[full]
    less = replace(today, capacity=today.capacity - (np.arange(40) == full))
    assert limits_broken(less, done) == 1
