"""Every way of learning the two parts ends at the same chance and the same level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.curves import probability
from giftlive.models.occurrence import Occurrence
from giftlive.models.trees import TreeSettings, user_folds
from giftlive.models.two_part import FittedTwoPart, TwoPart
from giftlive.rng import stream
from giftlive.types import Floats, Ints

STAGES = {
    "plain": Occurrence(),
    "weighted": Occurrence("weighted"),
    "focal": Occurrence("focal"),
    "sampled": Occurrence(keep_negatives=0.1),
    "weighted and sampled": Occurrence("weighted", positive_weight=4.0, keep_negatives=0.2),
    "focal and sampled": Occurrence("focal", gamma=1.0, keep_negatives=0.2),
}
DISTORTED = [name for name in STAGES if name != "plain"]
LARGE_LEAVES = TreeSettings(rounds=80, leaves=6, rows_per_leaf=150, l2=0.0, threads=1)


@pytest.fixture(scope="module")
def cells() -> tuple[Floats, Floats, Floats, Ints]:
    """Return features, occurrence, true chance and fold of a law of six kinds of rows."""
    g = stream(0, "cells")
    kind = g.integers(0, 6, 40_000)
    chance = np.array([0.01, 0.02, 0.04, 0.08, 0.2, 0.4])[kind]
    occurred = (g.random(len(kind)) < chance).astype(np.float64)
    return (
        kind[:, None].astype(np.float64),
        occurred,
        chance,
        user_folds(np.arange(len(kind)), 3, 0),
    )


@pytest.mark.parametrize("name", STAGES)
def test_undoing_alone_recovers_the_planted_chances(name: str, cells: Any) -> None:
    X, occurred, _, fold = cells
    forest, undo = STAGES[name].learn(X, occurred, fold, LARGE_LEAVES, seed=0)
    found = probability(undo(forest.unseen(X, fold)))
    for kind in range(6):
        rows = X[:, 0] == kind
        # No calibrator has touched these: the formula alone puts them at the rate of their rows.
        assert found[rows].mean() == pytest.approx(occurred[rows].mean(), rel=0.12)


@pytest.mark.parametrize("name", DISTORTED)
def test_what_was_not_undone_is_far_off(name: str, cells: Any) -> None:
    X, occurred, chance, fold = cells
    forest, undo = STAGES[name].learn(X, occurred, fold, LARGE_LEAVES, seed=0)
    assert probability(undo.start + forest.unseen(X, fold)).mean() > 1.5 * chance.mean()


def _fit(train: Any, **settings: Any) -> FittedTwoPart:
    small = TreeSettings(rounds=40, leaves=8, rows_per_leaf=20, threads=1)
    model = TwoPart(occurrence=small, amount=small, **settings)
    return model.fit(train.X, train.y, train.user, names=train.names)


@pytest.mark.parametrize("name", STAGES)
def test_the_chance_is_calibrated_on_fresh_rows(name: str, train: Any, fresh: Any) -> None:
    fit = _fit(train, stage1=STAGES[name])
    chance = fit.predict_proba(fresh.X)
    assert chance.mean() == pytest.approx(fresh.chance.mean(), rel=0.1)
    fifths = np.array_split(np.argsort(chance), 5)
    ratios = [chance[rows].mean() / fresh.chance[rows].mean() for rows in fifths]
    assert max(np.abs(np.log(ratios))) < 0.5
    assert fit.predict(train.X).sum() == pytest.approx(train.y.sum(), rel=1e-9)


def test_sampling_keeps_every_gift_and_the_asked_share_of_the_rest(cells: Any) -> None:
    X, occurred, _, fold = cells
    forest, undo = STAGES["sampled"].learn(X, occurred, fold, LARGE_LEAVES, seed=0)
    assert undo.kept == 0.1
    other = STAGES["sampled"].learn(X, occurred, fold, LARGE_LEAVES, seed=1)[0]
    assert forest.texts != other.texts
    again = STAGES["sampled"].learn(X, occurred, fold, LARGE_LEAVES, seed=0)[0]
    assert forest.texts == again.texts


@pytest.mark.parametrize("loss", ["plain", "weighted", "focal"])
def test_a_share_that_leaves_nobody_without_a_gift_is_refused(loss: Any, cells: Any) -> None:
    X, occurred, _, fold = (column[:500] for column in cells)
    assert 0.0 < occurred.mean() < 1.0
    with pytest.raises(NotEnoughDataError, match="keep_negatives: no row without a gift"):
        Occurrence(loss, keep_negatives=1e-9).learn(X, occurred, fold, LARGE_LEAVES, seed=0)


def _two_kinds(n: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Draw gifts of every row whose logarithm has spread 0.2 below and 1.5 above x = 0."""
    g = stream(seed, "two kinds")
    x = g.normal(size=n)
    spread = np.where(x > 0.0, 1.5, 0.2)
    eta = 3.0 + x
    y = np.exp(eta + spread * g.normal(size=n))
    return x[:, None], y, np.exp(eta + spread**2 / 2.0)


def test_smearing_per_bin_finds_the_level_where_one_factor_does_not() -> None:
    X, y, mean = _two_kinds(30_000, 3)
    trees = TreeSettings(rounds=60, leaves=8, rows_per_leaf=100, threads=1)
    fit = TwoPart(amount=trees, severity="log").fit(X, y, names=("x",))
    back, raw = fit.parts.back, fit.parts.amount.raw(X)
    assert back is not None
    assert fit.card()["settings"]["severity"] == "log"
    low, high = X[:, 0] < -0.3, X[:, 0] > 0.3
    for rows in (low, high):
        assert fit.predict(X[rows]).sum() == pytest.approx(mean[rows].sum(), rel=0.12)
    duan = np.exp(raw) * (y.sum() / np.exp(raw).sum())
    assert duan[low].sum() > 1.5 * mean[low].sum()


def test_the_products_calibration_mends_the_tenths(train: Any, fresh: Any) -> None:
    """Short ensembles shrink towards the mean; bins of the unseen product say by how much."""

    def worst(bins: int) -> float:
        fit = _fit(train, level_bins=bins)
        predicted = fit.predict(fresh.X) * train.ev.sum() / train.y.sum()
        tenths = np.array_split(np.argsort(predicted), 10)
        ratios = [predicted[rows].sum() / fresh.ev[rows].sum() for rows in tenths[2:]]
        return float(np.max(np.abs(np.log(ratios))))

    assert worst(10) < worst(1)


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(UsageError, match="gamma or log"):
        replace(TwoPart(), severity="poisson")  # type: ignore[arg-type]
