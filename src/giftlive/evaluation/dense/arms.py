"""The arms: one network with dense tasks, the same network with gifts alone, and entered rows only.

Capacity, rows, features, schedule and the number of tries are equal. Each try is one learning rate
and one dropout; the one with the highest PR-AUC on the first origin's validation days is kept,
before any test day is looked at. The validation days of an origin also choose its epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from giftlive import metrics
from giftlive.evaluation.dense.exposures import Shown
from giftlive.models.neural.fitted import FittedMultiTask
from giftlive.models.neural.multi_task import MultiTask
from giftlive.models.neural.network import TASKS
from giftlive.models.neural.training import Schedule
from giftlive.tables.splits import Fold
from giftlive.types import Bools, Floats, Ints, Progress, silent

MULTI, SINGLE, ENTERED = "multi_task", "single_task", "entered_only"
ARMS: dict[str, tuple[str, ...]] = {MULTI: TASKS, SINGLE: ("gift",)}
"""Arms with a budget of their own: which heads are trained."""


@dataclass(frozen=True)
class Trial:
    """One try of one arm: its settings, and PR-AUC on the first origin's validation days."""

    arm: str
    learning_rate: float
    dropout: float
    validation: float


@dataclass(frozen=True)
class Budget:
    """What every arm may try, epoch limit and seed included."""

    learning_rates: tuple[float, ...]
    dropouts: tuple[float, ...]
    epochs: int
    seed: int

    def models(self, arm: str) -> list[MultiTask]:
        """Return the settings to try for ``arm``."""
        return [
            MultiTask(
                tasks=ARMS[arm],
                schedule=replace(
                    Schedule(), epochs=self.epochs, learning_rate=rate, dropout=dropout
                ),
                minimum_positives=20,
                seed=self.seed,
            )
            for rate, dropout in product(self.learning_rates, self.dropouts)
        ]


@dataclass(frozen=True)
class Found:
    """Predictions of the pooled test exposures.

    Attributes
    ----------
    rows : [m] of the exposures. fold : [m] origin of each. shown : arm -> [m] P(gift | shown).
    entered : arm -> [m] P(gift | entered). trials : every try. positives : gifts trained on, by
    origin. first : the first origin's validation rows.
    """

    rows: Ints
    fold: Ints
    shown: dict[str, Floats]
    entered: dict[str, Floats]
    trials: tuple[Trial, ...]
    positives: tuple[int, ...]
    first: Ints


def compared(
    data: Shown, folds: Sequence[Fold], budget: Budget, progress: Progress = silent
) -> Found:
    """Try every setting on the first origin, then train the kept ones on every origin."""
    tries = len(budget.learning_rates) * len(budget.dropouts)
    clock = _Clock(progress, tries * len(ARMS) + 3 * len(folds))
    first = np.flatnonzero(within(data.day, folds[0].validation))
    trials, kept = [], {}
    for arm in ARMS:
        scored = []
        for model in budget.models(arm):
            chance = fit(data, folds[0], model).predict_proba(data.X[first])
            scored.append((_pr_auc(data.y[first], chance), model))
            schedule = model.schedule
            trials.append(Trial(arm, schedule.learning_rate, schedule.dropout, scored[-1][0]))
            clock.tick()
        kept[arm] = max(scored, key=lambda pair: pair[0])[1]
    parts = [_origin(data, fold, kept, clock) for fold in folds]
    return Found(
        rows=np.concatenate([part.rows for part in parts]),
        fold=np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts]),
        shown={a: np.concatenate([p.shown[a] for p in parts]) for a in parts[0].shown},
        entered={a: np.concatenate([p.entered[a] for p in parts]) for a in parts[0].entered},
        trials=tuple(trials),
        positives=tuple(part.positives for part in parts),
        first=first,
    )


def fit(data: Shown, fold: Fold, model: MultiTask, only: Bools | None = None) -> FittedMultiTask:
    """Train on a fold's training days; its validation days choose the epoch.

    Parameters
    ----------
    only : [n] rows that may be used at all; None = every exposure.
    """
    held = within(data.day, fold.validation)
    rows = within(data.day, fold.train) | held
    if only is not None:
        rows &= only
    at = np.flatnonzero(rows)
    return model.fit(
        data.X[at],
        data.y[at],
        data.user[at],
        names=data.names,
        clicked=data.clicked[at],
        watch_seconds=data.watch_seconds[at],
        validation=held[at],
    )


def same_twice(data: Shown, fold: Fold, budget: Budget) -> bool:
    """Return whether one epoch of the network, trained twice, predicts the same to the bit."""
    model = replace(budget, epochs=1).models(MULTI)[0]
    rows = np.flatnonzero(within(data.day, fold.validation))
    one, two = (fit(data, fold, model).predict_proba(data.X[rows]) for _ in range(2))
    return bool(np.array_equal(one, two))


def within(day: Ints, span: tuple[int, int]) -> Bools:
    """Return [n] True where the day is in the half-open range ``span``."""
    return (day >= span[0]) & (day < span[1])


@dataclass(frozen=True)
class _Part:
    rows: Ints
    shown: dict[str, Floats]
    entered: dict[str, Floats]
    positives: int


def _origin(data: Shown, fold: Fold, kept: dict[str, MultiTask], clock: _Clock) -> _Part:
    test = np.flatnonzero(within(data.day, fold.test))
    X = data.X[test]
    multi = fit(data, fold, kept[MULTI])
    clock.tick()
    single = fit(data, fold, kept[SINGLE])
    clock.tick()
    inside = fit(data, fold, kept[SINGLE], data.clicked)
    clock.tick()
    train = within(data.day, fold.train)
    heads, naive = multi.heads(X), inside.predict_proba(X)
    return _Part(
        test,
        {MULTI: heads.click * heads.gift, SINGLE: single.predict_proba(X), ENTERED: naive},
        {MULTI: heads.gift, ENTERED: naive},
        int((data.y[train] > 0.0).sum()),
    )


class _Clock:
    """Counts trainings."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def tick(self) -> None:
        """Say that one more network is trained."""
        self.done += 1
        self.progress(self.done, self.total)


def _pr_auc(y: Floats, chance: Floats) -> float:
    value = metrics.pr_auc(y, chance)
    return float(value) if np.isfinite(value) else 0.0
