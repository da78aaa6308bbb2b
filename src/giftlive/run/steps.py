"""The steps of a run, each cached by the hash of everything that decides its result."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from giftlive.config import RunConfig
from giftlive.errors import LeakError
from giftlive.evaluation.evening import Evening, open_evening, prepare_evening
from giftlive.logs.ingest import ingest
from giftlive.logs.inputs import fingerprint, open_inputs
from giftlive.logs.readers.registry import reader_for
from giftlive.logs.store import Store
from giftlive.run.cache import Cache
from giftlive.run.canonical import canonical_json
from giftlive.run.manifest import code_version
from giftlive.run.progress import Reporter
from giftlive.studies.context import Context, Study, skipped
from giftlive.tables.audit import AuditFinding, find_leaks
from giftlive.tables.build import build_tables
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
    """Return the store of the logs at ``path``."""
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
        key = shop.key(fingerprint_of(path), path.name, config.ingest.max_reject_share)
        folder, step.cached = shop.cache.fetch("store", key, make)
    return Store.open(folder / "store")


def fingerprint_of(path: Path) -> str:
    """Return the digest of the input files' content, before anything is read from them."""
    with (
        tempfile.TemporaryDirectory(prefix="giftlive-") as scratch,
        open_inputs(path, Path(scratch)) as inputs,
    ):
        return fingerprint(reader_for(inputs).files(inputs))


def table_options(config: RunConfig) -> TableOptions:
    """Return the table options of a configuration."""
    return TableOptions(
        attribution_window_ms=config.tables.attribution_window_ms,
        planted_leak=config.tables.planted_leak,
        memory_limit=config.memory_limit,
        threads=config.jobs,
    )


def tables(shop: Workshop, source: Store, name: str = "") -> Path:
    """Return the folder of labels, samples and features of ``source``."""
    options = table_options(shop.config)

    def make(folder: Path) -> None:
        build_tables(source, folder, options, step.listener)

    with shop.reporter.step(f"features {name}".strip()) as step:
        key = shop.key(source.source.fingerprint, _decisive(options))
        folder, step.cached = shop.cache.fetch("tables", key, make)
    return folder


def _decisive(options: TableOptions) -> dict[str, Any]:
    """Return the options that can change a result: memory and threads cannot."""
    return {k: v for k, v in asdict(options).items() if k not in {"memory_limit", "threads"}}


def leak_audit(shop: Workshop, source: Store, folder: Path) -> list[AuditFinding]:
    """Return the audit's findings.

    Raises
    ------
    LeakError
        A feature knows the future; it is named.
    """
    options, seed = table_options(shop.config), shop.config.seed

    def make(work: Path) -> None:
        findings = find_leaks(source, folder, options, seed)
        rows = [asdict(finding) for finding in findings]
        (work / "findings.json").write_text(canonical_json(rows), encoding="utf-8")

    with shop.reporter.step("leak audit") as step:
        key = shop.key(source.source.fingerprint, _decisive(options), seed)
        path, step.cached = shop.cache.fetch("audit", key, make)
        rows = json.loads((path / "findings.json").read_text(encoding="utf-8"))
        findings = [AuditFinding(**row) for row in rows]
        _refuse(findings)
    return findings


def _refuse(findings: list[AuditFinding]) -> None:
    failed = [finding for finding in findings if not finding.passed]
    if failed:
        names = ", ".join(dict.fromkeys(finding.feature for finding in failed))
        first = failed[0]
        raise LeakError(
            f"feature {first.feature} fails the {first.kind} trial: {first.detail}",
            "features",
            "features that depend on events with known_ts < ts only",
            f"remove it or state when it is known; all that failed: {names}",
        )


def evening(shop: Workshop) -> Evening:
    """Return the evening on which policies are compared, with values estimated from its logs."""
    preset = shop.config.arena.preset
    history = store(shop, twin(shop, preset, None, preset), preset)
    samples = tables(shop, history, preset)
    arena = shop.config.arena

    def make(folder: Path) -> None:
        prepare_evening(history, samples, arena.preset, arena.overrides, shop.config.seed, folder)

    with shop.reporter.step("values tonight") as step:
        key = shop.key(history.source.fingerprint, arena.preset, arena.overrides, shop.config.seed)
        path, step.cached = shop.cache.fetch("evening", key, make)
    return open_evening(path, arena.preset, arena.overrides, shop.config.seed)


def study(shop: Workshop, asked: Study, context: Context) -> dict[str, Any]:
    """Return the result of a study as plain containers."""
    missing = tuple(t for t in asked.needs if t not in context.store.source.capabilities)
    if missing:
        result = skipped(asked, context, missing)
        assert result.skipped is not None
        shop.reporter.skip(asked.name, result.skipped)
        return result.as_dict()

    def make(folder: Path) -> None:
        answered = asked.run(with_listener(context, step.listener)).as_dict()
        (folder / "result.json").write_text(canonical_json(answered), encoding="utf-8")

    with shop.reporter.step(asked.name) as step:
        config = shop.config.model_dump(exclude={"jobs", "memory_limit", "demo"})
        key = shop.key(asked.name, context.inputs(), config)
        path, step.cached = shop.cache.fetch("study", key, make)
    found: dict[str, Any] = json.loads((path / "result.json").read_text(encoding="utf-8"))
    return found


def with_listener(context: Context, listener: Any) -> Context:
    """Return the context with somebody listening to its progress."""
    return Context(
        config=context.config,
        store=context.store,
        tables=context.tables,
        code_version=context.code_version,
        evening=context.evening,
        progress=listener,
    )
