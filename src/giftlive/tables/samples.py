"""The rows of the sample table before features: one per session, click or gift."""

from __future__ import annotations

from giftlive.tables.engine.protocol import Engine
from giftlive.tables.local_time import slot_of
from giftlive.tables.options import TableOptions

SAMPLE_COLUMNS: dict[str, tuple[str, str]] = {
    "sample_id": ("row id of the first click (or of the gift): unique, in time order", "id"),
    "user_id": ("who decides", "id"),
    "live_id": ("the room (-1 unknown)", "id"),
    "streamer_id": ("whose room (-1 unknown)", "id"),
    "ts": ("entry of the first click, or the gift", "ms UTC"),
    "as_of_ts": ("features know what was known strictly before it", "ms UTC"),
    "day": ("local day of the decision, since 1970-01-01", "day"),
    "day_start_ts": ("first instant of that local day", "ms UTC"),
    "hour": ("local hour of ts", "h"),
    "weekday": ("local weekday of ts, Monday = 0", "day"),
    "category": ("code of the room's category (-1 unknown)", "code"),
    "room_start_ts": ("when the room opened, if before as_of_ts (-1 unknown)", "ms UTC"),
    "label_amount": ("gifts credited to the row", "amount"),
    "label_count": ("number of gifts credited to the row", "gifts"),
    "label_known_ts": ("when the label can no longer change", "ms UTC"),
    "matured": ("label_known_ts is not after the last event of the source", "boolean"),
    "first_gift_delay_ms": ("from ts until the first credited gift was known (-1: none)", "ms"),
    "observed_ms": ("how much of the label's window, from ts on, the source holds", "ms"),
    "censored": ("the label's window ends after the last event of the source", "boolean"),
}
"""Columns of the sample table that are not features: definition and unit."""

LABEL_COLUMNS = (
    *("label_amount", "label_count", "label_known_ts", "matured"),
    *("first_gift_delay_ms", "observed_ms", "censored"),
)
"""Those that may change while more becomes known; everything else of a row stands for good."""

_OF_THE_FIRST = ("user_id", "live_id", "streamer_id", "ts")

_SAMPLE = """with several as (
  select distinct unit_id from label where row_id <> unit_id
), total as (
  select l.unit_id, l.decision_ts, {alone},
         cast(l.label_amount as bigint) as label_amount,
         cast(l.label_count as bigint) as label_count, l.label_known_ts,
         l.window_end_ts, l.first_gift_known_ts
  from label l where not exists (select 1 from several s where s.unit_id = l.unit_id)
  union all
  select l.unit_id, min(l.decision_ts), {first},
         cast(sum(l.label_amount) as bigint), cast(sum(l.label_count) as bigint),
         max(l.label_known_ts), max(l.window_end_ts), min(l.first_gift_known_ts)
  from label l join several s on s.unit_id = l.unit_id group by l.unit_id
), decision as (
  select t.*, entry.hour, entry.weekday, taken.day, taken.day_start_ts, {as_of} as as_of_ts
  from total t
  join local_time entry on entry.slot_ts = {entry_slot}
  join local_time taken on taken.slot_ts = {decision_slot}
)
select d.unit_id as sample_id, d.user_id, d.live_id, d.streamer_id, d.ts, d.as_of_ts,
       d.day, d.day_start_ts, d.hour, d.weekday,
       coalesce(r.category, cast(-1 as bigint)) as category,
       case when r.start_ts < d.as_of_ts then r.start_ts else cast(-1 as bigint) end
         as room_start_ts,
       d.label_amount, d.label_count, d.label_known_ts, d.label_known_ts <= {last_ts} as matured,
       coalesce(d.first_gift_known_ts - d.ts, cast(-1 as bigint)) as first_gift_delay_ms,
       least(d.window_end_ts, cast({last_ts} as bigint)) - d.ts as observed_ms,
       d.window_end_ts > {last_ts} as censored
from decision d
left join room_category r on r.live_id = d.live_id"""

_FIRST_WINDOW = """with event as (
  select user_id, live_id, known_ts, 1 as comments, 0 as likes, 0 as gifts,
         cast(0 as bigint) as amount from comment
  union all
  select user_id, live_id, known_ts, 0, 1, 0, cast(0 as bigint) from likes
  union all
  select user_id, live_id, known_ts, 0, 0, 1, amount from gift
), counted as (
  select s.sample_id, cast(sum(e.comments) as bigint) as comments,
         cast(sum(e.likes) as bigint) as likes, cast(sum(e.gifts) as bigint) as gifts,
         cast(sum(e.amount) as bigint) as amount
  from decided s join event e on e.user_id = s.user_id and e.live_id = s.live_id
   and e.known_ts >= s.ts and e.known_ts < s.as_of_ts
  group by s.sample_id
)
select s.*, least(k.watch_ms, s.as_of_ts - s.ts) as first_window_watch_ms,
       coalesce(c.comments, cast(0 as bigint)) as first_window_comment_count,
       coalesce(c.likes, cast(0 as bigint)) as first_window_like_count,
       coalesce(c.gifts, cast(0 as bigint)) as first_window_gift_count,
       coalesce(c.amount, cast(0 as bigint)) as first_window_gift_sum
from decided s
join click k on k.row_id = s.sample_id
left join counted c on c.sample_id = s.sample_id"""


def stage_samples(engine: Engine, options: TableOptions, last_ts: int) -> None:
    """Create ``sample`` from ``label``, ``local_time`` and ``room_category``.

    Parameters
    ----------
    last_ts : last event of the source in ms; labels complete by then are matured.
    """
    select = _SAMPLE.format(
        as_of="taken.day_start_ts" if options.as_of == "day" else "t.decision_ts",
        alone=", ".join(f"l.{name}" for name in _OF_THE_FIRST),
        first=", ".join(
            f"max(case when l.row_id = l.unit_id then l.{name} end)" for name in _OF_THE_FIRST
        ),
        entry_slot=slot_of("t.ts"),
        decision_slot=f"{slot_of('t.decision_ts')}",
        last_ts=last_ts,
    )
    if options.dwell_ms:
        engine.stage("decided", select)
        engine.stage("sample", _FIRST_WINDOW)
    else:
        engine.stage("sample", select)
