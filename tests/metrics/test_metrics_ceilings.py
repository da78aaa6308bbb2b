from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from giftlive import metrics
from giftlive.rng import stream


def test_the_curve_is_the_capture_at_each_fraction(columns: Any) -> None:
    curve = metrics.capture_curve(columns.amount, columns.score, weights=columns.copies)
    single = [
        metrics.revenue_capture(columns.amount, columns.score, f, columns.copies)
        for f in (0.001, 0.005, 0.01, 0.02, 0.05, 0.10)
    ]
    assert curve.tolist() == single
    assert (np.diff(curve) >= 0.0).all()


def test_the_curve_without_an_amount_has_no_value() -> None:
    assert np.isnan(metrics.capture_curve(np.zeros(3), np.arange(3.0))).all()
    assert np.isnan(metrics.capture_curve([], [])).all()


def test_oracle_known_answer_and_bound(columns: Any) -> None:
    assert metrics.oracle_at([0.0, 10.0, 30.0, 60.0], 0.25) == pytest.approx(0.6)
    for fraction in metrics.CAPTURE_FRACTIONS:
        found = metrics.revenue_capture(columns.amount, columns.score, fraction)
        assert found <= metrics.oracle_at(columns.amount, fraction) + 1e-12


def test_oracle_matches_a_plain_sum_of_the_largest() -> None:
    y = stream(5, "oracle").exponential(size=1000)
    assert metrics.oracle_at(y, 0.05) == pytest.approx(np.sort(y)[-50:].sum() / y.sum())


def test_ceilings_are_ordered_and_hold_every_observer_down() -> None:
    g = stream(6, "ceilings")
    seen = g.integers(0, 20, 20_000)
    latent = np.exp(g.normal(size=20_000))
    expected = np.exp(seen / 10.0) * latent
    bayes = np.exp(seen / 10.0)
    noisy = bayes * np.exp(0.5 * g.normal(size=20_000))
    for fraction in (0.01, 0.05, 0.10):
        top = metrics.latent_ceiling(expected, fraction)
        reachable = metrics.bayes_ceiling(expected, bayes, fraction)
        model = metrics.revenue_capture(expected, noisy, fraction)
        assert model < reachable < top
    assert metrics.bayes_ceiling(expected, expected, 0.05) == metrics.latent_ceiling(expected, 0.05)


def test_a_bayes_ceiling_that_sees_nothing_is_the_fraction() -> None:
    assert metrics.bayes_ceiling([1.0, 5.0, 2.0], np.zeros(3), 0.4) == pytest.approx(0.4)


def test_realised_luck_lifts_the_oracle_above_the_latent_ceiling() -> None:
    g = stream(7, "luck")
    expected = g.exponential(size=5_000)
    realised = expected * g.pareto(1.5, 5_000)
    assert metrics.oracle_at(realised, 0.01) > metrics.latent_ceiling(expected, 0.01)
