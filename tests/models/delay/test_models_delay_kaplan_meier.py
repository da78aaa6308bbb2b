"""Kaplan-Meier: published numbers, the definition, and how often the band holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.delay.checks import TREATED, remissions

from giftlive.errors import NotEnoughDataError
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.kaplan_meier import Curve, KaplanMeier
from giftlive.rng import stream


def test_the_published_curve_of_the_remissions() -> None:
    # Kalbfleisch and Prentice (1980), table 1.2; the same in every textbook.
    curve = Curve.of(*remissions(TREATED))
    assert curve.time.tolist() == [6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0]
    assert curve.at_risk.tolist() == [21.0, 17.0, 15.0, 12.0, 11.0, 7.0, 6.0]
    published = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert curve.at(curve.time) == pytest.approx(published, abs=5e-5)


def test_greenwoods_standard_errors_are_the_published_ones() -> None:
    curve = Curve.of(*remissions(TREATED))
    low, high = curve.band(curve.time)
    survive = curve.at(curve.time)
    # On the scale log(-log S) the half width is z·se(S)/(S·|log S|).
    half = (np.log(-np.log(low)) - np.log(-np.log(high))) / 2.0
    se = half / 1.959964 * survive * -np.log(survive)
    published = [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346]
    assert se == pytest.approx(published, abs=5e-5)


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=30))
def test_it_is_the_product_of_the_shares_that_survive(rows: list[tuple[int, bool]]) -> None:
    time = np.array([float(t) for t, _ in rows])
    event = np.array([float(e) for _, e in rows])
    curve = Curve.of(time, event)
    for t in np.arange(0.0, 7.0, 0.5).tolist():
        product = 1.0
        for u in range(1, 7):
            if u <= t and (at_risk := sum(1 for s, _ in rows if s >= u)):
                product *= 1.0 - sum(1 for s, e in rows if s == u and e) / at_risk
        assert float(curve.at(t)[0]) == pytest.approx(product, abs=1e-12)
    low, high = curve.band(np.arange(0.0, 7.0))
    inside = curve.at(np.arange(0.0, 7.0))
    assert ((low <= inside + 1e-12) & (inside <= high + 1e-12)).all()


def test_without_censoring_it_is_the_share_that_is_left() -> None:
    time = stream(1, "km").exponential(size=500)
    curve = Curve.of(time, np.ones(500))
    at = np.array([0.1, 0.5, 2.0])
    assert curve.at(at) == pytest.approx([(time > t).mean() for t in at], abs=1e-12)


def _coverage(replications: int, n: int) -> float:
    """Share of (replication, time) whose band holds S of a Weibull law cut at random ages."""
    rng, at = stream(3, "km band"), np.array([0.3, 0.7, 1.2])
    hits = 0
    for _ in range(replications):
        latent, cut = rng.weibull(0.8, n), rng.uniform(0.2, 2.5, n)
        curve = Curve.of(np.minimum(latent, cut), (latent <= cut).astype(np.float64))
        low, high = curve.band(at)
        truth = np.exp(-(at**0.8))
        hits += int(((low <= truth) & (truth <= high)).sum())
    return hits / (3 * replications)


def test_the_band_holds_the_truth_about_as_often_as_it_says() -> None:
    assert 0.92 <= _coverage(300, 200) <= 0.98


@pytest.mark.slow
def test_the_band_holds_the_truth_as_often_as_it_says() -> None:
    assert 0.94 <= _coverage(4_000, 400) <= 0.96


def test_maturity_is_the_share_of_labels_that_are_there() -> None:
    rng, n = stream(4, "maturity"), 20_000
    latent = np.where(rng.random(n) < 0.2, rng.exponential(1.0, n), np.inf)
    age = rng.uniform(0.0, 5.0, n)
    sample = Durations(np.zeros((n, 1)), np.minimum(latent, age), latent <= age)
    curve = KaplanMeier().fit(sample)
    found = curve.maturity([0.0, 1.0, 2.0, 4.0], 4.0)
    truth = -np.expm1(-np.array([0.0, 1.0, 2.0, 4.0])) / -np.expm1(-4.0)
    assert found == pytest.approx(truth, abs=0.02)
    naive = [(latent <= np.minimum(age, t)).sum() / (latent <= age).sum() for t in (1.0, 2.0)]
    assert naive[0] > truth[1] + 0.04  # the gifts seen lean towards the early ones
    with pytest.raises(NotEnoughDataError, match="horizon"):
        curve.maturity([1.0], 6.0)


def test_it_says_the_same_for_every_row() -> None:
    curve = KaplanMeier().fit(Durations(np.zeros((2, 1)), np.array([1.0, 2.0]), np.ones(2) > 0))
    assert curve.survival(np.zeros((3, 1)), np.array([1.5])).tolist() == [[0.5]] * 3
    with pytest.raises(NotEnoughDataError):
        Curve.of(np.zeros(0), np.zeros(0))
