from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, entropy, variation

from giftlive import metrics
from giftlive.errors import UsageError
from giftlive.rng import stream


def test_variation_matches_scipy_and_ignores_the_unit() -> None:
    x = stream(30, "cv").exponential(size=20)
    assert metrics.coefficient_of_variation(x) == pytest.approx(variation(x, ddof=1))
    assert metrics.coefficient_of_variation(-8.0 * x) == pytest.approx(variation(x, ddof=1))


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0], [-1.0, 1.0], [-1.0, 2.0]])
def test_variation_without_a_mean_of_one_sign_has_no_value(values: list[float]) -> None:
    assert np.isnan(metrics.coefficient_of_variation(values))


def test_variation_of_equal_values_is_zero() -> None:
    assert metrics.coefficient_of_variation([2.0, 2.0, 2.0]) == 0.0


def test_no_drift_is_zero_and_the_top_is_a_bin_of_its_own() -> None:
    score = stream(31, "psi").permutation(10_000).astype(np.float64)
    same = metrics.score_drift(score, score)
    assert (same.psi, same.top, same.floored) == (0.0, 0.0, 0)
    assert len(same.terms) == 11
    assert same.reference == pytest.approx([0.099] * 10 + [0.01])


def test_drift_is_both_divergences_of_the_shares() -> None:
    g = stream(32, "psi")
    old, new = g.normal(size=5_000), g.normal(0.3, 1.2, size=4_000)
    drift = metrics.score_drift(old, new)
    edges = [-np.inf, *np.quantile(old, [*(np.arange(1, 10) * 0.099), 0.99]), np.inf]
    r, c = np.histogram(old, edges)[0] / 5_000, np.histogram(new, edges)[0] / 4_000
    assert drift.psi == pytest.approx(entropy(r, c) + entropy(c, r), rel=1e-2)
    exact = entropy(drift.reference, drift.current) + entropy(drift.current, drift.reference)
    assert drift.psi == pytest.approx(exact, rel=1e-12)


def test_a_change_of_the_top_alone_is_seen() -> None:
    old = np.arange(10_000.0)
    new = np.where(old < 9_900, old, 5_000.0)
    drift = metrics.score_drift(old, new)
    assert drift.floored == 1
    assert drift.current[-1] == 0.0
    assert drift.top == pytest.approx((1e-4 - 0.01) * np.log(1e-4 / 0.01))
    assert drift.top / drift.psi > 0.9


def test_ties_merge_borders_and_are_never_divided() -> None:
    drift = metrics.score_drift([0.0] * 95 + [1.0] * 5, [0.0] * 90 + [1.0] * 10)
    assert drift.borders.tolist() == [0.0, 1.0]
    assert drift.reference.tolist() == [0.95, 0.05, 0.0]
    assert drift.top == 0.0
    assert drift.floored == 1
    assert drift.psi == pytest.approx(-0.05 * np.log(0.90 / 0.95) + 0.05 * np.log(2.0))


def test_drift_invariances(columns: Any) -> None:
    old, new, w = columns.score, columns.p, columns.copies
    weighted = metrics.score_drift(old, new, reference_weights=w, current_weights=w)
    repeated = metrics.score_drift(columns.repeated(old), columns.repeated(new))
    assert weighted.psi == pytest.approx(repeated.psi, rel=1e-12)
    order = stream(33, "order").permutation(len(old))
    shuffled = metrics.score_drift(old[order], new)
    assert shuffled.psi == pytest.approx(metrics.score_drift(old, new).psi, rel=1e-12)
    monotone = metrics.score_drift(np.exp(old), np.exp(new))
    assert monotone.psi == pytest.approx(metrics.score_drift(old, new).psi, rel=1e-12)


def test_drift_without_rows_has_no_value_and_bad_bins_are_refused() -> None:
    assert np.isnan(metrics.score_drift([], [1.0]).psi)
    assert np.isnan(metrics.score_drift([1.0], [1.0], current_weights=[0.0]).top)
    with pytest.raises(UsageError, match="bins"):
        metrics.score_drift([1.0], [1.0], bins=0)
    with pytest.raises(UsageError, match="top"):
        metrics.score_drift([1.0], [1.0], top=1.0)


@pytest.mark.slow
def test_the_index_of_no_drift_is_a_scaled_chi_square() -> None:
    g = stream(34, "psi")
    n, m, runs = 4_000, 8_000, 1_000
    found = [
        metrics.score_drift(g.random(n), g.random(m)).psi * n * m / (n + m) for _ in range(runs)
    ]
    # its shares are fixed at its own quantiles: what varies is the true mass between them
    assert np.mean(found) == pytest.approx(chi2(10).mean(), rel=0.06)
