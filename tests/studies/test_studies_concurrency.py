"""Study 4.2: passes, fails and refuses by hand; marginal revenue falls on a world that responds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies.by_name import require_sentences, require_verified
from tests.studies.cell_readings import context_of, gates, scattered, value

from giftlive.evaluation.results import StudyResult
from giftlive.evaluation.rollouts import Cell, Contestant, played
from giftlive.evaluation.rollouts.concurrency import (
    POLICIES,
    RESPONSES,
    _market,
    class_name,
    classes,
    elasticity,
    marginals,
    middles,
)
from giftlive.studies import concurrency
from giftlive.studies.registry import ON_REQUEST, find

Answer = Callable[..., StudyResult]
GOOD: dict[str, float] = {"slope": -0.3, "last": 0.3, "differs": 0.0}
SMALL = {"users": 300, "streamers": 10, "seats": 5, "rounds": 8}


def says(cell: Cell, good: dict[str, float]) -> dict[tuple[str, str, str], float | None]:
    found: dict[tuple[str, str, str], float | None] = {
        ("a_a", "greedy", "differs"): good["differs"]
    }
    names = [class_name(m) for m in middles(np.array(cell.setting("edges")))]
    for policy in POLICIES:
        for response in RESPONSES:
            table = f"{policy}, {response}"
            left = np.linspace(1.0, 1.0 if response == "none" else good["last"], len(names))
            for name, share in zip(names, left.tolist(), strict=True):
                found[table, name, "marginal"] = 20.0 * share
                found[table, name, "kept"] = share
            slope = 0.0 if response == "none" else good["slope"]
            found[table, "elasticity", "paired"] = found[table, "elasticity", "plain"] = slope
            found[table, "overload", "per round"] = 0.3
            found[table, "overload", "cumulative"] = 0.9
    return found


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, seeds: int = 50, **worse: float) -> StudyResult:
        measure = scattered(lambda cell: says(cell, GOOD | worse), 0.002)
        monkeypatch.setattr(concurrency, "concurrency_cell", measure)
        return find("concurrency").run(context_of(tmp_path, "concurrency", seeds=seeds))

    return made


def test_it_runs_by_name_only() -> None:
    assert find("concurrency") in ON_REQUEST


def test_a_falling_marginal_passes_and_a_rising_one_fails(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    assert gates(result)["concurrency"].verdict == "PASS"
    assert value(result, "soft_elasticity") == pytest.approx(-0.3, abs=0.01)
    assert gates(answer(slope=0.2))["concurrency"].verdict == "FAIL"


def test_it_refuses_rooms_that_never_fill(answer: Answer) -> None:
    for asked, check in (
        ({"last": 0.99}, "movable"),
        ({"differs": 1.0}, "a_a"),
        ({"seeds": 6}, "power"),
    ):
        result = answer(**asked)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert gates(result)["concurrency"].verdict == "NOT ANSWERABLE"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "kept", 0, 2, "kept / greedy, soft / load 0.45")


def test_on_a_world_the_marginal_falls_and_cumulative_viewers_say_nothing(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"seeds": 3, **SMALL}
    result = find("concurrency").run(context_of(tmp_path, "concurrency", **asked))
    assert value(result, "soft_elasticity") < -0.05
    assert value(result, "hard_elasticity") < value(result, "soft_elasticity")
    assert value(result, "hard_kept") < value(result, "soft_kept") < 0.95
    assert value(result, "uniform_soft_elasticity") > value(result, "soft_elasticity")
    assert value(result, "overload") < value(result, "overload_cumulative")


def test_responses_change_no_choice_and_only_what_comes_after_the_seats() -> None:
    settings = (
        ("errors", (0.3, 0.2, 0.4)), ("sizes", tuple(SMALL.values())), ("differentiation", 0.3),
        ("alpha", 0.5), ("edges", (0.0, 0.5, 1.5)),
    )  # fmt: skip
    cell = Cell("p", 3, "v1", None, (), settings)
    who = Contestant("greedy", "greedy")
    none, soft, hard = (played(_market(cell, r), who).outcome for r in RESPONSES)
    assert np.array_equal(none.room, soft.room)
    assert np.array_equal(none.room, hard.room)
    assert (soft.expected_amount <= none.expected_amount).all()
    taken = np.zeros(10, dtype=np.int64)
    for i in np.flatnonzero(none.visit == 0):  # the first five of a room feel nothing
        room = none.room[i]
        full = taken[room] >= 5
        assert hard.refused[i] == full
        if taken[room] <= 5:
            assert soft.expected_amount[i] == none.expected_amount[i]
        taken[room] += 1
    whole = marginals(none, np.array([0.0, 1.5]), 50)
    assert whole[0] == pytest.approx(none.expected_amount.mean())


def test_classes_and_elasticity_by_hand() -> None:
    edges = np.array([0.5, 1.0, 1.5])
    assert classes(np.array([0, 0, 0, 0, 1]), edges, seats=2).tolist() == [-1, 0, 1, -1, -1]
    load = np.array([0.2, 0.4, 0.8])
    assert elasticity(load, 3.0 * load**-0.7) == pytest.approx(-0.7)
    assert elasticity(load, np.array([1.0, 0.0, 1.0])) is None
