"""Every number of one world: how each model orders expected amounts, and at what level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from giftlive import metrics
from giftlive.evaluation.behavioural.measure import Number, finite
from giftlive.evaluation.leaderboard.predictions import (
    Predictions,
    TestSet,
    choose,
    predict_all,
    test_set,
)
from giftlive.evaluation.leaderboard.truth import Truth
from giftlive.metrics.influence import debiased_ece
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Bools, Floats

REFERENCE = "ridge"
"""The model that every other is compared with."""

TENTHS = tuple(f"tenth {k}" for k in range(1, 11))
"""Of the rows, in the order of a model's prediction; the tenth one holds the largest."""

LATENT, BAYES = "latent ceiling", "Bayes ceiling"
CEILINGS = (LATENT, BAYES)
"""The order by the expected amounts, and the best one by a function of the features."""

ALL, COLD = "all rows", "pair without a gift"
SLICES = (ALL, COLD)
"""In which the head is looked at; cold: no gift of the pair is known before the row."""


@dataclass(frozen=True)
class Judged:
    """The test rows of one world with what every model says of them.

    Attributes
    ----------
    cold : [n] whether the pair had no gift before the row.
    """

    test: TestSet
    truth: Truth
    cold: Bools
    predictions: tuple[Predictions, ...]

    @property
    def slices(self) -> dict[str, Bools]:
        """Return [n] which rows are in each slice."""
        return {ALL: np.ones(len(self.cold), dtype=np.bool_), COLD: self.cold}


def judged(matrix: Matrix, folds: Sequence[Fold], truth: Truth, names: Sequence[str]) -> Judged:
    """Fit every model on every fold and put its predictions beside the truth.

    Parameters
    ----------
    truth : of every row of ``matrix``. names : in the registry, ``REFERENCE`` among them.
    """
    test = test_set(matrix, folds)
    cold = ~(matrix.column("pair_gift_count")[test.rows] > 0.0)
    return Judged(test, truth.at(test.rows), cold, predict_all(matrix, folds, names))


def measured(world: Judged) -> Iterator[Number]:
    """Yield every number of one world; ``value`` None where it is not defined."""
    value = world.truth.value
    ideal = metrics.Ranked.of(value)
    for p in world.predictions:
        total = float(p.amount.sum() / value.sum())
        gini = metrics.normalised_gini(ideal, metrics.Ranked.of(p.amount))
        yield Number("order", p.name, "norm. Gini", finite(gini))
        yield Number("order", p.name, "NDCG@100", finite(metrics.ndcg(value, p.amount, 100)))
        yield Number("level", p.name, "Σ pred / Σ expected", finite(total))
        yield from _tenths(value, p)
        yield from heads(world, p.name, p.amount)
        yield from _realised(world.test, p)
    yield from heads(world, LATENT, value)
    learned, trivial = choose(world.predictions)
    yield Number("chosen", learned.name, "on validation", 1.0)
    best = metrics.revenue_capture(world.test.y, trivial.amount, 0.01)
    yield Number("realised", "best trivial ranker", "capture@1 %", finite(best))


def heads(world: Judged, name: str, score: Floats) -> Iterator[Number]:
    """Yield the share of the expected amount in the top 1 % by ``score``, in every slice."""
    for label, rows in world.slices.items():
        value = world.truth.value[rows]
        share = metrics.revenue_capture(value, score[rows], 0.01) if value.sum() > 0.0 else np.nan
        yield Number("head", name, label, finite(share))


def _tenths(value: Floats, p: Predictions) -> Iterator[Number]:
    """Yield Σ predicted and Σ expected of every tenth of the rows by predicted amount."""
    order = np.argsort(p.amount, kind="stable")
    for label, rows in zip(TENTHS, np.array_split(order, len(TENTHS)), strict=True):
        yield Number(f"predicted, {label}", p.name, "sum", float(p.amount[rows].sum()))
        yield Number(f"expected, {label}", p.name, "sum", float(value[rows].sum()))


def _realised(test: TestSet, p: Predictions) -> Iterator[Number]:
    """Yield how well the model meets what happened."""
    y, chance = test.y, np.clip(p.probability, 0.0, 1.0)
    found = {
        "capture@1 %": metrics.revenue_capture(y, p.amount, 0.01),
        "capture@10 %": metrics.revenue_capture(y, p.amount, 0.10),
        "Spearman": metrics.spearman(y, p.amount),
        "PR-AUC": metrics.pr_auc(y, chance),
        "log-loss": metrics.log_loss(y, chance),
        "ECE": debiased_ece(y, chance, test.user).value,
    }
    for metric, value in found.items():
        yield Number("realised", p.name, metric, finite(value))
