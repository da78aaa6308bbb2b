"""One event at a time: equal to the sweep in every bit, with a clock that never goes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.clock import local_day, local_hour, local_weekday, midnight_ms, zone
from giftlive.errors import InputError, UsageError
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.features.declare import FEATURES
from giftlive.tables.features.expression import Columns
from giftlive.tables.features.sweep import native_states
from giftlive.tables.features.sweep_state import SweepState
from giftlive.tables.online import Catalogue, Event, OnlineFeatures
from giftlive.types import Floats, Ints

T0, HOUR, DAY, BIG = 1_746_374_400_000, 3_600_000, 86_400_000, 2**63 - 1
TZ = "Asia/Shanghai"
CATALOGUE = Catalogue(
    rooms={1: {"category": 4, "start_ts": T0, "room_category": 4}, BIG: {"category": 0}},
    users={BIG: {"user_age": 18}},
    streamers={2: {"streamer_age": 30, "streamer_gender": 1}},
)
_VIEWS = {"entry": "click", "gift": "gift", "gift_anonymous": "gift_anonymous",
          "comment": "comment", "like": "likes", "negative": "negative"}  # fmt: skip
HISTORY = tuple(f for f in FEATURES if not f.group.endswith("_profile"))
Questions = list[tuple[int, int, int, int]]


def batch(events: list[Event], asked: Questions, state: SweepState | None = None) -> Floats:
    """Return the features of (user, streamer, live, ts) by the sweep, in the order of time."""
    con = duckdb.connect()
    for kind, view in _VIEWS.items():
        con.execute(
            f"create table {view} (row_id bigint, user_id bigint, streamer_id bigint,"
            " live_id bigint, ts bigint, known_ts bigint, watch_ms bigint, amount bigint)"
        )
        for i, e in enumerate(e for e in events if e.kind == kind):
            ends = e.known_ts + e.x if kind == "entry" else e.known_ts
            row = [i, *e[2:5], e.known_ts, ends, e.x, e.x]
            con.execute(f"insert into {view} values (?, ?, ?, ?, ?, ?, ?, ?)", row)
    con.execute("create table room_category as select 1::bigint live_id, 4::bigint category")
    con.execute(f"insert into room_category values ({BIG}, 0)")
    where = zone(TZ)
    times = np.array([q[3] for q in asked], dtype=np.int64)
    starts = [_midnight(int(day)) for day in local_day(times, where)]
    con.execute("create table local_time (slot_ts bigint, day_start_ts bigint)")
    con.execute(f"insert into local_time values ({max(starts) + 60 * DAY}, {max(starts)})")
    con.execute(
        "create table sample (sample_id bigint, user_id bigint, streamer_id bigint, live_id bigint,"
        " as_of_ts bigint, category bigint, day_start_ts bigint, room_start_ts bigint,"
        " hour bigint, weekday bigint)"
    )
    clock = zip(starts, local_hour(times, where), local_weekday(times, where), strict=True)
    for i, (q, (start, hour, weekday)) in enumerate(zip(asked, clock, strict=True)):
        room = CATALOGUE.rooms.get(q[2], {})
        opened = room.get("start_ts", -1)
        row = [
            i,
            *q,
            room.get("category", -1),
            start,
            opened if opened < q[3] else -1,
            hour,
            weekday,
        ]
        con.execute(
            "insert into sample values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [int(x) for x in row]
        )
    found = [b.columns for b in native_states(DuckEngine(con), state=state)]
    return np.concatenate([values(columns) for columns in found])


def _midnight(day: int) -> int:
    from datetime import date, timedelta

    return midnight_ms(date(1970, 1, 1) + timedelta(days=day), zone(TZ))


def values(columns: Columns) -> Floats:
    return np.column_stack([f.value.of(columns).astype(np.float64) for f in HISTORY])


def replay(online: OnlineFeatures, events: list[Event], asked: Questions) -> Floats:
    """Return the same features one event at a time, questions of a millisecond first."""
    rows, told = [], 0
    for user, streamer, live, ts in asked:
        while told < len(events) and events[told].known_ts < ts:
            online.update(events[told])
            told += 1
        rows.append(online.at(user, _ids(streamer), _ids(live), ts)[0])
    return np.stack(rows)


def _ids(*ids: int) -> Ints:
    return np.array(ids, dtype=np.int64)


def stream(events: list[Event]) -> list[Event]:
    """Add the end of every viewing, in time order."""
    ends = [
        e._replace(kind="viewing", known_ts=e.known_ts + e.x) for e in events if e.kind == "entry"
    ]
    return sorted([*events, *ends], key=lambda e: e.known_ts)


_ID = st.sampled_from([-1, 1, 2, BIG])
_TIME = st.one_of(
    st.integers(T0 - 2, T0 + 2),
    st.sampled_from([T0 + k * 600_000 for k in range(14)]),
    st.integers(T0 - DAY, T0 + 3 * DAY),
)
_EVENTS = st.lists(
    st.builds(Event, st.sampled_from(list(_VIEWS)), _TIME, _ID, _ID, _ID,
              st.sampled_from([0, 1, 600_000, DAY])),
    max_size=25,
)  # fmt: skip
_ASKED = st.lists(st.tuples(_ID, _ID, _ID, _TIME), min_size=1, max_size=12)


def in_order(events: list[Event], asked: Questions) -> tuple[list[Event], Questions]:
    return sorted(events, key=lambda e: e.known_ts), sorted(asked, key=lambda q: q[3])


@settings(max_examples=60, deadline=None)
@given(events=_EVENTS, asked=_ASKED)
def test_replay_equals_the_sweep_in_every_bit(events: list[Event], asked: Questions) -> None:
    events, asked = in_order(events, asked)
    found = replay(OnlineFeatures(TZ, CATALOGUE, HISTORY), stream(events), asked)
    expected = batch(events, asked)
    for j, feature in enumerate(HISTORY):
        assert found[:, j].tobytes() == expected[:, j].tobytes(), feature.name


@settings(max_examples=15, deadline=None)
@given(events=_EVENTS, asked=_ASKED, data=st.data())
def test_saving_anywhere_changes_nothing(
    events: list[Event],
    asked: Questions,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    events, asked = in_order(events, asked)
    told = stream(events)
    expected = replay(OnlineFeatures(TZ, CATALOGUE), told, asked)
    k = data.draw(st.integers(0, len(asked) - 1))
    online = OnlineFeatures(TZ, CATALOGUE)
    before = replay(online, told, asked[: k + 1])
    last = asked[k][3]
    ties = data.draw(st.booleans())  # save while events of the last millisecond wait
    for event in told:
        if event.known_ts == last and ties:
            online.update(event)
    folder = tmp_path_factory.mktemp("online") / "state"
    online.save(folder)
    rest = [e for e in told if e.known_ts >= last + ties]
    loaded = OnlineFeatures.load(folder, CATALOGUE)
    assert loaded.clock_ts == online.clock_ts
    np.testing.assert_array_equal(before, expected[: k + 1])
    if k + 1 < len(asked) and not any(q[3] == last for q in asked[k + 1 :]):
        after = replay(loaded, rest, asked[k + 1 :])
        np.testing.assert_array_equal(after, expected[k + 1 :])


def test_goes_on_from_a_sweep() -> None:
    events = [Event("entry", T0 + 5, 1, 2, 1, 100), Event("gift", T0 + 9, 1, 2, 1, 7),
              Event("negative", T0 + 9, 1, 2, 1)]  # fmt: skip
    state, later = SweepState(), [(1, 2, 1, T0 + 61 * DAY)]
    batch(events, [(1, 2, 1, T0 + 7)], state)
    assert events[-1].known_ts < state.until_ts < later[0][3]
    online = OnlineFeatures(TZ, CATALOGUE, HISTORY, state)
    rest = [e for e in stream(events) if e.known_ts >= state.until_ts]
    assert [e.kind for e in rest] == ["viewing"]
    np.testing.assert_array_equal(replay(online, rest, later), batch(events, later))


@pytest.fixture
def online() -> OnlineFeatures:
    """Return a fresh state whose clock stands at T0."""
    fresh = OnlineFeatures(TZ, CATALOGUE)
    fresh.at(1, _ids(2), _ids(1), T0)
    return fresh


def named(X: Floats, name: str) -> list[float]:
    column: list[float] = X[:, [f.name for f in FEATURES].index(name)].tolist()
    return column


def test_an_event_counts_from_the_next_millisecond(online: OnlineFeatures) -> None:
    online.update(Event("gift", T0, 1, 2, 1, 40))
    assert named(online.at(1, _ids(2), _ids(1), T0), "pair_gift_sum") == [0.0]
    assert named(online.at(1, _ids(2), _ids(1), T0 + 1), "pair_gift_sum") == [40.0]


def test_candidates_and_profiles(online: OnlineFeatures) -> None:
    X = online.at(BIG, _ids(2, 3, -1), _ids(1, 9, -1), T0 + 1000)
    assert X.shape == (3, len(FEATURES))
    assert np.isfinite(X).all()
    assert named(X, "user_age") == [18.0, 18.0, 18.0]
    assert named(X, "streamer_age") == [30.0, -1.0, -1.0]
    assert named(X, "room_category") == [4.0, -1.0, -1.0]
    assert named(X, "room_age_seconds") == [1.0, -1.0, -1.0]
    assert online.at(1, _ids(), _ids(), T0 + 1000).shape == (0, len(FEATURES))


def test_asking_changes_nothing(online: OnlineFeatures) -> None:
    online.update(Event("entry", T0, 1, 2, 1))
    first = online.at(1, _ids(2, 2), _ids(1, 1), T0 + 5)
    np.testing.assert_array_equal(first, online.at(1, _ids(2, 2), _ids(1, 1), T0 + 5))
    np.testing.assert_array_equal(first[0], first[1])


def test_many_keys_grow_the_tables(online: OnlineFeatures) -> None:
    for k in range(5000):
        online.update(Event("gift", T0 + k, k, k, k, 1 + k))
    X = online.at(4321, _ids(*range(5000)), _ids(*range(5000)), T0 + 6000)
    assert named(X, "streamer_gift_sum") == [1.0 + k for k in range(5000)]
    assert sum(named(X, "pair_gift_sum")) == 4322.0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda o: o.update(Event("gift", T0 - 1, 1, 2, 1)), "before the clock"),
        (lambda o: o.at(1, _ids(2), _ids(1), T0 - 1), "before the clock"),
        (lambda o: o.at(1, _ids(2), _ids(1, 2), T0), "1 streamers and 2 rooms"),
        (lambda o: o.at(2**63, _ids(2), _ids(1), T0), "user_id"),
        (lambda o: o.update(Event("superchat", T0, 1, 2, 1)), "unknown kind"),
        (lambda o: o.update(Event("probe", T0, 1, 2, 1)), "unknown kind"),
        (lambda o: o.update(Event("gift", T0, -2, 2, 1)), "user_id"),
        (lambda o: o.update(Event("gift", T0, 1, 2**63, 1)), "streamer_id"),
        (lambda o: o.update(Event("gift", T0, 1, 2, 1, -1)), "x is -1"),
        (lambda o: o.update(Event("gift", T0, 1, 2, 1, 2**63)), "x is"),
        (lambda o: o.update(Event("gift", 2**63, 1, 2, 1)), "known_ts"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_trace(
    online: OnlineFeatures, wrong: Callable[[OnlineFeatures], Any], says: str
) -> None:
    before = online.at(1, _ids(2), _ids(1), T0)
    with pytest.raises(UsageError, match=says):
        wrong(online)
    assert online.clock_ts == T0
    np.testing.assert_array_equal(online.at(1, _ids(2), _ids(1), T0), before)


def test_a_corrupted_state_is_refused(online: OnlineFeatures, tmp_path: Path) -> None:
    online.update(Event("gift", T0, 1, 2, 1, 40))
    online.save(tmp_path / "state")
    text = (tmp_path / "state" / "state.json").read_text()
    (tmp_path / "state" / "state.json").write_text(text.replace("40", "41"))
    with pytest.raises(InputError, match=r"state\.json"):
        OnlineFeatures.load(tmp_path / "state", CATALOGUE)
