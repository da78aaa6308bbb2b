"""The stored tables as views of one DuckDB connection."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import duckdb

from giftlive.clock import zone
from giftlive.errors import InputError, Where
from giftlive.logs.schema import TABLES, TableSchema
from giftlive.logs.source import Source

SOURCE_FILE = "source.json"
REJECTS = "rejects"


def quoted(text: str | Path) -> str:
    """Return ``text`` as an SQL string literal.

    Examples
    --------
    >>> quoted("O'Brien")
    "'O''Brien'"
    """
    return "'" + str(text).replace("'", "''") + "'"


def literal_path(path: Path) -> str:
    """Return ``path`` as an SQL string that DuckDB reads as one file, never as a pattern.

    Examples
    --------
    >>> literal_path(Path("runs[1]/a.csv"))
    "'runs[[]1]/a.csv'"
    """
    escaped = "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
    return quoted(escaped)


def connection(memory_limit: str = "2GB", threads: int = 2) -> duckdb.DuckDBPyConnection:
    """Open an in-memory connection that spills to a folder of its own instead of growing.

    Parameters
    ----------
    memory_limit : DuckDB size such as "2GB". threads : number of worker threads, >= 1.
    """
    spill = Path(tempfile.gettempdir()) / f"giftlive-{uuid.uuid4().hex}"
    con = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
            # pages of one query serve the next: given back after every task they cost a tenth
            "allocator_flush_threshold": "4GB",
            "allocator_bulk_deallocation_flush_threshold": "8GB",
        },
    )
    con.execute("SET enable_progress_bar = false")
    return con


def one_row(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    """Return the only row of a query; unlike ``fetchone`` this leaves no result half read."""
    rows = con.execute(sql).fetchall()
    return tuple(rows[0])


def _require_rows(file: Path, rows: int) -> None:
    counted = f"SELECT sum(num_rows) FROM parquet_file_metadata({literal_path(file)})"
    expected = f"a Parquet file of {rows:,} rows, as {SOURCE_FILE} says"
    if not file.is_file():
        raise _not_as_ingested(file, "this table is missing", expected)
    try:
        with duckdb.connect() as con:
            (found,) = one_row(con, counted)
    except duckdb.Error as error:
        raise _not_as_ingested(file, "this is no whole Parquet file", expected) from error
    if found != rows:
        raise _not_as_ingested(file, f"there are {found:,} rows", expected)


def _not_as_ingested(file: Path, what: str, expected: str) -> InputError:
    where = Where(f"{file.parent.name}/{file.name}")
    return InputError(what, where, expected, "ingest the logs again with `giftlive ingest`")


@dataclass(frozen=True)
class Store:
    """A folder of Parquet tables written by :func:`giftlive.logs.ingest.ingest`."""

    folder: Path
    source: Source

    @staticmethod
    def open(folder: Path) -> Store:
        """Open a stored folder.

        Raises
        ------
        InputError
            Where ``folder`` holds no ``source.json``.
        """
        folder = Path(folder)
        return Store(folder, Source.read(folder / SOURCE_FILE))

    def require_whole(self) -> None:
        """Refuse a store whose files are not those that its ``source.json`` counts.

        Raises
        ------
        InputError
            A table is missing, is no whole Parquet file or has another number of rows, or the
            time zone is none; the file is named.
        """
        try:
            zone(self.source.tz)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            what = f"no such time zone ({self.source.tz!r})"
            raise _not_as_ingested(self.folder / SOURCE_FILE, what, "an IANA time zone") from error
        for table, rows in self.source.rows.items():
            if rows > 0:
                _require_rows(self.file(table), rows)

    def file(self, table: str) -> Path:
        """Return where ``table`` is (or would be) stored."""
        return self.folder / f"{table}.parquet"

    def connect(self, memory_limit: str = "2GB", threads: int = 2) -> duckdb.DuckDBPyConnection:
        """Return a connection with one view per table of the schema.

        Tables the source lacks are empty views with the right columns, so SQL written for a
        full source never breaks; steps that need rows ask ``source.require`` first.
        """
        con = connection(memory_limit, threads)
        for schema in TABLES.values():
            con.execute(f'CREATE VIEW "{schema.view}" AS {self._select(schema)}')
        return con

    def _select(self, schema: TableSchema) -> str:
        file = self.file(schema.name)
        if not file.is_file():
            return schema.empty_select()
        columns = ", ".join(f'"{name}"' for name in schema.column_names)
        return f"SELECT {columns} FROM read_parquet({literal_path(file.absolute())})"
