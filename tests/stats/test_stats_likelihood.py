from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy import stats as scipy_stats

from giftlive.errors import InputError
from giftlive.stats.intervals import Interval, ratio_delta, student_quantile, student_t
from giftlive.stats.likelihood import (
    cressie_read,
    cressie_read_replications,
    empirical_likelihood,
    empirical_likelihood_replications,
)
from giftlive.types import Floats

FEW = settings(max_examples=30, deadline=None)
METHODS = [empirical_likelihood, cressie_read]


def bounds(interval: Interval) -> tuple[float, float, float]:
    assert interval.value is not None
    assert interval.low is not None
    assert interval.high is not None
    return interval.value, interval.low, interval.high


def terms(seed: int, n: int = 40) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    den = (1 + rng.poisson(3.0, n)).astype(np.float64)
    return rng.lognormal(0.0, 1.0, n) * den * (rng.random(n) < 0.7), den


def profile(z: Floats) -> float:
    """-2 log likelihood ratio of mean 0, by a general optimiser over the multiplier."""
    edges = (1 / len(z) - 1) / z.max(), (1 / len(z) - 1) / z.min()
    found = optimize.minimize_scalar(
        lambda m: -np.log1p(m * z).sum(), bounds=edges, method="bounded", options={"xatol": 1e-12}
    )
    return float(-2.0 * found.fun)


@pytest.mark.parametrize("seed", range(5))
def test_the_profile_meets_the_quantile_at_both_bounds(seed: int) -> None:
    num, den = terms(seed)
    _, low, high = bounds(empirical_likelihood(num, den))
    limit = scipy_stats.f.isf(0.05, 1, 39)
    assert profile(num - low * den) == pytest.approx(limit, rel=1e-8)
    assert profile(num - high * den) == pytest.approx(limit, rel=1e-8)


def test_no_weights_at_the_same_distance_reach_further() -> None:
    """The primal problem, as Owen states it, by a constrained optimiser."""
    x = np.array([0.0, 1.0, 2.0, 3.0, 10.0, 4.0])
    _, _, high = bounds(empirical_likelihood(x))
    limit, n = student_quantile(5, 0.95) ** 2, len(x)
    start = np.full(n, 1 / n) + 0.01 * (x - x.mean())

    def minus_mean(w: Floats) -> float:
        return -float(w @ x)

    constraints: list[Any] = [
        optimize.LinearConstraint(np.ones((1, n)), 1.0, 1.0),
        optimize.NonlinearConstraint(lambda w: -2 * np.log(n * w).sum(), 0.0, limit),
    ]
    found = optimize.minimize(
        minus_mean,
        start,
        method="SLSQP",
        bounds=[(1e-3, 1.0)] * n,
        constraints=constraints,
    )
    assert high == pytest.approx(-found.fun, rel=1e-6)


@FEW
@given(st.integers(0, 10_000), st.sampled_from([2, 3, 10, 200]), st.sampled_from([0.5, 0.99]))
def test_likelihood_stays_within_the_ratios_of_the_clusters(
    seed: int, n: int, level: float
) -> None:
    num, den = terms(seed, n)
    value, low, high = bounds(empirical_likelihood(num, den, level=level))
    assert (num / den).min() <= low <= value <= high <= (num / den).max()


def test_likelihood_is_longer_towards_the_tail() -> None:
    value, low, high = bounds(empirical_likelihood(np.array([0.0] * 30 + [1.0, 2.0, 20.0])))
    assert high - value > 1.5 * (value - low)


def test_likelihood_survives_a_whale_a_million_times_the_rest() -> None:
    x = np.concatenate([np.linspace(0.0, 1.0, 99), [1e6]])
    value, low, high = bounds(empirical_likelihood(x))
    assert 0.0 < low < value < high < 1e6
    assert profile(x - low) == pytest.approx(student_quantile(99, 0.95) ** 2, rel=1e-6)


def test_euclidean_mean_is_student() -> None:
    x = terms(6)[0]
    assert bounds(cressie_read(x)) == pytest.approx(bounds(student_t(x)), rel=1e-12)


def test_euclidean_ratio_is_fieller() -> None:
    num, den = terms(7)
    n, t2 = len(num), scipy_stats.t.isf(0.025, 39) ** 2
    a, b = num.mean(), den.mean()
    (vaa, vab), (_, vbb) = np.cov(num, den) / n
    g = t2 * vbb / b**2
    centre = (a / b - g * vab / vbb) / (1 - g)
    half = np.sqrt(t2 * (vaa - 2 * a / b * vab + (a / b) ** 2 * vbb - g * (vaa - vab**2 / vbb)))
    half /= abs(b) * (1 - g)
    golden = (a / b, centre - half, centre + half)
    assert bounds(cressie_read(num, den)) == pytest.approx(golden, rel=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_a_denominator_that_may_be_zero_has_no_end(method: type) -> None:
    rng = np.random.default_rng(8)
    interval = method(rng.random(30), rng.normal(0.1, 1.0, 30))
    assert interval.status == "undefined"
    assert "denominator" in interval.reason


@pytest.mark.parametrize("method", METHODS)
def test_many_clusters_agree_with_the_delta_method(method: type) -> None:
    rng = np.random.default_rng(9)
    num, den = rng.random(40_000), 1.0 + rng.random(40_000)
    _, low, high = bounds(ratio_delta(num, den))
    assert bounds(method(num, den))[1:] == pytest.approx((low, high), abs=0.01 * (high - low))


@FEW
@given(st.integers(0, 10_000))
def test_a_negative_denominator_mirrors_the_ratio(seed: int) -> None:
    num, den = terms(seed)
    for method in METHODS:
        value, low, high = bounds(method(num, den))
        assert bounds(method(num, -den)) == pytest.approx((-value, -high, -low), rel=1e-9)


@pytest.mark.parametrize("cluster", [None, np.arange(60) % 17])
def test_replications_equal_one_by_one(cluster: Floats | None) -> None:
    ids = None if cluster is None else cluster.astype(np.int64)
    num, den = (
        np.array(columns) for columns in zip(*(terms(s, 60) for s in range(5)), strict=True)
    )
    for method, many in zip(
        METHODS, (empirical_likelihood_replications, cressie_read_replications), strict=True
    ):
        together = np.array(many(num, den, ids)).T
        single = [bounds(method(a, b, ids)) for a, b in zip(num, den, strict=True)]
        np.testing.assert_allclose(together, single, rtol=1e-9)
        with pytest.raises(InputError, match="replications"):
            many(np.zeros((3, 1)))


def test_a_constant_ratio_among_the_replications_has_width_zero() -> None:
    num, den = terms(10)
    for many in (empirical_likelihood_replications, cressie_read_replications):
        _, low, high = many(np.array([0.3 * den, num]), np.array([den, den]))
        assert low[0] == high[0] == pytest.approx(0.3)
        assert low[1] < high[1]
