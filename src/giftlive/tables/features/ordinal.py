"""Ordinal codes of profile columns: a range is its lower bound, a word its rank, unknown is -1."""

from __future__ import annotations

import re
from collections.abc import Iterable

from giftlive.tables.engine.protocol import Engine
from giftlive.tables.features.declare import FEATURES, Feature

UNKNOWN = frozenset({"", "unknown", "none", "null", "nan", "-1"})
_NUMBER = r"\d+(?:\.\d+)?"
_RANGE = re.compile(rf"([<≤>≥]?=?)\s*({_NUMBER})\s*(?:\+|[-~–—]\s*{_NUMBER})?")

Codes = dict[str, dict[str, int]]

PROFILES: dict[str, tuple[str, str]] = {
    "room_profile": ("room", "live_id"),
    "user_profile": ("users", "user_id"),
    "streamer_profile": ("streamers", "streamer_id"),
}
"""Groups whose features are coded columns of an entity: its view and its id."""

_CATEGORY = next(feature for feature in FEATURES if feature.name == "room_category")

MET = "room_met"
"""Staged: the words of the rooms that somebody met, a row for each."""

_ROOM_MET = """with met as ({met})
select live_id, {words}, min(start_ts) as start_ts
from room where live_id in (select live_id from met) group by live_id"""

_ROOM_CATEGORY = f"""select d.live_id, coalesce(c.code, cast(-1 as bigint)) as category, d.start_ts
from {MET} d
left join code c on c.feature = 'room_category' and c.value = d.category"""


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


def stage_codes(engine: Engine, features: Iterable[Feature]) -> Codes:
    """Create ``code(feature, value, code)`` of every coded feature, and return their codes.

    The table always has the codes of rooms' categories, whether or not they are a feature.
    """
    wanted = [feature for feature in features if feature.group in PROFILES]
    found = _values(engine, dict.fromkeys([*wanted, _CATEGORY]))
    codes = {name: ordinal_codes(values) for name, values in found.items()}
    _store(engine, codes)
    return {feature.name: codes[feature.name] for feature in wanted}


def stage_room_category(engine: Engine, *relations: str) -> None:
    """Create ``room_category(live_id, category, start_ts)`` for the rooms of ``relations``.

    And :data:`MET`, from which they and the profiles of rooms are coded: rooms are many.
    Needs ``code``. ``category`` is the ordinal code (-1 unknown), ``start_ts`` the first time the
    room opened; rooms that the source does not describe have no row.
    """
    met = " union ".join(f"select live_id from {relation}" for relation in relations)
    columns = (f.value.reads[0] for f in FEATURES if f.group == "room_profile")
    words = ", ".join(f"min(cast({column} as string)) as {column}" for column in columns)
    engine.stage(MET, _ROOM_MET.format(met=met, words=words))
    engine.stage("room_category", _ROOM_CATEGORY)


def _values(engine: Engine, features: Iterable[Feature]) -> dict[str, list[str]]:
    """Return the distinct values of every feature's column, in one query."""
    selects, values = [], {}
    for feature in features:
        view, _ = PROFILES[feature.group]
        (column,) = feature.value.reads
        values[feature.name] = list[str]()
        selects.append(
            f"select distinct '{feature.name}' as feature, cast({column} as string) as value"
            f" from {view} where {column} is not null"
        )
    for name, value in engine.rows(" union all ".join(selects)):
        values[name].append(value)
    return values


def _store(engine: Engine, codes: Codes) -> None:
    import pyarrow as pa

    rows = [(f, v, c) for f, column in codes.items() for v, c in column.items()]
    columns = {
        "feature": pa.array([row[0] for row in rows], pa.string()),
        "value": pa.array([row[1] for row in rows], pa.string()),
        "code": pa.array([row[2] for row in rows], pa.int64()),
    }
    engine.put("code", pa.table(columns))
