"""Each defect of the recorder, switched on and off: it and nothing else appears and goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.types import Bools, Ints
from giftlive.world import World, build_world, load_scenario
from giftlive.world.history import History
from giftlive.world.recorder import Table, collected, recorded, survey
from giftlive.world.recorder.events import pressed
from giftlive.world.recorder.tables import Waiting
from giftlive.world.state import CLICKED, Log, joined, log_of

Tables = dict[str, Table]
Record = Callable[..., Tables]

PUBLIC = ("click", "gift", "comment", "like", "negative", "room", "user", "streamer")
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def generous() -> World:
    """Five days with many gifts, two of them with an outage."""
    changes = {"calendar.history_days": "5", "gift.base": "-1.0", "gift.delay_seconds": "2.0"}
    days = {"recorder.outage_days": "[1, 3]"}
    return build_world(load_scenario("kuailive", "0.003", changes | days), 5)


@pytest.fixture(scope="module")
def run(generous: World) -> tuple[Log, Bools]:
    history = History(generous)
    return joined(list(history.chunks())), history.opened


@pytest.fixture(scope="module")
def record(generous: World, run: tuple[Log, Bools]) -> Record:
    """What the recorder writes under other settings, whole or from chunks of some rows."""
    log, opened = run

    @cache
    def make(chunk_rows: int = 0, **changes: object) -> Tables:
        recorder = generous.scenario.recorder.model_copy(update=changes)
        world = replace(
            generous, scenario=generous.scenario.model_copy(update={"recorder": recorder})
        )
        size = chunk_rows or len(log.ts)

        def chunks() -> Iterator[Log]:
            for first in range(0, len(log.ts), size):
                yield log_of(column[first : first + size] for column in log)

        found = survey(world, chunks)
        return collected(recorded(world, found, chunks, opened))

    return make


def same(a: Table, b: Table) -> bool:
    return list(a) == list(b) and all(np.array_equal(a[c], b[c]) for c in a)


def changed(on: Tables, off: Tables) -> set[str]:
    return {name for name in PUBLIC if not same(on[name], off[name])}


def changed_columns(on: Table, off: Table) -> set[str]:
    return {c for c in on if not np.array_equal(on[c], off[c])}


def rows(table: Table, *columns: str) -> list[tuple[object, ...]]:
    return sorted(zip(*(table[c].tolist() for c in columns or table), strict=True))


def missing(more: Table, fewer: Table) -> list[tuple[object, ...]]:
    """Return the rows that only ``more`` has; ``fewer`` has no others."""
    left = rows(more)
    for row in rows(fewer):
        left.remove(row)
    return left


def test_entry_stamping_moves_the_times_of_its_gifts_only(record: Record) -> None:
    on, off = record(grid_ms=1), record(grid_ms=1, entry_stamped=0.0)
    assert changed(on, off) == {"gift"}
    assert rows(on["gift"], "live_id", "gift_price") == rows(off["gift"], "live_id", "gift_price")
    truth, other = on["truth/gifts"], off["truth/gifts"]
    assert {*truth["stamp"]} == {"entry", "leaving"}
    was_entry = truth["stamp"] == "entry"
    assert np.array_equal(other["stamp"][~was_entry], truth["stamp"][~was_entry])
    assert set(other["stamp"][was_entry]) == {"own"}
    assert np.array_equal(np.sort(off["gift"]["timestamp"]), recorded_times(other))
    assert np.array_equal(np.sort(on["gift"]["timestamp"]), recorded_times(truth))


def recorded_times(truth: Table) -> Ints:
    stamp = truth["stamp"]
    cases = [stamp == "entry", stamp == "own", stamp == "leaving"]
    return np.sort(np.select(cases, [truth[c] for c in ("entry_ts", "gift_ts", "leaving_ts")]))


def test_lagging_moves_the_times_of_its_gifts_only(record: Record) -> None:
    on, off = record(lagged=0.2, entry_stamped=0.7), record(lagged=0.0, entry_stamped=0.7)
    assert changed(on, off) == {"gift"}
    stamps = on["truth/gifts"]["stamp"], off["truth/gifts"]["stamp"]
    assert set(stamps[1][stamps[0] == "leaving"]) == {"own"}
    assert np.array_equal(stamps[0][stamps[0] != "leaving"], stamps[1][stamps[0] != "leaving"])


def test_orphans_lose_their_click_row_only(record: Record) -> None:
    on, off = record(orphans=0.3), record(orphans=0.0)
    assert changed(on, off) == {"click"}
    truth = on["truth/gifts"]
    lost = {c: truth[c][truth["click_lost"]] for c in ("user_id", "live_id")}
    gone = {row[0:2] for row in missing(off["click"], on["click"])}
    assert gone == set(rows(lost))
    assert not gone & set(rows(on["click"], "user_id", "live_id"))
    assert truth["click_lost"].sum() > 50


def test_viewing_totals_add_up_what_single_presses_give(record: Record) -> None:
    on, off = record(presses=3.0), record(presses=3.0, viewing_totals=False)
    assert changed(on, off) == {"gift"}
    assert on["gift"]["gift_price"].sum() == off["gift"]["gift_price"].sum()
    assert off["gift"]["gift_price"].min() >= 1
    assert len(off["gift"]["gift_price"]) == on["truth/gifts"]["presses"].sum()
    assert len(off["gift"]["gift_price"]) > 1.2 * len(on["gift"]["gift_price"])
    assert set(rows(on["gift"], "user_id", "live_id")) == set(
        rows(off["gift"], "user_id", "live_id")
    )


def test_single_presses_have_their_own_times_in_the_viewing(record: Record) -> None:
    free = record(presses=3.0, viewing_totals=False, entry_stamped=0.0, lagged=0.0, grid_ms=1)
    gift, truth = free["gift"], free["truth/gifts"]
    assert set(truth["gift_ts"]) <= set(gift["timestamp"])
    last: dict[tuple[object, ...], int] = {}
    for row, ts in zip(rows_in_order(truth), truth["leaving_ts"].tolist(), strict=True):
        last[row] = max(ts, last.get(row, 0))
    late = [ts > last[row] for row, ts in zip(rows_in_order(gift), gift["timestamp"], strict=True)]
    assert not any(late)
    assert np.all(np.diff(gift["timestamp"]) >= 0)


def rows_in_order(table: Table) -> list[tuple[object, ...]]:
    return list(zip(table["user_id"].tolist(), table["live_id"].tolist(), strict=True))


def test_the_snapshot_changes_the_counters_only(record: Record) -> None:
    on, off = record(), record(snapshot=False)
    assert changed(on, off) == {"user", "streamer"}
    counters = {"accu_watch_live_cnt", "accu_watch_live_duration"}
    assert changed_columns(on["user"], off["user"]) == counters
    assert changed_columns(on["streamer"], off["streamer"]) == {
        "accu_play_cnt",
        "accu_play_duration",
    }


def test_the_snapshot_counts_what_a_platform_would(
    generous: World, run: tuple[Log, Bools], record: Record
) -> None:
    on, off, log = record(), record(snapshot=False), run[0]
    grown = on["user"]["accu_watch_live_cnt"] - off["user"]["accu_watch_live_cnt"]
    clicked = log.status == CLICKED
    who = generous.user_ids[log.user[clicked]]
    assert grown.tolist() == [int(np.sum(who == u)) for u in on["user"]["user_id"]]


@pytest.mark.parametrize("day", [1, 3])
def test_an_outage_loses_clicks_without_a_gift_of_its_days_only(
    generous: World, record: Record, day: int
) -> None:
    on = record(outage_days=(day,), outage_drop=(0.6,), orphans=0.0)
    off = record(outage_days=(), outage_drop=(), orphans=0.0)
    assert changed(on, off) == {"click"}
    gone = missing(off["click"], on["click"])
    assert {(row[3] - generous.origin_ms) // DAY_MS for row in gone} == {day}  # type: ignore[operator]
    gave = set(rows(on["truth/gifts"], "user_id", "live_id", "timestamp"))
    assert not {row[0:2] + row[3:4] for row in gone} & gave
    before = (off["click"]["timestamp"] - generous.origin_ms) // DAY_MS == day
    kept = (on["click"]["timestamp"] - generous.origin_ms) // DAY_MS == day
    gifts = (on["truth/gifts"]["timestamp"] - generous.origin_ms) // DAY_MS == day
    quiet = before.sum() - gifts.sum()
    assert abs(before.sum() - kept.sum() - 0.6 * quiet) < 4 * np.sqrt(0.24 * quiet)


def test_late_records_are_missing_at_the_end_only(generous: World, record: Record) -> None:
    on, off = record(arrival_lag="slow"), record()
    assert changed(on, off) == {"gift"}
    shown = {name: column for name, column in on["gift"].items() if name != "known_ts"}
    gone, truth = missing(off["gift"], shown), on["truth/gifts"]
    end = generous.origin_ms + 5 * DAY_MS
    assert len(gone) == np.sum(~truth["recorded"]) > 10
    assert np.array_equal(truth["recorded"], truth["arrival_ts"] <= end)
    assert np.all(off["truth/gifts"]["recorded"])
    days = np.array([row[3] for row in gone])
    assert np.median(end - days) < 2 * DAY_MS


@pytest.mark.parametrize("totals", [True, False])
def test_a_late_record_says_when_it_arrived(record: Record, totals: bool) -> None:
    on, off = record(arrival_lag="slow", viewing_totals=totals), record(viewing_totals=totals)
    assert "known_ts" not in off["gift"]
    gift, truth = on["gift"], on["truth/gifts"]
    assert np.all(gift["known_ts"] >= gift["timestamp"])
    told = np.zeros(len(gift["known_ts"]), dtype=bool)
    columns = (truth[c] for c in ("user_id", "live_id", "arrival_ts", "leaving_ts"))
    for user, live, arrival, leaving in zip(*columns, strict=True):
        at = np.flatnonzero((gift["user_id"] == user) & (gift["live_id"] == live))
        known = gift["known_ts"][at]
        told[at] |= known == arrival
        told[at] |= (not totals) & (known >= arrival) & (known <= leaving)  # a later press
    assert told.all()
    if totals:
        kept = sorted(truth["arrival_ts"][truth["recorded"]].tolist())
        assert sorted(gift["known_ts"].tolist()) == kept


@pytest.mark.parametrize("law", ["fast", "slow", "amount"])
def test_arrival_lags_have_the_mean_of_their_law(record: Record, law: str) -> None:
    truth = record(arrival_lag=law, fast_seconds=60.0, slow_seconds=600.0, lag_power=0.5)[
        "truth/gifts"
    ]
    lag = (truth["arrival_ts"] - truth["leaving_ts"]) / 1000
    mean = np.minimum(600.0, 60.0 * np.sqrt(truth["amount"]))
    if law != "amount":
        mean = np.full(len(lag), {"fast": 60.0, "slow": 600.0}[law])
    unit = lag / mean
    assert abs(unit.mean() - 1.0) < 4 / np.sqrt(len(unit)) + 0.001


def test_censored_rooms_differ_in_their_ends_only(generous: World, record: Record) -> None:
    on, off = record(), record(censored_rooms=False)
    assert changed(on, off) == {"room"}
    assert changed_columns(on["room"], off["room"]) == {"end_timestamp"}
    cut = on["room"]["end_timestamp"] != off["room"]["end_timestamp"]
    end = generous.origin_ms + 5 * DAY_MS
    assert np.all(on["room"]["end_timestamp"] <= end)
    assert np.all(off["room"]["end_timestamp"][cut] > end)
    truth = on["truth/rooms"]
    assert set(truth["live_id"]) == set(off["room"]["live_id"][cut])
    assert np.array_equal(
        -(-np.sort(truth["planned_end_ts"]) // 500 * 500),
        np.sort(off["room"]["end_timestamp"][cut]),
    )


def test_the_grid_rounds_times_only(record: Record) -> None:
    on, off = record(), record(grid_ms=1)
    for name in PUBLIC:
        times = {c for c in on[name] if c in ("timestamp", "start_timestamp", "end_timestamp")}
        assert changed_columns(on[name], off[name]) == times
    for name in ("click", "gift", "comment", "like", "negative"):
        exact = off[name]["timestamp"]
        assert np.array_equal(on[name]["timestamp"], exact // 500 * 500)
        assert np.any(exact % 500)


def test_keeping_every_streamer_adds_rows_only(generous: World, record: Record) -> None:
    on, off = record(), record(select_streamers=False)
    assert changed(on, off) == {"negative", "room", "streamer"}
    kept = on["streamer"]["streamer_id"]
    for name in ("negative", "room", "streamer"):
        mine = np.isin(off[name]["streamer_id"], kept)
        assert same({c: v[mine] for c, v in off[name].items()}, on[name])
    assert len(off["streamer"]["streamer_id"]) == len(generous.streamer_ids)


def test_keeping_every_user_adds_rows_only(generous: World, record: Record) -> None:
    on, off = record(), record(select_users=False)
    users, streamers = on["user"]["user_id"], on["streamer"]["streamer_id"]
    assert len(off["user"]["user_id"]) == len(generous.user_ids) > len(users)
    for name in PUBLIC:
        who, kept = ("user_id", users) if "user_id" in on[name] else ("streamer_id", streamers)
        mine = np.isin(off[name][who], kept)
        if name == "negative":  # a streamer clicked only by others is now kept
            mine &= np.isin(off[name]["streamer_id"], streamers)
        assert same({c: v[mine] for c, v in off[name].items()}, on[name])


def test_all_defects_off_the_log_is_the_history(
    generous: World, run: tuple[Log, Bools], record: Record
) -> None:
    off = record(
        select_users=False,
        select_streamers=False,
        entry_stamped=0.0,
        lagged=0.0,
        orphans=0.0,
        outage_days=(),
        outage_drop=(),
        snapshot=False,
        censored_rooms=False,
        grid_ms=1,
    )
    log = run[0]
    clicked, gave = log.status == CLICKED, log.amount > 0
    click, gift = off["click"], off["gift"]
    assert np.array_equal(click["timestamp"], log.ts[clicked])
    assert np.array_equal(click["user_id"], generous.user_ids[log.user[clicked]])
    assert np.array_equal(click["watch_live_time"], log.watch_ms[clicked])
    assert np.array_equal(np.sort(gift["timestamp"]), np.sort((log.ts + log.delay_ms)[gave]))
    assert gift["gift_price"].sum() == log.amount.sum()


def test_the_shares_of_kuailive(record: Record) -> None:
    truth = record()["truth/gifts"]
    count, with_click = len(truth["amount"]), ~truth["click_lost"]
    for found, share in (
        (truth["click_lost"], 0.049),
        (with_click & (truth["stamp"] == "entry"), 0.924),
        (with_click & (truth["stamp"] == "leaving"), 0.027),
    ):
        assert abs(found.mean() - share) < 4 * np.sqrt(share * (1 - share) / count)
    assert count > 300


def test_the_cut_into_chunks_leaves_no_trace(record: Record) -> None:
    whole, parts = record(presses=2.0), record(chunk_rows=25, presses=2.0)
    assert list(whole) == list(parts)
    assert all(same(whole[name], parts[name]) for name in whole)


def test_decisions_have_their_worth_row_by_row(record: Record) -> None:
    tables = record()
    for name in ("click", "negative"):
        truth = tables[f"truth/{name}s"]
        for column in ("user_id", "live_id", "streamer_id", "timestamp"):
            assert np.array_equal(truth[column], tables[name][column])
        assert np.all((truth["click_probability"] > 0) & (truth["click_probability"] < 1))
        assert np.all((truth["propensity"] > 0) & (truth["propensity"] <= 1))
        assert np.allclose(
            truth["expected_amount"] * truth["click_probability"], truth["expected_shown"]
        )


def test_the_latent_time_of_a_gift_lies_in_its_viewing(record: Record) -> None:
    truth = record()["truth/gifts"]
    assert np.all(truth["entry_ts"] <= truth["gift_ts"])
    assert np.all(truth["gift_ts"] <= truth["leaving_ts"])
    assert np.array_equal(truth["timestamp"], truth["entry_ts"] // 500 * 500)


def test_every_scheduled_room_opens_when_nobody_stays_away() -> None:
    rare = {"visits.per_day": "0.05", "visits.sigma": "0.0", "calendar.history_days": "2"}
    world = build_world(load_scenario("kuailive", "0.001", rare), 3)
    history = History(world)
    last = max(int(log.ts[-1]) for log in history.chunks())
    scheduled = world.room_start < world.origin_ms + 2 * DAY_MS
    assert np.any(scheduled & (world.room_start > last))
    assert np.array_equal(history.opened, scheduled[: len(history.opened)])
    assert not np.any(scheduled[len(history.opened) :])


def test_a_streamer_who_stays_off_air_has_no_room() -> None:
    off_air = {"supply.weight": "1.0", "calendar.history_days": "3"}
    world = build_world(load_scenario("kuailive", "0.002", off_air), 3)
    history = History(world, chunk_rows=500)
    logs = list(history.chunks())
    found = survey(world, lambda: iter(logs))
    tables = collected(recorded(world, found, lambda: iter(logs), history.opened))
    rooms = np.isin(world.live_ids, tables["room"]["live_id"])
    assert np.array_equal(rooms, history.opened & found.keeps_streamer()[world.room_streamer])
    assert 0 < np.sum(rooms) < np.sum(found.keeps_streamer()[world.room_streamer])
    for name in ("click", "negative"):
        assert set(tables[name]["live_id"]) <= set(tables["room"]["live_id"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30), st.integers(1, 7))
def test_waiting_rows_come_out_as_if_sorted_at_once(gaps: list[tuple[int, int]], size: int) -> None:
    entry = np.cumsum([gap for gap, _ in gaps], dtype=np.int64)
    late = entry + np.array([late for _, late in gaps], dtype=np.int64)
    number = np.arange(len(gaps))
    waiting, parts = Waiting(), []
    for first in range(0, max(len(gaps), 1), size):
        part = slice(first, first + size)
        nobody = first + size >= len(gaps)
        before = 10**6 if nobody else int(entry[first + size])
        parts.append(waiting.due(late[part], {"row": number[part]}, before)["row"])
    assert np.concatenate(parts).tolist() == np.lexsort((number, late)).tolist()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5_000), st.integers(1, 40))
def test_presses_share_the_money_in_whole_numbers(total: int, presses: int) -> None:
    presses = min(presses, total)
    shares = pressed(np.full(presses, total), np.full(presses, presses), np.arange(presses))
    assert shares.sum() == total
    assert shares.max() - shares.min() <= 1
    assert shares.min() >= 1
