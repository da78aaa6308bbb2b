"""The gate of 0.3 in a world where it passes, where it fails, and where a check refuses.

The world is small, but declared to be of scale medium: its sizes are set, not its scale. Worlds
in rounds are the reference and are made once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from giftlive.config import load_config
from giftlive.evaluation.fidelity import (
    CALIBRATED,
    LOGS,
    Comparison,
    clocked_book,
    comparison,
    rounds_book,
)
from giftlive.evaluation.fidelity.comparison import compare
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Gate, StudyResult
from giftlive.facts import FactBook, compute_facts
from giftlive.run.pipeline import _is_the_calibrated_world
from giftlive.studies import world_fidelity
from giftlive.studies.context import Context
from giftlive.studies.fidelity_figures import EDGE
from giftlive.world import Scenario, load_scenario
from giftlive.world.calibration import Target, targets

SMALL = {"sizes.users": "350", "sizes.streamers": "6750", "calendar.history_days": "2"}
SEEDS = range(8)


@pytest.fixture(scope="module")
def logs(context: Context) -> FactBook:
    return compute_facts(context.store)


@pytest.fixture(scope="module")
def found(logs: FactBook) -> Comparison:
    """Return eight small worlds beside what is published."""

    @cache
    def once(scenario: Scenario) -> FactBook:
        return rounds_book(scenario, 1)

    def played(scenario: Scenario, seed: int, *, memory_limit: str = "") -> FactBook:
        return once(scenario)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scenario, "__hash__", lambda self: hash(self.name), raising=False)
        patch.setattr(comparison, "rounds_book", played)
        scenario = load_scenario("kuailive", "medium", SMALL)
        return compare(scenario, list(SEEDS), targets(), logs)


def of_itself(found: Comparison) -> Comparison:
    """Return the comparison with targets that are the world's own means."""
    own: dict[str, Target] = {}
    for target in found.table:
        scores = [s for s in found.scores(CALIBRATED) if s.target.name == target.name]
        if all(score.mean for score in scores):
            value = tuple(float(score.mean or 0.0) for score in scores)
            own[target.name] = Target(target.name, value, "rel", 0.1)
    return replace(found, table=tuple(own.values()))


def judged(found: Comparison) -> tuple[Gate, set[str]]:
    rule = load_rules()["world_fidelity"]
    made = world_fidelity._checks(found, rule)
    gate = judge(rule, world_fidelity._estimates(found), made)
    return gate, {check.name for check in made if not check.passed}


def test_it_passes_where_the_targets_are_the_world_s_own(found: Comparison) -> None:
    gate, failed = judged(of_itself(found))
    assert failed == set()
    assert gate.verdict == "PASS", gate.reason


def test_it_fails_where_the_world_is_another_one(found: Comparison) -> None:
    """Two days of seventy users are not three weeks of a platform."""
    gate, failed = judged(found)
    assert failed == set()
    assert gate.verdict == "FAIL", gate.reason
    assert gate.consequence.startswith("name the targets that are missed")


def test_one_target_outside_is_enough_to_fail(found: Comparison) -> None:
    own = of_itself(found)
    off = [replace(t, value=(1.0 - t.value[0],)) if t.name == "user_gini" else t for t in own.table]
    gate, failed = judged(replace(own, table=tuple(off)))
    assert failed == set()
    assert gate.verdict == "FAIL"


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda own: replace(own, seeds=own.seeds[:7]), "power"),
        (lambda own: replace(own, scale=0.05), "size"),
        (lambda own: replace(own, ties=(True, False)), "a_a"),
        (lambda own: replace(own, table=own.table[:0]), "movable"),
    ],
    ids=["few seeds", "small", "not the same twice", "nothing that v1 could miss"],
)
def test_a_check_refuses(
    found: Comparison, change: Callable[[Comparison], Comparison], check: str
) -> None:
    gate, failed = judged(change(of_itself(found)))
    assert check in failed
    assert gate.verdict == "NOT ANSWERABLE"
    assert check in gate.reason


def test_a_reference_that_meets_the_targets_refuses(found: Comparison) -> None:
    """Known trap: a rule that no world could miss."""
    loose = [replace(t, kind="rel", tolerance=1e9) for t in targets()]
    _, failed = judged(replace(found, table=tuple(loose)))
    assert "movable" in failed


def test_the_twin_of_the_run_is_the_first_seed(found: Comparison, logs: FactBook) -> None:
    """What is handed in instead of a simulation is what the simulation gives."""
    scenario = load_scenario("kuailive", "medium", SMALL)
    known = clocked_book(scenario, SEEDS[0])
    only = [t for t in targets() if t.name in {"user_gini", "gift_rows_per_click"}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "ROUNDS", ())
        again = compare(scenario, [SEEDS[0]], only, logs, first=known)
    mine = {r for r in again.readings if r.world == CALIBRATED}
    assert len(mine) == len(only)
    assert mine <= set(found.readings)


def test_the_built_in_twin_is_reused_only_where_it_is_the_same_world() -> None:
    same = {"demo.scale": "tiny", "fidelity.scale": "tiny"}
    assert _is_the_calibrated_world(load_config(overrides=same))
    other: tuple[dict[str, object], ...] = (
        {"fidelity.scale": "medium"},
        {"fidelity.overrides": {"gift.base": "-4"}},
        {"arena.preset": "kuailive", "arena.overrides": {"gift.base": "-4"}},
    )
    for change in other:
        assert not _is_the_calibrated_world(load_config(overrides=same | change))


def test_what_was_calibrated_and_what_emerges_are_told_apart(
    results: dict[str, StudyResult],
) -> None:
    tables = {table.name: table for table in results["world_fidelity"].tables}
    calibrated = {row[0] for row in tables["targets"].rows}
    emerging = {row[0] for row in tables["behaviours"].rows}
    assert not calibrated & emerging
    assert {"user_gini", "gift_rate_pair_with_history_utc"} <= emerging
    assert "amount_p50" in calibrated
    assert len(calibrated) + len(emerging) == sum(len(t.value) for t in targets())


def test_the_logs_of_the_run_stand_beside_the_worlds(
    results: dict[str, StudyResult], logs: FactBook
) -> None:
    table = next(t for t in results["world_fidelity"].tables if t.name == "targets")
    column = table.columns.index(LOGS)
    shown = {row[0]: row[column] for row in table.rows}
    assert shown["amount_p90"].value == logs.fact("amount_p90").value
    assert shown["amount_p90"].population == "the logs of this run"


def test_errors_are_drawn_inside_the_figure(results: dict[str, StudyResult]) -> None:
    figures = {figure.name: figure for figure in results["world_fidelity"].figures}
    assert {"errors", "errors_clocked", "concentration", "watch_buckets"} <= set(figures)
    series = {s.name: s for s in figures["errors"].series}
    assert np.abs(series["v1"].y).max() == EDGE
    band = series["within tolerance"]
    assert band.low is not None
    assert band.high is not None
    assert set(band.low) == {-1.0}
    assert set(band.high) == {1.0}
