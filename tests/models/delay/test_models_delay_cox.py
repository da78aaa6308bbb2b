"""Cox's law: published numbers, the definition written out, and planted effects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from tests.models.delay.checks import derivatives, leukaemia

from giftlive.errors import NotEnoughDataError
from giftlive.models.delay.cox import Cox, FittedCox, Ties, _RiskSets
from giftlive.models.delay.durations import Durations
from giftlive.rng import stream
from giftlive.types import Floats

SLOPES = np.array([0.6, -0.4])


def planted(seed: int, n: int) -> Durations:
    """Hazard 2t·e^{βx}: nothing Weibull in the fit, censored at random."""
    rng = stream(seed, "cox")
    X = rng.normal(size=(n, 2))
    latent = np.sqrt(rng.exponential(size=n) / np.exp(X @ SLOPES))
    cut = rng.uniform(0.2, 2.0, n)
    return Durations(X, np.minimum(latent, cut), latent <= cut)


@pytest.mark.parametrize(
    # R's survival::coxph on the same rows; Kleinbaum and Klein, chapter 3, for Breslow.
    ("ties", "slope", "error"),
    [("efron", -1.5721, 0.4124), ("breslow", -1.5092, 0.4096)],
)
def test_the_published_fit_of_the_remissions(ties: Ties, slope: float, error: float) -> None:
    (arm,) = Cox(ties).fit(leukaemia()).coefficients()
    assert arm.value == pytest.approx(slope, abs=1e-4)
    assert arm.width is not None
    assert arm.width / 2 / 1.959964 == pytest.approx(error, abs=1e-4)


def _breslow_loss(sample: Durations, b: float) -> float:
    """The partial likelihood as it is written in the book, one event after the other."""
    x, total = sample.X[:, 0], 0.0
    for i in np.flatnonzero(sample.event):
        at_risk = sample.time >= sample.time[i]
        total -= b * x[i] - np.log(np.exp(b * x[at_risk]).sum())
    return total


def test_the_slope_minimises_the_likelihood_as_it_is_written() -> None:
    sample = leukaemia()
    best = minimize_scalar(lambda b: _breslow_loss(sample, b), bounds=(-4.0, 2.0), method="bounded")
    (arm,) = Cox("breslow").fit(sample).coefficients()
    assert arm.value == pytest.approx(best.x, abs=1e-4)


def _book_hazard(sample: Durations, b: Floats, t: float) -> float:
    weight = np.exp(sample.X @ b)
    events = [s for s in sample.time[sample.event].tolist() if s <= t]
    return sum(1.0 / float(weight[sample.time >= s].sum()) for s in events)


def test_the_baseline_is_breslows() -> None:
    sample = planted(1, 300)
    fitted = Cox("breslow").fit(sample)
    b = np.array([c.value for c in fitted.coefficients()])
    for t in (0.3, 0.9, 1.5):
        book = np.exp(-_book_hazard(sample, b, t) * np.exp(sample.X[:3] @ b))
        assert fitted.survival(sample.X[:3], np.array([t]))[:, 0] == pytest.approx(book, rel=1e-9)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_slopes_and_curvature_are_those_of_the_loss(ties: Ties) -> None:
    sample = planted(2, 80)
    coarse = Durations(sample.X, np.ceil(sample.time * 5.0), sample.event)
    risk, at = _RiskSets.of(coarse.X, coarse, ties), np.array([0.3, -0.2])
    slope, bend = derivatives(risk.loss, at)
    _, found, curvature = risk.loss(at)
    assert found == pytest.approx(slope, rel=1e-6, abs=1e-6)
    assert curvature == pytest.approx(bend, rel=1e-5, abs=1e-5)


def test_without_features_it_is_nelson_and_aalen() -> None:
    sample = Durations(np.zeros((4, 0)), np.array([1.0, 2.0, 2.0, 5.0]), np.array([1, 1, 0, 1]) > 0)
    fitted = Cox("breslow").fit(sample)
    assert fitted.hazard.tolist() == pytest.approx([1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3 + 1])


def test_efron_knows_that_gifts_at_one_second_leave_one_minus_p() -> None:
    n = 4_000
    event = np.arange(n) % 5 == 0
    sample = Durations(np.zeros((n, 0)), np.where(event, 1.0, 9.0), event)

    def left(model: Cox) -> float:
        return float(model.fit(sample).survival(np.zeros((1, 0)), np.array([5.0]))[0, 0])

    assert left(Cox()) == pytest.approx(0.8, abs=1e-3)
    assert left(Cox("breslow")) == pytest.approx(np.exp(-0.2), abs=1e-9)


def _coverage(replications: int, n: int) -> list[float]:
    hits = np.zeros(2)
    for seed in range(replications):
        for j, found in enumerate(Cox().fit(planted(500 + seed, n)).coefficients()):
            assert found.low is not None
            assert found.high is not None
            hits[j] += found.low <= SLOPES[j] <= found.high
    return (hits / replications).tolist()


def test_planted_effects_are_within_their_intervals() -> None:
    assert min(_coverage(100, 200)) >= 0.89


@pytest.mark.slow
def test_planted_effects_are_within_their_intervals_as_often_as_they_say() -> None:
    assert all(0.935 <= share <= 0.965 for share in _coverage(1_500, 400))


def test_the_planted_curve_comes_back() -> None:
    sample = planted(3, 20_000)
    fitted = Cox().fit(sample)
    rows, t = np.array([[0.0, 0.0], [1.0, -1.0]]), np.array([0.4, 0.8, 1.2])
    truth = np.exp(-np.exp(rows @ SLOPES)[:, None] * t[None, :] ** 2)
    assert fitted.survival(rows, t) == pytest.approx(truth, abs=0.02)
    assert isinstance(fitted, FittedCox)


def test_what_cannot_be_fitted_is_refused() -> None:
    X = np.arange(3.0)[:, None]
    with pytest.raises(NotEnoughDataError, match="no event"):
        Cox().fit(Durations(X, np.ones(3), np.zeros(3) > 0))
    separated = Durations(np.array([[1.0], [0.0], [0.0]]), np.array([1.0, 2.0, 2.0]), X[:, 0] < 1)
    with pytest.raises(NotEnoughDataError, match="singular"):  # a constant feature
        Cox().fit(Durations(np.ones((3, 1)), separated.time, separated.event))
    assert np.isfinite(Cox(penalty=1.0).fit(separated).slopes).all()
