"""A table of rates is read exactly or refused by line and column."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from giftlive.errors import InputError
from giftlive.logs.readers.rates import Rates

HEAD = "currency,valid_from,rate,unit"
TOKYO_2021 = 1_609_426_800_000  # 2021-01-01 00:00 in Tokyo


def read(tmp_path: Path, *lines: str, head: str = HEAD) -> Rates:
    file = tmp_path / "rates.csv"
    file.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
    return Rates.read(file, "Asia/Tokyo")


def test_rates_are_exact_decimals_from_the_local_midnight_of_their_day(tmp_path: Path) -> None:
    rates = read(tmp_path, "USD,2021-01-01,104.123456789,JPY", " JPY , 2021-01-01, 1 ,JPY")
    assert rates.unit == "JPY"
    assert rates.rows == (
        ("USD", TOKYO_2021, Decimal("104.123456789")),
        ("JPY", TOKYO_2021, Decimal(1)),
    )


def test_rates_reach_the_database_without_losing_a_digit(tmp_path: Path) -> None:
    con = duckdb.connect()
    read(tmp_path, "USD,2021-01-01,104.123456789,JPY").put(con, "rates")
    assert con.execute("SELECT * FROM rates").fetchall() == [
        ("USD", TOKYO_2021, Decimal("104.123456789"))
    ]
    con.close()


def test_columns_may_come_in_any_order_and_with_a_byte_order_mark(tmp_path: Path) -> None:
    head = "\ufeffunit,rate,currency,valid_from,source"
    assert read(tmp_path, "JPY,1,JPY,2021-01-01,me", head=head).unit == "JPY"


GOOD = "USD,2021-01-01,104.5,JPY"
BROKEN: dict[str, tuple[list[str], str]] = {
    "two units": ([GOOD, "EUR,2021-01-01,1,USD"], "line 3, column unit: there are 2 units"),
    "twice": ([GOOD, GOOD], "line 3, column valid_from: this currency has two rates"),
    "zero": (["USD,2021-01-01,0.000,JPY"], "line 2, column rate: not a rate ('0.000')"),
    "negative": (["USD,2021-01-01,-1,JPY"], "line 2, column rate: not a rate ('-1')"),
    "comma": (['USD,2021-01-01,"104,5",JPY'], "line 2, column rate: not a rate ('104,5')"),
    "not a number": (["USD,2021-01-01,nan,JPY"], "line 2, column rate: not a rate ('nan')"),
    "day": (["USD,01/02/2021,1,JPY"], "line 2, column valid_from: not a day ('01/02/2021')"),
    "short": (["USD,2021-01-01,1"], "line 2, column unit: missing value"),
    "no rows": ([], "rates.csv: there is no rate in it"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_table_is_refused_by_its_place(tmp_path: Path, case: str) -> None:
    lines, words = BROKEN[case]
    with pytest.raises(InputError) as caught:
        read(tmp_path, *lines)
    assert words in str(caught.value)
    assert str(caught.value).startswith("rates.csv")
    assert "Hint: docs/sources.md" in str(caught.value)


def test_a_missing_column_and_a_file_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 1, column rate: the column rate is missing"):
        read(tmp_path, GOOD, head="currency,valid_from,value,unit")
    (tmp_path / "rates.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"rates.csv: the file cannot be read"):
        Rates.read(tmp_path / "rates.csv", "Asia/Tokyo")
