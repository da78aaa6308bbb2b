"""The sweep against the definitions, evaluated slowly: every probe over all events of a log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import IdentityError, InputError, UsageError
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.features import slots, sweep
from giftlive.tables.features.prior import Moments, prior_of
from giftlive.tables.features.state import (
    ACTORS,
    DOUBLES,
    HALF_LIVES_MS,
    HEAT_MS,
    KEYS,
    state_columns,
)
from giftlive.tables.features.sweep_state import SweepState

HOUR, DAY, BIG = 3_600_000, 86_400_000, 2**63 - 1
T0 = 1_746_374_400_000  # 2025-05-05 00:00 in Shanghai
SLOT = 900_000
Row = tuple[int, ...]
ALL = tuple(column for group in KEYS for column in state_columns(group))


@dataclass
class Log:
    """Rows of (user, streamer, live, ts, known_ts, x), and probes (user, streamer, live, ts)."""

    clicks: Sequence[Row] = ()
    gifts: Sequence[Row] = ()
    hidden: Sequence[Row] = ()
    comments: Sequence[Row] = ()
    likes: Sequence[Row] = ()
    negatives: Sequence[Row] = ()
    probes: Sequence[Row] = ()
    category: dict[int, int] = field(default_factory=dict)
    tz: str = "Asia/Shanghai"
    frozen: bool = False

    def day_start(self, ts: int) -> int:
        """Walk back to local midnight, in quarters of an hour."""
        zone, slot = ZoneInfo(self.tz), ts - ts % SLOT
        day = _local(ts, zone)
        while _local(slot - SLOT, zone) == day:
            slot -= SLOT
        return slot

    def asked(self) -> list[dict[str, int]]:
        """Return the rows of the probe table."""
        rows = []
        for i, (user, streamer, live, ts) in enumerate(self.probes):
            start = self.day_start(ts)
            rows.append(
                {
                    "sample_id": i,
                    "user_id": user,
                    "streamer_id": streamer,
                    "live_id": live,
                    "category": self.category.get(live, -1),
                    "as_of_ts": start if self.frozen else ts,
                    "day_start_ts": start,
                    "hour": 0,
                    "weekday": 0,
                    "room_start_ts": -1,
                }
            )
        return rows

    def connect(self, before_ts: int | None = None) -> Any:
        """Write the log into tables; ``before_ts``: only the rows that began before it."""
        con = duckdb.connect()
        moments: set[int] = {0}
        names = ("click", "gift", "gift_anonymous", "comment", "likes", "negative")
        tables = (self.clicks, self.gifts, self.hidden, self.comments, self.likes, self.negatives)
        for name, rows in zip(names, tables, strict=True):
            x = {"click": "watch_ms", "gift": "amount", "gift_anonymous": "amount"}.get(name, "x")
            kept = [
                r for r in sorted(rows, key=lambda r: r[3]) if not before_ts or r[3] < before_ts
            ]
            moments.update(t for row in kept for t in row[3:5])
            _create(con, name, ["row_id", "user_id", "streamer_id", "live_id", "ts", "known_ts", x],
                    [(i, *row) for i, row in enumerate(kept)][::-1])  # fmt: skip
        asked = [
            tuple(r.values()) for r in self.asked() if not before_ts or r["as_of_ts"] < before_ts
        ]
        moments.update(row[5] for row in asked)
        _create(con, "sample", list(Log(probes=[(0, 0, 0, T0)]).asked()[0]), asked[::-1])
        _create(con, "room_category", ["live_id", "category"], list(self.category.items()))
        starts = [(t - t % SLOT, self.day_start(t)) for t in sorted(moments)]
        _create(con, "local_time", ["slot_ts", "day_start_ts"], starts)
        return con


def _local(ts: int, zone: ZoneInfo) -> Any:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts)).astimezone(zone).date()


def _create(con: Any, name: str, columns: list[str], rows: Sequence[Row]) -> None:
    con.execute(f"create table {name} ({', '.join(f'{c} bigint' for c in columns)})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        con.executemany(f"insert into {name} values ({marks})", rows)


def swept(
    log: Log, state: SweepState | None = None, con: Any = None
) -> dict[str, np.ndarray[Any, Any]]:
    """Return all state columns in the order of the sweep."""
    batches = list(sweep.native_states(DuckEngine(con or log.connect()), state=state))
    names = batches[0].columns if batches else ()
    return {name: np.concatenate([b.columns[name] for b in batches]) for name in names}


def reference(log: Log) -> list[dict[str, float]]:
    """Evaluate the definitions of state.py for every probe, in (as_of_ts, sample_id) order."""
    asked = sorted(log.asked(), key=lambda r: (r["as_of_ts"], r["sample_id"]))
    return [_reference_row(log, row) for row in asked]


def _events(log: Log, group: str, until: int) -> list[dict[str, Any]]:
    """Return what reaches the keys of a group before ``until``, each with its key."""
    kinds = [("entry", [(*r[:4], r[3], 1) for r in log.clicks]), ("viewing", log.clicks),
             ("gift", log.gifts), ("comment", log.comments), ("like", log.likes)]  # fmt: skip
    if group in ("streamer", "room"):
        kinds.append(("gift", log.hidden))
    found = []
    for kind, rows in kinds:
        for user, streamer, live, _, known, x in rows:
            ids = {"user_id": user, "streamer_id": streamer, "live_id": live,
                   "category": log.category.get(live, -1) if live >= 0 else -1}  # fmt: skip
            key = tuple(ids[name] for name in KEYS[group])
            if known < until and min(key) >= 0:
                found.append({"kind": kind, "t": known, "x": x, "key": key})
    return found


def _reference_row(log: Log, row: dict[str, int]) -> dict[str, float]:
    a, start = row["as_of_ts"], row["day_start_ts"]
    out: dict[str, float] = {}
    for group, names in KEYS.items():
        key = tuple(row[name] for name in names)
        everyone = _events(log, group, a)
        own = [e for e in everyone if e["key"] == key] if min(key) >= 0 else []
        entries = [e for e in own if e["kind"] == "entry"]
        gifts = [e for e in own if e["kind"] == "gift"]
        views = [e for e in own if e["kind"] == "viewing"]
        values: dict[str, float] = {
            "click_count": len(entries),
            "watch_ms": sum(e["x"] for e in views),
            "gift_count": len(gifts),
            "gift_sum": sum(e["x"] for e in gifts),
            "comment_count": sum(e["kind"] == "comment" for e in own),
            "like_count": sum(e["kind"] == "like" for e in own),
            "last_click_ts": max((e["t"] for e in entries), default=-1),
            "last_gift_ts": max((e["t"] for e in gifts), default=-1),
            "click_today": sum(e["t"] >= start for e in entries),
            "watch_ms_today": sum(e["x"] for e in views if e["t"] >= start),
            "gift_today": sum(e["x"] for e in gifts if e["t"] >= start),
        }
        for name, h in HALF_LIVES_MS.items():
            values[f"click_{name}"] = sum(0.5 ** ((a - e["t"]) / h) for e in entries)
            values[f"gift_{name}"] = sum(e["x"] * 0.5 ** ((a - e["t"]) / h) for e in gifts)
        for name, d in HEAT_MS.items():
            values[f"click_{name}"] = sum(e["t"] >= a - d for e in entries)
            values[f"gift_{name}"] = sum(e["x"] for e in gifts if e["t"] >= a - d)
        if group in ACTORS:
            values.update(_daily(log, group, key, _events(log, group, start), start))
        out.update((c, values[c.removeprefix(f"{group}_")]) for c in state_columns(group))
    return out


def _daily(
    log: Log, group: str, key: Row, events: list[dict[str, Any]], start: int
) -> dict[str, float]:
    n, g, w, v, m = ({e["key"]: 0 for e in events} for _ in range(5))
    for e in events:
        n[e["key"]] += e["kind"] == "entry"
        g[e["key"]] += e["kind"] == "gift"
        v[e["key"]] += e["x"] if e["kind"] == "gift" else 0
        w[e["key"]] += e["x"] if e["kind"] == "viewing" else 0
    if group != "pair":
        for user, streamer, _, _, known, _ in log.negatives:
            k = (user,) if group == "user" else (streamer,)
            if known < start and k[0] >= 0:
                m[k] = m.get(k, 0) + 1
    gift = prior_of(
        Moments(sum(n.values()), sum(g.values()), sum(x * x for x in n.values()),
                sum(x * x for x in g.values()), sum(v.values()))
    )  # fmt: skip
    shown = [n.get(k, 0) + m.get(k, 0) for k in {*n, *m}]
    enter = prior_of(
        Moments(sum(shown), sum(n.values()), sum(x * x for x in shown),
                sum(x * x for x in n.values()))
    )  # fmt: skip
    rates = {k: v[k] / w[k] for k in w if w[k] > 0}
    return {
        "prior_gift_rate": gift.rate,
        "prior_gift_value": gift.value,
        "strength": gift.strength,
        "prior_enter_rate": enter.rate,
        "enter_strength": enter.strength,
        "entered_count": n.get(key, 0),
        "negative_count": m.get(key, 0),
        "efficiency": (
            sum(r < rates[key] for r in rates.values()) / len(rates) if key in rates else -1.0
        ),
    }


def assert_definitions(log: Log) -> None:
    """Integers must be equal, doubles within 1e-9."""
    found, expected = swept(log), reference(log)
    assert len(expected) == len(log.probes)
    for name in ALL:
        column = [row[name] for row in expected]
        if name in DOUBLES:
            np.testing.assert_allclose(found[name], column, rtol=1e-9, atol=1e-9, err_msg=name)
        else:
            assert found[name].dtype == np.int64
            assert found[name].tolist() == column, name


def nasty(tz: str = "Asia/Shanghai", start: int = T0) -> Log:
    """Ties, midnights, unknown and huge ids, a long span, an empty day, a room of no category."""
    t = start + 23 * HOUR
    clicks = [
        (1, 5, 10, t, t + 50, 50), (1, 5, 10, t, t + 7, 7),
        (1, 6, 11, t + HOUR, t + 2 * HOUR, HOUR),
        (2, 5, 10, t + HOUR - 1, t + HOUR - 1, 0), (-1, 5, 10, t, t + 9, 9),
        (3, -1, -1, t, t + 9, 9),
        (BIG, BIG, BIG, t, t + 3, 3), (BIG, 5, 12, t + 3 * DAY, t + 3 * DAY + 5, 5),
        (1, 5, 10, t + 900 * DAY, t + 900 * DAY + HOUR, HOUR),
    ]  # fmt: skip
    gifts = [(1, 5, 10, t, t + 50, 100), (1, 5, 10, t, t + 50, 3), (BIG, BIG, BIG, t, t, 10**12),
             (2, -1, -1, t, t, 5), (4, 6, 11, t, t + 2 * HOUR, 8)]  # fmt: skip
    hidden = [(-1, 5, 10, t, t, 40), (1, 5, 10, t, t + 50, 2)]
    moments = [t, t + 1, t + 7, t + 8, t + 50, t + 51, t + HOUR, t + HOUR + 1, t + 2 * HOUR,
               t + 600_000, t + 600_001, t + 3 * DAY + 6, t + 900 * DAY + HOUR + 1]  # fmt: skip
    keys = [(1, 5, 10), (2, 5, 10), (BIG, BIG, BIG), (-1, 5, -1), (4, -1, 11), (-1, -1, -1)]
    notes = [(1, 5, 10, t, t, 0), (1, 7, 13, t + 1, t + 1, 0), (-1, 5, 10, t, t, 0)]
    shown = [
        (1, 5, 10, t, t, 0),
        (1, 8, 14, t, t, 0),
        (-1, 5, 1, t, t, 0),
        (9, -1, 1, t + DAY, t + DAY, 0),
    ]
    return Log(
        *(clicks, gifts, hidden, notes, notes[::-1], shown),
        [(*key, moment) for moment in moments for key in keys],
        {10: 3, 11: 4, BIG: 3, 12: -1},
        tz,
    )


@pytest.mark.parametrize(
    ("tz", "start"),
    [
        ("Asia/Shanghai", T0),
        ("Europe/Berlin", 1_743_202_800_000),  # 2025-03-29: the next day has 23 hours
        ("Europe/Berlin", 1_761_346_800_000),  # 2025-10-25: the next day has 25
        ("Asia/Kathmandu", 1_746_382_500_000),
    ],
)
def test_a_nasty_log_is_as_defined(tz: str, start: int) -> None:
    assert_definitions(nasty(tz, start))


def test_day_frozen_probes_stand_at_midnight() -> None:
    log = nasty()
    log.frozen = True
    assert_definitions(log)


@pytest.mark.parametrize("chunk", [1, 3])
def test_chunks_and_batches_do_not_matter(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = swept(nasty())
    monkeypatch.setattr(sweep, "CHUNK_ROWS", chunk)
    monkeypatch.setattr(sweep, "BATCH_PROBES", chunk)
    _assert_equal_bits(swept(nasty()), whole)


def test_tables_grow_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    n = 3000
    ids = rng.integers(0, BIG, (2, n))
    ts = np.sort(rng.integers(T0, T0 + DAY, n))
    rows = [
        (int(u), int(s), int(s), int(t), int(t) + 5, 5) for u, s, t in zip(*ids, ts, strict=True)
    ]
    probes = [(u, s, live, T0 + DAY - 1) for u, s, live, *_ in rows]
    log = Log(clicks=rows, gifts=rows, probes=probes)
    found = swept(log)
    assert (found["pair_click_count"] == 1).all()
    assert (found["pair_gift_sum"] == 5).all()
    assert found["pair_last_click_ts"].tolist() == ts.tolist()


def test_keys_that_collide_stay_apart() -> None:
    rows = np.zeros(64, np.dtype([("a", "i8"), ("b", "i8")]))
    table = np.full(64, -1, dtype=np.int32)
    a, b = np.arange(60) // 8, np.arange(60) % 8
    size, at = np.zeros(1, dtype=np.int64), np.empty(60, dtype=np.int64)
    assert slots.locate(table, rows, size, a, b, np.ones(60, dtype=np.bool_), at, 0) == 60
    assert at.tolist() == list(range(60))
    slots.locate(table, rows, size, b, a, np.zeros(60, dtype=np.bool_), at, 0)
    turned = b * 8 + a
    assert at.tolist() == np.where(turned < 60, turned, -1).tolist()


def test_gifts_alone_are_enough() -> None:
    gifts = [(1, 2, 3, T0 + k * HOUR, T0 + k * HOUR, k) for k in range(60)]
    log = Log(gifts=gifts, hidden=gifts[:3], probes=[(*g[:4],) for g in gifts])
    assert_definitions(log)


def test_nothing_yields_nothing() -> None:
    assert swept(Log()) == {}
    assert swept(Log(clicks=[(1, 2, 3, T0, T0, 0)])) == {}


_ID = st.sampled_from([-1, 0, 1, 2, BIG])
_TIME = st.one_of(
    st.integers(T0 - 2, T0 + 2),
    st.sampled_from([T0 + k * 600_000 for k in range(14)]),
    st.integers(T0 - DAY, T0 + 3 * DAY),
)
_EVENT = st.tuples(_ID, _ID, _ID, _TIME, st.sampled_from([0, 1, 600_000, HOUR, DAY]))
_ROWS = st.lists(_EVENT.map(lambda e: (*e[:3], e[3], e[3] + e[4], e[4])), max_size=7)


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Draw a small log with many ties."""
    probes = draw(st.lists(st.tuples(_ID, _ID, _ID, _TIME), min_size=1, max_size=10))
    category = draw(st.dictionaries(st.sampled_from([0, 1, 2, BIG]), st.integers(-1, 2)))
    tz = draw(st.sampled_from(["Asia/Shanghai", "America/New_York"]))
    a, b, c, d, e, f = (draw(_ROWS) for _ in range(6))
    return Log(a, b, c, d, e, f, probes, category, tz, draw(st.booleans()))


