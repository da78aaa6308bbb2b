"""The one place where a table's features are computed in one of two forms.

- **portable**: the SQL text of :mod:`giftlive.tables.features.query`, the same on every engine;
- **native**: the compiled sweep of :mod:`giftlive.tables.features.sweep`, one pass in time order.

Integers agree exactly, doubles to 1e-9 relative; a test compares the two row for row. What the
sweep does not know, columns of the sample and codes of profiles, comes from SQL in both forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from giftlive.tables.append import Kept, Past, keep, past_before
from giftlive.tables.engine.protocol import Engine
from giftlive.tables.features import query
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.query import IN_SQL
from giftlive.tables.features.slices import side_by_side
from giftlive.tables.features.state import KEYS
from giftlive.tables.features.sweep import native_states
from giftlive.tables.features.sweep_state import VERSION, SweepState
from giftlive.tables.options import TableOptions
from giftlive.tables.parts import ROWS_PER_PART, SAMPLES, STATE, Parts, PartWriter, part_name
from giftlive.tables.samples import SAMPLE_COLUMNS
from giftlive.types import Progress, silent

Columns = Mapping[str, NDArray[Any]]

_MOST = 2**31

PROBE_COLUMNS = (
    *("sample_id", "user_id", "live_id", "streamer_id", "as_of_ts", "day_start_ts"),
    *("hour", "weekday", "category", "room_start_ts"),
)
"""What a probe needs that is not a row of the sample table."""


def write_features(
    engine: Engine,
    features: tuple[Feature, ...],
    options: TableOptions,
    folder: Path,
    earlier: Path | None = None,
    heard: Progress = silent,
) -> Kept:
    """Write sample columns and features of every sample into ``folder``, by sample id.

    Parameters
    ----------
    earlier : folder of another build whose rows may be kept (native form only).
    heard : told how many rows are done.

    Returns
    -------
    Kept
        Rows that stood already, and why not where there might have been some.
    """
    (folder / SAMPLES).mkdir()
    if options.by_sweep:
        return _write_native(engine, features, options, folder, earlier, heard)
    _write_portable(engine, features, folder, heard)
    return Kept(SweepState(), 0)


def _write_portable(
    engine: Engine, features: tuple[Feature, ...], folder: Path, heard: Progress
) -> None:
    total = int(engine.rows("select count(*) from sample")[0][0])
    names = (*SAMPLE_COLUMNS, *_extra(features, SAMPLE_COLUMNS))
    writer = PartWriter(folder / SAMPLES)
    done = 0
    try:
        for columns in _sliced(engine, features, "sample", tuple(SAMPLE_COLUMNS)):
            writer.add(_table(columns, _of_arrays(features), names))
            done += len(columns["sample_id"])
            heard(done, total)
            if writer.rows >= ROWS_PER_PART:
                writer.cut()
        writer.cut()
    finally:
        writer.close()
    if total == 0:
        _write_select(engine, features, folder)


def _sliced(
    engine: Engine, features: tuple[Feature, ...], probe: str, carry: tuple[str, ...] = ()
) -> Iterator[Columns]:
    """Yield carried columns, state columns and features that only SQL knows, by sample id."""
    plan = query.plan_features(features, probe, carry=carry, narrow=narrow_keys(engine, probe))
    _stage(engine, plan, sliced=True)
    whole = [name for name, _ in plan.slices]
    partial = [(engine.read(piece.name), piece.absent) for piece in plan.pieces]
    for rows in side_by_side([engine.read(name) for name in whole], partial):
        yield plan.derived(rows)
    for name in (*whole, *(piece.name for piece in plan.pieces)):
        engine.drop(name)


def narrow_keys(engine: Engine, probe: str) -> frozenset[str]:
    """Return the keys of the probe that fit in 32 bits."""
    keys = tuple(dict.fromkeys(key for keys in KEYS.values() for key in keys))
    bounds = ", ".join(f"min({key}), max({key})" for key in keys)
    found = engine.rows(f"select {bounds} from {probe}")[0]
    pairs = zip(keys, found[::2], found[1::2], strict=True)
    return frozenset(
        k for k, low, high in pairs if low is not None and -_MOST <= low <= high < _MOST
    )


def _of_arrays(features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    return tuple(feature for feature in features if feature.group not in IN_SQL)


def _stage(engine: Engine, plan: query.Plan, *, sliced: bool) -> None:
    """Stage what a plan needs, and drop what nothing reads any more."""
    for name, select, spent in plan.steps(sliced=sliced):
        engine.stage(name, select)
        for table in spent:
            engine.drop(table)


def _write_select(engine: Engine, features: tuple[Feature, ...], folder: Path) -> None:
    select = _with_features(engine, features, "sample", SAMPLE_COLUMNS)
    engine.write(select, folder / SAMPLES / part_name(0))


def stage_features(
    engine: Engine,
    features: tuple[Feature, ...],
    probe: str,
    carry: tuple[str, ...] = (),
    *,
    by_row: bool = False,
) -> str:
    """Stage what the portable form needs; return its SELECT of sample_id, carried and features."""
    narrow = frozenset[str]() if by_row else narrow_keys(engine, probe)
    plan = query.plan_features(features, probe, by_row, carry, narrow)
    _stage(engine, plan, sliced=False)
    return plan.select


def probe_features(
    engine: Engine, features: tuple[Feature, ...], options: TableOptions
) -> Iterator[Columns]:
    """Yield ``sample_id`` and the features of the rows of ``probe``, some rows at a time."""
    if not options.by_sweep:
        for columns in _sliced(engine, features, "probe"):
            yield {**columns, **{f.name: f.value.of(columns) for f in _of_arrays(features)}}
        return
    swept, beside = _divided(features)
    engine.stage("described", _with_features(engine, beside, "probe", PROBE_COLUMNS))
    carried = (*PROBE_COLUMNS, *_extra(beside, PROBE_COLUMNS))
    for batch in native_states(engine, "described", carry=_without_key(carried)):
        table = {feature.name: feature.value.of(batch.columns) for feature in swept}
        yield {**batch.columns, **table}


def _divided(features: tuple[Feature, ...]) -> tuple[tuple[Feature, ...], tuple[Feature, ...]]:
    """Return the features that the sweep knows, and those that stand beside it."""
    swept = tuple(feature for feature in features if feature.group in KEYS)
    return swept, tuple(feature for feature in features if feature.group not in KEYS)


def _with_features(
    engine: Engine, features: tuple[Feature, ...], probe: str, columns: Iterable[str]
) -> str:
    """Return a SELECT of columns of the probe and features, in the order of sample ids."""
    columns = tuple(columns)
    if not features:
        return f"select {', '.join(columns)}\nfrom {probe}\norder by sample_id"
    return f"{stage_features(engine, features, probe, columns)}\norder by sample_id"


def _extra(features: Iterable[Feature], columns: Iterable[str]) -> tuple[str, ...]:
    """Return the names of features that are not among the columns already."""
    return tuple(feature.name for feature in features if feature.name not in columns)


def _without_key(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the columns to carry: the sweep gives the key of a row and its time by itself."""
    return tuple(name for name in columns if name not in ("sample_id", "as_of_ts"))


