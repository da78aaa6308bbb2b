"""The rows of the sample table before features: one per session, click or gift."""

from __future__ import annotations

from typing import Any

from giftlive.tables.local_time import SLOT_OF, stage_local_time_of
from giftlive.tables.options import TableOptions

SAMPLE_COLUMNS: dict[str, tuple[str, str]] = {
    "sample_id": ("row id of the first click (or of the gift): unique, in time order", "id"),
    "user_id": ("who decides", "id"),
    "live_id": ("the room (-1 unknown)", "id"),
    "streamer_id": ("whose room (-1 unknown)", "id"),
    "ts": ("the decision: entry of the first click, or the gift", "ms UTC"),
    "day": ("local day since 1970-01-01", "day"),
    "hour": ("local hour", "h"),
    "weekday": ("local weekday, Monday = 0", "day"),
    "label_amount": ("gifts credited to the row", "amount"),
    "label_count": ("number of gifts credited to the row", "gifts"),
    "label_known_ts": ("when the label can no longer change", "ms UTC"),
    "matured": ("label_known_ts is not after the last event of the source", "boolean"),
}
"""Columns of ``samples.parquet`` that are not features: definition and unit."""

_CLICK_UNIT = "select row_id as unit_id, row_id from label"

_SESSION_UNIT = """select min(row_id) over (partition by user_id, live_id, session) as unit_id,
       row_id
from (
  select row_id, user_id, live_id,
         sum(starts) over (partition by user_id, live_id order by row_id) as session
  from (
    select row_id, user_id, live_id,
           case when {gap} then 1 else 0 end as starts
    from label
  ) entry
) numbered"""

_AFTER_GAP = "ts - lag(ts) over (partition by user_id, live_id order by row_id) > {gap_ms}"

_SAMPLE = """create or replace table sample as
with member as ({unit}), total as (
  select unit_id, cast(sum(l.label_amount) as bigint) as label_amount,
         cast(sum(l.label_count) as bigint) as label_count,
         max(l.label_known_ts) as label_known_ts
  from member m join label l on l.row_id = m.row_id
  group by unit_id
)
select t.unit_id as sample_id, l.user_id, l.live_id, l.streamer_id, l.ts,
       c.day, c.hour, c.weekday, t.label_amount, t.label_count, t.label_known_ts,
       t.label_known_ts <= {last_ts} as matured
from total t
join label l on l.row_id = t.unit_id
join local_time c on c.slot_ts = {slot}"""


def stage_samples(con: Any, unit: str, options: TableOptions, tz: str, last_ts: int) -> None:
    """Create ``sample`` (and ``local_time``) from ``label``.

    Parameters
    ----------
    unit : "session", "click" or "gift". tz : zone of the source.
    last_ts : last event of the source in ms; labels complete by then are matured.
    """
    stage_local_time_of(con, "label", tz)
    slot = SLOT_OF.replace("ts", "l.ts")
    member = _session_unit(options.session_gap_ms) if unit == "session" else _CLICK_UNIT
    con.execute(_SAMPLE.format(unit=member, last_ts=last_ts, slot=slot))


def _session_unit(gap_ms: int | None) -> str:
    gap = "false" if gap_ms is None else _AFTER_GAP.format(gap_ms=gap_ms)
    return _SESSION_UNIT.format(gap=gap)
