from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from giftlive.errors import InputError
from giftlive.stats.intervals import (
    Interval,
    coverage,
    influence_replications,
    influence_t,
    paired_t,
    proportion,
    ratio_delta,
    ratio_difference,
    ratio_replications,
    student_quantile,
    student_t,
)
from giftlive.types import Floats

FEW = settings(max_examples=40, deadline=None)


def bounds(interval: Interval) -> tuple[float, float, float]:
    assert interval.value is not None
    assert interval.low is not None
    assert interval.high is not None
    return interval.value, interval.low, interval.high


def draws(seed: int, n: int = 40) -> Floats:
    return np.random.default_rng(seed).lognormal(0.0, 1.0, n)


def test_student_t_equals_scipy() -> None:
    x = draws(1)
    golden = scipy_stats.ttest_1samp(x, 0.0).confidence_interval(0.95)
    assert bounds(student_t(x)) == pytest.approx((x.mean(), golden.low, golden.high), rel=1e-12)


def test_paired_t_equals_scipy_on_pairs() -> None:
    a, b = draws(2), draws(3)
    golden = scipy_stats.ttest_rel(a, b).confidence_interval(0.9)
    assert bounds(paired_t(a, b, level=0.9))[1:] == pytest.approx((golden.low, golden.high))


def test_paired_t_of_identical_arrays_is_zero_with_width_zero() -> None:
    interval = paired_t(draws(4), draws(4))
    assert (interval.value, interval.width) == (0.0, 0.0)


def test_ratio_delta_known_answer() -> None:
    # sums 6 / 3 = 2; errors (1-2, 5-4) = (-1, 1); se² = 2/1 · 2 / 9
    interval = ratio_delta(np.array([1.0, 5.0]), np.array([1.0, 2.0]))
    half = student_quantile(1, 0.95) * 2.0 / 3.0
    assert bounds(interval) == pytest.approx((2.0, 2.0 - half, 2.0 + half))


def test_ratio_over_ones_is_the_mean() -> None:
    x = draws(5)
    assert bounds(ratio_delta(x, np.ones(40))) == pytest.approx(bounds(student_t(x)))


@FEW
@given(st.integers(0, 10_000), st.floats(1e-3, 1e6))
def test_constant_ratio_has_width_exactly_zero(seed: int, constant: float) -> None:
    rng = np.random.default_rng(seed)
    den, cluster = rng.lognormal(0.0, 2.0, 60), rng.integers(0, 9, 60)
    assert ratio_delta(constant * den, den, cluster).width == 0.0


def test_a_ratio_that_varies_a_little_keeps_its_width() -> None:
    width = ratio_delta(np.array([1.0, 1.0 + 1e-9, 1.0]), np.ones(3)).width
    assert width is not None
    assert width > 1e-10


@FEW
@given(st.integers(0, 10_000))
def test_rows_split_within_clusters_change_nothing(seed: int) -> None:
    """Two rows of half the size are the same cluster; an interval by row would shrink."""
    rng = np.random.default_rng(seed)
    num, den, cluster = rng.random(30), rng.random(30) + 0.1, np.arange(30)
    halves = ratio_delta(np.tile(num / 2, 2), np.tile(den / 2, 2), np.tile(cluster, 2))
    assert bounds(halves) == pytest.approx(bounds(ratio_delta(num, den, cluster)))
    assert halves.n == 30


@FEW
@given(st.integers(0, 10_000))
def test_ratio_is_equivariant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    num, den, cluster = rng.random(30), rng.random(30) + 0.1, rng.integers(0, 12, 30)
    order = rng.permutation(30)
    value = np.array(bounds(ratio_delta(num, den, cluster)))
    permuted = ratio_delta(num[order], den[order], 7 * cluster[order] + 3)
    assert bounds(permuted) == pytest.approx(tuple(value))
    assert bounds(ratio_delta(5 * num, den, cluster)) == pytest.approx(tuple(5 * value))
    shifted = ratio_delta(num + 2 * den, den, cluster)
    assert bounds(shifted) == pytest.approx(tuple(value + 2))


def test_paired_difference_is_narrower_than_unpaired() -> None:
    rng = np.random.default_rng(6)
    base, den = rng.lognormal(0.0, 1.5, 200), np.ones(200)
    other = base + 0.1 + 0.01 * rng.standard_normal(200)
    paired = ratio_difference(other, den, base, den)
    width = ratio_delta(base, den).width
    assert paired.value == pytest.approx(0.1, abs=0.01)
    assert paired.width is not None
    assert width is not None
    assert paired.width < width / 50
    same = ratio_difference(base, den, base, den)
    assert (same.value, same.width) == (0.0, 0.0)


def test_difference_over_ones_is_the_paired_t() -> None:
    a, b, ones = draws(7), draws(8), np.ones(40)
    assert bounds(ratio_difference(a, ones, b, ones)) == pytest.approx(bounds(paired_t(a, b)))


@pytest.mark.parametrize("x", [[], [3.0]])
def test_below_two_values_there_is_no_interval(x: list[float]) -> None:
    interval = student_t(np.array(x))
    assert (interval.status, interval.value, interval.low) == ("not_enough_data", None, None)
    assert "at least 2" in interval.reason