@settings(max_examples=60, deadline=None)
@given(log=logs())
def test_any_log_is_as_defined(log: Log) -> None:
    assert_definitions(log)


def _assert_equal_bits(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert list(a) == list(b)
    for name in a:
        assert a[name].tobytes() == b[name].tobytes(), name


@settings(max_examples=15, deadline=None)
@given(log=logs())
def test_resuming_at_every_boundary_equals_one_sweep(
    log: Log, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("states")
    state = SweepState()
    kept: list[sweep.StateBatch] = []
    for batch in sweep.native_states(DuckEngine(log.connect()), state=state):
        assert batch.closes_ts is not None  # small days are one batch
        state.save(folder / str(len(kept)))
        kept.append(batch)
    for k in range(len(kept)):
        rest = swept(log, SweepState.load(folder / str(k)))
        if k + 1 == len(kept):
            assert rest == {}
            continue
        expected = {name: np.concatenate([b.columns[name] for b in kept[k + 1 :]]) for name in ALL}
        _assert_equal_bits({name: rest[name] for name in ALL}, expected)


@settings(max_examples=15, deadline=None)
@given(log=logs(), days=st.integers(-1, 2))
def test_appending_days_equals_a_rebuild(
    log: Log, days: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cut = log.day_start(T0 + days * DAY + DAY // 2)
    state, parts = SweepState(), []
    for con in (log.connect(before_ts=cut), log.connect()):
        parts.append(swept(log, state, con))
        state.save(tmp_path_factory.mktemp("s") / "state")
    whole = swept(log)
    for name in ALL:
        both = [part[name] for part in parts if part]
        assert np.concatenate(both).tobytes() == whole[name].tobytes(), name


def test_a_day_has_to_end_before_it_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH_PROBES", 2)
    state = SweepState()
    batches = sweep.native_states(DuckEngine(nasty().connect()), state=state)
    assert next(batches).closes_ts is None
    with pytest.raises(UsageError, match="closes_ts"):
        state.save(tmp_path / "state")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the folder of a state saved after the first day of the nasty log."""
    state = SweepState()
    next(iter(sweep.native_states(DuckEngine(nasty().connect()), state=state)))
    state.save(tmp_path / "state")
    return tmp_path / "state"


@pytest.mark.parametrize("name", ["pair_rows.npy", "clock.npy", "state.json"])
def test_a_corrupted_state_is_refused(saved: Path, name: str) -> None:
    data = bytearray((saved / name).read_bytes())
    data[len(data) // 2] ^= 1
    (saved / name).write_bytes(bytes(data))
    with pytest.raises(InputError, match=name):
        SweepState.load(saved)


def test_a_missing_or_foreign_state_is_refused(saved: Path, tmp_path: Path) -> None:
    plain = json.loads((saved / "state.json").read_text())
    (saved / "state.json").write_text(json.dumps(plain | {"version": 0}))
    with pytest.raises(InputError, match="version 0"):
        SweepState.load(saved)
    (saved / "state.json").unlink()
    with pytest.raises(InputError, match="not readable"):
        SweepState.load(saved)
    (tmp_path / "state").rename(tmp_path / "other")
    with pytest.raises(InputError, match=r"state\.json"):
        SweepState.load(saved)


def test_a_state_of_other_events_is_refused(saved: Path) -> None:
    log = nasty()
    log.gifts = [*log.gifts, (1, 5, 10, T0, T0, 1)]
    with pytest.raises(InputError, match="gift"):
        swept(log, SweepState.load(saved))
    log = nasty()
    log.category[10] = 5
    with pytest.raises(InputError, match="room 10"):
        swept(log, SweepState.load(saved))


def test_a_probe_outside_its_day_is_refused() -> None:
    con = nasty().connect()
    con.execute("update sample set day_start_ts = day_start_ts + 86400000 where sample_id = 0")
    with pytest.raises(IdentityError, match="as_of_ts"):
        swept(nasty(), con=con)
