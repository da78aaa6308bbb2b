"""The planted logs are what they say: chances, laws of delay, and leaving."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.evaluation.delay.planted import (
    DAY,
    LAWS,
    SCALES,
    Law,
    Plan,
    arrivals,
    exchanged_delays,
    permuted_labels,
)
from giftlive.evaluation.delay.planted_viewings import HOUR, ViewingPlan, viewings
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.weibull_aft import WeibullAft
from giftlive.types import Floats

BIG = 60_000


@pytest.mark.parametrize("law", LAWS)
def test_labels_come_with_the_chance_that_is_told(law: Law) -> None:
    planted = arrivals(Plan(law, rows=BIG), 1)
    label, chance = planted.history.label, planted.chance
    assert label.mean() == pytest.approx(chance.mean(), abs=0.004)
    for half in (chance > np.median(chance), planted.history.X[:, 2] > 0.0):
        assert label[half].mean() == pytest.approx(chance[half].mean(), abs=0.006)
    assert (planted.history.delay[np.isfinite(planted.history.delay)] > 0.0).any() == (
        law != "none"
    )


def test_the_rate_is_the_one_that_is_asked_for() -> None:
    for rate in (0.02, 0.3):
        planted = arrivals(Plan("none", rows=BIG, rate=rate), 2)
        assert planted.chance.mean() == pytest.approx(rate, rel=0.03)


def test_delays_follow_the_planted_weibull_law() -> None:
    history = arrivals(Plan("slow", rows=BIG), 3).history
    gift = np.isfinite(history.delay)
    n = int(gift.sum())
    fitted = WeibullAft().fit(Durations(history.X[gift], history.delay[gift], np.full(n, True)))
    shape = fitted.shape()
    assert shape.low is not None
    assert shape.high is not None
    assert shape.low <= 0.8 <= shape.high
    level, *slopes = fitted.coefficients()
    assert level.value == pytest.approx(np.log(SCALES["slow"]), abs=0.06)
    assert [s.value for s in slopes] == pytest.approx([0.0, 0.0, -0.3, 0.0], abs=0.06)


def test_large_gifts_take_longer_only_where_that_is_the_law() -> None:
    def correlation(law: Law) -> float:
        history = arrivals(Plan(law, rows=BIG), 4).history
        gift = np.isfinite(history.delay)
        logs = np.log(history.delay[gift]), np.log(history.amount[gift])
        return float(np.corrcoef(*logs)[0, 1])

    assert abs(correlation("slow")) < 0.05
    assert correlation("amount") > 0.2


def test_the_calendar_moves_one_feature_and_no_chance() -> None:
    history = arrivals(Plan("slow", rows=BIG), 5).history
    assert np.corrcoef(history.X[:, 3], history.ts)[0, 1] > 0.9
    assert abs(np.corrcoef(history.X[:, 3], history.label)[0, 1]) < 0.02
    still = arrivals(Plan("slow", rows=BIG, calendar=False), 5).history
    assert abs(np.corrcoef(still.X[:, 3], still.ts)[0, 1]) < 0.02
    drifted = arrivals(Plan("slow", rows=BIG, drift=1.0), 5)
    late = drifted.history.ts > 3 * DAY * 1_000
    assert drifted.chance[late].mean() > 1.3 * drifted.chance[~late].mean()


def test_a_log_of_permuted_labels_has_the_same_delays_for_other_rows() -> None:
    history = arrivals(Plan("slow", rows=5_000), 6).history
    other = permuted_labels(history, 1)
    assert np.array_equal(np.sort(other.delay), np.sort(history.delay))
    assert other.amount.sum() == history.amount.sum()
    assert abs(np.corrcoef(other.label, history.label)[0, 1]) < 0.06
    assert np.array_equal((other.amount > 0.0), np.isfinite(other.delay))


def test_exchanged_delays_leave_every_label_and_undo_the_link_with_features() -> None:
    history = arrivals(Plan("slow", rows=BIG), 6).history
    other, gift = exchanged_delays(history, 1), history.label
    assert np.array_equal(other.label, gift)
    assert np.array_equal(other.amount, history.amount)
    assert np.array_equal(np.sort(other.delay), np.sort(history.delay))

    def link(delay: Floats) -> float:
        return float(np.corrcoef(np.log(delay[gift]), history.X[gift, 2])[0, 1])

    assert link(history.delay) < -0.1
    assert abs(link(other.delay)) < 0.05


def test_half_of_the_gifts_come_soon_and_the_others_after_a_day() -> None:
    delay = arrivals(Plan("half_late", rows=BIG), 8).history.delay
    given = delay[np.isfinite(delay)]
    assert (given <= 600.0).mean() == pytest.approx(0.5, abs=0.03)
    assert not ((given > 600.0) & (given < DAY)).any()
    assert (given[given > 600.0] - DAY).mean() == pytest.approx(DAY, rel=0.06)


@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_viewings_end_with_leaving_and_have_the_chance_that_is_told(shared: float) -> None:
    planted = viewings(ViewingPlan(rows=BIG, shared_intent=shared), 7)
    history, chance = planted.history, planted.chance
    assert history.label.mean() == pytest.approx(chance.mean(), abs=0.005)
    for half in (chance > np.median(chance), history.X[:, 1] > 0.0):
        assert history.label[half].mean() == pytest.approx(chance[half].mean(), abs=0.007)
    given = np.isfinite(history.delay)
    assert (history.delay[given] <= history.left_after[given]).all()
    assert (history.delay[given] <= HOUR).all()
    # Those who stay shorter than most and gave nothing: more of them where intent is shared.
    stayed = history.left_after > np.median(history.left_after)
    ratio = history.label[stayed].mean() / history.label[~stayed].mean()
    assert ratio > (6.0 if shared else 3.0)


def test_the_same_seed_is_the_same_log() -> None:
    a, b = (arrivals(Plan("fast", rows=500), 8).history for _ in range(2))
    assert np.array_equal(a.delay, b.delay)
    assert np.array_equal(a.X, b.X)
    other = arrivals(Plan("fast", rows=500), 9).history
    assert not np.array_equal(a.X, other.X)
