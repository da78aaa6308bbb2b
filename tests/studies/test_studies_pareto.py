"""Study 5.5: passes, fails and refuses by hand; aims conflict on a world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies.by_name import require_sentences, require_verified
from tests.studies.cell_readings import context_of, gates, scattered, value

from giftlive.config import load_config
from giftlive.evaluation.results import StudyResult
from giftlive.evaluation.rollouts import Cell
from giftlive.evaluation.rollouts.pareto import AIMS, frontier, weightings
from giftlive.studies import pareto
from giftlive.studies.registry import ON_REQUEST, find

Answer = Callable[..., StudyResult]
GOOD: dict[str, float] = {"points": 11.0, "even": 0.9, "differs": 0.0}


def says(cell: Cell, good: dict[str, float]) -> dict[tuple[str, str, str], float | None]:
    found: dict[tuple[str, str, str], float | None] = {
        ("a_a", "revenue alone", "differs"): good["differs"]
    }
    for prefix in ("", "oracle_"):
        for name in weightings(cell.setting("strengths")):
            alone = name == "revenue alone"
            for aim in AIMS:
                found["world", prefix + name, aim] = 0.5
            found["world", prefix + name, "revenue"] = 100.0 if alone else 90.0
            found["world", prefix + name, "evenness"] = 0.4 if alone else good["even"]
            found["world", prefix + name, "on the frontier"] = 0.5
        found["world", f"{prefix}frontier", "points"] = good["points"]
    return found


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, seeds: int = 50, **worse: float) -> StudyResult:
        measure = scattered(lambda cell: says(cell, GOOD | worse))
        monkeypatch.setattr(pareto, "pareto_cell", measure)
        return find("pareto").run(context_of(tmp_path, "pareto", seeds=seeds))

    return made


def test_it_runs_by_name_only() -> None:
    assert find("pareto") in ON_REQUEST


def test_many_points_pass_and_few_fail(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    assert gates(result)["pareto"].verdict == "PASS"
    assert value(result, "all_revenue") == pytest.approx(-0.1, abs=0.01)
    assert value(result, "all_evenness") == pytest.approx(0.5, abs=0.01)
    assert gates(answer(points=4.0))["pareto"].verdict == "FAIL"


def test_it_refuses_aims_that_cannot_move(answer: Answer) -> None:
    for seeds, worse, check in (
        (50, {"even": 0.41}, "movable"),
        (50, {"differs": 1.0}, "a_a"),
        (6, {}, "power"),
    ):
        result = answer(seeds=seeds, **worse)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert gates(result)["pareto"].verdict == "NOT ANSWERABLE"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "aims", 1, 5, "aims / retention 0.5 / evenness")


def test_on_a_world_each_weight_moves_its_own_aim(tmp_path: Path) -> None:
    plain = load_config().pareto.overrides
    small = plain | {"sizes.users": "120", "rounds.rounds": "12", "rounds.users_per_round": "60"}
    asked: dict[str, Any] = {"seeds": 2, "overrides": small}
    result = find("pareto").run(context_of(tmp_path, "pareto", **asked))
    (table,) = (t for t in result.tables if t.name == "aims")
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    for aim in ("retention", "diversity", "evenness"):
        assert rows[f"{aim} 8"][aim].value > 0.02
    assert 1 <= value(result, "frontier_points") <= 16


def test_a_hair_does_not_make_a_frontier() -> None:
    hairs = np.array([[1.0, 0.0], [1.0 - 1e-6, 1e-6], [0.0, 1.0], [0.4, 0.4], [0.0, 0.0]])
    assert frontier(hairs, 0.01).tolist() == [1.0, 0.0, 1.0, 1.0, 0.0]
    assert frontier(np.ones((3, 2)), 0.01).tolist() == [1.0, 0.0, 0.0]
