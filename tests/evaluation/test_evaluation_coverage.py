"""The coverage lab: its populations, its counting, and the table that it ships."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from giftlive import metrics
from giftlive.evaluation.coverage import cases, lab, populations
from giftlive.evaluation.coverage.cases import CASES, Case
from giftlive.evaluation.coverage.lab import Cell, Tally, added, cells, run_block, run_cell
from giftlive.evaluation.coverage.page import page
from giftlive.evaluation.coverage.sample import draw, whole
from giftlive.evaluation.coverage.statistics import estimate
from giftlive.rng import stream
from giftlive.stats.coverage_table import GUARANTEED, HIGHEST, LOWEST, table
from giftlive.stats.heavy_tails import gini, top_share
from giftlive.stats.print_rule import need

EVENINGS = Cell("evenings", 1, 50)


def test_gifts_follow_the_published_quantiles() -> None:
    full = populations.gifts(60).columns["full"]
    amounts = full[full > 0]
    assert len(amounts) / len(full) == pytest.approx(0.015, rel=0.03)
    levels = [0.5, 0.75, 0.90, 0.95, 0.99]
    known = [2, 10, 88, 298, 1_488]
    np.testing.assert_allclose(np.quantile(amounts, levels), known, rtol=0.15)
    assert (amounts == 1).mean() == pytest.approx(0.4389, abs=0.015)
    assert 5_000 < amounts.max() <= 56_246


def test_few_givers_hold_most() -> None:
    total = populations.gifts(60).totals("full")
    held = total[total > 0]
    assert 0.90 < gini(held) < 0.95
    assert 0.45 < top_share(held, 0.01) < 0.65


def test_a_sample_adds_up_and_repeats_whole_users() -> None:
    population = populations.gifts(10)
    sample = draw(population, 300, stream(1, "sample"))
    twice = replace(sample, users=np.concatenate([sample.users, sample.users]))
    np.testing.assert_allclose(sample.by_user(sample.column("full")), sample.total("full"))
    assert len(twice.column("full")) == 2 * len(sample.column("full"))
    assert len(np.unique(twice.draw)) == 600


@pytest.mark.parametrize("name", ["revenue_capture_1pct", "pr_auc", "gini", "ratio"])
def test_the_truth_is_the_statistic_of_the_population(name: str) -> None:
    everybody, tail = whole(populations.gifts(10)), "capped"
    y, score = everybody.column(tail), everybody.column("score")
    total = everybody.total(tail)
    golden = {
        "revenue_capture_1pct": metrics.revenue_capture(y, score, 0.01),
        "pr_auc": metrics.pr_auc(y, everybody.column("probability")),
        "gini": gini(total[total > 0]),
        "ratio": y.sum() / len(y),
    }
    found = estimate(name, everybody, tail)
    assert found.value == pytest.approx(golden[name], rel=1e-9)
    assert found.influence.sum() == pytest.approx(0.0, abs=1e-6)


def test_blocks_add_up_to_the_whole() -> None:
    halves = added(run_block(EVENINGS, 0, 6), run_block(EVENINGS, 6, 6))
    once = run_block(EVENINGS, 0, 12)
    assert halves.keys() == once.keys()
    for key, tally in once.items():
        assert replace(halves[key], width=0.0) == replace(tally, width=0.0)
        assert halves[key].width == pytest.approx(tally.width)


def test_every_replication_is_counted_once() -> None:
    for tally in run_block(Cell("gifts", 1, 100), 0, 20).values():
        assert tally.replications == 20
        assert tally.covered + tally.below + tally.above + tally.withheld == 20


def test_a_mean_of_nearly_normal_values_is_covered_as_promised() -> None:
    rows = {(r.statistic, r.method): r for r in run_cell(EVENINGS, 600)}
    mean = rows["mean", "student_t"]
    assert abs(mean.covered / 600 - 0.95) < 3.5 * math.sqrt(0.95 * 0.05 / 600)
    assert mean.cv == pytest.approx(0.26, abs=0.02)
    assert mean.skew == pytest.approx(0.5, abs=0.1)


def test_an_interval_half_as_wide_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = next(c for c in CASES if c.population == "evenings" and c.method == "student_t")

    def narrow(*args: object) -> tuple[float, float]:
        low, high = honest.maker(*args)  # type: ignore[arg-type]
        quarter = (high - low) / 4
        return low + quarter, high - quarter

    planted: tuple[Case, ...] = (replace(honest, maker=narrow),)
    monkeypatch.setattr(lab, "CASES", planted)
    (row,) = run_cell(EVENINGS, 200)
    assert row.covered / 200 < 0.80
    assert not row.holds


def test_a_missing_interval_counts_as_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = next(c for c in CASES if c.population == "evenings" and c.method == "student_t")
    silent = replace(honest, maker=lambda *_: (math.nan, math.nan))
    monkeypatch.setattr(lab, "CASES", (silent,))
    (found,) = run_block(EVENINGS, 0, 5).values()
    assert replace(found, cv=0.0, skew=0.0) == Tally(replications=5, withheld=5)


def test_the_table_has_every_case_at_every_size() -> None:
    shipped = {row.key for row in table()}
    wanted = {
        (case.statistic, case.method, tail, cell.rows_per_user, cell.clusters)
        for cell in cells()
        for case in cell.cases()
        for tail in case.tails
    }
    assert shipped == wanted


def test_every_row_rests_on_enough_replications() -> None:
    assert all(row.replications >= 2_000 for row in table())
    for row in table():
        assert row.covered + row.below + row.above + row.withheld == row.replications


def test_wherever_the_rule_allows_printing_the_interval_holds() -> None:
    allowed = [
        row
        for row in table()
        if (found := need(row.statistic, row.method, row.tail, row.rows_per_cluster)).shown
        and row.clusters >= found.clusters
    ]
    assert len(allowed) > 50  # the rule is not empty
    for row in allowed:
        share = row.covered / row.replications
        assert share >= LOWEST, row.key
        assert share <= HIGHEST or row.method in GUARANTEED, row.key


def test_the_rule_refuses_whole_gifts_of_few_users() -> None:
    for statistic, method, tail in (
        ("ratio", "skew_t", "full"),
        ("mean", "student_t", "full"),
        ("revenue_capture_1pct", "influence_t(logit)", "full"),
        ("gini", "influence_t", "gift"),
    ):
        found = need(statistic, method, tail, 1.0)
        assert not found.shown or found.clusters > 10_000


def test_the_page_is_the_table() -> None:
    written = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert written == page(table())


def test_every_named_population_exists() -> None:
    assert {case.population for case in CASES} == set(cases.POPULATIONS)


def test_every_block_has_a_population_of_its_own() -> None:
    one, other = (populations.gifts(1, turn).totals("full") for turn in (0, 1))
    assert len(one) == len(other) == 50_000
    assert one.sum() != other.sum()
    assert np.array_equal(one, populations.gifts(1, 0).totals("full"))


@pytest.mark.slow
@pytest.mark.parametrize("population", ["evenings", "pareto", "gifts"])
def test_another_seed_finds_the_same_coverage(population: str) -> None:
    """Theory: what the table says is a property of the method, not of the seed it was drawn by."""
    shipped = {row.key: row for row in table()}
    for cell in (c for c in cells(1_000) if c.population == population):
        for row in run_cell(cell, 400, seed=7):
            p = shipped[row.key].covered / shipped[row.key].replications
            spread = math.sqrt(max(p * (1 - p), 0.002) * (1 / 400 + 1 / 2_000))
            assert abs(row.covered / 400 - p) < 4.5 * spread, row.key
