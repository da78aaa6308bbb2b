"""The documented schema: the template filled with rows, and every way of filling it wrongly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.errors import InputError, NotEnoughDataError, RejectLimitError, UsageError
from giftlive.logs import Store, ingest
from giftlive.logs.readers.tables import GIVEN, given_columns
from giftlive.logs.schema import TABLES
from giftlive.logs.template import arrow_schema, readme, write_template

T0 = 1_746_374_400_000
Rows = list[dict[str, Any]]
Fill = Callable[..., Path]

FILLED: dict[str, Rows] = {
    "click": [
        {"user_id": 1, "live_id": 10, "streamer_id": 100, "ts": T0 + 5_000, "watch_ms": 4_000},
        {"user_id": 2, "live_id": 10, "streamer_id": 100, "ts": T0, "watch_ms": 60_000},
    ],
    "gift": [
        {"user_id": 2, "live_id": 10, "streamer_id": 100, "ts": T0, "amount": 52},
        {"user_id": 1, "live_id": 10, "streamer_id": 100, "ts": T0 + 6_000, "amount": 1},
    ],
    "gift_anonymous": [
        {"user_id": 0, "live_id": 10, "streamer_id": 100, "ts": T0 + 9, "amount": 3}
    ],
    "comment": [{"user_id": 2, "live_id": 10, "streamer_id": 100, "ts": T0 + 2_000}],
    "like": [{"user_id": 2, "live_id": 10, "streamer_id": 100, "ts": T0 + 2_001}],
    "negative": [{"user_id": 3, "live_id": 10, "streamer_id": 100, "ts": T0 + 1}],
    "moderation": [{"user_id": 3, "live_id": 10, "ts": T0 + 7, "kind": "ban"}],
    "room": [{"live_id": 10, "streamer_id": 100, "start_ts": T0 - 5, "category": "Game"}],
    "user": [{"user_id": 1, "age": "18-23"}],
    "streamer": [{"streamer_id": 100, "gender": "F"}],
}


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Return a function that fills a template with the rows above, some replaced, some empty."""

    def filler(about: str = "", **changed: Rows | None) -> Path:
        folder = tmp_path / "logs"
        write_template(folder)
        for table in GIVEN:
            rows = changed.get(table, FILLED[table])
            if rows is None:
                (folder / f"{table}.parquet").unlink()
            else:
                content = pa.Table.from_pylist(rows, schema=arrow_schema(table))
                pq.write_table(content, folder / f"{table}.parquet")
        if about:
            (folder / "source.toml").write_text(about, encoding="utf-8")
        return folder

    return filler


def about(**changed: str | None) -> str:
    keys = {"tz": "UTC", "unit": "cent", "label": "real logs", "gift_times": "own"} | changed
    return "".join(f'{key} = "{value}"\n' for key, value in keys.items() if value is not None)


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    con = store.connect()
    try:
        return [tuple(row) for row in con.execute(sql).fetchall()]
    finally:
        con.close()


def test_a_filled_template_comes_back_value_by_value(fill: Fill, tmp_path: Path) -> None:
    store = ingest(fill(), tmp_path / "store")
    assert store.source.capabilities == set(GIVEN)
    assert store.source.rejects == {}
    for table in GIVEN:
        stored = rows(store, f'SELECT * FROM "{TABLES[table].view}"')
        names = TABLES[table].column_names
        kept = [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in stored
        ]
        for row in kept:
            row.pop("row_id", None)
            row.pop("known_ts", None)
        assert sorted(map(repr, kept)) == sorted(
            repr({name: row[name] for name in names if name in row}) for row in FILLED[table]
        )


def test_without_known_ts_a_row_is_known_when_it_happened(fill: Fill, tmp_path: Path) -> None:
    store = ingest(fill(), tmp_path / "store")
    assert rows(store, "SELECT ts, known_ts FROM click ORDER BY ts") == [
        (T0, T0 + 60_000),
        (T0 + 5_000, T0 + 9_000),
    ]
    assert rows(store, "SELECT count(*) FROM gift WHERE known_ts <> ts") == [(0,)]
    assert rows(store, "SELECT count(*) FROM moderation WHERE known_ts = ts") == [(1,)]


def test_entry_stamped_gifts_are_known_when_the_viewing_ended(fill: Fill, tmp_path: Path) -> None:
    store = ingest(fill(about(gift_times="entry")), tmp_path / "store")
    assert rows(store, "SELECT amount, known_ts - ts FROM gift ORDER BY row_id") == [
        (52, 60_000),
        (1, 0),
    ]


def test_a_known_ts_that_is_given_is_kept(fill: Fill, tmp_path: Path) -> None:
    gifts = [FILLED["gift"][0] | {"known_ts": T0 + 77}, FILLED["gift"][1]]
    store = ingest(fill(about(gift_times="entry"), gift=gifts), tmp_path / "store")
    assert rows(store, "SELECT known_ts - ts FROM gift ORDER BY row_id") == [(77,), (0,)]


