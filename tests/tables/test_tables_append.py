"""Rows that stand are kept, rows that might not are built again: the result is a full build's."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from giftlive.errors import IdentityError, UsageError
from giftlive.logs.store import Store
from giftlive.tables import TableOptions, Tables, build_tables
from giftlive.tables.append import past_before
from giftlive.tables.build import HALF_MADE, is_unfinished
from giftlive.tables.engine.duck import DuckEngine
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


def test_a_past_that_grew_is_the_past_read_at_once(make_store: MakeStore) -> None:
    engine = DuckEngine.open(_store(make_store, 3))
    middle, end = START + DAY + 7_200_000, START + 3 * DAY
    grown = past_before(engine, end, past_before(engine, middle, past_before(engine, START)))
    assert grown == past_before(engine, end)
    assert grown.digest != past_before(engine, middle).digest
    assert grown.counts[0] == 180  # entries of three days
    engine.close()


def test_parts_are_copied_where_they_cannot_be_linked(
    make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*paths: Path) -> None:
        raise OSError("another device")

    monkeypatch.setattr(os, "link", refused)
    store = _store(make_store, 3)
    first = build_tables(store, tmp_path / "a")
    again = build_tables(store, tmp_path / "b", previous=tmp_path / "a")
    assert (again.kept, again.because) == (first.rows, "")
    assert _same(tmp_path / "a", tmp_path / "b")


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


def _until(cut: int) -> Callable[..., None]:
    """Return a change that leaves out what began at or after ``cut``."""

    def change(clicks: list[Any], gifts: list[Any], rooms: list[Any]) -> None:
        for rows in (clicks, gifts):
            rows[:] = [row for row in rows if row[3] < cut]

    return change


def _assert_continues(
    make_store: MakeStore, tmp_path: Path, cut: int, options: TableOptions = OPTIONS
) -> None:
    short, long = _store(make_store, 5, _until(cut)), _store(make_store, 5)
    first = build_tables(short, tmp_path / "grown", options)
    grown = build_tables(long, tmp_path / "grown", options, previous=tmp_path / "grown")
    full = build_tables(long, tmp_path / "full", options)
    assert (grown.because, grown.kept) == ("", first.rows)
    assert 0 < first.rows < full.rows
    assert _same(tmp_path / "grown", tmp_path / "full")


def test_logs_may_end_inside_a_quarter_of_an_hour(make_store: MakeStore, tmp_path: Path) -> None:
    times = np.array(sorted(click[3] for click in _log(5)[0]))
    pairs = np.flatnonzero((np.diff(times) > 1) & (np.diff(times // 900_000) == 0))
    cut = int(times[pairs[len(pairs) // 2] + 1])  # the entry before stands in the same quarter
    _assert_continues(make_store, tmp_path, cut)


def test_logs_may_end_while_somebody_watches(make_store: MakeStore, tmp_path: Path) -> None:
    clicks = sorted(_log(5)[0], key=lambda row: row[3])
    cut = next(
        b[3] for a, b in pairwise(clicks) if a[3] + DAY > START + 2 * DAY and a[3] + a[4] > b[3]
    )
    _assert_continues(make_store, tmp_path, cut)


@pytest.mark.parametrize(("hours", "because"), [(0, ""), (13, "new rows are decided before")])
def test_features_frozen_at_midnight_go_on_at_midnight(
    make_store: MakeStore, tmp_path: Path, hours: int, because: str
) -> None:
    options = replace(OPTIONS, as_of="day")
    cut = START + 3 * DAY + hours * 3_600_000
    if not because:
        _assert_continues(make_store, tmp_path, cut, options)
        return
    build_tables(_store(make_store, 5, _until(cut)), tmp_path, options)
    grown = build_tables(_store(make_store, 5), tmp_path, options, previous=tmp_path)
    assert grown.kept == 0
    assert grown.because.startswith(because)


def _require_full_build(before: Store, after: Store, folder: Path) -> None:
    """Require that nothing of ``before`` is kept, since a room counts otherwise in ``after``."""
    build_tables(before, folder / "grown")
    grown = build_tables(after, folder / "grown", previous=folder / "grown")
    build_tables(after, folder / "full")
    assert grown.kept == 0
    assert grown.because == "room 999 has another category than it was counted in"
    assert _same(folder / "grown", folder / "full")


def test_a_room_that_gets_its_category_late_means_a_full_build(
    make_store: MakeStore, tmp_path: Path
) -> None:
    """It is known through a gift that nobody's entry explains: no row of the table shows it."""

    def late(known: bool) -> Callable[..., None]:
        def change(clicks: list[Any], gifts: list[Any], rooms: list[Any]) -> None:
            gifts.append((3, 999, 2, START + 77, 5))
            start = START + 4 * DAY
            room = {"live_id": 999, "streamer_id": 2, "start_ts": start, "category": "Pop"}
            rooms.extend([room] if known else [])

        return change

    before, after = _store(make_store, 4, late(False)), _store(make_store, 5, late(True))
    _require_full_build(before, after, tmp_path)


