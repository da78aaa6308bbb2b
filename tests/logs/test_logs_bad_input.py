"""Every kind of bad input gives one paragraph that names the place, and leaves nothing behind."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from giftlive.errors import GiftLiveError, InputError, RejectLimitError, UsageError
from giftlive.logs import Store, ingest

T0 = 1_746_374_400_000
Write = Callable[..., Path]
Lines = dict[str, list[str]]


def refused(path: Path, store: Path, kind: type[GiftLiveError] = InputError) -> str:
    """Return the message with which an ingest fails, having checked its form and its traces."""
    before = sorted(store.parent.iterdir()) if store.parent.is_dir() else None
    with pytest.raises(kind) as caught:
        ingest(path, store)
    assert before is None or sorted(store.parent.iterdir()) == before
    message = str(caught.value)
    assert "\n" not in message
    assert "Hint: " in message
    assert caught.value.expected
    assert caught.value.exit_code == 2
    return message


def rejected(store: Store, table: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pq.read_table(
        store.folder / "rejects" / f"{table}.parquet"
    ).to_pylist()
    return found


def padded(lines: list[str], *bad: str) -> list[str]:
    """Return the lines with enough good rows that ``bad`` stay below one per cent."""
    return [lines[0], *bad, *(lines[1:] * (100 * len(bad)))]


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    assert "no such file or folder" in refused(tmp_path / "nowhere", tmp_path / "store")


@pytest.mark.parametrize("table", ["click", "gift", "room"])
def test_a_missing_file(write: Write, tmp_path: Path, table: str) -> None:
    message = refused(write("logs", **{table: None}), tmp_path / "store")
    assert message.startswith(f"logs/{table}.csv: this file is missing")
    assert "click.csv, gift.csv, room.csv" in message


def test_a_folder_of_no_known_kind_lists_what_each_kind_needs(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "beach.png").write_bytes(b"\x89PNG")
    message = refused(folder, tmp_path / "store")
    for word in ("beach.png", "click.csv", "click.parquet", "donations.csv.gz", "runs.csv"):
        assert word in message


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no file at all" in refused(tmp_path / "empty", tmp_path / "store")


def test_a_missing_column_guesses_which_one_was_meant(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    gifts = [files["gift"][0].replace("gift_price", "gift_prize"), *files["gift"][1:]]
    message = refused(write(gift=gifts), tmp_path / "store")
    assert message.startswith("gift.csv, line 1, column gift_price: ")
    assert "did you mean the column gift_prize?" in message


def test_a_file_with_another_separator_says_so(write: Write, tmp_path: Path, files: Lines) -> None:
    clicks = [line.replace(",", ";") for line in files["click"]]
    assert "separated by commas" in refused(write(click=clicks), tmp_path / "store")


def test_text_in_gift_price_beyond_the_limit(write: Write, tmp_path: Path, files: Lines) -> None:
    gifts = [*files["gift"], f"1,10,100,{T0},a lot", f"1,10,100,{T0},2"]
    message = refused(write(gift=gifts), tmp_path / "store", RejectLimitError)
    assert message.startswith("gift.csv, line 4, column gift_price: not an integer ('a lot')")
    assert "1 of 4 rows of gift (25.00%)" in message
    assert "an integer of at least 0" in message


CELLS = [
    ("gift", "1,10,100,{t},a lot", "gift_price", "a lot", "not an integer"),
    ("gift", "1,10,100,{t},-3", "gift_price", "-3", "negative amount"),
    ("gift", "1,10,100,{t},2.5", "gift_price", "2.5", "not an integer"),
    ("gift", "1,10,100,{t},1e3", "gift_price", "1e3", "not an integer"),
    ("gift", "1,10,100,{t},0x1F", "gift_price", "0x1F", "not an integer"),
    ("gift", "1,10,100,{t},", "gift_price", None, "missing value"),
    ("gift", "1,10,100,{t},NaN", "gift_price", "NaN", "missing value"),
    ("gift", "1,10,100,{t},9223372036854775807", "gift_price", str(2**63 - 1), "too large"),
    ("gift", "1.0,10,100,{t},1", "user_id", "1.0", "not an integer"),
    ("gift", "9223372036854775808,10,100,{t},1", "user_id", str(2**63), "not an integer"),
    ("gift", "1,10,999,{t},1", "streamer_id", "999", "unknown streamer"),
    ("click", "1,10,999,{t},1", "streamer_id", "999", "unknown streamer"),
    ("click", "1,10,100,{t},-1", "watch_live_time", "-1", "negative watch_ms"),
    ("click", "1,10,100,-{t},1", "timestamp", f"-{T0}", "negative ts"),
    ("click", "1,10,100,{t}", None, f"1,10,100,{T0}", "too few columns"),
    ("click", "1,10,100,{t},1,1", None, f"1,10,100,{T0},1,1", "too many columns"),
    ("click", '1,10,{t},7,"1"x', None, f'1,10,{T0},7,"1"x', "broken quotation marks"),
]


@pytest.mark.parametrize(("table", "row", "column", "value", "reason"), CELLS)
def test_one_bad_row_is_set_aside_and_many_are_an_error(
    write: Write,
    tmp_path: Path,
    files: Lines,
    table: str,
    row: str,
    column: str | None,
    value: str | None,
    reason: str,
) -> None:
    bad = row.format(t=T0)
    good = padded(files[table], bad)
    store = ingest(write("good", **{table: good}), tmp_path / "store")
    assert store.source.rejects == {table: {reason: 1}}
    assert store.source.rows[table] == len(good) - 2
    assert rejected(store, table) == [
        {"file": f"{table}.csv", "line": 2, "column": column, "value": value, "reason": reason}
    ]
    bad_folder = write("bad", **{table: [*files[table], bad]})
    message = refused(bad_folder, tmp_path / "other", RejectLimitError)
    place = "" if column is None else f", column {column}"
    assert message.startswith(f"{table}.csv, line {len(files[table]) + 1}{place}: {reason}")


def test_lines_are_those_an_editor_shows(write: Write, tmp_path: Path, files: Lines) -> None:
    head, *rooms = files["room"]
    clicks = [files["click"][0], *files["click"][1:] * 200]
    clicks[3:3] = ["", f"1,10,100,{T0},x"]  # a blank line 4, a bad line 5
    clicks[50] = "1,10"
    clicks[90] = f"1,10,100,{T0},y"
    odd_rooms = [
        head,
        f'20250505,20,100,1,{T0},{T0 + 1},"two\nlines",7',
        f"20250505,21,100,1,{T0},{T0 - 1},Game,7",
        *rooms,
    ]
    store = ingest(write(click=clicks, room=odd_rooms), tmp_path / "store")
    assert [row["line"] for row in rejected(store, "click")] == [5, 51, 91]
    assert [row["line"] for row in rejected(store, "room")] == [4]


@pytest.mark.parametrize("bad", ['1,"10,100,5,5', '1,10,100,5,"5'])
def test_an_open_quotation_mark_never_swallows_rows_in_silence(
    write: Write, tmp_path: Path, files: Lines, bad: str
) -> None:
    clicks = [files["click"][0], *files["click"][1:] * 30_000]
    clicks[60_000:60_000] = ["", bad]
    message = refused(write(click=clicks), tmp_path / "store")
    assert message.startswith("click.csv, line 60002: a quotation mark is opened here and not")


@pytest.mark.parametrize("table", ["click", "gift", "room"])
def test_a_required_table_without_rows(
    write: Write, tmp_path: Path, files: Lines, table: str
) -> None:
    message = refused(write("logs", **{table: files[table][:1]}), tmp_path / "store")
    assert message.startswith(f"{table}.csv: the table {table} is empty")


def test_optional_tables_without_rows_are_no_capability(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    few = {table: files[table][:1] for table in ("comment", "negative", "like", "user")}
    store = ingest(write("logs", **few), tmp_path / "store")
    assert store.source.capabilities == {"click", "gift", "room", "streamer"}


@pytest.mark.parametrize("content", [b"", b"\0" * 900, bytes(range(256)) * 40, b"\xff\xfea\0,\0"])
def test_a_file_that_is_no_text(write: Write, tmp_path: Path, content: bytes) -> None:
    message = refused(write(gift=content), tmp_path / "store")
    assert message.startswith("gift.csv: the file cannot be read")


def test_binary_below_a_good_header(write: Write, tmp_path: Path, files: Lines) -> None:
    content = files["gift"][0].encode() + b"\n" + bytes(range(256)) * 200
    assert refused(write(gift=content), tmp_path / "store").startswith("gift.csv")


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_truncated_zip(write: Write, tmp_path: Path, share: float) -> None:
    archive = tmp_path / "logs.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for file in write().iterdir():
            out.write(file, file.name)
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * share)])
    message = refused(archive, tmp_path / "store")
    assert message.startswith("logs.zip: the file is not a whole zip archive")


def test_a_zip_with_a_damaged_member(write: Write, tmp_path: Path) -> None:
    archive = tmp_path / "logs.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for file in write().iterdir():
            out.write(file, file.name)
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b",60000", b",60001"))
    assert "not a whole zip archive" in refused(archive, tmp_path / "store")


def test_a_file_that_is_no_zip(write: Write, tmp_path: Path) -> None:
    archive = (write() / "click.csv").rename(tmp_path / "archive")
    message = refused(archive, tmp_path / "store")
    assert message.startswith("archive: the file is not a whole zip archive")


def test_one_file_of_a_source_is_told_from_a_broken_zip(write: Write, tmp_path: Path) -> None:
    folder = write()
    message = refused(folder / "click.csv", tmp_path / "store")
    assert message.startswith("click.csv: this is one file of a source, not the source")
    assert message.endswith(f"give the folder that holds it: {folder}")


def test_a_truncated_parquet_file(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "parquet"
    folder.mkdir()
    for file in write().iterdir():
        pq.write_table(pacsv.read_csv(file), folder / f"{file.stem}.parquet")
    gift = folder / "gift.parquet"
    gift.write_bytes(gift.read_bytes()[:-20])
    message = refused(folder, tmp_path / "store")
    assert message.startswith("gift.parquet: the file cannot be read; expected a Parquet file")


def test_a_folder_with_something_else_in_it_is_not_overwritten(
    write: Write, tmp_path: Path
) -> None:
    kept = tmp_path / "thesis"
    kept.mkdir()
    (kept / "chapter.txt").write_text("years of work", encoding="utf-8")
    assert "not a store" in refused(write(), kept, UsageError)
    assert (kept / "chapter.txt").read_text(encoding="utf-8") == "years of work"


def test_the_logs_are_not_replaced_by_their_own_store(write: Write, tmp_path: Path) -> None:
    folder = write()
    assert "would replace the logs" in refused(folder, folder, UsageError)


def test_after_an_error_an_older_store_is_as_it_was(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    first = ingest(write("a"), tmp_path / "store")
    refused(write("b", gift=[*files["gift"], "no gift at all"]), tmp_path / "store")
    assert Store.open(tmp_path / "store") == first


def test_entity_defects_count_and_quarantines_do_not(
    write: Write, tmp_path: Path, files: Lines
) -> None:
    rooms = [*files["room"], *files["room"][1:], f"20250505,12,101,1,soon,{T0},Game,1"]
    message = refused(write(room=rooms), tmp_path / "store", RejectLimitError)
    assert message.startswith("room.csv, line 6, column start_timestamp: not an integer ('soon')")
    assert "1 of 5 rows of room" in message


def test_times_in_seconds_are_refused(write: Write, tmp_path: Path, files: Lines) -> None:
    clicks = [files["click"][0], f"1,10,100,{T0 // 1000},5", f"1,10,100,{T0 // 1000 + 9},5"]
    message = refused(write(click=clicks), tmp_path / "store")
    assert message.startswith(f"click.csv, column timestamp: the times {T0 // 1000} to ")
    assert "milliseconds" in message


def test_a_repeated_column(write: Write, tmp_path: Path, files: Lines) -> None:
    clicks = [f"{line},{i}" for i, line in enumerate(files["click"])]
    clicks[0] = f"{files['click'][0]},user_id"
    message = refused(write(click=clicks), tmp_path / "store")
    assert message.startswith("click.csv, line 1, column user_id: the column is there 2 times")


def test_a_store_that_cannot_be_written(write: Write, tmp_path: Path) -> None:
    folder = write()
    message = refused(folder, folder / "click.csv" / "store", UsageError)
    assert "the store cannot be written" in message


GOOD = f"1,10,100,{T0},5"
LINES = st.lists(
    st.sampled_from(
        [GOOD, f"2,11,101,{T0 + 1},7", "", "1,2", "x,10,100,5,5", '"a" b,1', GOOD + ",9"]
    )
    | st.text(alphabet="0123456789,. -xü", max_size=14),
    max_size=40,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
def test_every_line_is_stored_or_set_aside(tmp_path: Path, files: Lines, lines: list[str]) -> None:
    folder = tmp_path / "logs"
    folder.mkdir(exist_ok=True)
    for stem, content in (files | {"click": [files["click"][0], GOOD, *lines]}).items():
        (folder / f"{stem}.csv").write_text("\n".join(content) + "\n", encoding="utf-8")
    store = ingest(folder, tmp_path / "store", max_reject_share=1.0)
    aside = rejected(store, "click") if "click" in store.source.rejects else []
    filled = [at for at, line in enumerate(lines, start=3) if line]
    assert store.source.rows["click"] + len(aside) == len(filled) + 1
    assert {row["line"] for row in aside} <= set(filled)
    assert sum(store.source.rejects.get("click", {}).values()) == len(aside)
