"""The logs as the facts see them: one connection, its capabilities, zone, unit and users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from giftlive.facts.fact import Quantity
from giftlive.logs.store import Store
from giftlive.stats.coverage_table import measured_this_uneven
from giftlive.stats.print_rule import UNMEASURED
from giftlive.types import Ints

_USERS = " UNION ".join(
    f"SELECT DISTINCT user_id FROM {view}"
    for view in ("click", "gift", "comment", "likes", "negative")
)
_STREAMERS = """
SELECT greatest(
    (SELECT count(DISTINCT streamer_id) FROM streamers),
    (SELECT count(*) FROM (
        SELECT DISTINCT streamer_id FROM click
        UNION SELECT DISTINCT streamer_id FROM gift WHERE streamer_id >= 0
    ))
) AS n
"""
_GIFT_CLICK = """
CREATE OR REPLACE TEMP TABLE gift_click AS
SELECT g.row_id, g.user_id, g.live_id, g.streamer_id, g.ts, g.amount,
    count(c.row_id) AS clicks,
    coalesce(bool_or(c.ts = g.ts), false) AS at_click,
    max(c.ts) FILTER (WHERE c.ts <= g.ts) AS click_ts,
    arg_max(c.watch_ms, c.row_id) FILTER (WHERE c.ts <= g.ts) AS watch_ms,
    min(c.ts) AS first_ts,
    max(c.ts + c.watch_ms) AS last_ts
FROM gift g LEFT JOIN click c ON c.user_id = g.user_id AND c.live_id = g.live_id
GROUP BY ALL
"""


@dataclass(frozen=True)
class Evidence:
    """A prepared connection and what is known about its rows.

    Attributes
    ----------
    con : the views of a store, plus the temporary table ``gift_click`` (one row per gift: the
        last click of the same user and room at or before it, and the bounds of the session).
    tables : those with rows. window : first and last event, ms UTC.
    users : ids with at least one event, ascending.
    streamers : how many there are: the profiles, or those with an event where these are more.
    measured : whether a population of the coverage table stands for its givers.
    rejects : rows set aside at ingest, by table and reason. rows : stored rows by table.
    notes : what the reader says of them, "table: sentence".
    """

    con: duckdb.DuckDBPyConnection
    tables: frozenset[str]
    tz: str
    unit: str
    window: tuple[int, int]
    users: Ints
    streamers: int
    measured: bool
    rejects: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @staticmethod
    def of(store: Store) -> Evidence:
        """Open ``store`` and prepare what several facts share."""
        con, source = store.connect(), store.source
        con.execute(_GIFT_CLICK)
        users = _fetch(con, _USERS)["user_id"]
        return Evidence(
            con,
            source.capabilities,
            source.tz,
            source.unit,
            source.window,
            np.unique(users),
            int(_fetch(con, _STREAMERS)["n"][0]),
            source.live_platform and _as_even_as_measured(con, source.window),
            source.rejects,
            source.rows,
            source.notes,
        )

    def tail(self, quantity: Quantity) -> str:
        """Return the measured tail that stands for a quantity of this source.

        The populations behind the table follow one live platform. Another kind of source has none,
        nor has a source whose givers were more uneven in the first half of its window.
        """
        return UNMEASURED if quantity.money and not self.measured else quantity.tail

    def lacks(self, needs: tuple[str, ...]) -> str:
        """Return why a fact that ``needs`` these tables has no value, or an empty text."""
        missing = [name for name in needs if name not in self.tables]
        return f"this source has no {' and no '.join(missing)} rows" if missing else ""

    def columns(self, sql: str) -> dict[str, NDArray[Any]]:
        """Return the columns of a query as arrays of whole numbers, floats or truths.

        Every aggregate must be cast to BIGINT or be free of NULL: an absent value has no place
        in an array.
        """
        return _fetch(self.con, sql)

    def row(self, sql: str) -> tuple[Any, ...]:
        """Return the single row of a query."""
        found = self.con.execute(sql).fetchone()
        return () if found is None else tuple(found)


def _as_even_as_measured(con: duckdb.DuckDBPyConnection, window: tuple[int, int]) -> bool:
    """Return whether the givers of the window's first half are within the measured spread."""
    middle = (window[0] + window[1]) // 2
    sql = f"SELECT sum(amount)::DOUBLE AS total FROM gift WHERE ts < {middle} GROUP BY user_id"
    total = _fetch(con, sql)["total"]
    return len(total) < 2 or not total.std() > 0.0 or measured_this_uneven("gift", total)


def _fetch(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, NDArray[Any]]:
    columns = con.execute(sql).fetchnumpy()
    return {name: np.ma.getdata(column) for name, column in columns.items()}
