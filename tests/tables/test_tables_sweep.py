"""The sweep against the definitions, evaluated slowly: every probe over all events of a log."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tests.tables.event_log import (
    BIG,
    DAY,
    HOUR,
    T0,
    Log,
    Row,
    assert_equal_bits,
    logs,
    nasty,
    swept,
)

from giftlive.errors import IdentityError
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

ALL = tuple(column for group in KEYS for column in state_columns(group))


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
    assert_equal_bits(swept(nasty()), whole)


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
    table = np.full(128, -1, dtype=np.int32)
    a, b = np.arange(60) // 8, np.arange(60) % 8
    size, at = np.zeros(1, dtype=np.int64), np.empty(60, dtype=np.int64)
    assert slots.locate(table, rows, size, a, b, np.ones(60, dtype=np.bool_), at, 0) == 60
    assert at.tolist() == list(range(60))
    slots.locate(table, rows, size, b, a, np.zeros(60, dtype=np.bool_), at, 0)
    turned = b * 8 + a
    assert at.tolist() == np.where(turned < 60, turned, -1).tolist()


@pytest.mark.parametrize(("places", "rows", "done"), [(64, 64, 32), (128, 40, 40), (128, 64, 60)])
def test_a_table_stops_where_half_its_slots_or_all_its_rows_are_taken(
    places: int, rows: int, done: int
) -> None:
    table = np.full(places, -1, dtype=np.int32)
    records = np.zeros(rows, np.dtype([("a", "i8"), ("b", "i8")]))
    a, size, at = np.arange(60), np.zeros(1, dtype=np.int64), np.empty(60, dtype=np.int64)
    assert slots.locate(table, records, size, a, a, np.ones(60, dtype=np.bool_), at, 0) == done
    assert (size.tolist(), at[:done].tolist()) == ([done], list(range(done)))


def test_gifts_alone_are_enough() -> None:
    gifts = [(1, 2, 3, T0 + k * HOUR, T0 + k * HOUR, k) for k in range(60)]
    log = Log(gifts=gifts, hidden=gifts[:3], probes=[(*g[:4],) for g in gifts])
    assert_definitions(log)


def test_nothing_yields_nothing() -> None:
    assert swept(Log()) == {}
    assert swept(Log(clicks=[(1, 2, 3, T0, T0, 0)])) == {}


@settings(max_examples=60, deadline=None)
@given(log=logs())
def test_any_log_is_as_defined(log: Log) -> None:
    assert_definitions(log)


def test_a_probe_outside_its_day_is_refused() -> None:
    con = nasty().connect()
    con.execute("update sample set day_start_ts = day_start_ts + 86400000 where sample_id = 0")
    with pytest.raises(IdentityError, match="as_of_ts"):
        swept(nasty(), con=con)
