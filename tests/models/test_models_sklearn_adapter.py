"""The scikit-learn adapter under scikit-learn's own checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator
from tests.models.few_trees import with_trees

from giftlive.models.registry import MODELS
from giftlive.models.sklearn_adapter import GiftValueRegressor
from giftlive.models.trees import TreeSettings
from giftlive.models.trivial import TrivialRanker

TREES = TreeSettings(rounds=40, leaves=8, rows_per_leaf=3, l2=0.1, threads=1)
ONE_COLUMN = {"check_regressors_train"}
"""What a ranker by one column cannot: it explains no law of ten."""
LEARNED = [name for name in MODELS if not isinstance(MODELS[name](), TrivialRanker)]


def _adapter(name: str) -> GiftValueRegressor:
    """Return the model with trees for a few dozen rows: the checks' data are that small."""
    return GiftValueRegressor(with_trees(name, TREES, least_gifts=5))


def _failed(estimator: GiftValueRegressor) -> set[str]:
    """Return the checks that fail, of more than thirty that were made."""
    # Skipped: arrays of other libraries, which scikit-learn tests only with SCIPY_ARRAY_API set.
    made = check_estimator(estimator, on_skip=None, on_fail=None)
    assert sum(check["status"] == "passed" for check in made) > 30
    return {check["check_name"] for check in made if check["status"] == "failed"}


def test_the_default_passes_every_check() -> None:
    assert _failed(GiftValueRegressor()) == set()


def test_an_adapter_that_forgets_the_rows_fails() -> None:
    class Forgetful(GiftValueRegressor):
        def predict(self, X: Any) -> Any:
            return super().predict(X)[:1]

    assert "check_regressors_train" in _failed(Forgetful())


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNED)
def test_every_learned_model_passes_every_check(name: str) -> None:
    assert _failed(_adapter(name)) == set()


def test_boosted_and_composed_models_pass_too() -> None:
    assert _failed(_adapter("two_part_focal")) == set()


def test_a_trivial_ranker_fails_only_what_one_column_cannot() -> None:
    assert _failed(GiftValueRegressor(TrivialRanker("first", "x0"))) == ONE_COLUMN


def test_the_adapter_only_translates(train: Any, fresh: Any) -> None:
    X, y, user = train.X[:4_000], train.y[:4_000], train.user[:4_000]
    adapter = GiftValueRegressor("tweedie_glm").fit(X, y, user)
    columns = tuple(f"x{j}" for j in range(X.shape[1]))
    own = MODELS["tweedie_glm"]().fit(X, y, user, names=columns)
    assert np.array_equal(adapter.predict(fresh.X), own.predict(fresh.X))
    assert np.array_equal(adapter.predict_chance(fresh.X), own.predict_proba(fresh.X))
    assert adapter.fitted_.card() == own.card()


def test_users_reach_the_model(train: Any, small_trees: TreeSettings) -> None:
    X, y = train.X[:4_000], train.y[:4_000]
    adapter = GiftValueRegressor(with_trees("two_part", small_trees))
    ours, theirs = (clone(adapter).fit(X, y, users) for users in (train.user[:4_000], None))
    assert not np.array_equal(ours.predict(X), theirs.predict(X))


def test_refusals_are_value_errors_with_the_paragraph(train: Any) -> None:
    X, y = train.X[:200], np.zeros(200)
    with pytest.raises(ValueError, match=r"0 of 200.*Hint: .*n_samples=200"):
        GiftValueRegressor().fit(X, y)
    with pytest.raises(ValueError, match="negative"):
        GiftValueRegressor().fit(X, y - 1.0)
    with pytest.raises(ValueError, match="no model 'riddge'"):
        GiftValueRegressor("riddge").fit(X, y + 1.0)
