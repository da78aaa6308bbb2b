"""The interval index against brute force: who is live, how many, and what contradicts it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import InputError, UsageError
from giftlive.tables.candidates.listing import Listing
from giftlive.tables.candidates.live_set import MANY, advance, nobody_live
from giftlive.tables.candidates.rooms import OPEN, Contradictions, RoomIndex

LAST = 30
HUGE = 2**63 - 1

Rows = Sequence[tuple[int, int, int, int]]
rooms = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 4, 5, HUGE]),
        st.integers(1, 3),
        st.integers(0, 20),
        st.one_of(st.just(None), st.integers(0, 9)),
    ).map(lambda r: (r[0], r[1], r[2], OPEN if r[3] is None else r[2] + r[3])),
    max_size=40,
)


def index_of(rows: Rows) -> RoomIndex:
    live, streamer, start, end = (np.array([r[k] for r in rows], dtype=np.int64) for k in range(4))
    return RoomIndex.of(live, streamer, start, end, last_ts=LAST)


def live_ids(rows: Rows, t: int) -> set[int]:
    return {v for v, _, a, b in rows if a <= t < (LAST + 1 if b == OPEN else b)}


@given(rows=rooms)
@settings(max_examples=60)
def test_the_index_is_brute_force(rows: Rows) -> None:
    index, times = index_of(rows), np.arange(-1, LAST + 3)
    listing = Listing.of(index)
    expected = [live_ids(rows, t) for t in times.tolist()]
    assert index.count_live(times).tolist() == [len(ids) for ids in expected]
    for t, ids in zip(times.tolist(), expected, strict=True):
        found = index.live_id[listing.live_rooms(t)].tolist()
        assert sorted(found) == sorted(ids)
        asked = [0, 1, 2, 3, 4, 5, HUGE]
        assert index.is_live(asked, [t] * 7).tolist() == [v in ids for v in asked]
    assert index.most_live() == max(len(ids) for ids in expected)


@given(rows=rooms, times=st.lists(st.integers(0, LAST + 2), min_size=1, max_size=8))
@settings(max_examples=60)
def test_the_sweep_is_brute_force_and_forgets_the_steps(rows: Rows, times: list[int]) -> None:
    index = index_of(rows)
    stepwise, once = nobody_live(index, 1), nobody_live(index, 1)
    for t in sorted(times):
        advance(stepwise, t, 10)
    advance(once, max(times), 10)
    many = int(once.cursor[MANY])
    assert stepwise.listed[:many].tolist() == once.listed[:many].tolist()
    assert set(index.live_id[once.listed[:many]].tolist()) == live_ids(rows, max(times))
    for streamer in range(len(index.streamer_id)):
        chain, room = set(), int(once.head[streamer])
        while room >= 0:
            chain.add(room)
            room = int(once.before[room])
        assert chain == {r for r in once.listed[:many].tolist() if index.streamer[r] == streamer}


@given(rows=rooms, seed=st.integers(0, 99))
@settings(max_examples=30)
def test_the_order_of_rows_does_not_matter(rows: Rows, seed: int) -> None:
    shuffled = [rows[k] for k in np.random.default_rng(seed).permutation(len(rows))]
    one, two = index_of(rows), index_of(shuffled)
    for name in ("live_id", "streamer", "first", "start", "end", "open_room", "close_room"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()
    assert one.counts == two.counts


def test_intervals_are_closed_at_the_start_and_open_at_the_end() -> None:
    index = index_of([(7, 1, 5, 9)])
    assert index.count_live([4, 5, 8, 9]).tolist() == [0, 1, 1, 0]


def test_a_room_without_an_end_is_live_until_the_last_event() -> None:
    index = index_of([(7, 1, 5, OPEN), (8, 1, LAST + 9, OPEN)])
    assert index.is_live([7, 7, 8], [LAST, LAST + 1, LAST + 9]).tolist() == [True, False, False]
    assert (index.counts.open, index.counts.empty) == (2, 1)


def test_repeated_live_ids_are_the_union_of_their_intervals() -> None:
    rows = [(7, 1, 0, 10), (7, 2, 5, 12), (7, 1, 12, 14), (7, 1, 20, 22), (9, 3, 4, 4)]
    index = index_of(rows)
    assert list(zip(index.start.tolist(), index.end.tolist(), strict=True)) == [(0, 14), (20, 22)]
    assert index.streamer_id[index.streamer].tolist() == [1, 3]
    counts = index.counts
    assert (counts.rows, counts.rooms, counts.repeated, counts.merged) == (5, 2, 3, 2)
    assert (counts.empty, counts.other_streamer) == (1, 1)


def test_clicks_outside_their_room_are_counted() -> None:
    index = index_of([(7, 1, 5, 9), (7, 1, 20, 22), (9, 3, 4, 4)])
    found = index.contradictions([7, 7, 7, 7, 8, 9, 9], [4, 5, 9, 22, 5, 4, 3])
    # an id whose only row is empty has no interval: every time is before its start
    assert found == Contradictions(inside=1, unknown_room=1, before_start=3, between=1, after_end=1)


def test_nothing_is_live_without_rooms() -> None:
    index = index_of([])
    assert index.count_live([0, 5]).tolist() == [0, 0]
    assert index.is_live([7], [0]).tolist() == [False]
    assert len(Listing.of(index).live_rooms(3)) == index.most_live() == 0


def test_many_intervals_fill_many_blocks() -> None:
    g = np.random.default_rng(3)
    n = 3_000
    start = g.integers(0, 10_000, n)
    end = start + g.integers(0, 500, n)
    index = RoomIndex.of(np.arange(n), np.zeros(n, dtype=np.int64), start, end, last_ts=11_000)
    listing = Listing.of(index)
    for t in (0, 250, 4_000, 10_499, 10_500):
        expected = np.flatnonzero((start <= t) & (t < end))
        assert sorted(listing.live_rooms(t).tolist()) == expected.tolist()


def test_impossible_rooms_are_refused() -> None:
    with pytest.raises(InputError, match="ends at 4"):
        index_of([(7, 1, 5, 4)])
    with pytest.raises(UsageError, match="shapes"):
        RoomIndex.of([1, 2], [1], [0, 0], [1, 1], last_ts=5)
