"""The decision log as Arrow tables: one schema, null where a value is absent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from giftlive.errors import InputError, MissingCapabilityError
from giftlive.logs.decisions.record import COLUMNS, PER_CANDIDATE, DecisionLog
from giftlive.logs.decisions.rule import WHAT_TO_LOG
from giftlive.logs.schema import TABLES, Column
from giftlive.types import Bools

_PROPENSITIES = {"propensity", "propensities", "propensity_kind"}
_ARROW = {
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
}
_ABSENT = {"BIGINT": -1, "DOUBLE": float("nan")}


def _arrow_type(column: Column) -> Any:
    one = _ARROW[column.type.removesuffix("[]")]
    return pa.list_(one) if column.type.endswith("[]") else one


SCHEMA = pa.schema(
    [pa.field(c.name, _arrow_type(c), nullable=c.nullable) for c in TABLES["decision"].columns]
)

READING = pa.schema([field.with_nullable(True) for field in SCHEMA])
"""Nulls are looked for by name, not left to a cast."""


def as_table(log: DecisionLog) -> Any:
    """Return a valid log as a table of ``SCHEMA``."""
    counts = log.available.sum(axis=1)
    inside: Bools = np.arange(log.width) < counts[:, None]
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    arrays = []
    for column in TABLES["decision"].columns:
        data = getattr(log, column.name)
        if column.type.endswith("[]"):
            arrays.append(pa.ListArray.from_arrays(offsets, pa.array(data[inside])))
        elif column.nullable and column.type in _ABSENT:
            absent = np.isnan(data) if column.type == "DOUBLE" else data == -1
            arrays.append(pa.array(data, mask=absent))
        else:
            arrays.append(pa.array(data, _arrow_type(column)))
    return pa.table(arrays, schema=SCHEMA)


def as_log(table: Any, width: int, file: str, first_row: int) -> DecisionLog:
    """Return a table of ``READING`` as arrays padded to ``width``.

    Parameters
    ----------
    file, first_row : where the table comes from, for messages.

    Raises
    ------
    InputError
        A value is missing, or stands where only null may.
    MissingCapabilityError
        A row has no propensities.
    """
    counts = pc.list_value_length(table.column("candidates").combine_chunks())
    arrays: dict[str, Any] = {}
    for column in TABLES["decision"].columns:
        data = table.column(column.name).combine_chunks()
        if data.null_count and not column.nullable:
            row = first_row + int(pc.index(data.is_valid(), False).as_py())
            if column.name in _PROPENSITIES:
                raise MissingCapabilityError(
                    "nothing", _at(file, row, column), column.unit, WHAT_TO_LOG
                )
            raise InputError("nothing", _at(file, row, column), column.unit)
        if column.type.endswith("[]"):
            arrays[column.name] = _padded(data, counts, column, width, file, first_row)
        elif column.type in _ABSENT:
            arrays[column.name] = _numbers(data, column, file, first_row)
        else:
            arrays[column.name] = data.to_numpy(zero_copy_only=False)
    return DecisionLog(**arrays)


def _at(file: str, row: int, column: Column) -> str:
    return f"{file}, row {row}, column {column.name}"


def _numbers(data: Any, column: Column, file: str, first_row: int) -> Any:
    """Return numbers with -1 or NaN for null; where the file itself holds these, refuse it."""
    absent = _ABSENT[column.type]
    found = pc.fill_null(data, absent).to_numpy(zero_copy_only=False)
    if column.nullable:
        marked = np.isnan(found) if column.type == "DOUBLE" else found == absent
        forged = np.flatnonzero(marked & data.is_valid().to_numpy(zero_copy_only=False))
        if len(forged):
            hint = "write null where there is no value"
            where = _at(file, first_row + int(forged[0]), column)
            raise InputError(f"{absent}", where, f"{column.unit}, or null", hint)
    return found


def _padded(data: Any, counts: Any, column: Column, width: int, file: str, first_row: int) -> Any:
    lengths = pc.list_value_length(data)
    uneven = np.flatnonzero(pc.not_equal(lengths, counts).to_numpy(zero_copy_only=False))
    if len(uneven):
        i = int(uneven[0])
        what = f"{lengths[i]} entries for {counts[i]} candidates"
        raise InputError(what, _at(file, first_row + i, column), "one entry per candidate")
    flat = data.flatten()
    sizes = counts.to_numpy()
    if flat.null_count:
        gap = int(pc.index(flat.is_valid(), False).as_py())
        row = first_row + int(np.searchsorted(np.cumsum(sizes), gap, side="right"))
        raise InputError("a gap in the list", _at(file, row, column), "one entry per candidate")
    pad = PER_CANDIDATE[column.name]
    padded = np.full((len(data), width), pad, dtype=np.int64 if pad == -1 else np.float64)
    inside: Bools = np.arange(width) < sizes[:, None]
    padded[inside] = flat.to_numpy(zero_copy_only=False)
    if pad == -1 and (forged := np.flatnonzero((inside & (padded < 0)).any(axis=1))).size:
        row = int(forged[0])
        what = f"a room id {padded[row].min()}"
        raise InputError(what, _at(file, first_row + row, column), "room ids >= 0")
    return padded


def require_columns(found: Any, file: str) -> None:
    """Return if the Arrow schema ``found`` has every column in its type; more are allowed.

    Raises
    ------
    MissingCapabilityError
        A column of propensities is missing: nothing can be evaluated without it.
    InputError
        Another column is missing, or has another type.
    """
    missing = [name for name in COLUMNS if name not in found.names]
    if _PROPENSITIES.intersection(missing):
        raise MissingCapabilityError(
            f"no column {', '.join(name for name in missing if name in _PROPENSITIES)}",
            file,
            "the probabilities with which the logging policy chose",
            WHAT_TO_LOG,
        )
    if missing:
        hint = "docs/decision-log.md describes every column; those without a value are null"
        expected = f"the columns {', '.join(COLUMNS)}"
        raise InputError(f"no column {', '.join(missing)}", file, expected, hint)
    for field in SCHEMA:
        kind = found.field(field.name).type
        if _plain(kind) != field.type:
            where = f"{file}, column {field.name}"
            raise InputError(f"type {kind}", where, f"type {field.type}")


def _plain(kind: Any) -> Any:
    """Return the type without the ways in which Arrow may store it."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    return kind
