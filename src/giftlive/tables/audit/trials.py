"""The audit of a table: rows drawn, rebuilt under every trial, compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.logs.store import Store
from giftlive.rng import stream
from giftlive.tables.audit.canary import CANARIES, canary_findings
from giftlive.tables.audit.compare import Compared, joined
from giftlive.tables.audit.draw import Drawn, draw_rows
from giftlive.tables.audit.finding import PLANTED, AuditFinding, refuse_leaks
from giftlive.tables.audit.lift import lift_findings
from giftlive.tables.audit.logs import Logs, keep_logs, put_later, stage_near
from giftlive.tables.audit.parts import PARTS, WHOLE, day_parts
from giftlive.tables.audit.rebuild import Columns, Workbench, rebuild
from giftlive.tables.build import features_of
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.ordinal import stage_codes
from giftlive.tables.local_time import stage_local_time
from giftlive.tables.options import TableOptions
from giftlive.tables.parts import samples_relation
from giftlive.types import Ints


def audit_features(
    store: Store,
    tables_folder: Path,
    options: TableOptions = TableOptions(),  # noqa: B008  (frozen)
    seed: int = 0,
) -> list[AuditFinding]:
    """Run every trial on a bounded sample of the built tables.

    Parameters
    ----------
    options : those the tables were built with. seed : decides which rows, and which future.

    Returns
    -------
    list of AuditFinding
        One per feature and trial, one per canary, one per part of the days; none failed.

    Raises
    ------
    LeakError
        Naming the first feature that failed, and how; or a canary that was not caught.
    """
    findings = find_leaks(store, tables_folder, options, seed)
    refuse_leaks(findings)
    return findings


def find_leaks(
    store: Store,
    tables_folder: Path,
    options: TableOptions = TableOptions(),  # noqa: B008  (frozen)
    seed: int = 0,
) -> list[AuditFinding]:
    """Return the findings of :func:`audit_features` without raising."""
    features = features_of(store.source, options)
    samples = samples_relation(Path(tables_folder).absolute())
    engine = DuckEngine.open(store, options.memory_limit, options.threads)
    try:
        bench = Workbench(engine, store.source, options, (*features, *CANARIES))
        trials = _try(bench, samples, seed)
        found = [
            *_moved("future", features, trials.future),
            *_moved("replay", features, [trials.replay]),
            *lift_findings(engine, samples, features),
        ]
        return [*found, *_escaped(features, found), *trials.canaries, *trials.parts]
    finally:
        engine.close()


def _escaped(
    features: tuple[Feature, ...], found: Sequence[AuditFinding]
) -> Iterator[AuditFinding]:
    """Yield the leak planted into the table if no trial failed it: it is there all the same."""
    for leak in (feature.name for feature in features if feature.group == "planted"):
        mine = [finding for finding in found if finding.feature == leak]
        if all(finding.passed is not False for finding in mine):
            tried = next(finding.detail for finding in mine if finding.kind == "future")
            yield AuditFinding(leak, PLANTED, False, f"too few rows to tell, {tried}")


@dataclass(frozen=True)
class _Trials:
    """What every trial found, and which parts of the days its rows are of."""

    replay: Compared
    future: list[Compared]
    canaries: list[AuditFinding]
    parts: list[AuditFinding]


def _try(bench: Workbench, samples: str, seed: int) -> _Trials:
    engine = bench.engine
    rows, trials = draw_rows(engine, samples, stream(seed, "audit", "rows"))
    part_of = _stage_everything(bench, samples, rows)
    stored = engine.columns("select * from stored order by sample_id")
    parts = np.array([part_of[int(day)] for day in stored["day"]], dtype=object)
    replayed = _rebuild(bench, Logs(engine, None), rows, by_row=True)
    known = {**stored, **{c.name: replayed[c.name] for c in CANARIES}}
    names = [feature.name for feature in bench.features]
    future = []
    for number, drawn in enumerate(trials):
        put_later(engine, drawn.cut, stream(seed, "audit", "future", number))
        future.append(_compared(bench, Logs(engine, drawn.cut), drawn, known, parts))
    canaries = replace(bench, features=CANARIES)

    def ended() -> list[Compared]:
        logs = [(Logs(engine, drawn.cut, cut_off=True), drawn) for drawn in trials]
        return [_compared(canaries, shown, drawn, known, parts) for shown, drawn in logs]

    return _Trials(
        Compared.of(known, replayed, parts, names),
        future,
        list(canary_findings(future, ended)),
        list(_tried(part_of, parts)),
    )


def _compared(
    bench: Workbench, logs: Logs, drawn: Drawn, known: Columns, parts: NDArray[Any]
) -> Compared:
    """Return how the drawn rows in other logs differ from what is known of them."""
    at = np.searchsorted(known["sample_id"], drawn.rows)
    names = [feature.name for feature in bench.features]
    before = {name: known[name][at] for name in names}
    return Compared.of(before, _rebuild(bench, logs, drawn.rows), parts[at], names)


def _stage_everything(bench: Workbench, samples: str, rows: Ints) -> dict[int, str]:
    """Create what all trials share; return the part of each day of the table."""
    engine, dwell_ms = bench.engine, bench.options.dwell_ms
    days = engine.columns(f"select distinct day from {samples}")["day"]
    keep_logs(engine)
    stage_codes(engine, bench.features)
    stage_local_time(
        engine,
        bench.source.tz,
        [f"select ts + {dwell_ms} from {view}" for view in ("click", "gift")],
    )
    _put_ids(engine, "chosen", rows)
    engine.stage(
        "stored", f"select * from {samples} where sample_id in (select sample_id from chosen)"
    )
    stage_near(engine)
    return day_parts(days)


def _rebuild(bench: Workbench, logs: Logs, rows: Ints, *, by_row: bool = False) -> Columns:
    _put_ids(bench.engine, "chosen", rows)
    bench.engine.stage(
        "tried", "select * from stored where sample_id in (select sample_id from chosen)"
    )
    return rebuild(bench, logs, by_row=by_row)


def _put_ids(engine: DuckEngine, name: str, ids: Ints) -> None:
    import pyarrow as pa

    engine.put(name, pa.table({"sample_id": np.asarray(ids, dtype=np.int64)}))


def _moved(
    kind: str, features: tuple[Feature, ...], trials: Sequence[Compared]
) -> Iterator[AuditFinding]:
    for feature in features:
        found = joined(trials, feature.name)
        passed = None if not len(found.moved) else not found.moved.any()
        yield AuditFinding(feature.name, kind, passed, found.spelled())


def _tried(part_of: dict[int, str], parts: object) -> Iterator[AuditFinding]:
    """Yield how many rows of every part of the days were tried."""
    there = set(part_of.values())
    for name in (*PARTS, WHOLE):
        if name in there:
            rows = int(np.sum(parts == name))
            yield AuditFinding(name, "rows", True if rows else None, f"{rows} rows tried")
