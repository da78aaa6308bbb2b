"""The stored tables as views of one DuckDB connection."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

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
