"""What a table needs from a database: run a query, keep its rows, write them out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """A database that sees the tables of a store as views, columns as in ``logs/schema.py``.

    Every ``sql`` and ``select`` is in the dialect that DuckDB and Spark share: no ASOF join, no
    QUALIFY, no lists; sums cast to bigint, words to string; ``/`` divides doubles.
    """

    @property
    def name(self) -> str:
        """Return the engine's name in the configuration."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return a result that fits on a page."""

    def columns(self, sql: str) -> dict[str, NDArray[Any]]:
        """Return a result that fits in memory, as one array per column."""

    def batches(self, sql: str) -> Iterator[Any]:
        """Yield a result of any size as Arrow record batches, in the order the query says.

        The engine can be asked other things while the batches are read.
        """

    def stage(self, name: str, select: str) -> None:
        """Compute a query once and keep its rows as the relation ``name``, replacing an older.

        SQL sees them in no order; :meth:`read` in the one that the query says.
        """

    def read(self, name: str) -> Iterator[Any]:
        """Yield the rows of a staged relation as Arrow record batches, as :meth:`batches`.

        Several relations can be read in step.
        """

    def drop(self, name: str) -> None:
        """Give back what a staged relation holds."""

    def put(self, name: str, table: Any) -> None:
        """Keep an Arrow table as the relation ``name``, replacing an older."""

    def write(self, select: str, file: Path) -> None:
        """Write a result of any size as one Parquet file, in the order the query says."""

    def close(self) -> None:
        """Give back memory, files and processes."""


def numpy_columns(table: Any) -> dict[str, NDArray[Any]]:
    """Return the columns of an Arrow table as arrays."""
    return {name: np.asarray(table[name].to_numpy()) for name in table.column_names}
