from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from giftlive import metrics
from giftlive.errors import UsageError


def _capture(y: Any, score: Any, weights: Any = None) -> float:
    return metrics.revenue_capture(y, score, 0.1, weights)


def test_a_slice_is_the_metric_of_its_rows(columns: Any) -> None:
    hour = np.arange(400) % 24
    found = metrics.by_slice(_capture, hour, columns.amount, columns.score, weights=columns.copies)
    assert [s.label for s in found] == list(range(24))
    for s in found:
        own = hour == s.label
        expected = _capture(columns.amount[own], columns.score[own], columns.copies[own])
        assert s.value == (None if np.isnan(expected) else expected)
        assert s.n == np.count_nonzero(columns.copies[own])
    assert sum(s.weight for s in found) == columns.copies.sum()


def test_one_slice_is_the_whole_and_means_add_up(columns: Any) -> None:
    whole = metrics.by_slice(_capture, np.zeros(400, int), columns.amount, columns.score)
    assert whole[0].value == _capture(columns.amount, columns.score)
    parts = metrics.by_slice(metrics.brier, np.arange(400) % 3, columns.amount, columns.p)
    mean = sum(s.weight * s.value for s in parts if s.value is not None) / 400
    assert mean == pytest.approx(metrics.brier(columns.amount, columns.p))


def test_every_slice_without_a_value_says_why() -> None:
    y, score = np.array([1.0, 2.0, 0.0, 0.0, 7.0]), np.arange(5.0)
    label = np.array(["paid", "paid", "silent", "silent", "thin"])
    paid, silent, thin = metrics.by_slice(_capture, label, y, score, minimum=2)
    assert paid.status == "ok"
    assert (silent.value, silent.status, silent.reason) == (None, "undefined", "no value on 2 rows")
    assert (thin.value, thin.status) == (None, "not_enough_data")
    assert thin.reason == "1 rows, need 2"


def test_rows_without_weight_are_not_counted_and_no_rows_have_no_slices() -> None:
    only = metrics.by_slice(metrics.rmse, [True], [1.0], [2.0], weights=[0.0])[0]
    assert (only.label, only.n, only.status) == (True, 0, "not_enough_data")
    assert metrics.by_slice(metrics.rmse, [], [], []) == ()


def test_history_labels_split_the_rows(columns: Any) -> None:
    label = metrics.history(columns.copies)
    without, with_ = sorted({*label.tolist()}, reverse=True)
    assert (without, with_) == ("without history", "with history")
    assert (label == "with history").tolist() == (columns.copies > 0).tolist()


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match="shapes"):
        metrics.by_slice(metrics.rmse, [1, 2], [1.0], [1.0])


def test_values_per_day_become_one_number(columns: Any) -> None:
    day = np.arange(400) // 100
    found = metrics.by_slice(metrics.calibration_ratio, day, columns.amount, columns.p * 20.0)
    values = [s.value for s in found if s.value is not None]
    assert metrics.coefficient_of_variation(values) == pytest.approx(
        np.std(values, ddof=1) / np.mean(values)
    )
