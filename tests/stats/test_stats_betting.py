from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import InputError
from giftlive.stats.betting import (
    betting,
    betting_of,
    betting_replications,
    histogram,
    log_capital_maximum,
    log_capital_path,
    merge,
)
from giftlive.stats.intervals import coverage
from giftlive.types import Floats

FEW = settings(max_examples=30, deadline=None)
SHARES = [2.0 ** -(j + 0.5) for j in range(18)]


def gifts(seed: int, n: int = 300) -> Floats:
    rng = np.random.default_rng(seed)
    return np.minimum(np.floor(rng.pareto(1.2, n) * 5), 100.0) * (rng.random(n) < 0.3)


def capitals(x: Floats, m: float, low: float, high: float) -> tuple[float, float]:
    """K+ and K- by their definition, one bet after the other."""
    above = [math.prod(1 + s * (v - m) / (m - low) for v in x) for s in SHARES]
    below = [math.prod(1 - s * (v - m) / (high - m) for v in x) for s in SHARES]
    return sum(above) / len(SHARES), sum(below) / len(SHARES)


@pytest.mark.parametrize("seed", range(4))
def test_at_the_bounds_the_capital_is_exactly_the_limit(seed: int) -> None:
    x = gifts(seed)
    interval = betting(x, 0.0, 100.0, level=0.9)
    assert interval.low is not None
    assert interval.high is not None
    assert capitals(x, interval.low, 0.0, 100.0)[0] == pytest.approx(2 / 0.1, rel=1e-8)
    assert capitals(x, interval.high, 0.0, 100.0)[1] == pytest.approx(2 / 0.1, rel=1e-8)


@pytest.mark.parametrize("mean", [0.03, 0.4])
def test_the_capital_is_a_martingale_at_the_true_mean(mean: float) -> None:
    """E max(...) needs simulation; E K = 1 is checked exactly over all 2^10 coin sequences."""
    n, expected = 10, np.zeros(2)
    for coins in itertools.product([0.0, 1.0], repeat=n):
        ones = sum(coins)
        chance = mean**ones * (1 - mean) ** (n - ones)
        expected += chance * np.array(capitals(np.array(coins), mean, 0.0, 1.0))
    assert expected == pytest.approx([1.0, 1.0], rel=1e-10)


def test_the_path_is_the_capital_after_every_prefix() -> None:
    x = gifts(5, 80)
    path = log_capital_path(x, 7.0, 0.0, 100.0)
    for t in (1, 2, 40, 80):
        expected = math.log(max(capitals(x[:t], 7.0, 0.0, 100.0)) / 2)
        assert path[t - 1] == pytest.approx(expected, rel=1e-9)


@FEW
@given(st.integers(0, 10_000), st.floats(0.5, 60.0))
def test_the_interval_holds_m_exactly_when_the_path_ends_below_the_limit(
    seed: int, m: float
) -> None:
    x = gifts(seed, 60)
    interval = betting(x, 0.0, 100.0)
    assert interval.low is not None
    assert interval.high is not None
    end = log_capital_path(x, m, 0.0, 100.0)[-1]
    assert (interval.low <= m <= interval.high) == (end <= math.log(1 / 0.05))


def test_the_maximum_is_the_path_s() -> None:
    x = np.array([gifts(seed, 200) for seed in range(6)])
    for m in (2.0, 7.0, 40.0):
        golden = [log_capital_path(row, m, 0.0, 100.0).max() for row in x]
        np.testing.assert_allclose(log_capital_maximum(x, m, 0.0, 100.0), golden, rtol=1e-9)


@FEW
@given(st.integers(0, 10_000))
def test_reflection_swaps_the_bounds(seed: int) -> None:
    x = gifts(seed)
    one, other = betting(x, 0.0, 100.0), betting(-x, -100.0, 0.0)
    assert one.low is not None
    assert one.high is not None
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), rel=1e-9)


@FEW
@given(st.integers(0, 10_000), st.integers(0, 300))
def test_merged_histograms_are_the_histogram_of_the_whole(seed: int, cut: int) -> None:
    x = gifts(seed)
    whole, merged = histogram(x), merge(histogram(x[cut:]), histogram(x[:cut]))
    assert merged.values.tolist() == whole.values.tolist()
    assert merged.counts.tolist() == whole.counts.tolist()
    assert betting_of(merged, 0.0, 100.0) == betting(
        np.random.default_rng(0).permutation(x), 0, 100
    )


def test_a_negative_zero_is_a_zero() -> None:
    assert histogram(np.array([-0.0, 0.0])).values.tobytes() == np.zeros(1).tobytes()


def test_no_gift_at_all_still_bounds_the_mean_from_above() -> None:
    """The best share θ = 0.71 alone gives (1 + θ m / (1 - m))^n / 18 = 2/α."""
    n = 2_000
    interval = betting(np.zeros(n), 0.0, 1.0)
    assert (interval.value, interval.low) == (0.0, 0.0)
    odds = ((18 * 40) ** (1 / n) - 1) / 2**-0.5
    assert interval.high == pytest.approx(odds / (1 + odds), rel=0.02)


def test_ones_only_reach_the_upper_edge() -> None:
    interval = betting(np.ones(50), 0.0, 1.0)
    assert interval.high == 1.0
    assert interval.low is not None
    assert 0.7 < interval.low < 1.0


def test_it_is_narrower_with_more_data() -> None:
    widths = [betting(np.tile(gifts(6), k), 0.0, 100.0).width or 0.0 for k in (1, 10, 100)]
    assert widths[0] > widths[1] > widths[2] > 0.0


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(InputError, match="row 1: value 2"):
        betting(np.array([0.0, 2.0]), 0.0, 1.0)
    with pytest.raises(InputError, match="values from 0 to 2"):
        betting_of(histogram(np.array([0.0, 2.0])), 0.0, 1.0)
    with pytest.raises(InputError, match="strictly inside"):
        log_capital_path(np.zeros(3), 0.0, 0.0, 1.0)
    with pytest.raises(InputError, match="finite values"):
        log_capital_path(np.array([np.nan]), 0.5, 0.0, 1.0)


def test_replications_equal_one_by_one() -> None:
    x = np.array([gifts(seed, 60) for seed in range(5)])
    together = np.array(betting_replications(x, 0.0, 100.0)).T
    for row, expected in zip(x, together, strict=True):
        one = betting(row, 0.0, 100.0)
        assert (one.value, one.low, one.high) == tuple(expected)


@pytest.mark.slow
@pytest.mark.parametrize("mean", [0.015, 0.5])
def test_it_covers_at_all_times_together(mean: float) -> None:
    x = (np.random.default_rng(7).random((2_000, 5_000)) < mean).astype(np.float64)
    ever = log_capital_maximum(x, mean, 0.0, 1.0) >= math.log(1 / 0.05)
    assert ever.mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2_000)
    _, low, high = betting_replications(x[:, :500], 0.0, 1.0)
    assert (coverage(mean, low, high).value or 0.0) >= 0.95
    assert ever.any() or mean == 0.5  # not vacuous: at 1.5 % some sequence does cross
