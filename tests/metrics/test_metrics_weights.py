"""What every metric obeys: weights are copies, rows have no order, units do not matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from giftlive import metrics
from giftlive.errors import InputError, UsageError
from giftlive.rng import stream
from giftlive.types import Floats

Metric = Callable[..., float]


def _bin_sums(table: metrics.Bins) -> float:
    weights = np.arange(1.0, len(table.weight) + 1.0)
    return float(np.sum(weights * (table.predicted + 3.0 * table.actual + 7.0 * table.weight)))


ON_SCORE: dict[str, Metric] = {
    "revenue_capture@1%": lambda y, s, weights=None: metrics.revenue_capture(y, s, 0.01, weights),
    "revenue_capture@10%": lambda y, s, weights=None: metrics.revenue_capture(y, s, 0.1, weights),
    "topk_overlap@5%": lambda y, s, weights=None: metrics.topk_overlap(y, s, 0.05, weights),
    "ndcg@20": lambda y, s, weights=None: metrics.ndcg(y, s, 20, weights),
    "spearman": metrics.spearman,
    "normalised_gini": metrics.normalised_gini,
    "pr_auc": metrics.pr_auc,
    "roc_auc": metrics.roc_auc,
}
ON_PROBABILITY: dict[str, Metric] = {
    "log_loss": metrics.log_loss,
    "brier": metrics.brier,
    "ece": lambda y, p, weights=None: metrics.ece(y, p, 15, weights),
    "reliability": lambda y, p, weights=None: _bin_sums(metrics.reliability(y, p, 15, weights)),
}
ON_AMOUNT: dict[str, Metric] = {
    "mae_log": metrics.mae_log,
    "rmse": metrics.rmse,
    "calibration_ratio": metrics.calibration_ratio,
    "calibration_at": lambda y, p, weights=None: metrics.calibration_at(y, p, 0.1, weights),
    "deciles": lambda y, p, weights=None: _bin_sums(metrics.calibration_by_decile(y, p, weights)),
}
ON_ONE: dict[str, Metric] = {
    "gini": lambda y, _, weights=None: metrics.gini(y, weights),
    "hhi": lambda y, _, weights=None: metrics.hhi(y, weights),
    "top_share": lambda y, _, weights=None: metrics.top_share(y, 0.05, weights),
    "coverage": lambda y, _, weights=None: metrics.coverage(y, 3.0, weights),
}
ALL = ON_SCORE | ON_PROBABILITY | ON_AMOUNT | ON_ONE
COUNTS_COPIES = {"reliability", "deciles", "ndcg@20", "hhi"}
"""Sums and places: four copies of every row are not the same question."""


def _arguments(name: str, columns: Any) -> tuple[Floats, Floats]:
    guess = columns.score if name in ON_SCORE else columns.p
    return columns.amount, guess * 20.0 if name in ON_AMOUNT else guess


@pytest.mark.parametrize("name", ALL)
def test_integer_weights_equal_repeated_rows(name: str, columns: Any) -> None:
    y, guess = _arguments(name, columns)
    weighted = ALL[name](y, guess, weights=columns.copies)
    repeated = ALL[name](columns.repeated(y), columns.repeated(guess))
    assert weighted == pytest.approx(repeated, rel=1e-11)


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_rows_does_not_matter(name: str, columns: Any) -> None:
    y, guess = _arguments(name, columns)
    order = stream(3, "shuffle").permutation(len(y))
    shuffled = ALL[name](y[order], guess[order], weights=columns.copies[order])
    assert shuffled == pytest.approx(ALL[name](y, guess, weights=columns.copies), rel=1e-11)


@pytest.mark.parametrize("name", [n for n in ALL if n not in COUNTS_COPIES])
def test_the_scale_of_weights_does_not_matter(name: str, columns: Any) -> None:
    y, guess = _arguments(name, columns)
    once = ALL[name](y, guess, weights=columns.copies)
    assert ALL[name](y, guess, weights=columns.copies * 4.0) == pytest.approx(once, rel=1e-11)


@pytest.mark.parametrize("name", ON_SCORE)
def test_only_the_order_of_the_score_and_no_unit_of_money_matters(name: str, columns: Any) -> None:
    y, score = columns.amount, columns.score
    assert ON_SCORE[name](y * 8.0, np.exp(score)) == pytest.approx(ON_SCORE[name](y, score))


@pytest.mark.parametrize("name", ALL)
def test_no_rows_are_undefined(name: str) -> None:
    empty = np.zeros(0)
    result = ALL[name](empty, empty)
    assert np.isnan(result) or name in {"reliability", "deciles"}


@pytest.mark.parametrize("name", ["revenue_capture@1%", "ndcg@20", "normalised_gini", "pr_auc"])
def test_no_positive_is_undefined(name: str) -> None:
    assert np.isnan(ALL[name](np.zeros(5), np.arange(5.0)))


@pytest.mark.parametrize("name", ALL)
def test_zero_weights_everywhere_are_undefined(name: str, columns: Any) -> None:
    y, guess = _arguments(name, columns)
    result = ALL[name](y, guess, weights=np.zeros(len(y)))
    assert np.isnan(result) or name in {"reliability", "deciles"}


@pytest.mark.parametrize("name", [n for n in ALL if n not in ON_ONE])
def test_unusable_arguments_are_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError, match="vector"):
        ALL[name](np.zeros(3), np.zeros(4))
    with pytest.raises(InputError, match="row 1"):
        ALL[name](np.ones(2), np.array([0.5, np.nan]))
    with pytest.raises(UsageError, match="weights"):
        ALL[name](np.ones(2), np.ones(2), weights=np.array([1.0, -1.0]))
