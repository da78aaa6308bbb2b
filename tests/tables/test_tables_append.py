"""Rows that stand are kept, rows that might not are built again: the result is a full build's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from giftlive.logs.store import Store
from giftlive.tables import TableOptions, Tables, build_tables
from giftlive.tables.features import seam
from giftlive.tables.parts import PARTS_FILE, SAMPLES, STATE, Parts

MakeStore = Callable[..., Store]
DAY, START = 86_400_000, 1_746_374_400_000  # 2025-05-05 00:00 in Shanghai
OPTIONS = TableOptions()


def _log(days: int, seed: int = 5) -> tuple[list[Any], list[Any]]:
    """Return clicks and entry-stamped gifts of some days; the first days are the same in all."""
    clicks, gifts = [], []
    for day in range(days):
        rng = np.random.default_rng([seed, day])
        for ts in np.sort(rng.choice(DAY - 3_600_000, 60, replace=False)):
            user, streamer = int(rng.integers(1, 9)), int(rng.integers(1, 5))
            who = (user, 100 * day + streamer, streamer, START + day * DAY + int(ts))
            clicks.append((*who, int(rng.integers(100, 900_000))))
            if rng.random() < 0.3:
                gifts.append((*who, int(rng.integers(1, 99))))
    return clicks, gifts


def _store(make_store: MakeStore, days: int, change: Callable[..., Any] | None = None) -> Store:
    clicks, gifts = _log(days)
    rooms = [
        {"live_id": 100 * day + s, "streamer_id": s, "start_ts": START + day * DAY, "category": c}
        for day in range(days)
        for s, c in zip(range(1, 5), ("Pop", "Talk", "Game", "Pop"), strict=True)
    ]
    if change is not None:
        change(clicks, gifts, rooms)
    return make_store(clicks, gifts, rooms=rooms)


def _rows(folder: Path) -> Any:
    return pq.read_table(folder / SAMPLES)


def _same(one: Path, other: Path) -> bool:
    files = ("labels.parquet", "attribution.json", "dictionary.json")
    return bool(_rows(one).equals(_rows(other))) and all(
        (one / name).read_bytes() == (other / name).read_bytes() for name in files
    )


def test_a_day_more_computes_only_its_rows(make_store: MakeStore, tmp_path: Path) -> None:
    short, long = _store(make_store, 4), _store(make_store, 5)
    first = build_tables(short, tmp_path / "grown")
    grown = build_tables(long, tmp_path / "grown", previous=tmp_path / "grown")
    full = build_tables(long, tmp_path / "full")
    assert (first.kept, full.kept, grown.kept) == (0, 0, first.rows)
    assert grown.because == ""
    assert grown.rows > first.rows
    assert _same(tmp_path / "grown", tmp_path / "full")


def test_a_label_that_grew_is_written_again(make_store: MakeStore, tmp_path: Path) -> None:
    """The same room is entered again a day later: one session, one label, features as they were."""

    def stay(clicks: list[Any], gifts: list[Any], rooms: list[Any]) -> None:
        user, live, streamer, _, _ = clicks[200]
        clicks.append((user, live, streamer, START + 4 * DAY + 500, 900))
        gifts.append((user, live, streamer, START + 4 * DAY + 500, 7))

    long = _store(make_store, 5, stay)
    build_tables(_store(make_store, 4), tmp_path / "grown")
    grown = build_tables(long, tmp_path / "grown", previous=tmp_path / "grown")
    build_tables(long, tmp_path / "full")
    assert grown.kept > 0
    assert _same(tmp_path / "grown", tmp_path / "full")


def _late_event(clicks: list[Any], gifts: list[Any], rooms: list[Any]) -> None:
    clicks.append((3, 101, 1, START + DAY + 777, 50))


def _other_amount(clicks: list[Any], gifts: list[Any], rooms: list[Any]) -> None:
    gifts[0] = (*gifts[0][:4], gifts[0][4] + 1)


def _category_before_all(clicks: list[Any], gifts: list[Any], rooms: list[Any]) -> None:
    rooms[-1]["category"] = "Arts"


@pytest.mark.parametrize("change", [_late_event, _other_amount, _category_before_all])
def test_what_moves_an_old_row_means_a_full_build(
    make_store: MakeStore, tmp_path: Path, change: Callable[..., Any]
) -> None:
    long = _store(make_store, 5, change)
    build_tables(_store(make_store, 4), tmp_path / "grown")
    grown = build_tables(long, tmp_path / "grown", previous=tmp_path / "grown")
    build_tables(long, tmp_path / "full")
    assert grown.kept == 0
    assert grown.because != ""
    assert _same(tmp_path / "grown", tmp_path / "full")


def test_other_options_mean_a_full_build(make_store: MakeStore, tmp_path: Path) -> None:
    store = _store(make_store, 3)
    build_tables(store, tmp_path)
    again = build_tables(store, tmp_path, replace(OPTIONS, as_of="day"), previous=tmp_path)
    assert (again.kept, again.because) == (0, "made with other options or features")


@pytest.mark.parametrize("harm", ["part", "state"])
def test_harmed_tables_are_not_gone_on_from(
    make_store: MakeStore, tmp_path: Path, harm: str
) -> None:
    store = _store(make_store, 3)
    build_tables(store, tmp_path / "a")
    files = sorted((tmp_path / "a" / (SAMPLES if harm == "part" else STATE)).glob("*[ty]"))
    content = bytearray(files[0].read_bytes())
    content[len(content) // 2] ^= 1
    files[0].write_bytes(bytes(content))
    assert build_tables(store, tmp_path / "a", previous=tmp_path / "a").kept == 0
    build_tables(store, tmp_path / "b")
    assert _same(tmp_path / "a", tmp_path / "b")


def _stopped_build(store: Store, folder: Path, after: float) -> None:
    """Build in small parts and be interrupted when a share ``after`` of the rows is done."""

    def heard(done: int, total: int) -> None:
        if total > 4 and 4 * done / total - 2 >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_tables(store, folder, progress=heard)


def test_a_stopped_build_goes_on(
    make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seam, "ROWS_PER_PART", 20)
    store = _store(make_store, 5)
    _stopped_build(store, tmp_path / "a", 0.4)
    first = Parts.read(tmp_path / "a" / ".half-made")
    assert not (tmp_path / "a" / "dictionary.json").exists()
    _stopped_build(store, tmp_path / "a", 0.8)
    second = Parts.read(tmp_path / "a" / ".half-made")
    assert first is not None
    assert second is not None
    assert len(second.parts) > len(first.parts) > 0
    done: Tables = build_tables(store, tmp_path / "a")
    build_tables(store, tmp_path / "b")
    assert 0 < done.kept < done.rows
    assert _same(tmp_path / "a", tmp_path / "b")
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
        *("attribution.json", "dictionary.json", "labels.parquet"),
        *(PARTS_FILE, SAMPLES, STATE),
    ]
