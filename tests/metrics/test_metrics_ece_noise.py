"""The debiased squared calibration error: no noise left, and the published formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from giftlive import metrics
from giftlive.metrics.order import equal_mass_rows
from giftlive.rng import stream
from giftlive.types import Floats


def _kumar(gift: Floats, p: Floats, bins: int) -> float:
    """Kumar, Liang and Ma (2019), Definition 4.3, from the mean label and prediction of a bin."""
    total = 0.0
    for part in np.array_split(np.argsort(p, kind="stable"), bins):
        rate, said, n = gift[part].mean(), p[part].mean(), len(part)
        total += n / len(p) * ((said - rate) ** 2 - rate * (1.0 - rate) / (n - 1))
    return total


def _samples(runs: int, n: int, shift: float = 0.0) -> tuple[Floats, Floats]:
    """Return [runs] debiased and plain errors of a model that is off by ``shift``."""
    g = stream(11, "ece")
    debiased, plain = np.empty(runs), np.empty(runs)
    for i in range(runs):
        p = 0.3 * g.random(n)
        gift = (g.random(n) < p + shift).astype(np.float64)
        debiased[i] = metrics.debiased_squared_ece(gift, p)
        plain[i] = metrics.ece(gift, p)
    return debiased, plain


def test_known_answer_of_one_bin() -> None:
    # residuals .25 .25 -.75: Σ over ordered pairs = (Σd)² − Σd² = .0625 − .6875, over 6 pairs
    got = metrics.debiased_squared_ece([0.0, 0.0, 1.0], [0.25, 0.25, 0.25], bins=1)
    assert got == pytest.approx(-0.625 / 6)


def test_it_is_the_published_estimator_where_p_is_constant_within_bins() -> None:
    g = stream(8, "ece")
    p = np.repeat(np.linspace(0.05, 0.75, 15), 40)
    gift = (g.random(600) < p + 0.1).astype(np.float64)
    assert metrics.debiased_squared_ece(gift, p) == pytest.approx(_kumar(gift, p, 15), rel=1e-10)


def test_its_mean_is_zero_for_a_calibrated_model_and_the_plain_one_is_not() -> None:
    debiased, plain = _samples(400, 900)
    error = float(debiased.std() / np.sqrt(len(debiased)))
    assert abs(float(debiased.mean())) < 4.0 * error
    assert float(plain.mean()) > 0.02
    assert (plain > 0.0).all()
    assert 0.3 < float((debiased < 0.0).mean()) < 0.7
    # sharp enough to see a fifth of the noise of the plain error
    assert 4.0 * error < 0.2 * float(np.mean(plain**2))


def test_it_finds_the_squared_shift() -> None:
    debiased, _ = _samples(100, 900, shift=0.2)
    error = float(debiased.std() / np.sqrt(len(debiased)))
    assert float(debiased.mean()) == pytest.approx(0.04, abs=4.0 * error)


def test_rows_of_one_cluster_are_one_observation() -> None:
    gift, p = np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.5, 0.4, 0.3, 0.2])
    once = metrics.debiased_squared_ece(gift, p, bins=1)
    cluster = np.tile(np.arange(4), 3)
    thrice = metrics.debiased_squared_ece(np.tile(gift, 3), np.tile(p, 3), bins=1, cluster=cluster)
    assert thrice == pytest.approx(once, rel=1e-12)
    unaware = metrics.debiased_squared_ece(np.tile(gift, 3), np.tile(p, 3), bins=1)
    assert unaware > once


def test_copied_users_do_not_create_an_error() -> None:
    g = stream(12, "ece")
    found = np.empty(200)
    for i in range(200):
        p = np.repeat(0.3 * g.random(100), 6)
        gift = np.repeat((g.random(100) < p[::6]).astype(np.float64), 6)
        found[i] = metrics.debiased_squared_ece(gift, p, 5, cluster=np.repeat(np.arange(100), 6))
    assert abs(found.mean()) < 4.0 * found.std() / np.sqrt(200)


def test_the_rows_of_the_bins_are_the_bins_of_the_table(columns: Any) -> None:
    table = metrics.reliability(columns.amount, columns.p, 15, columns.copies)
    bins = list(equal_mass_rows(columns.p, columns.copies, 15))
    assert [mass.sum() for _, mass in bins] == pytest.approx(table.weight)
    assert [columns.p[rows] @ mass for rows, mass in bins] == pytest.approx(table.predicted)
    gift = (columns.amount > 0.0).astype(np.float64)
    assert [gift[rows] @ mass for rows, mass in bins] == pytest.approx(table.actual)


def test_resampled_users_leave_it_centred_and_lift_the_plain_error() -> None:
    g = stream(14, "ece")
    user = np.arange(1_200) % 300
    p = 0.3 * g.random(1_200)
    gift = (g.random(1_200) < p).astype(np.float64)
    resamples = [g.poisson(1.0, 300)[user].astype(np.float64) for _ in range(300)]
    debiased = [metrics.debiased_squared_ece(gift, p, 5, w, cluster=user) for w in resamples]
    value = metrics.debiased_squared_ece(gift, p, 5, cluster=user)
    error = float(np.std(debiased)) / np.sqrt(300)
    assert float(np.mean(debiased)) == pytest.approx(value, abs=4.0 * error)
    plain = [metrics.ece(gift, p, 5, w) for w in resamples]
    assert float(np.mean(plain)) > metrics.ece(gift, p, 5) + 10.0 * np.std(plain) / np.sqrt(300)


def test_a_bin_of_one_cluster_has_no_value() -> None:
    assert np.isnan(metrics.debiased_squared_ece([1.0, 0.0], [0.2, 0.9], bins=2))
    assert np.isnan(metrics.debiased_squared_ece([1.0, 0.0], [0.2, 0.9], bins=1, cluster=[4, 4]))
    assert np.isnan(metrics.debiased_squared_ece([], []))


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.3, 0.015])
def test_no_noise_is_left_at_the_rate_of_gifts(rate: float) -> None:
    g = stream(13, "ece")
    found = np.empty(2_000)
    for i in range(len(found)):
        p = g.beta(1.0, 1.0 / rate - 1.0, 3_000)
        found[i] = metrics.debiased_squared_ece((g.random(3_000) < p).astype(np.float64), p)
    assert abs(found.mean()) < 4.0 * found.std() / np.sqrt(len(found))
