"""The logs in order of time, one day after the other, and the candidates that follow from them.

Memory is that of the rooms, plus one day of events and one chunk of decisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.clock import MS_PER_DAY
from giftlive.tables.candidates.options import CandidateOptions
from giftlive.tables.candidates.popularity import APPLIED, EXPIRED
from giftlive.tables.candidates.retrieval import (
    Events,
    Quotas,
    Rows,
    Sweep,
    catch_up,
    empty_rows,
    quotas_of,
    retrieve,
    start_sweep,
)
from giftlive.tables.candidates.rooms import OPEN, Contradictions, RoomIndex, position
from giftlive.types import Ints

POINTS = "decision_point"
"""The staged relation of decisions: sample_id, user_id, live_id, streamer_id, ts, label_amount."""

_CELLS = 1_000_000

_CATEGORY = """create or replace table category_code as
select category, row_number() over (order by category) - 1 as code
from (select distinct category from room where category is not null) named"""

_ROOMS = f"""select r.live_id, r.streamer_id, r.start_ts, coalesce(r.end_ts, {OPEN}) as end_ts,
       coalesce(c.code, -1) as category
from room r left join category_code c on c.category = r.category
order by r.live_id, r.start_ts, r.streamer_id, category, end_ts"""

_STREAMERS = """select distinct streamer_id from (
  select streamer_id from click union all select streamer_id from gift
) actor"""

_DAYS = f"""select distinct ts - ts % {MS_PER_DAY} as day_ts from (
  select ts from {POINTS} union all select ts from click union all select known_ts as ts from gift
) moment order by day_ts"""

_CLICK_DAYS = f"select distinct ts - ts % {MS_PER_DAY} as day_ts from click order by day_ts"

_ENTRIES = """select ts, user_id, live_id, streamer_id from click
where ts >= {start} and ts < {end} order by ts, row_id"""

_GIFTS = """select known_ts, user_id, streamer_id from gift
where known_ts >= {start} and known_ts < {end} order by known_ts, row_id"""

_POINTS_OF = f"""select sample_id, user_id, live_id, streamer_id, ts, label_amount from {POINTS}
where ts >= {{start}} and ts < {{end}} order by ts, sample_id"""


@dataclass(frozen=True)
class Retrieved:
    """Decisions [n] in order of (ts, sample_id), and what was retrieved for each.

    ``live_id``, ``streamer_id`` and ``label_amount`` are of the room that was chosen.
    """

    sample_id: Ints
    user_id: Ints
    live_id: Ints
    streamer_id: Ints
    ts: Ints
    label_amount: Ints
    rows: Rows

    def __len__(self) -> int:
        return len(self.ts)


def columns(con: Any, sql: str) -> dict[str, Ints]:
    """Return the integer columns of a query."""
    found = con.execute(sql).fetchnumpy()
    return {name: np.asarray(values, dtype=np.int64) for name, values in found.items()}


def load_rooms(con: Any, last_ts: int) -> RoomIndex:
    """Return the index of the rooms of a source whose last event is at ``last_ts``.

    Streamers without a room have a place in it too: whether a user remembers one must not depend
    on rooms that open later.
    """
    con.execute(_CATEGORY)
    rooms = columns(con, _ROOMS)
    actors = columns(con, _STREAMERS)["streamer_id"]
    return RoomIndex.of(
        rooms["live_id"],
        rooms["streamer_id"],
        rooms["start_ts"],
        rooms["end_ts"],
        last_ts=last_ts,
        category=rooms["category"],
        streamers=actors,
    )


def click_contradictions(con: Any, index: RoomIndex) -> Contradictions:
    """Count every click of the source against the intervals of its room."""
    total = Contradictions()
    for day in columns(con, _CLICK_DAYS)["day_ts"].tolist():
        clicks = columns(con, _ENTRIES.format(start=day, end=day + MS_PER_DAY))
        total += index.contradictions(clicks["live_id"], clicks["ts"])
    return total


def retrieved(con: Any, index: RoomIndex, options: CandidateOptions) -> Iterator[Retrieved]:
    """Yield the candidates of every row of ``decision_point``, in order of (ts, sample_id)."""
    users = columns(con, f"select distinct user_id from {POINTS} order by user_id")["user_id"]
    categories = int(index.category.max(initial=-1)) + 1
    quotas = quotas_of(options, index)
    sweep = start_sweep(index, len(users), categories, options)
    events = _no_events()
    for day in columns(con, _DAYS)["day_ts"].tolist():
        span = {"start": day, "end": day + MS_PER_DAY}
        events = _next_events(con, index, users, events, sweep, span)
        points = columns(con, _POINTS_OF.format(**span))
        yield from _chunks(sweep, events, quotas, users, points)
        catch_up(sweep, events, span["end"], quotas)


def _chunks(
    sweep: Sweep, events: Events, quotas: Quotas, users: Ints, points: dict[str, Ints]
) -> Iterator[Retrieved]:
    certain = quotas.gifted + quotas.entered + quotas.popular + quotas.category + quotas.newcomers
    width = max(1, min(certain + quotas.uniform, len(sweep.live.place)))
    step = max(1, _CELLS // width)
    for first in range(0, len(points["ts"]), step):
        part = {name: values[first : first + step] for name, values in points.items()}
        rows = empty_rows(len(part["ts"]), width)
        user = position(users, part["user_id"])
        retrieve(sweep, events, quotas, user, part["user_id"], part["ts"], rows)
        yield Retrieved(**part, rows=rows)


def _no_events() -> Events:
    times, codes = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
    cursor = np.zeros(2, dtype=np.int64)
    return Events(times, codes, codes, codes, codes, times, codes, codes, cursor)


def _next_events(
    con: Any, index: RoomIndex, users: Ints, held: Events, sweep: Sweep, span: dict[str, int]
) -> Events:
    """Return a day's events after the entries that are still in the window of popularity."""
    cursor = sweep.popularity.cursor
    gone = int(cursor[EXPIRED])
    entries, gifts = (columns(con, sql.format(**span)) for sql in (_ENTRIES, _GIFTS))

    def after(kept: Any, new: Any) -> Any:
        return np.concatenate([kept[gone:], new])

    room = index.room_of(entries["live_id"])
    read = held.cursor - np.array([gone, len(held.gift_ts)])
    cursor[[APPLIED, EXPIRED]] -= gone
    return Events(
        after(held.entry_ts, entries["ts"]),
        after(held.entry_user, position(users, entries["user_id"])),
        after(held.entry_room, room),
        after(held.entry_category, index.category_at(room, entries["ts"])),
        after(held.entry_streamer, position(index.streamer_id, entries["streamer_id"])),
        gifts["known_ts"],
        position(users, gifts["user_id"]),
        position(index.streamer_id, gifts["streamer_id"]),
        read,
    )
