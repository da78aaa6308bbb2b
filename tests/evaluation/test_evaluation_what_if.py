"""The sliders of a what-if: each does what it says, and nothing depends on when it is asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from giftlive.errors import ConfigError
from giftlive.evaluation.rollout import play
from giftlive.evaluation.what_if import (
    Knobs,
    Market,
    Position,
    built,
    difference,
    play_position,
    policy_of,
)
from giftlive.evaluation.what_if.frontier import MEASURES, measured
from giftlive.policies import DualPrice


@pytest.fixture(scope="module")
def markets() -> list[Market]:
    return [Market.of(seed) for seed in (11, 12)]


def _outcome(market: Market, knobs: Knobs) -> Any:
    policy = policy_of(knobs, market)
    return play(market.arena(), policy, market.valuer(), market.seats, market.seed)[0]


def _whales_together(market: Market, outcome: Any) -> int:
    whale = outcome.admitted & market.whales[outcome.user]
    return int(np.bincount(outcome.visit[whale] * 1000 + outcome.room[whale]).max())


@pytest.mark.parametrize("cap", [1, 2])
def test_no_room_holds_more_whales_than_the_cap(markets: list[Market], cap: int) -> None:
    free = _outcome(markets[0], Knobs())
    assert _whales_together(markets[0], free) > 2  # it binds
    assert _whales_together(markets[0], _outcome(markets[0], Knobs(whale_cap=cap))) == cap


def test_the_cold_start_floor_is_the_share_of_new_rooms(markets: list[Market]) -> None:
    for share, low, high in ((0.0, 0.0, 0.0), (0.1, 0.07, 0.13), (1.0, 1.0, 1.0)):
        found = [measured(_outcome(m, Knobs(cold_start=share)), m) for m in markets]
        mean = np.mean([row["newcomer_exposure"] for row in found])
        assert low <= mean <= high


def test_exploration_is_the_share_served_at_random(markets: list[Market]) -> None:
    outcome = _outcome(markets[0], Knobs(exploration=0.2))
    random = outcome.propensity < 1.0
    assert random.mean() == pytest.approx(0.2, abs=0.03)
    assert _outcome(markets[0], Knobs()).propensity[_outcome(markets[0], Knobs()).shown].min() == 1


def test_more_fairness_makes_exposure_more_equal(markets: list[Market]) -> None:
    points = [play_position(Position(Knobs(fairness=w)), markets) for w in (0.0, 1.0, 10.0)]
    ginis = [point.values["exposure_gini"] for point in points]
    assert (ginis[0] > ginis[1]).all()
    assert (ginis[1] > ginis[2]).all()


def test_a_setting_earns_the_same_whenever_it_is_played(markets: list[Market]) -> None:
    position = Position(Knobs(1.0, 0.05, 2, 0.05))
    told: list[int] = []
    one = play_position(position, markets, lambda: told.append(1))
    again = play_position(position, [Market.of(market.seed) for market in markets])
    assert len(told) == 2
    for name in MEASURES:
        assert one.values[name].tolist() == again.values[name].tolist()
        gap = difference(one, again, name)
        assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)


def test_the_service_s_policy_gets_the_market_s_prices(markets: list[Market]) -> None:
    spec = {
        "name": "random_bucket",
        "options": {"share": 0.05, "policy": {"name": "dual_price", "options": {"target": 0.5}}},
    }
    policy: Any = built(spec, markets[0])
    assert isinstance(policy.policy, DualPrice)
    assert policy.policy.prices is markets[0].prices
    assert (policy.policy.target, policy.policy.learning_rate) == (0.5, 0.0)
    assert markets[0].prices.per_stay_second().max() > 0.0


def test_only_those_who_are_there_are_priced(markets: list[Market]) -> None:
    """Prices say where seats are short: greedy leaves users at full doors, priced ones do not."""
    greedy = play_position(Position(spec={"name": "greedy"}), markets)
    priced = play_position(Position(spec={"name": "dual_price"}), markets)
    assert (greedy.values["not_served"] > 0.1).all()
    assert (priced.values["not_served"] < greedy.values["not_served"]).all()
    assert (priced.values["revenue"] > greedy.values["revenue"]).all()


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ([], "policy"),
        ({"options": {}}, "policy"),
        ({"name": "greedy", "options": 3}, "policy.options"),
        ({"name": "no such"}, "policy"),
        ({"name": "random_bucket", "options": {"policy": 1}}, "policy.options.policy"),
    ],
)
def test_a_policy_that_is_none_is_refused(markets: list[Market], spec: Any, where: str) -> None:
    with pytest.raises(ConfigError) as refused:
        built(spec, markets[0])
    assert str(refused.value.where) == where


@pytest.mark.parametrize(
    "wrong",
    [
        {"fairness": -0.1},
        {"cold_start": 1.1},
        {"whale_cap": -1},
        {"exploration": float("nan")},
    ],
)
def test_a_slider_outside_its_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Knobs(**wrong)


def test_measures_by_hand() -> None:
    """Three visits of round 0 and two of round 1, users 0 and 1 whales, room 2 new."""
    outcome: Any = SimpleNamespace(
        decisions=5,
        user=np.array([0, 1, 2, 0, 1]),
        visit=np.array([0, 0, 0, 1, 1]),
        room=np.array([1, 1, 1, 0, -1]),
        admitted=np.array([True, True, True, True, False]),
        expected_revenue=10.0,
        streamer_exposure=np.array([1, 3, 0]),
        streamer_expected_income=np.array([10.0, 0.0, 0.0]),
    )
    market: Any = SimpleNamespace(
        whales=np.array([True, True, False]),
        newcomers=np.array([False, False, True]),
        seats=np.array([5, 5, 5]),
    )
    found = measured(outcome, market)
    assert found["revenue"] == 2000.0
    assert found["exposure_gini"] == pytest.approx(0.5)
    assert found["income_gini"] == pytest.approx(2 / 3)
    assert found["newcomer_exposure"] == 0.0
    assert found["whales_met"] == pytest.approx(2 / 3)  # two met one each, one met nobody
    assert found["not_served"] == pytest.approx(0.2)
