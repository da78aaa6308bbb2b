"""What a cell of text becomes, against Python's own reading of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.logs.fields import Field, parse_sql
from giftlive.logs.schema import Column

INTEGER = Field(Column("x", "BIGINT", "any"), ("x",))
GAPPY = Field(Column("x", "BIGINT", "any", nullable=True), ("x",))
CENTS = Field(Column("x", "BIGINT", "USD", minimum=0), ("x",), "cents")
INSTANT = Field(Column("x", "BIGINT", "UTC"), ("x",), "instant")
MAX = (1 << 63) - 1


def parse(field: Field, *cells: str | None) -> list[tuple[int | None, str | None]]:
    con = duckdb.connect()
    con.register("cells", pa.table({"ordinal": range(len(cells)), "c0": pa.array(cells, "string")}))
    sql = parse_sql({"x": field}, "cells")
    found = con.execute(f"SELECT x, fault_reason FROM ({sql}) ORDER BY ordinal").fetchall()
    con.close()
    return [(value, reason) for value, reason in found]


def reading(text: str) -> int | None:
    plain = text.strip(" ")
    if not re.fullmatch(r"[+-]?[0-9]+", plain):
        return None
    return int(plain) if -MAX - 1 <= int(plain) <= MAX else None


CELL = st.one_of(
    st.integers(-MAX - 3, MAX + 3).map(str),
    st.text(alphabet="0123456789+-._eExX ", min_size=1, max_size=6),
)


@settings(max_examples=30, deadline=None)
@given(cells=st.lists(CELL, min_size=1, max_size=60))
def test_integers_are_read_as_python_reads_plain_digits(cells: list[str]) -> None:
    for cell, (value, reason) in zip(cells, parse(INTEGER, *cells), strict=True):
        assert value == reading(cell), cell
        assert (reason is None) == (value is not None), cell


def test_gaps_and_the_floats_they_cause_are_read_where_gaps_are_allowed() -> None:
    cells = ("7", "7.0", "7.", "", None, "NaN", "7.5", "x")
    assert parse(GAPPY, *cells) == [
        (7, None),
        (7, None),
        (7, None),
        (None, None),
        (None, None),
        (None, None),
        (None, "not an integer"),
        (None, "not an integer"),
    ]
    assert [reason for _, reason in parse(INTEGER, "7.0", "", None, "nan")] == [
        "not an integer",
        "missing value",
        "missing value",
        "missing value",
    ]


@settings(max_examples=20, deadline=None)
@given(cents=st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_dollars_become_cents_exactly(cents: list[int]) -> None:
    cells = [str(Decimal(amount) / 100) for amount in cents]
    assert parse(CENTS, *cells) == [(amount, None) for amount in cents]


def test_amounts_that_are_no_dollars_are_faults() -> None:
    assert parse(CENTS, "1.005", "$5", "1,000", "1e2", "-0.01") == [
        (None, "not an amount"),
        (None, "not an amount"),
        (None, "not an amount"),
        (None, "not an amount"),
        (-1, "negative x"),
    ]


@pytest.mark.parametrize(
    ("cell", "ms"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("2015-01-04T15:00:00Z", 1_420_383_600_000),
        ("2015-02-30T15:00:00Z", None),
        ("2015-01-04 15:00", None),
        ("soon", None),
    ],
)
def test_utc_times(cell: str, ms: int | None) -> None:
    assert parse(INSTANT, cell) == [(ms, None if ms is not None else "not a UTC time")]


ISO = Field(Column("x", "BIGINT", "UTC", minimum=0), ("x",), "iso")
DECIMAL = Field(Column("x", "DECIMAL(18, 4)", "money", minimum=0), ("x",), "decimal")
FLAG = Field(Column("x", "BOOLEAN", "any"), ("x",), "flag")


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2021-03-16T08:19:38.957000+00:00", 1_615_882_778_957),
        ("2021-03-16T08:19:38.957999+00:00", 1_615_882_778_957),
        ("2021-03-16T08:19:38Z", 1_615_882_778_000),
        ("2021-03-16T08:19Z", 1_615_882_740_000),
        ("2021-03-16 08:19:38", 1_615_882_778_000),
        ("2021-03-16 17:19:38.957+09", 1_615_882_778_957),
        ("2021-03-16T13:49:38+05:30", 1_615_882_778_000),
        ("2021-03-16T03:19:38-0500", 1_615_882_778_000),
        ("2021-03-16", None),
        ("2021-02-30T00:00:00Z", None),
        ("20210316T0819Z", None),
        ("1615882778957", None),
        ("", None),
    ],
)
def test_an_iso_time_is_read_with_its_offset(text: str, ms: int | None) -> None:
    [(value, reason)] = parse(ISO, text)
    assert value == ms
    assert (reason is None) == (ms is not None)


@settings(max_examples=30, deadline=None)
@given(
    moments=st.lists(
        st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()),
        min_size=1,
        max_size=20,
    )
)
def test_iso_times_are_read_as_python_reads_them(moments: list[datetime]) -> None:
    # Offsets with seconds, as before standard time, are not in the pattern and not in any log.
    plain = [m for m in moments if (m.utcoffset() or timedelta()) % timedelta(minutes=1) == _ZERO]
    for moment, (value, _) in zip(plain, parse(ISO, *[m.isoformat() for m in plain]), strict=True):
        assert value == (moment - _EPOCH) // timedelta(milliseconds=1)


_ZERO = timedelta()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("9.99", "9.99", None),
        ("10000.0", "10000", None),
        ("12.", "12", None),
        ("1.23450", "1.2345", None),
        ("-1.0", "-1", "negative x"),
        ("1.23456", None, "not an amount"),
        ("1e5", None, "not an amount"),
        ("nan", None, "missing value"),
        ("¥500", None, "not an amount"),
        ("1234567890123", None, "not an amount"),
    ],
)
def test_a_decimal_is_exact_or_refused(text: str, value: str | None, reason: str | None) -> None:
    found = parse(DECIMAL, text)
    assert found == [(None if value is None else Decimal(value), reason)]


def test_a_flag_is_true_or_false_in_the_words_of_several_libraries() -> None:
    words = ("true", "True", "1", "1.0", "false", "0", "0.0", "yes", "")
    values = [value for value, _ in parse(FLAG, *words)]
    assert values == [True, True, True, True, False, False, False, None, None]
    assert [reason for _, reason in parse(FLAG, "yes", "")] == [
        "neither true nor false",
        "missing value",
    ]
