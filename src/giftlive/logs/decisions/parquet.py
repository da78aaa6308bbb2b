"""The decision log in Parquet: written in row groups, whole or not at all; read in batches."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from giftlive.errors import InputError, UsageError
from giftlive.logs.decisions.arrow import READING, SCHEMA, as_log, as_table, require_columns
from giftlive.logs.decisions.record import COLUMNS, PER_CANDIDATE, DecisionLog
from giftlive.logs.decisions.rules import Policy, policy_of, validate
from giftlive.logs.schema import TABLES
from giftlive.logs.store import connection, literal_path

GROUP_ROWS = 16_384
"""Rows of a row group: what a writer holds in memory."""
BATCH_ROWS = 16_384
"""Rows that a reader holds in memory unless told otherwise."""
_BUFFER_BYTES = 1 << 20


class DecisionWriter:
    """Writes a decision log batch by batch; the file appears when the last one is safe.

    Use it as a context manager. Rows go to a hidden file beside ``path`` in row groups of
    ``GROUP_ROWS``, so memory does not grow with the log, and equal logs are equal bytes however
    they were cut into batches. On an exception nothing is left, and an older file at ``path``
    stays as it was.

    Parameters
    ----------
    path : the Parquet file; its folder exists.

    Raises
    ------
    InputError
        A batch is not valid, starts before the last one ended, repeats an id, or is of another
        policy than the first.
    UsageError
        The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.rows = 0
        self._partial = self.path.parent / f".{self.path.name}.{uuid.uuid4().hex}.partial"
        self._file: Any = None
        self._waiting: list[Any] = []
        self._held, self._last = 0, 0
        self._policy: Policy | None = None

    def __enter__(self) -> DecisionWriter:
        try:
            self._file = pq.ParquetWriter(
                self._partial, SCHEMA, compression="zstd", use_dictionary=_repetitive()
            )
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return self

    def append(self, log: DecisionLog) -> None:
        """Add decisions, none earlier than those before; slates must be whole."""
        if not len(log):
            return
        validate(
            log, file=str(self.path), first_row=self.rows, after=self._last, policy=self._policy
        )
        self._waiting.append(as_table(log))
        self._held += len(log)
        self.rows += len(log)
        self._last, self._policy = int(log.ts[-1]), policy_of(log)
        if self._held >= GROUP_ROWS:
            self._flush(self._held // GROUP_ROWS * GROUP_ROWS)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._finish(kind is None)
            if kind is None:
                _require_unique(self._partial, str(self.path))
                self._partial.replace(self.path)
        except OSError as problem:
            raise _unwritable(self.path, problem) from problem
        finally:
            self._partial.unlink(missing_ok=True)

    def _flush(self, rows: int) -> None:
        table = pa.concat_tables(self._waiting) if self._waiting else SCHEMA.empty_table()
        try:
            self._file.write_table(table.slice(0, rows), row_group_size=GROUP_ROWS)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        rest = table.slice(rows).combine_chunks()  # a copy: lets go of what is written
        self._waiting, self._held = [rest], rest.num_rows

    def _finish(self, complete: bool) -> None:
        try:
            if complete:
                self._flush(self._held)
        finally:
            self._waiting, self._held = [], 0
            self._file.close()


@dataclass(frozen=True)
class DecisionFile:
    """A decision log on disk whose columns are right and whose ids are distinct.

    Attributes
    ----------
    path : the file. rows : number of decisions in it.
    """

    path: Path
    rows: int

    @cached_property
    def width(self) -> int:
        """Largest number of candidates of a decision; all batches are padded to it."""
        widest = 0
        with _streamed(self.path) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=["candidates"]):
                longest = pc.max(pc.list_value_length(batch.column(0))).as_py()
                widest = max(widest, longest or 0)
        return widest

    @cached_property
    def group_rows(self) -> tuple[int, ...]:
        """Rows of every row group, the parts in which workers read a log."""
        with _streamed(self.path) as file:
            data = file.metadata
            return tuple(data.row_group(k).num_rows for k in range(data.num_row_groups))

    @cached_property
    def logging(self) -> str:
        """Name and version of the policy that wrote the log, "" where it has no row."""
        with _streamed(self.path) as file:
            for batch in file.iter_batches(1, columns=["policy", "policy_version"]):
                name, version = (batch.column(k)[0].as_py() for k in range(2))
                return f"{name}, version {version}"
        return ""

    @cached_property
    def has_slates(self) -> bool:
        """Whether any decision is a slate; row groups may cut these, batches never do."""
        with _streamed(self.path) as file:
            ids = (b.column(0) for b in file.iter_batches(BATCH_ROWS, columns=["slate_id"]))
            return any(column.null_count < len(column) for column in ids)

    def batches(
        self, batch_rows: int = BATCH_ROWS, groups: range | None = None
    ) -> Iterator[DecisionLog]:
        """Yield the log in order, checked, about ``batch_rows`` rows at a time, slates whole.

        Parameters
        ----------
        groups : consecutive row groups to read, held against the row before them; None: all.
            Of a log with slates only all.

        Raises
        ------
        InputError
            A row is not valid: file, row, column, value, expectation and remedy are named.
        MissingCapabilityError
            A decision has no propensity.
        """
        if batch_rows < 1:
            raise UsageError(f"{batch_rows} rows", "batch_rows", "1 or more")
        width = self.width
        first, last, policy = self._before(groups.start if groups else 0)
        for table in _whole_slates(self.path, batch_rows, groups):
            log = as_log(table, width, str(self.path), first)
            validate(log, file=str(self.path), first_row=first, after=last, policy=policy)
            yield log
            first, last, policy = first + len(log), int(log.ts[-1]), policy_of(log)

    def _before(self, group: int) -> tuple[int, int, Policy | None]:
        """Return how many rows stand before a row group, and time and policy of the last one."""
        if sum(self.group_rows[:group]) == 0:
            return 0, 0, None
        last = max(k for k in range(group) if self.group_rows[k])
        with _streamed(self.path) as file:
            table = file.read_row_group(last, columns=["ts", "policy", "policy_version"])
        ts, name, version = (table.column(k)[-1].as_py() for k in range(3))
        policy = None if name is None or version is None else (name, version)
        return sum(self.group_rows[:group]), ts or 0, policy


