from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

from giftlive.errors import InputError
from giftlive.types import Ints
from giftlive.world import World, build_world, table_files, write_twin
from giftlive.world.history import History, Spill
from giftlive.world.profiles import ranged
from giftlive.world.recorder import Table, collected, recorded, survey
from giftlive.world.state import Log, joined, log_of
from giftlive.world.table_files import FileFormat, TableFiles
from giftlive.world.twin import TwinSummary

HEADERS = {
    "click": "user_id,live_id,streamer_id,timestamp,watch_live_time",
    "gift": "user_id,live_id,streamer_id,timestamp,gift_price",
    "comment": "user_id,live_id,streamer_id,timestamp",
    "like": "user_id,live_id,streamer_id,timestamp",
    "negative": "user_id,live_id,streamer_id,timestamp",
    "room": "p_date,live_id,streamer_id,live_type,start_timestamp,end_timestamp,"
    "live_content_category,live_name_id",
    "user": "user_id,age,gender,country,device_brand,device_price,reg_timestamp,fans_num,"
    "follow_num,first_watch_live_timestamp,accu_watch_live_cnt,accu_watch_live_duration,"
    "is_live_streamer,is_photo_author,onehot_feat0,onehot_feat1,onehot_feat2,onehot_feat3,"
    "onehot_feat4,onehot_feat5,onehot_feat6",
    "streamer": "streamer_id,gender,age,country,device_brand,device_price,live_operation_tag,"
    "fans_user_num,fans_group_fans_num,follow_user_num,first_live_timestamp,accu_live_cnt,"
    "accu_live_duration,accu_play_cnt,accu_play_duration,reg_timestamp,onehot_feat0,onehot_feat1,"
    "onehot_feat2,onehot_feat3,onehot_feat4,onehot_feat5,onehot_feat6",
}


def read(folder: Path, name: str) -> Table:
    table = pyarrow.csv.read_csv(folder / f"{name}.csv")
    return {c: table[c].to_numpy(zero_copy_only=False) for c in table.column_names}


def digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.blake2b(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def pair(table: Table, *columns: str) -> set[tuple[int, ...]]:
    return set(zip(*(table[c].tolist() for c in columns), strict=True))


def test_the_files_have_the_official_columns(twin: TwinSummary) -> None:
    for name, header in HEADERS.items():
        lines = (twin.folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == header
        assert len(lines) - 1 == twin.rows[name] > 0
    marker = json.loads((twin.folder / "world.json").read_text(encoding="utf-8"))
    assert (marker["generated_by"], marker["preset"], marker["seed"]) == ("giftlive", "kuailive", 7)
    titles = np.load(twin.folder / "title_embeddings.npy")
    assert titles.shape[1] == 8
    assert read(twin.folder, "room")["live_name_id"].max() < len(titles)


def test_equal_seeds_write_equal_bytes(clocked: World, twin: TwinSummary, target: Path) -> None:
    again = build_world(clocked.scenario, clocked.seed)
    assert digest(write_twin(again, target).folder) == digest(twin.folder)
    other = build_world(clocked.scenario, 8)
    fresh = digest(write_twin(other, target, overwrite=True).folder)
    assert fresh["click.csv"] != digest(twin.folder)["click.csv"]


def test_money_is_conserved(clocked: World, twin: TwinSummary, history: Log) -> None:
    gifts = read(twin.folder, "gift")
    assert gifts["gift_price"].sum() == twin.amount_written
    assert history.amount.sum() == twin.amount_simulated
    kept = np.isin(clocked.user_ids, read(twin.folder, "user")["user_id"])
    assert history.amount[kept[history.user]].sum() == twin.amount_written
    assert len(history.ts) == twin.decisions
    truth = pyarrow.parquet.read_table(twin.folder / "truth" / "gifts.parquet")
    assert np.sum(truth["amount"].to_numpy()) == twin.amount_written


def test_every_event_lies_in_its_room(twin: TwinSummary) -> None:
    room = read(twin.folder, "room")
    order = np.argsort(room["live_id"])

    def place(live: Ints) -> Ints:
        return order[np.searchsorted(room["live_id"], live, sorter=order)]

    for name in ("click", "gift", "comment", "like", "negative"):
        event = read(twin.folder, name)
        at = place(event["live_id"])
        assert np.array_equal(room["live_id"][at], event["live_id"])
        assert np.array_equal(room["streamer_id"][at], event["streamer_id"])
        assert np.all(event["timestamp"] >= room["start_timestamp"][at])
        end = event["timestamp"] + event.get("watch_live_time", np.zeros(len(at)))
        assert np.all(end <= room["end_timestamp"][at])
        assert np.all(np.diff(event["timestamp"]) >= 0)
        assert np.all(event["timestamp"] % 500 == 0)


def test_users_have_every_behaviour_and_streamers_a_click(clocked: World, history: Log) -> None:
    found = survey(clocked, lambda: iter([history]))
    opened = np.ones(len(clocked.live_ids), dtype=bool)
    tables = collected(recorded(clocked, found, lambda: iter([history]), opened))
    users = set(tables["user"]["user_id"].tolist())
    assert len(users) == min(found.qualified, clocked.scenario.kept_users)
    for name in ("gift", "comment", "like"):
        assert set(tables[name]["user_id"].tolist()) == users
    assert set(tables["click"]["user_id"].tolist()) <= users
    streamers = set(tables["streamer"]["streamer_id"].tolist())
    assert set(tables["negative"]["streamer_id"].tolist()) <= streamers
    assert set(tables["room"]["streamer_id"].tolist()) == streamers


def test_the_complete_recorder_hides_nothing_but_gift_times(evening: World, target: Path) -> None:
    summary = write_twin(evening, target, truth=False)
    assert 0 < summary.users_qualified < summary.users_kept == summary.users_simulated
    assert summary.amount_written == summary.amount_simulated
    clicks = read(target, "click")
    gifts = pair(read(target, "gift"), "user_id", "live_id", "timestamp")
    assert gifts <= pair(clicks, "user_id", "live_id", "timestamp")
    assert not (target / "truth").exists()
    assert len(read(target, "room")["live_id"]) == 30


def test_parquet_holds_the_same_rows(clocked: World, twin: TwinSummary, target: Path) -> None:
    write_twin(clocked, target, format="parquet")
    for name in HEADERS:
        table = pyarrow.parquet.read_table(target / f"{name}.parquet")
        csv = read(twin.folder, name)
        assert table.column_names == list(csv)
        for column, values in csv.items():
            assert table[column].to_pylist() == values.tolist()


def test_a_folder_with_content_is_not_touched(clocked: World, target: Path) -> None:
    target.mkdir()
    (target / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="already holds"):
        write_twin(clocked, target)
    assert (target / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_a_failed_write_leaves_nothing_behind(
    clocked: World, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(files: TableFiles, name: str, table: Table) -> None:
        if name == "room":
            raise OSError("no space left")
        append(files, name, table)

    append = TableFiles.append
    monkeypatch.setattr(TableFiles, "append", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_twin(clocked, target)
    assert list(target.parent.iterdir()) == []


def test_truth_per_click_is_given_the_click(twin: TwinSummary) -> None:
    truth = pyarrow.parquet.read_table(twin.folder / "truth" / "clicks.parquet")
    clicks = read(twin.folder, "click")
    assert np.array_equal(truth["user_id"].to_numpy(), clicks["user_id"])
    assert np.array_equal(truth["timestamp"].to_numpy(), clicks["timestamp"])
    chance = truth["click_probability"].to_numpy()
    assert np.all((chance > 0) & (chance < 1))
    assert np.all(truth["expected_amount"].to_numpy() > 0)


@pytest.mark.parametrize("when", [0.0, 0.5, 0.9])
def test_an_interrupt_leaves_everything_as_it_was(
    clocked: World, target: Path, when: float
) -> None:
    def stop(done: int, total: int, /) -> None:
        if done >= when * total:
            raise KeyboardInterrupt

    target.mkdir()
    (target / "world.json").write_text("older", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        write_twin(clocked, target, overwrite=True, progress=stop)
    assert list(target.parent.iterdir()) == [target]
    assert (target / "world.json").read_text(encoding="utf-8") == "older"


def test_the_size_of_the_chunks_leaves_no_trace(
    clocked: World, twin: TwinSummary, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(History.__init__, "__defaults__", (1_000,))
    assert digest(write_twin(clocked, target).folder) == digest(twin.folder)


def test_a_history_comes_in_order_whole_ticks_at_a_time(clocked: World, history: Log) -> None:
    parts = list(History(clocked, chunk_rows=1_000).chunks())
    assert len(parts) > 5
    ticks = [set((part.ts // clocked.scenario.calendar.tick_ms).tolist()) for part in parts]
    assert not any(a & b for a, b in itertools.pairwise(ticks))
    for name in Log._fields:
        whole = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(whole, getattr(history, name))
    order = np.lexsort((history.user, history.ts))
    assert np.array_equal(order, np.arange(len(order)))


def test_a_spilled_history_comes_back_as_it_was(history: Log, tmp_path: Path) -> None:
    spill = Spill(tmp_path)
    spill.fill(log_of(column[k : k + 700] for column in history) for k in range(0, 2_100, 700))
    back = joined(list(spill.chunks()))
    for name in Log._fields:
        column, expected = getattr(back, name), getattr(history, name)[:2_100]
        assert column.dtype == expected.dtype
        assert np.array_equal(column, expected)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_the_bytes_of_a_file_do_not_show_its_pieces(
    tmp_path: Path, file_format: FileFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "_GROUP_ROWS", 64)
    table = {"a": np.arange(1_000), "b": np.array([f"t{k % 7}" for k in range(1_000)])}
    for size in (1_000, 33):
        folder = tmp_path / str(size)
        folder.mkdir()
        with TableFiles(folder, file_format) as files:
            for first in range(0, 1_000, size):
                files.append("x", {c: v[first : first + size] for c, v in table.items()})
        assert files.rows == {"x": 1_000}
    assert digest(tmp_path / "33") == digest(tmp_path / "1000")


def test_progress_reaches_its_end(evening: World, target: Path) -> None:
    heard: list[tuple[int, int]] = []
    write_twin(evening, target, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1][0] == heard[-1][1]
    assert heard == sorted(heard)
    assert {total for _, total in heard} == {heard[0][1]}


def test_ranges_hold_their_counts() -> None:
    counts = np.array([0, 1, 9, 10, 99_999, 100_000])
    for count, text in zip(counts.tolist(), ranged(counts).tolist(), strict=True):
        low, _, high = text.partition("-")
        assert int(low) <= count < int(high or 1)
