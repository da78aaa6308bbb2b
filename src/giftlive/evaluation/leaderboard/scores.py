"""Every metric of every model: its value, and an interval where one was measured to hold.

A metric with influence values per row gets its interval in one pass. The others stand without
one and say why: no interval that is not measured is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from giftlive import metrics
from giftlive.evaluation.leaderboard.predictions import Predictions, TestSet, within
from giftlive.metrics import influence
from giftlive.stats.influence import Linearised, transformed
from giftlive.stats.intervals import Interval, influence_t
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats, Progress, silent

BARE = "ndcg_100"
"""The metric without an interval: it rests on the same hundred rows however long the log."""

FEW_ROWS = "it rests on a hundred rows however long the log: no interval holds"
UNMEASURED = "no interval of this metric has been measured to hold"

_SHARES = frozenset({"revenue_capture_1pct", "revenue_capture_10pct", "pr_auc"})
"""Metrics whose interval is made on the logit scale, where it covers best."""


@dataclass(frozen=True)
class Metric:
    """How a metric of the leaderboard is printed.

    Attributes
    ----------
    title, unit, denominator : in words. of : "occurrence" sees only whether there was a gift,
    "ranks" forgets how large an amount is, "money" adds amounts up. group : its table.
    """

    title: str
    unit: str
    denominator: str
    of: str
    group: str


METRICS: dict[str, Metric] = {
    "revenue_capture_1pct": Metric("capture@1 %", "share", "total amount", "money", "head"),
    "revenue_capture_5pct": Metric("capture@5 %", "share", "total amount", "money", "head"),
    "revenue_capture_10pct": Metric("capture@10 %", "share", "total amount", "money", "head"),
    "topk_overlap_1pct": Metric("overlap@1 %", "share", "rows in the top 1 %", "ranks", "head"),
    "topk_overlap_5pct": Metric("overlap@5 %", "share", "rows in the top 5 %", "ranks", "head"),
    "topk_overlap_10pct": Metric("overlap@10 %", "share", "rows in the top 10 %", "ranks", "head"),
    "spearman": Metric("Spearman", "ratio", "1", "ranks", "head"),
    "ndcg_100": Metric("NDCG@100", "ratio", "ideal order", "money", "head"),
    "normalised_gini": Metric("norm. Gini", "ratio", "ideal order", "money", "head"),
    "pr_auc": Metric("PR-AUC", "ratio", "area of the unit square", "occurrence", "level"),
    "log_loss": Metric("log-loss", "nats", "rows", "occurrence", "level"),
    "ece": Metric("ECE", "ratio", "1", "occurrence", "level"),
    "mae_log": Metric("MAE(log)", "log amount", "rows", "ranks", "level"),
    "rmse_log": Metric("RMSE(log)", "log amount", "rows", "ranks", "level"),
    "calibration_ratio": Metric("Σ pred / Σ actual", "ratio", "actual amount", "money", "level"),
    "calibration_top_1pct": Metric(
        "top 1 % pred / actual", "ratio", "actual amount there", "money", "level"
    ),
    "worst_decile": Metric(
        "worst decile", "ratio", "actual amount of the decile", "money", "level"
    ),
}
"""Every metric of the leaderboard, in the order of its two tables: rankings, then levels."""


@dataclass(frozen=True)
class Scored:
    """One model's row of the leaderboard: an interval per metric."""

    name: str
    validation: float
    by_fold: tuple[float, ...]
    metrics: dict[str, Interval]


def statistics(test: TestSet, predictions: Predictions) -> dict[str, Linearised]:
    """Return every leaderboard metric that has influence values, with them."""
    amount, money = metrics.Ranked.of(predictions.amount), metrics.Ranked.of(test.y)
    found = {
        "revenue_capture_1pct": influence.revenue_capture(test.y, amount, 0.01),
        "revenue_capture_10pct": influence.revenue_capture(test.y, amount, 0.10),
        "spearman": influence.spearman(money, amount),
        "normalised_gini": influence.normalised_gini(money, amount),
        "calibration_ratio": influence.calibration_ratio(test.y, predictions.amount),
    }
    return found | _occurrence_statistics(test, predictions)


def _occurrence_statistics(test: TestSet, predictions: Predictions) -> dict[str, Linearised]:
    """Return PR-AUC and log-loss, or nothing where every row is a gift."""
    gifted = test.y > 0
    if gifted.all():
        return {}
    chance = np.clip(predictions.probability, 0.0, 1.0)
    return {
        "pr_auc": influence.pr_auc(gifted, predictions.probability),
        "log_loss": influence.log_loss(gifted, chance),
    }


