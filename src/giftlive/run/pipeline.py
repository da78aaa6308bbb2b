"""The main job: logs in, a run folder with a report out."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from giftlive.config import RunConfig, dump_toml
from giftlive.facts import Evidence, FactBook, Finding, audit, compute_facts
from giftlive.logs.store import Store
from giftlive.reports import render
from giftlive.run import digests, steps
from giftlive.run.cache import Cache, default_cache
from giftlive.run.canonical import canonical_json
from giftlive.run.choices import check_choices
from giftlive.run.folder import TABLES, atomic_folder, check_target
from giftlive.run.health import health_row
from giftlive.run.manifest import code_version, manifest, step_rows
from giftlive.run.progress import Reporter
from giftlive.run.steps import Answer, Workshop
from giftlive.run.summary import Summary, read_summary
from giftlive.studies.context import Context, Study
from giftlive.studies.registry import ON_REQUEST, STUDIES
from giftlive.tables.build import is_unfinished
from giftlive.world import World, build_world, load_scenario


@dataclass(frozen=True)
class RunRequest:
    """What was asked for; ``source`` None means the built-in world, ``only`` some studies."""

    source: Path | None
    out: Path
    config: RunConfig
    overwrite: bool
    cache: Path | None
    command: str
    only: tuple[str, ...] = ()

    def studies(self) -> tuple[Study, ...]:
        """Return the studies that were asked for, in the order of the question tree."""
        if not self.only:
            return STUDIES
        return tuple(s for s in (*STUDIES, *ON_REQUEST) if s.name in self.only)


def run_all(request: RunRequest) -> Summary:
    """Run every step and write the run folder, whole or not at all.

    Raises
    ------
    GiftLiveError
        Bad input (2), a leak or another broken promise (1), not enough data (3).
    """
    check_target(request.out, request.overwrite)
    check_choices(request.config)
    steps.table_options(request.config)
    shop = Workshop(Cache(request.cache or default_cache()), request.config, Reporter())
    context = _context(shop, request)
    answers = [steps.study(shop, study, context) for study in request.studies()]
    with atomic_folder(request.out, request.overwrite) as folder:
        _write(folder, request, shop, context, answers)
        with shop.reporter.step("report"):
            render(folder)
        _write_log(folder, shop)
        digests.seal(folder)
    return read_summary(request.out)


def _context(shop: Workshop, request: RunRequest) -> Context:
    path = request.source
    built_in = path is None
    if path is None:
        demo = request.config.demo
        path = steps.twin(shop, demo.preset, demo.scale, demo.preset)
    source = steps.store(shop, path)
    tables = steps.tables(shop, source, steps.table_options(request.config))
    steps.leak_audit(shop, source, tables)
    capabilities = source.source.capabilities
    wanted = any(
        study.uses_evening and capabilities.issuperset(study.needs) for study in request.studies()
    )
    return Context(
        config=request.config,
        store=source,
        tables=tables,
        code_version=code_version(),
        evening=steps.evening(shop) if wanted else None,
        twin=built_in and _is_the_calibrated_world(request.config),
        made_by=partial(_world_of, request.config) if built_in else None,
        cells=shop.cache.folder / "cells",
    )


def _world_of(config: RunConfig) -> World:
    """Return the world whose logs the demo reads."""
    preset, scale = config.demo.preset, config.demo.scale
    overrides = config.arena.overrides if preset == config.arena.preset else {}
    return build_world(load_scenario(preset, scale=scale, overrides=overrides), config.seed)


def _is_the_calibrated_world(config: RunConfig) -> bool:
    """Return whether the built-in twin is what the study of fidelity makes of the first seed."""
    demo, fidelity = config.demo, config.fidelity
    plain = demo.preset != config.arena.preset or not config.arena.overrides
    same = (demo.preset, demo.scale) == (fidelity.preset, fidelity.scale)
    return same and plain and not fidelity.overrides


def _write(
    folder: Path,
    request: RunRequest,
    shop: Workshop,
    context: Context,
    answers: list[Answer],
) -> None:
    (folder / "results").mkdir()
    for answer in answers:
        text = canonical_json(answer.result)
        path = folder / "results" / f"{answer.result['study']}.json"
        path.write_text(text, encoding="utf-8")
    (folder / "config.toml").write_text(dump_toml(request.config), encoding="utf-8")
    _copy_rows(folder, context, answers)
    costs = {a.result["study"]: a.costs for a in answers if a.costs}
    _write_manifest(folder, request, shop, context.store, costs)


def _copy_rows(folder: Path, context: Context, answers: list[Answer]) -> None:
    """Put rejects, the balance of the labels, kept tables, cards, models where a reader looks."""
    target = folder / "tables"
    target.mkdir()
    for name in ("attribution.json", "dictionary.json"):
        shutil.copy(context.tables / name, target / name)
    kept = [context.store.folder / "rejects", *(a.tables for a in answers if a.tables)]
    for path in kept:
        where = target / "rejects" if path.name == "rejects" else target
        if path.is_dir():
            shutil.copytree(path, where, dirs_exist_ok=True)
    for cards in (a.cards for a in answers if a.cards and a.cards.is_dir()):
        shutil.copytree(cards, folder / "cards", dirs_exist_ok=True)
    if context.evening is not None and context.evening.models is not None:
        shutil.copytree(context.evening.models, folder / "models")


def _write_manifest(
    folder: Path, request: RunRequest, shop: Workshop, source: Store, costs: dict[str, Any]
) -> None:
    """Write what produced the run; once, before the report, so that rendering again says the same.

    The time of the report itself is in ``log.jsonl`` alone.
    """
    created = datetime.now(UTC).isoformat(timespec="seconds")
    facts = json.loads(source.source.as_json())
    found = manifest(request.command, request.config.seed, facts, shop.reporter, created)
    found["costs"] = costs
    (folder / "manifest.json").write_text(canonical_json(found), encoding="utf-8")


def _write_log(folder: Path, shop: Workshop) -> None:
    lines = [canonical_json(row).replace("\n", "") for row in step_rows(shop.reporter)]
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _health(source: Store) -> list[Finding]:
    evidence = Evidence.of(source)
    try:
        return list(audit(evidence))
    finally:
        evidence.con.close()


def facts_of(source: Path, config: RunConfig, cache: Path | None) -> FactBook:
    """Return every fact of ``source``: logs, or a store that ``giftlive ingest`` wrote.

    Reading logs is a step of its own and cached; the facts are computed anew.
    """
    shop = Workshop(Cache(cache or default_cache()), config, Reporter())
    store = steps.store(shop, source)
    with shop.reporter.step("facts") as step:
        return compute_facts(store, step.listener)


def store_of(source: Path, config: RunConfig, cache: Path | None) -> Store:
    """Return the store of ``source``: logs, or a store that ``giftlive ingest`` wrote."""
    return steps.store(Workshop(Cache(cache or default_cache()), config, Reporter()), source)


def build_tables_of(
    source: Path, out: Path, config: RunConfig, cache: Path | None
) -> dict[str, int | str]:
    """Build the tables of ``source`` in ``out``, or only what is new there; return their sizes.

    Raises
    ------
    UsageError
        ``out`` holds something that is not a folder of tables, or another build is writing it.
    """
    if not is_unfinished(out):
        check_target(out, overwrite=True, kind=TABLES)
    shop = Workshop(Cache(cache or default_cache()), config, Reporter())
    built = steps.tables_in(shop, steps.store(shop, source), steps.table_options(config), out)
    sizes: dict[str, int | str] = {
        "tables": str(out),
        "unit": built.unit,
        "rows": built.rows,
        "rows_with_a_gift": built.positives,
        "rows_not_matured": built.unmatured,
        "features": len(built.features),
        "rows_kept": built.kept,
        "rows_computed": built.rows - built.kept,
    }
    return sizes | ({"built_anew": built.because} if built.because else {})


def audit_source(source: Path, config: RunConfig, cache: Path | None) -> list[dict[str, Any]]:
    """Return the data-health findings and the leak trials of ``source`` as rows of words.

    Raises
    ------
    LeakError
        A feature knows the future.
    NotEnoughDataError
        The source is too short for a trial.
    """
    shop = Workshop(Cache(cache or default_cache()), config, Reporter())
    read = steps.store(shop, source)
    health = [health_row(finding) for finding in _health(read)]
    folder = steps.tables(shop, read, steps.table_options(config))
    trials = steps.leak_audit(shop, read, folder)
    leaks: list[dict[str, Any]] = [
        {
            "kind": f"leak trial: {finding.kind}",
            "subject": finding.feature,
            "result": finding.result,
            "detail": finding.detail,
        }
        for finding in trials
    ]
    return health + leaks
