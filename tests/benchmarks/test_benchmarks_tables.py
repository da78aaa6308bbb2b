"""The Polars peer against the definitions, row by row in plain Python, on a small nasty log."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("polars", reason="the peer needs the extra `bench`")

from benchmarks import tables_polars as peer
from benchmarks import tables_polars_state
from giftlive.logs.schema import TABLES
from giftlive.logs.source import Source
from giftlive.tables.features.ordinal import ordinal_codes

Row = dict[str, Any]
Log = dict[str, list[Row]]
HUGE = 2**63 - 1
BERLIN = ZoneInfo("Europe/Berlin")
DAY, HOUR = 86_400_000, 3_600_000
MIDNIGHT = int(datetime(2025, 3, 28, tzinfo=BERLIN).timestamp() * 1000)  # clocks change on the 30th
HALF_LIVES = {"1h": HOUR, "1d": DAY, "7d": 7 * DAY}
HEAT = {"10m": 600_000, "60m": HOUR}
EVENTS = ("click", "gift", "gift_anonymous", "comment", "like", "negative")


def nasty(seed: int) -> Log:
    """Draw a log with ties, times at midnight and at the ends of windows, and odd ids."""
    draw = random.Random(seed)
    users, streamers = [3, 4, HUGE], [7, 8, 9, HUGE - 1]
    lives = {live: streamers[live % 4] for live in (*range(20, 30), HUGE)}
    days = (0, 1, 2, 3, 5)  # an empty day
    steps = (0, 0, 1, 60_000, 60_001, 600_000, HOUR, HOUR + 1)
    times = [
        max(MIDNIGHT, MIDNIGHT + draw.choice(days) * DAY + draw.choice((1, -1)) * step + late)
        for step in steps
        for late in (0, 0, 2 * HOUR + 17, DAY - 2 * HOUR)
    ]

    def rows(table: str, n: int, **extra: Callable[[], int]) -> list[Row]:
        found = []
        for _ in range(n):
            live = draw.choice(list(lives))
            row = {"user_id": draw.choice(users), "live_id": live, "streamer_id": lives[live]}
            row |= {"ts": draw.choice(times), **{name: make() for name, make in extra.items()}}
            row["known_ts"] = row["ts"] + row.get("watch_ms", row.pop("late", 0))
            found.append(row)
        order = TABLES[table].order
        found.sort(key=lambda row: tuple(row[name] for name in order))
        return [{"row_id": i, **row} for i, row in enumerate(found)]

    watch = lambda: draw.choice((0, 1, 60_000, HOUR, DAY, 12_345))  # noqa: E731
    amount = lambda: draw.choice((0, 1, 52, 10**9))  # noqa: E731
    log = {
        "click": rows("click", 90, watch_ms=watch),
        "gift": rows("gift", 40, amount=amount, late=watch),
        "gift_anonymous": rows("gift_anonymous", 12, amount=amount, late=watch),
        "comment": rows("comment", 25),
        "like": rows("like", 25, late=watch),
        "negative": rows("negative", 60),
    }
    kinds = [*("Game", "Game", "Dance", "unknown", None), "Art"]
    log["room"] = [
        {
            "live_id": live,
            "streamer_id": streamer,
            "live_type": draw.choice((-1, 0, 5, 12)),
            "start_ts": draw.choice(times),
            "category": draw.choice(kinds),
        }
        for live, streamer in [*lives.items(), *list(lives.items())[:4]]
        if live != 21
    ]
    ages = ("12-17", "50+", "unknown", None)
    log["user"] = [
        {"user_id": user, "age": draw.choice(ages), "gender": "F", "is_photo_author": 1}
        for user in (3, 3, HUGE)
    ]
    log["streamer"] = [{"streamer_id": s, "device_brand": draw.choice("AB")} for s in streamers]
    return log


def stored(folder: Path, log: Log) -> Path:
    """Write the log as a store, rows of files in reverse."""
    types = {"BIGINT": pa.int64(), "VARCHAR": pa.string()}
    for name, rows in log.items():
        columns = {
            c.name: pa.array([row.get(c.name) for row in rows[::-1]], types[c.type])
            for c in TABLES[name].columns
        }
        if rows:
            pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    counts = {name: len(rows) for name, rows in log.items()}
    full = frozenset(name for name, rows in log.items() if rows)
    window = (MIDNIGHT, max(row["ts"] for row in log["click"]))
    tz, label = "Europe/Berlin", "calibrated world"
    source = Source("kuailive", "x", tz, "unit", full, "0" * 32, label, counts, {}, window)
    (folder / "source.json").write_text(source.as_json())
    return folder


def local(ts: int) -> datetime:
    return datetime.fromtimestamp(ts / 1000, BERLIN)


def day_start(ts: int) -> int:
    at = local(ts)
    return int(datetime(at.year, at.month, at.day, tzinfo=BERLIN).timestamp() * 1000)


def labels(log: Log) -> dict[int, tuple[int, int, int]]:
    """Return amount, count and the time of finality of each click."""
    found = {c["row_id"]: [0, 0, max(c["known_ts"], c["ts"] + 60_000)] for c in log["click"]}
    for gift in log["gift"]:
        touched = [
            c
            for c in log["click"]
            if (c["user_id"], c["live_id"]) == (gift["user_id"], gift["live_id"])
            and c["ts"] <= gift["ts"]
        ]
        if touched and gift["ts"] - touched[-1]["ts"] <= 60_000:
            credit = found[touched[-1]["row_id"]]
            credit[0] += gift["amount"]
            credit[1] += 1
            credit[2] = max(credit[2], gift["known_ts"])
    return {row: (amount, n, known) for row, (amount, n, known) in found.items()}


def sessions(log: Log) -> list[list[Row]]:
    found: dict[tuple[int, int], list[Row]] = {}
    for click in log["click"]:
        found.setdefault((click["user_id"], click["live_id"]), []).append(click)
    return sorted(found.values(), key=lambda clicks: clicks[0]["row_id"])


class Reference:
    """Every state column from its definition: a pass over all events for every probe."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.codes = {
            (entity, name): ordinal_codes(
                str(row[name]) for row in log[entity] if row.get(name) is not None
            )
            for entity in ("room", "user", "streamer")
            for name in {c.name for c in TABLES[entity].columns}
        }

    def code(self, entity: str, key: str, of: int, name: str) -> int:
        texts = [str(r[name]) for r in self.log[entity] if r[key] == of and r.get(name) is not None]
        return self.codes[entity, name].get(min(texts), -1) if texts else -1

    def kind(self, row: Row) -> int:
        return self.code("room", "live_id", row["live_id"], "category")

    def key(self, group: str, row: Row) -> tuple[int, ...]:
        return {
            "pair": (row["user_id"], row["streamer_id"]),
            "user": (row["user_id"],),
            "streamer": (row["streamer_id"],),
            "room": (row["live_id"],),
            "taste": (row["user_id"], self.kind(row)),
        }[group]

    def past(self, table: str, group: str, probe: Row, at: str = "known_ts") -> list[Row]:
        """Return what became known of the probe's key strictly before it."""
        rows = self.log[table]
        if table == "gift" and group in ("streamer", "room"):
            rows = rows + self.log["gift_anonymous"]
        if group == "taste" and self.kind(probe) == -1:
            return []
        key, now = self.key(group, probe), probe["ts"]
        return [row for row in rows if row[at] < now and self.key(group, row) == key]

    def prior(self, group: str, start: int, enter: bool) -> tuple[float, float, float]:
        counts: dict[tuple[int, ...], list[int]] = {}
        trials = [(r["ts"], r) for r in self.log["click"]]
        wins = [(r["known_ts"], r) for r in self.log["gift"]]
        if group == "streamer":
            wins += [(r["known_ts"], r) for r in self.log["gift_anonymous"]]
        if enter:
            wins = [(r["ts"], {**r, "amount": 0}) for r in self.log["click"]]
            trials += [(r["known_ts"], r) for r in self.log["negative"]]
        value = 0
        for place, rows in enumerate((trials, wins)):
            for known, row in rows:
                if known < start:
                    counts.setdefault(self.key(group, row), [0, 0])[place] += 1
                    value += row["amount"] if place else 0
        n, g = (sum(c[i] for c in counts.values()) for i in (0, 1))
        n2, g2 = (sum(c[i] ** 2 for c in counts.values()) for i in (0, 1))
        if n == 0 or g == 0:
            return 0.0, value / n if n else 0.0, 1.0
        rate = g / n
        spread = (g2 - g) / n2 - rate * rate
        strength = rate / spread if spread > 0 else 10_000.0
        return rate, value / n, min(max(strength, 1.0), 10_000.0)

    def efficiency(self, streamer: int, start: int) -> float:
        found = {}
        for s in {c["streamer_id"] for c in self.log["click"]}:
            probe = {"streamer_id": s, "user_id": 0, "live_id": 0, "ts": start}
            watch = sum(c["watch_ms"] for c in self.past("click", "streamer", probe))
            if watch:
                given = sum(g["amount"] for g in self.past("gift", "streamer", probe))
                found[s] = given / watch
        if streamer not in found:
            return -1.0
        return sum(x < found[streamer] for x in found.values()) / len(found)

    def group(self, group: str, probe: Row) -> dict[str, float]:
        now, start = probe["ts"], day_start(probe["ts"])
        entered = self.past("click", group, probe, "ts")
        ended = self.past("click", group, probe)
        gifts = self.past("gift", group, probe)
        amount, watch = sum(g["amount"] for g in gifts), sum(c["watch_ms"] for c in ended)
        last_gift = max((g["known_ts"] for g in gifts), default=None)
        last_click = max((c["ts"] for c in entered), default=None)
        found: dict[str, float] = {
            "gift_count": len(gifts),
            "gift_sum": amount,
            "gift_mean": amount / len(gifts) if gifts else 0.0,
            "gift_recency_seconds": -1.0 if last_gift is None else (now - last_gift) / 1000,
            "click_count": len(entered),
            "click_recency_seconds": -1.0 if last_click is None else (now - last_click) / 1000,
            "watch_seconds": watch / 1000,
            "comment_count": len(self.past("comment", group, probe)),
            "like_count": len(self.past("like", group, probe)),
            "click_today": sum(c["ts"] >= start for c in entered),
            "watch_seconds_today": sum(c["watch_ms"] for c in ended if c["known_ts"] >= start)
            / 1000,
            "gift_today": sum(g["amount"] for g in gifts if g["known_ts"] >= start),
        }
        for name, ms in HALF_LIVES.items():
            found[f"click_{name}"] = math.fsum(2 ** ((c["ts"] - now) / ms) for c in entered)
            found[f"gift_{name}"] = math.fsum(
                g["amount"] * 2 ** ((g["known_ts"] - now) / ms) for g in gifts
            )
        for name, ms in HEAT.items():
            found[f"click_{name}"] = sum(c["ts"] >= now - ms for c in entered)
            found[f"gift_{name}"] = sum(g["amount"] for g in gifts if g["known_ts"] >= now - ms)
        if group in ("pair", "user", "streamer"):
            rate, value, strength = self.prior(group, start, enter=False)
            found["gift_rate"] = (len(gifts) + strength * rate) / (len(entered) + strength)
            found["gift_value"] = (amount + strength * value) / (len(entered) + strength)
        if group in ("user", "streamer"):
            rate, _, strength = self.prior(group, start, enter=True)
            before = sum(c["ts"] < start for c in entered)
            refused = self.past("negative", group, {**probe, "ts": start})
            found["negative_count"] = len(refused)
            found["enter_rate"] = (before + strength * rate) / (before + len(refused) + strength)
        return {f"{group}_{name}": value for name, value in found.items()}

    def features(self, probe: Row) -> dict[str, float]:
        found: dict[str, float] = {}
        for group in ("pair", "user", "streamer", "room", "taste"):
            found |= self.group(group, probe)
        for what in ("gift_sum", "watch_seconds"):
            whole, part = found[f"user_{what}"], found[f"pair_{what}"]
            found[f"pair_{what.split('_')[0]}_share"] = part / whole if whole else 0.0
        opened = [r["start_ts"] for r in self.log["room"] if r["live_id"] == probe["live_id"]]
        known = bool(opened) and min(opened) < probe["ts"]
        found["room_age_seconds"] = (probe["ts"] - min(opened)) / 1000 if known else -1.0
        found["streamer_efficiency"] = self.efficiency(probe["streamer_id"], day_start(probe["ts"]))
        found |= {"hour": local(probe["ts"]).hour, "weekday": local(probe["ts"]).weekday()}
        for name in peer.FEATURES:
            entity, _, column = name.partition("_")
            key = {"room": "live_id", "user": "user_id", "streamer": "streamer_id"}.get(entity, "")
            if name not in found and (entity, column) in self.codes:
                found[name] = self.code(entity, key, probe[key], column)
        return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_peer_is_the_definition(tmp_path: Path, seed: int, monkeypatch: Any) -> None:
    if seed == 3:
        monkeypatch.setattr(tables_polars_state, "FEW_KEYS", 0)  # the doubling steps of many keys
    log = nasty(seed)
    peer.write_tables(stored(tmp_path, log), tmp_path / "out")
    credit, reference = labels(log), Reference(log)
    written = pq.read_table(tmp_path / "out" / "labels.parquet").to_pylist()
    assert [(r["row_id"], r["label_amount"], r["label_count"]) for r in written] == [
        (row, *credit[row][:2]) for row in range(len(credit))
    ]
    samples = pq.read_table(tmp_path / "out" / "samples.parquet").to_pylist()
    assert len(samples) == len(sessions(log))
    for row, clicks in zip(samples, sessions(log), strict=True):
        mine = [credit[c["row_id"]] for c in clicks]
        probe = clicks[0]
        expected = {name: probe[name] for name in ("user_id", "live_id", "streamer_id", "ts")}
        expected |= {"sample_id": probe["row_id"]}
        expected |= {
            "label_amount": sum(m[0] for m in mine),
            "label_count": sum(m[1] for m in mine),
        }
        expected |= {"label_known_ts": max(m[2] for m in mine)}
        assert {name: row[name] for name in expected} == expected
        for name, value in reference.features(probe).items():
            if name in peer.FEATURES:
                assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-9), (name, probe)


def test_every_feature_of_a_full_source_is_in_the_peer() -> None:
    from giftlive.tables.features.declare import FEATURES

    assert tuple(feature.name for feature in FEATURES) == peer.FEATURES
