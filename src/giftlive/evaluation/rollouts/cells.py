"""Cells of a study: each is run once, kept on disk, and never run again.

A cell is one seed of one point of a design. What it says is decided by its description alone, so
that a killed run continues where it stopped and ends with the same bits, on one core or many.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config

from giftlive.errors import UsageError
from giftlive.evaluation.behavioural import Number, Reading
from giftlive.evaluation.rollouts.cluster import dask_client
from giftlive.files import whole
from giftlive.types import Progress, silent

LOCAL = ("loky", "threading", "multiprocessing", "sequential")
"""Backends of joblib that need nothing else; ``dask`` is brought, others must be registered."""


@dataclass(frozen=True)
class Cell:
    """One seed of one point of a design.

    Attributes
    ----------
    point : name of the point, as in tables. seed : of the world, its users, its draws and errors.
    preset, scale, overrides : of the scenario. settings : what else decides the cell, as pairs of
        names and JSON values.
    """

    point: str
    seed: int
    preset: str
    scale: str | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()

    def setting(self, name: str) -> Any:
        """Return the setting called ``name``."""
        return dict(self.settings)[name]


Measure = Callable[[Cell], tuple[Number, ...]]
"""Plays a cell; at the top level of an importable module, so that a worker can find it."""


@dataclass(frozen=True)
class CellStore:
    """A folder with one file per finished cell; None: nothing is kept.

    Attributes
    ----------
    folder : where. version : of the code that made the cells; others are not read.
    """

    folder: Path | None = None
    version: str = ""

    def path(self, measure: Measure, cell: Cell) -> Path | None:
        """Return where a cell stands or would stand."""
        if self.folder is None:
            return None
        what = [self.version, measure.__module__, measure.__qualname__, asdict(cell)]
        return self.folder / f"{_digest(what)}.json"

    def find(self, measure: Measure, cell: Cell) -> tuple[Number, ...] | None:
        """Return what a finished cell said; None where there is none, or half of a file."""
        path = self.path(measure, cell)
        try:
            kept = json.loads(path.read_text(encoding="utf-8")) if path else None
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if not kept or kept["digest"] != _digest(kept["numbers"]):
            return None
        return tuple(Number(*row) for row in kept["numbers"])

    def keep(self, measure: Measure, cell: Cell, numbers: Sequence[Number]) -> None:
        """Write a finished cell by one rename: a killed run leaves no half of one."""
        path = self.path(measure, cell)
        if path is None:
            return
        rows = [[n.table, n.row, n.column, n.value] for n in numbers]
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"digest": _digest(rows), "numbers": rows})
        with whole(path) as partial:
            partial.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Workers:
    """Who plays the cells; nothing here decides what they say.

    Attributes
    ----------
    jobs : >= 1. backend : of joblib: one of ``LOCAL``, ``dask`` (extra ``cluster``), or ``ray``
        once it is registered. scheduler : address of a Dask scheduler; None: workers started here.
    """

    jobs: int = 1
    backend: str = "loky"
    scheduler: str | None = None


def run_cells(
    measure: Measure,
    cells: Sequence[Cell],
    store: CellStore | None = None,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> tuple[Reading, ...]:
    """Return every number of every cell, in the order of the cells, whoever plays them.

    Parameters
    ----------
    measure : plays one cell. store : where finished cells are kept; each worker writes its own.

    Raises
    ------
    UsageError
        joblib knows no such backend.
    """
    store, workers = store or CellStore(), workers or Workers()
    found: list[Reading] = []
    for done, (cell, numbers) in enumerate(
        zip(cells, _played(measure, cells, store, workers), strict=True), start=1
    ):
        found += [Reading(cell.seed, number) for number in numbers]
        progress(done, len(cells))
    return tuple(found)


def _played(
    measure: Measure, cells: Sequence[Cell], store: CellStore, workers: Workers
) -> Iterator[tuple[Number, ...]]:
    known = [store.find(measure, cell) for cell in cells]
    missing = [cell for cell, numbers in zip(cells, known, strict=True) if numbers is None]
    if not missing:  # joblib warns of a crew that is dismissed without work
        yield from (numbers for numbers in known if numbers is not None)
        return
    calls = (delayed(_play)(measure, cell, store) for cell in missing)
    streams = workers.backend in ("loky", "threading", "sequential")
    with _crew(workers):
        fresh = iter(Parallel(return_as="generator" if streams else "list")(calls))
        for numbers in known:
            yield next(fresh) if numbers is None else numbers


@contextmanager
def _crew(workers: Workers) -> Iterator[None]:
    """Let joblib play with these workers."""
    with ExitStack() as held:
        if workers.backend == "dask":
            held.enter_context(dask_client(workers.jobs, workers.scheduler))
        try:
            held.enter_context(parallel_config(backend=workers.backend, n_jobs=workers.jobs))
        except (ValueError, ImportError) as error:
            raise UsageError(
                str(error),
                "rollouts.backend",
                f"one of {', '.join(LOCAL)}, dask, or a registered one",
            ) from None
        yield


def _play(measure: Measure, cell: Cell, store: CellStore) -> tuple[Number, ...]:
    numbers = measure(cell)
    store.keep(measure, cell, numbers)
    return numbers


def _digest(what: Any) -> str:
    text = json.dumps(what, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
