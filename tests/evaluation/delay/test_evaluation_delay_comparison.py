"""What the issue claims of treatments, on planted logs: gap closed, no harm, flat, and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from giftlive.errors import UsageError
from giftlive.evaluation.checks import no_leak
from giftlive.evaluation.delay.comparison import VANILLA, Comparison, compare
from giftlive.evaluation.delay.planted import (
    DAY,
    Law,
    Plan,
    arrivals,
    exchanged_delays,
    permuted_labels,
)
from giftlive.evaluation.delay.planted_viewings import ViewingPlan, viewings
from giftlive.models.delay.chance import FittedChance, Logistic
from giftlive.models.delay.follow_up import FollowUp, History
from giftlive.models.delay.registry import TREATMENTS, treatment
from giftlive.models.delay.treatments import FixedWindow
from giftlive.stats.intervals import Interval, ratio_delta, student_t

CUT = int(5 * DAY * 1_000)
RECOMMENDED = "delayed_feedback_weibull"
NO_HARM = (RECOMMENDED, "delay_buckets", "cox", "fixed_window", "es_dfm")
NEGLIGIBLE = 1e-5
"""Nats per row: a 25,000th of the loss."""
ALL = tuple(sorted(set(TREATMENTS) - {VANILLA, "kaplan_meier"}))


@cache
def at(
    law: Law, seed: int, names: tuple[str, ...], calendar: bool = True, labels: bool = False
) -> Comparison:
    """All names at the cut of one log; ``labels``: judged by labels instead of true chances."""
    planted = arrivals(Plan(law, rows=30_000, users=3_000, calendar=calendar), seed)
    chosen = {name: treatment(name) for name in names}
    return compare(planted.history, CUT, chosen, truth=None if labels else planted.chance)


def over(
    law: Law, seeds: Sequence[int], names: tuple[str, ...], calendar: bool = True
) -> list[Comparison]:
    return [at(law, seed, names, calendar) for seed in seeds]


def bounds(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


def closed(found: list[Comparison], name: str) -> Interval:
    """Share of the gap over logs, with an interval over logs."""
    base = np.array([one.loss(VANILLA) for one in found])
    gained = base - [one.loss(name) for one in found]
    return ratio_delta(gained, base - [one.loss("oracle") for one in found], n_unit="logs")


def errors(found: list[Comparison], name: str) -> Interval:
    """Calibration error over logs as a share of vanilla's."""
    mine, base = ([one.error(n) for one in found] for n in (name, VANILLA))
    return ratio_delta(np.array(mine), np.array(base), n_unit="logs")


def more_loss(found: list[Comparison], name: str) -> Interval:
    return student_t(np.array([one.loss(name) - one.loss(VANILLA) for one in found]))


def mean_tilt(found: list[Comparison], name: str) -> Interval:
    """Bias of rows of the last day minus that of older ones, over logs."""
    return student_t(np.array([one.tilt(name, DAY).value for one in found], dtype=np.float64))


FEW = (1, 2, 3, 4)
MANY = tuple(range(100, 120))
LIGHT = (RECOMMENDED, "cox")


def test_with_slow_delays_the_gap_is_closed_and_the_calibration_error_halved() -> None:
    found = over("slow", FEW, LIGHT)
    assert bounds(closed(found, RECOMMENDED))[0] >= 0.7
    assert bounds(errors(found, RECOMMENDED))[1] <= 0.5
    assert found[0].error(VANILLA) > 0.02  # there is something to halve: the rate is 0.1


def test_one_log_with_labels_only_says_the_same() -> None:
    one = at("slow", 1, LIGHT, labels=True)
    assert bounds(one.closed(RECOMMENDED))[0] >= 0.7
    assert bounds(one.error_ratio(RECOMMENDED))[1] <= 0.75  # both errors hold the labels' noise


def test_what_is_said_of_recent_rows_is_flat_where_it_should_be_and_tilted_where_not() -> None:
    found = over("slow", FEW, LIGHT)
    low, high = bounds(mean_tilt(found, RECOMMENDED))
    assert low <= 0.0 <= high
    assert max(-low, high) < 0.08
    assert bounds(mean_tilt(found, VANILLA))[1] < -0.15


