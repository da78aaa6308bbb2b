"""Another future: what became known from a cut on, given to others, changed and thinned.

The past stays as it is, to the millisecond: a click that is open at the cut keeps its entry and
gets another end. Of the later rows at most ``LATER_ROWS`` of a table are kept: to lose a row is
a change too, and what is left is small enough to shuffle.
"""

from __future__ import annotations

import numpy as np

from giftlive.tables.engine.duck import DuckEngine
from giftlive.types import Ints

LATER_ROWS = 40_000
"""Rows of a table known at or after a cut that go into the other future, before thinning."""

EVENT_VIEWS = ("click", "gift", "gift_anonymous", "comment", "likes", "negative")

Columns = dict[str, Ints]

_ROOM = """with marked as (select *, {unmet} as unmet from near_room)
select * exclude (unmet) replace (
    case when start_ts >= {cut} then start_ts + 1000 * (1 + live_id % 977) else start_ts end
      as start_ts,
    case when end_ts >= {cut} then null else end_ts end as end_ts,
    case when unmet then -1 - live_type else live_type end as live_type,
    case when unmet then lag(category) over (order by live_id, start_ts) else category end
      as category)
from marked where not (unmet and live_id % 2 = 0)"""


def later_rows(engine: DuckEngine, view: str, cut: int, rng: np.random.Generator) -> Columns:
    """Return the rows of ``view`` in another future: those known at or after ``cut``."""
    later = f"from logged_{view} where known_ts >= {cut}"
    open_now = f"ts < {cut}" if view == "click" else "false"
    step = 1 + engine.rows(f"select count(*) {later} and not ({open_now})")[0][0] // LATER_ROWS
    found = engine.columns(
        f"select * {later} and ({open_now} or row_id % {step} = 0) order by row_id"
    )
    rows = {name: np.array(column, dtype=np.int64) for name, column in found.items()}
    return _changed(rows, cut if view == "click" else None, rng)


def _changed(rows: Columns, cut: int | None, rng: np.random.Generator) -> Columns:
    """Return half of the rows, shuffled and changed; viewings open at ``cut`` end elsewhere."""
    later = np.arange(len(rows["ts"]))
    if cut is not None:
        viewings = np.flatnonzero(rows["ts"] < cut)
        later = np.setdiff1d(later, viewings)
        _end_elsewhere(rows, rng.permutation(viewings))
    shuffled = rng.permutation(later)
    rows["user_id"][later] = rows["user_id"][shuffled]
    shuffled = rng.permutation(later)
    for name in ("live_id", "streamer_id"):
        rows[name][later] = rows[name][shuffled]
    if "amount" in rows:
        rows["amount"][later] = rows["amount"][rng.permutation(later)] + 1
    keep = np.ones(len(rows["ts"]), dtype=np.bool_)
    keep[rng.permutation(later)[: (len(later) + 1) // 2]] = False
    return {name: column[keep] for name, column in rows.items()}


def _end_elsewhere(rows: Columns, viewings: Ints) -> None:
    """Let every viewing end a minute after another one did."""
    ends = rows["known_ts"][np.roll(viewings, 1)] + 60_000
    rows["known_ts"][viewings] = ends
    rows["watch_ms"][viewings] = ends - rows["ts"][viewings]


def changed_rooms_sql(cut: int) -> str:
    """Return SQL for ``near_room`` in another future: later openings and ends move.

    A room that nobody has met before the cut gets another category and type, or never opens. One
    that was met keeps them: they are declared as fixed. The views are those of the other future.
    """
    met = " union ".join(f"select live_id from {view} where ts < {cut}" for view in EVENT_VIEWS)
    once = f"live_id not in (select live_id from near_room where start_ts < {cut})"
    unmet = (
        f"(start_ts >= {cut} and {once} and live_id not in ({met} union select live_id from tried))"
    )
    return _ROOM.format(cut=cut, unmet=unmet)
