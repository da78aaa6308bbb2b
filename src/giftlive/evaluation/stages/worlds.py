"""The worlds of the comparison: made anew on every seed, written as logs, read as sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from giftlive import metrics
from giftlive.evaluation.bayes_order import Taught, law_of, teach
from giftlive.evaluation.behavioural.measure import Number
from giftlive.evaluation.behavioural.worlds import Reading
from giftlive.evaluation.leaderboard.predictions import test_set, within
from giftlive.evaluation.stages.measure import measured
from giftlive.evaluation.world_logs import Log, world_log
from giftlive.models.base import known
from giftlive.tables.splits import Fold, rolling_origins
from giftlive.types import Floats, Progress, silent
from giftlive.world import Scenario


@dataclass(frozen=True)
class Plan:
    """Which worlds, and which models.

    Attributes
    ----------
    seeds : one world each. teachers : further seeds whose rows teach the Bayes order; none: no
    Bayes ceiling. direct, staged : names in the registry. folds : rolling origins.
    """

    scenario: Scenario
    seeds: tuple[int, ...]
    teachers: tuple[int, ...]
    direct: str
    staged: tuple[str, ...]
    folds: int = 3
    memory_limit: str = "2GB"


def read_worlds(plan: Plan, progress: Progress = silent) -> tuple[Reading, ...]:
    """Return every number of every world, the Bayes ceiling included where there are teachers."""
    total = len(plan.seeds) + len(plan.teachers)
    found: list[Reading] = []
    judged: list[Judged] = []
    for done, seed in enumerate(plan.seeds, start=1):
        with world_log(plan.scenario, seed, memory_limit=plan.memory_limit) as log:
            folds = rolling_origins(log.matrix.day, plan.folds)
            numbers = measured(log.matrix, folds, log.truth, plan.direct, plan.staged)
            found += [Reading(seed, n) for n in numbers]
            judged.append(_judged(log, folds, seed))
        progress(done, total)
    taught: list[Taught] = []
    for seed in plan.teachers:
        taught.append(teach(plan.scenario, seed, plan.memory_limit))
        progress(len(plan.seeds) + len(taught), total)
    if taught:
        found += bayes_readings(judged, taught)
    return tuple(found)


@dataclass(frozen=True)
class Judged:
    """The test rows of one world: what an observer sees of them, and what they are worth."""

    seed: int
    seen: Floats
    value: Floats
    model_rows: int


def _judged(log: Log, folds: Sequence[Fold], seed: int) -> Judged:
    rows = test_set(log.matrix, folds).rows
    trained = int(within(log.matrix.day, folds[-1].train).sum())
    return Judged(seed, known(log.matrix.X[rows]), log.truth.value[rows], trained)


def bayes_readings(judged: Sequence[Judged], taught: Sequence[Taught]) -> Iterator[Reading]:
    """Yield the Bayes ceiling of every world's test rows, learnt from other worlds."""
    law = law_of(taught)
    for j in judged:
        order = law.at(j.seen, j.model_rows)
        halves = enumerate(order.halves, start=1)
        named = {"Bayes order": order.value, **{f"half {k}": half for k, half in halves}}
        for name, values in named.items():
            reached = metrics.revenue_capture(j.value, values, 0.01)
            yield Reading(j.seed, Number("ceiling", name, "capture@1 %", reached))
