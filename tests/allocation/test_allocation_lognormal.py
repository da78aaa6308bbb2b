"""The log-normal market is the one described, and its seats bind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.allocation.batch_certificate import batch_certificate
from giftlive.allocation.lognormal import LogNormalMarket, whole
from giftlive.errors import InputError


def test_moments_of_the_market() -> None:
    market = LogNormalMarket.draw(1, users=4_000, rooms=2_000)
    assert market.taste.shape == (2_000, 16)
    assert market.taste.std() == pytest.approx(1.0, abs=0.02)
    assert market.quality.std() == pytest.approx(0.4, abs=0.02)
    tail = float((market.popularity > 10.0).mean())
    assert tail == pytest.approx(10.0**-1.2, abs=0.02)  # pop > 10 has probability 10^-1.2
    values = market.day(0).values
    logs = np.log(values)
    by_user = logs.mean(axis=1)
    # d log v / d wealth is 1 + 0.175 (1 - p), and p is a few per cent
    assert by_user.std() == pytest.approx(1.7 * 1.17, rel=0.1)
    assert values.max() <= 30_000.0


def test_seats_follow_popularity_and_half_of_greedy_demand_finds_none() -> None:
    market = LogNormalMarket.draw(2, users=2_000, rooms=100)
    assert market.seats.sum() == 2_400
    exact = market.popularity**0.6 / (market.popularity**0.6).sum() * 2_400
    assert (np.abs(market.seats - exact) < 1.0).all()
    assert batch_certificate(market.day(0), passes=20).overflow_share > 0.3


def test_days_differ_and_repeat_bit_for_bit() -> None:
    market = LogNormalMarket.draw(3, users=50, rooms=10)
    again = LogNormalMarket.draw(3, users=50, rooms=10)
    assert (market.day(4).values == again.day(4).values).all()
    assert (market.day(4).values != market.day(5).values).all()
    assert (LogNormalMarket.draw(4, users=50, rooms=10).taste != market.taste).all()


@given(shares=st.lists(st.floats(0.01, 1e6), min_size=1, max_size=20), total=st.integers(0, 10_000))
def test_largest_remainders_sum_and_stay_within_one(shares: list[float], total: int) -> None:
    exact = np.array(shares) / sum(shares) * total
    rounded = whole(np.array(shares), total)
    assert rounded.sum() == total
    assert (np.abs(rounded - exact) < 1.0 + 1e-9).all()


def test_an_empty_market_is_refused() -> None:
    with pytest.raises(InputError, match="0 rooms"):
        LogNormalMarket.draw(1, users=5, rooms=0)
