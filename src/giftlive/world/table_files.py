"""Table files written piece by piece: KuaiLive's CSV files, or Parquet."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from giftlive.world.recorder import Table

FileFormat = Literal["csv", "parquet"]

_GROUP_ROWS = 1 << 20


class TableFiles:
    """One open file per table of a folder; a piece goes to the end of its table's file.

    The bytes depend on the rows alone, not on how they were cut into pieces.
    """

    def __init__(self, folder: Path, file_format: FileFormat) -> None:
        self.rows: dict[str, int] = {}
        self._folder, self._format = folder, file_format
        self._open: dict[str, _CsvFile | _ParquetFile] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ExitStack() as stack:
            for file in self._open.values():
                stack.callback(file.close, kind is None)

    def append(self, name: str, table: Table) -> None:
        """Add rows to a table; its first piece opens the file. Truth is always Parquet."""
        import pyarrow as pa

        if name not in self._open:
            suffix = "parquet" if name.startswith("truth/") else self._format
            path = self._folder / f"{name}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            self._open[name] = _CsvFile(path) if suffix == "csv" else _ParquetFile(path)
            self.rows[name] = 0
        arrow = pa.table(table)
        self._open[name].append(arrow)
        self.rows[name] += arrow.num_rows


class _CsvFile:
    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._writer: Any = None

    def append(self, arrow: Any) -> None:
        import pyarrow.csv

        if self._writer is None:
            self._file.write((",".join(arrow.column_names) + "\n").encode())
            plain = pyarrow.csv.WriteOptions(
                include_header=False, quoting_style="none", batch_size=1 << 16
            )
            self._writer = pyarrow.csv.CSVWriter(self._file, arrow.schema, write_options=plain)
        self._writer.write_table(arrow)

    def close(self, complete: bool) -> None:
        """Finish the file; an incomplete one is about to be removed."""
        with self._file:
            if self._writer is not None:
                self._writer.close()


class _ParquetFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None
        self._waiting: list[Any] = []

    def append(self, arrow: Any) -> None:
        """Hold rows back until they fill a row group."""
        import pyarrow as pa
        import pyarrow.parquet

        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self._path, arrow.schema)
        self._waiting.append(arrow)
        if sum(table.num_rows for table in self._waiting) >= _GROUP_ROWS:
            held = pa.concat_tables(self._waiting)
            whole = held.num_rows // _GROUP_ROWS * _GROUP_ROWS
            self._write(held.slice(0, whole))
            self._waiting = [held.slice(whole)]

    def _write(self, arrow: Any) -> None:
        self._writer.write_table(arrow.combine_chunks(), row_group_size=_GROUP_ROWS)

    def close(self, complete: bool) -> None:
        """Write what was held back, unless the file is about to be removed, and finish it."""
        import pyarrow as pa

        if self._writer is None:
            return
        if complete:
            self._write(pa.concat_tables(self._waiting))
        self._writer.close()
