"""One input file into one typed temporary table, with the fault of every bad row kept beside it."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from giftlive.errors import InputError, Where
from giftlive.logs.fields import Field, parse_sql
from giftlive.logs.lines import line_jumps, open_bytes, walk
from giftlive.logs.store import literal_path, one_row, quoted

STRIDE = 1 << 40
"""Row *r* of file number *f* of a table in several files has the ordinal ``f * STRIDE + r``."""

_MAX_HEADER_BYTES = 1 << 16
_KEPT_CHARACTERS = 1_000

_BROKEN = {
    "MISSING COLUMNS": "too few columns",
    "TOO MANY COLUMNS": "too many columns",
    "UNQUOTED VALUE": "broken quotation marks",
    "LINE SIZE OVER MAXIMUM": "line too long",
    "INVALID ENCODING": "not UTF-8",
}


@dataclass(frozen=True)
class Scan:
    """A file that has been read.

    Attributes
    ----------
    table : temporary table of the connection: ``ordinal`` (1-based row), the typed columns,
        ``fault_column``, ``fault_value``, ``fault_reason``.
    broken : temporary table (record, value, reason) of rows that could not be split into columns.
    fields : header as found -> field.
    parts : the files, where there are several (:mod:`giftlive.logs.parts`); ``file`` is the first.
    """

    file: Path
    table: str
    broken: str
    fields: dict[str, Field]
    parts: tuple[Path, ...] = ()


def scan(con: duckdb.DuckDBPyConnection, file: Path, fields: Sequence[Field], name: str) -> Scan:
    """Read a CSV (plain or gzip) or Parquet file with DuckDB, never row by row in Python.

    Raises
    ------
    InputError
        Where the file is not readable as what its name says, or lacks a column.
    """
    with readable(file):
        if file.suffix == ".parquet":
            found = matched(con, file, fields)
            relation = parquet_relation(file, found)
        else:
            header = _csv_header(file)
            found = _match(file, header, fields)
            picked = [header.index(head) for head in found]
            relation = _csv(file, len(header), picked, name)
        con.execute(f"CREATE TEMP TABLE parsed_{name} AS {parse_sql(found, relation)}")
    _keep_broken(con, file, name)
    return Scan(file, f"parsed_{name}", f"broken_{name}", found)


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Say of whatever goes wrong while ``file`` is read that the file cannot be read.

    Raises
    ------
    InputError
        Naming the file; running out of memory is not its fault and stays what it is.
    """
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, OSError, EOFError) as error:
        raise _unreadable(file, file.suffix == ".parquet") from error


def matched(
    con: duckdb.DuckDBPyConnection, file: Path, fields: Sequence[Field]
) -> dict[str, Field]:
    """Return header -> field of a Parquet file.

    Raises
    ------
    InputError
        A column is missing.
    """
    return _match(file, _parquet_header(con, file), fields)


def locate(con: duckdb.DuckDBPyConnection, scanned: Scan) -> None:
    """Create the temporary table ``located`` (file, line, column, value, reason)."""
    con.execute("DROP TABLE IF EXISTS located")
    faults = f"SELECT * FROM {scanned.table} WHERE fault_reason IS NOT NULL"
    picked = "fault_column AS column_name, fault_value AS value, fault_reason AS reason"
    if scanned.file.suffix == ".parquet":
        names = ", ".join(quoted(file.name) for file in scanned.parts or (scanned.file,))
        con.execute(
            f"CREATE TEMP TABLE located AS SELECT [{names}][ordinal // {STRIDE} + 1] AS file, "
            f"ordinal % {STRIDE} AS line, {picked} FROM ({faults})"
        )
        return
    name = quoted(scanned.file.name)
    order = f"SELECT record, reason FROM {scanned.broken} ORDER BY record"
    broken = np.asarray(con.execute(order).fetchnumpy()["record"], dtype=np.int64)
    (rows,) = one_row(con, f"SELECT count(*) FROM {scanned.table}")
    after, shift, lines = line_jumps(scanned.file, broken, rows)
    con.register("jumps", pa.table({"after": after, "shift": shift}))
    con.register("starts", pa.table({"record": broken[: len(lines)], "line": lines}))
    con.execute(
        f"CREATE TEMP TABLE located AS "
        f"SELECT {name} AS file, ordinal + 1 + coalesce(shift, 0) AS line, {picked} "
        f"FROM ({faults}) AS f ASOF LEFT JOIN jumps ON f.ordinal > jumps.after "
        f"UNION ALL SELECT {name}, coalesce(line, record), NULL, value, reason "
        f"FROM {scanned.broken} LEFT JOIN starts USING (record)"
    )
    con.unregister("jumps")
    con.unregister("starts")


