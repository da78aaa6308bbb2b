"""Local day, hour and weekday as a small table to join, so that no engine's zone rules matter."""

from __future__ import annotations

from typing import Any

import numpy as np

from giftlive.clock import local_day, local_hour, local_weekday, zone
from giftlive.types import Ints

SLOT_MS = 900_000
"""A quarter of an hour: every offset in use is a multiple of it, so a slot has one local hour."""

SLOT_OF = f"ts - ts % {SLOT_MS}"
"""SQL for the slot of a column ``ts``."""


def stage_local_time(con: Any, slots: Ints, tz: str) -> None:
    """Create ``local_time(slot_ts, day, hour, weekday)`` for the given slot starts [n] in ms."""
    import pyarrow as pa

    slots = np.unique(np.asarray(slots, dtype=np.int64))
    where = zone(tz)
    table = pa.table(
        {
            "slot_ts": slots,
            "day": local_day(slots, where),
            "hour": local_hour(slots, where),
            "weekday": local_weekday(slots, where),
        }
    )
    con.register("local_time_rows", table)
    con.execute("create or replace table local_time as select * from local_time_rows")
    con.unregister("local_time_rows")


def stage_local_time_of(con: Any, relation: str, tz: str) -> None:
    """Create ``local_time`` for every slot in which ``relation`` has a ``ts``."""
    slots = con.execute(f"select distinct {SLOT_OF} as slot from {relation}").fetchnumpy()["slot"]
    stage_local_time(con, np.asarray(slots, dtype=np.int64), tz)
