"""DuckDB in this process: the default, with a hard memory cap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from giftlive.logs.store import Store, quoted
from giftlive.tables.engine.protocol import numpy_columns

_BATCH_ROWS = 65_536


@dataclass(frozen=True)
class DuckEngine:
    """An :class:`Engine <giftlive.tables.engine.protocol.Engine>` on one DuckDB connection."""

    con: Any
    name: str = "duckdb"

    @staticmethod
    def open(store: Store, memory_limit: str = "2GB", threads: int = 2) -> DuckEngine:
        """Return an engine over the tables of ``store``."""
        return DuckEngine(store.connect(memory_limit, threads))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return a result that fits on a page."""
        return [tuple(row) for row in self.con.execute(sql).fetchall()]

    def columns(self, sql: str) -> dict[str, NDArray[Any]]:
        """Return a result that fits in memory, as one array per column."""
        return numpy_columns(self.con.sql(sql).to_arrow_table())

    def batches(self, sql: str) -> Iterator[Any]:
        """Yield record batches; a cursor of their own lets the engine work in between."""
        cursor = self.con.cursor()
        try:
            yield from cursor.sql(sql).to_arrow_reader(_BATCH_ROWS)
        finally:
            cursor.close()

    def stage(self, name: str, select: str) -> None:
        """Keep a query's rows as a table.

        Every thread holds blocks of its own: a query that the memory limit does not allow is run
        again by one thread alone.
        """
        import duckdb

        sql = f"create or replace table {name} as {select}"
        try:
            self.con.execute(sql)
        except duckdb.OutOfMemoryException:
            ((threads,),) = self.rows("select current_setting('threads')")
            self.con.execute("set threads = 1")
            try:
                self.con.execute(sql)
            finally:
                self.con.execute(f"set threads = {threads}")

    def read(self, name: str) -> Iterator[Any]:
        """Yield record batches of a table, in the order of its rows."""
        return self.batches(f"select * from {name}")

    def drop(self, name: str) -> None:
        """Drop a table."""
        self.con.execute(f"drop table {name}")

    def put(self, name: str, table: Any) -> None:
        """Keep an Arrow table as a table."""
        self.con.register("rows_to_put", table)
        try:
            self.stage(name, "select * from rows_to_put")
        finally:
            self.con.unregister("rows_to_put")

    def write(self, select: str, file: Path) -> None:
        """Write a Parquet file."""
        self.con.execute(f"copy ({select}) to {quoted(file.absolute())} (format parquet)")

    def close(self) -> None:
        """Close the connection; what it spilled goes with it."""
        self.con.close()
