"""The logs as the audit shows them to the SQL under trial: whole or near, as they are or changed.

Histories need only the events of the users, streamers and rooms that are tried: these few,
*near*, are copied once. What stands still for a day is made of all keys, and needs the *whole*
logs, of which only the other future is a copy. Views are pointed at one or the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.tables.audit.future import EVENT_VIEWS, changed_rooms_sql, later_rows
from giftlive.tables.engine.duck import DuckEngine

_KEYS = ("user_id", "streamer_id", "live_id")


@dataclass(frozen=True)
class Logs:
    """The logs of one trial.

    Attributes
    ----------
    cut : what is known from here on is another future; None = the logs as they are.
    cut_off : there is no other future, the logs end at the cut.
    """

    engine: DuckEngine
    cut: int | None
    cut_off: bool = False

    def show_near(self) -> None:
        """Let the views hold what is near the rows in ``tried``."""
        for view in EVENT_VIEWS:
            self._stage_shown(
                view, f"select * from ({self._rows('near', view)}) e where {_touches('tried')}"
            )
        rooms = "select * from near_room"
        self._stage_shown("room", rooms if self.cut is None else changed_rooms_sql(self.cut))

    def show_whole(self) -> None:
        """Let the views of events hold everything."""
        for view in EVENT_VIEWS:
            self._point(view, self._rows("logged", view))

    def _rows(self, which: str, view: str) -> str:
        if self.cut is None:
            return f"select * from {which}_{view}"
        past = f"select * from {which}_{view} where known_ts < {self.cut}"
        return past if self.cut_off else f"{past} union all select * from later_{view}"

    def _stage_shown(self, view: str, select: str) -> None:
        self.engine.stage(f"shown_{view}", select)
        self._point(view, f"select * from shown_{view}")

    def _point(self, view: str, select: str) -> None:
        self.engine.con.execute(f"create or replace view {view} as {select}")


def keep_logs(engine: DuckEngine) -> None:
    """Give the logs another name, so that their own can be pointed elsewhere."""
    for view in (*EVENT_VIEWS, "room"):
        engine.con.execute(f"alter view {view} rename to logged_{view}")
        engine.con.execute(f"create view {view} as select * from logged_{view}")


def stage_near(engine: DuckEngine) -> None:
    """Copy what is near any row in ``stored``, which names users, streamers and rooms."""
    for view in EVENT_VIEWS:
        engine.stage(f"near_{view}", f"select * from logged_{view} e where {_touches('stored')}")
    met = " union ".join(
        f"select live_id from {relation}"
        for relation in ("stored", *(f"near_{v}" for v in EVENT_VIEWS))
    )
    engine.stage("near_room", f"select * from logged_room where live_id in ({met})")


def put_later(engine: DuckEngine, cut: int, rng: np.random.Generator) -> None:
    """Make the other future of ``cut``; the next one replaces it."""
    import pyarrow as pa

    for view in EVENT_VIEWS:
        engine.put(f"later_{view}", pa.table(later_rows(engine, view, cut, rng)))


def _touches(rows: str) -> str:
    return "(" + " or ".join(f"e.{key} in (select {key} from {rows})" for key in _KEYS) + ")"
