"""Rates per exposure: how often a shown room is entered, how long it is watched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from giftlive.models.signals import fit_rank_one
from giftlive.rng import stream


def test_a_rate_by_hand() -> None:
    rate = fit_rank_one(
        np.array([10, 30]), np.array([8.0, 12.0]), np.array([20, 20]), np.array([15.0, 5.0]), 10.0
    )
    assert rate.mean == 0.5
    # with ten exposures at the mean added: 13 of 10 expected, 17 of 20; 20 of 15, 10 of 15
    assert_allclose(rate.user, [1.3, 0.85])
    assert_allclose(rate.streamer, [4 / 3, 2 / 3])
    assert_allclose(rate.table()[0], [0.5 * 1.3 * 4 / 3, 0.5 * 1.3 * 2 / 3])


@pytest.mark.parametrize("prior", [0.0, 50.0])
def test_a_pair_that_was_never_shown_gets_the_mean(prior: float) -> None:
    shown, total = np.array([40, 0]), np.array([10.0, 0.0])
    rate = fit_rank_one(shown, total, shown, total, prior)
    assert rate.user[1] == rate.streamer[1] == 1.0
    assert rate.table()[1, 1] == rate.mean == 0.25


def test_without_any_exposure_every_rate_is_zero() -> None:
    nobody = np.zeros(3, dtype=np.int64)
    rate = fit_rank_one(nobody, np.zeros(3), nobody, np.zeros(3))
    assert rate.mean == 0.0
    assert_allclose(rate.table(), np.zeros((3, 3)))


def test_a_probability_stays_one() -> None:
    shown, clicks = np.array([1_000, 1_000]), np.array([990.0, 10.0])
    table = fit_rank_one(shown, clicks, shown, clicks, 0.0, upper=1.0).table()
    assert table[0, 0] == 1.0
    assert 0.0 <= table.min() <= table.max() <= 1.0


def test_a_larger_prior_pulls_every_factor_towards_one() -> None:
    g = stream(1, "shrink")
    shown = g.integers(1, 50, 20)
    total = g.binomial(shown, 0.3).astype(np.float64)
    far = [np.abs(fit_rank_one(shown, total, shown, total, k).user - 1.0) for k in (0.0, 50, 1e9)]
    assert np.all(far[1] <= far[0] + 1e-12)
    assert_allclose(far[2], 0.0, atol=1e-6)


@given(st.integers(0, 10_000), st.floats(0.1, 5.0))
def test_seconds_in_another_unit_scale_the_table_alone(seed: int, unit: float) -> None:
    g = stream(seed, "seconds")
    shown, streamers = g.integers(0, 30, 6), g.integers(0, 30, 4)
    one, other = shown * g.exponential(9.0, 6), streamers * g.exponential(9.0, 4)
    before = fit_rank_one(shown, one, streamers, other).table()
    after = fit_rank_one(shown, unit * one, streamers, unit * other).table()
    assert_allclose(after, unit * before, rtol=1e-9)


def test_balanced_exposures_of_a_rank_one_law_are_found_again() -> None:
    g = stream(2, "rank one")
    a, b, each = g.uniform(0.5, 1.5, 60), g.uniform(0.5, 1.5, 20), 400
    law = 0.4 * np.outer(a / a.mean(), b / b.mean())
    clicks = g.binomial(each, law).astype(np.float64)
    rate = fit_rank_one(
        np.full(60, each * 20), clicks.sum(1), np.full(20, each * 60), clicks.sum(0), 1.0, 1.0
    )
    assert_allclose(rate.table(), law, rtol=0.08)
