from __future__ import annotations

import numpy as np
import pytest

from giftlive import metrics
from giftlive.errors import InputError, UsageError
from giftlive.rng import stream


def test_gini_known_answers_and_limits() -> None:
    assert metrics.gini(np.ones(9)) == pytest.approx(0.0, abs=1e-15)
    assert metrics.gini(np.eye(1, 50)[0]) == pytest.approx(49 / 50)
    assert metrics.gini([1.0, 3.0]) == pytest.approx(0.25)
    assert np.isnan(metrics.gini(np.zeros(3)))


def test_gini_matches_the_mean_difference() -> None:
    x = stream(4, "gini").exponential(size=200)
    expected = np.abs(x[:, None] - x[None, :]).mean() / (2.0 * x.mean())
    assert metrics.gini(x) == pytest.approx(expected, rel=1e-12)


def test_concentration_known_answers() -> None:
    assert metrics.hhi([1.0, 3.0]) == pytest.approx(0.0625 + 0.5625)
    assert metrics.hhi(np.eye(1, 7)[0]) == 1.0
    assert metrics.top_share([1.0, 1.0, 2.0, 6.0], 0.5) == pytest.approx(0.8)
    assert metrics.coverage([0.0, 1.0, 5.0], minimum=1.0) == pytest.approx(1 / 3)


def test_negative_holdings_are_refused() -> None:
    with pytest.raises(InputError, match="-1"):
        metrics.gini([1.0, -1.0])


def test_overload_counts_demand_above_capacity_only() -> None:
    assert metrics.overload_rate([5.0, 6.0, 4.0, 9.0], [5.0, 5.0, 5.0, 5.0]) == 0.5
    assert np.isnan(metrics.overload_rate([], []))


def test_refused_share_pools_the_counts() -> None:
    assert metrics.refused_share([10.0, 0.0], [0.0, 10.0]) == 0.5
    assert np.isnan(metrics.refused_share([0.0], [0.0]))


def test_a_price_on_free_seats_is_seen() -> None:
    assert metrics.price_slack([1.0, 1.0], [10.0, 5.0], [10.0, 10.0]) == pytest.approx(0.25)
    assert metrics.price_slack([1.0, 0.0], [10.0, 5.0], [10.0, 10.0]) == 0.0
    assert metrics.price_slack([1.0], [15.0], [10.0]) == 0.0
    assert np.isnan(metrics.price_slack([0.0], [5.0], [10.0]))


def test_every_ecosystem_number_names_quantity_and_population() -> None:
    name = metrics.ecosystem_name("long_tail_coverage", "expected_income", "receiving")
    assert name == "long_tail_coverage(expected_income, receiving)"
    with pytest.raises(UsageError, match="quantity 'money'"):
        metrics.ecosystem_name("gini", "money", "all")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="population 'some'"):
        metrics.members("some", [1.0], [True])  # type: ignore[arg-type]


def test_populations_nest_and_change_the_number() -> None:
    x, live = np.array([0.0, 0.0, 2.0, 6.0]), np.array([False, True, True, True])
    picked = {p: metrics.members(p, x, live) for p in ("all", "live", "receiving")}
    assert [int(picked[p].sum()) for p in ("all", "live", "receiving")] == [4, 3, 2]
    ginis = [metrics.gini(x[picked[p]]) for p in ("all", "live", "receiving")]
    assert ginis == pytest.approx([0.625, 0.5, 0.25])


def test_long_tail_is_fixed_by_the_past_not_by_the_quantity_judged() -> None:
    past = np.arange(10.0)
    lifted = np.where(past < 3, 100.0, 0.0)
    assert metrics.long_tail_coverage(lifted, past) == pytest.approx(3 / 8)
    assert metrics.long_tail_coverage(np.ones(10), past) == 1.0
    assert metrics.long_tail_coverage(past >= 8, past) == 0.0
    assert np.isnan(metrics.long_tail_coverage(np.ones(10), past, head=1.0))


def test_a_tie_at_the_border_of_the_head_is_shared() -> None:
    # one of the four tied is in the head by chance: the tail has 3/4 of each
    x = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    past = np.array([5.0, 5.0, 5.0, 5.0, 1.0])
    assert metrics.long_tail_coverage(x, past, head=0.2) == pytest.approx(0.75 / 4.0)


def test_newcomer_coverage_looks_at_newcomers_alone() -> None:
    x, new = np.array([9.0, 0.0, 3.0, 0.0]), np.array([False, False, True, True])
    assert metrics.newcomer_coverage(x, new) == 0.5
    assert metrics.newcomer_coverage(x, new, minimum=3.0) == 0.0
    assert metrics.newcomer_coverage(x, ~new) == metrics.coverage(x[~new])
    assert np.isnan(metrics.newcomer_coverage(x, np.zeros(4, dtype=bool)))


def test_slackness_is_weighted_by_room() -> None:
    price, load, seats = [1.0, 1.0], [10.0, 5.0], [10.0, 10.0]
    assert metrics.price_slack(price, load, seats, [1.0, 0.0]) == 0.0
    assert metrics.price_slack(price, load, seats, [1.0, 3.0]) == pytest.approx(15 / 40)
