"""The level spline: exact where its form is right, a plain factor where little is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.level import LevelSpline, level_spline
from giftlive.rng import stream
from giftlive.types import Floats


def _bent(t: Floats) -> Floats:
    return 1.5 + t + 0.6 * np.sin(t)


def test_a_planted_monotone_distortion_is_found() -> None:
    t = np.sort(stream(0, "planted").uniform(-4.0, 4.0, 20_000))
    curve = level_spline(t, np.exp(_bent(t)), pieces=20, freedom=100.0)
    inside = t[200:-200]
    assert curve(inside) == pytest.approx(_bent(inside), abs=0.01)


@pytest.mark.parametrize("power", [1.0, 1.5])
@pytest.mark.parametrize("slope", [1.0, 0.4, 2.0])
def test_a_power_of_the_score_is_found_exactly(power: float, slope: float) -> None:
    t = stream(1, "power").normal(size=5_000)
    curve = level_spline(t, np.exp(2.0 + slope * t), power=power, freedom=1e4)
    asked = np.array([-3.0, -1.0, 0.0, 2.0, 5.0])
    assert curve(asked) == pytest.approx(2.0 + slope * asked, abs=5e-3)


def test_heavy_noise_keeps_the_sum_and_finds_the_shape() -> None:
    g = stream(2, "noise")
    t = g.normal(0.0, 1.5, 200_000)
    truth = np.exp(_bent(t))
    y = np.where(g.random(len(t)) < 0.2, 5.0 * truth * g.exponential(size=len(t)), 0.0)
    curve = level_spline(t, y)
    assert np.exp(curve(t)).sum() == pytest.approx(y.sum(), rel=1e-9)
    for rows in np.array_split(np.argsort(t), 10):
        assert np.exp(curve(t[rows])).sum() == pytest.approx(truth[rows].sum(), rel=0.12)


def test_one_whale_moves_the_sum_and_not_the_shape() -> None:
    g = stream(3, "whale")
    t = g.normal(size=2_000)
    y = np.where(g.random(2_000) < 0.03, np.exp(t), 0.0)
    y[int(np.argmin(t))] = 1e6
    curve = level_spline(t, y)
    assert curve.slopes == pytest.approx(np.ones(len(curve.slopes)), abs=0.35)
    assert np.exp(curve(t)).sum() == pytest.approx(y.sum(), rel=1e-9)


@given(st.integers(0, 10_000))
def test_an_order_is_never_changed(seed: int) -> None:
    g = stream(seed, "order")
    t = g.normal(size=200)
    y = np.where(g.random(200) < 0.3, np.exp(g.normal(size=200) - 2.0 * t), 0.0)
    y[0] = 1.0
    curve = level_spline(t, y)
    assert (curve.slopes > 0.0).all()
    assert (np.diff(curve(np.sort(np.concatenate([t, [-9.0, 9.0]])))) > 0.0).all()


def test_thinned_rows_count_as_often_as_they_stand_for() -> None:
    g = stream(4, "thinned")
    t = g.normal(size=60_000)
    y = np.where(g.random(len(t)) < 0.1, np.exp(0.7 * t), 0.0)
    kept = (y > 0.0) | (g.random(len(t)) < 0.25)
    w = np.where(y > 0.0, 1.0, 4.0)[kept]
    whole, part = level_spline(t, y), level_spline(t[kept], y[kept], w)
    asked = np.linspace(-2.0, 2.0, 9)
    assert part(asked) == pytest.approx(whole(asked), abs=0.08)
    assert float(w @ np.exp(part(t[kept]))) == pytest.approx(y.sum(), rel=1e-9)


def test_another_unit_of_money_moves_the_curve_by_its_logarithm() -> None:
    g = stream(5, "unit")
    t = g.normal(size=5_000)
    y = np.where(g.random(5_000) < 0.2, np.exp(1.3 * t + g.normal(size=5_000)), 0.0)
    one, thousand = level_spline(t, y), level_spline(t, 1000.0 * y)
    assert thousand(t) - one(t) == pytest.approx(np.full(5_000, np.log(1000.0)), abs=1e-5)


def test_a_score_without_spread_has_the_mean() -> None:
    y = np.array([0.0, 3.0, 0.0, 5.0])
    assert np.exp(level_spline(np.zeros(4), y)(np.zeros(4))) == pytest.approx(np.full(4, 2.0))


def test_a_stored_curve_is_the_curve() -> None:
    t = stream(6, "stored").normal(size=500)
    curve = level_spline(t, np.exp(0.5 * t))
    again = LevelSpline.from_dict(json.loads(json.dumps(curve.as_dict())))
    assert np.array_equal(again(t), curve(t))


def test_unusable_arguments_are_refused() -> None:
    t, y = np.arange(3.0), np.ones(3)
    with pytest.raises(UsageError, match="shapes"):
        level_spline(t, np.ones(4))
    with pytest.raises(UsageError, match="1 not finite"):
        level_spline(np.array([0.0, 1.0, np.inf]), y)
    with pytest.raises(UsageError, match="weight"):
        level_spline(t, y, np.array([1.0, 0.0, 1.0]))
    with pytest.raises(UsageError, match="power"):
        level_spline(t, y, power=2.0)
    with pytest.raises(NotEnoughDataError, match="no amount"):
        level_spline(t, np.zeros(3))
