"""The event tables as data: columns, types, units, and the total order of their content.

Ids and times are 64-bit integers, times are Unix milliseconds UTC, money is an integer number
of the source's unit (never a float). Every event carries ``known_ts``: the first instant at
which a platform could have known the row as it is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAX_TS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
MAX_WATCH_MS = 10**12
MAX_AMOUNT = 10**12
"""Upper ends chosen so that no sum of times or of a table's amounts can leave 64 bits."""


@dataclass(frozen=True)
class Column:
    """One column: DuckDB type, unit or meaning, and the range of values that make sense."""

    name: str
    type: str
    unit: str
    nullable: bool = False
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True)
class TableSchema:
    """One stored table.

    Attributes
    ----------
    name : file stem of the Parquet file. view : its name in SQL (``like`` is a keyword there).
    columns : ordered. order : columns of the content order, which makes the row order total.
    event : whether rows are events in time, numbered by ``row_id`` in content order.
    """

    name: str
    view: str
    columns: tuple[Column, ...]
    order: tuple[str, ...]
    event: bool

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in stored order."""
        return tuple(column.name for column in self.columns)

    def empty_select(self) -> str:
        """Return SQL for a relation with these columns and no row.

        Examples
        --------
        >>> TABLES["gift"].empty_select()[:34]
        'SELECT CAST(NULL AS BIGINT) AS "ro'
        """
        casts = (f'CAST(NULL AS {c.type}) AS "{c.name}"' for c in self.columns)
        return f"SELECT {', '.join(casts)} WHERE false"


_ROW = Column("row_id", "BIGINT", "0..n-1 in content order", minimum=0)
_USER = Column("user_id", "BIGINT", "id")
_LIVE = Column("live_id", "BIGINT", "id of the room")
_STREAMER = Column("streamer_id", "BIGINT", "id")
_TS = Column("ts", "BIGINT", "ms UTC", False, 0, MAX_TS)
_KNOWN = Column("known_ts", "BIGINT", "ms UTC", minimum=0)
_SNAPSHOT = Column("snapshot_ts", "BIGINT", "ms UTC, the profile was taken here", nullable=True)

_WHO_WHERE = (_ROW, _USER, _LIVE, _STREAMER, _TS)
_WHO_WHERE_ORDER = ("ts", "user_id", "live_id", "streamer_id")

_USER_PROFILE = (
    *("age", "gender", "country", "device_brand", "device_price", "reg_timestamp"),
    *("fans_num", "follow_num", "first_watch_live_timestamp"),
    *("accu_watch_live_cnt", "accu_watch_live_duration"),
)
_STREAMER_PROFILE = (
    *("gender", "age", "country", "device_brand", "device_price", "live_operation_tag"),
    *("fans_user_num", "fans_group_fans_num", "follow_user_num", "first_live_timestamp"),
    *("accu_live_cnt", "accu_live_duration", "accu_play_cnt", "accu_play_duration"),
    "reg_timestamp",
)
_ONEHOT = tuple(f"onehot_feat{i}" for i in range(7))


def _events(name: str, *extra: Column, view: str = "") -> TableSchema:
    columns = (*_WHO_WHERE, *extra, _KNOWN)
    order = (*_WHO_WHERE_ORDER, *(column.name for column in extra))
    return TableSchema(name, view or name, columns, order, event=True)


def _texts(names: Iterable[str]) -> tuple[Column, ...]:
    return tuple(Column(name, "VARCHAR", "as published", nullable=True) for name in names)


def _flags(names: Iterable[str]) -> tuple[Column, ...]:
    return tuple(Column(name, "BIGINT", "as published", nullable=True) for name in names)


_WATCH = Column("watch_ms", "BIGINT", "ms", False, 0, MAX_WATCH_MS)
_AMOUNT = Column("amount", "BIGINT", "the source's unit", False, 0, MAX_AMOUNT)

_ROOM = TableSchema(
    "room",
    "room",
    (
        _LIVE,
        _STREAMER,
        Column("start_ts", "BIGINT", "ms UTC", False, 0, MAX_TS),
        Column("end_ts", "BIGINT", "ms UTC, absent while the room is open", True, 0, MAX_TS),
        Column("live_type", "BIGINT", "as published", nullable=True),
        Column("category", "VARCHAR", "as published", nullable=True),
        Column("title_id", "BIGINT", "row of the title embeddings", nullable=True),
    ),
    ("live_id", "start_ts", "end_ts", "streamer_id", "live_type", "category", "title_id"),
    event=False,
)
_USERS = TableSchema(
    "user",
    "users",
    (
        _USER,
        *_texts(_USER_PROFILE),
        *_flags(["is_live_streamer", "is_photo_author", *_ONEHOT]),
        _SNAPSHOT,
    ),
    ("user_id", *_USER_PROFILE, "is_live_streamer", "is_photo_author", *_ONEHOT),
    event=False,
)
_STREAMERS = TableSchema(
    "streamer",
    "streamers",
    (_STREAMER, *_texts(_STREAMER_PROFILE), *_flags(_ONEHOT), _SNAPSHOT),
    ("streamer_id", *_STREAMER_PROFILE, *_ONEHOT),
    event=False,
)
_MODERATION = TableSchema(
    "moderation",
    "moderation",
    (_ROW, _USER, _LIVE, _TS, Column("kind", "VARCHAR", "what was done"), _KNOWN),
    ("ts", "user_id", "live_id", "kind"),
    event=True,
)
_ORIGINAL = TableSchema(
    "gift_original",
    "gift_original",
    (
        Column("row_id", "BIGINT", "of the gift", minimum=0),
        Column("currency", "VARCHAR", "as published"),
        Column("original_amount", "DECIMAL(18,4)", "the currency", minimum=0),
        Column("rate", "DECIMAL(18,9)", "what one unit of the currency was worth"),
        Column("significance", "BIGINT", "ordinal, 1 (least) to 7", True, 1, 7),
        Column("body_length", "BIGINT", "characters", True, 0),
    ),
    ("row_id", "currency", "original_amount", "rate", "significance", "body_length"),
    event=False,
)
_DECISION = TableSchema(
    "decision",
    "decision",
    (
        Column("decision_id", "VARCHAR", "id, one per row of a log"),
        _USER,
        _TS,
        Column("seed", "BIGINT", "of the evening; absent outside worlds", True, 0),
        Column("visit", "BIGINT", "of the user; absent outside worlds", True, 0),
        Column("slot", "BIGINT", "of the visit", minimum=0),
        Column("candidates", "BIGINT[]", "room ids"),
        Column("action", "BIGINT", "room id, -1 nothing shown", minimum=-1),
        Column("propensity", "DOUBLE", "probability of the action, or of the slate", True),
        Column("propensity_kind", "VARCHAR", "exact or monte_carlo"),
        Column("draws", "BIGINT", "behind a monte_carlo propensity", True, 1),
        Column("propensities", "DOUBLE[]", "probability of each candidate"),
        Column("slate_id", "VARCHAR", "id, absent for a single choice", nullable=True),
        Column("position", "BIGINT", "in the slate, from 0", True, 0),
        Column("conditional_propensity", "DOUBLE", "probability given the earlier places", True),
        Column("marginal_propensity", "DOUBLE", "probability of the room in this place", True),
        Column("price_version", "VARCHAR", "id of the prices in force", nullable=True),
        Column("values", "DOUBLE[]", "estimated amount of each candidate"),
        Column("prices", "DOUBLE[]", "amount that the expected stay in each candidate costs"),
        Column("policy", "VARCHAR", "name"),
        Column("policy_version", "VARCHAR", "id of its configuration"),
        Column("reason", "VARCHAR", "code: why this room, or why none", nullable=True),
        Column("reward", "DOUBLE", "amount, absent until it is final", nullable=True),
        Column("reward_ts", "BIGINT", "ms UTC at which the reward became final", True, 0, MAX_TS),
        Column("matured", "BOOLEAN", "the reward is final"),
    ),
    ("ts", "user_id", "visit", "slot", "position"),
    event=False,
)

TABLES: dict[str, TableSchema] = {
    table.name: table
    for table in (
        _events("click", _WATCH),
        _events("gift", _AMOUNT),
        _events("gift_anonymous", _AMOUNT),
        _ORIGINAL,
        _events("comment"),
        _events("like", view="likes"),
        _events("negative"),
        _ROOM,
        _USERS,
        _STREAMERS,
        _MODERATION,
        _DECISION,
    )
}
"""Every table a store can hold, by file stem."""

EVENTS = tuple(name for name, table in TABLES.items() if table.event)
"""Tables whose rows are events in time."""
