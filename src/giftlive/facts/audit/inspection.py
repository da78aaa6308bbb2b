"""What several detectors share: the evidence, the grid of times, and the rows they touch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from giftlive.facts.delay import DelayVerdict, delay_verdict
from giftlive.facts.evidence import Evidence
from giftlive.facts.time_of_day import DailyVolume, daily_volume

VIEWS = {
    "click": "click",
    "gift": "gift",
    "comment": "comment",
    "like": "likes",
    "negative": "negative",
    "room": "room",
}
"""Tables whose rows are inspected, and their names in SQL."""
GRID_STEPS_MS = (60_000, 1_000, 512, 500, 256, 250, 128, 100, 50, 10)
GRID_SHARE = 0.99
"""Share of the times that lie on a grid: a few may come from another clock."""
GRID_SAMPLE = 200_000
GRID_LEAST = 30
"""Different instants on a grid: the many rows of one instant lie on every step there is."""
_MARKS = "CREATE OR REPLACE TEMP TABLE audit_marks (tbl VARCHAR, row_id BIGINT)"


@dataclass(frozen=True)
class Grid:
    """The step on which times lie: ``on`` of the ``n`` looked at, in table ``table``."""

    step: int
    on: int
    n: int
    table: str


@dataclass(frozen=True)
class Inspection:
    """One audit of one source.

    Attributes
    ----------
    evidence : the logs. volume : the daily counts.
    """

    evidence: Evidence
    volume: DailyVolume

    @staticmethod
    def of(evidence: Evidence, volume: DailyVolume | None = None) -> Inspection:
        """Start an audit in which no row is marked yet."""
        evidence.con.execute(_MARKS)
        return Inspection(evidence, daily_volume(evidence) if volume is None else volume)

    def missing(self, needs: tuple[str, ...]) -> tuple[str, ...]:
        """Return which of these tables the source does not have."""
        return tuple(name for name in needs if name not in self.evidence.tables)

    def mark(self, table: str, rows: str) -> None:
        """Remember rows that a defect touches; ``rows`` is SQL for their ids.

        The id is ``row_id``, of a room ``live_id``. Which rows are marked decides
        ``anomalous_row_share`` and nothing else.
        """
        self.evidence.con.execute(f"INSERT INTO audit_marks SELECT '{table}', row_id FROM ({rows})")

    def marked(self) -> dict[str, int]:
        """Return by table how many different rows were marked."""
        sql = "SELECT tbl, count(DISTINCT row_id) FROM audit_marks GROUP BY tbl ORDER BY tbl"
        return {str(name): int(n) for name, n in self.evidence.con.execute(sql).fetchall()}

    @cached_property
    def delay(self) -> DelayVerdict:
        """Return the verdict on the gift delay."""
        return delay_verdict(self.evidence)

    @cached_property
    def grid(self) -> Grid:
        """Return the coarsest grid of the first time stamps; step 1 where there is none."""
        table = "click" if "click" in self.evidence.tables else "gift"
        sql = f"SELECT ts FROM {table} WHERE row_id < {GRID_SAMPLE}"
        ts = self.evidence.columns(sql)["ts"]
        for step in GRID_STEPS_MS:
            rests = np.bincount(ts % step, minlength=step)
            on = int(rests.max())
            instants = ts[ts % step == rests.argmax()] if on >= GRID_SHARE * len(ts) else ts[:0]
            if len(np.unique(instants)) >= GRID_LEAST:
                return Grid(step, on, len(ts), table)
        return Grid(1, len(ts), len(ts), table)
