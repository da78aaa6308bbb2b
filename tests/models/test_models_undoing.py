"""Distorted chances are undone exactly: on planted laws, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from giftlive.errors import UsageError
from giftlive.models.occurrence import Focal, Occurrence, Undo
from giftlive.models.undoing import undo_focal, undo_kept_negatives, undo_positive_weight
from giftlive.types import Floats

CHANCES = np.array([1e-4, 0.003, 0.03, 0.2, 0.5, 0.77, 0.99])


def _logit(p: Floats) -> Floats:
    return np.log(p) - np.log1p(-p)


def _chance(logit: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-logit))


@pytest.mark.parametrize("kept", [1.0, 0.1, 0.003])
def test_kept_negatives_are_undone_exactly(kept: float) -> None:
    learnt = CHANCES / (CHANCES + (1.0 - CHANCES) * kept)
    assert _chance(undo_kept_negatives(_logit(learnt), kept)) == pytest.approx(CHANCES, rel=1e-12)
    by_the_formula = learnt / (learnt + (1.0 - learnt) / kept)
    assert by_the_formula == pytest.approx(CHANCES, rel=1e-12)


@pytest.mark.parametrize("weight", [1.0, 30.0, 0.2])
def test_a_weight_on_gifts_is_undone_exactly(weight: float) -> None:
    learnt = weight * CHANCES / (weight * CHANCES + 1.0 - CHANCES)
    undone = undo_positive_weight(_logit(learnt), weight)
    assert _chance(undone) == pytest.approx(CHANCES, rel=1e-12)
    assert undone == pytest.approx(_logit(learnt) + np.log(1.0 / weight), rel=1e-12)


def _focal_loss(p: Floats, chance: Floats, gamma: float, alpha: float) -> Floats:
    gift = -alpha * (1.0 - p) ** gamma * np.log(p)
    return chance * gift - (1.0 - chance) * (1.0 - alpha) * p**gamma * np.log1p(-p)


@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (1.0, 0.5), (5.0, 0.9), (0.0, 0.3)])
def test_the_minimiser_of_the_focal_loss_is_undone(gamma: float, alpha: float) -> None:
    for chance in CHANCES[1:]:

        def loss(z: float, chance: float = chance) -> float:
            at, true = _chance(np.array([z])), np.array([chance])
            return float(_focal_loss(at, true, gamma, alpha)[0])

        least = minimize_scalar(
            loss, bounds=(-15.0, 15.0), method="bounded", options={"xatol": 1e-9}
        )
        undone = _chance(undo_focal(np.array([least.x]), gamma, alpha))
        assert undone == pytest.approx(chance, rel=1e-3)


@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.7, 0.6)])
def test_focal_undoing_is_the_published_formula(gamma: float, alpha: float) -> None:
    p = CHANCES

    def h(v: Floats) -> Floats:
        return v / ((1 - v) ** gamma - gamma * (1 - v) ** (gamma - 1) * v * np.log(v))

    eta = (1 - alpha) * h(p) / ((1 - alpha) * h(p) + alpha * h(1 - p))
    assert _chance(undo_focal(_logit(p), gamma, alpha)) == pytest.approx(eta, rel=1e-10)


@given(st.floats(0.0, 5.0), st.floats(0.05, 0.95))
def test_focal_undoing_rises_and_stays_finite(gamma: float, alpha: float) -> None:
    z = np.concatenate([[-700.0, -100.0], np.linspace(-20.0, 20.0, 81), [100.0, 700.0]])
    undone = undo_focal(z, gamma, alpha)
    assert np.isfinite(undone).all()
    assert (np.diff(undone) > 0.0).all()


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.8])
def test_without_focus_only_the_weights_are_undone(alpha: float) -> None:
    z = np.linspace(-9.0, 9.0, 19)
    weighted = undo_positive_weight(z, alpha / (1.0 - alpha))
    assert undo_focal(z, 0.0, alpha) == pytest.approx(weighted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("occurred", [0.0, 1.0])
def test_focal_slopes_are_those_of_the_loss(occurred: float) -> None:
    z, step, focal = np.linspace(-6.0, 4.0, 41), 1e-5, Focal(2.0, 0.25)
    outcome = np.full_like(z, occurred)

    def loss(at: Floats) -> Floats:
        return _focal_loss(_chance(at), outcome, 2.0, 0.25)

    gradient, curvature = focal.slopes(z, outcome)
    by_difference = (loss(z + step) - loss(z - step)) / (2.0 * step)
    assert gradient == pytest.approx(by_difference, rel=1e-5, abs=1e-9)
    # The expected curvature is the slope of the expected gradient at the undone chance.
    eta = _chance(undo_focal(z, 2.0, 0.25))

    def expected(at: Floats) -> Floats:
        none, gift = (focal.slopes(at, np.full_like(z, kind))[0] for kind in (0.0, 1.0))
        return eta * gift + (1.0 - eta) * none

    assert expected(z) == pytest.approx(np.zeros_like(z), abs=1e-12)
    slope = (expected(z + step) - expected(z - step)) / (2.0 * step)
    assert curvature == pytest.approx(slope, rel=1e-4, abs=1e-10)
    assert (curvature > 0.0).all()


def test_focal_starts_at_the_rate_with_the_curvature_of_the_log_loss() -> None:
    focal = Focal.at_rate(0.02, 2.0, 0.25)
    start = np.array([focal.start])
    assert _chance(undo_focal(start, 2.0, 0.25)) == pytest.approx([0.02], rel=1e-9)
    curvature = focal.slopes(start, np.array([0.0]))[1] / focal.unit
    assert curvature == pytest.approx([0.02 * 0.98], rel=1e-9)


def test_distortions_are_undone_last_first() -> None:
    # A law of which a tenth of the negatives were kept, then learnt with gifts counted 5 times.
    kept = CHANCES / (CHANCES + 0.1 * (1.0 - CHANCES))
    learnt = 5.0 * kept / (5.0 * kept + 1.0 - kept)
    assert _chance(Undo(kept=0.1, weight=5.0)(_logit(learnt))) == pytest.approx(CHANCES, rel=1e-12)
    assert Undo()(_logit(CHANCES)) == pytest.approx(_logit(CHANCES), rel=1e-12)
    focal = Undo(kept=0.1, gamma=2.0, alpha=0.25, start=-1.0)(np.array([0.5]))
    assert focal == pytest.approx(undo_focal(np.array([-0.5]), 2.0, 0.25) + np.log(0.1))


def test_settings_that_cannot_be_undone_are_refused() -> None:
    for kept in (0.0, 1.5):
        with pytest.raises(UsageError, match="kept"):
            Occurrence(keep_negatives=kept)
    with pytest.raises(UsageError, match="weight"):
        Occurrence("weighted", positive_weight=0.0)
    with pytest.raises(UsageError, match="focal"):
        Occurrence("focal", alpha=1.0)
    with pytest.raises(UsageError, match="one of"):
        Occurrence("huber")  # type: ignore[arg-type]
