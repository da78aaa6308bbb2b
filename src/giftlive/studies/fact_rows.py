"""The compact tables from which every fact can be computed again, kept in the run folder.

No event leaves the store: what is kept is one row per user, per streamer, per local hour and per
distinct amount, watch time or daily click count. The queries are not those of ``facts``: gifts
meet their click by an ordered join here, local time comes from the calendar of Python, and
quantiles are counted. A fact that was computed wrongly does not agree with its rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from giftlive.logs.source import Source
from giftlive.logs.store import Store
from giftlive.studies.fact_tallies import fact_tallies, judged_from, retention_sql, slices_sql

AMOUNT_LEVELS = (50, 75, 90, 95, 99)
WATCH_LEVELS = (50, 90, 99)
DELAY_LEVELS = (50, 90)
_BIN_S = 900
_EPOCH = date(1970, 1, 1).toordinal()
_EVENTS = ("click", "gift", "comment", "likes", "negative")
_BUCKETS = {
    "lt5": "watch_ms < 5000",
    "5to30": "watch_ms BETWEEN 5000 AND 29999",
    "30to300": "watch_ms BETWEEN 30000 AND 300000",
    "gt300": "watch_ms > 300000",
}
_STAGE = """
CREATE TEMP TABLE session AS
SELECT user_id, live_id, min(ts) AS opens, max(ts + watch_ms) AS closes FROM click GROUP BY ALL;
CREATE TEMP TABLE touch AS
SELECT user_id, live_id, ts, arg_max(watch_ms, row_id) AS watch_ms FROM click GROUP BY ALL;
CREATE TEMP TABLE met AS
SELECT g.user_id, g.live_id, g.ts, g.amount, t.ts AS touched, t.watch_ms, s.opens, s.closes
FROM gift g
ASOF LEFT JOIN touch t ON g.user_id = t.user_id AND g.live_id = t.live_id AND g.ts >= t.ts
LEFT JOIN session s ON g.user_id = s.user_id AND g.live_id = s.live_id;
CREATE TEMP TABLE met_room AS
SELECT user_id, live_id, count(*) AS n, any_value(opens) AS opens, any_value(closes) AS closes,
    min(ts) FILTER (touched IS NOT NULL) AS first_ts
FROM met GROUP BY user_id, live_id;
CREATE TEMP TABLE pair AS
SELECT user_id, streamer_id, min(local_day) AS local_day, min(utc_day) AS utc_day, count(*) AS n,
    sum(amount) AS amount
