"""Treatments of late labels: what they are at their limits, and what they are unbiased for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import expit
from tests.models.delay.histories import HOUR, HOUR_MS, history

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.delay.chance import BoostedChance, Logistic
from giftlive.models.delay.delay_buckets import DelayBuckets, FittedBuckets
from giftlive.models.delay.discrete_hazard import DiscreteHazard
from giftlive.models.delay.follow_up import FollowUp, History
from giftlive.models.delay.importance import (
    ElapsedTimeSampled,
    FakeNegativeWeighted,
    Stream,
    elapsed_time_weights,
    fake_negative_weights,
    stream_span,
)
from giftlive.models.delay.registry import TREATMENTS, treatment
from giftlive.models.delay.survival_chance import SurvivalChance
from giftlive.models.delay.treatments import FixedWindow, Naive, Recent, Treatment
from giftlive.models.trees import TreeSettings
from giftlive.types import Floats

X = np.linspace(-2.0, 2.0, 9)[:, None]
CUT = 48 * HOUR_MS
WITHOUT_FEATURES = {"kaplan_meier"}
STREAMS = {"fnw", "es_dfm"}
HAZARDS = {"discrete_hazard", "cox", "weibull_aft"}
"""Their chance is 1 − exp(−e^(a + b·x)): not the planted logistic curve, and not far from it.

