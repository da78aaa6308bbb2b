"""How one cell of text becomes one typed value, or a fault with a reason.

DuckDB's own cast is too kind for logs: it rounds "12.5" to 12 and reads "0x1F" and "1_000".
Here an integer is digits with an optional sign, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from giftlive.logs.schema import Column
from giftlive.logs.store import quoted

Kind = Literal["integer", "text", "cents", "instant", "iso", "decimal", "flag"]

MISSING = "missing value"
NO_INTEGER = "not an integer"
NO_AMOUNT = "not an amount"
NO_INSTANT = "not a UTC time"
NO_FLAG = "neither true nor false"
NEGATIVE = "negative"
TOO_LARGE = "too large"

_UNREADABLE: dict[Kind, str] = {
    "integer": NO_INTEGER,
    "text": MISSING,
    "cents": NO_AMOUNT,
    "instant": NO_INSTANT,
    "iso": NO_INSTANT,
    "decimal": NO_AMOUNT,
    "flag": NO_FLAG,
}
_EXPECTED: dict[Kind, str] = {
    "integer": "an integer",
    "text": "a text",
    "cents": "US dollars with at most two decimals, such as 12.50,",
    "instant": "a UTC time such as 2015-01-04T15:00:00Z",
    "iso": "an ISO 8601 time such as 2021-03-16T08:19:38.957000+00:00",
    "decimal": "a number with at most four decimals, such as 9.99,",
    "flag": "true or false",
}

_CLOCK = "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_UTC = "(Z|[+-]00(:?00)?)?"
_OFFSET = "[+-][0-9]{2}(:?[0-9]{2})?"


@dataclass(frozen=True)
class Field:
    """One input column: what it becomes, under which header names it may come, and its form."""

    column: Column
    headers: tuple[str, ...]
    kind: Kind = "integer"

    @property
    def expected(self) -> str:
        """What a good cell holds, as a phrase.

        Examples
        --------
        >>> Field(Column("ts", "BIGINT", "ms UTC", minimum=0), ("timestamp",)).expected
        'an integer of at least 0 (ms UTC)'
        """
        least = "" if self.column.minimum is None else f" of at least {self.column.minimum}"
        empty = ", or nothing" if self.column.nullable else ""
        return f"{_EXPECTED[self.kind]}{least} ({self.column.unit}){empty}"

    def value_sql(self, text: str) -> str:
        """Return SQL for the typed value of the SQL text ``text``; NULL where it has none."""
        if self.kind == "text":
            return f"nullif({text}, '')"
        if self.kind == "instant":
            return f"epoch_ms(try_strptime({text}, '%Y-%m-%dT%H:%M:%SZ'))"
        if self.kind == "cents":
            return (
                f"CASE WHEN regexp_full_match({text}, '[+-]?[0-9]{{1,15}}([.][0-9]{{0,2}})?')"
                f" THEN CAST(CAST({text} AS DECIMAL(18, 2)) * 100 AS BIGINT) END"
            )
        if self.kind == "iso":
            # DuckDB's TIMESTAMP reads an offset and then ignores it, so the offset decides.
            return (
                f"CASE WHEN regexp_full_match({text}, '{_CLOCK}{_UTC}') "
                f"THEN epoch_us(TRY_CAST({text} AS TIMESTAMP)) // 1000 "
                f"WHEN regexp_full_match({text}, '{_CLOCK}{_OFFSET}') "
                f"THEN epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)) // 1000 END"
            )
        if self.kind == "decimal":
            return (
                f"CASE WHEN regexp_full_match({text}, '[+-]?[0-9]{{1,12}}([.][0-9]{{0,4}}0*)?')"
                f" THEN CAST({text} AS DECIMAL(18, 4)) END"
            )
        if self.kind == "flag":
            low = f"lower(trim({text}))"
            return (
                f"CASE WHEN {low} IN ('true', '1', '1.0') THEN true "
                f"WHEN {low} IN ('false', '0', '0.0') THEN false END"
            )
        # Most cells survive a round trip, which is much cheaper than a regular expression.
        cast = f"TRY_CAST({text} AS BIGINT)"
        # A table library writes an integer column with gaps as 12.0: harmless where gaps are.
        tail = "([.]0*)?" if self.column.nullable else ""
        return (
            f"CASE WHEN CAST({cast} AS VARCHAR) = {text} THEN {cast} "
            f"WHEN regexp_full_match(trim({text}), '[+-]?[0-9]+{tail}') "
            f"THEN TRY_CAST(split_part(trim({text}), '.', 1) AS BIGINT) END"
        )

    def faults(self, value: str, text: str) -> list[tuple[str, str]]:
        """Return (SQL condition, reason) pairs; the first true condition names the fault."""
        blank = f"coalesce(lower(trim({text})), '') IN ('', 'nan', 'na', 'null', 'none')"
        found = []
        if self.column.nullable:
            if self.kind != "text":
                found.append((f"{value} IS NULL AND NOT {blank}", _UNREADABLE[self.kind]))
        else:
            found.append((f"{value} IS NULL AND {blank}", MISSING))
            found.append((f"{value} IS NULL", _UNREADABLE[self.kind]))
        if self.column.minimum is not None:
            found.append((f"{value} < {self.column.minimum}", f"{NEGATIVE} {self.column.name}"))
        if self.column.maximum is not None:
            found.append((f"{value} > {self.column.maximum}", TOO_LARGE))
        return found


def parse_sql(fields: dict[str, Field], relation: str) -> str:
    """Return SQL that types every row of ``relation`` and names the first fault of each.

    Parameters
    ----------
    fields : header as found in the file -> field. ``relation`` has ``ordinal`` and, in the
        order of ``fields``, the text columns ``c0``, ``c1``, ...

    Returns
    -------
    SELECT with ``ordinal``, one typed column per field, and ``fault_column``, ``fault_value``,
    ``fault_reason`` (NULL in good rows).
    """
    typed: list[str] = []
    cases: list[str] = []
    columns: list[str] = []
    texts: list[str] = []
    reasons: list[str] = []
    for i, (header, field) in enumerate(fields.items()):
        typed.append(f'{field.value_sql(f"c{i}")} AS "{field.column.name}"')
        for condition, reason in field.faults(f'"{field.column.name}"', f"c{i}"):
            code = len(cases) + 1
            cases.append(f"WHEN {condition} THEN {code}")
            columns.append(f"WHEN {code} THEN {quoted(header)}")
            texts.append(f"WHEN {code} THEN c{i}")
            reasons.append(f"WHEN {code} THEN {quoted(reason)}")
    names = ", ".join(f'"{field.column.name}"' for field in fields.values())
    raw = ", ".join(f"c{i}" for i in range(len(fields)))
    return (
        f"SELECT ordinal, {names}, "
        f"CASE fault {' '.join(columns)} END AS fault_column, "
        f"CASE fault {' '.join(texts)} END AS fault_value, "
        f"CASE fault {' '.join(reasons)} END AS fault_reason "
        f"FROM (SELECT *, CASE {' '.join(cases)} END AS fault "
        f"FROM (SELECT ordinal, {raw}, {', '.join(typed)} FROM {relation}))"
    )
