"""The worlds of the comparison: made anew on every seed, their test decisions listed."""

from __future__ import annotations

from dataclasses import dataclass

from giftlive.evaluation.behavioural import Reading
from giftlive.evaluation.reranking.decisions import listed
from giftlive.evaluation.reranking.measure import measured
from giftlive.evaluation.world_logs import world_store
from giftlive.tables.build import build_tables
from giftlive.tables.matrix import load_matrix
from giftlive.tables.options import TableOptions
from giftlive.tables.splits import rolling_origins
from giftlive.types import Progress, silent
from giftlive.world import Scenario


@dataclass(frozen=True)
class Plan:
    """Which worlds, which models, and how long the list is.

    Attributes
    ----------
    seeds : one world each. direct, staged : names in the registry. lengths : of the list; the
    gate asks about ``length``. decisions : about how many are listed. folds : rolling origins.
    """

    scenario: Scenario
    seeds: tuple[int, ...]
    direct: str
    staged: str
    length: int
    lengths: tuple[int, ...]
    decisions: int
    folds: int = 3
    memory_limit: str = "2GB"


def read_worlds(plan: Plan, progress: Progress = silent) -> tuple[Reading, ...]:
    """Return every number of every world."""
    found: list[Reading] = []
    for done, seed in enumerate(plan.seeds, start=1):
        with world_store(plan.scenario, seed, memory_limit=plan.memory_limit) as made:
            options = TableOptions(memory_limit=plan.memory_limit, threads=1)
            build_tables(made.store, made.folder / "tables", options)
            matrix = load_matrix(made.folder / "tables")
            folds = rolling_origins(matrix.day, plan.folds)
            asked = listed(made, matrix, folds, plan.decisions, plan.memory_limit)
            numbers = measured(
                matrix, folds, asked, plan.direct, plan.staged, plan.lengths, plan.length
            )
            found += [Reading(seed, n) for n in numbers]
        progress(done, len(plan.seeds))
    return tuple(found)
