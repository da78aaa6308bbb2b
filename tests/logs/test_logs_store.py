"""The store and its schema: views that never break, one file per table, one source.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from giftlive.errors import InputError, MissingCapabilityError
from giftlive.logs import Source, Store, ingest
from giftlive.logs.schema import EVENTS, TABLES
from giftlive.logs.store import connection

SOURCE = Source(
    kind="parquet",
    path="x",
    tz="Asia/Shanghai",
    unit="platform unit",
    capabilities=frozenset({"gift"}),
    fingerprint="0" * 32,
    label="real logs",
    rows={"gift": 1},
    rejects={"gift": {"missing value": 2}},
    window=(0, 1),
)


@pytest.fixture
def bare(tmp_path: Path) -> Store:
    folder = tmp_path / "it's [a] store*"
    folder.mkdir()
    (folder / "source.json").write_text(SOURCE.as_json(), encoding="utf-8")
    return Store.open(folder)


def test_a_source_survives_its_file(bare: Store) -> None:
    assert bare.source == SOURCE
    assert json.loads(SOURCE.as_json())["capabilities"] == ["gift"]


def test_absent_tables_are_empty_views_with_the_right_columns(bare: Store) -> None:
    con = bare.connect()
    for schema in TABLES.values():
        described = con.execute(f'DESCRIBE "{schema.view}"').fetchall()
        assert [(row[0], row[1]) for row in described] == [(c.name, c.type) for c in schema.columns]
        assert con.execute(f'SELECT count(*) FROM "{schema.view}"').fetchall() == [(0,)]


def test_a_folder_name_is_never_a_pattern(bare: Store) -> None:
    con = connection()
    row = ", ".join(f"CAST(7 AS {c.type}) AS {c.name}" for c in TABLES["gift"].columns)
    path = str(bare.file("gift")).replace("'", "''")
    con.execute(f"COPY (SELECT {row}) TO '{path}' (FORMAT parquet)")
    assert bare.connect().execute("SELECT sum(amount) FROM gift").fetchall() == [(7,)]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"kind": "gdq"}'])
def test_a_folder_that_is_no_store(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "source.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="not a store of GiftLive"):
        Store.open(tmp_path)


def test_a_step_that_needs_a_missing_table_says_so() -> None:
    SOURCE.require("gift", step="facts")
    with pytest.raises(MissingCapabilityError, match="labels needs click, which this parquet"):
        SOURCE.require("gift", "click", step="labels")


def test_events_have_a_time_a_known_time_and_a_total_order() -> None:
    for name in EVENTS:
        columns = TABLES[name].column_names
        assert columns[0] == "row_id"
        assert {"ts", "known_ts"} <= set(columns)
        # Nothing but the number of the row and what follows from the rest is outside the order.
        assert set(columns) - set(TABLES[name].order) == {"row_id", "known_ts"}


def test_stored_tables_have_the_declared_types(write: Callable[..., Path], tmp_path: Path) -> None:
    store = ingest(write(), tmp_path / "store")
    con = connection()
    for name in store.source.rows:
        described = con.execute(f"DESCRIBE FROM '{store.file(name)}'").fetchall()
        assert [(r[0], r[1]) for r in described] == [(c.name, c.type) for c in TABLES[name].columns]
