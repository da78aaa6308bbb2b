"""Local day, hour and weekday as a small table to join, so that no engine's zone rules matter."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from giftlive.clock import (
    MS_PER_QUARTER,
    day_starts_ms,
    local_day,
    local_hour,
    local_weekday,
    zone,
)
from giftlive.logs.schema import EVENTS, TABLES
from giftlive.tables.engine.protocol import Engine

SLOT_MS = MS_PER_QUARTER
"""A slot has one local hour: :func:`giftlive.clock.offset_ms` looks up one offset for it."""

_TIMED = tuple(TABLES[name].view for name in EVENTS if name != "moderation")


def slot_of(time: str) -> str:
    """Return SQL for the slot of a column of ms.

    Examples
    --------
    >>> slot_of("s.ts")
    's.ts - s.ts % 900000'
    """
    return f"{time} - {time} % {SLOT_MS}"


def stage_local_time(engine: Engine, tz: str, probes: Iterable[str]) -> None:
    """Create ``local_time(slot_ts, day, day_start_ts, hour, weekday)`` for every slot in use.

    Parameters
    ----------
    tz : zone of the source.
    probes : SELECTs of one column ``time`` in ms; the times of all events come with them.
    """
    import pyarrow as pa

    times = [f"select {column} as time from {v}" for v in _TIMED for column in ("ts", "known_ts")]
    union = " union all ".join([*times, *probes])
    found = engine.columns(f"select distinct {slot_of('time')} as slot_ts from ({union}) moments")
    slots = np.sort(np.asarray(found["slot_ts"], dtype=np.int64))
    where = zone(tz)
    day = local_day(slots, where)
    columns = {
        "slot_ts": slots,
        "day": day,
        "day_start_ts": day_starts_ms(day, where),
        "hour": local_hour(slots, where),
        "weekday": local_weekday(slots, where),
    }
    engine.put("local_time", pa.table(columns))
