"""The worlds of the comparison: made anew on every seed, some of them to teach the ceiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from joblib import Parallel, delayed

from giftlive.evaluation.bayes_order import Taught, law_of, teach
from giftlive.evaluation.behavioural.measure import Number
from giftlive.evaluation.behavioural.worlds import Reading
from giftlive.evaluation.leaderboard.predictions import within
from giftlive.evaluation.rollouts.cells import Cell, CellStore, Workers, run_cells
from giftlive.evaluation.stages.arms import same_twice
from giftlive.evaluation.value_models.coverage import covered
from giftlive.evaluation.value_models.luck import luck
from giftlive.evaluation.value_models.measure import BAYES, heads, judged, measured
from giftlive.evaluation.world_logs import world_log
from giftlive.models.base import known
from giftlive.tables.splits import rolling_origins
from giftlive.types import Progress, silent
from giftlive.world import Scenario
from giftlive.world.ceiling import BayesLaw

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """Which worlds, and which models.

    Attributes
    ----------
    seeds : one world each. teachers : further seeds whose rows teach the Bayes order; none: no
    Bayes ceiling. names : of models in the registry. default : whose intervals are held against
    the gifts. folds : rolling origins. jobs : worlds at a time.
    """

    scenario: Scenario
    seeds: tuple[int, ...]
    teachers: tuple[int, ...]
    names: tuple[str, ...]
    default: str
    folds: int = 3
    memory_limit: str = "2GB"
    jobs: int = 1


def read_worlds(
    plan: Plan, progress: Progress = silent, store: CellStore | None = None
) -> tuple[Reading, ...]:
    """Return every number of every world, the Bayes ceiling included where there are teachers.

    Worlds need nothing of each other: each is a cell, kept in ``store`` when it is finished, as
    every lesson is, and a killed run goes on at the next one. Worlds are made a second time for
    their ceiling, which is cheaper than keeping their rows; ceilings are not kept.

    Raises
    ------
    NotEnoughDataError
        The teachers hold fewer than 20 times the rows that a model trains on.
    """
    store, at = store or CellStore(), 0
    total = len(plan.seeds) * (2 if plan.teachers else 1) + len(plan.teachers)

    def one_more(*_: int) -> None:
        nonlocal at
        at += 1
        progress(at, total)

    workers = Workers(plan.jobs, "loky" if plan.jobs > 1 else "sequential")
    found = run_cells(world_cell, _cells(plan), store, workers, one_more)
    if not plan.teachers:
        return found
    taught: list[Taught] = []
    for lesson in _each(plan, partial(_teach, plan, store), plan.teachers):
        taught.append(lesson)
        one_more()
    for seed, numbers in zip(
        plan.seeds, _each(plan, partial(_ceiling, plan, law_of(taught)), plan.seeds), strict=True
    ):
        found += tuple(Reading(seed, number) for number in numbers)
        one_more()
    return found


def world_cell(cell: Cell) -> tuple[Number, ...]:
    """Return the numbers of one world.

    Settings of the cell: ``scenario`` in full, ``names``, ``default``, ``folds``, ``memory_limit``.
    """
    plan = Plan(
        scenario=Scenario.model_validate(cell.setting("scenario")),
        seeds=(cell.seed,),
        teachers=(),
        names=tuple(cell.setting("names")),
        default=cell.setting("default"),
        folds=cell.setting("folds"),
        memory_limit=cell.setting("memory_limit"),
    )
    return _measure(plan, cell.seed)


def _cells(plan: Plan) -> list[Cell]:
    settings = (
        ("scenario", plan.scenario.model_dump(mode="json")),
        ("names", plan.names),
        ("default", plan.default),
        ("folds", plan.folds),
        ("memory_limit", plan.memory_limit),
    )
    name = plan.scenario.name
    return [Cell(name, seed, name, settings=settings) for seed in plan.seeds]


def _each(plan: Plan, work: Callable[[int], T], seeds: Sequence[int]) -> Iterator[T]:
    """Yield the work of every seed in order, ``plan.jobs`` at a time."""
    if plan.jobs > 1:
        one = delayed(work)
        yield from Parallel(n_jobs=plan.jobs, return_as="generator")(one(seed) for seed in seeds)
        return
    for seed in seeds:
        yield work(seed)


def _teach(plan: Plan, store: CellStore, seed: int) -> Taught:
    return teach(plan.scenario, seed, plan.memory_limit, store)


def _measure(plan: Plan, seed: int) -> tuple[Number, ...]:
    with world_log(plan.scenario, seed, memory_limit=plan.memory_limit) as log:
        matrix = log.matrix
        folds = rolling_origins(matrix.day, plan.folds)
        world = judged(matrix, folds, log.truth, plan.names)
        differs = not same_twice(matrix, folds[0], plan.default)
        return (
            *measured(world),
            *luck(matrix, folds, log.truth),
            *covered(matrix, folds[-1], plan.default),
            Number("a_a", plan.default, "differs", float(differs)),
        )


def _ceiling(plan: Plan, law: BayesLaw, seed: int) -> tuple[Number, ...]:
    """Return how the order by E[value | observables] does on one world's test rows."""
    with world_log(plan.scenario, seed, memory_limit=plan.memory_limit) as log:
        folds = rolling_origins(log.matrix.day, plan.folds)
        world = judged(log.matrix, folds, log.truth, ())
        trained = int(within(log.matrix.day, folds[-1].train).sum())
        order = law.at(known(log.matrix.X[world.test.rows]), trained)
        return tuple(heads(world, BAYES, order.value))
