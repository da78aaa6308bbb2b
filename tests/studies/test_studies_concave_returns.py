"""Study 2.1: passes, fails and refuses on readings made by hand; runs on a small world."""

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
from giftlive.studies import concave_returns
from giftlive.studies.registry import ON_REQUEST, find

GOOD: dict[str, float] = {
    "ahead": 1.08, "own": 0.96, "ginis": 0.8, "differs": 0.0, "loss": 0.8,
    "oracle_own": 0.98,
}  # fmt: skip
Answer = Callable[..., StudyResult]


def says(cell: Cell, good: dict[str, float]) -> dict[tuple[str, str, str], float | None]:
    """Return every number of a cell in which log returns are as good as ``good`` says."""
    found: dict[tuple[str, str, str], float | None] = {("a_a", "greedy", "differs"): 0.0}
    found["a_a", "uniform", "differs"] = good["differs"]
    paths = dict(cell.setting("paths"))
    settings = [f"{family} {x:g}" for family, multiples in paths.items() for x in multiples]
    for prefix in ("", "oracle_"):
        for who in ("uniform", "greedy", *settings):
            concave = not who.startswith(("greedy", "uniform"))
            found["world", prefix + who, "expected"] = 100.0 * (good["loss"] if concave else 1.0)
            found["world", prefix + who, "income Gini"] = good["ginis"] * (0.6 if concave else 1)
            found["world", prefix + who, "exposure Gini"] = 0.5
            found["world", prefix + who, "displaced"] = 0.4
        for level in cell.setting("levels"):
            table = f"at Gini {level:g}"
            for family in paths:
                ahead = good["ahead"] if family == "log" else 1.0
                found[table, prefix + family, "expected"] = 90.0 * ahead
            found[table, f"{prefix}best rule", "expected"] = 90.0
    owners = {"bound": 1.0, "log": good["own"], "oracle_log": good["oracle_own"], "greedy": 0.7}
    return found | {("own", who, "objective"): 50.0 * share for who, share in owners.items()}


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, seeds: int = 50, spread: float = 0.01, **worse: float) -> StudyResult:
        measure = scattered(lambda cell: says(cell, GOOD | worse), spread)
        monkeypatch.setattr(concave_returns, "concave_cell", measure)
        return find("concave_returns").run(context_of(tmp_path, "concave_returns", seeds=seeds))

    return made


def test_it_runs_by_name_only() -> None:
    assert find("concave_returns") in ON_REQUEST


def test_what_earns_more_at_equal_gini_and_is_near_its_bound_passes(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    judged = gates(result)
    assert judged["concave_returns"].verdict == "PASS"
    assert judged["concave_returns_oracle"].verdict == "PASS"
    assert judged["concave_returns_published"].verdict == "FAIL"
    assert value(result, "equal_gini_gain") == pytest.approx(0.08, abs=0.01)
    assert value(result, "log_minus_greedy") == pytest.approx(-0.2, abs=0.01)


@pytest.mark.parametrize(
    ("worse", "part"),
    [({"ahead": 0.97}, "equal_gini_gain"), ({"own": 0.8}, "own_bound_share")],
)
def test_each_part_alone_fails_it(answer: Answer, worse: dict[str, float], part: str) -> None:
    found = gates(answer(**worse))["concave_returns"]
    assert found.verdict == "FAIL"
    assert found.estimate is not None
    assert found.estimate.name == part


@pytest.mark.parametrize(
    ("worse", "part"),
    [({"ahead": 0.97}, "oracle_equal_gini_gain"), ({"oracle_own": 0.8}, "oracle_own_bound_share")],
)
def test_each_part_alone_fails_it_on_true_values(
    answer: Answer, worse: dict[str, float], part: str
) -> None:
    judged = gates(answer(**worse))
    found = judged["concave_returns_oracle"]
    assert found.verdict == "FAIL"
    assert found.estimate is not None
    assert found.estimate.name == part
    assert judged["concave_returns"].verdict == ("FAIL" if "ahead" in worse else "PASS")


def test_the_published_rule_passes_where_greedy_runs_into_a_limit(answer: Answer) -> None:
    assert gates(answer(loss=1.2))["concave_returns_published"].verdict == "PASS"


def test_it_refuses_few_seeds_equal_ginis_and_a_policy_that_differs_from_itself(
    answer: Answer,
) -> None:
    for asked, check in (
        ({"seeds": 6}, "power"),
        ({"ginis": 0.0}, "movable"),
        ({"differs": 1.0}, "a_a"),
    ):
        result = answer(**asked)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert {gate.verdict for gate in result.gates} == {"NOT ANSWERABLE"}


def test_a_level_that_is_not_compared_cannot_be_judged(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"judged": 0.4}
    with pytest.raises(UsageError, match=r"concave_returns.judged"):
        find("concave_returns").run(context_of(tmp_path, "concave_returns", **asked))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "equal_gini", 1, 2, "equal_gini / sqrt / Gini 0.6")


def test_on_a_world_log_returns_beat_caps_at_equal_gini_and_reach_their_bound(
    tmp_path: Path,
) -> None:
    asked = {"seeds": 2, "overrides": {"rounds.rounds": "8", "sizes.users": "800"}}
    result = find("concave_returns").run(context_of(tmp_path, "concave_returns", **asked))
    assert value(result, "oracle_equal_gini_gain") > 0.02
    assert 0.93 < value(result, "oracle_own_bound_share") <= 1.0
    assert value(result, "own_bound_share") < value(result, "oracle_own_bound_share")
    assert value(result, "oracle_log_minus_greedy") < 0.0
    assert gates(result)["concave_returns"].verdict == "NOT ANSWERABLE"  # two seeds
