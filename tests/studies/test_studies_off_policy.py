"""Study 3.1 with its evenings and its grid: every table is there, and they agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from giftlive.config import load_config
from giftlive.evaluation.results import StudyResult
from giftlive.studies.context import Context
from giftlive.studies.off_policy import OffPolicy

SIZES = {
    "seed": 11,
    "jobs": 1,
    "off_policy.replications": 60,
    "off_policy.decisions": 150,
    "off_policy.evenings": 1,
    "off_policy.grid_decisions": (100, 400),
    "off_policy.grid_buckets": (0.01, 0.5),
    "off_policy.grid_replications": 50,
}


@pytest.fixture(scope="module")
def found(context: Context) -> tuple[StudyResult, dict[str, Any]]:
    kept: dict[str, Any] = {}
    config = load_config(overrides=SIZES)
    told = replace(context, config=config, keep=lambda name, rows: kept.update({name: rows}))
    return OffPolicy().run(told), kept


def test_the_tables_cover_every_target_and_pair(found: tuple[StudyResult, Any]) -> None:
    tables = {table.name: table for table in found[0].tables}
    assert list(tables) == ["trials", "pairs", "weights", "interference", "grid"]
    targets = {row[1] for row in tables["trials"].rows}
    assert {"greedy", "concave", "dual_price", "whale_tier", "cold_start", "uniform"} <= targets
    n = len(targets)
    assert len(tables["trials"].rows) == 9 * n + 18
    more: dict[Any, list[Any]] = {name: [] for name in ("count", "capped", "full")}
    for row in tables["trials"].rows[9 * n :]:
        assert row[1] == "greedy"
        more[row[0]].append(row[2])
    usual, valid = ["dm", "clipped_ips", "switch_dr", "lse"], ["ips_bernstein", "ips_betting"]
    money = ["assisted_snips"]
    assert more == {
        "count": usual + valid, "capped": usual + money + valid, "full": usual + money
    }  # fmt: skip
    assert len(tables["pairs"].rows) == n * (n - 1) // 2
    gaps = [row[2] for row in tables["pairs"].rows]
    assert gaps == sorted(gaps)
    assert {row[0] for row in tables["weights"].rows} == targets
    assert len(tables["grid"].rows) == 2 * 2 * 3 * 2


def test_more_chance_and_more_decisions_make_smaller_errors(
    found: tuple[StudyResult, Any],
) -> None:
    grid = next(table for table in found[0].tables if table.name == "grid")
    error = {row[:4]: row[6] for row in grid.rows}
    for bucket in (0.01, 0.5):
        small, large = (error[bucket, n, "count", "snips"] for n in (100, 400))
        assert large < small


def test_the_order_that_the_gate_reads_is_that_of_the_hardest_far_pair(
    found: tuple[StudyResult, Any],
) -> None:
    result = found[0]
    pairs = next(table for table in result.tables if table.name == "pairs")
    far = [row[3].value for row in pairs.rows if row[2] >= 0.05]
    order = next(e for e in result.estimates if e.name == "snips_count_order")
    assert order.value == min(far)


def test_the_kept_rows_say_what_the_tables_say(found: tuple[StudyResult, Any]) -> None:
    result, kept = found
    crowded = next(table for table in result.tables if table.name == "interference")
    assert len(kept["evenings"]["gifts"]) == len(crowded.rows) == 8
    logger = next(row for row in crowded.rows if row[:2] == ("with seats", "logger"))
    assert logger[2] == pytest.approx(
        kept["evenings"]["gifts"][0] / kept["evenings"]["decisions"][0], abs=1e-5
    )
    worth = {row[0]: row[1] for row in next(t for t in result.tables if t.name == "weights").rows}
    for name, shown in worth.items():
        w = kept["weights"]["weight"][kept["weights"]["target"] == name]
        assert shown == pytest.approx(w.sum() ** 2 / (w @ w), abs=0.06)
    assert len(kept["logs"]["effective"]) == len(kept["logs"]["value"])
    assert np.all(kept["logs"]["effective"] <= 150 + 1e-9)


def test_without_evenings_or_sizes_there_is_no_such_table(context: Context) -> None:
    sizes = SIZES | {"off_policy.evenings": 0, "off_policy.grid_decisions": ()}
    result = OffPolicy().run(replace(context, config=load_config(overrides=sizes)))
    assert [table.name for table in result.tables] == ["trials", "pairs", "weights"]
