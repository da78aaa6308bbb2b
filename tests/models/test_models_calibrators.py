"""Curves of probabilities: known answers, brute force, and what each may not do."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.models.calibrators import (
    CALIBRATORS,
    Beta,
    Isotonic,
    VennAbers,
    stored_calibrator,
)
from giftlive.models.curves import probability
from giftlive.models.undoing import undo_kept_negatives
from giftlive.rng import stream
from giftlive.types import Floats


def _drawn(n: int, seed: int, p: Floats | None = None) -> tuple[Floats, Floats]:
    g = stream(seed, "calibration")
    chance = g.beta(0.5, 4.0, n) if p is None else p
    return chance, (g.random(n) < chance).astype(np.float64)


def _isotonic_at(scores: Floats, occurred: Floats, at: float, outcome: float) -> float:
    """Return the isotonic value at ``at`` after adding that row: the definition, slowly."""
    s, y = np.append(scores, at), np.append(occurred, outcome)
    groups, index = np.unique(s, return_inverse=True)
    means = np.bincount(index, weights=y) / np.bincount(index)
    ranks = np.arange(len(groups))  # scikit-learn takes scores closer than its precision for ties
    fit = IsotonicRegression().fit_transform(ranks, means, sample_weight=np.bincount(index))
    return float(fit[np.searchsorted(groups, at)])


@given(
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=25),
    st.lists(st.floats(-1.0, 9.0), min_size=1, max_size=6),
)
def test_venn_abers_is_isotonic_regression_with_the_row_added(
    rows: list[tuple[int, bool]], asked: list[float]
) -> None:
    scores = np.array([score for score, _ in rows]) / 10.0
    occurred = np.array([float(hit) for _, hit in rows])
    at = np.clip(np.concatenate([np.array(asked) / 10.0, scores]), -0.1, 0.9)
    low, high = VennAbers.fit(scores, occurred).bounds(at)
    for index, score in enumerate(at):
        assert low[index] == pytest.approx(_isotonic_at(scores, occurred, score, 0.0), abs=1e-12)
        assert high[index] == pytest.approx(_isotonic_at(scores, occurred, score, 1.0), abs=1e-12)


def test_venn_abers_brackets_its_merger_and_is_never_certain() -> None:
    p, occurred = _drawn(3_000, 1)
    curve = VennAbers.fit(p, occurred)
    asked = np.linspace(0.0, 1.0, 501)
    low, high = curve.bounds(asked)
    merged = curve(asked)
    assert (low <= high).all()
    assert ((low <= merged) & (merged <= high)).all()
    assert ((merged > 0.0) & (merged < 1.0)).all()
    assert (np.diff(merged) >= -1e-12).all()


def test_one_of_the_two_venn_abers_probabilities_is_calibrated() -> None:
    # Validity: with p_Y, Y the outcome itself, E[Y − p_Y] = 0 even for a score that means nothing.
    gaps = []
    for seed in range(60):
        p, occurred = _drawn(400, seed)
        curve = VennAbers.fit(p[:200] ** 3, occurred[:200])
        low, high = curve.bounds(p[200:] ** 3)
        gaps.append(float(np.mean(occurred[200:] - np.where(occurred[200:] > 0, high, low))))
    assert abs(np.mean(gaps)) < 3.0 * np.std(gaps) / np.sqrt(60) + 1e-3


def test_beta_leaves_calibrated_probabilities_alone() -> None:
    p, occurred = _drawn(300_000, 2)
    curve = Beta.fit(p, occurred)
    assert (curve.a, curve.b) == pytest.approx((1.0, 1.0), abs=0.06)
    asked = np.array([0.01, 0.05, 0.2, 0.5, 0.8])
    assert curve(asked) == pytest.approx(asked, rel=0.04)
    identity = Beta(1.0, 1.0, 0.0)
    assert identity(asked) == pytest.approx(asked, rel=1e-12)


def test_beta_recovers_a_planted_beta_distortion() -> None:
    planted = Beta(0.7, 1.6, -0.4)
    g = stream(3, "distorted")
    p = g.beta(0.6, 3.0, 300_000)
    occurred = (g.random(len(p)) < planted(p)).astype(np.float64)
    found = Beta.fit(p, occurred)
    assert (found.a, found.b, found.c) == pytest.approx((0.7, 1.6, -0.4), abs=0.08)


def test_beta_never_turns_an_order_round() -> None:
    p, occurred = _drawn(5_000, 4)
    curve = Beta.fit(p, 1.0 - occurred)
    assert (np.diff(curve(np.sort(p))) >= 0.0).all()
    assert curve(p).mean() == pytest.approx(1.0 - occurred.mean(), abs=0.01)


def test_beta_with_few_gifts_corrects_the_rate_alone() -> None:
    p = np.full(1_000, 0.3)
    occurred = np.zeros(1_000)
    occurred[:10] = 1.0
    curve = Beta.fit(p, occurred)
    assert (curve.a, curve.b) == (1.0, 1.0)
    assert curve(p) == pytest.approx(np.full(1_000, 10.5 / 1_001), rel=1e-6)


def test_isotonic_pools_violators_by_hand() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.4])
    curve = Isotonic.fit(p, np.array([0.0, 1.0, 0.0, 1.0]))
    assert curve(p) == pytest.approx([0.0, 0.5, 0.5, 1.0])
    assert curve(np.array([0.0, 0.25, 0.9])) == pytest.approx([0.0, 0.5, 1.0])


@pytest.mark.parametrize("name", CALIBRATORS)
def test_a_distorted_score_becomes_calibrated_on_fresh_rows(name: str) -> None:
    p, occurred = _drawn(60_000, 5)
    distorted = p**2 / (p**2 + (1.0 - p) ** 0.5)
    curve = CALIBRATORS[name](distorted[:40_000], occurred[:40_000])
    found, truth = curve(distorted[40_000:]), p[40_000:]
    for rows in np.array_split(np.argsort(found, kind="stable"), 10)[3:]:
        assert found[rows].mean() == pytest.approx(truth[rows].mean(), rel=0.12)


@pytest.mark.parametrize("name", CALIBRATORS)
def test_a_stored_curve_is_the_curve(name: str) -> None:
    p, occurred = _drawn(2_000, 6)
    curve = CALIBRATORS[name](p, occurred)
    again = stored_calibrator(json.loads(json.dumps(curve.as_dict())))
    asked = np.concatenate([p, [0.0, 1.0]])
    assert np.array_equal(again(asked), curve(asked))


@pytest.mark.parametrize("name", CALIBRATORS)
def test_unusable_arguments_are_refused(name: str) -> None:
    fit = CALIBRATORS[name]
    with pytest.raises(UsageError, match="shapes"):
        fit(np.ones(3), np.ones(4))
    with pytest.raises(NotEnoughDataError, match="no row"):
        fit(np.ones(0), np.ones(0))
    with pytest.raises(InputError, match="not in"):
        fit(np.array([0.1, np.nan]), np.ones(2))
    with pytest.raises(InputError, match="not 0 or 1"):
        fit(np.array([0.1, 0.2]), np.array([0.0, 0.5]))


@given(st.floats(0.001, 0.999), st.floats(0.01, 1.0))
def test_sampling_is_undone_exactly(q: float, keep: float) -> None:
    sampled = q / (q + keep * (1.0 - q))
    logit = np.log(np.array([sampled / (1.0 - sampled)]))
    assert probability(undo_kept_negatives(logit, keep))[0] == pytest.approx(q, rel=1e-9)
    assert probability(np.log(sampled / (1.0 - sampled)) + np.log(keep)) == pytest.approx(
        q, rel=1e-9
    )
    with pytest.raises(UsageError, match="share"):
        undo_kept_negatives(logit, 0.0)
