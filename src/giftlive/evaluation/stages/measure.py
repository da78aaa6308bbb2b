"""Every number of one log: both versions of the features, every arm, and a true part swapped in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from giftlive import metrics
from giftlive.evaluation.behavioural.measure import Number, finite
from giftlive.evaluation.leaderboard.predictions import TestSet, test_set, within
from giftlive.evaluation.leaderboard.truth import Truth
from giftlive.evaluation.stages.arms import Arm, arms_of, same_twice
from giftlive.evaluation.stages.leak import with_leak
from giftlive.metrics.influence import debiased_ece
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats

TRUE_CHANCE, TRUE_AMOUNT, BOTH = "true chance", "true amount", "both true"
"""What is swapped in; both true is the latent ceiling."""


def measured(
    matrix: Matrix,
    folds: Sequence[Fold],
    truth: Truth | None,
    direct: str,
    staged: Sequence[str],
) -> tuple[Number, ...]:
    """Return every number of one log.

    Parameters
    ----------
    truth : of every row of ``matrix``; None where nobody knows it: nothing is swapped in then.
    direct, staged : names in the registry; the gate asks about the first of ``staged``.
    """
    test = test_set(matrix, folds)
    clean = arms_of(matrix, folds, direct, staged)
    leaky = arms_of(with_leak(matrix), folds, direct, staged)
    known = truth.at(test.rows) if truth else None
    return (
        *_story(test, clean, "clean"),
        *_story(test, leaky, "leaky"),
        *_moved(matrix, folds[0]),
        Number("a_a", staged[0], "differs", float(not same_twice(matrix, folds[0], staged[0]))),
        *(_swapped(known, clean, direct, staged) if known else ()),
    )


def _story(test: TestSet, arms: Sequence[Arm], version: str) -> Iterator[Number]:
    for arm in arms:
        for name, value in scores(test, arm).items():
            yield Number("story", f"{arm.name}, {name}", version, value)


def scores(test: TestSet, arm: Arm) -> dict[str, float | None]:
    """Return every metric of the story for one arm; None where it is not defined."""
    y, amount = test.y, np.maximum(arm.amount, 0.0)
    found: dict[str, float | None] = {}
    for k in (1, 5, 10):
        found[f"overlap@{k} %"] = metrics.topk_overlap(y, amount, k / 100)
        found[f"capture@{k} %"] = metrics.revenue_capture(y, amount, k / 100)
    found |= {
        "MAE(log)": metrics.mae_log(y, amount),
        "RMSE(log)": metrics.rmse(np.log1p(y), np.log1p(amount)),
        "Spearman": metrics.spearman(y, amount),
        "NDCG@100": metrics.ndcg(y, amount, 100),
    }
    if arm.chance is not None:
        chance = np.clip(arm.chance, 0.0, 1.0)
        found |= {
            "PR-AUC": metrics.pr_auc(y, chance),
            "ECE": debiased_ece(y, chance, test.user).value,
            "log-loss": metrics.log_loss(y, chance),
        }
    return {name: finite(value) for name, value in found.items()}


def _moved(matrix: Matrix, first: Fold) -> Iterator[Number]:
    """Yield PR-AUC of two past sums on the first validation days: what the check asks."""
    rows = np.flatnonzero(within(matrix.day, first.validation))
    for name in ("pair_gift_sum", "streamer_gift_sum"):
        known = name in matrix.names
        value = metrics.pr_auc(matrix.y[rows], matrix.column(name)[rows]) if known else None
        yield Number("movable", name, "PR-AUC", finite(value))


def _swapped(
    truth: Truth, arms: Sequence[Arm], direct: str, staged: Sequence[str]
) -> Iterator[Number]:
    """Yield how every version orders expected amounts."""
    found = {arm.name: arm for arm in arms}
    yield from _orders(truth.value, direct, found[direct].amount)
    for name in staged:
        arm = found[name]
        assert arm.chance is not None
        for label, score in versions(arm, truth).items():
            yield from _orders(truth.value, f"{name}, {label}" if label else name, score)
    yield from _orders(truth.value, BOTH, truth.value)


def versions(arm: Arm, truth: Truth) -> Mapping[str, Floats]:
    """Return [n] the arm's scores as they are, and with its chance or its amount replaced.

    E[amount | gift] of an arm is its expected amount over its chance.
    """
    assert arm.chance is not None
    chance = np.maximum(arm.chance, 1e-12)
    return {
        "": arm.amount,
        TRUE_CHANCE: truth.chance * arm.amount / chance,
        TRUE_AMOUNT: chance * truth.amount_if_gift,
    }


def _orders(value: Floats, row: str, score: Floats) -> Iterator[Number]:
    yield Number("swap", row, "capture@1 %", metrics.revenue_capture(value, score, 0.01))
    yield Number("swap", row, "NDCG@100", finite(metrics.ndcg(value, score, 100)))
    yield Number("swap", row, "norm. Gini", finite(metrics.normalised_gini(value, score)))
