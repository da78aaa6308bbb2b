from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive import metrics
from giftlive.errors import UsageError
from giftlive.metrics import influence
from giftlive.rng import stream
from giftlive.stats.influence import Linearised
from giftlive.stats.intervals import coverage, influence_t
from giftlive.types import Floats

Metric = Callable[[Floats, Floats], Linearised]
Weighted = Callable[[Floats, Floats, Floats], float]

SMOOTH: dict[str, tuple[Metric, Weighted]] = {
    "pr_auc": (influence.pr_auc, metrics.pr_auc),
    "roc_auc": (influence.roc_auc, metrics.roc_auc),
    "normalised_gini": (influence.normalised_gini, metrics.normalised_gini),
    "spearman": (influence.spearman, metrics.spearman),
    "calibration_ratio": (influence.calibration_ratio, metrics.calibration_ratio),
}
BORDERS: dict[str, tuple[Metric, Weighted]] = {
    "revenue_capture": (
        lambda y, s: influence.revenue_capture(y, s, 0.05),
        lambda y, s, w: metrics.revenue_capture(y, s, 0.05, w),
    ),
    "calibration_at": (
        lambda y, s: influence.calibration_at(y, s, 0.05),
        lambda y, s, w: metrics.calibration_at(y, s, 0.05, w),
    ),
    "ece": (
        lambda y, s: influence.ece(y, s, 5),
        lambda y, s, w: metrics.ece(y, s, 5, w),
    ),
}
ALL = SMOOTH | BORDERS


def derivative(statistic: Callable[[Floats], float], n: int, step: float = 1e-5) -> Floats:
    """Return [n] the central difference of a weighted statistic at equal weights."""
    slopes = np.empty(n)
    for i in range(n):
        up, down = np.ones(n), np.ones(n)
        up[i], down[i] = 1.0 + step, 1.0 - step
        slopes[i] = (statistic(up) - statistic(down)) / (2.0 * step)
    return slopes


def gap(found: Linearised, slopes: Floats) -> float:
    return float(np.abs(found.influence - slopes).max() / np.abs(slopes).max())


@pytest.mark.parametrize("name", list(ALL))
def test_the_value_is_that_of_the_metric(name: str, columns: Any) -> None:
    linearised, metric = ALL[name]
    found = linearised(columns.amount, columns.p)
    expected = metric(columns.amount, columns.p, np.ones(400))
    assert found.value == pytest.approx(expected, rel=1e-12, abs=0.0)


@pytest.mark.parametrize("name", list(SMOOTH))
def test_influence_is_the_derivative_by_the_weights(name: str, columns: Any) -> None:
    linearised, metric = SMOOTH[name]
    y, score = columns.amount[:150], columns.p[:150]
    slopes = derivative(lambda w: metric(y, score, w), 150)
    assert gap(linearised(y, score), slopes) < 1e-7


@pytest.mark.parametrize("name", list(BORDERS))
def test_influence_at_a_border_inside_a_tie_is_exact(name: str) -> None:
    g = stream(3, "levels")
    score = np.repeat([0.05, 0.1, 0.2, 0.3, 0.9], [27, 43, 30, 31, 69])
    gift = g.random(200) < score
    y = np.where(gift, np.ceil(g.exponential(9.0, 200)), 0.0)
    linearised, metric = BORDERS[name]
    slopes = derivative(lambda w: metric(y, score, w), 200)
    assert gap(linearised(y, score), slopes) < 1e-7


@pytest.mark.parametrize(("name", "tolerance"), [("revenue_capture", 0.05), ("ece", 0.05)])
def test_a_smoothed_border_is_near_a_wide_difference(name: str, tolerance: float) -> None:
    """A weight step that moves the border over many rows sees the mean outcome there."""
    g = stream(4, "smooth")
    n = 4000
    score = g.random(n)
    y = np.where(g.random(n) < score, 1.0, 0.0)
    linearised, metric = BORDERS[name]
    found = linearised(y, np.clip(score + 0.1, 0.0, 1.0)).influence
    shifted = np.clip(score + 0.1, 0.0, 1.0)
    rows = np.argsort(-score)[[5, 100, 1000, 2000, 3000, 3900]]
    steps = [_one_slope(metric, y, shifted, int(i), 100.0) for i in rows]
    assert found[rows] == pytest.approx(steps, abs=tolerance * float(np.abs(found).max()))


def _one_slope(metric: Weighted, y: Floats, score: Floats, row: int, step: float) -> float:
    """Return the mean slope when rows near ``row`` gain and lose ``step`` in weight."""
    near = np.argsort(np.abs(score - score[row]) + 10.0 * (y != y[row]))[:200]
    up, down = np.ones(len(y)), np.ones(len(y))
    up[near], down[near] = 1.0 + step / 200, 1.0 - step / 200
    return (metric(y, score, up) - metric(y, score, down)) / (2.0 * step)


@pytest.mark.parametrize("name", list(ALL))
def test_influence_sums_to_zero(name: str, columns: Any) -> None:
    found = ALL[name][0](columns.amount, columns.p).influence
    assert abs(found.sum()) < 1e-12 * np.abs(found).sum()


