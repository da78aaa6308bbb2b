"""Sessions, decision times, labels and local time by hand and by a golden, without features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from giftlive.clock import day_starts_ms
from giftlive.errors import ConservationError, UsageError
from giftlive.logs.store import Store
from giftlive.tables import TableOptions
from giftlive.tables.build import features_of
from giftlive.tables.engine import DuckEngine
from giftlive.tables.labels import Attribution, attribution
from giftlive.tables.staging import stage_decisions

MakeStore = Callable[..., Store]
Row = dict[str, Any]
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LARGEST = 2**63 - 1


def decide(store: Store, options: TableOptions) -> tuple[list[Row], Attribution]:
    """Return the samples without features, and the balance."""
    engine = DuckEngine.open(store, threads=1)
    try:
        stage_decisions(engine, store.source, options, features_of(store.source, options))
        columns = engine.columns("select * from sample order by sample_id")
        balance = attribution(engine, options.unit_of(store.source), options)
    finally:
        engine.close()
    n = len(columns["sample_id"])
    return [{name: values[i] for name, values in columns.items()} for i in range(n)], balance


def column(rows: list[Row], name: str) -> list[Any]:
    return [row[name].item() for row in rows]


def test_how_long_a_label_was_watched(make_store: MakeStore) -> None:
    clicks = [(1, 10, 5, 0, 90_000), (2, 10, 5, 30_000, 10), (3, 10, 5, 70_000, 10)]
    gifts = [(1, 10, 5, 0, 7), (1, 10, 5, 40_000, 1), (2, 10, 5, 30_000, 3)]
    rows, _ = decide(make_store(clicks, gifts, last_ts=100_000), TableOptions())
    # the first gift known is the one given in the viewing, not the one stamped with the entry
    assert column(rows, "first_gift_delay_ms") == [40_000, 10, -1]
    assert column(rows, "observed_ms") == [60_000, 60_000, 30_000]
    assert column(rows, "censored") == [False, False, True]
    assert column(rows, "matured") == [True, True, False]
    rows, _ = decide(make_store(clicks, gifts, last_ts=90_000), TableOptions())
    assert column(rows, "censored") == [False, False, True]  # a window that ends with the source
    until_end = TableOptions(attribution_window_ms=None)
    rows, _ = decide(make_store(clicks, gifts, last_ts=70_005), until_end)
    assert column(rows, "observed_ms") == [70_005, 10, 5]
    assert column(rows, "censored") == [True, False, True]


def test_a_decision_after_a_dwell_knows_what_was_seen_and_no_longer_expects_it(
    make_store: MakeStore,
) -> None:
    clicks = [(1, 10, 5, 1_000, 60_000), (2, 10, 5, 1_000, 2_000), (3, 10, 5, 1_000, 5_000)]
    gifts = [
        (1, 10, 5, 1_001, 1),  # seen
        (1, 10, 5, 5_999, 2),  # seen
        (1, 10, 5, 6_000, 4),  # the decision's own ms: not known before it
        (1, 10, 5, 1_000, 8),  # stamped with the entry, known at the end
        (2, 10, 5, 1_000, 16),  # stamped with the entry of a viewing of 2 s: seen
    ]
    acts = [(1, 10, 5, ts) for ts in (999, 1_000, 5_999, 6_000)] + [(1, 11, 5, 2_000)]
    store = make_store(clicks, gifts, comments=acts, likes=acts[1:2])
    rows, balance = decide(store, TableOptions(dwell_seconds=5))
    assert column(rows, "as_of_ts") == [6_000, 6_000, 6_000]
    assert column(rows, "label_amount") == [12, 0, 0]
    assert column(rows, "first_window_watch_ms") == [5_000, 2_000, 5_000]
    assert column(rows, "first_window_comment_count") == [2, 0, 0]
    assert column(rows, "first_window_like_count") == [1, 0, 0]
    assert column(rows, "first_window_gift_count") == [2, 1, 0]
    assert column(rows, "first_window_gift_sum") == [3, 16, 0]
    assert (balance.labels.amount, balance.before_decision.amount) == (12, 19)
    with pytest.raises(ConservationError):
        replace(balance, before_decision=balance.out_of_window).require_conservation()


def test_a_session_of_many_entries_is_decided_at_its_first(make_store: MakeStore) -> None:
    clicks = [(1, 10, 5, 0, 100), (1, 10, 5, 20_000, 100)]
    gifts = [(1, 10, 5, 2_500, 1), (1, 10, 5, 21_000, 2)]
    rows, balance = decide(make_store(clicks, gifts), TableOptions(dwell_seconds=3))
    assert column(rows, "label_amount") == [2]
    assert balance.before_decision.amount == 1
    each = TableOptions(dwell_seconds=3, unit="click")
    assert column(decide(make_store(clicks, gifts), each)[0], "label_amount") == [0, 0]


def test_as_of_the_day_stands_at_local_midnight(make_store: MakeStore) -> None:
    first = DAY - 8 * HOUR  # midnight in Shanghai
    clicks = [(1, 10, 5, first - 1, 10), (1, 11, 5, first, 10), (1, 12, 5, first + DAY - 1, 10)]
    rows, _ = decide(make_store(clicks), TableOptions(as_of="day"))
    assert column(rows, "as_of_ts") == [first - DAY, first, first]
    assert column(rows, "day") == [0, 1, 1]
    late, _ = decide(make_store(clicks), TableOptions(dwell_seconds=3))
    assert column(late, "day") == [1, 1, 2]  # the decision falls after midnight
    assert column(late, "day_start_ts") == [first, first, first + DAY]
    assert column(late, "hour") == [23, 0, 23]  # the entry does not


def test_rooms_open_before_the_decision(make_store: MakeStore) -> None:
    rooms = [
        {"live_id": 10, "streamer_id": 5, "start_ts": 900, "category": "Song"},
        {"live_id": 10, "streamer_id": 5, "start_ts": 500, "category": "Song"},
        {"live_id": 11, "streamer_id": 5, "start_ts": 1_000, "category": "Dance"},
        {"live_id": 12, "streamer_id": 5, "start_ts": 100, "category": "unknown"},
        {"live_id": 14, "streamer_id": 5, "start_ts": 100, "category": "Chess"},
    ]
    clicks = [(1, live, 5, 1_000, 10) for live in (10, 11, 12, 13)]
    rows, _ = decide(make_store(clicks, rooms=rooms), TableOptions())
    assert column(rows, "room_start_ts") == [500, -1, 100, -1]
    assert column(rows, "category") == [2, 1, -1, -1]


@pytest.mark.parametrize(
    ("tz", "noon", "hours"),
    [
        ("America/New_York", datetime(2025, 3, 9, 12), 23),
        ("America/New_York", datetime(2025, 11, 2, 12), 25),
        ("America/Sao_Paulo", datetime(2018, 11, 4, 12), 23),  # midnight itself does not exist
        ("America/Havana", datetime(2024, 11, 3, 12), 25),  # midnight comes twice
        ("Australia/Lord_Howe", datetime(2025, 1, 15, 12), 24),  # offset of half an hour
        ("Asia/Kathmandu", datetime(2025, 1, 15, 12), 24),  # of a quarter
    ],
)
def test_days_where_the_clocks_change(
    make_store: MakeStore, tz: str, noon: datetime, hours: int
) -> None:
    zone = ZoneInfo(tz)
    middle = int(noon.replace(tzinfo=zone).timestamp() * 1000)
    day = (noon - datetime(1970, 1, 1)).days
    start, end = day_starts_ms(np.array([day, day + 1]), zone).tolist()
    assert end - start == hours * HOUR
    clicks = [
        (1, 10 + i, 5, ts, 10) for i, ts in enumerate((start - 1, start, middle, end - 1, end))
    ]
    rows, _ = decide(make_store(clicks, tz=tz), TableOptions())
    assert column(rows, "day") == [day - 1, day, day, day, day + 1]
    assert column(rows, "day_start_ts")[1:] == [start, start, start, end]
    local = [datetime.fromtimestamp(row["ts"].item() / 1000, zone) for row in rows]
    assert column(rows, "hour") == [moment.hour for moment in local]
    assert column(rows, "weekday") == [moment.weekday() for moment in local]


def test_duplicates_equal_times_and_the_largest_id(make_store: MakeStore) -> None:
    clicks = [(LARGEST, LARGEST, LARGEST, 1_000, 500)] * 2 + [(1, LARGEST, LARGEST, 1_000, 500)]
    gifts = [(LARGEST, LARGEST, LARGEST, 1_000, 3)] * 2
    for reverse in (False, True):
        store = make_store(clicks, gifts, reverse_files=reverse)
        rows, _ = decide(store, TableOptions())
        assert column(rows, "user_id") == [1, LARGEST]
        assert column(rows, "label_amount") == [0, 6]
        rows, _ = decide(store, TableOptions(unit="click"))
        assert column(rows, "sample_id") == [0, 1, 2]
        assert column(rows, "label_amount") == [0, 0, 6]  # the last of the twins


def test_an_empty_day_and_one_user(make_store: MakeStore) -> None:
    clicks = [(7, 10 + day, 5, day * DAY, 10) for day in (0, 1, 3)]
    rows, balance = decide(make_store(clicks), TableOptions())
    assert column(rows, "day") == [0, 1, 3]
    assert balance.covered_share is None
    assert balance.warning is None


def golden(
    clicks: Sequence[tuple[int, ...]], gifts: Sequence[tuple[int, ...]], options: TableOptions
) -> list[tuple[int, int, int]]:
    """Return (first row id, decision, amount) of every session, one entry at a time."""
    ordered = sorted(clicks, key=lambda c: (c[3], *c[:3], c[4]))
    ends = {(c[0], c[1], c[3]): c[3] + c[4] for c in ordered}
    last: dict[tuple[int, int], int] = {}
    unit: dict[int, int] = {}
    for i, (user, live, _, ts, _) in enumerate(ordered):
        before = last.get((user, live))
        gap = options.session_gap_ms
        starts = before is None or (gap is not None and ts - ordered[before][3] > gap)
        unit[i] = i if before is None or starts else unit[before]
        last[user, live] = i
    amount = dict.fromkeys(unit.values(), 0)
    window = options.attribution_window_ms or 0
    for user, live, _, ts, value in gifts:
        same = [i for i, c in enumerate(ordered) if c[:2] == (user, live) and c[3] <= ts]
        known = ends.get((user, live, ts), ts)
        if same and ts - ordered[same[-1]][3] <= window:
            row = unit[same[-1]]
            amount[row] += value if known >= ordered[row][3] + options.dwell_ms else 0
    return [(i, ordered[i][3] + options.dwell_ms, v) for i, v in sorted(amount.items())]


@pytest.mark.parametrize("gap", [None, 20_000])
@pytest.mark.parametrize("dwell", [0, 10])
def test_sessions_and_labels_match_the_golden(
    make_store: MakeStore, gap: int | None, dwell: int
) -> None:
    rng = np.random.default_rng(7)
    who = np.stack([rng.integers(0, 5, 150), rng.integers(0, 4, 150), rng.integers(0, 60, 150)])
    clicks = [(u, r, 9, 5_000 * t, int(rng.integers(0, 20_000))) for u, r, t in who.T.tolist()]
    gifts = [(*c[:3], c[3] + 2_500 * (i % 9 == 0), 1 + i) for i, c in enumerate(clicks[::2])]
    options = TableOptions(session_gap_ms=gap, dwell_seconds=dwell, attribution_window_ms=30_000)
    # equal entries: the viewing that ends last says when a gift stamped with them is known
    clicks.sort(key=lambda c: (c[3], *c[:3], c[4]))
    rows, balance = decide(make_store(clicks, gifts), options)
    found = [column(rows, name) for name in ("sample_id", "as_of_ts", "label_amount")]
    assert list(zip(*found, strict=True)) == golden(clicks, gifts, options)
    assert sum(found[2]) == balance.labels.amount
    assert (balance.before_decision.amount > 0) == (dwell > 0)


def test_a_window_that_misses_money_says_so(make_store: MakeStore) -> None:
    clicks, late = [(1, 10, 5, 0, 10)], (1, 10, 5, 10 * MINUTE, 6)
    _, balance = decide(make_store(clicks, [(1, 10, 5, 0, 94), late]), TableOptions())
    assert balance.covered_share == 0.94
    assert balance.warning is not None
    assert "reaches 94.0% of the gift value" in balance.warning
    assert balance.as_dict()["warning"] == balance.warning
    _, balance = decide(make_store(clicks, [(1, 10, 5, 0, 95), (*late[:4], 5)]), TableOptions())
    assert balance.warning is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"dwell_seconds": 4}, "dwell_seconds"),
        ({"as_of": "week"}, "week"),
        ({"engine": "abacus"}, "abacus"),
        ({"form": "cubic"}, "cubic"),
        ({"master": "local[2]"}, "master 'local"),
        ({"dwell_seconds": 5, "as_of": "day"}, "day's start"),
    ],
)
def test_choices_that_make_no_sense(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        TableOptions(**wrong)


def test_gifts_have_no_dwell(make_store: MakeStore) -> None:
    with pytest.raises(UsageError, match="table of gifts"):
        decide(make_store([], [(1, 10, 5, 0, 3)]), TableOptions(dwell_seconds=3))


def test_the_machine_decides_nothing_but_the_route() -> None:
    usual = TableOptions().decisive()
    assert TableOptions(memory_limit="9GB", threads=7).decisive() == usual
    elsewhere = TableOptions(engine="spark", master="local[4]", form="portable").decisive()
    assert elsewhere == usual | {"route": "sql on spark"}
    assert TableOptions(as_of="day").decisive() != TableOptions().decisive()
