"""The audit must find every leak we know how to plant, and nothing in the tables as built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.errors import LeakError
from giftlive.logs.store import Store
from giftlive.tables import TableOptions, audit, audit_features, build, build_tables, find_leaks
from giftlive.tables.audit import _is_copy
from giftlive.tables.features import FEATURES, Feature, features_sql

MakeStore = Callable[..., Store]
HOUR = 3_600_000


@pytest.fixture
def crowd(make_store: MakeStore) -> Store:
    """Return long, overlapping viewings with entry-stamped gifts, many in one millisecond."""
    rng = np.random.default_rng(1)
    clicks, gifts = [], []
    for _ in range(300):
        user, streamer = int(rng.integers(0, 6)), int(rng.integers(0, 4))
        ts, watch = int(rng.integers(0, 240)) * HOUR, int(rng.integers(0, 40 * HOUR))
        room = 1_000 * streamer + int(rng.integers(0, 30))
        clicks.append((user, room, streamer, ts, watch))
        if rng.random() < 0.3:
            gifts.append((user, room, streamer, ts, int(rng.integers(1, 99))))
    return make_store(clicks, gifts, anonymous=[(0, 0, 1, 9 * HOUR, 3), (0, 0, 2, 99 * HOUR, 4)])


def test_clean_tables_pass_every_trial(crowd: Store, tmp_path: Path) -> None:
    for unit in ("session", "click", "gift"):
        options = TableOptions(unit=unit)
        tables = build_tables(crowd, tmp_path / unit, options)
        findings = audit_features(crowd, tmp_path / unit, options, seed=3)
        assert {(f.feature, f.kind) for f in findings} == {
            (name, kind) for name in tables.features for kind in ("future", "replay", "label copy")
        }
        assert all(finding.passed for finding in findings)


@pytest.mark.parametrize("unit", ["session", "click", "gift"])
def test_planted_leak_is_named(crowd: Store, tmp_path: Path, unit: str) -> None:
    options = TableOptions(unit=unit, planted_leak=True)
    build_tables(crowd, tmp_path, options)
    with pytest.raises(LeakError, match="feature planted_leak fails the future trial") as error:
        audit_features(crowd, tmp_path, options)
    assert error.value.exit_code == 1
    failed = {(f.feature, f.kind) for f in find_leaks(crowd, tmp_path, options) if not f.passed}
    assert failed == {("planted_leak", "future"), ("planted_leak", "label copy")}


LEAKS = {
    "watch known at entry": ("known_ts, 0, watch_ms", "ts, 0, watch_ms", "user_watch_seconds"),
    "gift known at its stamp": (
        "known_ts, 0, 0, 1, amount, known_ts from gift\n",
        "ts, 0, 0, 1, amount, ts from gift\n",
        "pair_gift_sum",
    ),
    "own millisecond": ("2 * e.known_ts + 1", "2 * e.known_ts", "streamer_click_count"),
    "whole log": ("and current row", "and unbounded following", "streamer_click_count"),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_every_way_to_leak_is_caught(
    crowd: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leak: str
) -> None:
    right, wrong, victim = LEAKS[leak]

    def leaky(features: tuple[Feature, ...], *args: Any, **kwargs: Any) -> str:
        sql = features_sql(features, *args, **kwargs)
        assert kwargs.get("by_row") or right in sql
        return sql.replace(right, wrong)

    monkeypatch.setattr(build, "features_sql", leaky)
    monkeypatch.setattr(audit, "features_sql", leaky)
    build_tables(crowd, tmp_path)
    found = {f.feature for f in find_leaks(crowd, tmp_path) if f.kind == "future" and not f.passed}
    assert victim in found


def test_replay_finds_a_training_row_that_was_changed(crowd: Store, tmp_path: Path) -> None:
    build_tables(crowd, tmp_path)
    table = pq.read_table(tmp_path / "samples.parquet")
    column = table["pair_click_count"].to_numpy().copy()
    column[0] += 1
    place = table.column_names.index("pair_click_count")
    changed = table.set_column(place, "pair_click_count", pa.array(column))
    pq.write_table(changed, tmp_path / "samples.parquet")
    failed = [f for f in find_leaks(crowd, tmp_path) if f.kind == "replay" and not f.passed]
    assert [(f.feature, f.detail.split(" of ")[0]) for f in failed] == [("pair_click_count", "1")]


def test_two_routes_of_the_sql_agree(crowd: Store, tmp_path: Path) -> None:
    build_tables(crowd, tmp_path)
    con = crowd.connect()
    con.execute(f"create table sample as from read_parquet('{tmp_path / 'samples.parquet'}')")
    history = [f for f in FEATURES if f.group in ("pair", "user", "streamer")]
    rows = [
        con.execute(f"select * from ({features_sql(history, by_row=by_row)}) order by 1").fetchall()
        for by_row in (False, True)
    ]
    con.close()
    assert rows[0] == rows[1]


def test_audit_is_repeatable(crowd: Store, tmp_path: Path) -> None:
    options = TableOptions(planted_leak=True)
    build_tables(crowd, tmp_path, options)
    first = find_leaks(crowd, tmp_path, options, seed=5)
    assert first == find_leaks(crowd, tmp_path, options, seed=5)


@pytest.mark.parametrize(
    ("r", "gifts", "copy"),
    [(-0.987, 3, False), (0.99, 6, False), (1.0, 6, True), (0.995, 900, True)],
)
def test_few_gifts_correlate_with_anything(r: float, gifts: int, copy: bool) -> None:
    assert _is_copy(r, gifts) is copy
