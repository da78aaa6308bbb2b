from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import InputError
from giftlive.stats.bernstein import (
    Moments,
    bernstein_replications,
    empirical_bernstein,
    empirical_bernstein_of,
    merge,
    moments,
)
from giftlive.stats.intervals import coverage
from giftlive.types import Floats

FEW = settings(max_examples=40, deadline=None)


def gifts(seed: int, n: int = 400) -> Floats:
    rng = np.random.default_rng(seed)
    return np.minimum(np.floor(rng.pareto(1.2, n) * 5), 100.0) * (rng.random(n) < 0.3)


def test_bounds_equal_theorem_4_written_out() -> None:
    x = gifts(1)
    n, unit = len(x), x / 100.0  # the theorem is stated on [0, 1]
    pairs = sum((a - b) ** 2 for i, a in enumerate(unit) for b in unit[:i])
    variance, delta = pairs / (n * (n - 1)), 0.025
    slack = math.sqrt(2 * variance * math.log(2 / delta) / n)
    slack += 7 * math.log(2 / delta) / (3 * (n - 1))
    interval = empirical_bernstein(x, 0.0, 100.0)
    assert interval.high == pytest.approx(100.0 * (unit.mean() + slack), rel=1e-12)
    assert interval.low == max(0.0, 100.0 * (unit.mean() - slack))


def test_bounds_stay_inside_the_range() -> None:
    interval = empirical_bernstein(np.array([1.0, 1.0, 0.0]), 0.0, 1.0)
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_a_constant_is_pinned_at_the_rate_one_over_n() -> None:
    widths = [empirical_bernstein(np.full(n, 0.5), 0.0, 1.0).width for n in (1_001, 10_001)]
    assert widths[0] == pytest.approx(10.0 * (widths[1] or 0.0))


def test_a_value_outside_the_range_is_named_by_its_row() -> None:
    with pytest.raises(InputError, match="row 2: value 101"):
        empirical_bernstein(np.array([0.0, 100.0, 101.0]), 0.0, 100.0)
    with pytest.raises(InputError, match="row 1, 0: value -1"):
        bernstein_replications(np.array([[0.0, 1.0], [-1.0, 0.0]]), 0.0, 1.0)
    with pytest.raises(InputError, match="values from 0 to 101"):
        empirical_bernstein_of(moments(np.array([0.0, 101.0])), 0.0, 100.0)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (1.0, 0.0), (0.0, math.inf)])
def test_a_range_must_be_a_range(low: float, high: float) -> None:
    with pytest.raises(InputError, match="low < high"):
        empirical_bernstein(np.zeros(3), low, high)


@FEW
@given(st.integers(0, 10_000), st.integers(0, 400), st.integers(0, 400))
def test_merged_moments_of_whole_amounts_are_the_moments_of_the_whole(
    seed: int, first: int, second: int
) -> None:
    x = gifts(seed)
    cuts = sorted((first, second))
    a, b, c = np.split(x, cuts)
    assert merge(moments(a), merge(moments(b), moments(c))) == moments(x)
    assert merge(merge(moments(c), moments(a)), moments(b)) == moments(x)


@FEW
@given(st.integers(0, 10_000))
def test_the_order_of_the_rows_does_not_change_one_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.lognormal(0.0, 1.0, 50)
    assert moments(x) == moments(rng.permutation(x))


def test_variance_is_numpy_s() -> None:
    x = gifts(2)
    assert moments(x).variance == pytest.approx(x.var(ddof=1), rel=1e-12)
    assert moments(np.full(7, 0.1)).variance == 0.0


def test_a_merged_nan_stays_visible() -> None:
    state = merge(moments(np.array([1.0, np.nan])), moments(np.ones(5)))
    assert empirical_bernstein_of(state, 0.0, 1.0).status == "undefined"
    assert merge(moments(np.zeros(0)), Moments(1, 2.0, 4.0, 2.0, 2.0)).mean == 2.0


def test_replications_equal_one_by_one() -> None:
    x = np.array([gifts(seed, 60) for seed in range(8)])
    together = np.array(bernstein_replications(x, 0.0, 100.0, 0.9)).T
    for row, expected in zip(x, together, strict=True):
        one = empirical_bernstein(row, 0.0, 100.0, 0.9)
        assert (one.value, one.low, one.high) == pytest.approx(tuple(expected), rel=1e-12)
    with pytest.raises(InputError, match="bernstein_replications"):
        bernstein_replications(np.zeros((3, 1)), 0.0, 1.0)


@pytest.mark.slow
def test_it_covers_where_student_does_not() -> None:
    rng = np.random.default_rng(3)
    amounts = np.minimum(rng.pareto(0.8, (2_000, 300)), 1_000.0) * (rng.random((2_000, 300)) < 0.1)
    truth = 0.1 * np.minimum(rng.pareto(0.8, 20_000_000), 1_000.0).mean()
    _, low, high = bernstein_replications(amounts, 0.0, 1_000.0)
    share = coverage(float(truth), low, high).value
    assert share is not None
    assert share >= 0.95
