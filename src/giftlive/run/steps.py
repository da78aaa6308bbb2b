"""The steps of a run, each cached by the hash of everything that decides its result."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from giftlive.config import MACHINE, NO_LIMIT, RunConfig
from giftlive.evaluation.evening import (
    Evening,
    evening_world,
    open_evening,
    prepare_evening,
)
from giftlive.logs.ingest import ingest
from giftlive.logs.inputs import fingerprint, open_inputs
from giftlive.logs.readers.registry import reader_for
from giftlive.logs.store import SOURCE_FILE, Store
from giftlive.run.cache import Cache
from giftlive.run.canonical import canonical_json, file_digest
from giftlive.run.manifest import code_version
from giftlive.run.progress import Reporter
from giftlive.studies.context import Context, Study, skipped
from giftlive.tables.audit import AuditFinding, find_leaks, refuse_leaks
from giftlive.tables.build import Tables, build_tables, can_go_on
from giftlive.tables.options import TableOptions
from giftlive.world import build_world, load_scenario, write_twin


@dataclass(frozen=True)
class Workshop:
    """What every step needs: where results are kept, what was configured, who watches."""

    cache: Cache
    config: RunConfig
    reporter: Reporter

    def key(self, *parts: Any) -> list[Any]:
        """Return a cache key: the code and whatever else decides the result."""
        return [code_version(), *parts]


def twin(shop: Workshop, preset: str, scale: str | None, name: str) -> Path:
    """Return the folder of a generated world's logs."""
    config = shop.config
    overrides = config.arena.overrides if preset == config.arena.preset else {}

    def make(folder: Path) -> None:
        scenario = load_scenario(preset, scale=scale, overrides=overrides)
        world = build_world(scenario, config.seed)
        write_twin(world, folder / "logs", progress=step.listener, truth=False)

    with shop.reporter.step(f"world {name}") as step:
        key = shop.key(preset, scale, overrides, config.seed)
        path, step.cached = shop.cache.fetch("twin", key, make)
    return path / "logs"


def store(shop: Workshop, path: Path, name: str = "") -> Store:
    """Return the store of the logs at ``path``, or the store that ``path`` itself is.

    Raises
    ------
    InputError
        It is a store that is not whole.
    """
    if (path / SOURCE_FILE).is_file():
        found = Store.open(path)
        found.require_whole()
        return found
    config = shop.config

    def make(folder: Path) -> None:
        ingest(
            path,
            folder / "store",
            max_reject_share=config.ingest.max_reject_share,
            memory_limit=config.memory_limit,
            threads=config.jobs,
            progress=step.listener,
        )

    with shop.reporter.step(f"ingest {name}".strip()) as step:
        key = shop.key(*fingerprint_of(path), path.name, config.ingest.max_reject_share)
        folder, step.cached = shop.cache.fetch("store", key, make)
    return Store.open(folder / "store")


def fingerprint_of(path: Path) -> tuple[str, bool]:
    """Return the digest of the input files' content, and whether a generated world wrote them."""
    with (
        tempfile.TemporaryDirectory(prefix="giftlive-") as scratch,
        open_inputs(path, Path(scratch)) as inputs,
    ):
        return fingerprint(reader_for(inputs).files(inputs)), inputs.generated()


def content_of(source: Store) -> list[Any]:
    """Return what decides whatever is made of a store: its rows as they are, zone and label.

    The fingerprint alone is that of the logs that were ingested, whatever became of the store.
    """
    about = source.source
    files = {file.name: _digest_of(file) for file in sorted(source.folder.glob("*.parquet"))}
    return [about.fingerprint, about.tz, about.unit, about.label, about.window, files]


def _digest_of(file: Path) -> str:
    found = file.stat()
    return _digest_once(file.absolute(), found.st_size, found.st_mtime_ns)


@cache
def _digest_once(file: Path, size: int, changed_ns: int) -> str:
    """Return the digest of a file as it is: every study asks for it."""
    return file_digest(file)


def table_options(config: RunConfig) -> TableOptions:
    """Return the table options of a configuration."""
    chosen = config.tables.model_dump(exclude={"folds"})
    limits = {k: None if chosen[k] == word else chosen[k] for k, word in NO_LIMIT.items()}
    return TableOptions(
        **chosen | limits,
        memory_limit=config.memory_limit,
        threads=config.jobs,
    )


def tables(shop: Workshop, source: Store, options: TableOptions, name: str = "") -> Path:
    """Return the folder of labels, samples and features of ``source``."""

    def make(folder: Path) -> None:
        build_tables(source, folder, options, step.listener)

    with shop.reporter.step(f"features {name}".strip()) as step:
        key = shop.key(content_of(source), options.decisive())
        folder, step.cached = shop.cache.fetch("tables", key, make, worth_keeping=can_go_on)
    return folder