@pytest.mark.parametrize("name", list(ALL))
def test_influence_follows_a_permutation_of_the_rows(name: str, columns: Any) -> None:
    order = stream(5, "shuffle").permutation(400)
    plain = ALL[name][0](columns.amount, columns.p)
    moved = ALL[name][0](columns.amount[order], columns.p[order])
    assert moved.value == pytest.approx(plain.value, rel=1e-12)
    assert moved.influence == pytest.approx(plain.influence[order], rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("name", ["revenue_capture", "normalised_gini", "spearman", "pr_auc"])
def test_influence_does_not_depend_on_the_unit_of_the_amount(name: str, columns: Any) -> None:
    plain = ALL[name][0](columns.amount, columns.p)
    scaled = ALL[name][0](8.0 * columns.amount, columns.p)
    assert scaled.value == plain.value
    assert np.array_equal(scaled.influence, plain.influence)


@pytest.mark.parametrize("name", list(ALL))
def test_two_copies_of_every_row_halve_the_influence(name: str, columns: Any) -> None:
    once = ALL[name][0](columns.amount, columns.p)
    twice = ALL[name][0](np.repeat(columns.amount, 2), np.repeat(columns.p, 2))
    assert twice.value == pytest.approx(once.value, rel=1e-12)
    assert twice.influence[::2] == pytest.approx(once.influence / 2.0, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("name", list(ALL))
def test_identical_models_differ_by_exactly_nothing(name: str, columns: Any) -> None:
    one = ALL[name][0](columns.amount, columns.p)
    other = ALL[name][0](columns.amount, columns.p.copy())
    assert (one - other).value == 0.0
    assert not (one - other).influence.any()


@pytest.mark.parametrize("name", [n for n in ALL if n != "calibration_ratio"])
def test_prepared_and_ordered_columns_give_the_same(name: str, columns: Any) -> None:
    linearised: Any = ALL[name][0]
    plain = linearised(columns.amount, columns.p)
    prepared = linearised(columns.amount, metrics.Ranked.of(columns.p))
    assert np.array_equal(prepared.influence, plain.influence)
    order = np.argsort(-columns.p, kind="stable")
    ordered = linearised(columns.amount[order], columns.p[order])
    assert ordered.value == pytest.approx(plain.value, rel=1e-12)
    assert ordered.influence == pytest.approx(plain.influence[order], rel=1e-9, abs=1e-15)


ZERO, EQUAL = np.zeros(6), np.ones(6)


@pytest.mark.parametrize(
    ("name", "y", "score"),
    [
        ("revenue_capture", ZERO, np.arange(6.0)),
        ("revenue_capture", np.zeros(0), np.zeros(0)),
        ("calibration_at", ZERO, np.arange(6.0)),
        ("calibration_ratio", ZERO, np.arange(6.0)),
        ("pr_auc", ZERO, np.arange(6.0)),
        ("pr_auc", np.zeros(0), np.zeros(0)),
        ("roc_auc", ZERO, np.arange(6.0)),
        ("roc_auc", EQUAL, np.arange(6.0)),
        ("roc_auc", np.ones(1), np.ones(1)),
        ("ece", np.zeros(0), np.zeros(0)),
        ("normalised_gini", ZERO, np.arange(6.0)),
        ("normalised_gini", EQUAL, np.arange(6.0)),
        ("normalised_gini", np.ones(1), np.ones(1)),
        ("spearman", EQUAL, np.arange(6.0)),
        ("spearman", np.arange(6.0), EQUAL),
        ("spearman", np.zeros(0), np.zeros(0)),
    ],
)
def test_where_there_is_no_value_there_is_no_influence(name: str, y: Floats, score: Floats) -> None:
    found = ALL[name][0](y, score)
    assert np.isnan(found.value)
    assert found.influence.shape == y.shape
    assert np.isnan(found.influence).all()


def test_a_score_that_knows_nothing_still_has_influence_values() -> None:
    y = np.array([0.0, 4.0, 0.0, 0.0, 1.0])
    found = influence.revenue_capture(y, np.zeros(5), 0.2)
    assert found.value == pytest.approx(0.2)
    assert found.influence == pytest.approx(np.zeros(5), abs=1e-15)
    assert influence.pr_auc(y, np.zeros(5)).value == pytest.approx(0.4)


def test_everything_captured_cannot_move() -> None:
    y = np.array([3.0, 0.0, 9.0])
    found = influence.revenue_capture(y, y, 1.0)
    assert found.value == 1.0
    assert found.influence == pytest.approx(np.zeros(3), abs=1e-15)


def test_a_percentage_passed_as_a_fraction_is_refused() -> None:
    for linearised in (influence.revenue_capture, influence.calibration_at):
        with pytest.raises(UsageError, match="fraction"):
            linearised(EQUAL, EQUAL, 5.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=2, max_size=14))
def test_pr_and_roc_influence_are_derivatives_for_any_ties(rows: list[tuple[int, int]]) -> None:
    y = np.array([float(a) for a, _ in rows])
    score = np.array([float(s) for _, s in rows])
    y[0], y[1] = 1.0, 0.0
    for name in ("pr_auc", "roc_auc"):
        linearised, metric = SMOOTH[name]
        slopes = derivative(lambda w, m=metric: m(y, score, w), len(y))  # type: ignore[misc]
        assert linearised(y, score).influence == pytest.approx(slopes, abs=1e-8)


def test_roc_influence_gives_the_variance_of_delong(columns: Any) -> None:
    """Golden: the two placement variances of DeLong et al. (1988), with divisors P and N."""
    z, s = columns.amount > 0, columns.p
    wins = (s[z][:, None] > s[~z][None, :]) + 0.5 * (s[z][:, None] == s[~z][None, :])
    placement = wins.mean(axis=1).var() / z.sum() + wins.mean(axis=0).var() / (~z).sum()
    psi = influence.roc_auc(columns.amount, s).influence
    assert float(psi @ psi) == pytest.approx(placement, rel=1e-12)


@pytest.mark.parametrize("name", list(ALL))
def test_the_standard_error_is_that_of_the_bootstrap(name: str) -> None:
    """Poisson weights on light tails: the spread of 400 resamples is sqrt(Σψ²) within 15 %."""
    g = stream(6, "bootstrap")
    n = 3000
    p = np.clip(g.beta(1.0, 4.0, n), 0.001, 1.0)
    y = np.where(g.random(n) < 0.6 * p, np.ceil(g.exponential(5.0, n)), 0.0)
    linearised, metric = ALL[name]
    psi = linearised(y, p).influence
    draws = [metric(y, p, g.poisson(1.0, n).astype(np.float64)) for _ in range(400)]
    assert float(np.std(draws)) == pytest.approx(float(np.sqrt(psi @ psi)), rel=0.15)


def test_errors_far_above_their_noise_are_left_alone() -> None:
    g = stream(7, "far")
    p, user = g.uniform(0.2, 0.4, 6000), np.arange(6000) // 2
    y = (g.random(6000) < p + 0.4).astype(np.float64)
    found = influence.debiased_ece(y, p, user)
    raw = influence.ece(y, p)
    plain = influence_t(raw.value, raw.influence, user)
    assert found.value == pytest.approx(raw.value, rel=1e-6)
    assert found.low == pytest.approx(plain.low, rel=1e-5)
    assert found.n == 3000


def test_a_calibrated_model_has_an_interval_that_begins_at_zero() -> None:
    g = stream(8, "calibrated")
    p, user = g.uniform(0.0, 0.1, 6000), np.arange(6000) // 2
    y = (g.random(6000) < p).astype(np.float64)
    found = influence.debiased_ece(y, p, user)
    assert found.value is not None
    assert found.low == 0.0 <= found.value < metrics.ece(y, p)


def test_unfolding_inverts_the_mean_size_of_a_normal() -> None:
    """Golden: for μ = 1, s = 1 the mean of |N| is 1.16663; below sqrt(2/π) nothing is left."""
    found = influence._unfolded(np.array([1.166630941, 0.5, 9.0, 3.0]), np.array([1.0, 1, 1, 0]))
    assert found == pytest.approx([1.0, 0.0, 9.0, 3.0], abs=1e-8)


def test_a_calibration_error_without_an_interval_says_why() -> None:
    none = influence.debiased_ece(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))
    assert none.status != "ok"
    assert none.reason
    one = influence.debiased_ece(np.array([1.0]), np.array([0.5]), np.array([4]))
    assert one.status == "not_enough_data"
    exact = influence.debiased_ece(np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([1, 2]))
    assert (exact.value, exact.low, exact.high) == (0.0, 0.0, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.0, 1.1, 1.3])
