"""The worlds of the ablation: made anew on every seed, their tables built at every moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from giftlive.evaluation.behavioural import Number, Reading
from giftlive.evaluation.first_window.groups import with_noise
from giftlive.evaluation.first_window.rescoring import rescored, still_watching
from giftlive.evaluation.first_window.variants import measured
from giftlive.evaluation.world_logs import Written, world_store
from giftlive.tables.build import build_tables
from giftlive.tables.features.declare import SNAPSHOT_FEATURES
from giftlive.tables.matrix import Matrix, load_matrix
from giftlive.tables.options import TableOptions
from giftlive.tables.splits import rolling_origins
from giftlive.types import Progress, silent
from giftlive.world import Scenario


@dataclass(frozen=True)
class Plan:
    """Which worlds, which model, and how long after the entry is decided.

    Attributes
    ----------
    seeds : one world each. model : in the registry. dwell : seconds; the groups are compared at
    the first, and re-scoring is measured at each. folds : rolling origins.
    """

    scenario: Scenario
    seeds: tuple[int, ...]
    model: str
    dwell: tuple[int, ...] = (5, 10)
    folds: int = 3
    memory_limit: str = "2GB"


def read_worlds(plan: Plan, progress: Progress = silent) -> tuple[Reading, ...]:
    """Return every number of every world."""
    found: list[Reading] = []
    for done, seed in enumerate(plan.seeds, start=1):
        with world_store(plan.scenario, seed, memory_limit=plan.memory_limit) as made:
            found += [Reading(seed, number) for number in _numbers(plan, made, seed)]
        progress(done, len(plan.seeds))
    return tuple(found)


def _numbers(plan: Plan, made: Written, seed: int) -> Iterator[Number]:
    entry = _without_snapshot(_tables(plan, made, 0))
    folds = rolling_origins(entry.day, plan.folds)
    for k, seconds in enumerate(plan.dwell):
        late = _tables(plan, made, seconds)
        if k == 0:
            rows = np.flatnonzero(still_watching(late, seconds))
            yield from measured(with_noise(late, seed), folds, plan.model, rows)
        yield from rescored(entry, _without_snapshot(late), folds, plan.model, seconds)


def _tables(plan: Plan, made: Written, seconds: int) -> Matrix:
    """Return the sessions with decisions ``seconds`` after the entry, snapshot columns and all."""
    options = TableOptions(
        dwell_seconds=seconds, strict=False, memory_limit=plan.memory_limit, threads=1
    )
    folder = made.folder / f"tables-{seconds}"
    build_tables(made.store, folder, options)
    return load_matrix(folder)


def _without_snapshot(matrix: Matrix) -> Matrix:
    snapshot = {f.name for f in SNAPSHOT_FEATURES}
    kept = [j for j, name in enumerate(matrix.names) if name not in snapshot]
    names = tuple(matrix.names[j] for j in kept)
    return replace(matrix, X=matrix.X[:, kept], names=names)