def test_the_bias_by_age_of_one_log_shows_it_band_by_band() -> None:
    one, edges = at("slow", 2, LIGHT, labels=True), (0.0, DAY / 2, DAY, 2 * DAY, 5 * DAY)
    naive = [band.bias for band in one.by_age(VANILLA, edges)]
    assert bounds(naive[0])[1] < 0.0
    assert (naive[0].value or 0.0) < (naive[-1].value or 0.0) - 0.02
    for band in one.by_age(RECOMMENDED, edges):
        low, high = bounds(band.bias)
        assert low - 0.005 <= 0.0 <= high + 0.005


def test_without_delay_there_is_no_gap_and_no_harm() -> None:
    found = over("none", FEW, NO_HARM)
    for name in NO_HARM:
        assert found[0].closed(name).status == "undefined"
        assert bounds(more_loss(found, name))[1] <= NEGLIGIBLE


def test_fast_delays_are_no_harm_to_the_recommended_treatment() -> None:
    found = over("fast", FEW, (RECOMMENDED,))
    assert bounds(more_loss(found, RECOMMENDED))[1] <= 10 * NEGLIGIBLE


def test_permuted_labels_close_nothing() -> None:
    planted = arrivals(Plan("slow", rows=30_000, users=3_000), 1)
    names = (RECOMMENDED, "delay_buckets", "cox", "fixed_window")
    one = compare(
        planted.history,
        CUT,
        {name: treatment(name) for name in names},
        truth=planted.chance,
        learnt_from=permuted_labels(planted.history, 1),
    )
    for name in names:
        assert bounds(one.closed(name))[1] < 0.0
    assert one.closed("oracle").value == 1.0


@dataclass(frozen=True)
class Leaking:
    """A treatment that looks up what the labels of a log will be, whatever it is shown."""

    history: History

    def fit(self, follow_up: FollowUp) -> FittedChance:
        return Logistic().fit(self.history.X, self.history.label.astype(np.float64))


def test_the_control_of_permuted_labels_catches_a_treatment_that_reads_final_ones() -> None:
    gains: dict[str, list[float]] = {"leaking": [], RECOMMENDED: [], "fixed_window": []}
    for seed in FEW:
        planted = arrivals(Plan("slow", rows=6_000, users=600), seed)
        one = compare(
            planted.history,
            CUT,
            {
                "leaking": Leaking(planted.history),
                **{name: treatment(name) for name in (RECOMMENDED, "fixed_window")},
            },
            truth=planted.chance,
            learnt_from=permuted_labels(planted.history, seed),
        )
        for name, found in gains.items():
            found.append(one.loss(VANILLA) - one.loss(name))
    over_logs = {name: student_t(np.array(x), n_unit="logs") for name, x in gains.items()}
    check = no_leak(over_logs, "permuted labels")
    assert not check.passed
    assert check.detail == "permuted labels: leaking gain"
    del over_logs["leaking"]
    assert no_leak(over_logs, "permuted labels").passed


def test_exchanged_delays_still_tell_the_law_of_all_delays() -> None:
    """They are no control for leaks: what a treatment needs most of is the law, not its link."""
    planted = arrivals(Plan("slow", rows=12_000, users=1_200), 1)
    one = compare(
        planted.history,
        CUT,
        {RECOMMENDED: treatment(RECOMMENDED)},
        truth=planted.chance,
        learnt_from=exchanged_delays(planted.history, 1),
    )
    assert (one.closed(RECOMMENDED).value or 0.0) > 0.7


def test_where_the_form_is_wrong_the_recommended_treatment_loses_and_those_without_do_not() -> None:
    names = (RECOMMENDED, "discrete_hazard", "delay_buckets")
    found = []
    for seed in FEW:
        planted = arrivals(Plan("half_late", rows=8_000, users=800), seed)
        chosen = {name: treatment(name) for name in names}
        found.append(compare(planted.history, CUT, chosen, truth=planted.chance))
    assert (closed(found, RECOMMENDED).value or 0.0) < 0.2
    for name in names[1:]:
        assert (closed(found, name).value or 0.0) > 0.7


