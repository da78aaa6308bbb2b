"""Study 5.4: passes, fails and refuses by hand; beliefs are calibrated as they claim."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies.by_name import require_sentences, require_verified
from tests.studies.cell_readings import context_of, gates, scattered, value

from giftlive.evaluation.results import StudyResult
from giftlive.evaluation.rollouts import Cell
from giftlive.evaluation.rollouts.risks import BELIEFS, POLICIES, believe, worst
from giftlive.rng import stream
from giftlive.studies import risk
from giftlive.studies.registry import ON_REQUEST, find

Answer = Callable[..., StudyResult]
GOOD: dict[str, float] = {"cvar": 1.2, "revenue": 1.0, "avoids": 0.3, "differs": 0.0}


def says(cell: Cell, good: dict[str, float]) -> dict[tuple[str, str, str], float | None]:
    found: dict[tuple[str, str, str], float | None] = {
        ("a_a", "greedy", "differs"): good["differs"]
    }
    for belief in BELIEFS:
        found[belief, "uncertainty", "covered"] = 0.9
        for who in POLICIES:
            plain = who == "greedy"
            found[belief, who, "cvar"] = 50.0 * (1.0 if plain else good["cvar"])
            found[belief, who, "expected"] = 100.0 * (1.0 if plain else good["revenue"])
            low = who.startswith("lcb")
            found[belief, who, "to badly known"] = good["avoids"] if low else 0.8
    found["truth", "oracle_greedy", "cvar"] = 80.0
    found["truth", "oracle_greedy", "expected"] = 150.0
    return found


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, seeds: int = 50, **worse: float) -> StudyResult:
        measure = scattered(lambda cell: says(cell, GOOD | worse), 0.002)
        monkeypatch.setattr(risk, "risk_cell", measure)
        return find("risk").run(context_of(tmp_path, "risk", seeds=seeds))

    return made


def test_it_runs_by_name_only() -> None:
    assert find("risk") in ON_REQUEST


def test_a_bound_that_protects_for_nothing_passes(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    assert {gate.verdict for gate in result.gates} == {"PASS"}
    assert value(result, "by_user_cvar") == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    ("worse", "part"), [({"cvar": 1.02}, "by_user_cvar"), ({"revenue": 0.95}, "by_user_revenue")]
)
def test_each_part_alone_fails_it(answer: Answer, worse: dict[str, float], part: str) -> None:
    judged = gates(answer(**worse))
    found = judged["risk"]
    assert found.verdict == judged["risk_pooled"].verdict == "FAIL"
    assert found.estimate is not None
    assert found.estimate.name == part


def test_it_refuses_bounds_that_change_no_choice(answer: Answer) -> None:
    for seeds, worse, check in (
        (50, {"avoids": 0.8}, "movable"),
        (50, {"differs": 1.0}, "a_a"),
        (6, {}, "power"),
    ):
        result = answer(seeds=seeds, **worse)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert {gate.verdict for gate in result.gates} == {"NOT ANSWERABLE"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "pooled", 0, 2, "pooled / lcb 0.5 / expected revenue")


def test_on_a_world_a_lower_bound_repairs_a_pooled_belief(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"seeds": 3, "days": 4}
    result = find("risk").run(context_of(tmp_path, "risk", **asked))
    assert value(result, "pooled_revenue") > 0.03
    assert abs(value(result, "by_user_revenue")) < 0.05
    assert value(result, "pooled_to_badly_known") > value(result, "by_user_to_badly_known")
    assert value(result, "oracle_revenue") > 0.2


def test_both_beliefs_cover_overall_and_only_one_promises_a_user_what_is_due() -> None:
    g = stream(1, "true")
    true = np.exp(2.0 * g.standard_normal((2_000, 1)) + 0.7 * g.standard_normal((2_000, 20)))
    errors = np.where(np.arange(20) < 10, 0.2, 1.5)
    due = {}
    for by_user in (True, False):
        said = believe(true, errors, 3, by_user)
        assert said.covered == pytest.approx(0.9, abs=0.01)
        assert (said.sd[:, 10:] / said.mean[:, 10:]).mean() > 0.3
        best = said.mean.argmax(axis=1)[:, None]
        promised = np.take_along_axis(said.mean, best, axis=1)
        there = np.take_along_axis(true, best, axis=1)
        due[by_user] = promised.sum() / there.sum()
    assert due[True] == pytest.approx(1.0, abs=0.15)
    assert due[False] > due[True] + 0.1  # the winner's curse of a prior with users' spread in it


def test_cvar_is_the_mean_of_the_worst_and_of_one_at_least() -> None:
    x = np.arange(100.0)[::-1]
    assert worst(x, 0.05) == 2.0
    assert worst(x[:3], 0.05) == 97.0
