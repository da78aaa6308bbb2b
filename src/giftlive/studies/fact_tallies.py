"""Counts by group from which facts and figures can be computed again: SQL over a staged store.

The queries are not those of ``facts``: history is counted event by event in windows over ranges
of days, returns by windows over following days, and local time comes from the calendar.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from giftlive.logs.source import Source

LAGS = (1, 2, 3, 5, 7, 14)
_EPOCH = date(1970, 1, 1).toordinal()
_KEYS = {"user": "user_id", "streamer": "streamer_id", "pair": "user_id, streamer_id"}
_EVENTS = """
    SELECT user_id, streamer_id, ts, 1 AS clicks, 0 AS gifts, 0 AS amount FROM click
    UNION ALL
    SELECT user_id, streamer_id, ts, 0, 1, amount FROM gift WHERE streamer_id >= 0
"""
_BEFORE = """
SELECT '{whose}' AS whose,
    CASE WHEN known = 0 THEN '0' WHEN known = 1 THEN '1' WHEN known < 5 THEN '2-4'
        WHEN known < 20 THEN '5-19' WHEN known < 100 THEN '20-99' ELSE '>= 100' END AS before,
    sum(clicks)::BIGINT AS clicks, sum(gifts)::BIGINT AS gifts, sum(amount)::BIGINT AS amount
FROM (
    SELECT e.*, c.local_day AS day, coalesce(sum(clicks) OVER (PARTITION BY {key}
        ORDER BY c.local_day RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS known
    FROM ({events}) e JOIN calendar c ON c.bin = e.ts // 900000
) WHERE day >= {start} GROUP BY ALL
"""
_SLICES = """
SELECT user_id, {sums} FROM (
    SELECT e.*, c.local_day AS day, coalesce(sum(gifts) OVER (PARTITION BY {key}
        ORDER BY c.local_day RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) > 0 AS known
    FROM ({events}) e JOIN calendar c ON c.bin = e.ts // 900000
) WHERE day >= {start} GROUP BY user_id
"""
_RETURNED = """
SELECT user_id, {sums} FROM (
    SELECT user_id, day, {ahead} FROM (
        SELECT DISTINCT user_id, local_day AS day FROM {view} JOIN calendar ON bin = ts // 900000
    )
) GROUP BY user_id
"""
_LAG_CLASSES = """
SELECT CASE WHEN opens IS NULL THEN 7 WHEN touched IS NULL THEN 6 WHEN touched = ts THEN 0
        WHEN ts - touched <= 60000 THEN 1 WHEN ts - touched <= 300000 THEN 2
        WHEN ts - touched <= 900000 THEN 3 WHEN ts - touched <= 3600000 THEN 4 ELSE 5 END AS place,
    count(*) AS gifts, sum(amount)::BIGINT AS amount
FROM met GROUP BY place ORDER BY place
"""


def fact_tallies(source: Source) -> Iterator[tuple[str, str]]:
    """Yield the name and the SQL of every table of counts by group.

    Yields
    ------
    ``sizes`` (one row) · ``lags`` (gifts by time after the click) · ``delays``, ``positions``
    (rows by distinct value) · ``next_amounts`` (a gift and the user's next, by distinct pair) ·
    ``pair_gifts`` (pairs by number of gifts) · ``cold_start`` (by clicks on earlier days) ·
    ``categories``.
    """
    yield "sizes", _sizes(source)
    yield "lags", _LAG_CLASSES
    yield "delays", "SELECT lag_ms, count(*) AS gifts_timed FROM lagged GROUP BY 1 ORDER BY 1"
    yield (
        "positions",
        "SELECT permille, count(*) AS sessions_placed FROM placed GROUP BY 1 ORDER BY 1",
    )
    yield (
        "next_amounts",
        "SELECT a.amount AS previous, b.amount AS next, count(*) AS pairs FROM numbered a"
        " JOIN numbered b ON a.user_id = b.user_id AND b.place = a.place + 1"
        " GROUP BY ALL ORDER BY ALL",
    )
    yield (
        "pair_gifts",
        "SELECT n AS gifts, count(*) AS pairs, sum(amount)::BIGINT AS amount FROM pair"
        " GROUP BY n ORDER BY n",
    )
    start = judged_from(source, source.tz)
    yield (
        "cold_start",
        " UNION ALL ".join(
            _BEFORE.format(whose=whose, key=key, events=_EVENTS, start=start)
            for whose, key in _KEYS.items()
        ),
    )
    yield "categories", _categories()


def _sizes(source: Source) -> str:
    opens, closes = _local(source, 0), _local(source, 1)
    return (
        "SELECT (SELECT count(*) FROM room) AS rooms,"
        " (SELECT count(*) FROM gift_anonymous) AS gifts_anonymous,"
        f" {opens.toordinal() - _EPOCH} AS first_day, {closes.toordinal() - _EPOCH} AS last_day,"
        f" {opens.hour} AS first_hour, {closes.hour} AS last_hour"
    )


def _categories() -> str:
    """Return SQL that labels every click and gift by the category of its room."""
    return (
        "SELECT category, sum(c)::BIGINT AS clicks, sum(g)::BIGINT AS gifts,"
        " sum(a)::BIGINT AS amount FROM ("
        "SELECT live_id, 1 AS c, 0 AS g, 0 AS a FROM click"
        " UNION ALL SELECT live_id, 0, 1, amount FROM gift WHERE live_id >= 0"
        ") JOIN (SELECT live_id, min(category) AS category FROM room"
        " SEMI JOIN (SELECT live_id FROM click UNION SELECT live_id FROM gift) USING (live_id)"
        " GROUP BY live_id)"
        " USING (live_id) WHERE category IS NOT NULL GROUP BY category ORDER BY category"
    )


def slices_sql(source: Source, whose: str) -> str:
    """Return SQL that counts the judged days by gifts of the user or streamer on earlier days."""
    sums = ", ".join(
        f"sum({column}) FILTER ({condition}) AS {column}_{side}_{whose}"
        for column in ("clicks", "gifts", "amount")
        for side, condition in (("with", "known"), ("without", "NOT known"))
    )
    start = judged_from(source, source.tz)
    return _SLICES.format(sums=sums, key=_KEYS[whose], events=_EVENTS, start=start)


def retention_sql(source: Source) -> str:
    """Return SQL that counts the days of a user that can be followed, and those that are."""
    end = _local(source, 1)
    last = end.toordinal() - _EPOCH - (end.hour != 23)
    ahead = ", ".join(
        f"count(*) OVER (PARTITION BY user_id ORDER BY day"
        f" RANGE BETWEEN {k} FOLLOWING AND {k} FOLLOWING) AS ahead_{k}"
        for k in LAGS
    )
    sums = ", ".join(
        f"count(*) FILTER (day <= {last - k}) AS days_d{k},"
        f" count(*) FILTER (day <= {last - k} AND ahead_{k} > 0) AS returned_d{k}"
        for k in LAGS
    )
    view = "click" if "click" in source.capabilities else "gift"
    return _RETURNED.format(sums=sums, ahead=ahead, view=view)


def judged_from(source: Source, tz: str) -> int:
    """Return the first day of the last third of the days."""
    first, last = (
        datetime.fromtimestamp(ts / 1000, UTC).astimezone(ZoneInfo(tz)).toordinal() - _EPOCH
        for ts in source.window
    )
    return last + 1 - max((last + 1 - first) // 3, 1)


def _local(source: Source, end: int) -> datetime:
    return datetime.fromtimestamp(source.window[end] / 1000, UTC).astimezone(ZoneInfo(source.tz))