def tables_in(shop: Workshop, source: Store, options: TableOptions, out: Path) -> Tables:
    """Build the tables of ``source`` in ``out``; from tables that are there only rows are new."""
    with shop.reporter.step("features") as step:
        return build_tables(source, out, options, step.listener, previous=out)


def leak_audit(shop: Workshop, source: Store, folder: Path) -> list[AuditFinding]:
    """Return the audit's findings.

    Raises
    ------
    LeakError
        A feature knows the future; it is named. Or a leak planted into the audit's own rows was
        not caught.
    """
    options, seed = table_options(shop.config), shop.config.seed

    def make(work: Path) -> None:
        findings = find_leaks(source, folder, options, seed)
        rows = [asdict(finding) for finding in findings]
        (work / "findings.json").write_text(canonical_json(rows), encoding="utf-8")

    with shop.reporter.step("leak audit") as step:
        key = shop.key(content_of(source), options.decisive(), seed)
        path, step.cached = shop.cache.fetch("audit", key, make)
        rows = json.loads((path / "findings.json").read_text(encoding="utf-8"))
        findings = [AuditFinding(**row) for row in rows]
        refuse_leaks(findings)
    return findings


def evening(shop: Workshop) -> Evening:
    """Return the evening on which policies are compared, with values estimated from its logs."""
    preset = shop.config.arena.preset
    history = store(shop, twin(shop, preset, shop.config.arena.scale, preset), preset)
    # tonight's rooms are offered before anyone enters: no dwell, and histories up to the minute
    options = replace(table_options(shop.config), dwell_seconds=0, as_of="event")
    samples = tables(shop, history, options, preset)
    arena = shop.config.arena

    def make(folder: Path) -> None:
        world = evening_world(arena.preset, arena.scale, arena.overrides, shop.config.seed)
        prepare_evening(history, samples, world, shop.config.seed, folder, arena.value_model)

    with shop.reporter.step("values tonight") as step:
        key = shop.key(
            history.source.fingerprint, options.decisive(), arena.model_dump(), shop.config.seed
        )
        path, step.cached = shop.cache.fetch("evening", key, make)
    return open_evening(path, arena.preset, arena.scale, arena.overrides, shop.config.seed)


@dataclass(frozen=True)
class Answer:
    """A study's result as plain containers, the tables and cards it kept, what its pieces cost."""

    result: dict[str, Any]
    tables: Path | None
    costs: dict[str, Any] = field(default_factory=dict)
    cards: Path | None = None


@dataclass(frozen=True)
class Costs:
    """Collects what the pieces of a study cost, by name; times as they were when it ran."""

    found: dict[str, dict[str, float]] = field(default_factory=dict)

    def __call__(self, name: str, cost: Mapping[str, float], /) -> None:
        """Keep ``cost``, to three digits that count."""
        self.found[name] = {key: float(f"{value:.3g}") for key, value in cost.items()}


def study(shop: Workshop, asked: Study, context: Context) -> Answer:
    """Return the answer of a study, or why it was skipped."""
    missing = tuple(t for t in asked.needs if t not in context.store.source.capabilities)
    if missing:
        result = skipped(asked, context, missing)
        assert result.skipped is not None
        shop.reporter.skip(asked.name, result.skipped)
        return Answer(result.as_dict(), None)

    def make(folder: Path) -> None:
        kept, costs = TableFolder(folder / "tables", asked.name), Costs()
        told = replace(
            context,
            progress=step.listener,
            keep=kept,
            spent=costs,
            describe=Cards(folder / "cards"),
        )
        answered = asked.run(told).as_dict()
        (folder / "result.json").write_text(canonical_json(answered), encoding="utf-8")
        (folder / "costs.json").write_text(canonical_json(costs.found), encoding="utf-8")

    with shop.reporter.step(asked.name) as step:
        config = shop.config.model_dump(exclude={**MACHINE, "demo": True})
        truth = None if context.made_by is None else shop.config.demo.model_dump()
        key = shop.key(asked.name, context.inputs(), content_of(context.store), config, truth)
        path, step.cached = shop.cache.fetch("study", key, make)
    found = json.loads((path / "result.json").read_text(encoding="utf-8"))
    costs = json.loads((path / "costs.json").read_text(encoding="utf-8"))
    return Answer(found, path / "tables", costs, path / "cards")


@dataclass(frozen=True)
class Cards:
    """Keeps model cards as JSON files, one per model."""

    folder: Path

    def __call__(self, name: str, card: Mapping[str, Any], /) -> None:
        """Write ``card`` to ``<name>.json``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.json").write_text(canonical_json(card), encoding="utf-8")


@dataclass(frozen=True)
class TableFolder:
    """Keeps the rows behind a study's numbers as Parquet files of its own."""

    folder: Path
    study: str

    def __call__(self, name: str, columns: Mapping[str, Any], /) -> None:
        """Write ``columns`` to ``<study>__<name>.parquet``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(dict(columns)), self.folder / f"{self.study}__{name}.parquet")
