"""A log small enough to evaluate by hand, as tables of a database; and logs drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.features import sweep
from giftlive.tables.features.sweep_state import SweepState

HOUR, DAY, BIG = 3_600_000, 86_400_000, 2**63 - 1
T0 = 1_746_374_400_000  # 2025-05-05 00:00 in Shanghai
SLOT = 900_000
Row = tuple[int, ...]


@dataclass
class Log:
    """Rows of (user, streamer, live, ts, known_ts, x), and probes (user, streamer, live, ts)."""

    clicks: Sequence[Row] = ()
    gifts: Sequence[Row] = ()
    hidden: Sequence[Row] = ()
    comments: Sequence[Row] = ()
    likes: Sequence[Row] = ()
    negatives: Sequence[Row] = ()
    probes: Sequence[Row] = ()
    category: dict[int, int] = field(default_factory=dict)
    tz: str = "Asia/Shanghai"
    frozen: bool = False

    def day_start(self, ts: int) -> int:
        """Walk back to local midnight, in quarters of an hour."""
        zone, slot = ZoneInfo(self.tz), ts - ts % SLOT
        day = _local(ts, zone)
        while _local(slot - SLOT, zone) == day:
            slot -= SLOT
        return slot

    def asked(self) -> list[dict[str, int]]:
        """Return the rows of the probe table."""
        rows = []
        for i, (user, streamer, live, ts) in enumerate(self.probes):
            start = self.day_start(ts)
            rows.append(
                {
                    "sample_id": i,
                    "user_id": user,
                    "streamer_id": streamer,
                    "live_id": live,
                    "category": self.category.get(live, -1),
                    "as_of_ts": start if self.frozen else ts,
                    "day_start_ts": start,
                    "hour": 0,
                    "weekday": 0,
                    "room_start_ts": -1,
                }
            )
        return rows

    def connect(self, before_ts: int | None = None) -> Any:
        """Write the log into tables; ``before_ts``: only the rows that began before it."""
        con = duckdb.connect()
        moments: set[int] = {0}
        names = ("click", "gift", "gift_anonymous", "comment", "likes", "negative")
        tables = (self.clicks, self.gifts, self.hidden, self.comments, self.likes, self.negatives)
        for name, rows in zip(names, tables, strict=True):
            x = {"click": "watch_ms", "gift": "amount", "gift_anonymous": "amount"}.get(name, "x")
            kept = [
                r for r in sorted(rows, key=lambda r: r[3]) if not before_ts or r[3] < before_ts
            ]
            moments.update(t for row in kept for t in row[3:5])
            _create(con, name, ["row_id", "user_id", "streamer_id", "live_id", "ts", "known_ts", x],
                    [(i, *row) for i, row in enumerate(kept)][::-1])  # fmt: skip
        asked = [
            tuple(r.values()) for r in self.asked() if not before_ts or r["as_of_ts"] < before_ts
        ]
        moments.update(row[5] for row in asked)
        _create(con, "sample", list(Log(probes=[(0, 0, 0, T0)]).asked()[0]), asked[::-1])
        _create(con, "room_category", ["live_id", "category"], list(self.category.items()))
        starts = [(t - t % SLOT, self.day_start(t)) for t in sorted(moments)]
        _create(con, "local_time", ["slot_ts", "day_start_ts"], starts)
        return con


def _local(ts: int, zone: ZoneInfo) -> Any:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts)).astimezone(zone).date()


def _create(con: Any, name: str, columns: list[str], rows: Sequence[Row]) -> None:
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    arrays = [pa.array(column, pa.int64()) for column in values]
    con.register("written", pa.table(arrays, names=columns))
    con.execute(f"create table {name} as select * from written")
    con.unregister("written")


def swept(
    log: Log, state: SweepState | None = None, con: Any = None
) -> dict[str, np.ndarray[Any, Any]]:
    """Return all state columns in the order of the sweep."""
    batches = list(sweep.native_states(DuckEngine(con or log.connect()), state=state))
    names = batches[0].columns if batches else ()
    return {name: np.concatenate([b.columns[name] for b in batches]) for name in names}


def nasty(tz: str = "Asia/Shanghai", start: int = T0) -> Log:
    """Ties, midnights, unknown and huge ids, a long span, an empty day, a room of no category."""
    t = start + 23 * HOUR
    clicks = [
        (1, 5, 10, t, t + 50, 50), (1, 5, 10, t, t + 7, 7),
        (1, 6, 11, t + HOUR, t + 2 * HOUR, HOUR),
        (2, 5, 10, t + HOUR - 1, t + HOUR - 1, 0), (-1, 5, 10, t, t + 9, 9),
        (3, -1, -1, t, t + 9, 9),
        (BIG, BIG, BIG, t, t + 3, 3), (BIG, 5, 12, t + 3 * DAY, t + 3 * DAY + 5, 5),
        (1, 5, 10, t + 900 * DAY, t + 900 * DAY + HOUR, HOUR),
    ]  # fmt: skip
    gifts = [(1, 5, 10, t, t + 50, 100), (1, 5, 10, t, t + 50, 3), (BIG, BIG, BIG, t, t, 10**12),
             (2, -1, -1, t, t, 5), (4, 6, 11, t, t + 2 * HOUR, 8)]  # fmt: skip
    hidden = [(-1, 5, 10, t, t, 40), (1, 5, 10, t, t + 50, 2)]
    moments = [t, t + 1, t + 7, t + 8, t + 50, t + 51, t + HOUR, t + HOUR + 1, t + 2 * HOUR,
               t + 600_000, t + 600_001, t + 3 * DAY + 6, t + 900 * DAY + HOUR + 1]  # fmt: skip
    keys = [(1, 5, 10), (2, 5, 10), (BIG, BIG, BIG), (-1, 5, -1), (4, -1, 11), (-1, -1, -1)]
    notes = [(1, 5, 10, t, t, 0), (1, 7, 13, t + 1, t + 1, 0), (-1, 5, 10, t, t, 0)]
    shown = [
        (1, 5, 10, t, t, 0),
        (1, 8, 14, t, t, 0),
        (-1, 5, 1, t, t, 0),
        (9, -1, 1, t + DAY, t + DAY, 0),
    ]
    return Log(
        *(clicks, gifts, hidden, notes, notes[::-1], shown),
        [(*key, moment) for moment in moments for key in keys],
        {10: 3, 11: 4, BIG: 3, 12: -1},
        tz,
    )


_ID = st.sampled_from([-1, 0, 1, 2, BIG])
_TIME = st.one_of(
    st.integers(T0 - 2, T0 + 2),
    st.sampled_from([T0 + k * 600_000 for k in range(14)]),
    st.integers(T0 - DAY, T0 + 3 * DAY),
)
_EVENT = st.tuples(_ID, _ID, _ID, _TIME, st.sampled_from([0, 1, 600_000, HOUR, DAY]))
_ROWS = st.lists(_EVENT.map(lambda e: (*e[:3], e[3], e[3] + e[4], e[4])), max_size=7)


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Draw a small log with many ties."""
    probes = draw(st.lists(st.tuples(_ID, _ID, _ID, _TIME), min_size=1, max_size=10))
    category = draw(st.dictionaries(st.sampled_from([0, 1, 2, BIG]), st.integers(-1, 2)))
    tz = draw(st.sampled_from(["Asia/Shanghai", "America/New_York"]))
    a, b, c, d, e, f = (draw(_ROWS) for _ in range(6))
    return Log(a, b, c, d, e, f, probes, category, tz, draw(st.booleans()))


def assert_equal_bits(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert list(a) == list(b)
    for name in a:
        assert a[name].tobytes() == b[name].tobytes(), name
