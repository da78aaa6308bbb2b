"""Last touch: hand-computed credits, orphans by reason, and the balance that must hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from giftlive.errors import ConservationError, MissingCapabilityError, UsageError
from giftlive.logs.store import Store
from giftlive.tables import TableOptions, build_tables
from giftlive.tables.engine import DuckEngine
from giftlive.tables.labels import attribution, stage_labels
from giftlive.tables.sessions import stage_sessions

MINUTE = 60_000
MakeStore = Callable[..., Store]

CLICKS = TableOptions(unit="click")


def labels(folder: Path) -> list[tuple[int, int]]:
    rows = pq.read_table(folder / "labels.parquet").to_pylist()
    return [(row["label_amount"], row["label_count"]) for row in rows]


def test_every_gift_goes_to_its_last_click_or_to_a_reason(
    make_store: MakeStore, tmp_path: Path
) -> None:
    clicks = [(1, 10, 5, 1_000, 500), (1, 10, 5, 50_000, 500), (2, 10, 5, 90_000, 500)]
    gifts = [
        (1, 10, 5, 1_000, 3),  # stamped with the first entry
        (1, 10, 5, 49_999, 4),  # the first click is still the last touch
        (1, 10, 5, 50_000, 8),  # same ms as the second entry: a touch at the gift counts
        (1, 10, 5, 110_000, 16),  # exactly one minute after: inside
        (1, 10, 5, 110_001, 32),  # one ms more: out of the window
        (2, 10, 5, 89_999, 64),  # before the only click
        (2, 11, 5, 90_000, 128),  # another room
        (3, 10, 5, 90_000, 256),  # another user
    ]
    tables = build_tables(make_store(clicks, gifts), tmp_path, CLICKS)
    assert labels(tmp_path) == [(7, 2), (24, 2), (0, 0)]
    found = tables.attribution
    assert (found.labels.count, found.labels.amount) == (4, 31)
    assert (found.out_of_window.count, found.out_of_window.amount) == (1, 32)
    assert (found.click_only_after.count, found.click_only_after.amount) == (1, 64)
    assert (found.no_click.count, found.no_click.amount) == (2, 384)
    assert (found.gifts.count, found.gifts.amount) == (8, 511)
    by_minute = {cell.minutes: (cell.count_share, cell.amount_share) for cell in found.coverage}
    assert list(by_minute) == [0, 1, 5, 10, 15, 30, 60]
    assert by_minute[0] == (2 / 8, 11 / 511)
    assert by_minute[1] == (4 / 8, 31 / 511)
    assert by_minute[60] == (5 / 8, 63 / 511)


def test_equal_click_times_are_broken_by_row_id(make_store: MakeStore, tmp_path: Path) -> None:
    twins = [(1, 10, 5, 1_000, 900), (1, 10, 5, 1_000, 100)]
    build_tables(make_store(twins, [(1, 10, 5, 1_000, 3)]), tmp_path, CLICKS)
    assert labels(tmp_path) == [(0, 0), (3, 1)]


def test_window_none_lasts_until_the_viewing_ends(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store([(1, 10, 5, 0, 500_000)], [(1, 10, 5, 500_000, 1), (1, 10, 5, 500_001, 2)])
    tables = build_tables(store, tmp_path, replace(CLICKS, attribution_window_ms=None))
    assert labels(tmp_path) == [(1, 1)]
    assert tables.attribution.out_of_window.amount == 2


def test_label_of_a_row_is_matured_once_nothing_can_change_it(
    make_store: MakeStore, tmp_path: Path, samples: Callable[[Path], list[dict[str, Any]]]
) -> None:
    clicks = [(1, 10, 5, 0, 90_000), (2, 10, 5, 0, 10), (3, 10, 5, 40_001, 10)]
    build_tables(make_store(clicks, last_ts=100_000), tmp_path)
    rows = samples(tmp_path)
    assert [row["label_known_ts"] for row in rows] == [90_000, 60_000, 100_001]
    assert [row["matured"] for row in rows] == [True, True, False]


def test_sources_without_gifts_or_clicks(make_store: MakeStore, tmp_path: Path) -> None:
    tables = build_tables(make_store([(1, 10, 5, 0, 10)]), tmp_path)
    assert tables.attribution.gifts.count == 0
    assert tables.attribution.coverage[0].count_share is None
    with pytest.raises(MissingCapabilityError, match="click"):
        build_tables(make_store([], [(1, 10, 5, 0, 1)]), tmp_path, CLICKS)
    with pytest.raises(UsageError, match="fortnight"):
        TableOptions(unit="fortnight")
    with pytest.raises(UsageError, match="-1"):
        TableOptions(attribution_window_ms=-1)


def test_lost_money_is_an_error(make_store: MakeStore, tmp_path: Path) -> None:
    tables = build_tables(make_store([(1, 10, 5, 0, 9)], [(1, 10, 5, 0, 7)]), tmp_path)
    lost = replace(tables.attribution, labels=replace(tables.attribution.labels, amount=6))
    with pytest.raises(ConservationError, match="amount 6; expected the 7"):
        lost.require_conservation()


TIMES = st.integers(0, 9).map(lambda k: 20_000 * k)
WHO = st.tuples(st.integers(0, 2), st.integers(0, 1), st.just(7), TIMES)
ENTRIES = st.lists(st.tuples(WHO, st.sampled_from([0, 20_000, 55_000])), max_size=10)
PRESENTS = st.lists(st.tuples(WHO, st.integers(0, 2**40)), max_size=10)


def credit_by_hand(
    clicks: list[tuple[int, ...]], gifts: list[tuple[int, ...]], window: int
) -> tuple[list[int], Counter[str]]:
    """Golden: one gift at a time, in plain Python."""
    ordered = sorted(clicks, key=lambda c: (c[3], c[0], c[1], c[2], c[4]))
    credit, orphans = [0] * len(ordered), Counter[str]()
    for user, live, _, ts, amount in gifts:
        same = [i for i, c in enumerate(ordered) if (c[0], c[1]) == (user, live)]
        before = [i for i in same if ordered[i][3] <= ts]
        if not same:
            orphans["no_click"] += amount
        elif not before:
            orphans["click_only_after"] += amount
        elif ts - ordered[before[-1]][3] > window:
            orphans["out_of_window"] += amount
        else:
            credit[before[-1]] += amount
    return credit, orphans


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ENTRIES.filter(len), PRESENTS, st.sampled_from([0, 20_000, 60_000]))
def test_labels_match_the_golden_and_conserve_money(
    make_store: MakeStore,
    entries: list[tuple[tuple[int, ...], int]],
    presents: list[tuple[tuple[int, ...], int]],
    window: int,
) -> None:
    clicks = [(*who, watch) for who, watch in entries]
    gifts = [(*who, amount) for who, amount in presents]
    options = replace(CLICKS, attribution_window_ms=window)
    engine = DuckEngine.open(make_store(clicks, gifts), threads=1)
    stage_sessions(engine, "click", options)
    stage_labels(engine, "click", options)
    found = attribution(engine, "click", options)
    labelled = engine.rows("select label_amount from label order by row_id")
    engine.close()
    credit, orphans = credit_by_hand(clicks, gifts, window)
    assert [amount for (amount,) in labelled] == credit
    for reason in ("no_click", "click_only_after", "out_of_window"):
        assert getattr(found, reason).amount == orphans[reason]
    assert sum(credit) + orphans.total() == found.gifts.amount == sum(g[-1] for g in gifts)
