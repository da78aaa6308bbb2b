"""What each currency was worth, from which day on: a table the user gives.

``rates.csv`` has the columns ``currency``, ``valid_from``, ``rate``, ``unit``. From the first
instant of the local day ``valid_from`` on, until the next row of the same currency, one unit of
``currency`` is worth ``rate`` units of ``unit``; ``unit`` is the same in every row. No rate is
shipped: which rates are right is the user's decision, and it decides every amount.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from giftlive.clock import midnight_ms, zone
from giftlive.errors import InputError, Where

RATES_FILE = "rates.csv"
_COLUMNS = ("currency", "valid_from", "rate", "unit")
_RATE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_EXPECTED = "the columns currency, valid_from (2021-03-01), rate (above 0) and unit (JPY)"
_HINT = "docs/sources.md shows a table of rates"


@dataclass(frozen=True)
class Rates:
    """Rates into one unit.

    Attributes
    ----------
    unit : name of the unit, such as "JPY".
    rows : (currency, first instant in ms UTC, rate) in the order of the file.
    """

    unit: str
    rows: tuple[tuple[str, int, Decimal], ...]

    @staticmethod
    def read(file: Path, tz: str) -> Rates:
        """Read a table of rates whose days begin in the zone ``tz``.

        Raises
        ------
        InputError
            Naming the line that is not what it should be.
        """
        lines = _lines(file)
        units = {row["unit"] for _, row in lines}
        if len(units) > 1:
            line = next(n for n, row in lines if row["unit"] != lines[0][1]["unit"])
            raise _broken(file, line, "unit", f"there are {len(units)} units: {sorted(units)}")
        rows: dict[tuple[str, int], Decimal] = {}
        for line, row in lines:
            start = midnight_ms(_day(file, line, row["valid_from"]), zone(tz))
            if (row["currency"], start) in rows:
                raise _broken(file, line, "valid_from", "this currency has two rates from one day")
            rows[row["currency"], start] = _rate(file, line, row["rate"])
        return Rates(units.pop(), tuple((name, ts, rate) for (name, ts), rate in rows.items()))

    def put(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        """Create the temporary table ``name`` (currency, from_ts, rate)."""
        currencies, starts, rates = zip(*self.rows, strict=True)
        kind = pa.decimal128(18, 9)
        table = pa.table(
            {
                "currency": pa.array(currencies, pa.string()),
                "from_ts": pa.array(starts, pa.int64()),
                "rate": pa.array([r.quantize(Decimal("1e-9")) for r in rates], kind),
            }
        )
        con.register("given_rates", table)
        con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM given_rates")
        con.unregister("given_rates")


def _lines(file: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            found = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _broken(file, None, None, "the file cannot be read") from error
    for column in _COLUMNS:
        if column not in (reader.fieldnames or ()):
            raise _broken(file, 1, column, f"the column {column} is missing")
    if not found:
        raise _broken(file, None, None, "there is no rate in it")
    trimmed = []
    for line, row in found:
        cells = {column: (row[column] or "").strip() for column in _COLUMNS}
        empty = next((column for column, text in cells.items() if not text), None)
        if empty:
            raise _broken(file, line, empty, "missing value")
        trimmed.append((line, cells))
    return trimmed


def _day(file: Path, line: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _broken(file, line, "valid_from", f"not a day ({text!r})") from error


def _rate(file: Path, line: int, text: str) -> Decimal:
    if not _RATE.fullmatch(text) or not Decimal(text):
        raise _broken(file, line, "rate", f"not a rate ({text!r})")
    return Decimal(text)


def _broken(file: Path, line: int | None, column: str | None, what: str) -> InputError:
    return InputError(what, Where(file.name, line, column), _EXPECTED, _HINT)
