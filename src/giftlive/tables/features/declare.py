"""The features, each declared once: name, group, definition, unit, as-of rule, SQL.

``sql`` is an expression over the columns of the feature's group:

- history groups (``pair``, ``user``, ``streamer``): the running state of
  :mod:`giftlive.tables.features.query` as known strictly before ``ts``;
- ``context``: the columns of the probe; ``planted``: those of the sample;
- ``room``, ``user_profile``, ``streamer_profile``: one raw column, replaced by its ordinal code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

KNOWN_BEFORE = "events with known_ts < ts"
AT_ENTRY = "ts itself"
STATIC = "fixed before the decision"
SNAPSHOT = "snapshot of the last day: not known at ts"


@dataclass(frozen=True)
class Feature:
    """One column of the sample table.

    Attributes
    ----------
    name : column name. group : what it is a property of. definition : one sentence.
    unit : of the value. as_of : which events may enter. sql : see the module.
    needs : tables the source must have for the column to mean anything (any one suffices).
    """

    name: str
    group: str
    definition: str
    unit: str
    as_of: str
    sql: str
    needs: tuple[str, ...] = ()


_OF = {
    "pair": "from this user to this streamer",
    "user": "by this user",
    "streamer": "with this streamer",
}

_HISTORY = (
    ("gift_count", "gifts", "gifts", "gift", "gift_count"),
    ("gift_sum", "amount of gifts", "amount", "gift", "gift_sum"),
    (
        "gift_mean",
        "mean amount of gifts (0 without any)",
        "amount per gift",
        "gift",
        "case when gift_count > 0 then cast(gift_sum as double) / gift_count else 0 end",
    ),
    (
        "gift_recency_seconds",
        "seconds since the last gift became known (-1 without any)",
        "s",
        "gift",
        "case when gift_count > 0 then cast(ts - last_gift_ts as double) / 1000 else -1 end",
    ),
    ("click_count", "entries", "clicks", "click", "click_count"),
    (
        "watch_seconds",
        "time watched in viewings that have ended",
        "s",
        "click",
        "cast(watch_ms as double) / 1000",
    ),
)


def _history(group: str) -> tuple[Feature, ...]:
    return tuple(
        Feature(
            f"{group}_{name}",
            group,
            f"{what} {_OF[group]}",
            unit,
            KNOWN_BEFORE,
            sql,
            ("gift", "gift_anonymous") if table == "gift" and group == "streamer" else (table,),
        )
        for name, what, unit, table, sql in _HISTORY
    )


def _profile(entity: str, columns: str, as_of: str = STATIC) -> tuple[Feature, ...]:
    return tuple(
        Feature(
            f"{entity}_{column}",
            f"{entity}_profile",
            f"{column} of the {entity}, ordinal (-1 unknown)",
            "code",
            as_of,
            column,
            (entity,),
        )
        for column in columns.split()
    )


_CONTEXT = (
    Feature("hour", "context", "hour of the day in the source's zone", "h", AT_ENTRY, "hour"),
    Feature("weekday", "context", "weekday, Monday = 0", "day", AT_ENTRY, "weekday"),
)

_ROOM = tuple(
    Feature(
        f"room_{column}",
        "room",
        f"{column} of the room, ordinal (-1 unknown)",
        "code",
        STATIC,
        column,
        ("room",),
    )
    for column in ("live_type", "category")
)

FEATURES: tuple[Feature, ...] = (
    *_history("pair"),
    *_history("user"),
    *_history("streamer"),
    *_CONTEXT,
    *_ROOM,
    *_profile("user", "age gender device_brand device_price is_live_streamer is_photo_author"),
    *_profile("streamer", "age gender device_brand device_price"),
)
"""The first feature set: everything in it is known strictly before the decision."""

SNAPSHOT_FEATURES: tuple[Feature, ...] = (
    *_profile("user", "fans_num follow_num accu_watch_live_cnt accu_watch_live_duration", SNAPSHOT),
    *_profile(
        "streamer",
        "fans_user_num fans_group_fans_num follow_user_num accu_live_cnt accu_live_duration "
        "accu_play_cnt accu_play_duration",
        SNAPSHOT,
    ),
)
"""Columns measured at the end of the data; only ``TableOptions(strict=False)`` lets them in."""

PLANTED_LEAK = Feature(
    "planted_leak",
    "planted",
    "the label itself, so that the audit has something to find",
    "amount",
    "after the viewing: a leak on purpose",
    "label_amount",
)


def declared_features(
    capabilities: Iterable[str], *, strict: bool = True, planted_leak: bool = False
) -> tuple[Feature, ...]:
    """Return the features that mean something for a source with these tables.

    Examples
    --------
    >>> [f.name for f in declared_features({"gift"}) if f.group == "pair"][-1]
    'pair_gift_recency_seconds'
    """
    tables = set(capabilities)
    declared = FEATURES if strict else FEATURES + SNAPSHOT_FEATURES
    usable = tuple(f for f in declared if not f.needs or tables.intersection(f.needs))
    return (*usable, PLANTED_LEAK) if planted_leak else usable
