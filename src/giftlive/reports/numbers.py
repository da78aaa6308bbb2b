"""How a number is written: one place, so that every page, table and figure agrees.

Groups of three digits are separated by a comma, as in the texts that studies write; an interval
decides how many digits its value shows (those of its half-width, by the rule of the Particle Data
Group); shares are percentages.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from giftlive.evaluation.checks import EXACT
from giftlive.evaluation.results import Estimate

THIN = "\u202f"
MINUS = "\u2212"
DASH = "\u2013"
_MOST_DECIMALS = 8
_PERCENT = re.compile(r"(?<=\d)%")
_HYPHEN = re.compile(r"(?<![\w.)\]-])-(?=\.?\d)")
"""Before a number and after none: a minus, neither the hyphen of a date nor that of a range."""
_SMALLEST = 1e-6
"""Below it a number is written with a power of ten, for want of room."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Unit:
    """How values of one unit are shown: ``factor`` × value, then ``suffix``."""

    factor: float
    suffix: str
    signed: bool = False


UNITS = {
    "share": Unit(100, f"{THIN}%"),
    "fraction": Unit(100, f"{THIN}%"),
    "probability": Unit(100, f"{THIN}%"),
    "relative change": Unit(100, f"{THIN}%", signed=True),
    "share difference": Unit(100, f"{THIN}pp", signed=True),
    "": Unit(1, ""),
    "1": Unit(1, ""),
    "ratio": Unit(1, ""),
    "index": Unit(1, ""),
    "difference": Unit(1, "", signed=True),
}
"""Units with a rule of their own; any other is written after the number."""
_SHARE_OF = "share of "


def unit_rule(unit: str) -> Unit:
    """Return how ``unit`` is shown; a share of something named as any other share.

    Examples
    --------
    >>> unit_rule("share of the gap").suffix.replace(THIN, " ")
    ' %'
    """
    if unit.startswith(_SHARE_OF):
        return UNITS["share"]
    return UNITS.get(unit) or Unit(1, f"{THIN}{unit}")


def fixed(value: float, decimals: int, signed: bool = False) -> str:
    """Return ``value`` rounded to ``decimals`` (negative: tens, hundreds) and grouped.

    Examples
    --------
    >>> fixed(-1234.5678, 1), fixed(1234.0, -2)
    ('−1,234.6', '1,200')
    """
    rounded = round(value, decimals)
    if rounded == 0:
        return f"{0:.{max(decimals, 0)}f}"
    sign = MINUS if rounded < 0 else "+" if signed else ""
    return sign + f"{abs(rounded):,.{max(decimals, 0)}f}"


def digits(value: float, significant: int) -> int:
    """Return the decimals that show ``significant`` digits of ``value``.

    Examples
    --------
    >>> digits(0.0123, 3), digits(123.0, 3), digits(0.0, 3)
    (4, 0, 0)
    """
    if value == 0:
        return 0
    return min(significant - 1 - math.floor(math.log10(abs(value))), _MOST_DECIMALS)


def number(value: float, significant: int = 3, signed: bool = False) -> str:
    """Return ``value`` to ``significant`` digits; whole numbers keep every digit of theirs.

    Examples
    --------
    >>> number(0.012345), number(1234567), number(12.0), number(-2.4e-7)
    ('0.0123', '1,234,567', '12', '−2.4×10⁻⁷')
    """
    if 0.0 < abs(value) < _SMALLEST:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{fixed(float(mantissa), 1, signed)}×10{str(int(exponent)).translate(_RAISED)}"
    if float(value).is_integer():
        return fixed(value, 0, signed)
    return fixed(value, max(digits(value, significant), 0), signed)


def percent(share: float, significant: int = 3, signed: bool = False) -> str:
    """Return a share, or with its sign a relative change, as a percentage.

    Examples
    --------
    >>> percent(0.603).replace(THIN, " "), percent(0.05, signed=True).replace(THIN, " ")
    ('60.3 %', '+5 %')
    """
    return f"{number(100 * share, significant, signed)}{THIN}%"


def with_unit(value: float, unit: str, significant: int = 3) -> str:
    """Return one value in its unit."""
    rule = unit_rule(unit)
    return number(rule.factor * value, significant, rule.signed) + rule.suffix


