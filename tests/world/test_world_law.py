from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from giftlive.errors import UsageError
from giftlive.world import (
    World,
    build_world,
    load_scenario,
    respond,
    true_seat_seconds,
    true_value,
)
from giftlive.world.law import Odds, expected_amount, expected_seconds, price_of
from giftlive.world.truth import true_click_probability
from giftlive.world.value_table import build_law

LAW = build_law(load_scenario("kuailive"))
WATCH = load_scenario("kuailive").watch


def direct_value(mu: float, left: float, stay: float, settle: float) -> float:
    """E[amount] given click and gift by adaptive quadrature and plain sums: an independent road."""
    total = 0.0
    cuts = np.concatenate([[-np.inf], LAW.edges, [np.inf]])
    chance = np.diff(stats.norm.cdf((cuts - mu) / LAW.amount_sigma))
    components = (
        (1 - stay, WATCH.bounce_seconds, WATCH.bounce_sigma),
        (stay * (1 - settle), WATCH.stay_seconds, WATCH.stay_sigma),
        (stay * settle, WATCH.settle_seconds, WATCH.settle_sigma),
    )
    end = max(WATCH.floor_seconds, min(left, WATCH.cap_seconds))
    for share, median, sigma in components:
        for price, p in zip(LAW.prices, chance, strict=True):
            delay = stats.weibull_min(LAW.delay_shape, scale=LAW.delay * price**LAW.delay_power)
            watching = stats.lognorm(sigma, scale=median)
            floor = delay.cdf(WATCH.floor_seconds)
            rest = integrate.quad(
                lambda x, d=delay, w=watching: d.pdf(math.exp(x)) * w.sf(math.exp(x)) * math.exp(x),
                math.log(WATCH.floor_seconds),
                math.log(end),
                limit=200,
            )[0]
            total += share * price * p * (floor + rest)
    return total


@pytest.mark.parametrize("left", [7.3, 100.0, 1_800.0, 1e6])
@pytest.mark.parametrize("mu", [-3.0, 1.234, 6.0])
def test_the_value_table_equals_direct_summation(mu: float, left: float) -> None:
    odds = Odds(click=1.0, stay=0.3, gift=1.0, mu=mu, settle=0.2)
    tolerance = 2e-4 if left > WATCH.cap_seconds else 5e-4
    assert expected_amount(LAW, odds, left) == pytest.approx(
        direct_value(mu, left, 0.3, 0.2), rel=tolerance
    )


@pytest.mark.parametrize("left", [0.2, 3.0, 500.0, 1e6])
def test_expected_seconds_equal_the_integral_of_survival(left: float) -> None:
    high = max(WATCH.floor_seconds, min(left, WATCH.cap_seconds))

    def mean(median: float, sigma: float) -> float:
        law = stats.lognorm(sigma, scale=median)
        grid = np.geomspace(WATCH.floor_seconds, high, 40_001)
        return WATCH.floor_seconds + float(integrate.trapezoid(law.sf(grid), grid))

    bounce = mean(WATCH.bounce_seconds, WATCH.bounce_sigma)
    stay = mean(WATCH.stay_seconds, WATCH.stay_sigma)
    settled = mean(WATCH.settle_seconds, WATCH.settle_sigma)
    stay = 0.9 * stay + 0.1 * settled
    odds = Odds(click=0.5, stay=0.25, gift=0.1, mu=0.0, settle=0.1)
    assert expected_seconds(LAW, odds, left) == pytest.approx(
        0.5 * (0.75 * bounce + 0.25 * stay), rel=1e-5
    )


@settings(max_examples=60, deadline=None)
@given(st.floats(-20, 20))
def test_an_amount_moves_to_the_nearest_price_in_log_space(log_amount: float) -> None:
    nearest = LAW.prices[np.argmin(np.abs(np.log(LAW.prices) - log_amount))]
    found = price_of(LAW, log_amount)
    assert abs(math.log(found) - log_amount) == pytest.approx(
        abs(math.log(nearest) - log_amount), abs=1e-12
    )


