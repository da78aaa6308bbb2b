from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.evaluation.results import Estimate
from giftlive.reports import numbers
from giftlive.reports.numbers import THIN


def _read(text: str) -> float:
    return float(
        text.strip("[]")
        .replace(",", "")
        .replace(THIN, "")
        .replace(numbers.MINUS, "-")
        .replace("%", "")
    )


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "expected"),
    [
        (12.28, 10.98, 13.61, "", "12.3 [11.0, 13.6]"),
        (0.603, 0.572, 0.634, "share", "60.3~% [57.2, 63.4]"),
        (0.0157, 0.0153, 0.0161, "share", "1.57~% [1.53, 1.61]"),
        (0.0412, 0.0281, 0.0543, "share difference", "+4.1~pp [+2.8, +5.4]"),
        (-1234567.0, -1360000.0, -1100000.0, "", "−1,230,000 [−1,360,000, −1,100,000]"),
        (5.0, 5.0, 5.0, "US cent", "5~US cent [5, 5]"),
        (0.0, 0.0, 0.0, "share", "0~% [0, 0]"),
    ],
)
def test_an_interval_decides_the_digits(
    value: float, low: float, high: float, unit: str, expected: str
) -> None:
    assert numbers.interval(value, low, high, unit) == expected.replace("~", THIN)


def test_a_value_without_an_interval_stands_alone() -> None:
    assert numbers.interval(0.5, None, None, "share") == f"50{THIN}%"


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e6))
def test_rounding_stays_within_a_twentieth_of_the_interval(middle: float, half: float) -> None:
    value, bounds = numbers.interval_parts(middle, middle - half, middle + half)
    low, high = (_read(part) for part in bounds.strip("[]").split(", "))
    assert low <= _read(value) <= high
    assert abs(_read(value) - middle) <= 0.15 * half + 1e-9 * abs(middle)
    assert abs(low - (middle - half)) <= 0.15 * half + 1e-9 * abs(middle)


def test_ticks_are_plain_and_exact() -> None:
    assert numbers.tick(0.1 + 0.2) == "0.3"
    assert numbers.tick(1e6) == "1,000,000"
    assert numbers.tick(-0.0) == "0"


def test_thresholds_keep_the_digits_they_were_written_with() -> None:
    assert numbers.threshold(0.93, "share") == f"93{THIN}%"
    assert numbers.threshold(0.1) == "0.1"


def test_cells_say_what_they_hold() -> None:
    assert numbers.cell(None) == "–"
    assert numbers.cell(False) == "no"
    assert numbers.cell([1, 2.5]) == "1, 2.50"
    assert numbers.cell(0.5, "share") == "50"


def test_an_estimate_that_may_not_be_printed_has_no_parts() -> None:
    hidden = Estimate("x", 1.0, 0.5, 1.5, "t", 3, "users", "", "", "", status="undefined")
    assert numbers.estimate_parts(hidden) is None


def test_what_is_known_exactly_has_no_interval() -> None:
    known = Estimate("x", 0.5, 0.5, 0.5, "exact", 8, "seeds", "share", "", "")
    assert numbers.estimate_parts(known) == (f"50{THIN}%", "")
    measured = replace(known, method="student_t", low=0.4, high=0.6)
    assert (numbers.estimate_parts(measured) or ("", ""))[1] == "[40, 60]"
