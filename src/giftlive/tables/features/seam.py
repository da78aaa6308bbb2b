"""The one place where a table's features are computed in one of two forms.

- **portable**: the SQL text of :mod:`giftlive.tables.features.query`, the same on every engine;
- **native**: the compiled sweep of :mod:`giftlive.tables.features.sweep`, one pass in time order.

Integers agree exactly, doubles to 1e-9 relative; a test compares the two row for row. What the
sweep does not know, columns of the sample and codes of profiles, comes from SQL in both forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from giftlive.tables.engine.protocol import Engine
from giftlive.tables.features.declare import Feature
from giftlive.tables.features.state import KEYS
from giftlive.tables.options import TableOptions
from giftlive.tables.samples import SAMPLE_COLUMNS

Columns = Mapping[str, NDArray[Any]]


def write_features(
    engine: Engine, features: tuple[Feature, ...], options: TableOptions, file: Path
) -> None:
    """Write the sample columns and the features of every sample, in the order of sample ids."""
    if options.by_sweep:
        _write_native(engine, features, file)
    else:
        engine.write(_samples_with(engine, features), file)


def stage_features(
    engine: Engine, features: tuple[Feature, ...], probe: str, *, by_row: bool = False
) -> str:
    """Stage what the portable form needs; return its SELECT of sample_id and the features."""
    from giftlive.tables.features.query import plan_features

    plan = plan_features(features, probe, by_row)
    for name, select in plan.stages:
        engine.stage(name, select)
    return str(plan.select)


def _samples_with(engine: Engine, features: tuple[Feature, ...]) -> str:
    """Return a SELECT of the sample columns and the features, in the order of sample ids."""
    fixed = ", ".join(f"s.{name}" for name in SAMPLE_COLUMNS)
    extra = "".join(f", f.{name}" for name in _extra(features))
    return (
        f"select {fixed}{extra}\nfrom sample s\n"
        f"join (\n{stage_features(engine, features, 'sample')}\n) f on f.sample_id = s.sample_id\n"
        "order by s.sample_id"
    )


def _extra(features: Iterable[Feature]) -> tuple[str, ...]:
    """Return the names of features that are not columns of the sample already."""
    return tuple(feature.name for feature in features if feature.name not in SAMPLE_COLUMNS)


def _write_native(engine: Engine, features: tuple[Feature, ...], file: Path) -> None:
    import pyarrow.parquet as pq

    from giftlive.tables.features.sweep import native_states

    swept = tuple(feature for feature in features if feature.group in KEYS)
    beside = tuple(feature for feature in features if feature.group not in KEYS)
    names = (*SAMPLE_COLUMNS, *_extra(features))
    own = (*SAMPLE_COLUMNS, *_extra(beside))
    carried = tuple(name for name in own if name not in ("sample_id", "as_of_ts"))
    engine.stage("described", _samples_with(engine, beside))
    writer = None
    try:
        # batches follow (as_of_ts, sample_id), which is the order of sample ids: both follow ts
        for batch in native_states(engine, "described", carry=carried):
            rows = _table(batch.columns, swept, names)
            writer = writer or pq.ParquetWriter(file, rows.schema)
            writer.write_table(rows)
    finally:
        if writer is not None:
            writer.close()


def _table(columns: Columns, swept: tuple[Feature, ...], names: tuple[str, ...]) -> Any:
    """Return an Arrow table of ``names``: swept features evaluated, other columns as they are."""
    import pyarrow as pa

    values = {feature.name: feature.value.of(columns) for feature in swept}
    return pa.table({name: values[name] if name in values else columns[name] for name in names})
