"""The worlds of the comparison: made anew on every seed, written as logs, read as clicks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from giftlive.evaluation.behavioural.measure import FEATURES, Number, numbers_of
from giftlive.evaluation.world_logs import world_store
from giftlive.logs.store import Store
from giftlive.tables.build import build_tables
from giftlive.tables.matrix import Matrix, load_matrix
from giftlive.tables.options import TableOptions
from giftlive.types import Progress, silent
from giftlive.world import Scenario


@dataclass(frozen=True)
class Reading:
    """One number of one world."""

    seed: int
    number: Number


def by_cell(readings: Iterable[Reading]) -> dict[tuple[str, str, str], list[float | None]]:
    """Return the values of every (table, row, column), in the order of the seeds."""
    found: dict[tuple[str, str, str], list[float | None]] = {}
    for reading in readings:
        n = reading.number
        found.setdefault((n.table, n.row, n.column), []).append(n.value)
    return found


def read_worlds(
    scenario: Scenario,
    seeds: Sequence[int],
    *,
    memory_limit: str = "2GB",
    progress: Progress = silent,
) -> tuple[Reading, ...]:
    """Return every number of every world.

    Parameters
    ----------
    scenario : clocked, with clicks. seeds : one world each. progress : told after each.
    """
    found: list[Reading] = []
    for done, seed in enumerate(seeds):
        matrix = _clicks_of(scenario, seed, memory_limit)
        found += [Reading(seed, number) for number in numbers_of(matrix)]
        progress(done + 1, len(seeds))
    return tuple(found)


def _clicks_of(scenario: Scenario, seed: int, memory_limit: str) -> Matrix:
    with world_store(scenario, seed, memory_limit=memory_limit) as made:
        return frozen_clicks(made.store, made.folder / "tables", memory_limit)


def frozen_clicks(store: Store, folder: Path, memory_limit: str = "2GB") -> Matrix:
    """Return the clicks of ``store`` with features frozen at their local midnight.

    That no event of the same day enters is the promise of ``as_of = "day"`` (docs/tables.md).
    """
    options = TableOptions(unit="click", as_of="day", memory_limit=memory_limit, threads=1)
    build_tables(store, folder, options)
    return load_matrix(folder, FEATURES, matured_only=False)
