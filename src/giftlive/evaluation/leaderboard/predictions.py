"""Fit every model on every fold, choose on validation days, and keep what was predicted."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from giftlive import metrics
from giftlive.errors import NotEnoughDataError
from giftlive.models.base import FittedModel
from giftlive.models.folder import save
from giftlive.models.registry import make
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Bools, Floats, Ints, Progress, silent

TRIVIAL = (
    *("user_past_spend", "user_mean_gift", "user_last_amount"),
    *("pair_past_spend", "streamer_past_income"),
)
"""Rankers by one past sum; no model is reported without them."""


@dataclass(frozen=True)
class Cost:
    """What a model costs: clock times, which differ from run to run, and its size, which does not.

    Attributes
    ----------
    fit_seconds : of the last fold, which trains on the most rows. fit_rows : how many.
    predict_us : microseconds per row. bytes : of the saved model.
    """

    fit_seconds: float
    fit_rows: int
    predict_us: float
    bytes: int


NO_COST = Cost(0.0, 0, 0.0, 0)


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
    cost, card : of the last fold, which trains on the most rows.
    """

    name: str
    amount: Floats
    probability: Floats
    validation: float
    by_fold: tuple[float, ...]
    tried: Floats
    cost: Cost = NO_COST
    card: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TestSet:
    """The pooled test rows: outcome, user and fold of each."""

    rows: Ints
    y: Floats
    user: Ints
    fold: Ints


def test_set(matrix: Matrix, folds: Sequence[Fold]) -> TestSet:
    """Return the pooled test rows of ``folds``, in the order of the matrix within each fold."""
    parts = [np.flatnonzero(within(matrix.day, fold.test)) for fold in folds]
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
                amount=np.concatenate([part.amount for part in parts]),
                probability=np.concatenate([part.probability for part in parts]),
                validation=parts[0].validation,
                by_fold=tuple(part.captured for part in parts),
                tried=parts[0].tried,
                cost=parts[-1].cost,
                card=parts[-1].card,
            )
        )
        progress(done + 1, len(names))
    return tuple(found)


@dataclass(frozen=True)
class _Part:
    amount: Floats
    probability: Floats
    validation: float
    captured: float
    tried: Floats
    cost: Cost
    card: Mapping[str, Any]


def _fit_fold(matrix: Matrix, fold: Fold, name: str) -> _Part:
    train, valid, test = (
        np.flatnonzero(within(matrix.day, span))
        for span in (fold.train, fold.validation, fold.test)
    )
    started = time.perf_counter()
    fitted = make(name).fit(
        matrix.X[train], matrix.y[train], matrix.user[train], names=matrix.names
    )
    fit_seconds = time.perf_counter() - started
    tried, started = fitted.predict(matrix.X[valid]), time.perf_counter()
    amount = fitted.predict(matrix.X[test])
    predict_us = 1e6 * (time.perf_counter() - started) / max(len(test), 1)
    return _Part(
        amount=amount,
        probability=fitted.predict_proba(matrix.X[test]),
        validation=_captured(matrix.y[valid], tried, f"{fold.name}, validation"),
        captured=_captured(matrix.y[test], amount, f"{fold.name}, test"),
        tried=tried,
        cost=Cost(fit_seconds, len(train), predict_us, stored_bytes(fitted)),
        card=fitted.card(),
    )


def stored_bytes(fitted: FittedModel) -> int:
    """Return the size of a fitted model as it is saved."""
    with tempfile.TemporaryDirectory(prefix="giftlive-") as scratch:
        save(fitted, Path(scratch) / "model")
        return sum(path.stat().st_size for path in Path(scratch).rglob("*") if path.is_file())


def _captured(y: Floats, score: Floats, where: str) -> float:
    """Return revenue capture at 1 %, the number by which models are chosen."""
    if not y.sum() > 0:
        raise NotEnoughDataError(
            f"no gift in {len(y):,} rows", where, "an amount to be captured", "use longer logs"
        )
    return metrics.revenue_capture(y, score, 0.01)


def within(day: Ints, span: tuple[int, int]) -> Bools:
    """Return [n] True where a local day is in the half-open ``span``."""
    return (day >= span[0]) & (day < span[1])


def choose(predictions: Sequence[Predictions]) -> tuple[Predictions, Predictions]:
    """Return the best learned model and the best trivial ranker, both by validation alone."""
    learned = [p for p in predictions if p.name not in TRIVIAL]
    trivial = [p for p in predictions if p.name in TRIVIAL]
    return max(learned, key=lambda p: p.validation), max(trivial, key=lambda p: p.validation)
