from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.logs.schema import TABLES
from giftlive.logs.source import Source
from giftlive.logs.store import Store
from giftlive.rng import stream

Row = tuple[Any, ...]
STAMPED_MS = 90_000
"""How long before a gift becomes known it is stamped: with the entry, as in KuaiLive."""
_TYPES = {"BIGINT": pa.int64(), "VARCHAR": pa.string()}


@dataclass(frozen=True)
class Log:
    """Rows of a small log, and the decisions made from its clicks.

    click: (user, live, streamer, ts). gift: (user, live, streamer, known_ts, amount).
    negative: (user, live, streamer, ts). room: (live, streamer, start, end or None, category).
    sample: (sample_id, user, live, streamer, ts, label_amount).
    """

    click: tuple[Row, ...] = ()
    gift: tuple[Row, ...] = ()
    negative: tuple[Row, ...] = ()
    room: tuple[Row, ...] = ()
    sample: tuple[Row, ...] = ()
    last_ts: int | None = None
    unit: str = "session"

    def end(self) -> int:
        moments = [row[3] for rows in (self.click, self.gift, self.negative) for row in rows]
        return max([*moments, 0]) if self.last_ts is None else self.last_ts


@dataclass(frozen=True)
class Written:
    """A log on disk: its store, its tables folder, and the log itself."""

    store: Store
    folder: Path
    log: Log
    options: dict[str, Any] = field(default_factory=dict)


def _write(file: Path, table: str, rows: list[dict[str, Any]]) -> None:
    schema = TABLES[table]
    columns = {
        c.name: pa.array([row.get(c.name) for row in rows], _TYPES[c.type]) for c in schema.columns
    }
    pq.write_table(pa.table(columns), file)


def _rows(log: Log) -> dict[str, list[dict[str, Any]]]:
    who = ("user_id", "live_id", "streamer_id")
    click = [dict(zip((*who, "ts"), r, strict=True)) for r in sorted(log.click, key=_by_time)]
    gift = [
        dict(zip((*who, "known_ts", "amount"), r, strict=True)) | {"ts": max(0, r[3] - STAMPED_MS)}
        for r in sorted(log.gift, key=_by_time)
    ]
    negative = [dict(zip((*who, "ts"), r, strict=True)) for r in sorted(log.negative, key=_by_time)]
    names = ("live_id", "streamer_id", "start_ts", "end_ts", "category")
    room = [dict(zip(names, r, strict=True)) for r in log.room]
    for row in (*click, *negative):
        row["known_ts"] = row["ts"]
    for rows in (click, gift, negative):
        for k, row in enumerate(rows):
            row |= {"row_id": k, "watch_ms": 0}
    return {"click": click, "gift": gift, "negative": negative, "room": room}


def _by_time(row: Row) -> Row:
    return (row[3], *row[:3], *row[4:])


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Log], Written]:
    """Return a function that writes a log as a store and its samples as a tables folder."""

    def make(log: Log) -> Written:
        folder = tmp_path_factory.mktemp("log")
        tables = _rows(log)
        for name, rows in tables.items():
            if rows:
                _write(folder / f"{name}.parquet", name, rows)
        has = frozenset(name for name, rows in tables.items() if rows)
        counts = {name: len(rows) for name, rows in tables.items()}
        zone = "Asia/Shanghai"
        source = Source("kuailive", "x", zone, "u", has, "0" * 32, "x", counts, {}, (0, log.end()))
        (folder / "source.json").write_text(source.as_json())
        names = ("sample_id", "user_id", "live_id", "streamer_id", "ts", "label_amount")
        columns = list(zip(*log.sample, strict=True)) or [()] * len(names)
        samples = {n: pa.array(c, pa.int64()) for n, c in zip(names, columns, strict=True)}
        (folder / "samples").mkdir()
        pq.write_table(pa.table(samples), folder / "samples" / "part-0000.parquet")
        (folder / "dictionary.json").write_text(json.dumps({"unit": log.unit, "features": []}))
        return Written(Store.open(folder), folder, log)

    return make


@pytest.fixture(scope="session")
def evening() -> Callable[..., Log]:
    """Return a function that draws a log: few users, streamers and minutes, so that ties abound."""

    def draw(seed: int, rooms: int = 40, clicks: int = 120, span: int = 7_200_000) -> Log:
        g = stream(seed, "candidates evening")
        streamers, users, grid = max(2, rooms // 3), 5, 60_000
        start = g.integers(0, span // grid, rooms) * grid
        length = g.integers(0, 90, rooms) * grid
        live = g.integers(100, 100 + max(1, 4 * rooms // 5), rooms)  # some ids repeat
        owner = live % streamers
        room = [
            (int(v), int(s), int(a), None if g.random() < 0.1 else int(a + d), _category(s))
            for v, s, a, d in zip(live, owner, start, length, strict=True)
        ]
        ts = g.integers(0, span // grid * 2, clicks) * (grid // 2)
        pick, who = g.integers(0, rooms, clicks), g.integers(1, users + 1, clicks)
        click = {
            (int(u), room[k][0], room[k][1], int(t)) for u, k, t in zip(who, pick, ts, strict=True)
        }
        shown = g.integers(0, rooms, clicks)
        moved = ts + g.integers(-9, 10, clicks) * grid
        negative = tuple(
            (int(u), room[k][0], room[k][1], max(0, int(t)))
            for u, k, t in zip(who, shown, moved, strict=True)
        )
        gift = tuple(
            (*c[:3], c[3] + STAMPED_MS, int(g.integers(1, 50))) for c in sorted(click)[::4]
        )
        by_time = sorted(click, key=_by_time)
        sample = tuple((k, *c, 10 * (k % 3)) for k, c in enumerate(by_time))
        return Log(tuple(click), gift, negative, tuple(room), sample)

    return draw


def _category(streamer: int) -> str | None:
    return (None, "music", "games", "talk")[streamer % 4]


@pytest.fixture(scope="session")
def huge() -> Callable[[Log], Log]:
    """Return a function that moves every id of a log up to 2^63 - 1."""

    def move(log: Log) -> Log:
        def up(x: int) -> int:
            return 2**63 - 1 - 10_000 + x

        return replace(
            log,
            click=tuple((*map(up, r[:3]), *r[3:]) for r in log.click),
            gift=tuple((*map(up, r[:3]), *r[3:]) for r in log.gift),
            negative=tuple((*map(up, r[:3]), *r[3:]) for r in log.negative),
            room=tuple((*map(up, r[:2]), *r[2:]) for r in log.room),
            sample=tuple((r[0], *map(up, r[1:4]), *r[4:]) for r in log.sample),
        )

    return move
