"""A target policy as a Parquet file: its probabilities of every logged decision's candidates.

Columns: ``decision_id`` (text), ``candidates`` (list of room ids, in the order of the log) and
``probabilities`` (list of numbers >= 0 in that order, which sum to 1, or to 0 where the target
shows nothing). For a log of slates ``marginals`` may stand beside them: the probability of every
candidate in this place, whatever stands above. Decisions may stand in any order, and there may be
more than the log has.

The file is brought into the order of the logs once, on disk; then every stretch of the log finds
its rows where it stands itself, so that batches and workers need no more memory than they read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from giftlive.errors import InputError, MissingCapabilityError, UsageError
from giftlive.evaluation.decision_logs import DecisionLogs, together
from giftlive.evaluation.target_policies import TargetPolicy, named_target
from giftlive.logs.decisions import DecisionFile, DecisionLog
from giftlive.logs.store import connection, literal_path, one_row
from giftlive.types import Bools, Floats, Ints

MARGINALS = "marginals"
_SUM_TOLERANCE = 1e-6
_GROUP_ROWS = 16_384
_COLUMNS = {
    "decision_id": ("text", pa.types.is_string, pa.types.is_large_string),
    "candidates": ("a list of whole numbers", pa.types.is_list, pa.types.is_large_list),
    "probabilities": ("a list of numbers", pa.types.is_list, pa.types.is_large_list),
}


@dataclass(frozen=True)
class FileTarget:
    """Probabilities in the order of the log.

    Attributes
    ----------
    name : as printed. source : the file as given, for messages. path : the file in order.
    """

    name: str
    source: Path
    path: Path

    @cached_property
    def _ends(self) -> Ints:
        """Return the row after each row group."""
        with pq.ParquetFile(self.path) as file:
            data = file.metadata
            sizes = [data.row_group(k).num_rows for k in range(data.num_row_groups)]
        return np.cumsum(np.array(sizes, dtype=np.int64))

    def probabilities(self, log: DecisionLog, first: int, /) -> Floats:
        """Return [n, m] the probabilities of rows from ``first`` on, counted over all logs.

        Raises
        ------
        InputError
            A row holds no probabilities; the decision is named.
        """
        found = self._read(log, first, "probabilities")
        self._check(log, found)
        return found

    def marginals(self, log: DecisionLog, first: int, /) -> Floats:
        """Return [n, m] the probabilities in the row's place, whatever stands above it.

        Raises
        ------
        MissingCapabilityError
            The file has no such column.
        InputError
            A number is no probability; the decision is named.
        """
        with pq.ParquetFile(self.path) as file:
            if MARGINALS not in file.schema_arrow.names:
                raise MissingCapabilityError(
                    "no marginal probabilities",
                    f"{self.source}, column {MARGINALS}",
                    "the target's probability of every candidate in each place, whatever stands"
                    " above it",
                    "give the column, or take rips, which needs `probabilities` alone",
                )
        found = self._read(log, first, MARGINALS)
        valid: Bools = np.all((found >= 0.0) & (found <= 1.0 + _SUM_TOLERANCE), axis=1)
        bad = np.flatnonzero(~valid)
        if len(bad):
            raise InputError(
                f"marginals from {found[bad[0]].min():g} to {found[bad[0]].max():g}",
                f"{self.source}, decision {log.decision_id[bad[0]]}, column {MARGINALS}",
                "probabilities",
            )
        return found

    def _read(self, log: DecisionLog, first: int, name: str) -> Floats:
        found = np.zeros(log.candidates.shape)
        if not len(log):
            return found
        low, high = np.searchsorted(self._ends, [first, first + len(log) - 1], side="right")
        start = int(self._ends[low - 1]) if low else 0
        with pq.ParquetFile(self.path) as file:
            table = file.read_row_groups(list(range(low, high + 1)), columns=[name])
        column = table.column(0).combine_chunks().slice(first - start, len(log))
        # Sizes are the file's: of a slate, rooms above are no candidates of the log any more.
        inside: Bools = np.arange(log.width) < column.value_lengths().to_numpy()[:, None]
        found[inside] = column.flatten().to_numpy(zero_copy_only=False)
        return found

    def _check(self, log: DecisionLog, found: Floats) -> None:
        total = found.sum(axis=1)
        whole: Bools = (np.abs(total - 1.0) <= _SUM_TOLERANCE) | (total == 0.0)
        bad = np.flatnonzero(~(whole & np.all(found >= 0.0, axis=1)))
        if len(bad):
            raise InputError(
                f"probabilities that sum to {total[bad[0]]:g}, the least {found[bad[0]].min():g}",
                f"{self.source}, decision {log.decision_id[bad[0]]}, column probabilities",
                "numbers >= 0 that sum to 1, or to 0 where nothing is shown",
            )


@contextmanager
def opened_policy(
    text: str, options: Mapping[str, str], log: DecisionFile | DecisionLogs
) -> Iterator[TargetPolicy]:
    """Open a policy for as long as it is needed: what is a file, or looks like one, is a file.

    Parameters
    ----------
    text : a name (``named_target``), or a Parquet file. options : of a policy by name.

    Raises
    ------
    UsageError
        Options beside a file.
    """
    path = Path(text)
    if path.suffix != ".parquet" and not path.is_file():
        yield named_target(text, options, log)
        return
    if options:
        raise UsageError("settings beside a file", text, "a policy by name", "leave them out")
    with opened_target(path, log) as target:
        yield target


@contextmanager
def opened_target(source: Path, log: DecisionFile | DecisionLogs) -> Iterator[FileTarget]:
    """Bring a file of probabilities into the order of the logs for as long as it is needed.

    Raises
    ------
    InputError
        The file is no Parquet file or lacks a column; a decision of the log is missing or stands
        twice; its candidates are not those of the log.
    """
    columns = _lists_of(source)
    logs = together(log)
    with TemporaryDirectory(prefix="giftlive-target-") as folder:
        path = Path(folder) / "target.parquet"
        with closing(connection()) as con:
            _join(con, source, logs, columns)
            _require_whole(con, source, logs.rows)
            con.execute(
                f"copy (select {', '.join(columns)} from joined order by row)"
                f" to {literal_path(path)} (format parquet, row_group_size {_GROUP_ROWS})"
            )
        yield FileTarget(source.name, source, path)


def _join(
    con: duckdb.DuckDBPyConnection, source: Path, logs: DecisionLogs, columns: tuple[str, ...]
) -> None:
    """Make the table ``joined``: each decision of the logs beside what the file says of it."""
    complete = " and ".join(
        f"len(f.{name}) = len(l.candidates) and len(list_filter(f.{name}, lambda p: p is null)) = 0"
        for name in columns
    )
    rows = " union all ".join(
        f"select file_row_number + {first} as row, decision_id, candidates"
        f" from read_parquet({literal_path(file.path.absolute())}, file_row_number = true)"
        for first, file in zip(logs.offsets, logs.files, strict=True)
    )
    con.execute(
        "create table joined as select l.row, l.decision_id as id,"
        " f.decision_id is not null as known, f.candidates = l.candidates as alike,"
        f" {complete} as complete,"
        f" {', '.join(f'f.{name}::double[] as {name}' for name in columns)}"
        f" from ({rows}) l"
        f" left join read_parquet({literal_path(source.absolute())}) f"
        " on l.decision_id = f.decision_id"
    )


def _require_whole(con: duckdb.DuckDBPyConnection, source: Path, rows: int) -> None:
    problems = (
        ("known", "is missing", "every decision of the log",
         "the target must answer for all of them: leaving some out would choose by hand"),
        ("alike", "has other candidates, or in another order, than in the log",
         "`candidates` as logged", "a room that was no candidate has no estimate"),
        ("complete", "does not have one probability for every candidate",
         "a list as long as `candidates`, without gaps", "give 0 to what is never shown"),
    )  # fmt: skip
    for column, what, expected, hint in problems:
        bad = f"from joined where not coalesce({column}, false)"
        count, first = one_row(con, f"select count(*), arg_min(id, row) {bad}")
        if count:
            what = f"decision {first} {what} ({count:,} of {rows:,} are like it)"
            raise InputError(what, str(source), expected, hint)
    if one_row(con, "select count(*) from joined")[0] != rows:
        twice = one_row(
            con,
            "select id from joined group by id having count(*) > 1 order by min(row) limit 1",
        )[0]
        what, hint = f"decision {twice} stands more than once", "keep one row per decision"
        raise InputError(what, str(source), "every decision once", hint)


def _lists_of(source: Path) -> tuple[str, ...]:
    """Return the columns of probabilities in the file; refuse one that lacks what is needed."""
    try:
        with pq.ParquetFile(source) as file:
            schema: Any = file.schema_arrow
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        what = f"not readable: {reason}"
        raise InputError(what, str(source), "probabilities in Parquet") from error
    asked = _COLUMNS | ({MARGINALS: _COLUMNS["probabilities"]} if MARGINALS in schema.names else {})
    for name, (words, *kinds) in asked.items():
        at = schema.get_field_index(name)
        if at < 0 or not any(kind(schema.field(at).type) for kind in kinds):
            found = "no such column" if at < 0 else f"values of type {schema.field(at).type}"
            raise InputError(
                found,
                f"{source}, column {name}",
                words,
                "columns: decision_id, candidates, probabilities (docs/off-policy.md)",
            )
    return ("probabilities", MARGINALS) if MARGINALS in schema.names else ("probabilities",)
