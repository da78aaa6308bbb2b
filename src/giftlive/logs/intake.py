"""One input file to one stored table: scan, check, set bad rows aside, sort, number, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import duckdb

from giftlive.errors import InputError, RejectLimitError, Where
from giftlive.logs.fields import Field
from giftlive.logs.parts import scan_parts
from giftlive.logs.scan import Scan, locate, scan
from giftlive.logs.schema import EVENTS, TABLES, Column
from giftlive.logs.store import REJECTS, literal_path, one_row, quoted

DUPLICATE = "duplicate {id}: only the first in content order is kept"
ENDS_FIRST = "ends before it starts"
NO_LENGTH = "start and end are the same instant"
UNKNOWN_STREAMER = "unknown streamer"
NO_RATE = "no rate for this currency"
NO_RATE_YET = "no rate for its currency at this time"
KNOWN_EARLY = "known before it happened"
UNDATED = "moderation without a time"

QUARANTINES = (
    DUPLICATE.format(id="live_id"),
    DUPLICATE.format(id="user_id"),
    DUPLICATE.format(id="streamer_id"),
    ENDS_FIRST,
    NO_LENGTH,
    UNDATED,
)
"""Known quirks of published tables: of rooms and profiles, and of moderation.

They are counted and stored like every reject, but never count against ``max_reject_share``:
KuaiLive repeats rooms that cross midnight, GDQ has runs without a length, and VTuber 1B has
bans and deletions from before their times were kept.
"""

_EXPECTED = {
    "too few columns": "as many values as the first line has columns",
    "too many columns": "as many values as the first line has columns; quote values with commas",
    "broken quotation marks": "a closing quotation mark at the end of every quoted value",
    "line too long": "a line of at most 2 MB",
    "not UTF-8": "UTF-8 text",
    "not a CSV record": "comma-separated values",
    KNOWN_EARLY: "a time at or after ts, or nothing",
    NO_RATE: "a currency that rates.csv lists",
    NO_RATE_YET: "a row of rates.csv for this currency that is valid by then",
    UNKNOWN_STREAMER: "a streamer that the table of streamers lists",
}


NOTHING_DERIVED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Stored:
    """How many rows of a table were stored, and how many were set aside for which reason.

    ``notes`` are sentences about what the table cannot say.
    """

    rows: int
    rejects: dict[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Intake:
    """Where rows go: a connection, the folder being written, and the share that may be bad."""

    con: duckdb.DuckDBPyConnection
    folder: Path
    max_reject_share: float

    def scan(self, file: Path, fields: Sequence[Field], table: str) -> Scan:
        """Read ``file`` into the temporary table ``parsed_<table>``."""
        return scan(self.con, file, fields, table)

    def scan_parts(self, parts: Sequence[tuple[Path, Sequence[Field]]], table: str) -> Scan:
        """Read Parquet files of one kind into the temporary table ``parsed_<table>``."""
        return scan_parts(self.con, parts, table)

    def fault(self, scanned: Scan, column: str, reason: str, where: str, value: str = "") -> None:
        """Mark the good rows for which the SQL condition ``where`` holds as bad in ``column``.

        ``value`` is SQL for the cell as it is in the file; by default the typed value.
        """
        header = next(h for h, field in scanned.fields.items() if field.column.name == column)
        self.con.execute(
            f"UPDATE {scanned.table} SET fault_column = {quoted(header)}, "
            f"fault_value = CAST({value or column} AS VARCHAR), fault_reason = {quoted(reason)} "
            f"WHERE fault_reason IS NULL AND ({where})"
        )

    def fault_duplicates(self, scanned: Scan, table: str, key: str) -> None:
        """Keep one row per ``key``: the first in content order; mark the others."""
        present = {field.column.name for field in scanned.fields.values()}
        order = [f"{name} NULLS LAST" for name in TABLES[table].order if name in present]
        repeated = (
            f"SELECT {key} FROM {scanned.table} WHERE fault_reason IS NULL "
            f"GROUP BY {key} HAVING count(*) > 1"
        )
        later = (
            f"SELECT ordinal FROM (SELECT ordinal, row_number() OVER (PARTITION BY "
            f"{key} ORDER BY {', '.join(order)}, ordinal) AS place FROM {scanned.table} "
            f"WHERE fault_reason IS NULL AND {key} IN ({repeated})) WHERE place > 1"
        )
        self.fault(scanned, key, DUPLICATE.format(id=key), f"ordinal IN ({later})")

    def set_aside(self, scanned: Scan, table: str) -> dict[str, int]:
        """Write the bad rows of a scan to ``rejects/<table>.parquet`` and count them.

        Raises
        ------
        RejectLimitError
            Where more than ``max_reject_share`` of the rows read are bad, quarantines aside.
        """
        bad = f"SELECT count(*) FROM {scanned.table} WHERE fault_reason IS NOT NULL"
        broken = f"SELECT count(*) FROM {scanned.broken}"
        if self.number(bad) + self.number(broken) == 0:
            return {}
        locate(self.con, scanned)
        self._enforce_limit(scanned, table)
        target = self.folder / REJECTS / f"{table}.parquet"
        target.parent.mkdir(exist_ok=True)
        self.con.execute(
            f'COPY (SELECT file, line, column_name AS "column", value, reason FROM located '
            f"ORDER BY file, line, column_name NULLS FIRST) TO {quoted(target)} (FORMAT parquet)"
        )
        counts = "SELECT reason, count(*) FROM located GROUP BY reason ORDER BY reason"
        return dict(self.con.execute(counts).fetchall())

    def write(
        self,
        table: str,
        scanned: Scan,
        derived: Mapping[str, str] = NOTHING_DERIVED,
        relation: str = "",
    ) -> int:
        """Write the good rows of a scan as ``<table>.parquet`` and return their number.

        Rows are sorted by content, so the file does not depend on the order of the input;
        events are numbered ``row_id`` 0..n-1 in that order.

        Parameters
        ----------
        derived : stored column -> SQL expression. relation : what to read instead of the scan's
            table, with its columns and those ``derived`` speaks of.
        """
        schema = TABLES[table]
        present = {field.column.name for field in scanned.fields.values()}
        picked = ", ".join(
            f"{_origin(column, derived, present)} AS {column.name}"
            for column in schema.columns
            if column.name != "row_id"
        )
        number = "CAST(row_number() OVER () - 1 AS BIGINT) AS row_id, " if schema.event else ""
        order = ", ".join(f"{name} NULLS LAST" for name in schema.order)
        (rows,) = one_row(
            self.con,
            f"COPY (SELECT {number}* FROM (SELECT {picked} FROM {relation or scanned.table} "
            f"WHERE fault_reason IS NULL ORDER BY {order})) "
            f"TO {quoted(self.folder / f'{table}.parquet')} (FORMAT parquet, COMPRESSION zstd)",
        )
        return int(rows)

    def good_rows(self, scanned: Scan) -> int:
        """Return how many rows of a scan have no fault."""
        return self.number(f"SELECT count(*) FROM {scanned.table} WHERE fault_reason IS NULL")

    def span(self, scanned: Scan, column: str) -> tuple[int, int]:
        """Return the smallest and the largest value of a column in good rows; (0, 0) if none."""
        low, high = one_row(
            self.con,
            f"SELECT coalesce(min({column}), 0), coalesce(max({column}), 0) "
            f"FROM {scanned.table} WHERE fault_reason IS NULL",
        )
        return int(low), int(high)

    def window(self) -> tuple[int, int]:
        """Return the first and the last time of the events stored so far; (0, 0) if none."""
        files = [file for name in EVENTS if (file := self.folder / f"{name}.parquet").is_file()]
        spans = [
            one_row(self.con, f"SELECT min(ts), max(ts) FROM read_parquet({literal_path(file)})")
            for file in files
        ]
        spans = [span for span in spans if span[0] is not None]
        if not spans:
            return 0, 0
        return min(int(low) for low, _ in spans), max(int(high) for _, high in spans)

    def drop(self, scanned: Scan) -> None:
        """Forget a scan whose rows are stored."""
        self.con.execute(f"DROP TABLE {scanned.table}")
        self.con.execute(f"DROP TABLE {scanned.broken}")

    def number(self, sql: str) -> int:
        """Return the one number that a query gives."""
        return int(one_row(self.con, sql)[0])

    def _enforce_limit(self, scanned: Scan, table: str) -> None:
        known = ", ".join(quoted(reason) for reason in QUARANTINES)
        defects = f"FROM located WHERE reason NOT IN ({known})"
        bad = self.number(f"SELECT count(*) {defects}")
        read = sum(
            self.number(f"SELECT count(*) FROM {t}") for t in (scanned.table, scanned.broken)
        )
        if bad <= self.max_reject_share * read:
            return
        file, line, column, value, reason = one_row(
            self.con,
            f"SELECT file, line, column_name, value, reason {defects} "
            f"ORDER BY file, line, column_name NULLS FIRST LIMIT 1",
        )
        held = " (empty)" if value is None else f" ({value[:60]!r})"
        raise RejectLimitError(
            f"{reason}{held}; {bad:,} of {read:,} rows of {table} ({bad / read:.2%}) are bad, "
            f"the limit is {self.max_reject_share:.2%}",
            Where(file, line, column),
            _EXPECTED.get(reason) or scanned.fields[column].expected,
            "repair the file, or raise ingest.max_reject_share if these rows may be left out",
        )


def require_rows(stored: Stored, file: Path, table: str) -> None:
    """Raise where a table that everything else rests on has no row.

    Raises
    ------
    InputError
        Naming the file.
    """
    if stored.rows == 0:
        raise InputError(
            f"the table {table} is empty",
            Where(file.name),
            "at least one row below the line that names the columns",
            "check that the export or the download was complete",
        )


def _origin(column: Column, derived: Mapping[str, str], present: set[str]) -> str:
    if column.name in derived:
        return derived[column.name]
    return column.name if column.name in present else f"CAST(NULL AS {column.type})"