def test_debiased_calibration_error_covers_its_truth(factor: float) -> None:
    """Theory: p = factor × rate, uniform rates, has the error (factor − 1)·mean rate."""
    g = stream(9, "coverage")
    low, high = np.empty(400), np.empty(400)
    user = np.arange(4000) // 4
    for r in range(400):
        rate = g.uniform(0.0, 0.06, 4000)
        y = (g.random(4000) < rate).astype(np.float64)
        found = influence.debiased_ece(y, factor * rate, user)
        assert found.low is not None
        assert found.high is not None
        low[r], high[r] = found.low, found.high
    share = coverage((factor - 1.0) * 0.03, low, high)
    assert share.high is not None
    assert share.high > 0.94


def test_the_mean_at_a_border_comes_from_half_way_to_the_end() -> None:
    """Ranks 50 to 149 hold 0, 2, 0, 2, …: around rank 100 the mean is 1, one row says 0 or 2."""
    y = np.zeros(1000)
    y[51:150:2], y[999] = 2.0, 100.0
    found = influence.revenue_capture(y, -np.arange(1000.0), 0.1)
    inside = (np.arange(1000) < 100).astype(np.float64)
    expected = (inside * (y - 1.0) + 0.1 - found.value * y) / 200.0
    assert found.value == 0.25
    assert found.influence == pytest.approx(expected, abs=1e-15)
