"""The share of a gap that is closed: known answers, agreement with the metrics, coverage."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive import metrics
from giftlive.errors import InputError
from giftlive.evaluation.delay.gap import (
    calibration_error,
    error_ratio,
    gap_closed,
    harm,
    row_losses,
)
from giftlive.evaluation.delay.recency import tilt
from giftlive.rng import stream
from giftlive.types import Floats, Ints


def sample(seed: int, n: int = 3_000) -> tuple[Floats, Floats, Ints]:
    """Labels, their true chances, users of ten rows each."""
    rng = stream(seed, "gap")
    chance = rng.beta(1.0, 6.0, n)
    return (rng.random(n) < chance).astype(np.float64), chance, rng.integers(0, n // 10, n)


def test_losses_and_errors_are_those_of_the_metrics() -> None:
    y, chance, _ = sample(1)
    p = np.clip(chance * 0.7, 0.0, 1.0)
    assert row_losses(y, p).mean() == pytest.approx(metrics.log_loss(y, p), rel=1e-12)
    assert calibration_error(y, p) == pytest.approx(metrics.ece(y, p), abs=1e-12)
    assert calibration_error(chance, chance) == 0.0
    assert calibration_error(chance, p) == pytest.approx(0.3 * chance.mean(), rel=1e-9)
    with pytest.raises(InputError, match="0, 1"):
        row_losses(y, p * 9.0)


def test_the_oracle_closes_all_and_vanilla_nothing() -> None:
    y, chance, user = sample(2)
    vanilla = 0.5 * chance
    all_of = gap_closed(y, vanilla, chance, chance, user)
    nothing = gap_closed(y, vanilla, vanilla, chance, user)
    assert (all_of.value, all_of.low, all_of.high) == (1.0, 1.0, 1.0)
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)


def test_a_share_is_the_ratio_of_the_gains() -> None:
    y, chance, user = sample(3)
    vanilla, treated = 0.4 * chance, 0.7 * chance
    found = gap_closed(y, vanilla, treated, chance, user)
    a, b, c = (metrics.log_loss(y, p) for p in (vanilla, treated, chance))
    assert found.value == pytest.approx((a - b) / (a - c), rel=1e-9)
    assert found.low is not None
    assert found.high is not None
    assert found.low < (found.value or 0.0) < found.high
    assert found.n == len(np.unique(user))
    worse = gap_closed(y, vanilla, 0.1 * chance, chance, user)
    assert worse.high is not None
    assert worse.high < 0.0


def test_without_a_gap_there_is_no_share_of_it() -> None:
    y, chance, user = sample(4)
    none = gap_closed(y, chance, 0.7 * chance, chance, user)
    assert none.status == "undefined"
    assert none.value is None
    backwards = gap_closed(y, chance, chance, 0.5 * chance, user)
    assert backwards.status == "undefined"
    assert "gap" in backwards.reason


def test_harm_is_a_paired_difference() -> None:
    y, chance, user = sample(5)
    assert harm(y, chance, chance, user).value == 0.0
    assert harm(y, chance, chance, user).width == 0.0
    worse = harm(y, chance, 0.4 * chance, user)
    assert worse.low is not None
    assert worse.low > 0.0


def test_the_ratio_of_errors_is_paired_too() -> None:
    _, chance, user = sample(6)
    found = error_ratio(chance, 0.5 * chance, 0.8 * chance, user)
    assert found.value == pytest.approx(0.4, rel=1e-9)
    assert found.width == pytest.approx(0.0, abs=1e-9)
    noisy = error_ratio(sample(6)[0], 0.5 * chance, 0.8 * chance, user)
    assert noisy.low is not None
    assert noisy.high is not None
    assert noisy.low < 0.5 < noisy.high or noisy.high > 0.4


def test_without_a_gift_there_is_not_enough_data() -> None:
    none, user, age = np.zeros(60), np.arange(60) // 2, np.arange(60.0)
    ratio = error_ratio(none, np.full(60, 0.1), np.full(60, 0.2), user)
    young = tilt(np.full(60, 0.1), none, age, user, 30.0)
    for found in (ratio, young):
        assert (found.status, found.value, found.n) == ("not_enough_data", None, 30)
        assert found.reason == "no gift"


def _coverage(replications: int) -> float:
    """Share of labels' draws whose interval holds the share of the expected gains."""
    rng, hits = stream(7, "gap coverage"), 0
    _, chance, user = sample(8)
    vanilla, treated = 0.4 * chance, 0.75 * chance
    a, b, c = (row_losses(chance, p).sum() for p in (vanilla, treated, chance))
    truth = (a - b) / (a - c)
    for seed in range(replications):
        y = (rng.random(len(chance)) < chance).astype(np.float64)
        found = gap_closed(y, vanilla, treated, chance, user, seed)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= truth <= found.high
    return hits / replications


def test_the_interval_holds_the_expected_share_about_as_often_as_it_says() -> None:
    assert _coverage(25) >= 0.8


@pytest.mark.slow
def test_the_interval_holds_the_expected_share_as_often_as_it_says() -> None:
    assert 0.925 <= _coverage(1_000) <= 0.975
