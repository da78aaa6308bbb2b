"""Sessions: which entries are one decision, and when it is taken.

A session is one user's entries into one room; a new one starts when two entries are further
apart than the gap. Its decision is taken at the first entry, or a fixed dwell after it.
"""

from __future__ import annotations

from giftlive.tables.engine.protocol import Engine
from giftlive.tables.options import TableOptions

_ONE_EACH = "select row_id, row_id as unit_id, ts + {dwell_ms} as decision_ts from {view}"

_WHOLE = """select row_id, min(row_id) over room as unit_id,
       min(ts) over room + {dwell_ms} as decision_ts
from click
window room as (partition by user_id, live_id)"""

_SESSION = """select row_id,
       min(row_id) over (partition by user_id, live_id, session) as unit_id,
       min(ts) over (partition by user_id, live_id, session) + {dwell_ms} as decision_ts
from (
  select row_id, user_id, live_id, ts,
         sum(starts) over (partition by user_id, live_id order by row_id
                           rows between unbounded preceding and current row) as session
  from (
    select row_id, user_id, live_id, ts, case when {gap} then 1 else 0 end as starts
    from click
  ) entry
) numbered"""

_AFTER_GAP = "ts - lag(ts) over (partition by user_id, live_id order by row_id) > {gap_ms}"


def stage_sessions(engine: Engine, unit: str, options: TableOptions) -> None:
    """Create ``member(row_id, unit_id, decision_ts)``: the unit of every click (or gift)."""
    dwell_ms = options.dwell_ms
    if unit == "session":
        gap_ms = options.session_gap_ms
        gap = "" if gap_ms is None else _AFTER_GAP.format(gap_ms=gap_ms)
        session = _SESSION if gap else _WHOLE
        engine.stage("member", session.format(gap=gap, dwell_ms=dwell_ms))
    else:
        engine.stage("member", _ONE_EACH.format(view=unit, dwell_ms=dwell_ms))
