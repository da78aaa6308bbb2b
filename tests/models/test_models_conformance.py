"""What every value model of the registry does, on data whose true expected amounts are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.models.few_trees import WhenAsked, each, with_trees

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.models.base import FittedModel
from giftlive.models.folder import load, save
from giftlive.models.registry import MODELS
from giftlive.models.trees import TreeSettings
from giftlive.rng import stream

OTHER_ESTIMAND = {"boosted_log1p", "ridge_log1p_geometric"}
"""Models whose level is another quantity's."""
LEVELLED_ELSEWHERE = {"hurdle", "ziln", "recall_rerank"}
"""Models whose level is that of users they did not see: the training sum is only nearly kept."""
LEVELLED = [name for name in MODELS if name not in OTHER_ESTIMAND | LEVELLED_ELSEWHERE]
TREES = [name for name in MODELS if name.startswith(("boosted", "two_part", "hurdle", "ziln"))]


@pytest.fixture(scope="module")
def fitted(train: Any, small_trees: TreeSettings) -> dict[str, FittedModel]:
    return WhenAsked(
        lambda name: with_trees(name, small_trees).fit(
            train.X, train.y, train.user, names=train.names
        )
    )


@pytest.mark.parametrize("name", each(MODELS))
def test_predictions_are_positive_amounts_and_probabilities(
    name: str, fitted: dict[str, FittedModel], fresh: Any
) -> None:
    amount, chance = fitted[name].predict(fresh.X), fitted[name].predict_proba(fresh.X)
    assert amount.shape == chance.shape == fresh.y.shape
    assert (amount > 0.0).all()
    assert np.isfinite(amount).all()
    assert ((chance > 0.0) & (chance < 1.0)).all()
    assert chance.mean() == pytest.approx(fresh.chance.mean(), rel=0.15)


@pytest.mark.parametrize("name", each(LEVELLED))
def test_the_level_of_the_training_rows_is_kept(
    name: str, fitted: dict[str, FittedModel], train: Any
) -> None:
    assert fitted[name].predict(train.X).sum() == pytest.approx(train.y.sum(), rel=1e-9)


@pytest.mark.parametrize("name", each(MODELS))
def test_fitting_twice_gives_the_same_bits(
    name: str, fitted: dict[str, FittedModel], train: Any, small_trees: TreeSettings
) -> None:
    again = with_trees(name, small_trees).fit(train.X, train.y, train.user, names=train.names)
    assert again.state() == fitted[name].state()


@pytest.mark.parametrize("name", each(MODELS))
def test_saving_and_loading_changes_no_bit(
    name: str, fitted: dict[str, FittedModel], fresh: Any, tmp_path: Path
) -> None:
    save(fitted[name], tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert np.array_equal(loaded.predict(fresh.X), fitted[name].predict(fresh.X))
    assert np.array_equal(loaded.predict_proba(fresh.X), fitted[name].predict_proba(fresh.X))
    assert loaded.card() == fitted[name].card()


@pytest.mark.parametrize("name", each(MODELS))
def test_the_card_says_what_the_model_is(
    name: str, fitted: dict[str, FittedModel], train: Any, tmp_path: Path
) -> None:
    card = fitted[name].card()
    assert card["name"] == name
    assert card["features"] == train.names
    assert card["rows"] == 20_000
    assert card["positives"] == int((train.y > 0).sum())
    assert card["limits"]
    save(fitted[name], tmp_path)
    assert json.loads((tmp_path / "card.json").read_text())["name"] == name


@pytest.mark.parametrize("name", each(MODELS))
def test_the_order_of_features_does_not_matter(
    name: str, fitted: dict[str, FittedModel], train: Any, fresh: Any, small_trees: TreeSettings
) -> None:
    order = stream(7, "columns").permutation(len(train.names))
    names = [train.names[j] for j in order]
    model = with_trees(name, small_trees).fit(train.X[:, order], train.y, train.user, names=names)
    expected = fitted[name].predict(fresh.X)
    assert model.predict(fresh.X[:, order]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", each(MODELS))
def test_minus_one_and_nan_mean_the_same(
    name: str, fitted: dict[str, FittedModel], fresh: Any
) -> None:
    assert (fresh.X == -1.0).any()
    with_nan = np.where(fresh.X == -1.0, np.nan, fresh.X)
    assert np.array_equal(fitted[name].predict(with_nan), fitted[name].predict(fresh.X))


@pytest.mark.parametrize("name", LEVELLED_ELSEWHERE)
def test_a_level_of_unseen_users_is_near_the_training_sum(
    name: str, fitted: dict[str, FittedModel], train: Any
) -> None:
    assert fitted[name].predict(train.X).sum() == pytest.approx(train.y.sum(), rel=0.1)


@pytest.mark.parametrize("name", each(MODELS))
def test_the_unit_of_money_only_scales_the_prediction(
    name: str, fitted: dict[str, FittedModel], train: Any, fresh: Any, small_trees: TreeSettings
) -> None:
    model = with_trees(name, small_trees).fit(
        train.X, train.y * 1000.0, train.user, names=train.names
    )
    expected = 1000.0 * fitted[name].predict(fresh.X)
    assert model.predict(fresh.X) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", each(MODELS))
def test_unusable_arguments_are_refused(name: str, train: Any, small_trees: TreeSettings) -> None:
    model, names = with_trees(name, small_trees), train.names
    with pytest.raises(UsageError, match="columns"):
        model.fit(train.X[:, 1:], train.y, train.user, names=names)
    with pytest.raises(UsageError, match="groups"):
        model.fit(train.X, train.y[1:], train.user, names=names)
    with pytest.raises(InputError, match="negative"):
        model.fit(train.X, train.y - 1.0, train.user, names=names)
    with pytest.raises(NotEnoughDataError, match="trivial ranker"):
        model.fit(train.X, np.zeros_like(train.y), train.user, names=names)


@pytest.mark.parametrize("name", each(TREES))
def test_trees_need_fifty_gifts(name: str, train: Any, small_trees: TreeSettings) -> None:
    few = np.where(np.cumsum(train.y > 0) <= 49, train.y, 0.0)
    with pytest.raises(NotEnoughDataError, match="49 of 20000"):
        with_trees(name, small_trees).fit(train.X, few, train.user, names=train.names)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a saved model"):
        load(tmp_path)
    (tmp_path / "model.json").write_text('{"kind": "pickle"}')
    with pytest.raises(InputError, match="pickle"):
        load(tmp_path)