def interval_parts(value: float, low: float, high: float, unit: str = "") -> tuple[str, str]:
    """Return the value and its interval, rounded alike, the unit on the value only.

    Examples
    --------
    >>> interval_parts(12.28, 10.98, 13.61)
    ('12.3', '[11.0, 13.6]')
    """
    rule = unit_rule(unit)
    shown = [float(rule.factor * x) for x in (value, low, high)]
    half = (shown[2] - shown[1]) / 2
    constant = 0 if shown[0].is_integer() else max(digits(shown[0], 3), 0)
    places = _half_width_digits(half) if half > 0 else constant
    mid, lower, upper = (fixed(x, places, rule.signed) for x in shown)
    return mid + rule.suffix, f"[{lower}, {upper}]"


def _half_width_digits(half: float) -> int:
    """Return decimals that show two digits of a half-width up to .355, one above, in its decade."""
    leading = half / 10.0 ** math.floor(math.log10(half))
    return digits(half, 2 if leading < 3.55 else 1)


def interval(value: float, low: float | None, high: float | None, unit: str = "") -> str:
    """Return ``12.3 [11.0, 13.6]``, or the value alone where there is no interval."""
    if low is None or high is None:
        return with_unit(value, unit)
    return " ".join(interval_parts(value, low, high, unit))


def estimate_parts(estimate: Estimate) -> tuple[str, str] | None:
    """Return the value and the interval of an estimate; None where it may not be printed.

    What is known exactly, a count of what was made, has no interval: [50, 50] would say nothing.
    """
    if estimate.value is None or estimate.status != "ok":
        return None
    if estimate.low is None or estimate.high is None or estimate.method == EXACT:
        return with_unit(estimate.value, estimate.unit), ""
    return interval_parts(estimate.value, estimate.low, estimate.high, estimate.unit)


def spaced(text: str) -> str:
    """Return a study's own text with percentages and minus signs as they are everywhere else.

    Examples
    --------
    >>> spaced("83% of 1,001 users, -2% on 2025-05-14").replace(THIN, " ")
    '83 % of 1,001 users, −2 % on 2025-05-14'
    """
    return _HYPHEN.sub(MINUS, _PERCENT.sub(f"{THIN}%", text))


def tick(value: float) -> str:
    """Return a tick label: a plain number, never a power of ten.

    Examples
    --------
    >>> tick(1e-4), tick(10000.0), tick(0.30000000000000004)
    ('0.0001', '10,000', '0.3')
    """
    text = fixed(value, _MOST_DECIMALS)
    return text.rstrip("0").rstrip(".") if "." in text else text


def threshold(value: float, unit: str = "") -> str:
    """Return a threshold in its unit, with exactly the digits it was written with.

    Examples
    --------
    >>> threshold(0.93, "share").replace(THIN, " "), threshold(0.1)
    ('93 %', '0.1')
    """
    rule = unit_rule(unit)
    return tick(rule.factor * value) + rule.suffix


def column_unit(unit: str) -> str:
    """Return what stands under a column's name; shares are shown as percentages.

    Examples
    --------
    >>> column_unit("share"), column_unit("share of the gap"), column_unit("seats")
    ('%', '% of the gap', 'seats')
    """
    whole = unit.removeprefix(_SHARE_OF) if unit.startswith(_SHARE_OF) else ""
    return unit_rule(unit).suffix.strip(THIN) + (f" of {whole}" if whole else "")


def cell(value: object, unit: str = "") -> str:
    """Return a table cell: numbers in the column's unit, yes or no, nothing as a dash.

    Examples
    --------
    >>> cell(0.871, "share"), cell(None), cell(True)
    ('87.1', '–', 'yes')
    """
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Estimate):
        return " ".join(part for part in estimate_parts(value) or (value.reason,) if part)
    if isinstance(value, int | float):
        return number(unit_rule(unit).factor * value)
    if isinstance(value, list | tuple):
        return ", ".join(cell(item, unit) for item in value)
    return str(value)


def seconds(value: float) -> str:
    """Return a duration a person can read.

    Examples
    --------
    >>> seconds(0.25).replace(THIN, " "), seconds(75).replace(THIN, " ")
    ('0.25 s', '1 min 15 s')
    """
    if value < 60:
        return f"{fixed(value, 1 if value >= 1 else 2)}{THIN}s"
    whole = round(value)
    return f"{whole // 60}{THIN}min {whole % 60}{THIN}s"
