from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy import stats as scipy_stats

from giftlive.errors import InputError
from giftlive.stats.intervals import (
    Interval,
    coverage,
    ratio_delta,
    ratio_replications,
    student_quantile,
    student_t,
)
from giftlive.stats.skewed import (
    skew_t,
    skew_t_of,
    skew_t_of_replications,
    skew_t_replications,
)
from giftlive.types import Floats, Ints

FEW = settings(max_examples=40, deadline=None)


def bounds(interval: Interval) -> tuple[float, float, float]:
    assert interval.value is not None
    assert interval.low is not None
    assert interval.high is not None
    return interval.value, interval.low, interval.high


def terms(seed: int, n: int = 40) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    den = (1 + rng.poisson(3.0, n)).astype(np.float64)
    return rng.lognormal(0.0, 1.0, n) * den, den


def by_solving_the_test(num: Floats, den: Floats, sign: float) -> float:
    """The bound as the θ at which Hall's transformed test of mean(num - θ den) = 0 rejects."""
    n, t = len(num), scipy_stats.t.isf(0.025, len(num) - 1)

    def excess(theta: float) -> float:
        z = num - theta * den
        studentised = math.sqrt(n) * z.mean() / z.std(ddof=1)
        a = scipy_stats.skew(z) / 3
        g = studentised + a * studentised**2 / math.sqrt(n) + a**2 * studentised**3 / (3 * n)
        return float(g + a / (2 * math.sqrt(n)) - sign * t)

    value, half = num.sum() / den.sum(), (ratio_delta(num, den).width or 0.0) / 2
    return float(optimize.brentq(excess, value - 2 * sign * half, value, xtol=1e-14))


def test_the_mean_equals_hall_s_polynomial_inverted_by_a_root_finder() -> None:
    x = terms(1)[0]
    n, t = len(x), scipy_stats.t.isf(0.025, len(x) - 1)
    skew, se = scipy_stats.skew(x), x.std(ddof=1) / math.sqrt(n)

    def hall(v: float) -> float:
        return v + skew * v**2 / (3 * n**0.5) + skew**2 * v**3 / (27 * n) + skew / (6 * n**0.5)

    low = x.mean() - se * optimize.brentq(lambda v: hall(v) - t, -50, 50, xtol=1e-14)
    high = x.mean() - se * optimize.brentq(lambda v: hall(v) + t, -50, 50, xtol=1e-14)
    assert bounds(skew_t(x)) == pytest.approx((x.mean(), low, high), rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_the_ratio_agrees_with_the_transformed_test_to_second_order(seed: int) -> None:
    """Copies of the sample keep γ and κ and raise G: ×100 must shrink the gap ×100, not ×10."""
    gaps = []
    for copies in (10, 1_000):
        num, den = (np.tile(v, copies) for v in terms(seed))
        width = ratio_delta(num, den).width or 0.0
        _, low, high = bounds(skew_t(num, den))
        gap = abs(low - by_solving_the_test(num, den, 1.0))
        gaps.append(max(gap, abs(high - by_solving_the_test(num, den, -1.0))) / width)
    assert gaps[1] < gaps[0] / 60
    assert gaps[0] < 0.02


def test_without_skewness_it_is_student() -> None:
    x = np.array([-3.0, -1.0, 0.0, 1.0, 3.0])
    assert bounds(skew_t(x)) == pytest.approx(bounds(student_t(x)), abs=1e-12)


@FEW
@given(st.integers(0, 10_000))
def test_it_is_longer_towards_the_tail_and_mirrors(seed: int) -> None:
    x = np.random.default_rng(seed).pareto(2.0, 60)
    value, low, high = bounds(skew_t(x))
    assert high - value > value - low > 0.0
    assert bounds(skew_t(-x)) == pytest.approx((-value, -high, -low), rel=1e-12)


@FEW
@given(
    st.integers(2, 500),
    st.sampled_from([-1e9, -1.0, 1.0, 1e9]),
    st.sampled_from([0.5, 0.8, 0.95, 0.999]),
)
def test_the_largest_possible_skewness_does_not_cross_the_bounds(
    n: int, whale: float, level: float
) -> None:
    x = np.zeros(n)
    x[0] = whale
    value, low, high = bounds(skew_t(x, level=level))
    assert low < value < high


@FEW
@given(st.integers(0, 10_000))
def test_bounds_widen_with_the_level(seed: int) -> None:
    num, den = terms(seed, 12)
    found = [bounds(skew_t(num, den, level=level)) for level in (0.5, 0.8, 0.95, 0.99)]
    for (_, low, high), (_, lower, higher) in itertools.pairwise(found):
        assert lower < low < high < higher


def test_influence_values_of_a_mean_give_the_mean_s_interval() -> None:
    x = terms(2)[0]
    psi = (x - x.mean()) / len(x)
    assert bounds(skew_t_of(float(x.mean()), psi)) == pytest.approx(bounds(skew_t(x)), rel=1e-12)


def test_influence_values_that_are_rounding_have_width_zero() -> None:
    psi = 1e-15 * np.array([1.0, -1.0, 1.0])  # large enough to show next to 1, were it kept
    assert skew_t_of(1.0, psi).width == 0.0
    assert (skew_t_of(1.0, 100.0 * psi).width or 0.0) > 1e-13


def test_influence_says_what_is_missing() -> None:
    assert skew_t_of(math.nan, np.ones(5)).status == "undefined"
    assert skew_t_of(1.0, np.array([1.0, math.inf])).status == "undefined"
    assert skew_t_of(1.0, np.ones(1)).status == "not_enough_data"


@pytest.mark.parametrize("ids", [None, np.arange(60) % 17])
def test_replications_equal_one_by_one(ids: Ints | None) -> None:
    num, den = (np.array(v) for v in zip(*(terms(s, 60) for s in range(5)), strict=True))
    together = np.array(skew_t_replications(num, den, ids)).T
    single = [bounds(skew_t(a, b, ids)) for a, b in zip(num, den, strict=True)]
    np.testing.assert_allclose(together, single, rtol=1e-12)


def test_replications_of_influence_equal_one_by_one_and_keep_nan() -> None:
    psi = np.array([terms(s)[0] - 1.0 for s in range(4)])
    value = np.array([1.0, 2.0, 3.0, math.nan])
    together = np.array(skew_t_of_replications(value, psi)).T
    single = [bounds(skew_t_of(v, p)) for v, p in zip(value[:3], psi[:3], strict=True)]
    np.testing.assert_allclose(together[:3], single, rtol=1e-12)
    assert np.isnan(together[3]).all()
    with pytest.raises(InputError, match="value, psi"):
        skew_t_of_replications(value[:2], psi)


@pytest.mark.slow
def test_it_covers_a_skewed_ratio_where_the_delta_method_does_not() -> None:
    rng = np.random.default_rng(3)
    den = (1 + rng.poisson(rng.gamma(1.0, 5.0, (4_000, 300)))).astype(np.float64)
    num = rng.gamma(0.05, 20.0, (4_000, 300)) * den
    shares = [
        coverage(1.0, *many(num, den)[1:]).value
        for many in (skew_t_replications, ratio_replications)
    ]
    assert shares[0] is not None
    assert shares[1] is not None
    assert shares[0] >= 0.93 > 0.91 >= shares[1]


def test_the_quantile_is_student_s() -> None:
    x = np.array([-1.0, 1.0])
    assert bounds(skew_t(x))[2] == pytest.approx(student_quantile(1, 0.95))
