"""Ratio smearing: planted factors come back, the order stays."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.models.smearing import LEAST_SLOPE, RatioSmearing, ratio_smearing
from giftlive.rng import stream


def test_one_factor_is_recovered_exactly() -> None:
    predicted = np.exp(stream(0, "smear").normal(size=5_000))
    curve = ratio_smearing(predicted, 2.5 * predicted)
    assert len(curve.at) == 10
    assert curve(predicted) == pytest.approx(2.5 * predicted, rel=1e-12)


def test_a_factor_that_grows_with_the_value_is_followed_where_one_factor_is_not() -> None:
    g = stream(1, "smear")
    predicted = np.exp(2.0 * g.normal(size=60_000))
    mean = predicted**1.3
    actual = mean * g.exponential(size=60_000)
    corrected = ratio_smearing(predicted, actual, bins=10)(predicted)
    single = ratio_smearing(predicted, actual, bins=1)(predicted)
    tenths = np.array_split(np.argsort(predicted), 10)
    many = [corrected[rows].sum() / mean[rows].sum() for rows in tenths]
    one = [single[rows].sum() / mean[rows].sum() for rows in tenths]
    assert max(np.abs(np.log(many))) < 0.25
    assert max(np.abs(np.log(one))) > 1.0


def test_a_log_normal_needs_half_its_variance() -> None:
    g = stream(2, "smear")
    eta = g.normal(size=40_000)
    actual = np.exp(eta + 0.8 * g.normal(size=40_000))
    curve = ratio_smearing(np.exp(eta), actual)
    assert np.mean(curve.log_ratio) == pytest.approx(0.8**2 / 2.0, abs=0.03)


def test_few_gifts_have_one_factor_and_the_right_sum() -> None:
    predicted = np.arange(1.0, 101.0)
    actual = np.where(np.arange(100) % 10 == 0, 40.0, 0.0)
    curve = ratio_smearing(predicted, actual)
    assert len(curve.at) == 1
    assert curve(predicted).sum() == pytest.approx(actual.sum(), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_is_never_changed(seed: int) -> None:
    g = stream(seed, "order")
    predicted = np.exp(g.normal(size=3_000))
    # The larger the prediction the smaller the amount: what a bin alone would turn around.
    actual = g.exponential(size=3_000) / predicted**2
    curve = ratio_smearing(predicted, actual, bins=20)
    spread = np.exp(np.linspace(-6.0, 6.0, 500))
    assert (np.diff(np.log(curve(spread))) >= LEAST_SLOPE * np.diff(np.log(spread)) - 1e-12).all()


def test_equal_predictions_make_one_bin() -> None:
    curve = ratio_smearing(np.full(1_000, 3.0), np.arange(1_000.0))
    assert curve == RatioSmearing.from_dict(curve.as_dict())
    assert curve(np.array([3.0])) == pytest.approx([499.5])
