"""Can a feature see the future? Change the future and look.

Three trials, none of which trusts how a feature is written:

- **future**: everything *known* at or after a cut t is shuffled among users and rooms, changed in
  amount and thinned by half; features of rows at or before t must not move. The cut is the time
  of a row, so events of its own millisecond are among those changed. Permuting by ``ts`` instead
  would miss a gift stamped with its entry, which is in the past by ``ts`` but not yet known.
- **replay**: rows of every day, the first training days included, are recomputed one by one from
  the events before them, by a plain join instead of running windows.
- **label copy**: a feature that all but equals the label is a tripwire, whatever its source.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.errors import LeakError
from giftlive.logs.store import Store, literal_path
from giftlive.rng import stream
from giftlive.tables.build import SAMPLES, features_of
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.ordinal import stage_codes
from giftlive.tables.features.query import features_sql
from giftlive.tables.labels import stage_labels
from giftlive.tables.local_time import SLOT_OF, stage_local_time_of
from giftlive.tables.options import TableOptions
from giftlive.tables.samples import stage_samples
from giftlive.types import Floats, Ints

CUTS = (0.25, 0.5, 0.9)
ROWS_PER_TRIAL = 200
ROWS_COMPARED = 20_000
MAX_CORRELATION = 0.98
_RELATIVE = 1e-9
_MUTABLE = ("click", "gift", "gift_anonymous")

Columns = dict[str, Ints]


@dataclass(frozen=True)
class AuditFinding:
    """One feature in one trial: ``kind`` is "future", "replay" or "label copy"."""

    feature: str
    kind: str
    passed: bool
    detail: str


def audit_features(
    store: Store,
    tables_folder: Path,
    options: TableOptions = TableOptions(),  # noqa: B008  (frozen)
    seed: int = 0,
) -> list[AuditFinding]:
    """Run the three trials on a bounded sample of the built tables.

    Parameters
    ----------
    options : those the tables were built with.

    Returns
    -------
    list of AuditFinding
        One per feature and trial, all passed.

    Raises
    ------
    LeakError
        Naming the first feature that failed, and how.
    """
    findings = find_leaks(store, tables_folder, options, seed)
    refuse_leaks(findings)
    return findings


def refuse_leaks(findings: list[AuditFinding]) -> None:
    """Raise where a trial failed.

    Raises
    ------
    LeakError
        Naming the first feature that failed, how, and all others.
    """
    failed = [finding for finding in findings if not finding.passed]
    if failed:
        first = failed[0]
        names = ", ".join(dict.fromkeys(finding.feature for finding in failed))
        raise LeakError(
            f"feature {first.feature} fails the {first.kind} trial: {first.detail}",
            "features",
            "features that depend on events with known_ts < ts only",
            f"remove it or state when it is known; all that failed: {names}",
        )


def find_leaks(
    store: Store,
    tables_folder: Path,
    options: TableOptions = TableOptions(),  # noqa: B008  (frozen)
    seed: int = 0,
) -> list[AuditFinding]:
    """Return the findings of :func:`audit_features` without raising."""
    features = features_of(store.source, options)
    file = Path(tables_folder) / SAMPLES
    cuts = _cuts(store, file, options)
    future = [
        _trial(store, file, options, cut, stream(seed, "audit", number))
        for number, cut in enumerate(cuts)
    ]
    replay = _trial(store, file, options, None, stream(seed, "audit", "replay"))
    return [
        *_moved("future", features, future),
        *_moved("replay", features, [replay]),
        *_label_copies(store, file, features),
    ]


@dataclass(frozen=True)
class _Comparison:
    """How many of ``rows`` differ between the stored and the rebuilt table, by feature."""

    rows: int
    moved: dict[str, int]


def _moved(
    kind: str, features: tuple[Feature, ...], trials: list[_Comparison]
) -> Iterator[AuditFinding]:
    rows = sum(trial.rows for trial in trials)
    for feature in features:
        moved = sum(trial.moved[feature.name] for trial in trials)
        yield AuditFinding(feature.name, kind, moved == 0, f"{moved} of {rows} rows changed")


def _cuts(store: Store, file: Path, options: TableOptions) -> list[int]:
    con = store.connect(options.memory_limit, options.threads)
    try:
        # the row at such a cut has a label of its own, which nothing at the cut may know
        cuts = ", ".join(
            f"coalesce(quantile_disc(ts, {share}) filter (where label_amount > 0),"
            f" quantile_disc(ts, {share}))"
            for share in CUTS
        )
        row = con.execute(f"select {cuts} from {_parquet(file)}").fetchone()
    finally:
        con.close()
    return sorted({int(ts) for ts in row if ts is not None})


def _trial(
    store: Store, file: Path, options: TableOptions, cut: int | None, rng: np.random.Generator
) -> _Comparison:
    """Rebuild a few rows, after changing what is known from ``cut`` on (None: nothing)."""
    features = features_of(store.source, options)
    con = store.connect(options.memory_limit, options.threads)
    try:
        _stage_stored(con, file, cut, rng)
        for table in _MUTABLE:
            _stage_neighbourhood(con, table, cut, rng)
        stage_codes(con, features)
        _stage_probes(con, store, options)
        sql = features_sql(features, "probe", by_row=cut is None)
        names = ", ".join(feature.name for feature in features)
        rebuilt = con.execute(f"select {names} from ({sql}) f order by sample_id").fetchnumpy()
        stored = con.execute(f"select {names} from stored order by sample_id").fetchnumpy()
    finally:
        con.close()
    moved = {name: _differences(stored[name], rebuilt[name]) for name in stored}
    return _Comparison(len(next(iter(stored.values()))), moved)


def _stage_stored(con: Any, file: Path, cut: int | None, rng: np.random.Generator) -> None:
    """Keep half of the rows at random, half that are open at the cut (the first without one)."""
    before = "" if cut is None else f"where ts <= {cut}"
    order = "" if cut is None else f"label_known_ts < {cut}, label_amount = 0, -sample_id, "
    ids = con.execute(
        f"select sample_id from {_parquet(file)} {before} order by {order}sample_id"
    ).fetchnumpy()["sample_id"]
    half = ROWS_PER_TRIAL // 2
    near = ids[:half]
    anywhere = rng.choice(ids, min(half, len(ids)), replace=False)
    _store(con, "chosen", {"id": np.unique(np.concatenate([near, anywhere]))})
    con.execute(
        f"create table stored as select * from {_parquet(file)}"
        " where sample_id in (select id from chosen)"
    )


def _stage_neighbourhood(con: Any, table: str, cut: int | None, rng: np.random.Generator) -> None:
    """Replace the view ``table`` by the rows that can reach a chosen row, the future changed."""
    columns = con.execute(
        f"select * from {table} where user_id in (select user_id from stored)"
        " or streamer_id in (select streamer_id from stored) order by row_id"
    ).fetchnumpy()
    rows = {name: np.asarray(column, dtype=np.int64) for name, column in columns.items()}
    if cut is not None:
        rows = _change_future(rows, cut, rng)
    con.execute(f"drop view {table}")
    _store(con, table, rows)


def _change_future(rows: Columns, cut: int, rng: np.random.Generator) -> Columns:
    rows = {name: column.copy() for name, column in rows.items()}
    unknown = np.flatnonzero(rows["known_ts"] >= cut)
    if "watch_ms" in rows:
        started = rows["ts"][unknown] < cut
        _change_open_viewings(rows, unknown[started], rng)
        unknown = unknown[~started]
    shuffled = rng.permutation(unknown)
    rows["user_id"][unknown] = rows["user_id"][shuffled]
    shuffled = rng.permutation(unknown)
    for name in ("live_id", "streamer_id"):
        rows[name][unknown] = rows[name][shuffled]
    if "amount" in rows:
        rows["amount"][unknown] = rows["amount"][rng.permutation(unknown)] + 1
    keep = np.ones(len(rows["ts"]), dtype=np.bool_)
    keep[rng.permutation(unknown)[: len(unknown) // 2]] = False
    return {name: column[keep] for name, column in rows.items()}


def _change_open_viewings(rows: Columns, viewings: Ints, rng: np.random.Generator) -> None:
    """Let every viewing that is open at the cut end at another time after it."""
    ends = rows["known_ts"][rng.permutation(viewings)] + 1
    rows["known_ts"][viewings] = ends
    rows["watch_ms"][viewings] = ends - rows["ts"][viewings]


def _stage_probes(con: Any, store: Store, options: TableOptions) -> None:
    """Create ``probe``: the chosen rows as they are, their labels as the changed tables say."""
    stage_labels(con, options.unit_of(store.source), options)
    source = store.source
    stage_samples(con, options.unit_of(source), options, source.tz, source.window[1])
    stage_local_time_of(con, "stored", source.tz)
    con.execute(
        "create table probe as select s.sample_id, s.user_id, s.live_id, s.streamer_id, s.ts,"
        " c.hour, c.weekday, coalesce(r.label_amount, 0) as label_amount from stored s"
        f" join local_time c on c.slot_ts = {SLOT_OF.replace('ts', 's.ts')}"
        " left join sample r on r.sample_id = s.sample_id"
    )


def _store(con: Any, name: str, columns: Columns) -> None:
    import pyarrow as pa

    con.register("rows_to_store", pa.table(columns))
    con.execute(f"create table {name} as select * from rows_to_store")
    con.unregister("rows_to_store")


def _differences(stored: Any, rebuilt: Any) -> int:
    a, b = np.asarray(stored, dtype=np.float64), np.asarray(rebuilt, dtype=np.float64)
    return int(np.sum(np.abs(a - b) > _RELATIVE * np.maximum(1.0, np.abs(a))))


def _label_copies(
    store: Store, file: Path, features: tuple[Feature, ...]
) -> Iterator[AuditFinding]:
    names = ", ".join(feature.name for feature in features)
    half = ROWS_COMPARED // 2
    con = store.connect()
    try:
        columns = con.execute(
            f"select label_amount, {names} from (select *, row_number() over"
            " (partition by label_amount > 0 order by hash(sample_id), sample_id) as draw"
            f" from {_parquet(file)}) d where draw <= {half} order by sample_id"
        ).fetchnumpy()
    finally:
        con.close()
    label = np.log1p(np.asarray(columns["label_amount"], dtype=np.float64))
    gifts = int(np.count_nonzero(label))
    for feature in features:
        value = np.asarray(columns[feature.name], dtype=np.float64)
        r = _correlation(np.sign(value) * np.log1p(np.abs(value)), label)
        detail = f"correlation {r:.3f} with the label over {len(label)} rows, {gifts} gifts"
        yield AuditFinding(feature.name, "label copy", not _is_copy(r, gifts), detail)


def _is_copy(r: float, gifts: int) -> bool:
    """Return whether a correlation is above the limit beyond chance, three Fisher errors away.

    The gifts are what it rests on: three rows correlate with anything.
    """
    if gifts < 4:
        return False
    z = math.atanh(min(abs(r), 1.0 - 1e-15)) - 3.0 / math.sqrt(gifts - 3)
    return z > math.atanh(MAX_CORRELATION)


def _correlation(x: Floats, y: Floats) -> float:
    """Return Pearson's correlation; 0 where either is constant (a constant copies nothing)."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _parquet(file: Path) -> str:
    return f"read_parquet({literal_path(file.absolute())})"
