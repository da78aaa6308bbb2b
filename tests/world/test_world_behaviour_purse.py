"""Price sensitivity and the purse of a period: expectations by an independent road."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from giftlive.world import Arena, build_world, load_scenario, true_value
from giftlive.world.law import Odds, affordable, expected_amount
from giftlive.world.value_table import build_law


def test_price_sensitivity_moves_the_location_of_the_log_amount() -> None:
    small = {"calendar.history_days": "1"}
    sensitive = build_world(load_scenario("scarce", "tiny", small | {"people.price_sigma": "1"}), 7)
    shift = sensitive.scene.users.price_sensitivity
    assert abs(shift.std() - 1.0) < 0.2
    for user in (0, 5):
        base = sensitive.scenario.amount.base - shift[user]
        level = {"amount.base": str(base), "people.price_sigma": "0"}
        moved = build_world(load_scenario("scarce", "tiny", small | level), 7)
        ts = moved.room_start[0]
        assert true_value(sensitive, user, 0, ts) == pytest.approx(
            true_value(moved, user, 0, ts), rel=1e-9
        )


SCENARIO = load_scenario("kuailive")
LAW, WATCH = build_law(SCENARIO), SCENARIO.watch


def direct_value(mu: float, left: float, stay: float, settle: float, purse: float) -> float:
    """E[amount] given click and gift with a purse: sums and adaptive quadrature."""
    total, end = 0.0, max(WATCH.floor_seconds, min(left, WATCH.cap_seconds))
    cuts = np.concatenate([[-np.inf], LAW.edges, [np.inf]])
    chance = np.diff(stats.norm.cdf((cuts - mu) / LAW.amount_sigma))
    affordable_prices = LAW.prices[LAW.prices <= purse]
    components = (
        (1 - stay, stats.lognorm(WATCH.bounce_sigma, scale=WATCH.bounce_seconds)),
        (stay * (1 - settle), stats.lognorm(WATCH.stay_sigma, scale=WATCH.stay_seconds)),
        (stay * settle, stats.lognorm(WATCH.settle_sigma, scale=WATCH.settle_seconds)),
    )
    for wished, p in zip(LAW.prices, chance, strict=True):
        paid = min(wished, affordable_prices.max(initial=0.0))
        if paid == 0.0:
            continue
        delay = stats.weibull_min(LAW.delay_shape, scale=LAW.delay * paid**LAW.delay_power)
        for share, watching in components:
            rest = integrate.quad(
                lambda x, d=delay, w=watching: d.pdf(math.exp(x)) * w.sf(math.exp(x)) * math.exp(x),
                math.log(WATCH.floor_seconds),
                math.log(end),
                limit=200,
            )[0]
            total += share * paid * p * (delay.cdf(WATCH.floor_seconds) + rest)
    return total


@pytest.mark.parametrize("left", [150.0, 1e6])
@pytest.mark.parametrize("purse", [1.0, 7.0, 700.0, 30_000.0])
def test_the_expectation_with_a_purse_equals_direct_summation(purse: float, left: float) -> None:
    odds = Odds(click=1.0, stay=0.3, gift=1.0, mu=4.0, purse=purse, settle=0.2)
    assert expected_amount(LAW, odds, left) == pytest.approx(
        direct_value(4.0, left, 0.3, 0.2, purse), rel=5e-4
    )


def test_a_purse_binds_only_where_a_price_is_above_it() -> None:
    purses = np.array([0.0, 0.5, 1.0, 1.5, 99.0, 5_000.0, 56_245.0])
    values = [expected_amount(LAW, Odds(1.0, 0.3, 1.0, 9.0, purse), 900.0) for purse in purses]
    free = expected_amount(LAW, Odds(1.0, 0.3, 1.0, 9.0), 900.0)
    assert values[0] == values[1] == 0.0 < values[2] == values[3]
    assert np.all(np.diff(values) >= 0.0)
    assert expected_amount(LAW, Odds(1.0, 0.3, 1.0, 9.0, LAW.prices[-1]), 900.0) == free
    assert values[-1] < free
    assert [affordable(LAW, purse) for purse in (0.5, 1.0, 5.0, 1e9)] == [0, 1, 3, len(LAW.prices)]


@pytest.mark.slow
def test_expected_revenue_is_the_mean_of_revenue_with_purses_and_fatigue() -> None:
    options = {
        "calendar.history_days": "1",
        "gift.base": "-3.0",
        "budget.per_wealth": "0.5",
        "budget.days": "1",
    }
    world = build_world(load_scenario("churny", "tiny", options), 2)
    gap = []
    for seed in range(200):
        arena = Arena(world, seed)
        observation = arena.reset()
        while observation is not None:
            _, observation = arena.step(arena.platform(observation))
        out = arena.outcome()
        gap.append(out.revenue - out.expected_revenue)
    assert abs(np.mean(gap)) < 4 * np.std(gap) / math.sqrt(len(gap))
