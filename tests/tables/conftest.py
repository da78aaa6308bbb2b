"""Stores written row by row, so that every expected number can be computed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.logs.schema import TABLES
from giftlive.logs.source import Source
from giftlive.logs.store import Store

Rows = Sequence[tuple[int, ...]]
MakeStore = Callable[..., Store]


@pytest.fixture
def make_store(tmp_path_factory: pytest.TempPathFactory) -> MakeStore:
    """Return a function that writes a store: the content order, row ids and known times of logs."""

    def make(
        clicks: Rows = (),
        gifts: Rows = (),
        *,
        anonymous: Rows = (),
        comments: Rows = (),
        likes: Rows = (),
        negatives: Rows = (),
        rooms: Sequence[dict[str, Any]] = (),
        users: Sequence[dict[str, Any]] = (),
        streamers: Sequence[dict[str, Any]] = (),
        tz: str = "Asia/Shanghai",
        last_ts: int | None = None,
        reverse_files: bool = False,
    ) -> Store:
        folder = tmp_path_factory.mktemp("store")
        entries = [(*click, click[3] + click[4]) for click in sorted(clicks, key=_order)]
        ends = {(user, live, ts): known for user, live, _, ts, _, known in entries}
        known_gifts = [(*g, ends.get((g[0], g[1], g[3]), g[3])) for g in sorted(gifts, key=_order)]
        hidden = [(*g, g[3]) for g in sorted(anonymous, key=_order)]
        acts = {"comment": comments, "like": likes, "negative": negatives}
        tables: dict[str, list[dict[str, Any]]] = {
            "click": _numbered("click", entries),
            "gift": _numbered("gift", known_gifts),
            "gift_anonymous": _numbered("gift_anonymous", hidden),
            **{t: _numbered(t, [(*row, row[3]) for row in _timed(acts[t])]) for t in acts},
            "room": list(rooms),
            "user": list(users),
            "streamer": list(streamers),
        }
        for name, rows in tables.items():
            if rows:
                _write(folder, name, rows[::-1] if reverse_files else rows)
        moments = [row[3] for row in (*entries, *known_gifts, *hidden)] or [0]
        window = (min(moments), max(moments) if last_ts is None else last_ts)
        full = frozenset(name for name, rows in tables.items() if rows)
        counts = {name: len(rows) for name, rows in tables.items()}
        source = Source(
            "kuailive", "x", tz, "unit", full, "0" * 32, "real logs", counts, {}, window
        )
        (folder / "source.json").write_text(source.as_json())
        return Store.open(folder)

    return make


def _order(row: tuple[int, ...]) -> tuple[int, ...]:
    user, live, streamer, ts, value = row
    return ts, user, live, streamer, value


def _timed(rows: Rows) -> list[tuple[int, ...]]:
    return sorted(rows, key=lambda row: (row[3], *row[:3]))


def _numbered(table: str, rows: Sequence[tuple[int, ...]]) -> list[dict[str, Any]]:
    names = TABLES[table].column_names
    return [dict(zip(names, (i, *row), strict=True)) for i, row in enumerate(rows)]


def _write(folder: Path, name: str, rows: Sequence[dict[str, Any]]) -> None:
    schema = TABLES[name]
    types = {"BIGINT": pa.int64(), "VARCHAR": pa.string()}
    columns = {
        c.name: pa.array([row.get(c.name) for row in rows], types[c.type]) for c in schema.columns
    }
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")


@pytest.fixture
def samples() -> Callable[[Path], list[dict[str, Any]]]:
    """Return a function that reads the sample table as a list of rows."""

    def read(folder: Path) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(folder / "samples").to_pylist()
        return rows

    return read


@pytest.fixture
def balance() -> Callable[[Path], dict[str, Any]]:
    """Return a function that reads attribution.json."""

    def read(folder: Path) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads((folder / "attribution.json").read_text())
        return plain

    return read
