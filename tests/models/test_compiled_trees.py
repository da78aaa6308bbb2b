"""The compiled walk against LightGBM's own predictions, bit for bit."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from giftlive.models.compiled_trees import read_trees, scores
from giftlive.models.trees import Forest, TreeSettings, grow
from giftlive.types import Floats


def _rows(n: int, seed: int) -> Floats:
    """Features as logs have them: counts, many zeros, unknowns, and one tiny number."""
    rng = np.random.default_rng(seed)
    X = np.floor(rng.pareto(0.7, (n, 6)) * 3)
    X[rng.random(X.shape) < 0.3] = 0.0
    X[rng.random(X.shape) < 0.2] = np.nan
    X[0, :3] = 1e-36, -1e-36, -0.0
    return X


@pytest.mark.parametrize(
    "extra",
    [{}, {"zero_as_missing": True}, {"use_missing": False}],
    ids=["nan", "zero is missing", "no missing"],
)
def test_equals_lightgbm_to_the_bit(extra: dict[str, Any]) -> None:
    X = _rows(900, 0)
    y = np.nan_to_num(X[:, 0]) + np.isnan(X[:, 1]) * 3.0 + (X[:, 2] == 0.0)
    told = TreeSettings(rounds=25, rows_per_leaf=5, threads=1).parameters("regression") | extra
    booster = lightgbm.train(told, lightgbm.Dataset(X, y, params=told))
    trees = read_trees(booster.model_to_string())
    assert trees is not None
    asked = _rows(400, 1)  # and rows that stand on a threshold: it belongs to the left
    asked[np.arange(len(trees.column)) % 300, trees.column] = trees.threshold
    ours, theirs = scores(trees, asked), booster.predict(asked, raw_score=True, num_threads=1)
    assert ours.tobytes() == np.asarray(theirs).tobytes()
    assert len(np.unique(ours)) > 50


def test_an_ensemble_that_learned_nothing() -> None:
    X = np.zeros((50, 2))
    forest = grow(X, np.ones(50), "regression", TreeSettings(rounds=3, threads=1))
    booster = lightgbm.Booster(model_str=forest.texts[0])
    expected = booster.predict(X, raw_score=True, num_threads=1)
    assert forest.member(0, X).tolist() == np.asarray(expected).tolist()


def test_categories_are_left_to_lightgbm() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 9, 600), rng.normal(size=600)]).astype(np.float64)
    told = TreeSettings(rounds=5, rows_per_leaf=5, threads=1).parameters("regression")
    data = lightgbm.Dataset(X, np.isin(X[:, 0], (2, 5, 7)) * 2.0, categorical_feature=[0])
    text = lightgbm.train(told, data).model_to_string()
    assert read_trees(text) is None
    assert len(np.unique(Forest((text,)).member(0, X[:20]))) > 1


def test_a_row_of_another_width_is_refused_as_before() -> None:
    X = _rows(300, 2)
    forest = grow(X, np.nan_to_num(X[:, 0]), "regression", TreeSettings(rounds=3, threads=1))
    with pytest.raises(lightgbm.basic.LightGBMError):
        forest.member(0, X[:5, :3])
