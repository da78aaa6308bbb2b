"""The sweep and the SQL, from the same store to files: every row and every column, odd logs too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from giftlive.logs.store import Store
from giftlive.tables import TableOptions, build_tables
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.features import seam
from giftlive.tables.features.declare import FEATURES
from giftlive.tables.features.query import plan_features

MakeStore = Callable[..., Store]
HOUR, DAY, LARGEST = 3_600_000, 86_400_000, 2**63 - 1
START = 1_741_410_000_000  # 2025-03-08 00:00 in New York: the next day has 23 hours


def odd_log(make_store: MakeStore, users: tuple[int, ...], streamers: tuple[int, ...]) -> Store:
    """Return four days, the third empty: twins, many of one millisecond, files in any order."""
    rng = np.random.default_rng(3)
    clicks: list[tuple[int, ...]] = []
    for day in (0, 1, 3):
        # few times, so that many share one; some shortly before midnight
        at = rng.choice([HOUR, HOUR + 1, 5 * HOUR, 22 * HOUR, 23 * HOUR - 7], 60)
        for ts in at.tolist():
            s = int(rng.integers(len(streamers)))
            room = 100 * day + 10 * (ts // (5 * HOUR)) + s
            who = (users[int(rng.integers(len(users)))], room, streamers[s])
            clicks.append((*who, START + day * DAY + ts, int(rng.integers(0, 3 * HOUR))))
    twins = clicks[::9]
    acts = [c[:4] for c in clicks]
    return make_store(
        [*clicks, *twins],
        # one giver never enters: no probe has this id, so it may be wider than theirs
        [*((*who, 1 + i) for i, who in enumerate(acts[::4])), (LARGEST, 7, LARGEST, START, 5)],
        anonymous=[(-1, *who[1:], 7) for who in acts[::11]],
        comments=acts[::5],
        likes=acts[::6],
        negatives=[(*who[:3], who[3] + 17) for who in acts[::2]],
        rooms=[{"live_id": i, "streamer_id": 0, "category": "AB"[i % 2]} for i in range(0, 400, 3)],
        tz="America/New_York",
        reverse_files=True,
    )


def assert_forms_agree(store: Store, folder: Path, options: TableOptions) -> None:
    found = []
    for form in ("native", "portable"):
        build_tables(store, folder / form, replace(options, form=form))
        found.append(pq.read_table(folder / form / "samples"))
    native, portable = found
    assert native.column_names == portable.column_names
    assert len(native) == len(portable) > 20
    for name in native.column_names:
        a, b = native[name].to_numpy(), portable[name].to_numpy()
        if a.dtype == np.float64:
            assert np.all(np.abs(a - b) <= 1e-9 * np.maximum(1.0, np.abs(a))), name
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize(
    ("users", "streamers"),
    [((1, 2, 3), (4, 5)), ((1, 2**31, LARGEST), (4, LARGEST)), ((7,), (4, 5, 6))],
    ids=["narrow", "wide", "one user"],
)
@pytest.mark.parametrize(
    "options",
    [TableOptions(), TableOptions(unit="click", as_of="day"), TableOptions(dwell_seconds=10)],
    ids=["session", "frozen", "dwell"],
)
def test_forms_agree_on_every_row(
    make_store: MakeStore,
    tmp_path: Path,
    users: tuple[int, ...],
    streamers: tuple[int, ...],
    options: TableOptions,
) -> None:
    assert_forms_agree(odd_log(make_store, users, streamers), tmp_path, options)


@pytest.mark.parametrize(
    ("ids", "fits"),
    [((0, 2**31 - 1), True), ((0, 2**31), False), ((-(2**31), 5), True), ((), False)],
)
def test_keys_are_narrow_only_where_every_id_fits(
    make_store: MakeStore, ids: tuple[int, ...], fits: bool
) -> None:
    engine = DuckEngine.open(make_store([(1, 10, 5, 0, 9)]))
    rows = (
        " union all ".join(f"select {i}::bigint as i" for i in ids) or "select 1 as i where false"
    )
    columns: Any = ("user_id", "streamer_id", "live_id", "category")
    engine.stage("p", f"select {', '.join(f'i as {c}' for c in columns)} from ({rows}) t")
    narrow = seam.narrow_keys(engine, "p")
    engine.close()
    assert narrow == (set(columns) if fits else set())


def test_narrow_keys_change_the_text_and_nothing_else() -> None:
    wide = plan_features(FEATURES)
    narrow = plan_features(FEATURES, narrow={"user_id"})
    texts = [dict(plan.stages) for plan in (wide, narrow)]
    changed = {name for name in texts[0] if texts[0][name] != texts[1][name]}
    assert changed == {
        f"{group}_{run}_running"
        for group in ("pair", "user", "taste")
        for run in ("entry", "viewing", "gift")
    }
    assert "cast(p.user_id as int) as user_id" in texts[1]["user_entry_running"]