def test_the_source_says_what_source_toml_says(fill: Fill, tmp_path: Path) -> None:
    said = about(tz="America/Lima", unit="coin", label="calibrated world")
    source = ingest(fill(said), tmp_path / "store").source
    assert (source.kind, source.tz, source.unit) == ("tables", "America/Lima", "coin")
    assert source.label == "calibrated world"
    assert not source.live_platform


def test_the_fingerprint_knows_what_source_toml_says(fill: Fill, tmp_path: Path) -> None:
    folder = fill(about())
    first = ingest(folder, tmp_path / "a").source.fingerprint
    (folder / "source.toml").write_text(about(tz="Asia/Tokyo"), encoding="utf-8")
    assert ingest(folder, tmp_path / "b").source.fingerprint != first


def test_tables_may_be_absent_and_columns_that_may_be_empty_too(fill: Fill, tmp_path: Path) -> None:
    folder = fill(**{table: None for table in GIVEN if table != "gift"})
    gifts = pq.read_table(folder / "gift.parquet").drop_columns(["known_ts"])
    pq.write_table(gifts, folder / "gift.parquet")
    store = ingest(folder, tmp_path / "store")
    assert store.source.capabilities == {"gift"}
    assert rows(store, "SELECT DISTINCT known_ts - ts FROM gift") == [(0,)]


def test_an_unfilled_template_has_no_rows_and_that_is_not_enough_data(tmp_path: Path) -> None:
    write_template(tmp_path / "logs")
    with pytest.raises(NotEnoughDataError) as caught:
        ingest(tmp_path / "logs", tmp_path / "store")
    assert caught.value.exit_code == 3
    assert str(caught.value).startswith("logs: there are no rows of events in it")
    assert "click.parquet" in str(caught.value)
    assert not (tmp_path / "store").exists()


def test_profiles_alone_are_not_enough(fill: Fill, tmp_path: Path) -> None:
    events = [table for table in GIVEN if TABLES[table].event]
    with pytest.raises(NotEnoughDataError, match="no rows of events"):
        ingest(fill(**{table: [] for table in events}), tmp_path / "store")


def test_source_toml_alone_is_no_source(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "source.toml").write_text(about(), encoding="utf-8")
    with pytest.raises(InputError, match="there is no table beside this file"):
        ingest(folder, tmp_path / "store")


ABOUT: dict[str, tuple[str, str]] = {
    "not TOML": ("tz = Asia", "source.toml: not a TOML file"),
    "missing": (about(unit=None), "source.toml, column unit: the key is missing"),
    "unknown": (about(units="cent"), "source.toml, column units: unknown key"),
    "empty": (about(unit=""), "source.toml, column unit: not a text ('')"),
    "number": (about(tz=None) + "tz = 8\n", "source.toml, column tz: not a text (8)"),
    "no zone": (about(tz="Asia/Atlantis"), "column tz: no such time zone ('Asia/Atlantis')"),
    "a path": (about(tz="../etc/passwd"), "column tz: no such time zone ('../etc/passwd')"),
    "label": (about(label="my logs"), "column label: not a choice ('my logs')"),
    "gift_times": (about(gift_times="exit"), "column gift_times: not a choice ('exit')"),
}


@pytest.mark.parametrize("case", ABOUT)
def test_a_wrong_source_toml_is_refused_by_its_key(fill: Fill, tmp_path: Path, case: str) -> None:
    content, words = ABOUT[case]
    with pytest.raises(InputError) as caught:
        ingest(fill(content), tmp_path / "store")
    assert words in str(caught.value)
    assert "; expected " in str(caught.value)
    assert ". Hint: " in str(caught.value)


