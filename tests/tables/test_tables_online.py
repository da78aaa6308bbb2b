"""One event at a time: equal to the sweep in every bit, with a clock that never goes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.clock import day_starts_ms, local_day, local_hour, local_weekday, zone
from giftlive.errors import InputError, UsageError
from giftlive.logs import Store
from giftlive.tables import TableOptions, build_tables, load_matrix
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.features.declare import FEATURES
from giftlive.tables.features.expression import Columns
from giftlive.tables.features.sweep import native_states
from giftlive.tables.features.sweep_state import SweepState
from giftlive.tables.local_time import SLOT_MS
from giftlive.tables.online import Catalogue, Event, OnlineFeatures
from giftlive.types import Floats, Ints

T0, HOUR, DAY, BIG = 1_746_374_400_000, 3_600_000, 86_400_000, 2**63 - 1
TZ = "Asia/Shanghai"
WATCH = 1_200_000
CATALOGUE = Catalogue(
    rooms={1: {"category": 4, "start_ts": T0, "room_category": 4}, BIG: {"category": 0}},
    users={BIG: {"user_age": 18}},
    streamers={2: {"streamer_age": 30, "streamer_gender": 1}},
)
_VIEWS = {"entry": "click", "gift": "gift", "gift_anonymous": "gift_anonymous",
          "comment": "comment", "like": "likes", "negative": "negative"}  # fmt: skip
HISTORY = tuple(f for f in FEATURES if not f.group.endswith("_profile"))
Questions = list[tuple[int, int, int, int]]
Rows = Sequence[tuple[int, ...]]


def batch(events: list[Event], asked: Questions, state: SweepState | None = None) -> Floats:
    """Return the features of (user, streamer, live, ts) by the sweep, in the order of time."""
    con = duckdb.connect()
    for kind, view in _VIEWS.items():
        told = enumerate(e for e in events if e.kind == kind)
        ends = {"entry": 1}.get(kind, 0)
        rows = [(i, *e[2:5], e.known_ts, e.known_ts + ends * e.x, e.x, e.x) for i, e in told]
        _create(con, view, "row_id user_id streamer_id live_id ts known_ts watch_ms amount", rows)
    _create(con, "room_category", "live_id category", [(1, 4), (BIG, 0)])
    times = np.array([q[3] for q in asked], dtype=np.int64)
    starts = day_starts_ms(local_day(times, zone(TZ)), zone(TZ)).tolist()
    end = max(starts) + 60 * DAY
    _create(con, "local_time", "slot_ts day_start_ts", [(end, max(starts))])
    clock = zip(starts, local_hour(times, zone(TZ)), local_weekday(times, zone(TZ)), strict=True)
    samples = [
        (i, *q, *_opened(q), start, int(hour), int(weekday))
        for i, (q, (start, hour, weekday)) in enumerate(zip(asked, clock, strict=True))
    ]
    names = "sample_id user_id streamer_id live_id as_of_ts category room_start_ts day_start_ts"
    _create(con, "sample", f"{names} hour weekday", samples)
    found = [b.columns for b in native_states(DuckEngine(con), state=state)]
    return np.concatenate([values(columns) for columns in found])


def _create(con: Any, name: str, columns: str, rows: Rows) -> None:
    names = columns.split()
    values = zip(*rows, strict=True) if rows else ((),) * len(names)
    con.register("written", pa.table([pa.array(v, pa.int64()) for v in values], names=names))
    con.execute(f"create table {name} as select * from written")


def _opened(question: tuple[int, int, int, int]) -> tuple[int, int]:
    """Return category and start of the room, the start if it is before the question."""
    room = CATALOGUE.rooms.get(question[2], {})
    start = room.get("start_ts", -1)
    return room.get("category", -1), start if start < question[3] else -1


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


@settings(max_examples=25, deadline=None)
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


def visits(until: int) -> tuple[Rows, Rows]:
    """Return what began before ``until``: a visit in every quarter; every third one gives."""
    quarters = range(min(200, (until - T0) // SLOT_MS))
    clicks = [(1 + k % 3, 10 + k % 2, 5 + k % 2, T0 + k * SLOT_MS, WATCH) for k in quarters]
    return clicks, [(*c[:4], 1 + k) for k, c in enumerate(clicks) if k % 3 == 0]


def write(make_store: Callable[..., Store], until: int = BIG) -> Store:
    rooms = [
        {"live_id": 10 + k, "streamer_id": 5 + k, "start_ts": T0, "category": "ab"[k]}
        for k in range(2)
    ]
    return make_store(*visits(until), rooms=rooms, tz="America/New_York")


ROOMS = Catalogue({10 + k: {"category": k, "start_ts": T0, "room_category": k} for k in range(2)})


def test_tables_are_gone_on_from(make_store: Callable[..., Store], tmp_path: Path) -> None:
    short, whole = write(make_store, T0 + 30 * HOUR), write(make_store)
    one_per_visit = TableOptions(unit="click")
    build_tables(short, tmp_path / "short", one_per_visit)
    build_tables(whole, tmp_path / "whole", one_per_visit)
    online = OnlineFeatures.from_tables(tmp_path / "short", ROOMS)
    matrix = load_matrix(tmp_path / "whole")
    assert tuple(f.name for f in online.features) == matrix.names
    later = np.flatnonzero(matrix.ts >= online.clock_ts)
    assert len(later) == 78  # two more are not matured
    ids = [x[later].tolist() for x in (matrix.user, matrix.streamer, matrix.live, matrix.ts)]
    clicks, gifts = visits(BIG)
    events = [Event("entry", ts, user, of, live, x) for user, live, of, ts, x in clicks]
    events += [Event("gift", ts + WATCH, user, of, live, x) for user, live, of, ts, x in gifts]
    untold = [e for e in stream(events) if e.known_ts >= online.clock_ts]
    assert untold[0].kind == "viewing"
    np.testing.assert_array_equal(
        replay(online, untold, list(zip(*ids, strict=True))), matrix.X[later]
    )


def test_the_example_of_the_documentation_runs(
    make_store: Callable[..., Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[2] / "docs" / "tables.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    tables = build_tables(write(make_store), tmp_path / "TABLES")
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(example, found)
    assert found["X"].shape == (2, len(tables.features))
    gifts = list(tables.features).index("pair_gift_sum")
    assert found["X"][0, gifts] >= 52


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dwell_seconds": 3}, "first_window_watch_seconds"),
        ({"planted_leak": "label"}, "planted_leak"),
        ({"as_of": "day"}, "day's start"),
        ({"form": "portable"}, "without a state"),
    ],
)
def test_tables_that_no_service_can_go_on_from(
    make_store: Callable[..., Store], tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    build_tables(write(make_store, T0 + 2 * HOUR), tmp_path, TableOptions(**options))
    with pytest.raises(InputError, match=said):
        OnlineFeatures.from_tables(tmp_path, ROOMS)


def test_a_state_of_the_other_kind_is_refused(
    make_store: Callable[..., Store], tmp_path: Path
) -> None:
    build_tables(write(make_store, T0 + 2 * HOUR), tmp_path)
    with pytest.raises(InputError, match=r"OnlineFeatures\.from_tables"):
        OnlineFeatures.load(tmp_path / "state", ROOMS)
    OnlineFeatures.from_tables(tmp_path, ROOMS).save(tmp_path / "state")
    with pytest.raises(InputError, match=r"OnlineFeatures\.load"):
        OnlineFeatures.from_tables(tmp_path, ROOMS)
    with pytest.raises(InputError, match="no data dictionary"):
        OnlineFeatures.from_tables(tmp_path / "state", ROOMS)


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
