"""Measure folders and seeds of a world for ``giftlive world check``, one at a time per job."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from joblib import Parallel, delayed

from giftlive.config import RunConfig
from giftlive.facts import compute_facts
from giftlive.logs.ingest import ingest
from giftlive.logs.store import SOURCE_FILE, Store
from giftlive.run import steps
from giftlive.run.cache import Cache
from giftlive.run.canonical import canonical_json
from giftlive.run.manifest import code_version
from giftlive.run.steps import Workshop
from giftlive.types import Progress, silent
from giftlive.world import Scenario, build_world, write_twin
from giftlive.world.calibration import Measured, measure

_PARTS = 100
_WRITTEN, _READ = 70, 85
"""Of 100 parts of the work on one seed, how many are done when its logs are written, and read."""


@dataclass(frozen=True)
class Plan:
    """Worlds to make and measure: a scenario with the seeds 1 to ``count``, ``jobs`` at a time."""

    scenario: Scenario
    count: int
    jobs: int


def measure_folder(shop: Workshop, folder: Path) -> Measured:
    """Return what the logs at ``folder``, or the store that it is, show of every target.

    Reading logs is a step of its own and cached.
    """
    name = folder.resolve().name
    store = steps.store(shop, folder, name)
    with shop.reporter.step(f"facts {name}") as step:
        book = compute_facts(store, step.listener)
        is_store = (folder / SOURCE_FILE).is_file()
        return measure(name, book, store.source, None if is_store else folder)


def measure_seeds(plan: Plan, shop: Workshop) -> list[Measured]:
    """Return what every seed's world shows; measured ones are in the cache, their logs are not.

    One world at a time per job is in memory and on disk.
    """
    numbers = range(1, plan.count + 1)
    total = plan.count * _PARTS
    with shop.reporter.step("worlds") as step:
        found: list[Measured] = []
        for measured in _each(plan, numbers, shop, step.listener):
            found.append(measured)
            step.listener(len(found) * _PARTS, total)
        return found


def _each(plan: Plan, numbers: range, shop: Workshop, progress: Progress) -> Iterator[Measured]:
    one = delayed(measure_seed)
    if plan.jobs > 1:
        calls = (one(plan.scenario, seed, shop.cache, shop.config) for seed in numbers)
        yield from Parallel(n_jobs=plan.jobs, return_as="generator")(calls)
        return
    for seed in numbers:
        done = (seed - 1) * _PARTS

        def hear(part: int, of: int, /, done: int = done) -> None:
            progress(done + _PARTS * part // max(of, 1), plan.count * _PARTS)

        yield measure_seed(plan.scenario, seed, shop.cache, shop.config, hear)


def measure_seed(
    scenario: Scenario,
    seed: int,
    cache: Cache,
    config: RunConfig,
    progress: Progress = silent,
) -> Measured:
    """Return what the world of ``seed`` shows of every target, measured now or before."""

    def make(work: Path) -> None:
        found = _measure_anew(scenario, seed, work, config, progress)
        (work / "measured.json").write_text(canonical_json(found.as_dict()), encoding="utf-8")

    path, _ = cache.fetch("world-check", [code_version(), scenario.fingerprint, seed], make)
    return Measured.of(json.loads((path / "measured.json").read_text(encoding="utf-8")))


def _measure_anew(
    scenario: Scenario, seed: int, work: Path, config: RunConfig, progress: Progress
) -> Measured:
    """Return what a world shows; its logs stand in ``work`` only while they are read."""
    logs, store = work / "logs", work / "store"
    try:
        write_twin(
            build_world(scenario, seed),
            logs,
            progress=_part(progress, 0, _WRITTEN),
            format="parquet",
        )
        ingest(
            logs,
            store,
            max_reject_share=config.ingest.max_reject_share,
            memory_limit=config.memory_limit,
            threads=config.jobs,
            progress=_part(progress, _WRITTEN, _READ),
        )
        opened = Store.open(store)
        book = compute_facts(opened, _part(progress, _READ, _PARTS))
        return measure(f"seed {seed}", book, opened.source, logs)
    finally:
        for folder in (logs, store):
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)


def _part(progress: Progress, start: int, end: int) -> Progress:
    """Return the listener of work that begins at ``start`` and ends at ``end`` of 100 parts."""

    def hear(done: int, total: int, /) -> None:
        progress(start + (end - start) * done // max(total, 1), _PARTS)

    return hear
