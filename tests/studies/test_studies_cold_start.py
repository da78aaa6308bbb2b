"""Study 2.2: passes, fails and refuses by hand; a floor finds planted newcomers on a world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies.by_name import require_sentences, require_verified
from tests.studies.cell_readings import context_of, gates, scattered, value

from giftlive.evaluation.behavioural import Number, Reading
from giftlive.evaluation.results import StudyResult
from giftlive.evaluation.rollouts import Cell, Contestant, played
from giftlive.evaluation.rollouts.cold_start import (
    FLOOR,
    LINEUP,
    cold_market,
    discovered,
    floor_prices,
)
from giftlive.evaluation.rollouts.quota import Quota
from giftlive.policies.greedy import Greedy
from giftlive.studies import cold_start
from giftlive.studies.over_worlds import OverWorlds
from giftlive.studies.registry import ON_REQUEST, find

GOOD: dict[str, float] = {
    "revenue": 0.99, "success": 0.6, "displaced": 0.2, "oracle": 1.3, "differs": 0.0
}  # fmt: skip
Answer = Callable[..., StudyResult]
SMALL = (
    ("externality.donor_gamma", "0.0"),
    ("gift.base", "-3.0"),
    ("gift.skill", "0.6"),
    ("rounds.rounds", "15"),
    ("rounds.users_per_round", "80"),
    ("sizes.streamers", "20"),
    ("sizes.users", "300"),
    ("watch.stay_base", "0.0"),
    ("watch.stay_match", "1.5"),
)
CELL = Cell(
    "p", 5, "v1", "full", SMALL, (("errors", (0.3, 0.2, 0.4)), ("share", 0.2), ("good", 0.5))
)


def says(good: dict[str, float]) -> dict[tuple[str, str, str], float | None]:
    found: dict[tuple[str, str, str], float | None] = {
        ("a_a", FLOOR, "differs"): 0.0,
        ("a_a", "thompson + floor", "differs"): good["differs"],
        ("world", "floor", "price"): 5.0,
        ("world", "floor", "bought"): 100.0,
        ("world", "floor", "lost"): 250.0,
    }
    for who in LINEUP:
        plain = who == "greedy"
        said = {
            "expected": 100.0 * (1.0 if plain else good["revenue"]),
            "success": 0.05 if plain else good["success"],
            "good success": 0.1 if plain else 0.8,
            "rounds to discovery": 38.0 if plain else 20.0,
            "to newcomers": 0.0 if plain else 0.1,
            "good stay": 0.3 if plain else 0.8,
            "income Gini": 0.8,
            "displaced": 0.0 if plain else good["displaced"],
        }
        found |= {("world", who, measure): number for measure, number in said.items()}
    return found | {
        ("world", "oracle_greedy", "expected"): 100.0 * good["oracle"],
        ("world", "thompson + floor", "expected"): good.get("learning", 70.0),
    }


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, seeds: int = 50, **worse: float) -> StudyResult:
        measure = scattered(lambda cell: says(GOOD | worse), 0.002)
        monkeypatch.setattr(cold_start, "cold_cell", measure)
        return find("cold_start").run(context_of(tmp_path, "cold_start", seeds=seeds))

    return made


def test_it_runs_by_name_only() -> None:
    assert find("cold_start") in ON_REQUEST


def test_a_cheap_floor_that_finds_newcomers_passes_and_dear_learning_fails(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    judged = gates(result)
    assert judged["cold_start"].verdict == "PASS"
    assert judged["cold_start_learning"].verdict == "FAIL"
    assert value(result, "floor_success") == pytest.approx(0.55, abs=0.01)
    assert value(result, "floor_sooner") == pytest.approx(-18.0, abs=0.1)
    assert value(result, "paid_for_exposure") == pytest.approx(2.5, abs=0.05)


@pytest.mark.parametrize(
    ("worse", "part"),
    [({"revenue": 0.9}, "floor_revenue"), ({"success": 0.01}, "floor_success")],
)
def test_each_part_alone_fails_it(answer: Answer, worse: dict[str, float], part: str) -> None:
    found = gates(answer(**worse))["cold_start"]
    assert found.verdict == "FAIL"
    assert found.estimate is not None
    assert found.estimate.name == part


def test_learning_that_costs_little_passes(answer: Answer) -> None:
    assert gates(answer(learning=98.0))["cold_start_learning"].verdict == "PASS"


def test_it_refuses_a_floor_that_changes_nothing_and_values_that_cannot_move(
    answer: Answer,
) -> None:
    for asked, check in (
        ({"displaced": 0.0}, "reordered"),
        ({"oracle": 1.0}, "movable"),
        ({"differs": 1.0}, "a_a"),
        ({"seeds": 6}, "power"),
    ):
        result = answer(**asked)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert {gate.verdict for gate in result.gates} == {"NOT ANSWERABLE"}


def test_what_was_not_done_twice_did_not_tie() -> None:
    over = OverWorlds((Reading(0, Number("a_a", "one", "differs", 0.0)),), (0,), "worlds")
    assert over.all_ties("one") == [True]
    assert over.all_ties("one", "other") == [True, False]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "policies", 3, 4, "policies / priced floor / good success")


def test_on_a_world_the_floor_finds_planted_good_newcomers_sooner_than_greedy(
    tmp_path: Path,
) -> None:
    asked: dict[str, Any] = {"seeds": 2, "overrides": dict(SMALL), "floor": 2.0}
    result = find("cold_start").run(context_of(tmp_path, "cold_start", **asked))
    assert value(result, "floor_good_success") > 0.3
    assert value(result, "floor_sooner") < -2.0
    assert -0.05 < value(result, "floor_revenue") < 0.0
    assert value(result, "price_of_exposure") > 0.0
    assert value(result, "oracle_revenue") > 0.0


def test_newcomers_are_hidden_and_the_dearer_the_floor_the_higher_its_price() -> None:
    cold = cold_market(CELL)
    assert cold.new.sum() == 4
    assert cold.good.sum() == 2
    assert not (cold.good & ~cold.new).any()
    said = cold.values[:, cold.new]
    assert np.array_equal(said, np.repeat(said[:, :1], 4, axis=1))  # nobody is told apart
    known = cold.market.estimated[:, ~cold.new]
    assert np.array_equal(cold.values[:, ~cold.new], known)
    low, high = (floor_prices(cold, floor)[1] for floor in (0.5, 4.0))
    assert 0.0 < low < high


def test_discovery_is_the_second_givers_round_and_two_gifts_of_one_user_do_not_count() -> None:
    outcome = played(cold_market(CELL).market, Contestant("greedy", "greedy")).outcome
    rows = 5
    hand = replace(
        outcome,
        user=np.array([1, 1, 2, 3, 4]), visit=np.array([0, 1, 2, 3, 3]),
        streamer=np.array([0, 0, 0, 1, 2]), amount=np.array([5.0, 5.0, 1.0, 2.0, 0.0]),
    )  # fmt: skip
    assert len(hand.user) == rows
    assert discovered(hand, 3).tolist() == [2, 4, 4]


def test_a_quota_sends_its_heads_every_round_and_takes_whom_it_costs_least() -> None:
    cold = cold_market(CELL)
    heads = np.where(cold.new, 3, 0)
    o = played(cold.market, Contestant("quota", "quota"), Quota(heads, Greedy())).outcome
    shown = np.zeros((15, 20), dtype=np.int64)
    np.add.at(shown, (o.visit, o.streamer), 1)
    assert (shown[:, cold.new] >= 3).all()
    free = played(cold.market, Contestant("none", "quota"), Quota(0 * heads, Greedy())).outcome
    greedy = played(cold.market, Contestant("greedy", "greedy")).outcome
    assert np.array_equal(free.room, greedy.room)