def _csv_header(file: Path) -> list[str]:
    with open_bytes(file) as stream:
        line = stream.readline(_MAX_HEADER_BYTES).split(b"\r")[0]
    try:
        text = line.decode("utf-8-sig").rstrip("\n")
    except UnicodeDecodeError as error:
        raise _unreadable(file, parquet=False) from error
    if "\0" in text or not text.strip():
        raise _unreadable(file, parquet=False)
    return [name.strip() for name in next(csv.reader([text]))]


def _parquet_header(con: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    rows = con.execute(f"DESCRIBE SELECT * FROM read_parquet({literal_path(file)})").fetchall()
    return [row[0] for row in rows]


def _match(file: Path, header: list[str], fields: Sequence[Field]) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for field in fields:
        names = [name for name in field.headers if name in header]
        if not names and not field.column.nullable:
            raise _missing_column(file, header, field)
        if names:
            _refuse_repeated(file, header, names[0])
            found[names[0]] = field
    return found


def _refuse_repeated(file: Path, header: list[str], name: str) -> None:
    if header.count(name) > 1:
        raise InputError(
            f"the column is there {header.count(name)} times",
            Where(file.name, 1, name),
            "every column once",
            "remove or rename all but one",
        )


def _csv(file: Path, width: int, picked: list[int], name: str) -> str:
    columns = ", ".join(f"'x{i}': 'VARCHAR'" for i in range(width))
    chosen = ", ".join(f"x{at} AS c{i}" for i, at in enumerate(picked))
    return (
        f"(SELECT row_number() OVER () AS ordinal, {chosen} FROM read_csv({literal_path(file)}, "
        f"auto_detect=false, delim=',', quote='\"', escape='\"', header=false, skip=1, "
        f"columns={{{columns}}}, store_rejects=true, rejects_limit=0, "
        f"rejects_scan='scans_{name}', rejects_table='refused_{name}'))"
    )


def parquet_relation(file: Path, found: dict[str, Field], before: int = 0) -> str:
    """Return SQL for the cells of a Parquet file as text; its first row is number before + 1."""
    chosen = ", ".join(
        f'CAST("{head.replace(chr(34), chr(34) * 2)}" AS VARCHAR) AS c{i}'
        for i, head in enumerate(found)
    )
    return (
        f"(SELECT row_number() OVER () + {before} AS ordinal, {chosen} "
        f"FROM read_parquet({literal_path(file)}))"
    )


def _keep_broken(con: duckdb.DuckDBPyConnection, file: Path, name: str) -> None:
    if file.suffix == ".parquet":
        con.execute(
            f"CREATE TEMP TABLE broken_{name} (record BIGINT, value VARCHAR, reason VARCHAR)"
        )
        return
    reasons = " ".join(f"WHEN '{kind}' THEN '{reason}'" for kind, reason in _BROKEN.items())
    con.execute(
        f"CREATE TEMP TABLE broken_{name} AS SELECT CAST(line AS BIGINT) AS record, "
        f"min(left(trim(csv_line, chr(10) || chr(13)), {_KEPT_CHARACTERS})) AS value, "
        f"min(CASE CAST(error_type AS VARCHAR) {reasons} ELSE 'not a CSV record' END) AS reason "
        f"FROM refused_{name} GROUP BY line"
    )
    con.execute(f"DROP TABLE refused_{name}")
    con.execute(f"DROP TABLE scans_{name}")
    _refuse_swallowed_rows(con, file, name)


def _refuse_swallowed_rows(con: duckdb.DuckDBPyConnection, file: Path, name: str) -> None:
    """Raise where an open quotation mark has made one bad record of many good lines."""
    (record,) = one_row(
        con, f"SELECT min(record) FROM broken_{name} WHERE contains(value, chr(10))"
    )
    if record is None:
        return
    _, _, lines = walk(file, {int(record)})
    raise InputError(
        "a quotation mark is opened here and not closed on this line, so the rows that follow "
        "cannot be told apart",
        Where(file.name, int(lines[0]) if len(lines) else int(record)),
        "a closing quotation mark at the end of every quoted value",
        "close it or remove it; inside a quoted value a quotation mark is written twice",
    )


def _missing_column(file: Path, header: list[str], field: Field) -> InputError:
    wanted = " or ".join(field.headers)
    near = difflib.get_close_matches(field.headers[0], header, n=1)
    guess = f"did you mean the column {near[0]}? " if near else ""
    return InputError(
        f"the column {wanted} is missing; the file has {', '.join(header)}",
        Where(file.name, None if file.suffix == ".parquet" else 1, field.headers[0]),
        f"a column {wanted} holding {field.expected}",
        f"{guess}the first line must name the columns, separated by commas",
    )


def _unreadable(file: Path, parquet: bool) -> InputError:
    text = "comma-separated UTF-8 text, one kind of line end throughout, column names first"
    return InputError(
        "the file cannot be read",
        Where(file.name),
        "a Parquet file" if parquet else text,
        "download it again, or export it again as described in the data set's documentation",
    )
