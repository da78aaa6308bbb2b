"""What a KuaiLive folder becomes, value by value."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from giftlive.errors import InputError, RejectLimitError
from giftlive.logs import Store, ingest

T0 = 1_746_374_400_000
MAX_ID = (1 << 63) - 1
Write = Callable[..., Path]
Lines = dict[str, list[str]]


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    con = store.connect()
    try:
        return [tuple(row) for row in con.execute(sql).fetchall()]
    finally:
        con.close()


def stored_bytes(store: Store) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(store.folder.glob("*.parquet"))}


def test_every_stored_value_is_the_one_written(write: Write, tmp_path: Path) -> None:
    store = ingest(write(), tmp_path / "store")
    assert rows(store, "SELECT * FROM click ORDER BY row_id") == [
        (0, 2, 10, 100, T0 + 1_000, 60_000, T0 + 61_000),
        (1, 1, 10, 100, T0 + 5_000, 4_000, T0 + 9_000),
        (2, 1, 11, 101, T0 + 9_000, 0, T0 + 9_000),
    ]
    assert rows(store, "SELECT * FROM room ORDER BY live_id") == [
        (10, 100, T0, T0 + 3_600_000, 1, "Talk, show", 7),
        (11, 101, T0, None, 2, "Game", None),
    ]
    assert rows(store, "SELECT * FROM comment") == [(0, 2, 10, 100, T0 + 2_000, T0 + 2_000)]
    assert rows(store, "SELECT age, fans_num, is_live_streamer, gender FROM users") == [
        ("18-23", "10-100", 0, None)
    ]
    assert rows(store, "SELECT fans_user_num FROM streamers ORDER BY streamer_id") == [
        ("10000-100000",),
        ("0-10",),
    ]


def test_a_gift_dated_at_an_entry_is_known_when_the_viewing_ended(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    again = [*files["click"], f"2,10,100,{T0 + 1_000},90000", f"2,11,101,{T0 + 1_000},99000"]
    store = ingest(write(click=again), tmp_path / "store")
    assert rows(store, "SELECT user_id, amount, ts, known_ts FROM gift ORDER BY row_id") == [
        (2, 52, T0 + 1_000, T0 + 91_000),  # the longer of two viewings of this room
        (1, 1, T0 + 6_000, T0 + 6_000),  # not at an entry
    ]


def test_a_gift_that_says_when_it_was_known_is_believed(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    header, *lines = files["gift"]
    known = [
        f"{header},known_ts",
        f"{lines[0]},{T0 + 500_000}",
        *(f"{line}," for line in lines[1:]),
    ]
    store = ingest(write(gift=known), tmp_path / "store")
    plain = ingest(write("plain_logs", gift=[header, *lines]), tmp_path / "plain")
    asked = "SELECT amount, ts, known_ts FROM gift ORDER BY row_id"
    both = list(zip(rows(store, asked), rows(plain, asked), strict=True))
    differ = [(one, other) for one, other in both if one != other]
    assert [one[:2] == other[:2] for one, other in differ] == [True]
    assert differ[0][0][2] == T0 + 500_000


def test_the_source_says_what_it_is(write: Write, tmp_path: Path) -> None:
    source = ingest(write("KuaiLive"), tmp_path / "store").source
    assert (source.kind, source.path, source.label) == ("kuailive", "KuaiLive", "real logs")
    assert (source.tz, source.unit) == ("Asia/Shanghai", "platform unit")
    assert "like" not in source.capabilities
    assert {"click", "gift", "room", "user", "streamer"} <= source.capabilities
    assert source.rows["like"] == 0
    assert source.window == (T0 + 1_000, T0 + 86_400_000)
    assert Store.open(tmp_path / "store").source == source


def test_profiles_are_dated_at_the_end_of_the_last_local_day(write: Write, tmp_path: Path) -> None:
    store = ingest(write(), tmp_path / "store")
    # The last event is the first instant of the second day in Shanghai.
    ends = T0 + 2 * 86_400_000
    assert rows(store, "SELECT DISTINCT snapshot_ts FROM users") == [(ends,)]
    assert rows(store, "SELECT DISTINCT snapshot_ts FROM streamers") == [(ends,)]


def test_a_generated_world_is_labelled_as_one_also_when_its_store_is_read_again(
    write: Write, tmp_path: Path
) -> None:
    folder = write()
    (folder / "world.json").write_text('{"generated_by": "giftlive"}', encoding="utf-8")
    first = ingest(folder, tmp_path / "store")
    assert first.source.label == "calibrated world"
    assert ingest(first.folder, tmp_path / "again").source.label == "calibrated world"


@pytest.mark.parametrize("marker", ["{", "[]", '{"generated_by": "somebody"}', '"giftlive"'])
def test_other_markers_mean_nothing(write: Write, tmp_path: Path, marker: str) -> None:
    folder = write()
    (folder / "world.json").write_text(marker, encoding="utf-8")
    assert ingest(folder, tmp_path / "store").source.label == "real logs"


def test_the_order_of_input_rows_changes_nothing(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    rng = random.Random(3)
    many = [f"{rng.randrange(9)},10,100,{T0 + rng.randrange(40)},{i % 7}" for i in range(500)]
    first = ingest(write("a", click=[files["click"][0], *many]), tmp_path / "first")
    rng.shuffle(many)
    second = ingest(write("b", click=[files["click"][0], *many]), tmp_path / "second", threads=1)
    assert stored_bytes(first) == stored_bytes(second)
    assert first.source.fingerprint != second.source.fingerprint


def test_zip_parquet_and_store_hold_the_same_rows_as_the_folder(
    write: Write, tmp_path: Path
) -> None:
    folder = write()
    store = ingest(folder, tmp_path / "store")
    archive = tmp_path / "KuaiLive.zip"
    parquet = tmp_path / "parquet"
    parquet.mkdir()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for file in sorted(folder.iterdir(), reverse=True):
            out.write(file, f"KuaiLive/{file.name}")
            pq.write_table(pacsv.read_csv(file), parquet / f"{file.stem}.parquet")
    zipped = ingest(archive, tmp_path / "zipped")
    assert zipped.source.fingerprint == store.source.fingerprint
    assert zipped.source.path == "KuaiLive.zip"
    from_parquet = ingest(parquet, tmp_path / "from_parquet")
    assert from_parquet.source.kind == "parquet"
    again = ingest(store.folder, tmp_path / "again")
    for other in (zipped, from_parquet, again):
        assert stored_bytes(other) == stored_bytes(store)


def test_author_is_an_older_word_for_streamer(write: Write, tmp_path: Path, files: Lines) -> None:
    old = {
        stem: [lines[0].replace("streamer_id", "author_id"), *lines[1:]]
        for stem, lines in files.items()
    }
    old["user"][0] = old["user"][0].replace("is_live_streamer", "is_live_author")
    folder = write("old", **old)
    (folder / "streamer.csv").rename(folder / "author.csv")
    (folder / "room.csv").rename(folder / "mapped_room.csv")
    assert stored_bytes(ingest(folder, tmp_path / "a")) == stored_bytes(
        ingest(write("new"), tmp_path / "b")
    )


@pytest.mark.parametrize("size", ["", "_pca128"])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_title_embeddings_belong_to_the_fingerprint(
    write: Write, tmp_path: Path, suffix: str, size: str
) -> None:
    folder = write()
    bare = ingest(folder, tmp_path / "bare").source.fingerprint
    titles = np.zeros((2, 4), dtype=np.float32)
    file = folder / f"title_embeddings{size}.{suffix}"
    np.save(file, titles) if suffix == "npy" else np.savez(file, titles=titles)
    assert ingest(folder, tmp_path / "store").source.fingerprint != bare


def test_duplicate_rooms_keep_the_first_in_content_order_and_never_trip_the_limit(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    head, *rooms = files["room"]
    earlier = f"20250506,10,100,1,{T0 - 5},{T0 + 1},Music,8"
    folder = write(room=[head, *rooms, earlier, rooms[0], rooms[0]])
    store = ingest(folder, tmp_path / "store", max_reject_share=0.0)
    assert rows(store, "SELECT start_ts, category FROM room WHERE live_id = 10") == [
        (T0 - 5, "Music")
    ]
    reason = "duplicate live_id: only the first in content order is kept"
    assert store.source.rejects == {"room": {reason: 3}}
    rejected = pq.read_table(store.folder / "rejects" / "room.parquet").to_pylist()
    assert [row["line"] for row in rejected] == [2, 5, 6]
    assert rejected[0] == {
        "file": "room.csv",
        "line": 2,
        "column": "live_id",
        "value": "10",
        "reason": reason,
    }


def test_a_room_that_ends_before_it_starts_is_quarantined(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    folder = write(room=[*files["room"], f"20250505,12,101,2,{T0},{T0 - 1},Game,1"])
    store = ingest(folder, tmp_path / "store", max_reject_share=0.0)
    assert store.source.rejects == {"room": {"ends before it starts": 1}}


def test_the_largest_ids_byte_order_mark_and_windows_line_ends_are_read(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    lines = [files["click"][0], f"{MAX_ID},{MAX_ID},100,{T0},5", f"-7,{-MAX_ID - 1},101,{T0},5"]
    content = b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n"
    store = ingest(write(click=content), tmp_path / "store")
    assert rows(store, "SELECT user_id, live_id FROM click ORDER BY row_id") == [
        (-7, -MAX_ID - 1),
        (MAX_ID, MAX_ID),
    ]


def test_optional_tables_may_be_absent(write: Write, tmp_path: Path) -> None:
    absent = dict.fromkeys(("like", "comment", "negative", "user", "streamer"))
    store = ingest(write("few", **absent), tmp_path / "store")
    assert store.source.capabilities == {"click", "gift", "room"}
    assert rows(store, "SELECT count(*) FROM likes") == [(0,)]
    assert rows(store, "SELECT streamer_id, onehot_feat6 FROM streamers") == []


def test_progress_is_told_from_nothing_to_all(write: Write, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    ingest(write(), tmp_path / "store", progress=lambda done, total: heard.append((done, total)))
    assert heard[0][0] == 0
    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1]


def test_an_older_store_is_replaced(write: Write, tmp_path: Path, files: Lines) -> None:
    ingest(write("a"), tmp_path / "store")
    ingest(write("b", click=files["click"][:2], like=None), tmp_path / "store")
    store = Store.open(tmp_path / "store")
    assert rows(store, "SELECT count(*) FROM click") == [(1,)]
    assert not store.file("like").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "store"]


def test_parquet_cells_of_the_wrong_type_are_named_by_row(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "parquet"
    folder.mkdir()
    for file in write().iterdir():
        pq.write_table(pacsv.read_csv(file), folder / f"{file.stem}.parquet")
    clicks = pq.read_table(folder / "click.parquet")
    watch = pa.array([4000.0, float("nan"), 3.0])
    at = clicks.column_names.index("watch_live_time")
    pq.write_table(clicks.set_column(at, "watch_live_time", watch), folder / "click.parquet")
    with pytest.raises(RejectLimitError) as caught:
        ingest(folder, tmp_path / "store")
    # A float column may have lost digits already: its numbers are no ids, times or amounts.
    assert str(caught.value).startswith("click.parquet, line 1, column watch_live_time: not an")


@pytest.mark.parametrize(
    ("separator", "line_end"), [(",", "\r"), (",", "\n"), (" , ", "\r\n"), ('","', '"\n"')]
)
def test_line_ends_blanks_and_quotation_marks_do_not_matter(
    write: Write, tmp_path: Path, files: Lines, separator: str, line_end: str
) -> None:
    lines = [line.replace(",", separator) for line in files["click"]]
    text = line_end.join(lines)
    folder = write(click=(f'"{text}"' if '"' in separator else text).encode())
    plain = write("plain")
    assert stored_bytes(ingest(folder, tmp_path / "a")) == stored_bytes(
        ingest(plain, tmp_path / "b")
    )


def test_ranges_stay_text_whatever_the_file_holds_them_in(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "parquet"
    folder.mkdir()
    for file in write().iterdir():
        pq.write_table(pacsv.read_csv(file), folder / f"{file.stem}.parquet")
    users = pa.table({"user_id": [1, 2], "fans_num": ["10000-100000", "[0,1000)"], "age": [18, 24]})
    pq.write_table(users, folder / "user.parquet")
    store = ingest(folder, tmp_path / "store")
    assert rows(store, "SELECT fans_num, age FROM users ORDER BY user_id") == [
        ("10000-100000", "18"),
        ("[0,1000)", "24"),
    ]


def test_author_is_an_older_word_in_parquet_too(write: Write, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    for file in write().iterdir():
        table = pacsv.read_csv(file)
        pq.write_table(table, new / f"{file.stem}.parquet")
        names = [name.replace("streamer_id", "author_id") for name in table.column_names]
        stem = file.stem.replace("streamer", "author")
        pq.write_table(table.rename_columns(names), old / f"{stem}.parquet")
    assert stored_bytes(ingest(old, tmp_path / "a")) == stored_bytes(ingest(new, tmp_path / "b"))


def test_a_room_that_ends_with_the_window_or_not_at_all_is_kept_as_it_is(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    last = T0 + 86_400_000
    rooms = [
        *files["room"],
        f"20250505,12,101,2,{T0},{last},Game,",
        f"20250505,13,101,2,{T0},nan,,",
    ]
    store = ingest(write(room=rooms), tmp_path / "store", max_reject_share=0.0)
    assert rows(store, "SELECT live_id, end_ts FROM room WHERE live_id > 10 ORDER BY live_id") == [
        (11, None),
        (12, last),
        (13, None),
    ]
    assert store.source.rejects == {}


def test_both_title_embeddings_or_none_change_no_row(write: Write, tmp_path: Path) -> None:
    folder = write()
    bare = ingest(folder, tmp_path / "bare")
    np.save(folder / "title_embeddings.npy", np.zeros((8, 4), dtype=np.float32))
    np.savez(folder / "title_embeddings.npz", titles=np.zeros((8, 4), dtype=np.float32))
    assert stored_bytes(ingest(folder, tmp_path / "with")) == stored_bytes(bare)


def test_the_unit_of_prices_is_not_guessed(write: Write, tmp_path: Path) -> None:
    source = ingest(write(), tmp_path / "store").source
    assert source.unit == "platform unit"
    assert rows(Store.open(tmp_path / "store"), "SELECT sum(amount) FROM gift") == [(53,)]


def test_csv_and_parquet_of_the_same_tables_in_one_folder_are_refused(
    write: Write, tmp_path: Path
) -> None:
    folder = write()
    pq.write_table(pacsv.read_csv(folder / "gift.csv"), folder / "gift.parquet")
    with pytest.raises(InputError, match="its files belong to 2 kinds of source: kuailive and"):
        ingest(folder, tmp_path / "store")
