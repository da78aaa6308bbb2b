from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from giftlive import metrics
from giftlive.errors import InputError


def test_errors_match_scikit_learn(columns: Any) -> None:
    y, guess, w = columns.amount, columns.p * 20.0, columns.copies
    logs = np.log1p(y), np.log1p(guess)
    assert metrics.rmse(y, guess, w) == pytest.approx(
        root_mean_squared_error(y, guess, sample_weight=w)
    )
    assert metrics.mae_log(y, guess, w) == pytest.approx(
        mean_absolute_error(*logs, sample_weight=w)
    )


def test_level_known_answers() -> None:
    y, guess = np.array([0.0, 10.0, 30.0, 60.0]), np.array([5.0, 5.0, 20.0, 90.0])
    assert metrics.calibration_ratio(y, guess) == pytest.approx(1.2)
    assert metrics.calibration_at(y, guess, 0.25) == pytest.approx(1.5)
    assert metrics.calibration_at(y, guess, 0.75) == pytest.approx((90 + 20 + 5) / (60 + 30 + 5))
    assert np.isnan(metrics.calibration_ratio(np.zeros(4), guess))


def test_deciles_conserve_the_sums(columns: Any) -> None:
    y, guess, w = columns.amount, columns.p * 20.0, columns.copies
    table = metrics.calibration_by_decile(y, guess, w)
    assert len(table.weight) == 10
    assert table.weight == pytest.approx(np.full(10, w.sum() / 10))
    assert table.actual.sum() == pytest.approx(np.sum(w * y))
    assert table.predicted.sum() == pytest.approx(np.sum(w * guess))
    assert (np.diff(table.predicted) >= 0).all()


def test_impossible_amounts_are_refused() -> None:
    with pytest.raises(InputError, match="-1"):
        metrics.mae_log([1.0], [-1.0])
