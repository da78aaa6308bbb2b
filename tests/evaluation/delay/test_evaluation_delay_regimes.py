"""Twins that hide a delay and planted regimes: every number there, and the right story."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from giftlive.evaluation.behavioural.worlds import by_cell
from giftlive.evaluation.delay import ORACLE, RECORDERS, VANILLA, Design, fit_seconds, read_delays
from giftlive.evaluation.delay.identifiability import AS_RECORDED, STAMPS_OFF, true_median
from giftlive.evaluation.delay.recorded import LATE
from giftlive.evaluation.delay.regimes import (
    DELAYED,
    DRIFT,
    HALF_LATE,
    NONE,
    SLOW,
    VIEWINGS,
    WORLD_MORE,
    WORLDS,
)
from giftlive.world import load_scenario

JUDGED, OTHER = "delayed_feedback_weibull", "weibull_aft"


@cache
def design() -> Design:
    twins = {name: load_scenario("kuailive", "tiny", dict(c)) for name, c in RECORDERS.items()}
    days = {"calendar.history_days": "16"}
    late = {name: load_scenario("kuailive", "0.002", {**c, **days}) for name, c in WORLDS.items()}
    return Design(twins, (3,), (JUDGED, OTHER), JUDGED, rows=6_000, users=600, late=late)


@cache
def values() -> dict[tuple[str, str, str], float | None]:
    heard: list[tuple[int, int]] = []
    found = by_cell(read_delays(design(), lambda done, total: heard.append((done, total))))
    assert heard == [(1, 1)]
    return {cell: of_seeds[0] for cell, of_seeds in found.items()}


def value(*cell: str) -> float:
    table, row, column = cell
    found = values()[table, row, column]
    assert found is not None
    return found


def test_a_twin_as_recorded_hides_what_the_same_history_with_own_times_shows() -> None:
    assert value("twin", AS_RECORDED, "gifts at a click") > 0.8
    assert value("twin", AS_RECORDED, "identifiable") == 0.0
    assert values()["twin", AS_RECORDED, "estimated median"] is None
    assert value("twin", STAMPS_OFF, "gifts at a click") < 0.05
    assert value("twin", STAMPS_OFF, "identifiable") == 1.0
    true = value("twin", STAMPS_OFF, "true median")
    assert value("twin", AS_RECORDED, "true median") == true  # the history is the same
    assert value("twin", STAMPS_OFF, "estimated median") == pytest.approx(true, rel=0.25)


def test_the_judged_treatment_helps_where_labels_are_late_and_only_there() -> None:
    for regime in DELAYED:
        loss = {
            name: value(f"{regime}: treatments", name, "log-loss")
            for name in (VANILLA, ORACLE, JUDGED)
        }
        # Its form is not that of the half late: there it may lose, and its fit warns.
        assert (loss[VANILLA] > loss[JUDGED]) is (regime != HALF_LATE)
        assert loss[VANILLA] > loss[ORACLE]
        assert value(f"{regime}: fit", JUDGED, "warned") == (regime == HALF_LATE)
    harm = {
        name: value(f"{NONE}: treatments", name, "log-loss")
        - value(f"{NONE}: treatments", VANILLA, "log-loss")
        for name in (JUDGED, OTHER)
    }
    assert max(abs(harm[JUDGED]), abs(harm[OTHER])) < 1e-6
    slow = {n: value(f"{SLOW}: treatments", n, "log-loss") for n in (VANILLA, ORACLE, OTHER)}
    assert slow[VANILLA] - slow[OTHER] < 0.7 * (slow[VANILLA] - slow[ORACLE])


def test_a_world_that_records_late_can_show_delays_and_its_naive_level_is_low() -> None:
    assert value("twin", LATE, "identifiable") == 1.0
    level = {n: value(f"{WORLD_MORE}: treatments", n, "level") for n in (VANILLA, JUDGED, ORACLE)}
    assert level[VANILLA] < level[JUDGED]
    assert level[JUDGED] == pytest.approx(level[ORACLE], rel=0.05)
    day = {
        which: value(f"{WORLD_MORE}: maturity", "24 h", which) for which in ("estimated", "true")
    }
    assert day["true"] == pytest.approx(
        1.0 - np.exp(-2.0), abs=0.06
    )  # lags of half a day on average
    assert day["estimated"] == pytest.approx(day["true"], abs=0.15)


def test_each_regime_is_asked_what_belongs_to_it() -> None:
    tables = {table for table, _, _ in values()}
    assert f"{DRIFT}: progressive" in tables
    assert f"{NONE}: progressive" not in tables
    validated = {row for table, row, _ in values() if table == f"{DRIFT}: progressive"}
    forgetting = {f"recent {VANILLA}", f"recent {JUDGED}"}
    assert validated == {VANILLA, "fixed_window", JUDGED, *forgetting}
    windows = {row for table, row, _ in values() if table == f"{SLOW}: windows"}
    assert {"24 h", "24 h, first"} <= windows
    assert {row for t, row, _ in values() if t == f"{NONE}: windows"} == {VANILLA, ORACLE}
    assert {row for t, row, _ in values() if t == f"{VIEWINGS}: treatments"} == {
        *(VANILLA, ORACLE),
        *(JUDGED, OTHER),
    }


def test_a_cost_is_a_clock_time_of_every_treatment() -> None:
    found = fit_seconds(design())
    assert set(found) == {VANILLA, JUDGED, OTHER}
    assert min(found.values()) > 0.0


def test_the_true_median_leaves_out_what_no_log_shows(tmp_path: Path) -> None:
    path = tmp_path / "gifts.parquet"
    columns = {
        "entry_ts": np.zeros(5, dtype=np.int64),
        "gift_ts": np.array([1_000, 2_000, 3_000, 90_000, 90_000]),
        "recorded": [True, True, True, False, True],
        "click_lost": [False, False, False, False, True],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    assert true_median(path) == 2.0
    pyarrow.parquet.write_table(pyarrow.table(columns).slice(3), path)
    assert true_median(path) is None
