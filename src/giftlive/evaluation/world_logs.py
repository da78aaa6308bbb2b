"""Worlds made for a question: built on a seed, written as logs, ingested, read with their truth."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from giftlive.evaluation.leaderboard.truth import Truth, truth_of
from giftlive.logs.ingest import ingest
from giftlive.logs.store import Store
from giftlive.tables.build import build_tables
from giftlive.tables.matrix import Matrix, load_matrix
from giftlive.tables.options import TableOptions
from giftlive.world import Scenario, World, build_world, write_twin


@dataclass(frozen=True)
class Log:
    """One world's rows with their truth."""

    matrix: Matrix
    truth: Truth


@dataclass(frozen=True)
class Written:
    """One world and its logs on disk.

    Attributes
    ----------
    folder : scratch space beside the store; gone, as the store is, when the world is left.
    """

    world: World
    store: Store
    folder: Path


@contextmanager
def world_store(scenario: Scenario, seed: int, *, memory_limit: str = "2GB") -> Iterator[Written]:
    """Make one world and ingest its logs; they say nothing of the truth.

    Parameters
    ----------
    scenario : clocked, with clicks. memory_limit : of the database engine.
    """
    with tempfile.TemporaryDirectory(prefix="giftlive-") as scratch:
        folder = Path(scratch)
        world = build_world(scenario, seed)
        write_twin(world, folder / "logs", truth=False, format="parquet")
        yield Written(
            world, ingest(folder / "logs", folder / "store", memory_limit=memory_limit), folder
        )


@contextmanager
def world_log(
    scenario: Scenario,
    seed: int,
    *,
    memory_limit: str = "2GB",
    options: TableOptions | None = None,
) -> Iterator[Log]:
    """Make one world, build its tables, and read the rows with their truth.

    Parameters
    ----------
    options : of the tables; None: the default ones within ``memory_limit``, on one thread.
    """
    chosen = options or TableOptions(memory_limit=memory_limit, threads=1)
    with world_store(scenario, seed, memory_limit=memory_limit) as made:
        build_tables(made.store, made.folder / "tables", chosen)
        matrix = load_matrix(made.folder / "tables")
        yield Log(matrix, truth_of(made.world, made.store, matrix))
