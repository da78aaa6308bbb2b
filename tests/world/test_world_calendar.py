"""Heap, arrivals and live rooms: the clockwork under the kernel."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.world import World, build_world, load_scenario
from giftlive.world.arrivals import _clock, _elapsed, cumulative_day, exposures_of, visit_after
from giftlive.world.candidates import _popular, close_room, no_rooms, open_room, retrieve
from giftlive.world.heap import pop, push
from giftlive.world.state import new_batch

few = settings(max_examples=30, deadline=None)


@few
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=40), st.integers(0, 9))
def test_the_heap_pops_in_the_order_of_heapq(pairs: list[tuple[int, int]], keep: int) -> None:
    times, ids = np.zeros((2, len(pairs) + 1), dtype=np.int64)
    size = 0
    mirror: list[tuple[int, int]] = []
    popped: list[bool] = []
    for k, (time, what) in enumerate(pairs):
        size = push(times, ids, size, time, what)
        heapq.heappush(mirror, (time, what))
        if k % 10 == keep:
            size = pop(times, ids, size)
            popped.append((int(times[size]), int(ids[size])) == heapq.heappop(mirror))
    while size:
        size = pop(times, ids, size)
        popped.append((int(times[size]), int(ids[size])) == heapq.heappop(mirror))
    assert all(popped)
    assert not mirror


@few
@given(
    st.lists(st.floats(0, 3), min_size=24, max_size=24).filter(lambda h: sum(h) > 0.1),
    st.floats(0, 5),
)
def test_clock_time_inverts_operational_time(hourly: list[float], operational: float) -> None:
    diurnal = cumulative_day(tuple(hourly))
    assert _elapsed(diurnal, _clock(diurnal, operational)) == pytest.approx(operational, abs=1e-9)


def test_visits_come_at_the_rate_of_activity_and_in_open_hours(evening: World) -> None:
    scene, days, count = evening.scene, 200, 0
    for user in range(20):
        visit, operational = -1, 0.0
        while True:
            visit, operational, ts = visit_after(scene, user, visit, operational, 0, 5)
            if ts >= days * 86_400_000:
                break
            assert 19 <= ts / 3_600_000 % 24 < 23
            count += 1
    expected = days * scene.users.activity[:20].sum()
    assert abs(count - expected) < 4 * np.sqrt(expected)


def test_visit_lengths_are_geometric_with_the_stated_mean(clocked: World) -> None:
    mean = clocked.scene.rhythm.exposures
    drawn = np.array([exposures_of(clocked.scene, 0, k, 3) for k in range(4_000)])
    assert drawn.min() == 1
    assert abs(drawn.mean() - mean) < 4 * np.sqrt(mean * (mean - 1) / len(drawn))


def test_popular_draws_follow_a_plain_cumulative_sum_under_any_openings(clocked: World) -> None:
    scene, rng = clocked.scene, np.random.default_rng(1)
    live = no_rooms(len(clocked.streamer_ids))
    on_air: dict[int, int] = {}
    first = {int(s): r for r, s in reversed(list(enumerate(scene.rooms.streamer)))}
    for streamer in rng.choice(list(first), 400):
        room = first[int(streamer)]
        popularity = scene.streamers.weight[streamer]
        if streamer in on_air:
            close_room(live, streamer, popularity)
        else:
            open_room(live, streamer, room, popularity)
        if on_air.pop(streamer, None) is None:
            on_air[streamer] = room
    weight = np.zeros(len(clocked.streamer_ids), dtype=np.int64)
    weight[list(on_air)] = scene.streamers.weight[list(on_air)]
    assert live.total.tolist() == [len(on_air), weight.sum()]
    assert set(live.listed[: live.total[0]]) == set(on_air)
    for target in rng.integers(weight.sum(), size=200):
        assert _popular(live.tree, target) == np.searchsorted(np.cumsum(weight), target, "right")


def test_candidates_are_live_distinct_and_begin_with_the_live_homes(clocked: World) -> None:
    scene = clocked.scene
    live = no_rooms(len(clocked.streamer_ids))
    ts = int(np.median(scene.rooms.start))
    on_air = np.flatnonzero((scene.rooms.start <= ts) & (scene.rooms.end > ts + 1_000))
    for room in on_air:
        streamer = scene.rooms.streamer[room]
        open_room(live, streamer, room, scene.streamers.weight[streamer])
    batch = new_batch(30, 8)
    batch.ts[:], batch.user[:] = ts, np.arange(30)
    retrieve(scene, live, batch, 30, 1)
    for user in range(30):
        rooms, streamers = batch.rooms[user], batch.streamers[user]
        found = rooms[rooms >= 0]
        assert set(found) <= set(on_air)
        assert len(on_air) > 8 >= len(found) == len(set(found)) >= 5
        homes = [s for s in scene.users.homes[user] if s >= 0 and live.room[s] >= 0]
        assert streamers[: len(homes)].tolist() == homes[:8]


def test_a_streamer_has_one_room_at_a_time(clocked: World) -> None:
    rooms = clocked.scene.rooms
    order = np.lexsort((rooms.start, rooms.streamer))
    same = rooms.streamer[order][1:] == rooms.streamer[order][:-1]
    assert np.all(rooms.end[order][:-1][same] < rooms.start[order][1:][same])
    assert np.all(rooms.end > rooms.start)


def test_the_arena_days_rooms_come_first(evening: World) -> None:
    edge = evening.origin_ms + evening.arena_day * 86_400_000
    assert np.array_equal(np.flatnonzero(evening.room_start >= edge), np.arange(10))
    assert np.array_equal(evening.room_streamer[:10], np.arange(10))


def test_public_ids_hide_the_dense_order(clocked: World) -> None:
    for ids in (clocked.user_ids, clocked.streamer_ids, clocked.live_ids):
        assert np.array_equal(np.sort(ids), 1 + np.arange(len(ids)))
        assert abs(np.corrcoef(ids, np.arange(len(ids)))[0, 1]) < 4 / np.sqrt(len(ids))


@pytest.mark.parametrize("load", ["0.5", "2.0"])
def test_seats_scale_with_one_over_load(load: str) -> None:
    small = {"calendar.history_days": "1"}
    base = build_world(load_scenario("scarce", "small", small), 3).scene.rooms.seats[:50]
    other = load_scenario("scarce", "small", small | {"seats.load": load})
    seats = build_world(other, 3).scene.rooms.seats[:50]
    assert seats.min() >= 1
    assert seats.sum() == pytest.approx(max(50, base.sum() / float(load)), abs=2)
