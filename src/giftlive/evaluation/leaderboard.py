"""Every value model on identical folds: chosen on validation, scored once on the test days.

Test days of all folds are pooled (they do not overlap); each row is predicted by the model that
was trained before it. Every metric comes with its influence values per row, so that one pass
gives an interval over users, and the difference of two models is paired by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive import metrics
from giftlive.errors import NotEnoughDataError
from giftlive.metrics import influence
from giftlive.models.registry import make
from giftlive.stats.influence import Linearised, transformed
from giftlive.stats.intervals import Interval, influence_t
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Bools, Floats, Ints, Progress, silent

TRIVIAL = ("user_past_spend", "pair_past_spend", "streamer_past_income")
"""Rankers by one past sum; no model is reported without them."""

BARE = "ndcg_100"
"""The metric without an interval: it rests on the same hundred rows however long the log."""

_SHARES = frozenset({"revenue_capture_1pct", "revenue_capture_10pct", "pr_auc"})
"""Metrics whose interval is made on the logit scale, where it covers best."""


@dataclass(frozen=True)
class Predictions:
    """One model's predictions of the pooled test rows.

    Attributes
    ----------
    amount, probability : [n] E[amount] and P(amount > 0).
    validation : revenue capture at 1 % on the first origin's validation days, the only ones
    that precede every test day: a later origin validates on days an earlier one tests.
    by_fold : the same on each fold's test days.
    tried : predictions of those validation rows, in the order of the matrix.
    """

    name: str
    amount: Floats
    probability: Floats
    validation: float
    by_fold: tuple[float, ...]
    tried: Floats


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
                tried=parts[0][4],
            )
        )
        progress(done + 1, len(names))
    return tuple(found)


def _fit_fold(matrix: Matrix, fold: Fold, name: str) -> tuple[Floats, Floats, float, float, Floats]:
    train, valid, test = (
        np.flatnonzero(_within(matrix.day, span))
        for span in (fold.train, fold.validation, fold.test)
    )
    fitted = make(name).fit(
        matrix.X[train], matrix.y[train], matrix.user[train], names=matrix.names
    )
    amount, tried = fitted.predict(matrix.X[test]), fitted.predict(matrix.X[valid])
    return (
        amount,
        fitted.predict_proba(matrix.X[test]),
        _captured(matrix.y[valid], tried, f"{fold.name}, validation"),
        _captured(matrix.y[test], amount, f"{fold.name}, test"),
        tried,
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
    """Return PR-AUC, or nothing where every row is a gift and none could be missing."""
    gifted = test.y > 0
    return {} if gifted.all() else {"pr_auc": influence.pr_auc(gifted, predictions.probability)}


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
    intervals = {name: _interval(test, name, x) for name, x in statistics(test, p).items()}
    if "pr_auc" in intervals:
        chance = np.clip(p.probability, 0.0, 1.0)
        intervals["ece"] = influence.debiased_ece(test.y, chance, test.user, n_unit="users")
    ndcg = metrics.ndcg(test.y, p.amount, 100)
    users = len(np.unique(test.user))
    reason = "it rests on a hundred rows however long the log: no interval holds"
    intervals[BARE] = Interval(ndcg, None, None, "none", users, "users", reason=reason)
    return Scored(p.name, p.validation, p.by_fold, intervals)


def _interval(test: TestSet, metric: str, found: Linearised) -> Interval:
    psi = found.by_cluster(test.user)
    if metric in _SHARES and 0.0 < found.value < 1.0:  # the logit has no place for 0 and 1
        return transformed(found.value, psi, "logit", n_unit="users")
    return influence_t(found.value, psi, n_unit="users")


def gain(test: TestSet, model: Predictions, reference: Predictions, metric: str) -> Interval:
    """Estimate metric(model) - metric(reference), paired by row."""
    one, other = statistics(test, model)[metric], statistics(test, reference)[metric]
    return _interval(test, "difference", one - other)


def moved(matrix: Matrix, folds: Sequence[Fold], predictions: Sequence[Predictions]) -> Interval:
    """Estimate how far revenue capture at 1 % moves from the worst to the best ranker.

    On the validation days that choose: whether a metric can move is asked before test days are.
    """
    rows = np.flatnonzero(_within(matrix.day, folds[0].validation))
    test = TestSet(rows, matrix.y[rows], matrix.user[rows], np.zeros(len(rows), dtype=np.int64))
    best, worst = (pick(predictions, key=lambda p: p.validation) for pick in (max, min))
    one, other = (influence.revenue_capture(test.y, p.tried, 0.01) for p in (best, worst))
    return _interval(test, "capture_difference", one - other)


def choose(predictions: Sequence[Predictions]) -> tuple[Predictions, Predictions]:
    """Return the best learned model and the best trivial ranker, both by validation alone."""
    learned = [p for p in predictions if p.name not in TRIVIAL]
    trivial = [p for p in predictions if p.name in TRIVIAL]
    return max(learned, key=lambda p: p.validation), max(trivial, key=lambda p: p.validation)