def pairs(world: World, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    room = rng.integers(10, size=count)
    ts = world.room_start[room] + rng.integers(4 * 3_600_000, size=count)
    return rng.integers(len(world.user_ids), size=count), room, ts


def test_the_truth_is_the_mean_of_the_responses(evening: World) -> None:
    user, room, ts = pairs(evening, 400_000)
    drawn = respond(evening, user, room, ts, seed=11)
    for truth, seen in (
        (true_value(evening, user, room, ts), drawn.amount),
        (true_seat_seconds(evening, user, room, ts), drawn.watch_ms / 1_000),
        (true_click_probability(evening, user, room, ts), drawn.clicked),
    ):
        error = np.asarray(seen, dtype=float) - truth
        assert abs(error.mean()) < 4 * error.std() / math.sqrt(len(error))
        assert truth.mean() > 0
    assert np.all(drawn.amount[drawn.delay_ms < 0] == 0)
    assert np.all(drawn.delay_ms <= drawn.watch_ms)


@pytest.mark.slow
def test_the_truth_of_single_pairs_holds_over_a_million_draws(evening: World) -> None:
    user, room, ts = (np.repeat(column, 1_000_000) for column in pairs(evening, 3))
    drawn = respond(evening, user, room, ts, seed=2)
    error = (drawn.amount - true_value(evening, user, room, ts)).reshape(3, -1)
    assert np.all(np.abs(error.mean(axis=1)) < 4 * error.std(axis=1) / 1_000)


def test_a_row_meets_the_same_luck_in_another_room(evening: World) -> None:
    user, room, ts = pairs(evening, 2_000)
    one = respond(evening, user, room, ts, seed=3)
    again = respond(evening, user, room, ts, seed=3)
    other = respond(evening, user, np.where(np.arange(2_000) == 7, 9 - room, room), ts, seed=3)
    same = np.arange(2_000) != 7
    assert np.array_equal(one.amount, again.amount)
    assert np.array_equal(one.watch_ms[same], other.watch_ms[same])


def test_nobody_gives_in_the_limit_and_padding_is_worth_nothing(evening: World) -> None:
    user, room, ts = pairs(evening, 100)
    scene = evening.scene
    mute = scene._replace(law=scene.law._replace(gift_base=-1_000.0))
    assert np.all(true_value(replace(evening, scene=mute), user, room, ts) == 0.0)
    assert np.all(true_value(evening, user, np.full(100, -1), ts) == 0.0)
    assert np.all(true_seat_seconds(evening, user, room, evening.room_end[room]) == 0.0)
    assert np.all(respond(evening, user, room, evening.room_end[room], 1).amount == 0.0)


def test_a_later_decision_in_a_room_is_worth_less(clocked: World) -> None:
    rooms = np.arange(200)
    start, end = clocked.room_start[:200], clocked.room_end[:200]
    user = rooms % len(clocked.user_ids)
    values = [
        true_value(clocked, user, rooms, (start + share * (end - start)).astype(int))
        for share in (0.0, 0.3, 0.6, 0.9)
    ]
    assert np.all(np.diff(values, axis=0) <= 1e-12)


def test_v1_has_the_closed_form_of_a_log_normal() -> None:
    world = build_world(load_scenario("v1", "tiny"), 1)
    users, streamers = world.scene.users, world.scene.streamers
    match = users.taste @ streamers.taste.T
    wealth = users.wealth[:, None]
    chance = 1 / (1 + np.exp(5.0 - 0.5 * wealth - match - 0.3 * streamers.skill))
    expected = chance * np.exp(2.0 + 0.8 * wealth + 0.5 * match + 0.125)
    found = true_value(
        world, np.arange(500)[:, None], np.arange(len(match.T))[None, :], world.origin_ms
    )
    assert np.allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(("user", "room"), [(10**6, 0), (0, 10**6), (-1, 0), (0, -2)])
def test_unknown_indices_are_named(evening: World, user: int, room: int) -> None:
    with pytest.raises(UsageError, match="no such"):
        true_value(evening, user, room, evening.origin_ms)
    if room >= -1:
        with pytest.raises(UsageError):
            respond(evening, np.array([0]), np.array([-1]), np.array([0]), 1)
