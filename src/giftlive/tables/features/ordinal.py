"""Ordinal codes of profile columns: a range is its lower bound, a word its rank, unknown is -1."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from giftlive.tables.features.declare import Feature
from giftlive.tables.features.query import ENCODED

UNKNOWN = frozenset({"", "unknown", "none", "null", "nan", "-1"})
_NUMBER = r"\d+(?:\.\d+)?"
_RANGE = re.compile(rf"([<≤>≥]?=?)\s*({_NUMBER})\s*(?:\+|[-~–—]\s*{_NUMBER})?")

Codes = dict[str, dict[str, int]]


def ordinal_codes(values: Iterable[str]) -> dict[str, int]:
    """Return the code of every known value of one column.

    Where every known value is a number or a range, the code is its lower bound ("50+" is 50,
    "<12" is 0); otherwise it is the rank among the sorted values, which depends on the values
    alone and not on their order or frequency.

    Examples
    --------
    >>> ordinal_codes(["10000-100000", "50+", "<12", "unknown"])
    {'10000-100000': 10000, '50+': 50, '<12': 0}
    >>> ordinal_codes(["M", "F"])
    {'F': 0, 'M': 1}
    """
    known = sorted(v for v in set(values) if v.strip().lower() not in UNKNOWN)
    matches = [_RANGE.fullmatch(value.strip()) for value in known]
    if all(matches):
        return {v: _lower_bound(m) for v, m in zip(known, matches, strict=True) if m}
    return {value: rank for rank, value in enumerate(known)}


def _lower_bound(match: re.Match[str]) -> int:
    sign, number = match.groups()
    return 0 if sign[:1] in ("<", "≤") else int(float(number)) if "." in number else int(number)


def stage_codes(con: Any, features: Iterable[Feature]) -> Codes:
    """Create the table ``code(feature, value, code)`` of every coded feature, and return it."""
    codes: Codes = {}
    for feature in features:
        if feature.group in ENCODED:
            view, _ = ENCODED[feature.group]
            distinct = con.execute(
                f"select distinct cast({feature.sql} as string) from {view}"
                f" where {feature.sql} is not null"
            ).fetchall()
            codes[feature.name] = ordinal_codes(value for (value,) in distinct)
    _store(con, codes)
    return codes


def _store(con: Any, codes: Codes) -> None:
    import pyarrow as pa

    rows = [(f, v, c) for f, column in codes.items() for v, c in column.items()]
    table = pa.table(
        {
            "feature": pa.array([row[0] for row in rows], pa.string()),
            "value": pa.array([row[1] for row in rows], pa.string()),
            "code": pa.array([row[2] for row in rows], pa.int64()),
        }
    )
    con.register("code_rows", table)
    con.execute("create or replace table code as select * from code_rows")
    con.unregister("code_rows")
