"""The generalised Pareto tail: SciPy's search, scale, ties, and tails that are not heavy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from giftlive.stats.exceedances import fit_exceedances, tail_size


def heavy(seed: int, n: int, shape: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return stats.genpareto.rvs(shape, scale=3.0, size=n, random_state=np.random.default_rng(seed))


@pytest.mark.parametrize("shape", [0.3, 0.8, 1.5])
def test_it_is_the_maximum_that_scipy_searches(shape: float) -> None:
    x = heavy(1, 40_000, shape)
    fit = fit_exceedances(x, 800)
    largest = np.sort(x)[::-1]
    golden = stats.genpareto.fit(largest[:800] - largest[800], floc=0)
    assert fit.shape == pytest.approx(golden[0], abs=2e-4)
    assert fit.scale == pytest.approx(golden[2], rel=2e-4)
    assert (fit.k, fit.threshold) == (800, largest[800])
    assert fit.survival(np.array([fit.threshold]))[0] == 1.0


@given(seed=st.integers(0, 500), factor=st.floats(1e-3, 1e6))
def test_the_unit_does_not_matter(seed: int, factor: float) -> None:
    x = heavy(seed, 900, 0.9)
    one, more = fit_exceedances(x), fit_exceedances(x * factor)
    if one.shape is None:
        assert more.shape is None
    else:
        assert more.shape == pytest.approx(one.shape, rel=1e-7)
        assert more.scale == pytest.approx(one.scale * factor, rel=1e-7)


def test_values_equal_to_the_threshold_exceed_nothing() -> None:
    x = np.concatenate([np.full(5_000, 10.0), heavy(2, 60, 0.9) + 10.0])
    assert tail_size(len(x)) == 71
    fit = fit_exceedances(x)
    assert (fit.threshold, fit.k) == (10.0, 60)
    assert fit.shape is not None


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.arange(1.0, 50.0), "need a tail of 10"),
        (np.zeros(1_000), "need a tail of 10"),
        (np.full(1_000, 7.0), "0 values exceed 7"),
        (np.linspace(1.0, 2.0, 1_000), "no heavy tail"),
    ],
)
def test_no_fit_has_a_reason(x: np.ndarray[tuple[int], np.dtype[np.float64]], reason: str) -> None:
    fit = fit_exceedances(x)
    assert fit.shape is None
    assert reason in fit.reason
