"""Small mistakes in the SQL, each of which lets the future in: the audit must see every one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from giftlive.logs.store import Store
from giftlive.tables import TableOptions, build_tables, find_leaks, local_time, staging
from giftlive.tables.features import Feature, query
from giftlive.tables.features.query import Plan

Evening = Callable[[int], Store]
PORTABLE = TableOptions(form="portable")
_BROUGHT = r"e\.known_ts as known_ts, (t\.day, t\.day_start_ts, (?:cast\([^)]*\) as \w+,? ?)+)from "

MUTANTS = {
    "own millisecond": (
        r"2 \* (\(e\.known_ts - e\.day_start_ts\)|e\.known_ts) \+ 1",
        r"2 * \1 + 0",
        "streamer_click_count",
    ),
    "gift known at its stamp": (
        _BROUGHT + r"gift e\b",
        r"e.ts as known_ts, \1from gift e",
        "streamer_gift_sum",
    ),
    "watch known at entry": (
        r"e\.end_ts as known_ts, e\.end_day as day, e\.end_day_start_ts as",
        "e.ts as known_ts, e.day as day, e.day_start_ts as",
        "streamer_watch_seconds",
    ),
    "window over the probe": (
        r"range between 1200000 preceding and current row",
        "range between 1200000 preceding and 1200000 following",
        "streamer_click_10m",
    ),
    "prior of the same day": (r"m\.day < q\.day", "m.day <= q.day", "user_gift_rate"),
    "shown of the same day": (r"c\.day < q\.day", "c.day <= q.day", "user_negative_count"),
    "efficiency of today": (
        r"rows between unbounded preceding\s+and 1 preceding",
        "rows between unbounded preceding and current row",
        "streamer_efficiency",
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_of_the_windows_is_caught(
    logs: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    """Tables and audit both run the mutant, so it is the changed future that tells."""
    right, wrong, victim = MUTANTS[mutant]
    sound = query.plan_features
    hits = []

    def leaky(
        features: Iterable[Feature],
        probe: str = "sample",
        by_row: bool = False,
        carry: Sequence[str] = (),
        narrow: Set[str] = frozenset(),
    ) -> Plan:
        plan = sound(features, probe, by_row, carry, narrow)
        if by_row:
            return plan
        stages = []
        for name, select in plan.stages:
            changed, n = re.subn(right, wrong, select)
            hits.append(n)
            stages.append((name, changed))
        return replace(plan, stages=tuple(stages))

    monkeypatch.setattr(query, "plan_features", leaky)
    build_tables(logs(0), tmp_path, PORTABLE)
    findings = find_leaks(logs(0), tmp_path, PORTABLE)
    assert sum(hits)
    for trial in ("future", "replay"):
        caught = {f.feature for f in findings if f.kind == trial and f.passed is False}
        assert victim in caught, trial


def test_days_that_begin_at_midnight_in_another_zone_are_caught(
    logs: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = local_time.stage_local_time

    def in_utc(engine: Any, tz: str, probes: Any) -> None:
        sound(engine, "UTC", probes)

    with monkeypatch.context() as patch:
        patch.setattr(staging, "stage_local_time", in_utc)
        build_tables(logs(0), tmp_path)
    findings = find_leaks(logs(0), tmp_path)
    for trial in ("future", "replay"):
        caught = {f.feature for f in findings if f.kind == trial and f.passed is False}
        assert {"hour", "user_click_today", "streamer_efficiency"} <= caught
