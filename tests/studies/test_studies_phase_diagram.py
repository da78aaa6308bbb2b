"""The phase diagram of 5.2: passes, fails and refuses by hand; runs on a small world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.studies.by_name import require_sentences, require_verified
from tests.studies.cell_readings import context_of, gates, scattered, value

from giftlive.errors import UsageError
from giftlive.evaluation.results import StudyResult
from giftlive.evaluation.rollouts import Cell
from giftlive.evaluation.rollouts.phases import phase
from giftlive.studies import phase_diagram
from giftlive.studies.phase_diagram import POLICIES
from giftlive.studies.registry import ON_REQUEST, find

GOOD: dict[str, float] = {"dual": 0.96, "oracle": 0.98, "displaced": 0.5, "price": 0.2, "batch": 1}
Answer = Callable[..., StudyResult]


def says(cell: Cell, good: dict[str, float]) -> dict[tuple[str, str, str], float | None]:
    """Return every number of a cell in which dual prices are as good as ``good`` says."""
    found: dict[tuple[str, str, str], float | None] = {
        ("a_a", "dual_price", "differs"): good.get("differs", 0.0)
    }
    for load in cell.setting("loads"):
        for steep in cell.setting("differentiations"):
            for factor in cell.setting("factors"):
                table = phase(load, steep, factor)
                found[table, "offline optimum", "expected"] = 100.0
                found[table, "seats", "price share"] = good["price"]
                for policy in POLICIES:
                    found[table, policy, "expected"] = 60.0
                    found[table, policy, "displaced"] = good["displaced"]
                dual = good["dual" if factor else "oracle"]
                found[table, "dual_price", "expected"] = 100.0 * dual
                found[table, "batch_optimal", "expected"] = 60.0 + 39.0 * good["batch"]
    return found


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, seeds: int = 50, whole: bool = False, **worse: float) -> StudyResult:
        measure = scattered(lambda cell: says(cell, GOOD | worse))
        monkeypatch.setattr(phase_diagram, "phase_cell", measure)
        grid = {} if whole else {"loads": [0.5, 1.25], "differentiations": [0.0, 0.6]}
        context = context_of(tmp_path, "phase_diagram", seeds=seeds, **grid)
        return find("phase_diagram").run(context)

    return made


def test_it_runs_by_name_only() -> None:
    assert find("phase_diagram") in ON_REQUEST


def test_prices_near_the_optimum_pass_and_there_are_75_phases(answer: Answer) -> None:
    result = answer(whole=True)
    assert all(check.passed for check in result.checks)
    assert {gate.verdict for gate in result.gates} == {"PASS"}
    assert value(result, "dual_price_share") == pytest.approx(0.96, abs=0.01)
    assert value(result, "dual_minus_capped") == pytest.approx(0.6, abs=0.02)
    assert sum(len(t.rows) for t in result.tables if t.name.startswith("shares")) == 75


def test_the_guidance_is_the_simplest_policy_that_is_near_the_best(answer: Answer) -> None:
    """Dual prices where they lead; where they lead by nothing, what is simplest."""
    for dual, policy in ((0.96, "dual_price"), (0.61, "greedy")):
        (table,) = (t for t in answer(dual=dual, oracle=dual).tables if t.name == "guidance")
        assert {cell for row in table.rows for cell in row[1:]} == {policy}


def test_errors_of_values_fail_the_gate_and_not_the_oracles(answer: Answer) -> None:
    judged = gates(answer(dual=0.7))
    assert judged["phase_diagram"].verdict == "FAIL"
    assert judged["phase_diagram_oracle"].verdict == "PASS"


def test_prices_far_from_the_optimum_fail_on_true_values_too(answer: Answer) -> None:
    judged = gates(answer(oracle=0.85))
    assert judged["phase_diagram_oracle"].verdict == "FAIL"
    assert judged["phase_diagram"].verdict == "PASS"


def test_it_refuses_seats_that_do_not_bind_and_what_cannot_move(answer: Answer) -> None:
    for asked, check in (
        ({"seeds": 6}, "power"),
        ({"displaced": 0.01}, "binding"),
        ({"price": 0.0}, "binding"),
        ({"batch": 0.0}, "movable"),
        ({"differs": 1.0}, "a_a"),
    ):
        result = answer(**asked)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert {gate.verdict for gate in result.gates} == {"NOT ANSWERABLE"}


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"judged_load": 0.9}, "judged_load"),
        ({"judged_differentiation": 0.9}, "judged_differentiation"),
        ({"factors": [1.0, 2.0]}, "factors"),
    ],
)
def test_a_phase_that_is_not_played_cannot_be_judged(
    tmp_path: Path, asked: dict[str, Any], where: str
) -> None:
    with pytest.raises(UsageError, match=f"phase_diagram.{where}"):
        find("phase_diagram").run(context_of(tmp_path, "phase_diagram", **asked))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    cell = "shares_x2 / load 0.5, differentiation 0 / dual_price"
    require_verified(answer(), tmp_path, "shares_x2", 0, 5, cell)


def test_on_a_world_prices_tell_rooms_apart_and_the_optimum_is_one(tmp_path: Path) -> None:
    asked = {"seeds": 3, "loads": [0.5, 1.25], "differentiations": [0.0, 1.0], "factors": [0, 1]}
    asked |= {"judged_differentiation": 1.0}
    result = find("phase_diagram").run(context_of(tmp_path, "phase_diagram", **asked))
    assert value(result, "oracle_batch_share") == pytest.approx(1.0, abs=1e-9)
    assert 0.8 < value(result, "oracle_dual_price_share") <= 1.0
    assert value(result, "oracle_dual_minus_one_price") > 0.2
    (exact,) = (t for t in result.tables if t.name == "shares_x0")
    for row in exact.rows:
        assert all(cell.value <= 1.0 + 1e-9 for cell in row[1:])
    calm, scarce = (row[2].value for row in exact.rows[0::3])
    assert calm > 0.9 > 0.7 > scarce  # capped greedy: enough where nothing is scarce
