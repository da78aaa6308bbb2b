"""Negatives joined to the decision they belong to, by the stated rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from giftlive.errors import MissingCapabilityError
from giftlive.tables.candidates import CandidateOptions, write_exposures

from .conftest import Log, Written

Write = Callable[[Log], Written]
Rows = list[dict[str, Any]]


def exposures(log: Log, write: Write, folder: Path, gap_ms: int = 1_000) -> Rows:
    written, file = write(log), folder / "exposures.parquet"
    options = CandidateOptions(negative_gap_ms=gap_ms)
    n = write_exposures(written.store, written.folder, file, options)
    rows: Rows = pq.read_table(file).to_pylist()
    assert len(rows) == n
    return rows


def joined(rows: Rows) -> list[tuple[int, ...]]:
    return [(r["sample_id"], r["live_id"], r["ts"], r["place"]) for r in rows if not r["label"]]


def one_user(*skips: tuple[int, int]) -> Log:
    """Return decisions at 1000, 2000 (twice) and 5000, and skips (live, ts)."""
    sample = ((4, 1, 10, 5, 1_000, 7), (5, 1, 11, 5, 2_000, 0), (6, 1, 12, 5, 2_000, 0))
    return Log(
        click=tuple(r[1:5] for r in sample),
        negative=tuple((1, live, 6, ts) for live, ts in skips),
        sample=(*sample, (9, 1, 13, 5, 5_000, 0), (3, 2, 10, 5, 900, 0)),
    )


def test_a_skip_belongs_to_the_nearest_decision(write: Write, tmp_path: Path) -> None:
    rows = exposures(one_user((20, 1_400), (21, 1_600), (22, 5_600), (23, 900)), write, tmp_path)
    assert joined(rows) == [
        (4, 23, 900, 1),
        (4, 20, 1_400, 2),
        (5, 21, 1_600, 1),
        (9, 22, 5_600, 1),
    ]
    chosen = [(r["sample_id"], r["live_id"], r["amount"]) for r in rows if r["label"]]
    assert chosen == [(3, 10, 0), (4, 10, 7), (5, 11, 0), (6, 12, 0), (9, 13, 0)]


def test_ties_go_to_the_later_decision_and_the_lower_sample(write: Write, tmp_path: Path) -> None:
    rows = exposures(one_user((20, 1_500), (21, 2_000)), write, tmp_path)
    assert joined(rows) == [(5, 21, 2_000, 1), (5, 20, 1_500, 2)]


def test_far_repeated_and_chosen_skips_belong_to_none(write: Write, tmp_path: Path) -> None:
    log = one_user((20, 1_050), (20, 950), (20, 1_040), (10, 1_001), (24, 6_001))
    rows = exposures(log, write, tmp_path)
    assert joined(rows) == [(4, 20, 1_040, 1)]
    assert joined(exposures(one_user((24, 6_000)), write, tmp_path)) == [(9, 24, 6_000, 1)]


def test_skips_of_users_who_never_decide_are_left(write: Write, tmp_path: Path) -> None:
    log = replace(one_user(), negative=((3, 20, 6, 1_000),))
    assert joined(exposures(log, write, tmp_path)) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_join_is_brute_force(
    seed: int, write: Write, tmp_path: Path, evening: Callable[..., Log]
) -> None:
    log, gap_ms = evening(seed), 300_000
    nearest: dict[tuple[int, int], tuple[int, ...]] = {}
    chosen = {r[0]: r[2] for r in log.sample}
    for user, live, _, ts in log.negative:
        mine = [r for r in log.sample if r[1] == user]
        best = min(mine, key=lambda r: (abs(r[4] - ts), -r[4], r[0]))
        gap = abs(best[4] - ts)
        if gap <= gap_ms and chosen[best[0]] != live:
            key = best[0], live
            nearest[key] = min(nearest.get(key, (gap, ts)), (gap, ts))
    rows = exposures(log, write, tmp_path, gap_ms)
    found = {(r["sample_id"], r["live_id"]): (r["gap_ms"], r["ts"]) for r in rows if not r["label"]}
    assert found == nearest
    assert len(found) > 10
    assert [(r["decision_ts"], r["sample_id"], r["place"]) for r in rows] == sorted(
        (r["decision_ts"], r["sample_id"], r["place"]) for r in rows
    )


def test_a_source_without_negatives_says_so(write: Write, tmp_path: Path) -> None:
    with pytest.raises(MissingCapabilityError, match="joining negatives to decisions needs neg"):
        exposures(one_user(), write, tmp_path)
