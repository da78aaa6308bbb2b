"""Measured coverage of intervals: of an amount, of its quantiles, and of what is expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.hurdle import Hurdle
from giftlive.models.intervals import FittedIntervals, Intervals, Tenths
from giftlive.models.ridge import Ridge
from giftlive.models.trees import TreeSettings
from giftlive.models.trivial import TrivialRanker
from giftlive.models.uncertainty import BootstrapEnsemble, _resampled
from giftlive.rng import stream
from giftlive.types import Bools, Floats, Ints

FEW = TreeSettings(rounds=25, leaves=8, learning_rate=0.1, rows_per_leaf=20, threads=1)
NAMES = ("spend", "style", "noise")


def _heavy(n: int, seed: int) -> tuple[Floats, Floats, Ints, Floats]:
    """Return features, amounts, users, chances: Pareto tails, and atoms at prices of a gift list.

    The spread of an amount grows with a feature; a third of the gifts is the price 10, 66 or 520
    next below the drawn amount.
    """
    g = stream(seed, "heavy tails with atoms")
    users = n // 10
    wealth, user = g.normal(size=users), g.integers(0, users, n)
    style = g.normal(size=n)
    chance = 1.0 / (1.0 + np.exp(1.0 - 0.8 * wealth[user]))
    tail = 1.0 / (1.5 + 1.5 / (1.0 + np.exp(style)))
    amount = np.exp(3.5 + wealth[user]) * g.random(n) ** -tail
    prices = np.array([10.0, 66.0, 520.0])
    listed = prices[np.maximum(np.searchsorted(prices, amount, side="right") - 1, 0)]
    given = np.where(g.random(n) < 1.0 / 3.0, listed, np.ceil(amount))
    spend = np.floor(40.0 * np.exp(wealth[user] + 0.5 * g.normal(size=n)))
    X = np.column_stack([spend, style, g.normal(size=n)])
    return X, np.where(g.random(n) < chance, given, 0.0), user.astype(np.int64), chance


@pytest.fixture(scope="module")
def heavy() -> FittedIntervals:
    X, y, user, _ = _heavy(80_000, 1)
    return Intervals(Hurdle(FEW, FEW), folds=3).fit(X, y, user, names=NAMES)


def test_nominal_ninety_percent_covers_overall_and_in_every_tenth(heavy: FittedIntervals) -> None:
    X, y, _, _ = _heavy(120_000, 2)
    low, high = heavy.amount_interval(X, 0.9)
    gift = y > 0.0
    covered, predicted = ((low <= y) & (y <= high))[gift], heavy.predict(X)[gift]
    given = predicted / heavy.predict_proba(X)[gift]
    assert 0.87 <= covered.mean() <= 0.93
    for score in (predicted, given):
        for rows in np.array_split(np.argsort(score), 10):
            assert 0.87 <= covered[rows].mean() <= 0.93
    assert (low > 0.0).all()
    assert (low <= high).all()


def test_what_misses_lies_on_both_sides(heavy: FittedIntervals) -> None:
    X, y, _, _ = _heavy(60_000, 3)
    low, high = heavy.amount_interval(X, 0.8)
    gift = y > 0.0
    assert np.mean(y[gift] < low[gift]) == pytest.approx(0.1, abs=0.015)
    assert np.mean(y[gift] > high[gift]) == pytest.approx(0.1, abs=0.015)


def test_upper_quantiles_of_the_amount_hold(heavy: FittedIntervals) -> None:
    X, y, _, _ = _heavy(60_000, 4)
    levels = (0.5, 0.9, 0.95, 0.99)
    quantiles = heavy.predict_distribution(X, levels)
    assert (np.diff(quantiles, axis=1) >= 0.0).all()
    p = heavy.predict_proba(X)
    for level, quantile in zip(levels, quantiles.T, strict=True):
        assert np.array_equal(quantile == 0.0, level <= 1.0 - p)
        nominal = np.where(quantile > 0.0, level, 1.0 - p).mean()
        assert np.mean(y <= quantile) == pytest.approx(nominal, abs=0.01)


def test_a_bad_model_gets_wide_intervals_that_cover_too() -> None:
    X, y, user, _ = _heavy(40_000, 1)
    fit = Intervals(TrivialRanker("style", "style"), folds=3).fit(X, y, user, names=NAMES)
    fresh, later, _, _ = _heavy(40_000, 2)
    low, high = fit.amount_interval(fresh, 0.9)
    gift = later > 0.0
    assert 0.87 <= np.mean((low <= later)[gift] & (later <= high)[gift]) <= 0.93


def test_conformal_ends_by_hand() -> None:
    tenths = Tenths(np.array([0.0]), (np.arange(1.0, 20.0), np.array([5.0, 6.0])))
    low, high = tenths.ends(np.array([-1.0, 1.0]), 0.1)
    # Nineteen residuals: ⌊20·0.05⌋ = 1 from each end. Two residuals cannot give 90 %.
    assert low[0] == 0.0
    assert high[0] == 18.0
    assert (low[1], high[1]) == (-np.inf, np.inf)
    middle = tenths.quantile(np.array([-1.0]), np.array([0.5]))
    assert middle.tolist() == [9.0]


def test_equal_predictions_share_one_group(train: Any) -> None:
    flat = np.where(train.X[:, :1] > 0.0, 1.0, 1.0)
    fit = Intervals(Ridge(), folds=3).fit(flat, train.y, train.user, names=("flat",))
    low, high = fit.amount_interval(flat[:5])
    assert np.isfinite(high).all()
    assert (np.ptp(low), np.ptp(high)) == (0.0, 0.0)


def test_unusable_arguments_are_refused(heavy: FittedIntervals, train: Any) -> None:
    X = np.zeros((2, 3))
    for level in (0.0, 1.0):
        with pytest.raises(UsageError, match="level"):
            heavy.amount_interval(X, level)
        with pytest.raises(UsageError, match="levels"):
            heavy.predict_distribution(X, (0.5, level))
    few = np.where(np.cumsum(train.y > 0) <= 80, train.y, 0.0)
    with pytest.raises(NotEnoughDataError, match="80 in all"):
        Intervals(Ridge()).fit(train.X, few, train.user, names=train.names)
    with pytest.raises(UsageError, match="1 folds"):
        Intervals(Ridge(), folds=1).fit(train.X, train.y, train.user, names=train.names)
    with pytest.raises(UsageError, match="replicates"):
        BootstrapEnsemble(replicates=2)


def test_a_resample_keeps_the_rows_of_a_drawn_user_together() -> None:
    groups = np.array([7, 3, 7, 9, 3, 7])
    rows, users = _resampled(groups, 0, 0)
    assert len(np.unique(users)) == 3
    for user in np.unique(users):
        held = rows[users == user]
        assert len(set(groups[held])) == 1
        assert sorted(held) == np.flatnonzero(groups == groups[held[0]]).tolist()
    drawn = [len(set(groups[_resampled(groups, 0, r)[0]])) for r in range(200)]
    assert 1.8 < np.mean(drawn) < 2.4  # of three users 3·(1 − (2/3)³) = 2.11 are expected


@pytest.mark.slow
def test_the_sampling_error_of_an_unbiased_model_is_covered() -> None:
    # A trivial ranker of the right form: log E = a + b·log(1 + x), so refits differ by noise only.
    def sample(n: int, seed: int) -> tuple[Floats, Floats, Floats, Floats]:
        g = stream(seed, "unbiased")
        x = g.exponential(20.0, n)
        chance = 1.0 / (1.0 + np.exp(3.0 - 0.5 * np.log1p(x)))
        mean = 2.0 * (1.0 + x) ** 0.6
        y = np.where(g.random(n) < chance, mean / chance * g.exponential(size=n), 0.0)
        return x[:, None], y, mean, chance

    asked, _, mean, chance = sample(400, 99)
    hits = []
    for seed in range(25):
        X, y, _, _ = sample(4_000, seed)
        fit = BootstrapEnsemble(TrivialRanker("t", "x"), replicates=8, seed=seed).fit(
            X, y, names=("x",)
        )
        amount, gift = fit.expected_amount(asked), fit.gift_probability(asked)
        hits.append(
            (
                np.mean((amount.low <= mean) & (mean <= amount.high)),
                np.mean((gift.low <= chance) & (chance <= gift.high)),
            )
        )
        assert (amount.low < amount.value).all()
        assert (amount.value < amount.high).all()
        assert ((gift.low > 0.0) & (gift.high < 1.0)).all()
    assert np.mean(hits, axis=0) == pytest.approx([0.9, 0.9], abs=0.08)


def test_more_users_leave_less_uncertainty(train: Any) -> None:
    def width(rows: Bools) -> float:
        model = BootstrapEnsemble(TrivialRanker("t", "user_gift_sum"), replicates=6)
        fit = model.fit(train.X[rows], train.y[rows], train.user[rows], names=train.names)
        found = fit.expected_amount(train.X[:500])
        return float(np.mean(np.log(found.high / found.low)))

    few = train.user < 200
    assert width(np.ones(len(train.y), dtype=np.bool_)) < 0.6 * width(few)