FROM gift JOIN calendar ON bin = ts // 900000 WHERE streamer_id >= 0
GROUP BY user_id, streamer_id;
CREATE TEMP TABLE numbered AS
SELECT user_id, amount, row_number() OVER (PARTITION BY user_id ORDER BY ts, row_id) AS place
FROM gift;
CREATE TEMP VIEW lagged AS
SELECT user_id, ts - touched AS lag_ms FROM met WHERE touched IS NOT NULL;
CREATE TEMP VIEW placed AS
SELECT user_id, least((first_ts - opens) * 1000 // greatest(closes - opens, 1), 1000) AS permille
FROM met_room WHERE first_ts IS NOT NULL;
"""
_HISTORY = """
SELECT user_id,
    count(*) FILTER (gifts = 0 AND known) AS clicks_with{z},
    count(*) FILTER (gifts = 0 AND NOT known) AS clicks_without{z},
    count(*) FILTER (gifts = 1 AND known) AS gifts_with{z},
    count(*) FILTER (gifts = 1 AND NOT known) AS gifts_without{z},
    sum(amount) FILTER (known) AS amount_with{z},
    sum(amount) FILTER (NOT known) AS amount_without{z}
FROM (
    SELECT e.user_id, e.gifts, e.amount, p.streamer_id IS NOT NULL AS known
    FROM (
        SELECT user_id, streamer_id, ts, 0 AS gifts, 0 AS amount FROM click
        UNION ALL
        SELECT user_id, streamer_id, ts, 1, amount FROM gift WHERE streamer_id >= 0
    ) e JOIN calendar c ON c.bin = e.ts // 900000
    LEFT JOIN pair p ON p.user_id = e.user_id AND p.streamer_id = e.streamer_id
        AND p.{day} < c.{day}
    WHERE c.{day} >= {start}
) GROUP BY user_id
"""

Columns = dict[str, Any]


def fact_rows(store: Store) -> Iterator[tuple[str, Columns]]:
    """Yield the name and the columns of every table that the facts can be computed from.

    Yields
    ------
    ``amounts``, ``watch_times`` (rows by distinct value) · ``hours`` (rows by local day and
    hour) · ``daily_clicks`` (streamers by day and number of clicks) · the tallies of
    ``fact_tallies`` · ``streamers`` · ``users``.
    """
    con = store.connect()
    try:
        con.register("calendar", _calendar(con, store.source))
        con.execute(_STAGE)
        amounts = _fetch(con, "SELECT amount, count(*) AS gifts FROM gift GROUP BY 1 ORDER BY 1")
        watch = _fetch(con, "SELECT watch_ms, count(*) AS clicks FROM click GROUP BY 1 ORDER BY 1")
        yield "amounts", amounts
        yield "watch_times", watch
        yield "hours", _hours(con)
        yield "daily_clicks", _daily_clicks(con)
        tallies = {name: _fetch(con, sql) for name, sql in fact_tallies(store.source)}
        yield from tallies.items()
        yield "streamers", _streamers(con)
        values = {"amounts": amounts, "watch_times": watch} | tallies
        yield "users", _users(con, store.source, values)
    finally:
        con.close()


def _fetch(con: Any, sql: str) -> Columns:
    table = con.sql(sql).to_arrow_table()
    return {name: table.column(name) for name in table.column_names}


def _calendar(con: Any, source: Source) -> Any:
    """Return the local day, hour and weekday, and the UTC day, of every quarter of an hour."""
    import pyarrow as pa

    union = " UNION ".join(f"SELECT ts // {_BIN_S * 1000} AS bin FROM {view}" for view in _EVENTS)
    bins = [row[0] for row in con.execute(f"{union} ORDER BY 1").fetchall()]
    local = [datetime.fromtimestamp(b * _BIN_S, ZoneInfo(source.tz)) for b in bins]
    return pa.table(
        {
            "bin": pa.array(bins, pa.int64()),
            "local_day": pa.array([t.toordinal() - _EPOCH for t in local], pa.int64()),
            "hour": pa.array([t.hour for t in local], pa.int64()),
            "weekday": pa.array([t.weekday() for t in local], pa.int64()),
            "utc_day": pa.array([b * _BIN_S // 86400 for b in bins], pa.int64()),
        }
    )


def _hours(con: Any) -> Columns:
    return _fetch(
        con,
        "SELECT local_day AS day, weekday, hour, sum(c)::BIGINT AS clicks, sum(q)::BIGINT AS quiet,"
        " sum(g)::BIGINT AS gifts, sum(a)::BIGINT AS amount, sum(s)::BIGINT AS skips FROM ("
        " SELECT ts, 1 AS c, (m.n IS NULL)::INT AS q, 0 AS g, 0 AS a, 0 AS s"
        " FROM click LEFT JOIN met_room m USING (user_id, live_id)"
        " UNION ALL SELECT ts, 0, 0, 1, amount, 0 FROM gift"
        " UNION ALL SELECT ts, 0, 0, 0, 0, 1 FROM negative"
        ") JOIN calendar ON bin = ts // 900000 GROUP BY ALL ORDER BY ALL",
    )


def _daily_clicks(con: Any) -> Columns:
    """Return how many streamers had so many clicks on a day, by local and by UTC days."""
    parts = " UNION ALL ".join(
        f"SELECT '{zone}' AS zone, {zone}_day AS day, count(*) AS clicks"
        " FROM click JOIN calendar ON bin = ts // 900000"
        f" GROUP BY {zone}_day, streamer_id"
        for zone in ("local", "utc")
    )
    return _fetch(
        con,
        "SELECT zone, day, clicks, count(*) AS streamers"
        f" FROM ({parts}) GROUP BY ALL ORDER BY zone, day, clicks",
    )


def _streamers(con: Any) -> Columns:
    parts = {
        "profile": "SELECT streamer_id, 1 AS profiled FROM streamers GROUP BY ALL",
        "clicked": "SELECT streamer_id, count(*) AS clicks, sum(watch_ms) AS watch_ms"
        " FROM click GROUP BY ALL",
        "commented": "SELECT streamer_id, count(*) AS comments FROM comment GROUP BY ALL",
        "liked": "SELECT streamer_id, count(*) AS likes FROM likes GROUP BY ALL",
        "given": "SELECT streamer_id, count(*) AS gifts, sum(amount) AS amount"
        " FROM gift GROUP BY ALL",
    }
    return _joined(con, "streamer_id", parts)


def _users(con: Any, source: Source, values: dict[str, Columns]) -> Columns:
    parts = {
        **_clicks_of_users(values["watch_times"]),
        "gave": _gifts_of_users(values["amounts"]),
        **_meetings_of_users(values),
        **_pairs_of_users(),
        "history": _history(source, source.tz, "local_day", ""),
        "history_utc": _history(source, "UTC", "utc_day", "_utc"),
        **{f"slices_{whose}": slices_sql(source, whose) for whose in ("user", "streamer")},
        "returned": retention_sql(source),
    }
    return _joined(con, "user_id", parts)


def _clicks_of_users(watch: Columns) -> dict[str, str]:
    return {
        "clicked": "SELECT user_id, count(*) AS clicks, count(DISTINCT live_id) AS sessions,"
        " count(DISTINCT streamer_id) AS clicked_streamers,"
        f" sum(watch_ms) AS watch_ms, {_by_bucket('count(*)', 'clicks')},"
        f" {_below('watch_ms', 'watch', watch, 'clicks', WATCH_LEVELS)} FROM click GROUP BY ALL",
        "commented": "SELECT user_id, count(*) AS comments FROM comment GROUP BY ALL",
        "liked": "SELECT user_id, count(*) AS likes FROM likes GROUP BY ALL",
        "passed": "SELECT user_id, count(*) AS negatives FROM negative GROUP BY ALL",
        "watched": "SELECT user_id, count(*) FILTER (w > 0) AS watched_streamers,"
        " max(w) AS watch_top, sum(w) AS watch_known, max(one) AS watch_one,"
        " count(*) AS clicked_pairs, count(*) FILTER (first < last) AS returning_pairs"
        " FROM (SELECT user_id, streamer_id, sum(watch_ms) AS w, max(watch_ms) AS one,"
        " min(live_id) AS first, max(live_id) AS last"
        " FROM click WHERE streamer_id >= 0 GROUP BY ALL) GROUP BY ALL",
    }


def _gifts_of_users(amounts: Columns) -> str:
    pairs = zip(amounts["amount"].to_pylist(), amounts["gifts"].to_pylist(), strict=True)
    atoms = [str(amount) for amount, _ in sorted(pairs, key=lambda pair: (-pair[1], pair[0]))]
    frequent = ", ".join(
        f"count(*) FILTER (amount IN ({', '.join(atoms[:top]) or 'NULL'})) AS gifts_atom_top{top}"
        for top in (1, 5)
    )
    return (
        "SELECT user_id, count(*) AS gifts, sum(amount) AS amount,"
        " sum(amount::DOUBLE * amount) AS amount_square,"
        " count(*) FILTER (live_id < 0) AS gifts_unplaced,"
        f" count(*) FILTER (amount = 1) AS gifts_eq_1, {frequent},"
        + " ".join(f"count(*) FILTER (amount <= {x}) AS gifts_le_{x}," for x in (2, 5, 10, 20))
        + f" {_below('amount', 'amount', amounts, 'gifts', AMOUNT_LEVELS)} FROM gift GROUP BY ALL"
    )


def _meetings_of_users(values: dict[str, Columns]) -> dict[str, str]:
    """Return what the gifts of a user have to do with the clicks of the same room."""
    return {
        "met": "SELECT user_id, count(*) FILTER (touched = ts) AS gifts_at_click,"
        " count(*) FILTER (opens IS NULL) AS gifts_orphan,"
        " count(*) FILTER (touched < ts) AS gifts_lagged,"
        " count(*) FILTER (opens > ts) AS gifts_early,"
        f" {_by_bucket('count(*)', 'gifts')}, {_by_bucket('sum(amount)', 'amount')}"
        " FROM met GROUP BY ALL",
        "met_rooms": "SELECT user_id, count(opens) AS gift_sessions,"
        " count(*) FILTER (live_id >= 0) AS gift_rooms,"
        " count(*) FILTER (live_id >= 0 AND n > 1) AS multi_gift_rooms,"
        " count(opens) FILTER (n > 1) AS multi_gift_sessions,"
        " count(first_ts) AS timed_sessions,"
        " count(*) FILTER (10 * (first_ts - opens) <= closes - opens) AS first_tenth_sessions"
        " FROM met_room GROUP BY ALL",
        "timed": "SELECT user_id, count(*) AS gifts_timed,"
        f" {_below('lag_ms', 'delay', values['delays'], 'gifts_timed', DELAY_LEVELS)}"
        " FROM lagged GROUP BY ALL",
        "placed": "SELECT user_id, count(*) AS sessions_placed,"
        f" {_below('permille', 'position', values['positions'], 'sessions_placed', (50,))}"
        " FROM placed GROUP BY ALL",
    }


def _pairs_of_users() -> dict[str, str]:
    return {
        "paired": "SELECT user_id, count(*) AS pairs, sum(n) AS pair_gifts,"
        " count(*) FILTER (n > 1) AS repeated_pairs, max(n) AS pair_gifts_top,"
        " sum(amount) FILTER (n > 1) AS amount_repeated,"
        " count(*) FILTER (amount > 0) AS paid_streamers, max(amount) AS amount_top,"
        " sum(amount) AS amount_known FROM pair GROUP BY ALL",
        "largest": "SELECT user_id, max(amount) AS amount_one FROM gift"
        " WHERE streamer_id >= 0 GROUP BY ALL",
    }


def _by_bucket(what: str, name: str) -> str:
    return ", ".join(f"{what} FILTER ({rows}) AS {name}_{b}" for b, rows in _BUCKETS.items())


def _below(column: str, name: str, values: Columns, count: str, levels: tuple[int, ...]) -> str:
    """Return SQL that counts the rows below, and at or below, every quantile of ``column``."""
    x = np.asarray(values[column]).astype(np.int64)
    upto = np.cumsum(np.asarray(values[count]).astype(np.int64))
    if not len(x):
        return f"min({column}) AS {name}_lowest"
    points = [(p, x[np.searchsorted(upto * 100, p * upto[-1])]) for p in levels]
    return ", ".join(
        f"count(*) FILTER ({column} {sign} {at}) AS {name}_{side}_p{p}"
        for p, at in points
        for side, sign in (("under", "<"), ("upto", "<="))
    )


def _history(source: Source, tz: str, day: str, ending: str) -> str:
    """Return SQL that counts the last third of the days by the pair's gifts on earlier days."""
    return _HISTORY.format(z=ending, day=day, start=judged_from(source, tz))


def _joined(con: Any, key: str, parts: dict[str, str]) -> Columns:
    """Return one row per ``key`` with the columns of every part, 0 where a part has no row."""
    ids = " UNION ".join(f"SELECT {key} FROM ({sql})" for sql in parts.values())
    joins = " ".join(f"LEFT JOIN ({sql}) {name} USING ({key})" for name, sql in parts.items())
    found = con.sql(f"SELECT * FROM ({ids}) {joins} ORDER BY {key}").to_arrow_table()
    columns = {}
    for name in found.column_names:
        numbers = found.column(name).fill_null(0)
        columns[name] = numbers.cast("double" if name == "amount_square" else "int64")
    return columns
