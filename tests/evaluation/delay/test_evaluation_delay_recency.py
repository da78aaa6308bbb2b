"""Bias by age: known answers, and an interval that holds a planted tilt."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.errors import UsageError
from giftlive.evaluation.delay.recency import bias_by_age, tilt
from giftlive.rng import stream
from giftlive.types import Floats, Ints


def sample(seed: int, n: int = 4_000) -> tuple[Floats, Floats, Floats, Ints]:
    """Chances, labels, ages from 0 to 100 s, users of ten rows."""
    rng = stream(seed, "recency")
    chance = rng.beta(2.0, 8.0, n)
    y = (rng.random(n) < chance).astype(np.float64)
    return chance, y, rng.uniform(0.0, 100.0, n), rng.integers(0, n // 10, n)


def test_the_bias_of_a_band_is_promised_minus_observed() -> None:
    chance, y, age, user = sample(1)
    said = np.where(age < 25.0, 0.5 * chance, chance)
    young, middle, old = bias_by_age(said, y, age, user, (0.0, 25.0, 50.0, 101.0))
    rows = age < 25.0
    assert young.rows == rows.sum()
    assert young.bias.value == pytest.approx((said - y)[rows].mean(), abs=1e-12)
    assert young.rate == pytest.approx(y[rows].mean())
    assert young.bias.high is not None
    assert young.bias.high < 0.0
    for band in (middle, old):
        assert band.bias.low is not None
        assert band.bias.high is not None
        assert band.bias.low < 0.0 < band.bias.high
    assert [b.youngest for b in (young, middle, old)] == [0.0, 25.0, 50.0]
    assert len(bias_by_age(said, y, age, user, (0.0, 101.0, 200.0))) == 1  # nothing is so old


def test_tilt_is_the_difference_in_shares_of_the_rate() -> None:
    chance, y, age, user = sample(2)
    said = np.where(age < 50.0, 0.5 * chance, chance)
    exact = tilt(said, chance, age, user, 50.0)
    assert exact.value == pytest.approx(-0.5, abs=0.02)  # of a young row half is missing
    with_labels = tilt(said, y, age, user, 50.0)
    assert with_labels.high is not None
    assert with_labels.high < -0.3
    flat = tilt(chance, y, age, user, 50.0)
    assert flat.low is not None
    assert flat.high is not None
    assert flat.low < 0.0 < flat.high
    level = tilt(0.5 * chance, 0.5 * chance, age, user, 50.0)
    assert level.value == 0.0


def test_the_interval_of_the_tilt_holds_it_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(300):
        chance, y, age, user = sample(100 + seed, 1_000)
        found = tilt(chance, y, age, user, 50.0)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.0 <= found.high
    assert 0.91 <= hits / 300 <= 0.985


def test_edges_and_splits_that_say_nothing_are_refused() -> None:
    chance, y, age, user = sample(3, 100)
    with pytest.raises(UsageError, match="edges"):
        bias_by_age(chance, y, age, user, (1.0,))
    with pytest.raises(UsageError, match="edges"):
        bias_by_age(chance, y, age, user, (5.0, 1.0))
    with pytest.raises(UsageError, match="split"):
        tilt(chance, y, age, user, 1e9)
