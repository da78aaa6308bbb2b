"""Study 5.3: passes, fails and refuses by hand; the published null comes out again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies.by_name import require_sentences, require_verified
from tests.studies.cell_readings import context_of, gates, scattered, value

from giftlive.errors import UsageError
from giftlive.evaluation.results import StudyResult
from giftlive.evaluation.rollouts import Cell, Contestant, ErrorLaw, Market, played
from giftlive.evaluation.rollouts.first_come import FirstCome
from giftlive.evaluation.rollouts.whales import Point
from giftlive.policies.greedy import Greedy
from giftlive.studies import whale_matching
from giftlive.studies.registry import ON_REQUEST, find

GOOD: dict[str, float] = {
    "revenue": 1.1, "gini": 0.7, "overload": 0.02, "displaced": 0.5, "price": 0.05, "differs": 0.0
}  # fmt: skip
MEASURES = ("expected", "income Gini", "overload", "whales displaced")
Says = dict[tuple[str, str, str], float | None]
Answer = Callable[..., StudyResult]


def rows(table: str, names: tuple[str, ...], good: dict[str, float]) -> Says:
    """Return the measures of policies that are as good as ``good`` says; greedy is the base."""
    found: Says = {}
    for who in names:
        greedy = who.endswith("greedy")
        said = (100.0, 0.8, 0.02, 0.0) if greedy else (
            100.0 * good["revenue"], good["gini"], good["overload"], good["displaced"]
        )  # fmt: skip
        found |= {(table, who, m): v for m, v in zip(MEASURES, said, strict=True)}
    found |= {(table, "whales", m): 3.0 for m in ("per round", "in the favourite")}
    return found


def says_null(cell: Cell) -> Says:
    names = ("greedy", *(f"k = {k}" for k in cell.setting("caps")))
    return rows("null", names, GOOD | {"revenue": 1.0, "displaced": 0.0, "gini": 0.8})


def says(cell: Cell, good: dict[str, float]) -> Says:
    caps = cell.setting("caps")
    names = ("greedy", f"first come {caps[0]}", *(f"k = {k}" for k in caps), "by value")
    found: Says = {("a_a", "greedy", "differs"): good["differs"]}
    for given in cell.setting("points"):
        table = Point(*given).name
        crowded = {"overload": good.get("congested", 0.2)} if given[2] < 1.0 else {}
        found |= rows(table, names, good | crowded)
        if tuple(given) == tuple(cell.setting("judged")):
            found |= rows(table, tuple(f"oracle_{name}" for name in names), good)
            for k in caps:
                found[table, f"k = {k}", "price share"] = good["price"]
                found[table, f"k = {k}", "bound"] = 95.0
                found[table, f"k = {k}", "bound without"] = 100.0
    return found


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, seeds: int = 50, **worse: float) -> StudyResult:
        measure = scattered(lambda cell: says(cell, GOOD | worse), 0.002)
        monkeypatch.setattr(whale_matching, "whale_cell", measure)
        monkeypatch.setattr(whale_matching, "null_cell", scattered(says_null, 0.002))
        return find("whale_matching").run(context_of(tmp_path, "whale_matching", seeds=seeds))

    return made


def test_it_runs_by_name_only() -> None:
    assert find("whale_matching") in ON_REQUEST


def test_a_cap_that_binds_and_pays_passes_and_overload_elsewhere_fails(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    judged = gates(result)
    assert judged["whale_matching"].verdict == "PASS"
    assert judged["whale_matching_congested"].verdict == "FAIL"
    assert value(result, "tier_revenue") == pytest.approx(0.1, abs=0.005)
    assert value(result, "null_displaced") == 0.0


def test_few_seats_pass_where_the_whale_layer_ends_overload(answer: Answer) -> None:
    judged = gates(answer(congested=0.03))
    assert judged["whale_matching_congested"].verdict == "PASS"
    assert gates(answer(congested=0.03, gini=0.85))["whale_matching_congested"].verdict == "FAIL"


@pytest.mark.parametrize(
    ("worse", "part"),
    [
        ({"revenue": 0.9}, "tier_revenue"),
        ({"gini": 0.85}, "tier_gini"),
        ({"overload": 0.15}, "tier_overload"),
    ],
)
def test_each_part_alone_fails_it(answer: Answer, worse: dict[str, float], part: str) -> None:
    found = gates(answer(**worse))["whale_matching"]
    assert found.verdict == "FAIL"
    assert found.estimate is not None
    assert found.estimate.name == part


def test_it_refuses_a_cap_that_never_binds(answer: Answer) -> None:
    for asked, check in (
        ({"displaced": 0.0}, "binding"),
        ({"price": 0.0}, "binding"),
        ({"revenue": 1.0}, "movable"),
        ({"differs": 1.0}, "a_a"),
        ({"seeds": 6}, "power"),
    ):
        result = answer(**asked)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert {gate.verdict for gate in result.gates} == {"NOT ANSWERABLE"}


def test_a_point_that_is_not_played_cannot_be_judged(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"judged": [0.2, 0.0, 1.0]}
    with pytest.raises(UsageError, match=r"whale_matching.judged"):
        find("whale_matching").run(context_of(tmp_path, "whale_matching", **asked))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "point_1", 2, 1, "point_1 / k = 1 / expected revenue")


def test_the_published_null_has_identical_rows_and_a_cap_binds_where_whales_meet(
    tmp_path: Path,
) -> None:
    """The published rows were equal for every k because hardly two whales ever met."""
    small = {"sizes.users": "600", "sizes.streamers": "60", "rounds.rounds": "3"}
    asked: dict[str, Any] = {
        "seeds": 2, "null_seeds": 2, "scale": "full", "overrides": small,
        "null_users": 100, "null_rounds": 8, "points": [[0.1, 0.0, 1.0], [0.1, 0.3, 1.0]],
        "judged": [0.1, 0.3, 1.0], "congested": [0.1, 0.0, 1.0],
    }  # fmt: skip
    result = find("whale_matching").run(context_of(tmp_path, "whale_matching", **asked))
    null = next(t for t in result.tables if t.name == "null")
    rows_of = {row[0]: [c.value for c in row[1:] if not isinstance(c, str)] for row in null.rows}
    assert rows_of["k = 3"][1:] == rows_of["k = 5"][1:]
    assert value(result, "null_displaced") == 0.0
    assert value(result, "null_gain") == 0.0
    assert value(result, "null_together") < 3.0 < value(result, "together")
    assert value(result, "tier_revenue") > 0.0 > value(result, "congested_tier_revenue")
    assert value(result, "cap_costs") < 1.0


def test_first_come_keeps_the_cap_and_gives_the_later_whale_his_second_best() -> None:
    cell = Cell("p", 3, "v2", "full", (("sizes.users", "200"), ("sizes.streamers", "15"),
                                        ("rounds.rounds", "2"),
                                        ("rounds.users_per_round", "80")))  # fmt: skip
    market = Market.of(cell, ErrorLaw(0.3))
    whales = market.whales(0.2)
    arm = Contestant("first", "first_come")
    first = played(market, arm, FirstCome(2, whales, Greedy())).outcome
    free = played(market, arm, FirstCome(999, whales, Greedy())).outcome
    for r in range(2):
        rows_ = np.flatnonzero((first.visit == r) & whales[first.user])
        assert np.bincount(first.room[rows_], minlength=15).max() <= 2
        assert np.bincount(free.room[rows_], minlength=15).max() > 2
    others = ~whales[first.user]
    assert np.array_equal(first.room[others], free.room[others])
    greedy = played(market, Contestant("greedy", "greedy")).outcome
    assert np.array_equal(free.room, greedy.room)
