"""What a user was shown: clicks, and the skipped rooms joined to the decision they belong to.

KuaiLive's negatives carry a time and no request id, so the join is a rule: a skip belongs to the
decision of its user that is nearest in time, the later of two equally near ones (a skip precedes
the choice it belongs to), and at the same time the one with the lower sample id; further than
``negative_gap_ms`` from all of them it belongs to none. Within a decision a room counts once, the
nearest skip of it; a skip of the room that was chosen is not a negative.

The rule cannot tell a skip before one entry from a skip after the previous one, nor see a slate.
It looks at both sides of the decision: exposures are for evaluation and training labels, never
for features or candidates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from giftlive.logs.store import Store, quoted
from giftlive.tables.candidates.options import CandidateOptions
from giftlive.tables.candidates.stream import POINTS
from giftlive.tables.parts import samples_relation

EXPOSURE = "exposure"
EXPOSURE_COLUMNS: dict[str, tuple[str, str]] = {
    "sample_id": ("the decision", "id"),
    "user_id": ("who was shown the room", "id"),
    "live_id": ("the room", "id"),
    "streamer_id": ("whose room", "id"),
    "ts": ("the exposure", "ms UTC"),
    "decision_ts": ("the decision it was joined to", "ms UTC"),
    "gap_ms": ("|ts - decision_ts|", "ms"),
    "place": ("0 the chosen room, then the negatives of the decision by gap", "1"),
    "label": ("1 entered, 0 skipped", "1"),
    "amount": ("gifts credited to the decision, 0 for a negative", "amount"),
}
"""Columns of the exposure rows: definition and unit."""

_POINTS = """create or replace table {points} as
select sample_id, user_id, live_id, streamer_id, ts, label_amount
from {samples}"""

_NEAREST = f"""create or replace table nearest_decision as
select user_id, live_id, streamer_id, ts,
       case when earlier is null then later when later is null then earlier
            when later - ts <= ts - earlier then later else earlier end as decision_ts
from (
  select user_id, live_id, streamer_id, ts, is_decision,
         max(case when is_decision = 1 then ts end) over (
           partition by user_id order by ts range between unbounded preceding and current row
         ) as earlier,
         min(case when is_decision = 1 then ts end) over (
           partition by user_id order by ts range between current row and unbounded following
         ) as later
  from (
    select user_id, live_id, streamer_id, ts, 0 as is_decision from negative
    union all
    select user_id, live_id, streamer_id, ts, 1 as is_decision from {POINTS}
  ) moment
) around
where is_decision = 0 and (earlier is not null or later is not null)"""

_JOINED = f"""create or replace table {EXPOSURE} as
with decision_at as (
  select user_id, ts, min(sample_id) as sample_id from {POINTS} group by user_id, ts
), near as (
  select d.sample_id, n.user_id, n.live_id, n.streamer_id, n.ts, n.decision_ts,
         abs(n.ts - n.decision_ts) as gap_ms
  from nearest_decision n
  join decision_at d on d.user_id = n.user_id and d.ts = n.decision_ts
  where abs(n.ts - n.decision_ts) <= {{gap_ms}}
), ranked as (
  select near.*, row_number() over (
           partition by sample_id, live_id order by gap_ms, ts, streamer_id
         ) as sighting
  from near
), skip as (
  select r.sample_id, r.user_id, r.live_id, r.streamer_id, r.ts, r.decision_ts, r.gap_ms,
         row_number() over (
           partition by r.sample_id order by r.gap_ms, r.ts, r.live_id
         ) as place
  from ranked r join {POINTS} p on p.sample_id = r.sample_id
  where r.sighting = 1 and r.live_id <> p.live_id
)
select sample_id, user_id, live_id, streamer_id, ts, decision_ts, gap_ms, place,
       0 as label, cast(0 as bigint) as amount from skip
union all
select sample_id, user_id, live_id, streamer_id, ts, ts as decision_ts, cast(0 as bigint) as gap_ms,
       cast(0 as bigint) as place, 1 as label, label_amount as amount from {POINTS}
order by decision_ts, sample_id, place"""


def stage_points(con: Any, tables_folder: Path) -> None:
    """Create ``decision_point`` from the sample table."""
    samples = samples_relation(Path(tables_folder).absolute())
    con.execute(_POINTS.format(points=POINTS, samples=samples))


def stage_exposures(con: Any, gap_ms: int) -> None:
    """Create ``exposure`` from ``decision_point`` and the negatives."""
    con.execute(_NEAREST)
    con.execute(_JOINED.format(gap_ms=gap_ms))


def write_exposures(
    store: Store,
    tables_folder: Path,
    out_file: Path,
    options: CandidateOptions = CandidateOptions(),  # noqa: B008  (frozen)
) -> int:
    """Write one row per exposure that belongs to a decision; return the number of rows.

    Columns as in ``EXPOSURE_COLUMNS``, in order of (decision_ts, sample_id, place).

    Raises
    ------
    MissingCapabilityError
        The source has no clicks or no negatives.
    """
    store.source.require("click", "negative", step="joining negatives to decisions")
    con = store.connect(options.memory_limit, options.threads)
    try:
        stage_points(con, tables_folder)
        stage_exposures(con, options.negative_gap_ms)
        names = ", ".join(EXPOSURE_COLUMNS)
        order = "order by decision_ts, sample_id, place"
        target = quoted(Path(out_file).absolute())
        con.execute(f"copy (select {names} from {EXPOSURE} {order}) to {target} (format parquet)")
        return int(con.execute(f"select count(*) from {EXPOSURE}").fetchall()[0][0])
    finally:
        con.close()