def test_a_feature_of_the_calendar_undoes_the_weights_of_a_stream() -> None:
    # Late positives enter with the calendar of their exposure, beside negatives of now.
    names = ("fnw", "es_dfm")
    moving, still = over("slow", FEW, names), over("slow", FEW, names, calendar=False)
    for name in names:
        assert bounds(closed(moving, name))[1] < 0.0
        assert bounds(closed(still, name))[0] > 0.3


@pytest.mark.slow
def test_without_delay_every_treatment_s_harm_is_within_noise() -> None:
    """The line of the issue, over twenty logs: no interval of the harm lies above 0.

    By true chances with an interval over logs, and log by log as a study with labels would.
    """
    by_truth = over("none", MANY, ALL)
    by_labels = [at("none", seed, ALL, labels=True) for seed in MANY]
    for name in ALL:
        low, high = bounds(more_loss(by_truth, name))
        assert low <= 1e-12  # rounding
        assert high < 1.5e-5  # what noise leaves is small as well
        harmed = sum(bounds(one.harm(name))[0] > NEGLIGIBLE for one in by_labels)
        assert harmed <= 3  # of 20 logs, 2.5 % by chance: 4 or more has 1 in 600


@pytest.mark.slow
@pytest.mark.parametrize("law", ["slow", "amount"])
def test_over_twenty_logs_the_claims_hold(law: Law) -> None:
    found = over(law, MANY, ALL)
    for name in (RECOMMENDED, "delayed_feedback", "delay_buckets", "cox", "discrete_hazard"):
        assert bounds(closed(found, name))[0] >= 0.7
        assert bounds(errors(found, name))[1] <= 0.5
    assert bounds(closed(found, RECOMMENDED))[0] >= 0.95
    low, high = bounds(mean_tilt(found, RECOMMENDED))
    assert low <= 0.0 <= high
    assert bounds(mean_tilt(found, VANILLA))[1] < -0.15
    # A law in which everybody gives some day is no treatment: it does not reach 70 %.
    assert bounds(closed(found, "weibull_aft"))[1] < 0.7


def test_leaving_needs_a_law_of_its_own() -> None:
    names, found = ("discrete_hazard", RECOMMENDED), []
    for seed in FEW:
        planted = viewings(ViewingPlan(rows=15_000), seed)
        chosen = {name: treatment(name) for name in names}
        found.append(compare(planted.history, 40 * 60 * 1_000, chosen, truth=planted.chance))
    assert bounds(closed(found, "discrete_hazard"))[0] > 0.7
    # Chapelle's model takes those still watching for people who may give as long as they like.
    assert (closed(found, RECOMMENDED).value or 0.0) < 0.8 * (
        closed(found, "discrete_hazard").value or 0.0
    )


def test_labels_that_are_not_final_are_not_judged() -> None:
    history = arrivals(Plan("slow", rows=4_000), 3).history
    end = int(7.5 * DAY * 1_000)
    cut = int(4 * DAY * 1_000)
    one = compare(history, cut, {"window": FixedWindow()}, end_ms=end)
    final = history.ts <= end - 3 * DAY * 1_000
    assert len(one.y) == (final & (history.ts >= cut)).sum()
    assert len(one.old_y) == (history.ts < cut).sum()
    assert np.array_equal(one.y, history.label[(history.ts >= cut) & final])
    assert sorted(one.p) == ["naive", "oracle", "window"]
    late = compare(history, cut, {}, chance=Logistic(9.0))
    assert len(late.y) == (history.ts >= cut).sum()
    with pytest.raises(UsageError, match="final labels"):
        compare(history, cut, {}, end_ms=cut + 1)
    with pytest.raises(UsageError, match="other names"):
        compare(history, cut, {"oracle": FixedWindow()})
