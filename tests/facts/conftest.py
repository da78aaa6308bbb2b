"""Hand-made stores: rows as tuples, written with the exact stored columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow
import pytest

from giftlive.logs.schema import TABLES
from giftlive.logs.source import Source
from giftlive.logs.store import Store

Rows = dict[str, Sequence[tuple[Any, ...]]]
MakeStore = Callable[..., Store]
MIDNIGHT = 1_746_374_400_000  # 2025-05-05 00:00 in Shanghai, a Monday


def _write(con: duckdb.DuckDBPyConnection, file: Path, name: str, rows: Any, shuffle: int) -> None:
    schema = TABLES[name]
    given = [c for c in schema.columns if c.name not in ("row_id", "known_ts")]
    columns = {
        c.name: list(values) for c, values in zip(given, zip(*rows, strict=True), strict=True)
    }
    con.register("rows", pyarrow.table(columns))
    known = "ts + watch_ms" if name == "click" else "ts"
    number = f"row_number() OVER (ORDER BY {', '.join(schema.order)}) - 1"
    event = f", {number} AS row_id, {known} AS known_ts" if schema.event else ""
    casts = ", ".join(f'CAST("{c.name}" AS {c.type}) AS "{c.name}"' for c in schema.columns)
    order = f"hash({schema.order[0]}, {schema.order[1]}, {shuffle})" if shuffle else "1"
    con.execute(
        f"COPY (SELECT {casts} FROM (SELECT *{event} FROM rows) ORDER BY {order}) "
        f"TO '{file}' (FORMAT parquet)"
    )


def write_store(
    folder: Path,
    tables: Rows,
    *,
    tz: str = "Asia/Shanghai",
    unit: str = "platform unit",
    rejects: dict[str, dict[str, int]] | None = None,
    window: tuple[int, int] | None = None,
    shuffle: int = 0,
) -> Store:
    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    for name, rows in tables.items():
        if rows:
            _write(con, folder / f"{name}.parquet", name, rows, shuffle)
    con.close()
    ts = [row[3] for name, rows in tables.items() if TABLES[name].event for row in rows]
    source = Source(
        kind="kuailive",
        path="made",
        tz=tz,
        unit=unit,
        capabilities=frozenset(name for name, rows in tables.items() if rows),
        fingerprint="0" * 32,
        label="real logs",
        rows={name: len(rows) for name, rows in tables.items()},
        rejects=rejects or {},
        window=window or (min(ts), max(ts)),
    )
    (folder / "source.json").write_text(source.as_json(), encoding="utf-8")
    return Store.open(folder)


@pytest.fixture(scope="session")
def make_store(tmp_path_factory: pytest.TempPathFactory) -> MakeStore:
    """Return a function that writes one more store; keyword arguments as in ``write_store``."""

    def make(tables: Rows, **options: Any) -> Store:
        return write_store(tmp_path_factory.mktemp("store"), tables, **options)

    return make


def random_rows(seed: int, *, users: int = 40, days: int = 9, clicks: int = 600) -> Rows:
    """Return clicks, negatives and gifts; about 90 % of the gifts carry their click's time."""
    rng = np.random.default_rng(seed)
    click, gift, negative = [], [], []
    for _ in range(clicks):
        user, streamer = int(rng.integers(users)), int(rng.zipf(1.6) % 25)
        ts = MIDNIGHT + int(rng.integers(days * 86_400)) * 1000
        live = streamer * 100 + (ts - MIDNIGHT) // 86_400_000
        click.append((user, live, streamer, ts, int(rng.lognormal(8.5, 2.0))))
        if rng.random() < 0.25:
            lag = 0 if rng.random() < 0.9 else int(rng.integers(-40_000, 90_000))
            gift.append((user, live, streamer, ts + lag, int(1 + rng.pareto(1.0) * 3)))
        skips = rng.integers(1, 9_000, int(rng.integers(4)))
        negative += [(user, live, streamer, ts + int(lag)) for lag in skips]
    return {"click": click, "gift": gift, "negative": negative}


@pytest.fixture(scope="session")
def random_logs() -> Callable[..., Rows]:
    """Return the generator of random logs."""
    return random_rows


@pytest.fixture(scope="session")
def midnight() -> int:
    """Return the first instant of Monday 2025-05-05 in Shanghai."""
    return MIDNIGHT