def test_a_room_that_is_no_longer_described_means_a_full_build(
    make_store: MakeStore, tmp_path: Path
) -> None:
    """Only tastes know it: it was met through a gift that nobody's entry explains."""

    def told(described: bool) -> Callable[..., None]:
        def change(clicks: list[Any], gifts: list[Any], rooms: list[Any]) -> None:
            gifts.append((3, 999, 2, START + 77, 5))
            room = {"live_id": 999, "streamer_id": 2, "start_ts": START, "category": "Pop"}
            rooms.extend([room] if described else [])

        return change

    before, after = _store(make_store, 2, told(True)), _store(make_store, 3, told(False))
    _require_full_build(before, after, tmp_path)


def test_bytes_do_not_depend_on_threads(make_store: MakeStore, tmp_path: Path) -> None:
    store = _store(make_store, 3)
    for name, number in (("one", 1), ("more", 2)):
        build_tables(store, tmp_path / name, replace(OPTIONS, threads=number))
    files = list((tmp_path / "one").rglob("*.*"))
    assert len(files) > 3
    for file in files:
        other = tmp_path / "more" / file.relative_to(tmp_path / "one")
        assert file.read_bytes() == other.read_bytes(), file.name


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


@pytest.mark.parametrize(
    ("file", "named"),
    [
        (f"{SAMPLES}/part-0000.parquet", "part-0000.parquet"),
        (f"{STATE}/pair_rows.npy", f"{STATE}/pair_rows.npy"),
        (f"{STATE}/state.json", f"{STATE}/state.json"),
        (PARTS_FILE, PARTS_FILE),
    ],
)
def test_harmed_tables_are_not_gone_on_from(
    make_store: MakeStore, tmp_path: Path, file: str, named: str
) -> None:
    store = _store(make_store, 3)
    build_tables(store, tmp_path / "a")
    content = bytearray((tmp_path / "a" / file).read_bytes())
    content[len(content) // 2] ^= 0x80
    (tmp_path / "a" / file).write_bytes(bytes(content))
    again = build_tables(store, tmp_path / "a", previous=tmp_path / "a")
    assert (again.kept, again.because) == (0, f"{named} is not as it was written")
    build_tables(store, tmp_path / "b")
    assert _same(tmp_path / "a", tmp_path / "b")


def _stopped_build(
    store: Store, folder: Path, after: float, error: type[BaseException] = KeyboardInterrupt
) -> None:
    """Build in small parts and be interrupted when a share ``after`` of the rows is done."""

    def heard(done: int, total: int) -> None:
        if total > 4 and 4 * done / total - 2 >= after:
            raise error("stopped")

    with pytest.raises(error):
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


def test_a_build_that_ran_out_of_memory_keeps_its_finished_parts(
    make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seam, "ROWS_PER_PART", 20)
    store = _store(make_store, 4)
    _stopped_build(store, tmp_path, 0.5, MemoryError)
    assert is_unfinished(tmp_path)
    assert build_tables(store, tmp_path).kept > 0


def test_a_build_that_broke_a_promise_keeps_nothing(
    make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seam, "ROWS_PER_PART", 20)
    store = _store(make_store, 4)
    _stopped_build(store, tmp_path, 0.5)
    _stopped_build(store, tmp_path, 0.8, IdentityError)
    assert list(tmp_path.iterdir()) == []


def test_a_build_stopped_before_its_first_part_leaves_nothing(
    make_store: MakeStore, tmp_path: Path
) -> None:
    _stopped_build(_store(make_store, 3), tmp_path, 0.3)
    assert list(tmp_path.iterdir()) == []


def test_two_builds_do_not_share_a_folder(make_store: MakeStore, tmp_path: Path) -> None:
    store = _store(make_store, 2)

    def heard(done: int, total: int) -> None:
        if total > 4:
            assert is_unfinished(tmp_path)  # whoever comes now is told who is writing
            with pytest.raises(UsageError, match=f"another build is writing {tmp_path}"):
                build_tables(store, tmp_path)

    assert build_tables(store, tmp_path, progress=heard).rows > 0


def test_only_what_a_build_left_is_unfinished(tmp_path: Path) -> None:
    assert not is_unfinished(tmp_path / "nowhere")
    (tmp_path / HALF_MADE).mkdir()
    assert not is_unfinished(tmp_path)
    Parts({}, "", 0, ()).write(tmp_path / HALF_MADE)
    assert is_unfinished(tmp_path)
    (tmp_path / "letter.txt").write_text("dear")
    assert not is_unfinished(tmp_path)
