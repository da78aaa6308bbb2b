"""The hazard per interval: closed forms, derivatives, planted hazards inside the band."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.delay.checks import derivatives

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.delay.design import Design
from giftlive.models.delay.discrete_hazard import DiscreteHazard, Times
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.hazard_likelihood import (
    Blocks,
    clock_of,
    exposure,
    hazard_loss,
    spent,
)
from giftlive.rng import stream
from giftlive.types import Floats

EDGES = (10.0, 30.0, 90.0, 300.0)
RATES = np.array([4e-3, 3e-3, 1.5e-3, 1e-3])
SLOPE = 0.5


def planted(seed: int, n: int, fades: float = 0.0) -> Durations:
    """Piecewise constant hazards, times e^{(0.5 − fades·k)·x}; left at an independent time."""
    rng = stream(seed, "hazard")
    x = rng.normal(size=n)
    slope = SLOPE - fades * np.arange(4)
    mass = rng.exponential(size=n)
    latent, starts = np.full(n, np.inf), np.append(0.0, EDGES[:-1])
    for k, (start, end) in enumerate(zip(starts.tolist(), EDGES, strict=True)):
        rate = RATES[k] * np.exp(slope[k] * x)
        here = np.isinf(latent) & (mass <= rate * (end - start))
        latent = np.where(here, start + mass / rate, latent)
        mass = mass - rate * (end - start)
    leaving = np.minimum(rng.exponential(200.0, n), EDGES[-1])
    return Durations(x[:, None], np.minimum(latent, leaving), latent <= leaving)


@pytest.mark.parametrize("times", ["grouped", "exact"])  # all events of an interval at one time
def test_without_features_it_is_events_per_row_at_risk(times: Times) -> None:
    rng, n = stream(1, "life table"), 2_000
    time = rng.choice([10.0, 30.0, 90.0, 300.0], n)
    event = rng.random(n) < 0.3
    fitted = DiscreteHazard(EDGES, times=times).fit(Durations(np.zeros((n, 0)), time, event))
    table = [(event & (time == t)).sum() / (time >= t).sum() for t in EDGES]
    assert fitted.hazards(np.zeros((1, 0)))[0] == pytest.approx(table, rel=1e-8)


def test_gifts_all_at_second_0_are_a_share_and_not_a_rate() -> None:
    event = np.arange(1_000) % 5 == 0
    sample = Durations(np.zeros((1_000, 0)), np.where(event, 0.0, 500.0), event)
    fitted = DiscreteHazard().fit(sample)
    left = fitted.survival(np.zeros((1, 0)), np.array([0.0, 1.0, 500.0]))[0]
    assert left == pytest.approx([1.0, 0.8, 0.8], rel=1e-9)
    some = np.where(event & (np.arange(1_000) % 10 == 0), 400.0, sample.time)
    half = DiscreteHazard(intervals=1).fit(Durations(sample.X, some, event))
    assert half.edges.tolist() == [1e-3, 400.0]
    left = half.survival(np.zeros((1, 0)), np.array([1.0, 400.0]))[0]
    assert left == pytest.approx([0.9, 0.8], rel=3e-3)


@pytest.mark.parametrize("times", ["grouped", "exact"])
@pytest.mark.parametrize("by_time", [False, True])
def test_slopes_and_curvature_are_those_of_the_loss(by_time: bool, times: Times) -> None:
    sample, rng = planted(2, 200), stream(2, "moving")
    edges, z = np.array(EDGES), rng.normal(size=(200, 4, 1))
    blocks = Blocks(Design.of(sample.X)(sample.X)[:, 1:], clock_of(edges), by_time, z)
    penalty = blocks.penalty(4, 0.7)
    grouped = np.full(4, times == "grouped")
    loss = hazard_loss(blocks, *exposure(sample, edges), penalty, grouped)
    at = np.concatenate([np.log(RATES) + 0.2, [0.3] * (len(penalty) - 4)])
    slope, bend = derivatives(loss, at)
    _, found, curvature = loss(at)
    assert found == pytest.approx(slope, rel=1e-5, abs=1e-5)
    assert curvature == pytest.approx(bend, rel=1e-4, abs=1e-4)


def test_planted_hazards_and_their_effect_come_back() -> None:
    fitted = DiscreteHazard(EDGES, by_time=False, penalty=0.0).fit(planted(3, 60_000))
    assert fitted.rates(np.zeros((1, 1)))[0] == pytest.approx(RATES, rel=0.08)
    ratio = fitted.rates(np.ones((1, 1)))[0] / fitted.rates(np.zeros((1, 1)))[0]
    assert ratio == pytest.approx(np.full(4, np.exp(SLOPE)), rel=0.04)


def test_without_features_exact_times_give_events_per_second() -> None:
    sample = planted(8, 3_000)
    flat = Durations(np.zeros((3_000, 0)), sample.time, sample.event)
    fitted = DiscreteHazard(EDGES).fit(flat)
    seconds, happened = spent(sample.time, np.array(EDGES)), np.zeros(4)
    happened += np.histogram(sample.time[sample.event], (0.0, *EDGES))[0]
    truth = happened / seconds.sum(axis=0)
    assert fitted.rates(np.zeros((1, 0)))[0] == pytest.approx(truth, rel=1e-7)


def test_common_events_among_which_rows_are_censored_need_their_times() -> None:
    rng, n = stream(9, "common"), 20_000
    latent, cut = rng.exponential(1.0, n), rng.exponential(1.0, n)
    end = float(np.minimum(latent, cut).max())
    sample = Durations(np.zeros((n, 0)), np.minimum(latent, cut), latent <= cut)

    def rate(times: Times) -> float:
        return float(DiscreteHazard((end,), times=times).fit(sample).rates(np.zeros((1, 0)))[0, 0])

    assert rate("exact") == pytest.approx(1.0, abs=0.03)
    assert rate("grouped") < 0.9


def test_an_effect_that_fades_is_found_only_where_it_may() -> None:
    sample = planted(4, 60_000, fades=0.3)

    def log_ratios(by_time: bool) -> Floats:
        fitted = DiscreteHazard(EDGES, by_time=by_time).fit(sample)
        return np.log(fitted.rates(np.ones((1, 1)))[0] / fitted.rates(np.zeros((1, 1)))[0])

    truth = SLOPE - 0.3 * np.arange(4)
    assert log_ratios(by_time=True) == pytest.approx(truth, abs=0.12)
    assert np.ptp(log_ratios(by_time=False)) < 1e-9


def _coverage(replications: int, n: int) -> Floats:
    """Share of replications whose band holds each of the four planted hazards at x = 1."""
    truth, hits = RATES * np.exp(SLOPE), np.zeros(4)
    for seed in range(replications):
        fitted = DiscreteHazard(EDGES, by_time=False, penalty=0.0).fit(planted(700 + seed, n))
        low, _, high = fitted.band(np.ones(1))
        hits += (low <= truth) & (truth <= high)
    return hits / replications


def test_the_planted_curve_is_inside_the_band_about_as_often_as_it_says() -> None:
    assert _coverage(120, 1_500).min() >= 0.89


@pytest.mark.slow
def test_the_planted_curve_is_inside_the_band_as_often_as_it_says() -> None:
    found = _coverage(1_500, 1_500)
    assert found.min() >= 0.935
    assert found.max() <= 0.965


def test_features_that_move_while_a_viewing_goes_on_count_in_their_interval() -> None:
    rng, n, edges = stream(5, "comments"), 40_000, np.array([1.0, 2.0, 3.0])
    z = rng.normal(size=(n, 3, 1))
    hazard = 1.0 - np.exp(-0.05 * np.exp(0.8 * z[:, :, 0]))
    happened = rng.random((n, 3)) < hazard
    event, at = np.asarray(happened.any(axis=1)), happened.argmax(axis=1)
    sample = Durations(np.zeros((n, 0)), np.where(event, at + 1.0, 3.0), event)
    for k in range(3):  # what comes after the event is never read
        z[event & (at < k), k] = np.nan
    model = DiscreteHazard((1.0, 2.0, 3.0), by_time=False)
    fitted = model.fit(sample, z)
    assert fitted.parameters[-1] == pytest.approx(0.8, abs=0.05)
    path = np.array([[[0.0], [1.0], [-1.0]]])
    truth = 1.0 - np.exp(-0.05 * np.exp(0.8 * path[0, :, 0]))
    assert fitted.hazards(np.zeros((1, 0)), path)[0] == pytest.approx(truth, rel=0.08)
    left = fitted.survival(np.zeros((1, 0)), edges, path)[0]
    assert left == pytest.approx(np.cumprod(1.0 - fitted.hazards(np.zeros((1, 0)), path)[0]))
    with pytest.raises(UsageError, match="moving"):
        fitted.hazards(np.zeros((1, 0)))
    with pytest.raises(UsageError, match="moving"):
        model.fit(sample, z[:, :2])


@given(st.lists(st.floats(0.0, 400.0), min_size=1, max_size=20))
def test_time_is_spent_once(times: list[float]) -> None:
    t = np.array(times)
    parts = spent(t, np.array(EDGES))
    assert parts.sum(axis=1) == pytest.approx(np.minimum(t, EDGES[-1]))
    assert (parts >= 0.0).all()


def test_survival_falls_and_stays_after_the_last_edge() -> None:
    fitted = DiscreteHazard(EDGES).fit(planted(6, 3_000))
    curve = fitted.survival(np.array([[0.5]]), np.array([0.0, 5.0, 50.0, 300.0, 900.0]))[0]
    assert curve[0] == 1.0
    assert (np.diff(curve[:4]) < 0.0).all()
    assert curve[4] == curve[3]


def test_what_cannot_be_fitted_is_refused() -> None:
    sample = planted(7, 300)
    with pytest.raises(UsageError, match="last edge"):
        DiscreteHazard((10.0, 30.0)).fit(sample)
    with pytest.raises(UsageError, match="ascending"):
        DiscreteHazard((30.0, 10.0, 400.0)).fit(sample)
    with pytest.raises(NotEnoughDataError, match="interval"):
        DiscreteHazard((1e-9, 400.0)).fit(sample)
    none = Durations(sample.X, sample.time, np.zeros(300) > 0)
    with pytest.raises(NotEnoughDataError, match="no event"):
        DiscreteHazard().fit(none)
