"""Every model minus the two it must beat: paired by row, every user counted as one.

The interval comes from influence values, the limit of a clustered bootstrap in one pass; it is the
one whose coverage was measured. ``resampled`` does draw the users again, each with the same
Poisson(1) weight for both models, and says how far the two standard errors are apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from giftlive import metrics
from giftlive.evaluation.leaderboard.predictions import Predictions, TestSet
from giftlive.evaluation.leaderboard.scores import interval, statistics
from giftlive.stats.bootstrap import poisson_weights
from giftlive.stats.influence import Linearised
from giftlive.stats.intervals import Interval
from giftlive.types import Floats

COMPARED: dict[str, str] = {
    "revenue_capture_1pct": "capture_difference",
    "revenue_capture_10pct": "capture_10pct_difference",
    "spearman": "spearman_difference",
    "normalised_gini": "normalised_gini_difference",
    "pr_auc": "pr_auc_difference",
    "log_loss": "log_loss_difference",
}
"""Metrics that are compared, and the statistic of the coverage table that their difference is."""

REPLICATES = 200
"""Resamples of the users behind a standard error."""

Statistic = Callable[[Floats], float]
"""Maps row weights [n] to a number."""


@dataclass(frozen=True)
class Gap:
    """metric(model) - metric(reference), paired by row."""

    model: str
    reference: str
    metric: str
    interval: Interval


def gaps(
    test: TestSet, predictions: Sequence[Predictions], references: Sequence[str]
) -> tuple[Gap, ...]:
    """Estimate the difference of every model to every one of ``references`` but itself.

    Metrics that are not defined on these rows are left out.
    """
    found = {p.name: statistics(test, p) for p in predictions}
    return tuple(
        Gap(who, reference, metric, interval(test, "difference", own[metric] - other[metric]))
        for reference in references
        for other in (found[reference],)
        for who, own in found.items()
        if who != reference
        for metric in COMPARED
        if metric in own
    )


@dataclass(frozen=True)
class Resampled:
    """The standard error of a difference from drawing users again, and from influence values."""

    metric: str
    drawn: float
    linear: float

    @property
    def ratio(self) -> float:
        """Return drawn / linear: near 1 where the difference is smooth in the users' weights."""
        return self.drawn / self.linear if self.linear > 0.0 else float("nan")


def resampled(
    test: TestSet,
    model: Predictions,
    reference: Predictions,
    names: Sequence[str] = ("revenue_capture_1pct", "pr_auc"),
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> tuple[Resampled, ...]:
    """Draw the users again and compare the spread of each difference with its standard error.

    Parameters
    ----------
    names : of metrics; those that are not defined on these rows are left out.
    seed : names the weights.
    """
    one, other = (statistics(test, p) for p in (model, reference))
    asked = [name for name in names if name in one]
    pairs = {n: (_statistic(n, test, model), _statistic(n, test, reference)) for n in asked}
    draws = _draws(test, pairs, replicates, seed)
    return tuple(
        Resampled(name, float(np.std(draws[name], ddof=1)), _error(test, one[name] - other[name]))
        for name in asked
    )


def _error(test: TestSet, found: Linearised) -> float:
    psi = found.by_cluster(test.user)
    return float(np.sqrt(len(psi) / (len(psi) - 1) * np.sum(psi**2)))


def _draws(
    test: TestSet, pairs: Mapping[str, tuple[Statistic, Statistic]], replicates: int, seed: int
) -> dict[str, Floats]:
    """Return [R] the resampled differences; one weight of a user for both models."""
    index = np.unique(test.user, return_inverse=True)[1]
    found = {name: np.empty(replicates) for name in pairs}
    for r, weights in enumerate(poisson_weights(test.user, replicates, seed)):
        rows = weights[index]
        for name, (one, other) in pairs.items():
            found[name][r] = one(rows) - other(rows)
    return found


def _statistic(name: str, test: TestSet, p: Predictions) -> Statistic:
    """Return a metric of one model as a function of row weights, sorted once."""
    y = test.y
    if name.startswith("revenue_capture"):
        capture = metrics.RankedCapture.of(y, p.amount)
        fraction = 0.01 if name.endswith("_1pct") else 0.10
        return lambda w: capture.at(fraction, w)
    if name == "pr_auc":
        return metrics.RankedOccurrence.of(y, p.probability).pr_auc
    if name == "log_loss":
        chance = np.clip(p.probability, 0.0, 1.0)
        return lambda w: metrics.log_loss(y, chance, w)
    of = metrics.spearman if name == "spearman" else metrics.normalised_gini
    money, amount = metrics.Ranked.of(y), metrics.Ranked.of(p.amount)
    return lambda w: of(money, amount, w)
