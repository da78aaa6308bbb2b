"""The worlds of the comparison: made anew on every seed, some of them to teach the ceiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from joblib import Parallel, delayed

from giftlive.evaluation.bayes_order import Taught, bayes_orders
from giftlive.evaluation.behavioural.measure import Number
from giftlive.evaluation.behavioural.worlds import Reading
from giftlive.evaluation.leaderboard.predictions import within
from giftlive.evaluation.rollouts.cells import Cell, CellStore, Workers, run_cells
from giftlive.evaluation.stages.arms import same_twice
from giftlive.evaluation.value_models.coverage import covered
from giftlive.evaluation.value_models.luck import luck
from giftlive.evaluation.value_models.measure import BAYES, Judged, heads, judged, measured
from giftlive.evaluation.world_logs import world_log
from giftlive.models.base import known
from giftlive.tables.splits import rolling_origins
from giftlive.types import Floats, Progress, silent
from giftlive.world import Scenario

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


@dataclass(frozen=True)
class Made:
    """One world's numbers, and what the ceiling needs of it: kept only where there are teachers."""

    seed: int
    numbers: tuple[Number, ...]
    world: Judged | None
    seen: Floats | None
    trained: int


def read_worlds(
    plan: Plan, progress: Progress = silent, store: CellStore | None = None
) -> tuple[Reading, ...]:
    """Return every number of every world, the Bayes ceiling included where there are teachers.

    Without teachers worlds need nothing of each other: each is a cell, kept in ``store`` when it
    is finished, and a killed run goes on at the next one.
    """
    if not plan.teachers:
        workers = Workers(plan.jobs, "loky" if plan.jobs > 1 else "sequential")
        return run_cells(world_cell, _cells(plan), store, workers, progress)
    total = len(plan.seeds) + len(plan.teachers)
    made: list[Made] = []
    for one in _each(plan, _measure, plan.seeds):
        made.append(one)
        progress(len(made), total)
    taught: list[Taught] = []
    for rows in _each(plan, _teach, plan.teachers):
        taught.append(rows)
        progress(len(made) + len(taught), total)
    found = [Reading(m.seed, n) for m in made for n in m.numbers]
    return (*found, *(_ceiling(made, taught) if taught else ()))


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
    return _measure(plan, cell.seed).numbers


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


def _each(plan: Plan, work: Callable[[Plan, int], T], seeds: Sequence[int]) -> Iterator[T]:
    """Yield the work of every seed in order, ``plan.jobs`` at a time."""
    if plan.jobs > 1:
        one = delayed(work)
        yield from Parallel(n_jobs=plan.jobs, return_as="generator")(one(plan, s) for s in seeds)
        return
    for seed in seeds:
        yield work(plan, seed)


def _measure(plan: Plan, seed: int) -> Made:
    with world_log(plan.scenario, seed, memory_limit=plan.memory_limit) as log:
        matrix = log.matrix
        folds = rolling_origins(matrix.day, plan.folds)
        world = judged(matrix, folds, log.truth, plan.names)
        differs = not same_twice(matrix, folds[0], plan.default)
        numbers = (
            *measured(world),
            *luck(matrix, folds, log.truth),
            *covered(matrix, folds[-1], plan.default),
            Number("a_a", plan.default, "differs", float(differs)),
        )
        trained = int(within(matrix.day, folds[-1].train).sum())
        kept = world if plan.teachers else None
        return Made(
            seed, numbers, kept, known(matrix.X[world.test.rows]) if kept else None, trained
        )


def _teach(plan: Plan, seed: int) -> Taught:
    with world_log(plan.scenario, seed, memory_limit=plan.memory_limit) as log:
        return Taught.by(log)


def _ceiling(made: Sequence[Made], taught: Sequence[Taught]) -> Iterator[Reading]:
    """Yield how the order by E[value | observables] does on every world's test rows."""
    seen = [m.seen for m in made if m.seen is not None]
    orders = bayes_orders(seen, [m.trained for m in made], taught)
    for m, order in zip(made, orders, strict=True):
        assert m.world is not None
        yield from (Reading(m.seed, n) for n in heads(m.world, BAYES, order.value))
