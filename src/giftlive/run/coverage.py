"""Measure the coverage table in blocks that are kept, so that it can be stopped and resumed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from joblib import Parallel, delayed

from giftlive.evaluation.coverage.lab import (
    BLOCK,
    Cell,
    Tallies,
    Tally,
    added,
    cells,
    rows_of,
    run_block,
)
from giftlive.evaluation.coverage.page import page
from giftlive.run.cache import Cache
from giftlive.run.canonical import canonical_json
from giftlive.run.progress import Reporter
from giftlive.stats.coverage_table import CoverageRow, write_rows

REPLICATIONS = 2_000
PAGE, DATA = "coverage.md", "coverage_table.csv"

_LAB = {
    "giftlive.stats": ("",),
    "giftlive.evaluation.coverage": ("",),
    "giftlive.metrics": ("influence", "occurrence", "order", "ranking"),
}
"""Packages, and the beginnings of the names of their modules, on which a coverage depends."""


@dataclass(frozen=True)
class Plan:
    """What to measure: replications per cell, the largest sample, the seed of the draws."""

    replications: int
    largest: int | None
    seed: int
    jobs: int

    def blocks(self) -> list[tuple[Cell, int, int]]:
        """Return (cell, first replication, number); blocks of one population are neighbours."""
        blocks = [
            (cell, first, min(BLOCK, self.replications - first))
            for cell in cells(self.largest)
            for first in range(0, self.replications, BLOCK)
        ]
        return sorted(blocks, key=lambda b: (b[0].population, b[0].rows_per_user, b[1]))


def measure(plan: Plan, cache: Cache, reporter: Reporter) -> tuple[CoverageRow, ...]:
    """Return the rows of every cell of ``plan``; blocks that are in the cache are not repeated."""
    blocks = plan.blocks()
    calls = (delayed(_kept)(cache, plan.seed, *block) for block in blocks)
    totals: dict[Cell, Tallies] = {cell: {} for cell, _, _ in blocks}
    with reporter.step("coverage") as step:
        found = Parallel(n_jobs=plan.jobs, return_as="generator")(calls)
        for done, ((cell, _, _), tallies) in enumerate(zip(blocks, found, strict=True)):
            totals[cell] = added(totals[cell], tallies)
            step.listener(done + 1, len(blocks))
    return tuple(row for cell, tallies in totals.items() for row in rows_of(cell, tallies))


def _kept(cache: Cache, seed: int, cell: Cell, first: int, size: int) -> Tallies:
    """Return the tallies of a block, measured now or before."""

    def make(folder: Path) -> None:
        tallies = run_block(cell, first, size, seed)
        rows = [[*key, asdict(tally)] for key, tally in tallies.items()]
        (folder / "tallies.json").write_text(canonical_json(rows), encoding="utf-8")

    path, _ = cache.fetch("coverage", [_lab_digest(), asdict(cell), first, size, seed], make)
    rows = json.loads((path / "tallies.json").read_text(encoding="utf-8"))
    return {(one, two, three): Tally(**tally) for one, two, three, tally in rows}


@lru_cache(maxsize=1)
def _lab_digest() -> str:
    """Return the digest of the code that a measured coverage depends on."""
    found = hashlib.blake2b(digest_size=16)
    for package, beginnings in _LAB.items():
        every = (p for p in files(package).iterdir() if p.name.endswith(".py"))
        paths = [p for p in every if p.name.startswith(beginnings)]
        for path in sorted(paths, key=lambda p: p.name):
            found.update(path.read_bytes())
    return found.hexdigest()


def write(rows: tuple[CoverageRow, ...], folder: Path) -> None:
    """Write the page and the data of the table into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page(rows), encoding="utf-8")
    (folder / DATA).write_text(write_rows(rows), encoding="utf-8")
