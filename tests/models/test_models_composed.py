"""Models made of models: a geometric mean, a recall with a re-ranker, and how they are saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from giftlive.errors import InputError, UsageError
from giftlive.models.ensemble import GeometricMean
from giftlive.models.folder import load, save
from giftlive.models.recall_rerank import RecallRerank
from giftlive.models.ridge import Ridge
from giftlive.models.trees import TreeSettings
from giftlive.models.trivial import TrivialRanker
from giftlive.models.two_part import TwoPart

SPEND = TrivialRanker("user_past_spend", "user_gift_sum")
PAIR = TrivialRanker("pair_past_spend", "pair_gift_sum")


def _fit(model: Any, sample: Any) -> Any:
    return model.fit(sample.X, sample.y, sample.user, names=sample.names)


def test_the_geometric_mean_by_hand(train: Any, fresh: Any) -> None:
    both = _fit(GeometricMean((SPEND, PAIR)), train)
    one, other = _fit(SPEND, train).predict(fresh.X), _fit(PAIR, train).predict(fresh.X)
    assert both.predict(fresh.X) == pytest.approx(both.level * np.sqrt(one * other), rel=1e-9)
    assert both.predict(train.X).sum() == pytest.approx(train.y.sum(), rel=1e-9)
    # The geometric mean lies below the arithmetic one.
    assert both.level > 1.0


def test_a_mean_of_one_model_is_that_model(train: Any, fresh: Any) -> None:
    single = _fit(GeometricMean((SPEND,)), train)
    alone = _fit(SPEND, train)
    assert single.level == pytest.approx(1.0, rel=1e-9)
    assert single.predict(fresh.X) == pytest.approx(alone.predict(fresh.X), rel=1e-9)
    assert single.predict_proba(fresh.X) == pytest.approx(alone.predict_proba(fresh.X), rel=1e-9)
    with pytest.raises(UsageError, match="no model"):
        GeometricMean(())


@pytest.fixture(scope="module")
def staged(train: Any, small_trees: TreeSettings) -> Any:
    full = TwoPart(occurrence=small_trees, amount=small_trees)
    return _fit(RecallRerank(cheap=SPEND, expensive=full, recalled=0.25), train)


def test_recalled_rows_have_the_expensive_value_and_the_rest_the_cheap_order(
    staged: Any, fresh: Any
) -> None:
    values, above = staged.predict(fresh.X), staged.recalled(fresh.X)
    assert above.mean() == pytest.approx(0.25, abs=0.03)
    assert np.array_equal(values[above], staged.expensive.predict(fresh.X[above]))
    cheap = staged.cheap.predict(fresh.X)
    assert cheap[above].min() > cheap[~above].max()
    assert values[~above] == pytest.approx(staged.level * cheap[~above], rel=1e-12)
    chance = staged.predict_proba(fresh.X)
    assert np.array_equal(chance[above], staged.expensive.predict_proba(fresh.X[above]))


def test_both_sides_of_the_cut_have_their_level(staged: Any, train: Any, fresh: Any) -> None:
    below = ~staged.recalled(train.X)
    assert staged.predict(train.X)[below].sum() == pytest.approx(train.y[below].sum(), rel=1e-9)
    assert staged.predict(fresh.X).sum() == pytest.approx(fresh.ev.sum(), rel=0.2)


def test_the_card_says_what_no_reranking_can_bring_back(staged: Any, train: Any) -> None:
    share = train.y[staged.recalled(train.X)].sum() / train.y.sum()
    assert staged.card()["fitted"]["amount_recalled"] == pytest.approx(share, rel=1e-12)
    assert 0.25 < share < 1.0


def test_recalling_nearly_everything_is_the_expensive_model(train: Any, fresh: Any) -> None:
    both = _fit(RecallRerank(cheap=SPEND, expensive=Ridge(), recalled=0.999), train)
    above = both.recalled(fresh.X)
    assert above.mean() > 0.99
    alone = _fit(Ridge(), train).predict(fresh.X)
    assert both.predict(fresh.X)[above] == pytest.approx(alone[above], rel=1e-9)
    for share in (0.0, 1.0):
        with pytest.raises(UsageError, match="share"):
            RecallRerank(recalled=share)


def test_nobody_gave_below_the_cut(train: Any) -> None:
    model = RecallRerank(cheap=SPEND, expensive=Ridge(), recalled=0.5)
    top = train.X[:, 0] > np.median(train.X[:, 0])
    y = np.where(top, train.y, 0.0)
    values = model.fit(train.X, y, train.user, names=train.names).predict(train.X)
    assert (values > 0.0).all()
    assert values[~top].sum() < 0.01 * y.sum()


def test_parts_are_saved_in_folders_of_their_own(staged: Any, fresh: Any, tmp_path: Path) -> None:
    save(staged, tmp_path)
    assert {path.name for path in tmp_path.glob("part_*")} == {"part_0", "part_1"}
    assert np.array_equal(
        load(tmp_path / "part_1").predict(fresh.X), staged.expensive.predict(fresh.X)
    )
    assert np.array_equal(load(tmp_path).predict(fresh.X), staged.predict(fresh.X))
    (tmp_path / "part_0" / "model.json").unlink()
    with pytest.raises(InputError, match="part_0"):
        load(tmp_path)