def _write_native(
    engine: Engine,
    features: tuple[Feature, ...],
    options: TableOptions,
    folder: Path,
    earlier: Path | None,
    heard: Progress,
) -> Kept:
    swept, beside = _divided(features)
    names = (*SAMPLE_COLUMNS, *_extra(features, SAMPLE_COLUMNS))
    carried = _without_key((*SAMPLE_COLUMNS, *_extra(beside, SAMPLE_COLUMNS)))
    engine.stage("described", _with_features(engine, beside, "sample", SAMPLE_COLUMNS))
    engine.drop("sample")
    total = int(engine.rows("select count(*) from described")[0][0])
    made_from = _made_from(features, options)
    writer = PartWriter(folder / SAMPLES)
    kept = keep(engine, earlier, writer, made_from)
    done, past = kept.rows, kept.past
    try:
        # batches follow (as_of_ts, sample_id), which is the order of sample ids: both follow ts
        for batch in native_states(engine, "described", kept.state, carry=carried):
            writer.add(_table(batch.columns, swept, names))
            done += len(batch.columns["sample_id"])
            heard(done, total)
            if batch.closes_ts is not None and writer.rows >= _enough(writer):
                past = _finish_part(engine, writer, kept.state, made_from, past)
        _finish_part(engine, writer, kept.state, made_from, past)
    finally:
        writer.close()
    if total == 0:
        engine.stage("sample", "select * from described")
        _write_select(engine, features, folder)
    return kept


def _enough(writer: PartWriter) -> int:
    """Return how many rows make a part: as many as all before it, for each costs a whole state."""
    return max(ROWS_PER_PART, sum(part.rows for part in writer.parts))


def _finish_part(
    engine: Engine, writer: PartWriter, state: SweepState, made_from: Any, earlier: Past | None
) -> Past:
    """End the part, write what a later build needs to go on after it, and return its past."""
    writer.cut()
    folder = writer.folder.parent
    past = past_before(engine, state.until_ts, earlier)
    state.save(folder / STATE)
    Parts(made_from, past.digest, past.until_ts, tuple(writer.parts)).write(folder)
    return past


def _made_from(features: tuple[Feature, ...], options: TableOptions) -> dict[str, Any]:
    """Return what decides a row besides the events: parts of another build must agree on it."""
    formulas = {feature.name: feature.value.sql() for feature in features}
    return {"options": options.decisive(), "features": formulas, "state": VERSION}


def _table(columns: Columns, swept: tuple[Feature, ...], names: tuple[str, ...]) -> Any:
    """Return an Arrow table of ``names``: swept features evaluated, other columns as they are."""
    import pyarrow as pa

    values = {feature.name: feature.value.of(columns) for feature in swept}
    return pa.table({name: values[name] if name in values else columns[name] for name in names})
