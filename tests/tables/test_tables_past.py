"""The digest of the past: whatever a feature was made of may not change without a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from giftlive.logs.store import Store
from giftlive.tables.append import past_before
from giftlive.tables.engine.duck import DuckEngine

MakeStore = Callable[..., Store]
T0, END = 1_746_374_400_000, 1_746_374_400_000 + 3_600_000
COLUMNS = ("user_id", "live_id", "streamer_id", "ts", "x")
ROWS: dict[str, list[tuple[int, ...]]] = {
    "clicks": [(1, 10, 5, T0, 60_000), (2, 11, 6, T0 + 9, 500)],
    "gifts": [(1, 10, 5, T0, 7), (2, 11, 6, T0 + 9, 8)],
    "anonymous": [(-1, 10, 5, T0 + 4, 9)],
    "comments": [(1, 10, 5, T0 + 20)],
    "likes": [(2, 11, 6, T0 + 30)],
    "negatives": [(1, 12, 6, T0 + 40)],
}
NOBODYS = {("anonymous", "user_id"), ("negatives", "live_id")}
"""No feature reads them: the giver is hidden, and what was skipped is a streamer."""
CHANGES = [
    (table, column)
    for table, rows in ROWS.items()
    for column in COLUMNS[: len(rows[0])]
    if (table, column) not in NOBODYS
]


def digest(make_store: MakeStore, rows: dict[str, Any]) -> str:
    engine = DuckEngine.open(make_store(rows.pop("clicks"), rows.pop("gifts"), **rows), threads=1)
    try:
        return past_before(engine, END).digest
    finally:
        engine.close()


@pytest.mark.parametrize(("table", "column"), CHANGES)
def test_a_changed_value_changes_the_digest(make_store: MakeStore, table: str, column: str) -> None:
    *others, last = ROWS[table]
    k = COLUMNS.index(column)
    changed = [*others, (*last[:k], last[k] + 1, *last[k + 1 :])]
    assert digest(make_store, ROWS | {table: changed}) != digest(make_store, dict(ROWS))


@pytest.mark.parametrize("table", list(ROWS))
def test_a_row_more_or_twice_changes_the_digest(make_store: MakeStore, table: str) -> None:
    before = digest(make_store, dict(ROWS))
    assert digest(make_store, ROWS | {table: [*ROWS[table], ROWS[table][0]]}) != before
    assert digest(make_store, ROWS | {table: ROWS[table][1:]}) != before


def test_what_comes_later_does_not(make_store: MakeStore) -> None:
    late = {name: [*rows, (*rows[0][:3], END, *rows[0][4:])] for name, rows in ROWS.items()}
    assert digest(make_store, late) == digest(make_store, dict(ROWS))
