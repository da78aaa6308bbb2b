"""Every value model on identical folds: chosen on validation, scored once on the test days.

Test days of all folds are pooled (they do not overlap); each row is predicted by the model that
was trained before it. Intervals and differences come from one clustered bootstrap whose weights
depend on the user alone, so that a difference between two models is paired by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from giftlive import metrics
from giftlive.errors import NotEnoughDataError
from giftlive.models.registry import MODELS
from giftlive.stats.bootstrap import clustered_bootstrap
from giftlive.stats.intervals import Interval
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Bools, Floats, Ints, Progress, silent

TRIVIAL = ("user_past_spend", "pair_past_spend", "streamer_past_income")
"""Rankers by one past sum; no model is reported without them."""

Statistic = Callable[[Floats], float]


@dataclass(frozen=True)
class Predictions:
    """One model's predictions of the pooled test rows.

    Attributes
    ----------
    amount, probability : [n] E[amount] and P(amount > 0).
    validation : revenue capture at 1 % on the first origin's validation days, the only ones
    that precede every test day: a later origin validates on days an earlier one tests.
    by_fold : the same on each fold's test days.
    """

    name: str
    amount: Floats
    probability: Floats
    validation: float
    by_fold: tuple[float, ...]


@dataclass(frozen=True)
class Scored:
    """One model's row of the leaderboard: an interval per metric."""

    name: str
    validation: float
    by_fold: tuple[float, ...]
    metrics: dict[str, Interval]


@dataclass(frozen=True)
class TestSet:
    """The pooled test rows: outcome, user and fold of each."""

    rows: Ints
    y: Floats
    user: Ints
    fold: Ints


def test_set(matrix: Matrix, folds: Sequence[Fold]) -> TestSet:
    """Return the pooled test rows of ``folds``, in the order of the matrix within each fold."""
    parts = [np.flatnonzero(_within(matrix.day, fold.test)) for fold in folds]
    rows = np.concatenate(parts)
    fold_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return TestSet(rows, matrix.y[rows], matrix.user[rows], fold_of)


def predict_all(
    matrix: Matrix, folds: Sequence[Fold], names: Sequence[str], progress: Progress = silent
) -> tuple[Predictions, ...]:
    """Fit every named model on every fold and predict that fold's test days."""
    found = []
    for done, name in enumerate(names):
        parts = [_fit_fold(matrix, fold, name) for fold in folds]
        found.append(
            Predictions(
                name=name,
                amount=np.concatenate([part[0] for part in parts]),
                probability=np.concatenate([part[1] for part in parts]),
                validation=parts[0][2],
                by_fold=tuple(part[3] for part in parts),
            )
        )
        progress(done + 1, len(names))
    return tuple(found)


def _fit_fold(matrix: Matrix, fold: Fold, name: str) -> tuple[Floats, Floats, float, float]:
    train, valid, test = (
        np.flatnonzero(_within(matrix.day, span))
        for span in (fold.train, fold.validation, fold.test)
    )
    fitted = MODELS[name]().fit(
        matrix.X[train], matrix.y[train], matrix.user[train], names=matrix.names
    )
    amount = fitted.predict(matrix.X[test])
    return (
        amount,
        fitted.predict_proba(matrix.X[test]),
        _captured(matrix.y[valid], fitted.predict(matrix.X[valid]), f"{fold.name}, validation"),
        _captured(matrix.y[test], amount, f"{fold.name}, test"),
    )


def _captured(y: Floats, score: Floats, where: str) -> float:
    """Return revenue capture at 1 %, the number by which models are chosen."""
    if not y.sum() > 0:
        raise NotEnoughDataError(
            f"no gift in {len(y):,} rows", where, "an amount to be captured", "use longer logs"
        )
    return metrics.revenue_capture(y, score, 0.01)


def _within(day: Ints, span: tuple[int, int]) -> Bools:
    return (day >= span[0]) & (day < span[1])


def statistics(test: TestSet, predictions: Predictions) -> dict[str, Statistic]:
    """Return every leaderboard metric as a function of the row weights."""
    amount, money = metrics.Ranked.of(predictions.amount), metrics.Ranked.of(test.y)
    capture = metrics.RankedCapture.of(test.y, predictions.amount)
    found = {
        "revenue_capture_1pct": lambda w: capture.at(0.01, w),
        "revenue_capture_10pct": lambda w: capture.at(0.10, w),
        "spearman": lambda w: metrics.spearman(money, amount, w),
        "ndcg_100": lambda w: metrics.ndcg(money, amount, 100, w),
        "normalised_gini": lambda w: metrics.normalised_gini(money, amount, w),
        "calibration_ratio": lambda w: metrics.calibration_ratio(test.y, predictions.amount, w),
    }
    return found | _occurrence_statistics(test, predictions)


def _occurrence_statistics(test: TestSet, predictions: Predictions) -> dict[str, Statistic]:
    """Return PR-AUC and ECE, or nothing where every row is a gift and none could be missing."""
    gifted = (test.y > 0).astype(np.float64)
    if gifted.all():
        return {}
    occurrence = metrics.RankedOccurrence.of(gifted, predictions.probability)
    chance = metrics.Ranked.of(np.clip(predictions.probability, 0.0, 1.0))
    return {
        "pr_auc": occurrence.pr_auc,
        "ece": lambda w: metrics.ece(gifted, chance, weights=w),
    }


def score(
    test: TestSet,
    predictions: Sequence[Predictions],
    seed: int,
    replicates: int,
    jobs: int = 1,
    progress: Progress = silent,
) -> tuple[Scored, ...]:
    """Return the leaderboard: every metric of every model with a user-clustered interval."""
    calls = (delayed(_score_one)(test, p, seed, replicates) for p in predictions)
    found = []
    for scored in Parallel(n_jobs=jobs, return_as="generator")(calls):
        found.append(scored)
        progress(len(found), len(predictions))
    return tuple(found)


def _score_one(test: TestSet, predictions: Predictions, seed: int, replicates: int) -> Scored:
    intervals = {
        name: clustered_bootstrap(statistic, test.user, replicates, seed, n_unit="users")
        for name, statistic in statistics(test, predictions).items()
    }
    return Scored(predictions.name, predictions.validation, predictions.by_fold, intervals)


def gain(
    test: TestSet,
    model: Predictions,
    reference: Predictions,
    metric: str,
    seed: int,
    replicates: int,
) -> Interval:
    """Estimate metric(model) - metric(reference), paired by user."""
    one, other = statistics(test, model)[metric], statistics(test, reference)[metric]
    return clustered_bootstrap(
        lambda w: one(w) - other(w), test.user, replicates, seed, n_unit="users"
    )


def choose(predictions: Sequence[Predictions]) -> tuple[Predictions, Predictions]:
    """Return the best learned model and the best trivial ranker, both by validation alone."""
    learned = [p for p in predictions if p.name not in TRIVIAL]
    trivial = [p for p in predictions if p.name in TRIVIAL]
    return max(learned, key=lambda p: p.validation), max(trivial, key=lambda p: p.validation)