def open_decisions(path: Path) -> DecisionFile:
    """Open a decision log: its columns and types are checked here, its rows as they are read.

    Raises
    ------
    MissingCapabilityError
        The log has no propensities, without which nothing can be evaluated from it.
    InputError
        The file is no Parquet file, lacks a column, has one of another type, or repeats an id.
    """
    path = Path(path)
    try:
        with pq.ParquetFile(path) as file:
            found, rows = file.schema_arrow, file.metadata.num_rows
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error
    require_columns(found, str(path))
    _require_unique(path, str(path))
    return DecisionFile(path, rows)


def read_decisions(path: Path, batch_rows: int = BATCH_ROWS) -> Iterator[DecisionLog]:
    """Yield a decision log in checked batches; see :meth:`DecisionFile.batches`."""
    return open_decisions(path).batches(batch_rows)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the decision log cannot be written: {error}",
        str(path),
        "a folder that exists, with room and permission to write",
    )


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = str(error).splitlines()[0]
    return InputError(f"not readable: {reason}", str(path), "a decision log in Parquet")


def _repetitive() -> list[str]:
    """Return the columns whose values repeat so often that a dictionary pays."""
    leaf = {name: f"{name}.list.element" for name in PER_CANDIDATE}
    texts = [c.name for c in TABLES["decision"].columns if c.type == "VARCHAR"]
    return [leaf["candidates"], *(name for name in texts if name != "decision_id")]


def _whole_slates(path: Path, batch_rows: int, groups: range | None) -> Iterator[Any]:
    """Yield tables of the schema; the rows of a slate are never cut apart."""
    held = READING.empty_table()
    try:
        with _streamed(path) as file:
            which = None if groups is None else list(groups)
            for batch in file.iter_batches(batch_rows, which, columns=list(COLUMNS)):
                table = pa.Table.from_batches([batch]).select(list(COLUMNS)).cast(READING)
                held = pa.concat_tables([held, table])
                ready = held.num_rows - (_open_slate(held) if held.num_rows else 0)
                if ready:
                    yield held.slice(0, ready)
                    held = held.slice(ready).combine_chunks()  # a copy: lets go of the rest
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error
    if held.num_rows:
        yield held


def _streamed(path: Path) -> Any:
    """Open a file so that pages are let go of once read; by default Arrow keeps them all."""
    return pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES)


def _open_slate(table: Any) -> int:
    """Return how many rows at the end may belong to a slate that goes on."""
    ids = table.column("slate_id").combine_chunks()
    last = ids[-1]
    if not last.is_valid:
        return 0
    others = pc.fill_null(pc.not_equal(ids, last), True).to_numpy(zero_copy_only=False)
    return len(others) - 1 - int(np.flatnonzero(others)[-1]) if others.any() else len(others)


def _require_unique(path: Path, shown: str) -> None:
    """Refuse two rows with one id; DuckDB looks for them and spills where there are many."""
    rows = f"read_parquet({literal_path(path.absolute())}, file_row_number = true)"
    for column, key in (
        ("decision_id", "decision_id"),
        ("slate_id", "slate_id || ', position ' || position"),
    ):
        with closing(connection()) as con:
            twice = con.execute(
                f"select {key} as id, min(file_row_number), max(file_row_number) from {rows}"
                f" where {column} is not null group by id having count(*) > 1 order by 2 limit 1"
            ).fetchall()
        if twice:
            key, first, other = twice[0]
            raise InputError(
                f"{key}, as in row {first}",
                f"{shown}, row {other}, column {column}",
                "an id of its own for every row, one run of rows for every slate",
                "log every decision once, one policy per file",
            )