So is a product of logistic heads, less.
"""


def logit(p: Floats) -> Floats:
    return np.log(p) - np.log1p(-p)


@dataclass(frozen=True)
class Recorded:
    """A classifier that only remembers how much it was given."""

    seen: list[tuple[int, float]]

    def fit(self, X: Floats, y: Floats, weight: Floats | None = None) -> object:
        self.seen.append((len(y), float(y.sum())))
        return Logistic().fit(X, y, weight)


@pytest.mark.parametrize("name", sorted(set(TREATMENTS) - STREAMS))
def test_where_every_label_is_old_all_treatments_are_one(name: str) -> None:
    log = history(1, 20_000)
    known = log.at(CUT + 21 * HOUR_MS)  # the youngest row is older than the horizon
    assert known.mature.all()
    fitted = treatment(name).fit(known)
    assert fitted.probability(log.X).mean() == pytest.approx(log.label.mean(), rel=0.03)
    if name not in WITHOUT_FEATURES:
        oracle = Logistic().fit(log.X, log.label.astype(np.float64)).probability(X)
        far = 0.06 if name in HAZARDS else 0.02 if name == "delay_buckets" else 0.005
        assert fitted.probability(X) == pytest.approx(oracle, abs=far)


def test_a_stream_that_has_stopped_is_not_what_fnw_assumes() -> None:
    log = history(1, 20_000)
    p = FakeNegativeWeighted().fit(log.at(CUT + 21 * HOUR_MS)).probability(log.X)
    # Gifts of exposures before the span still arrive in it, and no new exposures dilute them.
    assert p.mean() > 1.05 * log.label.mean()


@pytest.mark.parametrize("name", sorted(set(TREATMENTS) - WITHOUT_FEATURES))
def test_without_delay_no_treatment_differs_from_naive(name: str) -> None:
    known = history(2, 20_000, mean_delay=0.0).at(CUT)
    naive = Naive().fit(known).probability(X)
    found = treatment(name).fit(known).probability(X)
    assert np.abs(logit(found) - logit(naive)).max() < 0.05


@pytest.mark.parametrize("name", sorted(set(TREATMENTS) - {"naive", "weibull_aft"}))
def test_with_delay_every_treatment_is_closer_to_the_truth_than_naive(name: str) -> None:
    log = history(3, 40_000, hours=40.0, mean_delay=4 * HOUR)
    known = log.at(40 * HOUR_MS)
    truth = log.label.mean()
    naive = Naive().fit(known).probability(log.X).mean()
    found = treatment(name).fit(known).probability(log.X).mean()
    assert naive < 0.93 * truth
    assert abs(found - truth) < 0.6 * abs(naive - truth)


def test_a_weibull_law_in_which_everybody_gives_some_day_overshoots() -> None:
    log = history(3, 40_000, hours=40.0, mean_delay=4 * HOUR)
    fitted = treatment("weibull_aft").fit(log.at(40 * HOUR_MS))
    assert fitted.probability(log.X).mean() > 1.05 * log.label.mean()


def test_a_window_uses_the_rows_that_are_older() -> None:
    log, seen = history(4, 2_000), Recorded([])
    known = log.at(CUT)
    FixedWindow(5 * HOUR, chance=seen).fit(known)  # type: ignore[arg-type]
    FixedWindow(5 * HOUR, back_fill=False, chance=seen).fit(known)  # type: ignore[arg-type]
    FixedWindow(chance=seen).fit(known)  # type: ignore[arg-type]
    old = log.ts <= CUT - 5 * HOUR_MS
    arrived = log.ts / 1_000 + log.delay <= CUT / 1_000
    assert seen.seen[0] == (old.sum(), (old & arrived & log.label).sum())
    assert seen.seen[1] == (old.sum(), (old & (log.delay <= 5 * HOUR)).sum())
    mature = log.ts <= CUT - 20 * HOUR_MS
    assert seen.seen[2] == (mature.sum(), (mature & log.label).sum())
    with pytest.raises(NotEnoughDataError, match="older than the window"):
        FixedWindow(100 * HOUR).fit(known)
    with pytest.raises(UsageError, match="window"):
        FixedWindow(0.0).fit(known)


def test_a_memory_keeps_the_rows_that_are_younger() -> None:
    log, seen = history(12, 2_000), Recorded([])
    known = log.at(CUT)
    Recent(Naive(seen), 6 * HOUR).fit(known)  # type: ignore[arg-type]
    young = log.ts >= CUT - 6 * HOUR_MS
    arrived = log.ts / 1_000 + log.delay <= CUT / 1_000
    assert seen.seen == [(young.sum(), (young & arrived).sum())]
    with pytest.raises(NotEnoughDataError, match="older than the window"):
        Recent(FixedWindow(), 6 * HOUR).fit(known)  # nothing young is mature
    with pytest.raises(NotEnoughDataError, match="no row of the last"):
        Recent(Naive(), 1e-6).fit(known)


def test_one_bucket_is_a_fixed_window() -> None:
    known = history(5, 5_000).at(CUT)
    one = DelayBuckets(buckets=1).fit(known).probability(X)
    window = FixedWindow(back_fill=False).fit(known).probability(X)
    assert one == pytest.approx(window, abs=1e-9)


def test_every_head_learns_from_the_rows_that_lived_through_its_bucket() -> None:
    log, seen = history(6, 3_000), Recorded([])
    known = log.at(CUT)
    fitted = DelayBuckets((2 * HOUR, 6 * HOUR), chance=seen).fit(known)  # type: ignore[arg-type]
    assert isinstance(fitted, FittedBuckets)
    age = (CUT - log.ts) / 1_000
    start = -1.0
    for (rows, positives), end in zip(seen.seen, (2 * HOUR, 6 * HOUR, 20 * HOUR), strict=True):
        inside = (age >= end) & (log.delay > start)
        assert rows == inside.sum()
        assert positives == (inside & (log.delay <= end)).sum()
        start = end
    grown = fitted.by_bucket(X)
    assert (np.diff(grown, axis=1) > 0.0).all()
    assert fitted.probability(X) == pytest.approx(grown[:, -1])
    with pytest.raises(UsageError, match="below the horizon"):
        DelayBuckets((2 * HOUR, 21 * HOUR)).fit(known)
    never_ends = FollowUp(
        known.X, known.age, known.seen, known.delay, known.left_after, known.amount
    )
    with pytest.raises(NotEnoughDataError, match="infinite"):
        DelayBuckets().fit(never_ends)
    with pytest.raises(UsageError, match="infinite"):
        SurvivalChance(DiscreteHazard()).fit(never_ends)


def test_the_fixed_point_of_fnw_is_the_rate_of_arrivals() -> None:
    # Σ (1+p)[s·(1 − p) − (1 − p)·p] = 0 has p = s: arrivals per exposure of the stream.
    known = history(7, 8_000).at(CUT)
    flat = FollowUp(
        np.zeros((len(known), 0)),
        known.age,
        known.seen,
        known.delay,
        known.left_after,
        known.amount,
        known.horizon,
    )
    span = 20 * HOUR
    stream = Stream.of(flat, span)
    arrivals = stream.positive.sum() / (~stream.positive).sum()
    fitted = FakeNegativeWeighted(span).fit(flat)
    assert fitted.probability(np.zeros((1, 0)))[0] == pytest.approx(arrivals, abs=1e-4)


def test_a_stream_holds_what_entered_in_its_last_seconds() -> None:
    log = history(8, 4_000)
    known, span, wait = log.at(CUT), 10 * HOUR, 3 * HOUR
    arrived = log.ts / 1_000 + log.delay
    recent = arrived > CUT / 1_000 - span - 1e-6
    there = (arrived <= CUT / 1_000) & log.label
    at_once = Stream.of(known, span)
    assert (~at_once.positive).sum() == ((CUT - log.ts) / 1_000 <= span).sum()
    assert at_once.positive.sum() == (recent & there).sum()
    waited = Stream.of(known, span, wait)
    age = (CUT - log.ts) / 1_000
    entered = (age >= wait) & (age <= span + wait)
    assert len(waited.row) == entered.sum() + (recent & there & (log.delay > wait)).sum()
    assert (~waited.positive).sum() == (entered & (log.delay > wait)).sum()
    assert stream_span(known, None) == pytest.approx(known.age.max() - known.horizon)
    with pytest.raises(NotEnoughDataError, match="horizon"):
        stream_span(log.at(10 * HOUR_MS), None)
    with pytest.raises(UsageError, match="span"):
        stream_span(known, 0.0)


def test_elapsed_time_weights_undo_the_sampling_exactly() -> None:
    # In expectation over labels: true positives p, of which d are late; entered once as negative
    # and once as positive. The weighted stream has positives p·(1+d) and negatives (1−p)·(1+d).
    p, late = np.array([0.1, 0.3, 0.6]), np.array([0.02, 0.2, 0.5])
    never = (1.0 - p) / (1.0 - p + late)
    one = np.ones(3, dtype=bool)
    positives = p * elapsed_time_weights(one, late, never)
    negatives = (1.0 - p + late) * elapsed_time_weights(~one, late, never)
    assert positives / (positives + negatives) == pytest.approx(p, rel=1e-12)


def test_fake_negative_weights_undo_the_sampling_exactly() -> None:
    # Every exposure enters as a negative (1), every gift again as a positive (p).
    p, one = np.array([0.1, 0.3, 0.6]), np.ones(3, dtype=bool)
    positives = p * fake_negative_weights(one, p)
    negatives = 1.0 * fake_negative_weights(~one, p)
    assert positives / (positives + negatives) == pytest.approx(p, rel=1e-12)


def test_any_classifier_can_learn_from_a_treatment() -> None:
    log = history(9, 8_000)
    known = log.at(CUT)
    trees = BoostedChance(TreeSettings(rounds=25, leaves=6, rows_per_leaf=80, threads=1))
    makers: list[Treatment] = [
        FixedWindow(chance=trees),
        DelayBuckets(buckets=3, chance=trees),
        ElapsedTimeSampled(chance=trees),
    ]
    truth = expit(log.X[:, 0] - 1.5)
    for made in makers:
        p = made.fit(known).probability(log.X)
        assert p.mean() == pytest.approx(log.label.mean(), rel=0.08)
        assert np.corrcoef(p, truth)[0, 1] > 0.9


def test_a_wait_is_refused_or_taken_from_the_gifts() -> None:
    log = history(10, 4_000)
    known = log.at(CUT)
    with pytest.raises(UsageError, match="wait"):
        ElapsedTimeSampled(-1.0).fit(known)
    half = float(np.median(log.delay[log.label & (log.ts <= CUT - 20 * HOUR_MS)]))
    a = ElapsedTimeSampled().fit(known).probability(X)
    assert a == pytest.approx(ElapsedTimeSampled(half).fit(known).probability(X), abs=1e-12)


def test_a_log_is_what_treatments_need() -> None:
    assert isinstance(history(11, 10), History)
    with pytest.raises(KeyError):
        treatment("unheard of")