def test_an_unknown_key_guesses_which_one_was_meant(fill: Fill, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Hint: did you mean unit\?"):
        ingest(fill(about(units="cent")), tmp_path / "store")


GIFT = FILLED["gift"][0]
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "null user": ({"user_id": None}, "user_id", "missing value"),
    "null room": ({"live_id": None}, "live_id", "missing value"),
    "negative": ({"amount": -3}, "amount", "negative amount"),
    "too large": ({"amount": 10**13}, "amount", "too large"),
    "before 1970": ({"ts": -1}, "ts", "negative ts"),
    "foresight": ({"known_ts": T0 - 1}, "known_ts", "known before it happened"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_is_set_aside_with_its_place(fill: Fill, tmp_path: Path, case: str) -> None:
    cells, column, reason = BAD[case]
    folder = fill()
    loose = pa.schema([field.with_nullable(True) for field in arrow_schema("gift")])
    pq.write_table(
        pa.Table.from_pylist([GIFT, GIFT | cells], schema=loose), folder / "gift.parquet"
    )
    with pytest.raises(RejectLimitError) as caught:
        ingest(folder, tmp_path / "store")
    assert str(caught.value).startswith(f"gift.parquet, line 2, column {column}: {reason}")
    assert "1 of 2 rows of gift (50.00%) are bad, the limit is 1.00%" in str(caught.value)
    store = ingest(folder, tmp_path / "store", max_reject_share=0.5)
    assert store.source.rejects == {"gift": {reason: 1}}


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [("gift", "amount", pa.float64()), ("click", "user_id", pa.string())],
)
def test_a_column_of_another_type_is_refused(
    fill: Fill, tmp_path: Path, table: str, column: str, kind: pa.DataType
) -> None:
    folder = fill()
    file = folder / f"{table}.parquet"
    content = pq.read_table(file)
    values = ["u-1", "u-2"] if kind == pa.string() else [52.5, 1.0]
    at = content.column_names.index(column)
    pq.write_table(content.set_column(at, column, pa.array(values, kind)), file)
    with pytest.raises(RejectLimitError) as caught:
        ingest(folder, tmp_path / "store")
    assert f"{table}.parquet, line 1, column {column}: not an integer" in str(caught.value)
    assert "expected an integer" in str(caught.value)


@pytest.mark.parametrize(
    ("table", "column"), [("gift", "ts"), ("click", "ts"), ("room", "start_ts")]
)
def test_times_in_seconds_are_refused(fill: Fill, tmp_path: Path, table: str, column: str) -> None:
    seconds = [row | {column: row[column] // 1000} for row in FILLED[table]]
    with pytest.raises(InputError) as caught:
        ingest(fill(**{table: seconds}), tmp_path / "store")
    assert str(caught.value).startswith(f"{table}.parquet, column {column}: the times ")
    assert "look like seconds; expected Unix time in milliseconds" in str(caught.value)


def test_a_missing_column_is_named(fill: Fill, tmp_path: Path) -> None:
    folder = fill()
    gifts = pq.read_table(folder / "gift.parquet")
    pq.write_table(gifts.rename_columns({"amount": "ammount"}), folder / "gift.parquet")
    with pytest.raises(InputError) as caught:
        ingest(folder, tmp_path / "store")
    assert str(caught.value).startswith("gift.parquet, column amount: the column amount is missing")
    assert "did you mean the column ammount?" in str(caught.value)


def test_repeated_rooms_keep_the_first_and_an_end_before_the_start_is_no_room(
    fill: Fill, tmp_path: Path
) -> None:
    room = FILLED["room"][0]
    rooms = [room, room | {"start_ts": T0 - 9}, room | {"live_id": 11, "end_ts": T0 - 6}]
    store = ingest(fill(room=rooms), tmp_path / "store", max_reject_share=0.0)
    assert rows(store, "SELECT live_id, start_ts, end_ts FROM room") == [(10, T0 - 9, None)]
    assert sum(store.source.rejects["room"].values()) == 2


def test_a_file_that_is_no_parquet_file(fill: Fill, tmp_path: Path) -> None:
    folder = fill()
    (folder / "gift.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match=r"gift.parquet: the file cannot be read"):
        ingest(folder, tmp_path / "store")


def test_a_filled_template_is_never_overwritten(fill: Fill) -> None:
    folder = fill()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(UsageError, match="could be a filled template"):
        write_template(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_the_template_has_every_table_with_its_columns_and_types(tmp_path: Path) -> None:
    names = write_template(tmp_path / "t")
    assert names == sorted(["README.md", "source.toml", *(f"{t}.parquet" for t in GIVEN)])
    for table in GIVEN:
        schema = pq.read_schema(tmp_path / "t" / f"{table}.parquet")
        assert schema.names == [c.name for c in TABLES[table].columns if c.name != "row_id"]
        for column in TABLES[table].columns:
            if column.name != "row_id":
                kind = pa.int64() if column.type == "BIGINT" else pa.string()
                assert schema.field(column.name).type == kind


def test_the_readme_describes_every_table_column_and_unit() -> None:
    text = readme()
    for table in GIVEN:
        section = text.split(f"## {table}.parquet")[1].split("\n## ")[0]
        for column in given_columns(table):
            assert f"| `{column.name}` | " in section
            assert column.unit in section


def test_two_kinds_of_files_in_one_folder_are_refused(fill: Fill, tmp_path: Path) -> None:
    folder = fill()
    (folder / "runs.csv").write_text("event,game,start_utc,end_utc\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        ingest(folder, tmp_path / "store")
    message = str(caught.value)
    assert message.startswith("logs: its files belong to 2 kinds of source: gdq and tables")
    assert "move the files of each source into a folder of its own" in message


def test_a_store_handed_back_in_this_schema_gives_the_same_tables(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    store = ingest(write("kuailive"), tmp_path / "store")
    folder = tmp_path / "back"
    write_template(folder)
    (folder / "source.toml").write_text(
        about(tz="Asia/Shanghai", gift_times="entry"), encoding="utf-8"
    )
    for table in GIVEN:
        if store.file(table).is_file():
            content = pq.read_table(store.file(table))
            derived = [name for name in ("row_id", "known_ts") if name in content.column_names]
            pq.write_table(content.drop_columns(derived), folder / f"{table}.parquet")
    again = ingest(folder, tmp_path / "again")
    for table in store.source.capabilities:
        assert again.file(table).read_bytes() == store.file(table).read_bytes(), table
