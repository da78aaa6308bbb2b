"""A target policy as a Parquet file: its probabilities of every logged decision's candidates.

Columns: ``decision_id`` (text), ``candidates`` (list of room ids, in the order of the log) and
``probabilities`` (list of numbers >= 0 in that order, which sum to 1, or to 0 where the target
shows nothing). Decisions may stand in any order, and there may be more than the log has.

The file is brought into the order of the logs once, on disk; then every stretch of the log finds
its rows where it stands itself, so that batches and workers need no more memory than they read.
"""

from __future__ import annotations

from collections.abc import Iterator
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

from giftlive.errors import InputError
from giftlive.evaluation.decision_logs import DecisionLogs, together
from giftlive.logs.decisions import DecisionFile, DecisionLog
from giftlive.logs.store import connection, literal_path, one_row
from giftlive.types import Bools, Floats, Ints

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
        found = np.zeros(log.candidates.shape)
        if not len(log):
            return found
        low, high = np.searchsorted(self._ends, [first, first + len(log) - 1], side="right")
        start = int(self._ends[low - 1]) if low else 0
        with pq.ParquetFile(self.path) as file:
            table = file.read_row_groups(list(range(low, high + 1)), columns=["probabilities"])
        column = table.column(0).combine_chunks().slice(first - start, len(log))
        inside: Bools = np.arange(log.width) < log.available.sum(axis=1)[:, None]
        found[inside] = column.flatten().to_numpy(zero_copy_only=False)
        self._check(log, found)
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
def opened_target(source: Path, log: DecisionFile | DecisionLogs) -> Iterator[FileTarget]:
    """Bring a file of probabilities into the order of the logs for as long as it is needed.

    Raises
    ------
    InputError
        The file is no Parquet file or lacks a column; a decision of the log is missing or stands
        twice; its candidates are not those of the log.
    """
    _require_columns(source)
    logs = together(log)
    with TemporaryDirectory(prefix="giftlive-target-") as folder:
        path = Path(folder) / "target.parquet"
        with closing(connection()) as con:
            _join(con, source, logs)
            _require_whole(con, source, logs.rows)
            con.execute(
                f"copy (select probabilities from joined order by row)"
                f" to {literal_path(path)} (format parquet, row_group_size {_GROUP_ROWS})"
            )
        yield FileTarget(source.name, source, path)


def _join(con: duckdb.DuckDBPyConnection, source: Path, logs: DecisionLogs) -> None:
    """Make the table ``joined``: each decision of the logs beside what the file says of it."""
    rows = " union all ".join(
        f"select file_row_number + {first} as row, decision_id, candidates"
        f" from read_parquet({literal_path(file.path.absolute())}, file_row_number = true)"
        for first, file in zip(logs.offsets, logs.files, strict=True)
    )
    con.execute(
        "create table joined as select l.row, l.decision_id as id,"
        " f.decision_id is not null as known, f.candidates = l.candidates as alike,"
        " len(f.probabilities) = len(l.candidates)"
        " and len(list_filter(f.probabilities, lambda p: p is null)) = 0 as complete,"
        " f.probabilities::double[] as probabilities"
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


def _require_columns(source: Path) -> None:
    try:
        with pq.ParquetFile(source) as file:
            schema: Any = file.schema_arrow
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        what = f"not readable: {reason}"
        raise InputError(what, str(source), "probabilities in Parquet") from error
    for name, (words, *kinds) in _COLUMNS.items():
        at = schema.get_field_index(name)
        if at < 0 or not any(kind(schema.field(at).type) for kind in kinds):
            found = "no such column" if at < 0 else f"values of type {schema.field(at).type}"
            raise InputError(
                found,
                f"{source}, column {name}",
                words,
                "columns: decision_id, candidates, probabilities (docs/off-policy.md)",
            )
