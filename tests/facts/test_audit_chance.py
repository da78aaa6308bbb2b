"""The tests behind the detectors: known answers, limits, and false alarms under their null."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.facts.atom import ALPHA, atom
from giftlive.facts.audit.chance import (
    at_most,
    beyond_reliability,
    outlier,
    rank_correlation,
    unseen,
)
from giftlive.facts.audit.late import thinning
from giftlive.facts.audit.viewings import thinning_out
from giftlive.facts.outages import low_beside


def test_an_atom_needs_more_than_its_neighbours() -> None:
    assert atom(0, 0, 1, 20) == 1.0
    assert atom(2, 0, 1, 20) == pytest.approx((2 / 22) ** 2)
    assert atom(100, 1000, 1, 20) > ALPHA  # twice as dense as beside it is still no atom
    assert atom(300, 1000, 1, 20) < 1e-9


def test_at_most_is_poisson() -> None:
    assert at_most(0, 5.0) == pytest.approx(np.exp(-5.0))
    assert at_most(10, 5.0) > 0.98


def test_the_unseen_are_chao_s_bound() -> None:
    found = unseen(55, 29)
    assert found.estimate == pytest.approx(55 * 54 / 60)
    assert 0 < found.lower < found.estimate
    assert unseen(1, 0) == (0.0, 0.0)


def test_equal_units_are_not_taken_for_selected_ones() -> None:
    """Poisson units alike, where the bound is sharp: those without an event are there."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(400):
        n = np.bincount(rng.poisson(1.2, 300), minlength=3)
        lower = unseen(int(n[1]), int(n[2])).lower
        alarms += n[0] < lower and at_most(int(n[0]), lower) < ALPHA
    assert alarms == 0


@pytest.mark.parametrize("lasting", [0.1, 0.5, 0.9])
def test_a_column_from_before_honours_the_bound(lasting: float) -> None:
    """Column, odd and even days share what lasts and nothing else."""
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(200):
        own = rng.standard_normal(120)
        odd, even = (
            np.sqrt(lasting) * own + np.sqrt(1 - lasting) * rng.standard_normal(120)
            for _ in range(2)
        )
        r, halves = rank_correlation(own, odd + even), rank_correlation(odd, even)
        alarms += beyond_reliability(r, halves, 120) < ALPHA
    assert alarms <= 2


def test_a_column_with_the_window_s_noise_breaks_the_bound() -> None:
    rng = np.random.default_rng(3)
    odd, even = rng.standard_normal((2, 120))
    r = rank_correlation(odd + even + 0.3 * rng.standard_normal(120), odd + even)
    assert beyond_reliability(r, rank_correlation(odd, even), 120) < ALPHA
    assert beyond_reliability(1.0, 1.0, 120) == 1.0
    assert beyond_reliability(0.9, 0.1, 5) == 1.0  # too few to tell


def test_constant_columns_follow_nothing() -> None:
    assert rank_correlation(np.ones(9), np.arange(9.0)) == 0.0


def test_an_outlier_is_beyond_the_others_tail() -> None:
    steep, flat = np.full(40, 0.2), np.full(40, 1.0)
    assert outlier(1000.0, 10.0, 900.0, steep) < ALPHA
    assert outlier(1000.0, 10.0, 900.0, flat) > ALPHA
    assert outlier(800.0, 10.0, 900.0, steep) == 1.0  # not more than all others


def test_an_outlier_is_judged_by_its_own_size() -> None:
    flat = np.full(40, 1.0)
    near, far, absurd = (outlier(x, 3_000.0, 1e4, flat) for x in (1e4 + 1, 1e6, 1e12))
    assert near > 0.1 > far > absurd
    assert absurd < 1e-6


@pytest.mark.parametrize("index", [0.5, 1.0, 3.0])
def test_the_largest_of_pareto_values_is_accused_as_often_as_stated(index: float) -> None:
    """Uniform under its null, the maximum left out of the tail that judges it."""
    rng = np.random.default_rng(8)
    chances = []
    for _ in range(2_000):
        value = np.sort(rng.pareto(1 / index, 200) + 1)
        excess = np.log(value[-15:-1] / value[-16])
        chances.append(outlier(value[-1], value[-2], 0.0, excess))
    assert np.mean(np.array(chances) < 0.1) == pytest.approx(0.1, abs=0.02)
    assert np.mean(np.array(chances) < 0.01) == pytest.approx(0.01, abs=0.007)


def test_low_days_know_no_holiday_and_no_scale() -> None:
    rng = np.random.default_rng(1)
    beside = np.round(10_000 * rng.lognormal(0.0, 0.5, 21)).astype(np.int64)
    quiet = np.round(0.3 * beside * rng.lognormal(0.0, 0.03, 21)).astype(np.int64)
    assert not low_beside(quiet, beside).any()
    quiet[8] = round(quiet[8] * 0.65)
    assert low_beside(quiet, beside).nonzero()[0].tolist() == [8]
    assert low_beside(50 * quiet, beside).nonzero()[0].tolist() == [8]
    assert not low_beside(quiet[:6], beside[:6]).any()


def test_late_gifts_thin_out() -> None:
    rng = np.random.default_rng(4)
    hours, usual = 480, np.full(480, 1000)
    left, part = np.arange(float(hours))[::-1] + 0.5, np.arange(hours) % 24 // 6
    alarms = 0
    for _ in range(200):
        alarms += thinning(rng.poisson(3.0, hours), usual, part, left).chance < ALPHA
    assert alarms <= 2
    late = rng.poisson(3.0 * -np.expm1(-left / 24.0))
    found = thinning(late, usual, part, left)
    assert found.chance < ALPHA
    assert found.lag_h in (12.0, 24.0, 72.0)
    assert found.seen < found.expected


def test_full_places_thin_out_geometrically() -> None:
    rng = np.random.default_rng(6)
    size, places = np.unique(rng.geometric(0.7, 50_000), return_counts=True)
    found = thinning_out(size, places, np.array([8]))[0]
    assert found == pytest.approx(0.3**7, rel=0.5)
