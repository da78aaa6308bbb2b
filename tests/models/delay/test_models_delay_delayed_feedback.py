"""Chapelle's model: the loss as published, its gradient, its limits, and planted parameters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from giftlive.errors import NotEnoughDataError
from giftlive.models.delay.chance import Logistic
from giftlive.models.delay.delayed_feedback import DelayedFeedback, DelayLoss
from giftlive.models.delay.follow_up import NEVER, FollowUp
from giftlive.rng import stream
from giftlive.types import Floats

GIFT, DELAY, SHAPE = np.array([-1.5, 0.8]), np.array([-6.0, 0.4]), 0.5


def planted(
    seed: int, n: int, oldest: float, shape: float = 1.0, youngest: float = 0.0
) -> FollowUp:
    """p = logistic(−1.5 + 0.8 x), Weibull delays of rate e^(−6 + 0.4 x) per second."""
    rng = stream(seed, "chapelle")
    x = rng.normal(size=n)
    gift = rng.random(n) < expit(GIFT[0] + GIFT[1] * x)
    delay = rng.weibull(shape, n) * np.exp(-DELAY[0] - DELAY[1] * x)
    age = rng.uniform(youngest, oldest, n)
    seen = gift & (delay <= age)
    nothing = np.full(n, NEVER)
    return FollowUp(
        x[:, None], age, seen, np.where(seen, delay, np.nan), nothing, seen.astype(np.float64)
    )


def _published(p: Floats, rate: Floats, known: FollowUp) -> float:
    """Chapelle (2014), equation 10, without the penalty."""
    total = 0.0
    for i in range(len(known)):
        if known.seen[i]:
            total += -np.log(p[i]) - np.log(rate[i]) + rate[i] * known.delay[i]
        else:
            total -= np.log(1.0 - p[i] + p[i] * np.exp(-rate[i] * known.age[i]))
    return float(total)


def test_the_loss_is_the_published_one() -> None:
    known = planted(1, 50, 900.0)
    columns = np.column_stack([np.ones(50), known.X])
    loss = DelayLoss.of(columns, known, 1.0, shape=False, penalty=0.0)
    p, rate = expit(columns @ GIFT), np.exp(columns @ DELAY)
    found = loss(np.concatenate([GIFT, DELAY]))[0]
    assert found == pytest.approx(_published(p, rate, known), rel=1e-12)


@settings(max_examples=25)
@given(
    st.lists(st.floats(-2.0, 2.0), min_size=5, max_size=5),
    st.booleans(),
    st.floats(0.0, 3.0),
)
def test_the_gradient_is_that_of_the_loss(at: list[float], shape: bool, penalty: float) -> None:
    known = planted(2, 80, 900.0)
    known.age[:3] = np.where(known.seen[:3], known.age[:3], 0.0)  # an age of 0 is allowed
    columns = np.column_stack([np.ones(80), known.X])
    loss = DelayLoss.of(columns, known, 400.0, shape, penalty)
    point, step = np.array(at[: 5 if shape else 4]), 1e-6
    by_difference = np.empty(len(point))
    for j in range(len(point)):
        move = np.zeros(len(point))
        move[j] = step
        by_difference[j] = (loss(point + move)[0] - loss(point - move)[0]) / (2.0 * step)
    scale = 1.0 + np.abs(by_difference).max()
    assert loss(point)[1] / scale == pytest.approx(by_difference / scale, abs=2e-6)


def test_planted_parameters_come_back_from_a_log_cut_early() -> None:
    rows, found = np.array([[-1.0], [0.0], [1.0]]), []
    for seed in range(20):
        known = planted(30 + seed, 20_000, 900.0)
        truth = expit(GIFT[0] + GIFT[1] * known.X[:, 0]).mean()
        assert known.seen.mean() < 0.7 * truth  # so much is missing
        fitted = DelayedFeedback(penalty=0.0).fit(known)
        found.append([fitted.probability(rows), fitted.rate(rows)])
    chance, rate = np.mean(found, axis=0)
    assert chance == pytest.approx(expit(GIFT[0] + GIFT[1] * rows[:, 0]), rel=0.05)
    assert rate == pytest.approx(np.exp(DELAY[0] + DELAY[1] * rows[:, 0]), rel=0.04)


def test_a_free_shape_finds_the_planted_one_and_a_fixed_one_is_biased() -> None:
    known = planted(4, 60_000, 2_500.0, SHAPE)
    truth = expit(GIFT[0] + GIFT[1] * known.X[:, 0]).mean()
    free = DelayedFeedback(shape=True, penalty=0.0).fit(known)
    assert np.exp(free.log_shape) == pytest.approx(SHAPE, rel=0.05)
    assert free.probability(known.X).mean() == pytest.approx(truth, rel=0.03)
    fixed = DelayedFeedback(penalty=0.0).fit(known)
    assert fixed.probability(known.X).mean() < 0.95 * truth


def test_on_old_rows_it_is_logistic_regression() -> None:
    known = planted(5, 5_000, 2e6, youngest=1e6)
    a = DelayedFeedback().fit(known).probability(known.X)
    b = Logistic().fit(known.X, known.seen.astype(np.float64)).probability(known.X)
    assert a == pytest.approx(b, abs=1e-3)


def test_what_is_still_to_come_falls_with_age_from_p_to_0() -> None:
    fitted = DelayedFeedback().fit(planted(6, 5_000, 900.0))
    rows = np.zeros((4, 1))
    left = fitted.still_to_come(rows, np.array([0.0, 100.0, 1_000.0, 1e5]))
    assert left[0] == pytest.approx(float(fitted.ever(rows[:1])[0]))
    assert (np.diff(left) < 0.0).all()
    assert left[3] < 1e-9


def test_chances_by_time_are_a_distribution_below_p() -> None:
    fitted = DelayedFeedback(shape=True).fit(planted(7, 5_000, 900.0))
    rows, t = np.array([[0.0], [2.0]]), np.array([0.0, 10.0, 1_000.0, 1e6])
    grown = fitted.incidence(rows, t)
    assert (np.diff(grown, axis=1) > 0.0).all()
    assert grown[:, 0].tolist() == [0.0, 0.0]
    assert grown[:, 3] == pytest.approx(fitted.ever(rows))
    assert fitted.survival(rows, t) == pytest.approx(1.0 - grown)


def test_a_horizon_cuts_the_chance_and_leaving_ends_it() -> None:
    known = planted(8, 30_000, 2_000.0)
    horizon = 500.0
    within = known.seen & (np.nan_to_num(known.delay) <= horizon)
    cut = FollowUp(
        known.X,
        known.age,
        within,
        np.where(within, known.delay, np.nan),
        known.left_after,
        within.astype(np.float64),
        horizon,
    )
    fitted = DelayedFeedback(penalty=0.0).fit(cut)
    x = known.X[:, 0]
    rate = np.exp(DELAY[0] + DELAY[1] * x)
    truth = expit(GIFT[0] + GIFT[1] * x) * (1.0 - np.exp(-rate * horizon))
    assert fitted.probability(known.X).mean() == pytest.approx(truth.mean(), rel=0.03)
    gone = FollowUp(
        known.X,
        known.age,
        known.seen,
        known.delay,
        np.where(known.seen, NEVER, known.age),  # everybody without a gift has left
        known.amount,
    )
    settled = DelayedFeedback().fit(gone).probability(known.X)
    assert settled.mean() == pytest.approx(known.seen.mean(), rel=1e-3)


def test_delays_that_are_all_equal_have_a_bounded_fit() -> None:
    known = planted(9, 3_000, 2e6, youngest=1e6)
    known.delay[known.seen] = 0.0
    for shape in (False, True):
        found = DelayedFeedback(shape=shape).fit(known).probability(known.X)
        assert found.mean() == pytest.approx(known.seen.mean(), rel=5e-3)


def test_without_a_gift_there_is_nothing_to_fit() -> None:
    known = planted(10, 50, 1e-9)
    with pytest.raises(NotEnoughDataError, match="no gift"):
        DelayedFeedback().fit(known)
