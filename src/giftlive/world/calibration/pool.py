"""The logs of several small worlds as one store, as large as all of them together.

A Gini index or the share of the first hundredth depends on how many users are ranked: sixteen
worlds of a twentieth are measured like one world of 0.8, not sixteen times like a twentieth.
Ids are shifted by ``STRIDE`` per world, so that nobody lives in two of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import duckdb
import numpy as np

from giftlive.logs.schema import TABLES
from giftlive.logs.source import CALIBRATED_WORLD, Source
from giftlive.logs.store import Store, connection, literal_path, one_row, quoted
from giftlive.world.build import build_world
from giftlive.world.entities import World
from giftlive.world.history import History, Spill
from giftlive.world.recorder import Survey, Table, recorded, survey
from giftlive.world.scenario import Scenario
from giftlive.world.table_files import TableFiles

STRIDE = 1 << 32
"""More than any world has users, streamers or rooms."""
BIN_MS = 900_000
"""Expected revenue is kept per quarter of an hour: no zone in use is offset by less."""
MILLI = 1_000
"""Amounts of a store are whole: expected ones are in thousandths of a platform unit."""

_EVENTS = ("click", "negative", "gift", "comment", "like")
_RENAMED = {"ts": "timestamp", "watch_ms": "watch_live_time", "amount": "gift_price"}
_EXPECTED = "expected"


@dataclass(frozen=True)
class Part:
    """The files of one world in ``folder``, and how many ``users`` its log keeps."""

    folder: Path
    users: int


def simulate(scenario: Scenario, seed: int, folder: Path) -> Part:
    """Write what the log of one world shows, and its expected revenue, as Parquet.

    No CSV, no profiles, no rooms, no truth: only what the published quantities are made of.
    """
    world = build_world(scenario, seed)
    part = folder / f"world-{seed}"
    spill = Spill(part / "spill")
    spill.folder.mkdir(parents=True)
    history = History(world)
    spill.fill(history.chunks())
    opened = history.opened
    del history
    found = survey(world, spill.chunks)
    with TableFiles(part, "parquet") as files:
        # rooms and profiles come last, and only when they are asked for
        pieces = recorded(world, found, spill.chunks, opened, truth=False)
        for name, table in takewhile(lambda piece: piece[0] in _EVENTS, pieces):
            files.append(name, table)
        files.append(_EXPECTED, _expected(world, found, spill))
        files.append("streamer", {"streamer_id": world.streamer_ids[found.streamers]})
    shutil.rmtree(spill.folder)
    return Part(part, len(found.users))


def _expected(world: World, found: Survey, spill: Spill) -> Table:
    """Return E[amount | shown, state] of the kept users, summed per quarter of an hour."""
    days = world.scenario.calendar.history_days
    first = world.origin_ms // BIN_MS
    sums = np.zeros(days * 86_400_000 // BIN_MS + 1)
    keeps = found.keeps_user()
    for log in spill.chunks():
        rows = np.flatnonzero(keeps[log.user] & (log.expected > 0.0))
        sums += np.bincount(log.ts[rows] // BIN_MS - first, log.expected[rows], len(sums))
    quarters = np.arange(len(sums)) + first
    return {"timestamp": quarters * BIN_MS, "gift_price": np.rint(MILLI * sums).astype(np.int64)}


def pooled(parts: Sequence[Part], folder: Path, tz: str) -> Store:
    """Return one store of the events of several worlds, as ``ingest`` would store each of them.

    ``known_ts`` is the time itself: no published quantity looks at it.
    """
    folder.mkdir()
    with connection() as con:
        rows = {name: _merge(con, parts, folder, name) for name in (*_EVENTS, "streamer")}
        files = ", ".join(
            literal_path(folder / f"{name}.parquet") for name in _EVENTS if rows[name]
        )
        window = one_row(con, f"SELECT min(ts), max(ts) FROM read_parquet([{files}])")
    return _store(folder, tz, rows, (int(window[0]), int(window[1])))


def expected_store(parts: Sequence[Part], folder: Path, tz: str) -> Store:
    """Return a store whose gifts are the expected revenue of all worlds, one a quarter-hour."""
    folder.mkdir()
    files = ", ".join(literal_path(part.folder / f"{_EXPECTED}.parquet") for part in parts)
    columns = {
        "row_id": "row_number() OVER () - 1",
        "ts": '"timestamp"',
        "known_ts": '"timestamp"',
        "amount": "sum(gift_price)",
    }
    chosen = ", ".join(
        f"CAST({columns.get(column.name, '1')} AS {column.type}) AS {column.name}"
        for column in TABLES["gift"].columns
    )
    with connection() as con:
        con.execute(
            f'COPY (SELECT {chosen} FROM read_parquet([{files}]) GROUP BY "timestamp" '
            f'HAVING sum(gift_price) > 0 ORDER BY "timestamp") '
            f"TO {quoted(folder / 'gift.parquet')} (FORMAT parquet)"
        )
        n, low, high = one_row(
            con,
            "SELECT count(*), coalesce(min(ts), 0), coalesce(max(ts), 0) "
            f"FROM read_parquet({literal_path(folder / 'gift.parquet')})",
        )
    return _store(folder, tz, {"gift": int(n)}, (int(low), int(high)))


def _merge(con: duckdb.DuckDBPyConnection, parts: Sequence[Part], folder: Path, name: str) -> int:
    """Write one table of all worlds, numbered in content order, and return its rows."""
    schema = TABLES[name]
    worlds = " UNION ALL ".join(
        f"SELECT *, {STRIDE} * {place} AS shift FROM read_parquet({literal_path(file)})"
        for place, part in enumerate(parts)
        if (file := part.folder / f"{name}.parquet").is_file()
    )
    if not worlds:
        return 0
    there = {row[0] for row in con.execute(f"DESCRIBE {worlds}").fetchall()}
    chosen = ", ".join(
        f"CAST({_origin(column.name, there)} AS {column.type}) AS {column.name}"
        for column in schema.columns
        if column.name != "row_id"
    )
    number = "CAST(row_number() OVER () - 1 AS BIGINT) AS row_id, " if schema.event else ""
    order = ", ".join(schema.order if schema.event else schema.order[:1])
    (rows,) = one_row(
        con,
        f"COPY (SELECT {number}* FROM (SELECT {chosen} FROM ({worlds}) ORDER BY {order})) "
        f"TO {quoted(folder / f'{name}.parquet')} (FORMAT parquet)",
    )
    return int(rows)


def _origin(column: str, there: set[str]) -> str:
    if column in {"user_id", "streamer_id", "live_id"} and column in there:
        return f"{column} + shift"
    found = "timestamp" if column == "known_ts" else _RENAMED.get(column, column)
    return f'"{found}"' if found in there else "NULL"


def _store(folder: Path, tz: str, rows: dict[str, int], window: tuple[int, int]) -> Store:
    source = Source(
        kind="kuailive",
        path=folder.name,
        tz=tz,
        unit="platform unit",
        capabilities=frozenset(name for name, n in rows.items() if n),
        fingerprint="",
        label=CALIBRATED_WORLD,
        rows={name: n for name, n in rows.items() if n},
        rejects={},
        window=window,
    )
    return Store(folder, source)