def plain_values(y: Floats, amount: Floats) -> dict[str, tuple[float, str]]:
    """Return the metrics without influence values: the number, and why it has no interval."""
    capture, overlap = (
        {k: partial(f, y, amount, k / 100) for k in (1, 5, 10)}
        for f in (metrics.revenue_capture, metrics.topk_overlap)
    )
    guess = np.maximum(amount, 0.0)
    return {
        "revenue_capture_5pct": (capture[5](), UNMEASURED),
        **{f"topk_overlap_{k}pct": (f(), UNMEASURED) for k, f in overlap.items()},
        BARE: (metrics.ndcg(y, amount, 100), FEW_ROWS),
        "mae_log": (metrics.mae_log(y, guess), UNMEASURED),
        "rmse_log": (metrics.rmse(np.log1p(y), np.log1p(guess)), UNMEASURED),
        "calibration_top_1pct": (metrics.calibration_at(y, amount, 0.01), UNMEASURED),
        "worst_decile": (worst_decile(y, amount), UNMEASURED),
    }


def worst_decile(y: Floats, predicted: Floats) -> float:
    """Return predicted / actual of the decile by prediction where it is farthest from 1.

    The distance is that of the logarithm. Deciles without an actual amount are left out: they
    have no ratio.

    Examples
    --------
    >>> y = np.ones(10)
    >>> worst_decile(y, np.concatenate([np.full(9, 1.0), [4.0]]))
    4.0
    """
    bins = metrics.calibration_by_decile(y, predicted)
    there = (bins.actual > 0) & (bins.predicted > 0)
    ratios = bins.predicted[there] / bins.actual[there]
    if not len(ratios):
        return float("nan")
    return float(ratios[np.argmax(np.abs(np.log(ratios)))])


def score(
    test: TestSet, predictions: Sequence[Predictions], progress: Progress = silent
) -> tuple[Scored, ...]:
    """Return the leaderboard: every metric of every model with an interval over users."""
    found = []
    for p in predictions:
        found.append(_score_one(test, p))
        progress(len(found), len(predictions))
    return tuple(found)


def _score_one(test: TestSet, p: Predictions) -> Scored:
    intervals = {name: interval(test, name, x) for name, x in statistics(test, p).items()}
    if "pr_auc" in intervals:
        chance = np.clip(p.probability, 0.0, 1.0)
        intervals["ece"] = influence.debiased_ece(test.y, chance, test.user, n_unit="users")
    users = len(np.unique(test.user))
    for name, (value, reason) in plain_values(test.y, p.amount).items():
        intervals[name] = bare(value, users, reason)
    ordered = {name: intervals[name] for name in METRICS if name in intervals}
    return Scored(p.name, p.validation, p.by_fold, ordered)


def bare(value: float, users: int, reason: str) -> Interval:
    """Return a number without bounds, or without a value where it is undefined."""
    if not np.isfinite(value):
        return Interval(None, None, None, "none", users, "users", "undefined", "no value here")
    return Interval(value, None, None, "none", users, "users", reason=reason)


def interval(test: TestSet, metric: str, found: Linearised) -> Interval:
    """Return the interval over users of ``metric`` from its influence values."""
    psi = found.by_cluster(test.user)
    if metric in _SHARES and 0.0 < found.value < 1.0:  # the logit has no place for 0 and 1
        return transformed(found.value, psi, "logit", n_unit="users")
    return influence_t(found.value, psi, n_unit="users")


_ONE: dict[str, Callable[[TestSet, Predictions], Linearised]] = {
    "revenue_capture_1pct": lambda t, p: influence.revenue_capture(t.y, p.amount, 0.01)
}


def gain(test: TestSet, model: Predictions, reference: Predictions, metric: str) -> Interval:
    """Estimate metric(model) - metric(reference), paired by row."""
    one, other = (
        _ONE[metric](test, p) if metric in _ONE else statistics(test, p)[metric]
        for p in (model, reference)
    )
    return interval(test, "difference", one - other)


def moved(matrix: Matrix, folds: Sequence[Fold], predictions: Sequence[Predictions]) -> Interval:
    """Estimate how far revenue capture at 1 % moves from the worst to the best ranker.

    On the validation days that choose: whether a metric can move is asked before test days are.
    """
    rows = np.flatnonzero(within(matrix.day, folds[0].validation))
    test = TestSet(rows, matrix.y[rows], matrix.user[rows], np.zeros(len(rows), dtype=np.int64))
    best, worst = (pick(predictions, key=lambda p: p.validation) for pick in (max, min))
    one, other = (influence.revenue_capture(test.y, p.tried, 0.01) for p in (best, worst))
    return interval(test, "capture_difference", one - other)
