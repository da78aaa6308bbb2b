"""Columns side by side: rows meet by their place, and a row that is missing or moved is seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftlive.errors import IdentityError
from giftlive.tables.features.declare import FEATURES
from giftlive.tables.features.query import IN_SQL, Plan, plan_features
from giftlive.tables.features.slices import side_by_side
from giftlive.tables.features.state import HALF_LIVES_MS


def stream(name: str, ids: list[int], cuts: list[int]) -> Iterator[Any]:
    """Yield the rows in batches that end at ``cuts``; empty batches come too."""
    edges = [0, *sorted(min(cut, len(ids)) for cut in cuts), len(ids)]
    for lo, hi in pairwise(edges):
        yield pa.record_batch(
            {
                "sample_id": pa.array(ids[lo:hi], pa.int64()),
                name: pa.array([i * 10 for i in ids[lo:hi]], pa.int64()),
            }
        )


CUTS = st.lists(st.integers(0, 12), max_size=4)


@given(n=st.integers(0, 12), a=CUTS, b=CUTS, c=CUTS)
def test_any_batches_give_the_same_rows(n: int, a: list[int], b: list[int], c: list[int]) -> None:
    ids = [3 * i for i in range(n)]
    streams = [stream(name, ids, cuts) for name, cuts in zip("abc", (a, b, c), strict=True)]
    rows = list(side_by_side(streams))
    for name in ("sample_id", *"abc"):
        found = np.concatenate([part[name] for part in rows]) if rows else np.array([])
        wanted = ids if name == "sample_id" else [10 * i for i in ids]
        np.testing.assert_array_equal(found, wanted)


def test_a_row_out_of_its_place_is_seen() -> None:
    with pytest.raises(IdentityError, match="same probes in the same order"):
        list(side_by_side([stream("a", [1, 2, 3], []), stream("b", [1, 3, 2], [])]))


@pytest.mark.parametrize("short", [0, 1, 2])
def test_a_column_that_ends_early_is_seen(short: int) -> None:
    with pytest.raises(IdentityError, match="ends before the others"):
        list(side_by_side([stream("a", [1, 2, 3], [2]), stream("b", [1, 2, 3][:short], [1])]))


def test_tables_are_given_back_after_their_last_reader() -> None:
    plan = Plan(
        (("a", "select 1"), ("b", "select * from a"), ("c", "select * from b")),
        "select * from c",
        (("slice_x", "select * from b order by 1"), ("slice_y", "select * from c order by 1")),
    )
    assert [(name, spent) for name, _, spent in plan.steps(sliced=False)] == [
        ("a", ()),
        ("b", ("a",)),
        ("c", ("b",)),
    ]
    assert [(name, spent) for name, _, spent in plan.steps(sliced=True)] == [
        ("a", ()),
        ("b", ("a",)),
        ("slice_x", ()),
        ("c", ("b",)),
        ("slice_y", ("c",)),
    ]


@pytest.mark.parametrize("sliced", [False, True])
def test_no_step_reads_what_was_given_back(sliced: bool) -> None:
    plan = plan_features(FEATURES)
    mine = {name for name, _ in (*plan.stages, *plan.slices)} | {p.name for p in plan.pieces}
    alive: set[str] = set()
    for name, select, spent in plan.steps(sliced=sliced):
        words = set(select.replace("(", " ").replace(".", " ").replace(",", " ").split())
        assert words & mine <= alive, name
        alive = (alive | {name}) - set(spent)
    if sliced:
        kept = {name for name, _ in plan.slices} | {piece.name for piece in plan.pieces}
        assert alive == kept
    else:
        assert {name for name in mine if f" {name}." in plan.select} <= alive


def test_slices_and_pieces_hold_every_column_that_arrays_need() -> None:
    plan = plan_features(FEATURES, carry=("label_amount",))
    rows = {name: np.ones(1) for piece in plan.pieces for name in piece.absent}
    rows |= {f"fade_{name}": np.ones(1) for name in HALF_LIVES_MS}
    made = set(plan.derived(rows))
    text = " ".join(select for _, select in plan.slices)
    for feature in FEATURES:
        for column in (feature.name,) if feature.group in IN_SQL else feature.value.reads:
            there = f" as {column}" in text or f" {column}" in text.partition("from")[0]
            assert there or column in made, column
    assert "label_amount" in text


@given(
    n=st.integers(1, 12),
    have=st.sets(st.integers(0, 11)),
    a=CUTS,
    b=CUTS,
)
def test_rows_of_some_probes_find_their_place(
    n: int, have: set[int], a: list[int], b: list[int]
) -> None:
    ids, some = [3 * i for i in range(n)], [3 * i for i in sorted(have) if i < n]
    rows = list(side_by_side([stream("a", ids, a)], [(stream("b", some, b), {"b": -1})]))
    found = np.concatenate([part["b"] for part in rows]).tolist()
    assert found == [10 * i if i in some else -1 for i in ids]


@pytest.mark.parametrize("stranger", [0, 2, 9])
def test_a_row_of_no_probe_is_seen(stranger: int) -> None:
    odd = [(stream("b", [stranger], []), {"b": 0})]
    with pytest.raises(IdentityError, match=f"a row of sample {stranger}"):
        list(side_by_side([stream("a", [1, 3, 5], [1])], odd))
