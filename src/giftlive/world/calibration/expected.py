"""Expected revenue of a generated world's weeks: the one place that reads ``truth/``.

Realised revenue of a week hangs on a few large gifts; the expectation of the same decisions does
not. Clicks that an outage took from the log are made up for by their known chance to be kept.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

from giftlive.clock import MS_PER_DAY, MS_PER_QUARTER, local_day, midnight_ms, zone
from giftlive.errors import InputError
from giftlive.types import Floats, Ints
from giftlive.world.load import load_scenario
from giftlive.world.scenario import Scenario

_SUMS = f"""
WITH given AS (SELECT DISTINCT user_id, live_id, "timestamp" FROM {{gifts}})
SELECT bin, sum(kept)::DOUBLE AS kept, sum(thinned)::DOUBLE AS thinned FROM (
    SELECT c."timestamp" // {MS_PER_QUARTER} AS bin,
        CASE WHEN g.user_id IS NULL THEN 0 ELSE c.expected_shown END AS kept,
        CASE WHEN g.user_id IS NULL THEN c.expected_shown ELSE 0 END AS thinned
    FROM {{clicks}} c LEFT JOIN given g USING (user_id, live_id, "timestamp")
    UNION ALL
    SELECT "timestamp" // {MS_PER_QUARTER}, expected_shown, 0 FROM {{negatives}}
) GROUP BY bin ORDER BY bin
"""
"""Expected amount by quarter of an hour; clicks without a gift are what an outage can thin out."""


def expected_weekly_ratio(logs: Path) -> float | None:
    """Return expected revenue of the largest whole week over that of the smallest.

    The sum is over the kept users' decisions, shown and clicked or skipped; weeks are those of the
    fact ``weekly_revenue_ratio_max_min``: seven local days each, counted from the first one.

    Parameters
    ----------
    logs : folder of a generated world.

    Returns
    -------
    None where the folder holds no truth, or fewer than two whole weeks.

    Raises
    ------
    InputError
        The truth is there and cannot be read.
    """
    tables = {name: _table(logs / "truth", name) for name in ("gifts", "clicks", "negatives")}
    recipe = logs / "scenario.toml"
    if not (all(tables.values()) and recipe.is_file()):
        return None
    scenario = load_scenario(recipe)
    bins, expected = _by_bin(logs / "truth", tables, scenario)
    day = local_day(bins * MS_PER_QUARTER, zone(scenario.calendar.tz))
    weeks = int(day[-1] - day[0] + 1) // 7 if len(day) else 0
    if weeks < 2:
        return None
    week = (day - day[0]) // 7
    sums = np.bincount(week[week < weeks], expected[week < weeks], minlength=weeks)
    return float(sums.max() / sums.min()) if sums.min() > 0 else None


def _table(folder: Path, name: str) -> str:
    """Return the SQL that reads a table of the truth; empty where there is none."""
    file = folder / f"{name}.parquet"
    text = str(file).replace("'", "''")
    return f"read_parquet('{text}')" if file.is_file() else ""


def _by_bin(folder: Path, tables: dict[str, str], scenario: Scenario) -> tuple[Ints, Floats]:
    try:
        with duckdb.connect() as con:
            con.execute("SET memory_limit = '1GB'; SET threads = 1")
            rows = con.execute(_SUMS.format(**tables)).fetchnumpy()
    except duckdb.Error as error:
        raise InputError(
            str(error).splitlines()[0],
            str(folder),
            "the tables that giftlive world generate writes",
            "generate the world again, or remove the folder to judge by what was given",
        ) from None
    bins = np.asarray(rows["bin"], dtype=np.int64)
    left = 1.0 - _lost(bins * MS_PER_QUARTER, scenario)
    return bins, np.asarray(rows["kept"] + rows["thinned"] / left, dtype=np.float64)


def _lost(ts: Ints, scenario: Scenario) -> Floats:
    """Return the share [n] of clicks without a gift that the recorder loses at each ``ts`` [n].

    A day that lost all of them counts as if it had lost none: nothing can stand for them.
    """
    calendar, recorder = scenario.calendar, scenario.recorder
    day = (ts - midnight_ms(calendar.start, zone(calendar.tz))) // MS_PER_DAY
    lost = np.zeros(len(ts))
    for outage, share in zip(recorder.outage_days, recorder.outage_drop, strict=True):
        lost[day == outage] = share if share < 1.0 else 0.0
    return lost
