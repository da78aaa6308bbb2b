"""The portable SQL against the definitions in plain Python, row for row and for every feature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.tables.features.declare import FEATURES, Feature
from giftlive.tables.features.query import plan_features

BIG = 2**63 - 1
MINUTE, HOUR = 60_000, 3_600_000
HALF_LIVES = {"1h": HOUR, "1d": 24 * HOUR, "7d": 168 * HOUR}
PROFILES = ("room_profile", "user_profile", "streamer_profile")
HISTORY = tuple(f for f in FEATURES if f.group not in PROFILES)
COLUMNS = {
    "click": "user_id live_id streamer_id ts watch_ms known_ts",
    "gift": "user_id live_id streamer_id ts amount known_ts",
    "gift_anonymous": "user_id live_id streamer_id ts amount known_ts",
    "comment": "user_id live_id streamer_id ts known_ts",
    "likes": "user_id live_id streamer_id ts known_ts",
    "negative": "user_id live_id streamer_id ts known_ts",
    "room_category": "live_id category",
    "code": "feature value code",
}
Row = tuple[int, ...]
Values = dict[str, float]


@dataclass(frozen=True)
class Log:
    """Rows as in COLUMNS; probes are (user, live, streamer, as_of_ts)."""

    probes: list[Row] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    categories: dict[int, int] = field(default_factory=dict)
    tz: str = "America/New_York"


def start_of_day(ts: int, tz: str) -> int:
    where = ZoneInfo(tz)
    day = datetime.fromtimestamp(ts / 1000, tz=UTC).astimezone(where).date()
    return int(datetime.combine(day, time(), where).timestamp()) * 1000


def day_of(ts: int, tz: str) -> int:
    local = datetime.fromtimestamp(ts / 1000, tz=UTC).astimezone(ZoneInfo(tz))
    return (local.date() - date(1970, 1, 1)).days


@dataclass(frozen=True)
class Event:
    """One thing that became known: what, whose, when, how much."""

    kind: str
    user_id: int
    live_id: int
    streamer_id: int
    category: int
    known_ts: int
    value: int


def events_of(log: Log) -> Iterator[Event]:
    for table, rows in log.rows.items():
        for user, live, streamer, ts, *rest in rows:
            who = (user, live, streamer, log.categories.get(live, -1))
            if table == "click":
                yield Event("entry", *who, ts, 1)
                yield Event("watch", *who, rest[1], rest[0])
            elif table in ("gift", "gift_anonymous"):
                yield Event(table, *who, rest[1], rest[0])
            else:
                yield Event(table, *who, rest[0], 1)


KEYS = {
    "pair": ("user_id", "streamer_id"),
    "user": ("user_id",),
    "streamer": ("streamer_id",),
    "room": ("live_id",),
    "taste": ("user_id", "category"),
}


def key_of(thing: Event | Probe, group: str) -> tuple[int, ...]:
    return tuple(getattr(thing, name) for name in KEYS[group])


@dataclass(frozen=True)
class Probe:
    user_id: int
    live_id: int
    streamer_id: int
    category: int
    as_of_ts: int


def history(events: list[Event], group: str, a: int, midnight: int) -> Values:
    """Count what ``events`` of one key, all known before ``a``, amount to."""

    def of(*kinds: str, since: int = -1) -> list[Event]:
        return [e for e in events if e.kind in kinds and e.known_ts >= since]

    def total(found: Iterable[Event]) -> int:
        return sum(e.value for e in found)

    def since_last(found: list[Event]) -> float:
        return (a - max(e.known_ts for e in found)) / 1000 if found else -1

    gift = ("gift", "gift_anonymous")
    out: Values = {
        "gift_count": len(of(*gift)),
        "gift_sum": total(of(*gift)),
        "gift_mean": total(of(*gift)) / len(of(*gift)) if of(*gift) else 0,
        "gift_recency_seconds": since_last(of(*gift)),
        "click_count": len(of("entry")),
        "click_recency_seconds": since_last(of("entry")),
        "watch_seconds": total(of("watch")) / 1000,
        "comment_count": len(of("comment")),
        "like_count": len(of("likes")),
        "click_today": len(of("entry", since=midnight)),
        "watch_seconds_today": total(of("watch", since=midnight)) / 1000,
        "gift_today": total(of(*gift, since=midnight)),
    }
    for name, h in HALF_LIVES.items():
        for what, kinds in (("click", ("entry",)), ("gift", gift)):
            aged = (e.value * 2.0 ** (-(a - e.known_ts) / h) for e in of(*kinds))
            out[f"{what}_{name}"] = sum(aged)
    for name, length in (("10m", 10 * MINUTE), ("60m", HOUR)):
        out[f"click_{name}"] = len(of("entry", since=a - length))
        out[f"gift_{name}"] = total(of(*gift, since=a - length))
    return {f"{group}_{name}": value for name, value in out.items()}


def prior(trials: list[int], successes: list[int]) -> tuple[float, float]:
    """Return the mean rate and how many trials it is worth."""
    n, g = sum(trials), sum(successes)
    if n == 0 or g == 0:
        return 0.0, 1.0
    rate = g / n
    spread = sum(s * s - s for s in successes) / sum(t * t for t in trials) - rate**2
    return rate, min(max(rate / spread, 1.0), 10_000.0) if spread > 0 else 10_000.0


def by_hand(log: Log, everything: list[Event], p: Probe) -> Values:
    """Golden: every feature of a probe from its definition."""
    a, midnight = p.as_of_ts, start_of_day(p.as_of_ts, log.tz)
    out: Values = {}
    for group in KEYS:
        anonymous = group in ("streamer", "room")
        known = [e for e in everything if e.known_ts < a]
        known = [e for e in known if anonymous or e.kind != "gift_anonymous"]
        unknown = -1 in key_of(p, group)
        mine = [e for e in known if key_of(e, group) == key_of(p, group) and not unknown]
        out |= history(mine, group, a, midnight)
        keys: dict[tuple[int, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for e in known:
            if e.known_ts < midnight and -1 not in key_of(e, group):
                kind = e.kind.replace("gift_anonymous", "gift")
                keys[key_of(e, group)][kind] += 1
                keys[key_of(e, group)][f"{kind} value"] += e.value
        out |= rates(keys, key_of(p, group), group, out)
    for name, of in (("pair_gift_share", "gift_sum"), ("pair_watch_share", "watch_seconds")):
        out[name] = out[f"pair_{of}"] / out[f"user_{of}"] if out[f"user_{of}"] > 0 else 0.0
    out["room_age_seconds"] = -1
    local = datetime.fromtimestamp(a / 1000, tz=UTC).astimezone(ZoneInfo(log.tz))
    return out | {"hour": local.hour, "weekday": local.weekday()}


def rates(
    keys: dict[tuple[int, ...], dict[str, int]], mine: tuple[int, ...], group: str, now: Values
) -> Values:
    """Return what rests on all keys as they were before the day began."""
    past, own = list(keys.values()), keys[mine] if mine in keys else defaultdict(int)
    clicks, gifts = [k["entry"] for k in past], [k["gift"] for k in past]
    rate, strength = prior(clicks, gifts)
    value = sum(k["gift value"] for k in past) / sum(clicks) if sum(clicks) else 0.0
    trials = now[f"{group}_click_count"] + strength
    exposures = [k["entry"] + k["negative"] for k in past]
    enter, worth = prior(exposures, clicks)
    ratios = [k["gift value"] / k["watch value"] for k in past if k["watch value"] > 0]
    out = {
        "gift_rate": (now[f"{group}_gift_count"] + strength * rate) / trials,
        "gift_value": (now[f"{group}_gift_sum"] + strength * value) / trials,
        "negative_count": own["negative"],
        "enter_rate": (own["entry"] + worth * enter) / (own["entry"] + own["negative"] + worth),
        "efficiency": -1.0,
    }
    if own["watch value"] > 0:
        ratio = own["gift value"] / own["watch value"]
        out["efficiency"] = sum(r < ratio for r in ratios) / len(ratios)
    return {
        f"{group}_{name}": float(v) if name != "negative_count" else v for name, v in out.items()
    }


def expected(log: Log, features: Iterable[Feature] = HISTORY) -> list[Values]:
    everything, found = list(events_of(log)), []
    for user, live, streamer, a in log.probes:
        probe = Probe(user, live, streamer, log.categories.get(live, -1), a)
        values = by_hand(log, everything, probe)
        found.append({f.name: values[f.name] for f in features})
    return found


def table_of(columns: str, rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    names, rows = columns.split(), list(rows)
    text = {"feature", "value"}
    types = [pa.string() if name in text else pa.int64() for name in names]
    arrays = [pa.array([r[i] for r in rows], types[i]) for i in range(len(names))]
    return pa.table(dict(zip(names, arrays, strict=True)))


def tables_of(log: Log) -> dict[str, pa.Table]:
    """Return the relations that a plan relies on."""
    given_rows = log.rows | {"room_category": [*log.categories.items()]}
    tables = {
        name: table_of(columns, given_rows.get(name, [])) for name, columns in COLUMNS.items()
    }
    times = {p[3] for p in log.probes}
    for name in COLUMNS:
        for column in {"ts", "known_ts"} & set(tables[name].column_names):
            times |= set(tables[name][column].to_pylist())
    slots = sorted({t - t % 900_000 for t in times})
    clock = [(s, day_of(s, log.tz), start_of_day(s, log.tz)) for s in slots]
    tables["local_time"] = table_of("slot_ts day day_start_ts", clock)
    probes = []
    for i, (user, live, streamer, a) in enumerate(log.probes):
        local = datetime.fromtimestamp(a / 1000, tz=UTC).astimezone(ZoneInfo(log.tz))
        when = (a, a, day_of(a, log.tz), start_of_day(a, log.tz), local.hour, local.weekday())
        probes.append((i, user, live, streamer, log.categories.get(live, -1), *when, -1))
    tables["sample"] = table_of(
        "sample_id user_id live_id streamer_id category ts as_of_ts day day_start_ts hour weekday"
        " room_start_ts",
        probes,
    )
    return tables


def computed(
    log: Log, by_row: bool = False, features: tuple[Feature, ...] = HISTORY, threads: int = 1
) -> list[Values]:
    with duckdb.connect(config={"threads": threads}) as con:
        for name, table in tables_of(log).items():
            con.register("given_rows", table)
            con.execute(f"create table {name} as select * from given_rows")
            con.unregister("given_rows")
        plan = plan_features(features, by_row=by_row)
        for name, select in plan.stages:
            con.execute(f"create table {name} as {select}")
        rows = con.execute(f"select * from ({plan.select}) f order by sample_id").fetchall()
    assert [row[0] for row in rows] == list(range(len(log.probes)))
    return [dict(zip((f.name for f in features), row[1:], strict=True)) for row in rows]


def assert_same(found: list[Values], wanted: list[Values]) -> None:
    for i, (row, truth) in enumerate(zip(found, wanted, strict=True)):
        for name, value in truth.items():
            where = f"probe {i}, {name}"
            if isinstance(value, int) and isinstance(row[name], int):
                assert row[name] == value, where
            else:
                assert abs(row[name] - value) <= 1e-9 * max(1.0, abs(value)), where


# New York: 2016-03-13 has 23 hours, from 05:00 UTC to 04:00 UTC of the next day.
MIDNIGHT = 1_457_845_200_000
NEXT = MIDNIGHT + 23 * HOUR


def nasty() -> Log:
    """Return a log of equal times, midnights, a lost hour, nobodies and the largest id."""
    who = [(1, 10, 5), (1, 11, 5), (2, 20, 6), (BIG, 30, BIG), (1, 20, 6)]
    who += [(-1, 10, 5), (2, -1, -1)]
    around = (-50 * HOUR, -30 * MINUTE, -1, 0, 0, 1, 10 * MINUTE)
    at = [MIDNIGHT + t for t in around]
    at += [NEXT + t for t in (-HOUR, -10 * MINUTE, -1, 0, HOUR)]
    clicks = [
        (*w, t, k, t + k) for w in who for t, k in zip(at, [0, 1, HOUR, 90 * HOUR] * 3, strict=True)
    ]
    gifts = [(*w, t, 10**12 - i, t) for i, w in enumerate(who) for t in at[::5]]
    gifts += [(1, 10, 5, at[1], 7, at[1] + HOUR), (1, 10, 5, at[3], 0, at[3])]
    marks = [(*w, t, t + i) for i, (w, t) in enumerate(zip(who * 2, at, strict=False))]
    late = (*at, NEXT + 60 * 24 * HOUR)
    probes = [(*w, t + d) for w in (*who, (9, 99, 9)) for t in late for d in (0, 1)]
    rows: dict[str, list[Row]] = {"click": [*clicks], "gift": [*gifts], "comment": [*marks]}
    rows["likes"], rows["negative"] = [*marks[::2]], [*marks * 3]
    rows["gift_anonymous"] = [(1, 10, 5, t, 90, t) for t in at[::2]]
    return Log([*probes], rows, {10: 0, 11: 1, 20: 0})


@pytest.mark.parametrize("by_row", [False, True])
def test_every_feature_of_a_nasty_log_is_what_its_definition_says(by_row: bool) -> None:
    log = nasty()
    assert_same(computed(log, by_row), expected(log))


@pytest.mark.parametrize(
    "left_out", ["click", "gift_anonymous", "everything", "all but gifts", "categories"]
)
@pytest.mark.parametrize("by_row", [False, True])
def test_sources_that_lack_tables(left_out: str, by_row: bool) -> None:
    log = nasty()
    rows = {name: table for name, table in log.rows.items() if name != left_out}
    rows = {} if left_out == "everything" else rows
    rows = {"gift": [*rows["gift"]]} if left_out == "all but gifts" else rows
    log = replace(log, rows=rows, probes=log.probes[::7])
    log = replace(log, categories={}) if left_out == "categories" else log
    assert_same(computed(log, by_row), expected(log))


TIMES = st.sampled_from(
    [-25 * HOUR, -HOUR, -1, 0, 1, 10 * MINUTE, HOUR, 23 * HOUR, 24 * HOUR]
).flatmap(lambda t: st.sampled_from([0, 0, 1, MINUTE, 9 * HOUR]).map(lambda d: MIDNIGHT + t + d))
WHO = st.tuples(
    st.sampled_from([1, 2, -1, BIG]), st.sampled_from([(10, 5), (11, 5), (20, 6), (-1, -1)])
)
WAIT = st.sampled_from([0, 1, HOUR, 30 * HOUR])


def rows_of(extra: st.SearchStrategy[Any], size: int) -> st.SearchStrategy[list[Row]]:
    def row(drawn: Any) -> Row:
        (user, (live, streamer)), ts, value, wait = drawn
        return (user, live, streamer, ts, *value, ts + wait)

    return st.lists(st.tuples(WHO, TIMES, extra, WAIT).map(row), max_size=size)


NOTHING: Any = st.just(())
AMOUNT = st.sampled_from([(0,), (1,), (7,), (10**12,)])
LOGS = st.builds(
    Log,
    probes=st.lists(
        st.tuples(WHO, TIMES).map(lambda d: (d[0][0], *d[0][1], d[1])), min_size=1, max_size=6
    ),
    rows=st.fixed_dictionaries(
        {"click": rows_of(st.tuples(WAIT), 8), "gift": rows_of(AMOUNT, 5)}
        | {"gift_anonymous": rows_of(AMOUNT, 3), "negative": rows_of(NOTHING, 6)}
        | {name: rows_of(NOTHING, 3) for name in ("comment", "likes")}
    ),
    categories=st.dictionaries(st.sampled_from([10, 11, 20]), st.integers(-1, 1)),
    tz=st.sampled_from(["America/New_York", "Asia/Kathmandu"]),
)


@settings(max_examples=6, deadline=None)
@given(LOGS)
def test_every_feature_of_any_log_is_what_its_definition_says(log: Log) -> None:
    wanted = expected(log)
    assert_same(computed(log), wanted)
    assert_same(computed(log, by_row=True), wanted)


@pytest.fixture(scope="module")
def whole() -> list[Values]:
    """Return all features of the nasty log, computed at once."""
    return computed(nasty())


@pytest.mark.parametrize("group", sorted({f.group for f in HISTORY}))
def test_a_group_alone_gives_what_it_gives_among_all(group: str, whole: list[Values]) -> None:
    members = tuple(f for f in HISTORY if f.group == group)
    found = computed(nasty(), features=members)
    assert found == [{f.name: row[f.name] for f in members} for row in whole]


def test_a_feature_alone_gives_what_it_gives_among_all(whole: list[Values]) -> None:
    names = ["streamer_gift_60m", "user_click_today", "streamer_efficiency", "pair_gift_share"]
    for feature in (f for f in HISTORY if f.name in names):
        found = computed(nasty(), features=(feature,))
        assert found == [{feature.name: row[feature.name]} for row in whole]


def test_known_answer_of_efficiency() -> None:
    before, now = MIDNIGHT - HOUR, MIDNIGHT + HOUR
    entered = {1: before, 2: before, 4: before, 3: now}
    clicks = [(1, s, s, t, 10, t + 10) for s, t in entered.items()]
    gifts = [(1, 1, 1, before, 5, before), (1, 2, 2, before, 20, before), (1, 1, 1, now, 99, now)]
    log = Log([(7, s, s, now + 1) for s in (1, 2, 3, 4)], {"click": [*clicks], "gift": [*gifts]})
    (efficiency,) = (f for f in HISTORY if f.name == "streamer_efficiency")
    for by_row in (False, True):
        found = computed(log, by_row, (efficiency,))
        assert [row["streamer_efficiency"] for row in found] == [1 / 3, 2 / 3, -1, 0]


def test_neither_order_nor_threads_change_a_bit() -> None:
    log = nasty()
    turned = replace(log, rows={name: rows[::-1] for name, rows in log.rows.items()})
    assert computed(log, threads=1) == computed(turned, threads=3)
