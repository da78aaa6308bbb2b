"""Folds by days, or by events where the rows are gifts without clicks."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from giftlive.evaluation.folds import event_of, folds_of
from giftlive.tables.matrix import Matrix
from giftlive.types import Ints


class Rooms:
    """A store of rooms alone: what ``folds_of`` reads of a store and of its source."""

    def __init__(self, rows: list[tuple[int, str | None]], series_of_events: bool = True) -> None:
        self.rows = rows
        self.source = self
        self.series_of_events = series_of_events

    def connect(self) -> duckdb.DuckDBPyConnection:
        con = duckdb.connect()
        con.execute("create table room (live_id bigint, category varchar)")
        if self.rows:
            con.executemany("insert into room values (?, ?)", self.rows)
        return con


def matrix(day: Ints, live: Ints, unit: str) -> Matrix:
    n, zeros = len(day), np.zeros(len(day), dtype=np.int64)
    columns = (zeros, zeros, zeros, live, zeros, day)
    return Matrix(np.zeros((n, 1)), np.ones(n), *columns, ("x",), unit)


def test_rooms_lead_to_the_event_they_are_named_after() -> None:
    store = Rooms([(30, "b"), (10, "a"), (20, "b"), (40, None)])
    live = np.array([10, 20, 30, 40, 50, -1])
    assert event_of(store, live).tolist() == [0, 1, 1, -1, -1, -1]  # type: ignore[arg-type]


def test_without_rooms_nothing_belongs_to_an_event() -> None:
    assert event_of(Rooms([]), np.array([1, 2])).tolist() == [-1, -1]  # type: ignore[arg-type]


@pytest.fixture
def marathons() -> tuple[Rooms, Ints, Ints]:
    """Six events of three days, thirty days apart, named against the order of time."""
    rooms = Rooms([(k, "fedcba"[k]) for k in range(6)])
    day = np.concatenate([30 * k + np.arange(3) for k in range(6)])
    return rooms, day, np.repeat(np.arange(6), 3)


def test_gifts_without_clicks_roll_over_whole_events(
    marathons: tuple[Rooms, Ints, Ints], tmp_path: Path
) -> None:
    rooms, day, live = marathons
    folds = folds_of(rooms, matrix(day, live, "gift"), 3)  # type: ignore[arg-type]
    assert [fold.test for fold in folds] == [(90, 93), (120, 123), (150, 153)]
    assert [fold.validation for fold in folds] == [(60, 63), (90, 93), (120, 123)]
    assert [fold.train for fold in folds] == [(0, 33), (0, 63), (0, 93)]


def test_gifts_that_come_day_by_day_roll_over_days(marathons: tuple[Rooms, Ints, Ints]) -> None:
    rooms, day, live = marathons
    daily = Rooms(rooms.rows, series_of_events=False)
    folds = folds_of(daily, matrix(day, live, "gift"), 3)  # type: ignore[arg-type]
    assert [fold.name for fold in folds] == ["origin-1", "origin-2", "origin-3"]


def test_clicks_roll_over_days_whatever_the_rooms_are_called(
    marathons: tuple[Rooms, Ints, Ints],
) -> None:
    rooms, day, live = marathons
    folds = folds_of(rooms, matrix(day, live, "click"), 3)  # type: ignore[arg-type]
    assert [fold.name for fold in folds] == ["origin-1", "origin-2", "origin-3"]
    assert folds[-1].test[1] == 153
