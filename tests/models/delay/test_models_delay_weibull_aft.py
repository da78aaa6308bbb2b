"""Weibull's law: published numbers, derivatives, limits, and planted laws within intervals."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.delay.checks import derivatives, leukaemia

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.weibull_aft import FittedWeibull, WeibullAft, _Sample
from giftlive.rng import stream
from giftlive.stats.intervals import Interval

SHAPE, LEVEL, SLOPES = 0.7, np.log(300.0), np.array([0.5, -0.3])
ROW = np.array([1.0, -1.0])


def planted(seed: int, n: int) -> Durations:
    """Weibull delays stretched by two features, cut at ages that censor about a third."""
    rng = stream(seed, "weibull")
    X = rng.normal(size=(n, 2))
    latent = np.exp(LEVEL + X @ SLOPES) * rng.weibull(SHAPE, n)
    age = rng.uniform(0.0, 1_500.0, n)
    return Durations(X, np.minimum(latent, age), latent <= age)


def holds(interval: Interval, truth: float) -> bool:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low <= truth <= interval.high


def test_the_published_fit_of_the_remissions() -> None:
    # Kleinbaum and Klein, "Survival analysis", chapter 7: Stata's streg with a Weibull law.
    fitted = WeibullAft().fit(leukaemia())
    assert fitted.shape_value == pytest.approx(1.365757, rel=2e-3)
    level, arm = fitted.coefficients()
    assert arm.value == pytest.approx(1.267335, abs=2e-3)
    assert level.value == pytest.approx(2.248352, abs=2e-3)
    assert arm.width is not None
    assert level.width is not None
    assert arm.width / 2 / 1.959964 == pytest.approx(0.3106, rel=5e-3)
    assert level.width / 2 / 1.959964 == pytest.approx(0.1660, rel=5e-3)


def test_slopes_and_curvature_are_those_of_the_loss() -> None:
    rng, n = stream(1, "weibull derivatives"), 60
    columns = np.column_stack([np.ones(n), rng.normal(size=n)])
    lower, kind = rng.uniform(0.1, 3.0, n), rng.integers(0, 4, n)
    upper = np.where(kind == 0, lower, np.where(kind == 1, np.inf, lower * rng.uniform(1.1, 3, n)))
    lower = np.where(kind == 3, 0.0, lower)
    sample, at = _Sample.of(columns, lower, upper), np.array([0.8, 0.3, -0.2])
    slope, bend = derivatives(sample.loss, at)
    _, found, curvature = sample.loss(at)
    assert found == pytest.approx(slope, rel=1e-6)
    assert curvature == pytest.approx(bend, rel=1e-5, abs=1e-5)
    assert np.linalg.eigvalsh(curvature).min() > 0.0


def test_planted_shape_scale_and_slopes_come_back() -> None:
    fitted = WeibullAft().fit(planted(5, 20_000))
    assert fitted.shape_value == pytest.approx(SHAPE, rel=0.03)
    level, first, second = fitted.coefficients()
    assert [level.value, first.value, second.value] == pytest.approx([LEVEL, *SLOPES], abs=0.05)
    assert fitted.scale(ROW).value == pytest.approx(np.exp(LEVEL + ROW @ SLOPES), rel=0.06)


def _coverage(replications: int, n: int, grid: float) -> tuple[float, float, float]:
    """Shares of replications whose 95 % intervals hold the shape, a scale and a slope."""
    truth = float(np.exp(LEVEL + ROW @ SLOPES))
    hits = np.zeros(3)
    for seed in range(replications):
        sample = planted(1_000 + seed, n)
        if grid:
            time = np.where(sample.event, np.floor(sample.time / grid) * grid, sample.time)
            sample = Durations(sample.X, time, sample.event)
        fitted = WeibullAft(grid=grid).fit(sample)
        hits += [
            holds(fitted.shape(), SHAPE),
            holds(fitted.scale(ROW), truth),
            holds(fitted.coefficients()[1], float(SLOPES[0])),
        ]
    shape, scale, slope = (hits / replications).tolist()
    return shape, scale, slope


def test_intervals_hold_the_planted_law_about_as_often_as_they_say() -> None:
    for share in _coverage(200, 300, 0.0):
        assert 0.91 <= share <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("grid", [0.0, 60.0])
def test_intervals_hold_the_planted_law_as_often_as_they_say(grid: float) -> None:
    # 2,000 replications: ± 1 point is two standard errors.
    for share in _coverage(2_000, 500, grid):
        assert 0.94 <= share <= 0.96


def test_a_recorders_grid_is_part_of_the_likelihood() -> None:
    sample, grid = planted(7, 5_000), 60.0
    rounded = np.where(sample.event, np.floor(sample.time / grid) * grid, sample.time)
    coarse = Durations(sample.X, rounded, sample.event)
    exact, cells = WeibullAft().fit(sample), WeibullAft(grid=grid).fit(coarse)
    assert holds(cells.shape(), SHAPE)
    assert cells.shape_value == pytest.approx(exact.shape_value, rel=0.05)
    shifted = Durations(sample.X, np.maximum(rounded, 1.0), sample.event)
    assert not holds(WeibullAft().fit(shifted).shape(), SHAPE)  # what ignoring the grid does
    with pytest.raises(InputError, match="grid"):
        WeibullAft().fit(coarse)


def test_with_shape_one_it_is_the_exponential_law() -> None:
    rng, n = stream(2, "exponential"), 4_000
    time = rng.exponential(50.0, n)
    event = rng.random(n) < 0.7
    fitted = WeibullAft().fit(Durations(np.zeros((n, 0)), time, event))
    # Of the exponential family the best scale is time at risk per event; here the shape is near 1.
    best = time.sum() / event.sum()
    assert fitted.scale(np.zeros(0)).value == pytest.approx(best, rel=0.05)
    curve = fitted.survival(np.zeros((1, 0)), np.array([0.0, 50.0]))[0]
    assert curve[0] == 1.0
    assert curve[1] == pytest.approx(np.exp(-50.0 / best), abs=0.02)


def test_units_of_time_and_of_features_change_nothing() -> None:
    sample = planted(8, 1_000)
    hours = Durations(sample.X * [10.0, 1.0] + 3.0, sample.time / 3_600.0, sample.event)
    a, b = WeibullAft().fit(sample), WeibullAft().fit(hours)
    assert b.shape_value == pytest.approx(a.shape_value, rel=1e-6)
    assert b.scale(ROW * [10.0, 1.0] + 3.0).value == pytest.approx(
        (a.scale(ROW).value or 0.0) / 3_600.0, rel=1e-6
    )
    assert b.coefficients()[1].value == pytest.approx(
        (a.coefficients()[1].value or 0.0) / 10.0, rel=1e-6
    )


def test_gifts_all_at_once_give_a_flat_curve_instead_of_an_error() -> None:
    n = 2_000
    event = np.arange(n) % 10 == 0
    sample = Durations(np.zeros((n, 0)), np.where(event, 0.0, 86_400.0), event)
    fitted = WeibullAft(grid=1e-3).fit(sample)
    curve = fitted.survival(np.zeros((1, 0)), np.array([1.0, 3_600.0, 86_400.0]))[0]
    assert curve == pytest.approx([0.9, 0.9, 0.9], abs=0.01)


def test_what_cannot_be_fitted_is_refused() -> None:
    X = np.ones((4, 1))
    with pytest.raises(NotEnoughDataError, match="events"):
        WeibullAft().fit(Durations(X, np.ones(4), np.array([True, False, False, False])))
    with pytest.raises(UsageError, match="bounds"):
        WeibullAft().fit_intervals(X, np.full(4, 2.0), np.ones(4))
    rng = stream(9, "constant")
    with pytest.raises(NotEnoughDataError, match="singular"):
        WeibullAft().fit(Durations(X, rng.exponential(size=4), np.ones(4) > 0.0))
    assert isinstance(
        WeibullAft(penalty=1.0).fit(Durations(X, rng.exponential(size=4), np.ones(4) > 0.0)),
        FittedWeibull,
    )
