"""What is computed a chunk at a time is what it is at once, and copies little."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.models.few_trees import with_trees

from giftlive.errors import InputError, UsageError
from giftlive.models import base
from giftlive.models.base import by_chunks, known, training
from giftlive.models.basis import Basis
from giftlive.models.linear_start import LinearStart
from giftlive.models.registry import MODELS
from giftlive.models.ridge import Design, Ridge
from giftlive.models.scorer import effects
from giftlive.models.trees import TreeSettings
from giftlive.rng import stream

CHUNKED = ("hurdle", "ziln", "two_part", "tweedie_glm", "ridge")


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "CHUNK", 999)


@pytest.mark.parametrize("name", CHUNKED)
def test_a_model_fitted_and_asked_in_chunks_is_the_same(
    name: str, train: Any, small_trees: TreeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for size in (len(train.y), 999):
        monkeypatch.setattr(base, "CHUNK", size)
        model = with_trees(name, small_trees).fit(train.X, train.y, train.user, names=train.names)
        found.append((model.predict(train.X), model.predict_proba(train.X)))
    for whole, pieces in zip(*found, strict=True):
        assert pieces == pytest.approx(whole, rel=1e-6)


def test_chunks_cover_every_row_once(small_chunks: None) -> None:
    X = np.where(stream(0, "gaps").random((2_500, 2)) < 0.2, -1.0, 1.0)
    asked = []

    def seen(features: Any) -> Any:
        asked.append(len(features))
        return np.isnan(features).sum(axis=1).astype(float)

    assert np.array_equal(by_chunks(X, 2, seen), (X == -1.0).sum(axis=1))
    assert asked == [999, 999, 502]
    assert by_chunks(X[:0], 2, seen).shape == (0,)


def test_an_infinite_feature_of_any_chunk_is_refused_before_anything(small_chunks: None) -> None:
    X = np.zeros((2_500, 3))
    X[2_400, 1] = X[7, 1] = np.inf
    for ask in (known, lambda x: by_chunks(x, 3, lambda features: features[:, 0])):
        with pytest.raises(InputError, match="2 infinite features") as refusal:
            ask(X)
        assert "[1]" in str(refusal.value)
    with pytest.raises(UsageError, match="4 columns"):
        by_chunks(X, 4, lambda features: features[:, 0])


def test_training_as_given_copies_nothing_and_marks_the_rows_it_hands_out(train: Any) -> None:
    data = training(train.X, train.y, train.user, train.names, as_given=True)
    assert data.X is train.X
    at = np.array([5, 3, 9_000])
    assert np.array_equal(data.rows(at), known(train.X)[at], equal_nan=True)
    assert (train.X == -1.0).any()  # those of the caller keep their mark


def test_linear_scores_are_the_columns_times_the_slopes(train: Any) -> None:
    g = stream(1, "slopes")
    basis = Basis.of(train.X, shares=())
    assert basis.knots.shape == (7, 0)
    start = LinearStart(basis, g.normal(size=(3, 14)), g.normal(size=3))
    beyond = np.vstack([train.X[:500], train.X[:500] * 1e4, np.full((2, 7), np.nan)])
    expected = basis.with_gaps(beyond) @ start.coefficients.T + start.intercepts
    assert start.scores(beyond) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    stored = LinearStart.from_dict(start.as_dict())
    assert np.array_equal(stored.scores(beyond), start.scores(beyond))


def test_effects_are_the_bent_columns_times_the_weights(train: Any) -> None:
    basis = Basis.of(train.X)
    weights = stream(2, "weights").normal(size=7 * 6)
    rows = np.vstack([train.X[:500], train.X[:500] * 1e4, np.full((2, 7), np.nan)])
    expected = basis.bent(rows) @ weights
    assert effects(basis, rows, weights) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    nothing = effects(Basis.of(rows[:, :0]), rows[:, :0], np.zeros(0))
    assert np.array_equal(nothing, np.zeros(len(rows)))
    with pytest.raises(UsageError, match="7"):
        effects(basis, rows[:, 1:], weights)


def test_a_design_has_every_column_but_indicators_of_no_gap(train: Any, small_chunks: None) -> None:
    basis = Basis.of(train.X)
    columns, kept = basis.design(train.X)
    assert kept.tolist() == [*range(7), 7 + 1, 7 + 3]
    whole = basis.with_gaps(train.X)
    assert np.array_equal(columns, whole[:, kept])
    assert not np.delete(whole, kept, axis=1).any()


def test_the_normal_equations_give_the_ridge_regression_of_scikit_learn(
    train: Any, small_chunks: None
) -> None:
    from sklearn.linear_model import Ridge as Regression

    design = Design.of(train.X, 10.0)
    Z = design.columns(known(train.X))
    assert Z.mean(axis=0) == pytest.approx(np.zeros(Z.shape[1]), abs=1e-9)
    assert Z.std(axis=0) == pytest.approx(np.ones(Z.shape[1]))
    expected = Regression(alpha=1e-3 * len(Z), solver="cholesky").fit(Z, train.y)
    found: Any = Ridge().fit(train.X, train.y, train.user, names=train.names)
    assert found.coefficients == pytest.approx(expected.coef_, rel=1e-6, abs=1e-9)
    assert found.intercept == pytest.approx(float(expected.intercept_), rel=1e-9)
    assert set(MODELS) >= set(CHUNKED)