def test_undefined_says_why() -> None:
    assert "2 of 3" in student_t(np.array([1.0, np.nan, np.inf])).reason
    assert ratio_delta(np.array([1.0, 2.0]), np.array([1.0, -1.0])).status == "undefined"
    assert ratio_delta(np.zeros(2), np.ones(2), np.array([5, 5])).status == "not_enough_data"


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(InputError, match="num, den"):
        ratio_delta(np.ones(2), np.ones(3))
    with pytest.raises(InputError, match="level"):
        student_t(np.ones(3), level=95)
    with pytest.raises(InputError, match="4 of 3"):
        proportion(4, 3)


@pytest.mark.parametrize(("k", "n"), [(0, 12), (3, 12), (12, 12), (50, 997)])
def test_proportion_equals_scipy_wilson(k: int, n: int) -> None:
    golden = scipy_stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    expected = (k / n, golden.low, golden.high)
    assert bounds(proportion(k, n)) == pytest.approx(expected, abs=1e-12)


def test_coverage_counts_bounds_that_contain_the_truth_and_none_that_are_nan() -> None:
    low = np.array([0.0, 1.0, 2.0, np.nan])
    high = np.array([1.0, 2.0, 3.0, np.nan])
    assert coverage(1.0, low, high).value == 0.5


def test_replications_equal_one_by_one() -> None:
    rng = np.random.default_rng(9)
    num, den, cluster = rng.random((5, 50)), rng.random((5, 50)) + 0.1, rng.integers(0, 20, 50)
    for ids in (None, cluster):
        together = np.array(ratio_replications(num, den, ids)).T
        single = [bounds(ratio_delta(a, b, ids)) for a, b in zip(num, den, strict=True)]
        np.testing.assert_allclose(together, single, rtol=1e-12)


def test_replications_refuse_a_denominator_of_zero() -> None:
    with pytest.raises(InputError, match="denominator"):
        ratio_replications(np.ones((2, 3)), np.zeros((2, 3)))


def test_student_t_covers_at_light_tails() -> None:
    rng = np.random.default_rng(10)
    values = rng.random((4_000, 30))
    _, low, high = ratio_replications(values, np.ones_like(values))
    share = coverage(0.5, low, high).value
    assert share is not None
    assert 0.937 <= share <= 0.963


def test_influence_of_a_ratio_gives_the_delta_method() -> None:
    rng = np.random.default_rng(11)
    num, den, cluster = rng.random(50), rng.random(50) + 0.1, rng.integers(0, 20, 50)
    golden = ratio_delta(num, den, cluster)
    value = bounds(golden)[0]
    psi = (num - value * den) / den.sum()
    assert bounds(influence_t(value, psi, cluster)) == pytest.approx(bounds(golden), rel=1e-12)
    assert influence_t(value, psi, cluster, method="woodruff").method == "woodruff"


def test_influence_values_that_are_rounding_have_width_zero() -> None:
    psi = 1e-15 * np.array([1.0, -1.0, 1.0])  # large enough to show next to 1, were it kept
    assert influence_t(1.0, psi).width == 0.0
    assert (influence_t(1.0, 100.0 * psi).width or 0.0) > 1e-13
    assert (influence_t(0.0, np.array([1e-12, -1e-12, 1e-12])).width or 0.0) > 1e-13


def test_influence_of_an_undefined_statistic_is_undefined() -> None:
    assert "on the sample itself" in influence_t(float("nan"), np.ones(3)).reason
    assert "1 of 3" in influence_t(1.0, np.array([1.0, np.nan, 0.0])).reason
    assert influence_t(1.0, np.ones(3), np.array([4, 4, 4])).status == "not_enough_data"


def test_influence_replications_equal_one_by_one_and_keep_nan() -> None:
    rng = np.random.default_rng(12)
    value, psi = np.array([1.0, 2.0, np.nan, 4.0]), rng.normal(size=(4, 30))
    psi[3, 5] = np.inf
    together = np.array(influence_replications(value, psi)).T
    single = [bounds(influence_t(v, p)) for v, p in zip(value[:2], psi[:2], strict=True)]
    np.testing.assert_allclose(together[:2], single, rtol=1e-12)
    assert np.isnan(together[2:, 1:]).all()
    with pytest.raises(InputError, match="value, psi"):
        influence_replications(value, psi[:, :1])


def test_a_constant_ratio_among_the_replications_has_width_zero() -> None:
    den = np.random.default_rng(13).lognormal(0.0, 1.0, (3, 50))
    _, low, high = ratio_replications(0.1 * den, den)
    assert (low == high).all()


def test_a_denominator_that_cancels_to_rounding_is_zero() -> None:
    assert ratio_delta(np.ones(3), np.array([0.1, 0.2, -0.3])).status == "undefined"


def test_amounts_whose_squares_overflow_are_undefined() -> None:
    assert "2 of 3" in student_t(np.array([1e200, -1e200, 3.0])).reason
    assert student_t(np.array([1e140, -1e140, 3.0])).status == "ok"
