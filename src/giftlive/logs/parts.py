"""Many Parquet files of one table, read as one: data sets that come as a file per month."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from giftlive.logs.fields import Field, parse_sql
from giftlive.logs.scan import STRIDE, Scan, matched, parquet_relation, readable


def scan_parts(
    con: duckdb.DuckDBPyConnection, parts: Sequence[tuple[Path, Sequence[Field]]], name: str
) -> Scan:
    """Read Parquet files one after the other into one typed temporary table.

    Every file is matched on its own, so that a column may change its name or its type from one
    month to the next. A column that is nullable and absent from a file is empty in its rows.
    Every column of any part is there, found or not.

    Parameters
    ----------
    parts : [f], f >= 1, each file with the columns it must have, in the order in which their
        rows are numbered.

    Raises
    ------
    InputError
        Naming the file that cannot be read or lacks a column.
    """
    types = {field.column.name: field.column.type for _, fields in parts for field in fields}
    columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
    con.execute(
        f"CREATE TEMP TABLE parsed_{name} (ordinal BIGINT, {columns}, "
        f"fault_column VARCHAR, fault_value VARCHAR, fault_reason VARCHAR)"
    )
    con.execute(f"CREATE TEMP TABLE broken_{name} (record BIGINT, value VARCHAR, reason VARCHAR)")
    found: dict[str, Field] = {}
    for at, (file, fields) in enumerate(parts):
        with readable(file):
            own = matched(con, file, fields)
            parsed = parse_sql(own, parquet_relation(file, own, at * STRIDE))
            con.execute(f"INSERT INTO parsed_{name} BY NAME {parsed}")
        found |= own
    files = tuple(file for file, _ in parts)
    return Scan(files[0], f"parsed_{name}", f"broken_{name}", found, files)
