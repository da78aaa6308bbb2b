from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import precision_score, recall_score

from giftlive import metrics
from giftlive.errors import InputError, UsageError
from giftlive.rng import stream


def test_percentile_is_strict_and_known() -> None:
    past = np.arange(1.0, 101.0)
    assert np.flatnonzero(metrics.above_percentile(past, 99.0)).tolist() == [99]
    assert metrics.above_percentile(past, 90.0).sum() == 10
    assert not metrics.above_percentile(np.full(50, 3.0), 99.0).any()
    assert metrics.above_percentile([0.0] * 99 + [1.0], 50.0).sum() == 1


def test_percentile_weights_are_copies_and_units_do_not_matter(columns: Any) -> None:
    y, w = columns.amount, columns.copies
    flag = metrics.above_percentile(y, 97.0, w)
    again = metrics.above_percentile(columns.repeated(y), 97.0)
    assert columns.repeated(flag).tolist() == again.tolist()
    assert metrics.above_percentile(y * 8.0, 97.0, w).tolist() == flag.tolist()
    assert not metrics.above_percentile(y, 97.0, np.zeros(len(y))).any()


@pytest.mark.parametrize("percentile", [0.0, 100.0, -3.0])
def test_impossible_percentiles_are_refused(percentile: float) -> None:
    with pytest.raises(UsageError, match="percentile"):
        metrics.above_percentile([1.0], percentile)


def test_search_matches_scikit_learn() -> None:
    g = stream(20, "whales")
    whale, score = g.random(500) < 0.1, g.permutation(500).astype(np.float64)
    score += 200.0 * whale
    score += 1e-3 * np.arange(500)
    found = metrics.whale_search(np.ones(500), score, whale, 0.1)
    chosen = np.argsort(-score)[:50]
    predicted = np.isin(np.arange(500), chosen)
    assert found.recall == pytest.approx(recall_score(whale, predicted))
    assert found.precision == pytest.approx(precision_score(whale, predicted))
    assert found.lift == pytest.approx(found.precision / whale.mean())
    assert found.capture == pytest.approx(found.recall)


def test_search_limits() -> None:
    y = np.array([9.0, 1.0, 3.0, 0.0])
    whale = np.array([True, True, False, False])
    everything = metrics.whale_search(y, y, whale, 1.0)
    assert everything == metrics.WhaleSearch(1.0, 0.5, 1.0, 1.0)
    blind = metrics.whale_search(y, np.zeros(4), whale, 0.25)
    assert blind == metrics.WhaleSearch(0.25, 0.5, 1.0, 0.25)
    perfect = metrics.whale_search(y, whale.astype(float), whale, 0.5)
    assert perfect == metrics.WhaleSearch(1.0, 1.0, 2.0, 1.0)


def test_without_whales_or_rows_there_is_no_value() -> None:
    none = metrics.whale_search([1.0, 2.0], [1.0, 2.0], [False, False], 0.5)
    assert none.precision == 0.0
    assert np.isnan([none.recall, none.lift, none.capture]).all()
    empty = metrics.whale_search([], [], [], 0.5)
    assert np.isnan([empty.recall, empty.precision, empty.lift, empty.capture]).all()
    poor = metrics.whale_search([0.0, 2.0], [1.0, 2.0], [True, False], 0.5)
    assert np.isnan(poor.capture)


def test_users_are_added_up_exactly(columns: Any) -> None:
    user = np.arange(400) % 37
    whale = user < 5
    rows = metrics.per_user(user, columns.amount, columns.p, whale)
    assert rows.amount == pytest.approx(np.bincount(user, columns.amount))
    assert rows.score == pytest.approx(np.bincount(user, columns.p))
    assert rows.whale.tolist() == (np.arange(37) < 5).tolist()
    order = stream(21, "order").permutation(400)
    shuffled = metrics.per_user(user[order], columns.amount[order], columns.p[order], whale[order])
    assert shuffled.score.tolist() == rows.score.tolist()


def test_by_sample_and_by_user_differ_when_whales_come_often() -> None:
    user = np.array([1, 1, 1, 2, 3])
    y = np.array([5.0, 5.0, 0.0, 10.0, 0.0])
    score = np.array([1.0, 1.0, 0.0, 2.5, 0.5])
    whale = user < 3
    sample = metrics.whale_search(y, score, whale, 0.2)
    rows = metrics.per_user(user, y, score, whale)
    by_user = metrics.whale_search(rows.amount, rows.score, rows.whale, 1 / 3)
    assert sample.recall == pytest.approx(0.25)
    assert by_user.recall == pytest.approx(0.5)
    assert sample.capture == by_user.capture == pytest.approx(0.5)


def test_a_flag_that_changes_within_a_user_is_refused() -> None:
    with pytest.raises(InputError, match="the first is 7"):
        metrics.per_user([7, 7], [1.0, 2.0], [1.0, 1.0], [True, False])
    with pytest.raises(UsageError, match="whale"):
        metrics.whale_search([1.0], [1.0], [1.0], 0.5)
