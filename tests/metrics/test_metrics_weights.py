"""What every metric obeys: weights are copies, rows have no order, units do not matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from giftlive import metrics
from giftlive.errors import InputError, UsageError
from giftlive.rng import stream
from giftlive.types import Floats, Ints

Metric = Callable[..., float]


def _bin_sums(table: metrics.Bins) -> float:
    weights = np.arange(1.0, len(table.weight) + 1.0)
    return float(np.sum(weights * (table.predicted + 3.0 * table.actual + 7.0 * table.weight)))


def _whales(part: str) -> Metric:
    """Return one number of the search for the rows with a gift."""

    def metric(y: Floats, score: Floats, weights: Floats | None = None) -> float:
        found = metrics.whale_search(y, score, y > 0.0, 0.1, weights)
        return float(getattr(found, part))

    return metric


def _users(y: Floats) -> Ints:
    """Return a user for every row that is a function of the row alone."""
    return (y % 13).astype(np.int64)


ON_SCORE: dict[str, Metric] = {
    "revenue_capture@1%": lambda y, s, weights=None: metrics.revenue_capture(y, s, 0.01, weights),
    "revenue_capture@10%": lambda y, s, weights=None: metrics.revenue_capture(y, s, 0.1, weights),
    "topk_overlap@5%": lambda y, s, weights=None: metrics.topk_overlap(y, s, 0.05, weights),
    "ndcg@20": lambda y, s, weights=None: metrics.ndcg(y, s, 20, weights),
    "spearman": metrics.spearman,
    "normalised_gini": metrics.normalised_gini,
    "pr_auc": metrics.pr_auc,
    "roc_auc": metrics.roc_auc,
    "bayes_ceiling": lambda y, s, weights=None: metrics.bayes_ceiling(y, s, 0.05, weights),
    "capture_curve": lambda y, s, weights=None: float(
        metrics.capture_curve(y, s, weights=weights).sum()
    ),
    **{f"whale {part}": _whales(part) for part in ("recall", "precision", "lift", "capture")},
}
ON_PROBABILITY: dict[str, Metric] = {
    "log_loss": metrics.log_loss,
    "brier": metrics.brier,
    "ece": lambda y, p, weights=None: metrics.ece(y, p, 15, weights),
    "reliability": lambda y, p, weights=None: _bin_sums(metrics.reliability(y, p, 15, weights)),
    "debiased_squared_ece": lambda y, p, weights=None: metrics.debiased_squared_ece(
        y, p, 3, weights, cluster=_users(y)
    ),
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
    "long_tail_coverage": lambda y, p, weights=None: metrics.long_tail_coverage(
        y, np.abs(p), 0.2, 3.0, weights
    ),
    "newcomer_coverage": lambda y, p, weights=None: metrics.newcomer_coverage(
        y, p > 0.2, 3.0, weights
    ),
    "overload_rate": lambda y, p, weights=None: metrics.overload_rate(y, 20.0 * p, weights),
    "refused_share": lambda y, p, weights=None: metrics.refused_share(20.0 * p, y, weights),
    "price_slack": lambda y, p, weights=None: metrics.price_slack(p, y, p + 2.0, weights),
    "oracle": lambda y, _, weights=None: metrics.oracle_at(y, 0.01, weights),
    "latent_ceiling": lambda y, _, weights=None: metrics.latent_ceiling(y, 0.05, weights),
    "cvar": lambda y, p, weights=None: metrics.cvar(y - 50.0 * p, 0.05, weights),
    "seed_variance": lambda y, _, weights=None: metrics.seed_variance(y, weights),
    "coefficient_of_variation": lambda y, _, weights=None: metrics.coefficient_of_variation(
        y, weights
    ),
    "largest_user_share": lambda y, _, weights=None: metrics.largest_user_share(
        y, _users(y), weights
    ),
    "dwell_seconds": lambda y, _, weights=None: metrics.dwell_seconds(y, weights),
    "skip_rate": lambda y, _, weights=None: metrics.skip_rate(500.0 * y, weights),
    "complaint_rate": lambda y, p, weights=None: metrics.complaint_rate(
        500.0 * y, p > 0.3, weights
    ),
    "satisfaction": lambda y, p, weights=None: (
        metrics.satisfaction(9e3 * y, p > 0.3, weights).index
    ),
    "revenue_per_dau": lambda y, _, weights=None: metrics.revenue_per_dau(y, weights),
    "arppu": lambda y, _, weights=None: metrics.arppu(y, weights),
    "pay_conversion": lambda y, _, weights=None: metrics.pay_conversion(y, weights),
}
ALL = ON_SCORE | ON_PROBABILITY | ON_AMOUNT | ON_ONE
COUNTS_COPIES = {
    "reliability",
    "deciles",
    "ndcg@20",
    "hhi",
    "seed_variance",
    "coefficient_of_variation",
}
"""Sums, places and n − 1: four copies of every row are not the same question."""


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
