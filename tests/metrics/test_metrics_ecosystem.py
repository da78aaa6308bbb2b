from __future__ import annotations

import numpy as np
import pytest

from giftlive import metrics
from giftlive.errors import InputError
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
