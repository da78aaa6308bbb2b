from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from giftlive import metrics
from giftlive.errors import InputError
from giftlive.rng import stream


@pytest.mark.parametrize("weighted", [False, True])
def test_probabilistic_metrics_match_scikit_learn(columns: Any, weighted: bool) -> None:
    w = columns.copies if weighted else None
    gift = columns.amount > 0
    golden = {
        metrics.pr_auc: sk.average_precision_score,
        metrics.roc_auc: sk.roc_auc_score,
        metrics.log_loss: sk.log_loss,
        metrics.brier: sk.brier_score_loss,
    }
    for ours, theirs in golden.items():
        expected = theirs(gift, columns.p, sample_weight=w)
        assert ours(columns.amount, columns.p, w) == pytest.approx(expected, rel=1e-10)


def test_areas_without_positives_or_negatives_are_undefined() -> None:
    p = np.array([0.1, 0.9])
    assert np.isnan(metrics.pr_auc([0.0, 0.0], p))
    assert np.isnan(metrics.roc_auc([0.0, 0.0], p))
    assert np.isnan(metrics.roc_auc([1.0, 2.0], p))
    assert metrics.pr_auc([1.0, 2.0], p) == 1.0


def test_certain_and_wrong_costs_a_finite_loss() -> None:
    assert metrics.log_loss([1.0], [0.0]) == pytest.approx(-np.log(1e-15))
    assert metrics.log_loss([0.0], [0.0]) == pytest.approx(0.0, abs=1e-14)


def test_reliability_known_answer() -> None:
    table = metrics.reliability([0.0, 1.0, 0.0, 1.0], [0.1, 0.2, 0.6, 0.8], bins=2)
    assert table.weight.tolist() == [2.0, 2.0]
    assert table.predicted == pytest.approx([0.3, 1.4])
    assert table.actual == pytest.approx([1.0, 1.0])
    expected = (abs(0.3 - 1.0) + abs(1.4 - 1.0)) / 4.0
    assert metrics.ece([0.0, 1.0, 0.0, 1.0], [0.1, 0.2, 0.6, 0.8], bins=2) == pytest.approx(
        expected
    )


def test_a_tie_across_a_border_is_divided_in_proportion() -> None:
    table = metrics.reliability([1.0, 0.0, 0.0], [0.5, 0.5, 0.5], bins=2)
    assert table.actual == pytest.approx([0.5, 0.5])


def test_ece_falls_to_the_noise_of_a_calibrated_model_and_sees_a_shift() -> None:
    g = stream(0, "ece")
    p = g.random(40_000) * 0.3
    gift = (g.random(40_000) < p).astype(float)
    assert metrics.ece(gift, p) < 0.01
    assert metrics.ece(gift, p + 0.1) == pytest.approx(0.1, abs=0.01)


def test_probabilities_outside_the_unit_interval_are_refused() -> None:
    with pytest.raises(InputError, match="probabilities"):
        metrics.brier([1.0], [1.2])


def test_prepared_areas_are_the_plain_ones(columns: Any) -> None:
    ranked = metrics.RankedOccurrence.of(columns.amount, columns.score)
    w = columns.copies
    assert ranked.pr_auc(w) == metrics.pr_auc(columns.amount, columns.score, w)
    assert ranked.roc_auc(w) == metrics.roc_auc(columns.amount, columns.score, w)
