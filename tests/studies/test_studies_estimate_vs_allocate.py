"""Study 6.1: passes, fails and refuses by hand; values and allocation multiply on a world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.studies.by_name import require_sentences, require_verified
from tests.studies.cell_readings import context_of, gates, scattered, value

from giftlive.errors import UsageError
from giftlive.evaluation.results import StudyResult
from giftlive.evaluation.rollouts import Cell, ErrorLaw, Market
from giftlive.evaluation.rollouts.levers import (
    ALLOCATORS,
    FLAT,
    LEARNT,
    _levers,
    learnt_by_ips,
    row,
    values_named,
)
from giftlive.evaluation.rollouts.seats import seated
from giftlive.studies import estimate_vs_allocate
from giftlive.studies.registry import ON_REQUEST, find

GOOD: dict[str, float] = {"priced": 70.0, "displaced": 0.4, "price": 0.2, "differs": 0.0, "top": 75}
Answer = Callable[..., StudyResult]


def says(cell: Cell, good: dict[str, float]) -> dict[tuple[str, str, str], float | None]:
    found: dict[tuple[str, str, str], float | None] = {
        ("a_a", "uniform", "differs"): good["differs"],
        ("world", "seats", "price share"): good["price"],
        ("world", "offline optimum", "expected"): 100.0,
        ("world", "room_thompson", "expected"): 30.0,
        ("world", "epsilon_greedy", "expected"): 31.0,
    }
    for level in (*values_named(cell.setting("factors")), FLAT, LEARNT):
        for allocator in ALLOCATORS:
            known = {"uniform": 30.0, "greedy_with_cap": 45.0, "dual_price": good["priced"]}
            found["world", row(level, allocator), "expected"] = known.get(allocator, good["top"])
            found["world", row(level, allocator), "displaced"] = good["displaced"]
    return found


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, seeds: int = 50, **worse: float) -> StudyResult:
        plain = scattered(lambda cell: says(cell, GOOD | worse), 0.002)

        def measure(cell: Cell) -> Any:
            found = plain(cell)
            revenue = {n.row: n.value or 0.0 for n in found if n.column == "expected"}
            return (*found, *_levers(revenue))

        monkeypatch.setattr(estimate_vs_allocate, "lever_cell", measure)
        name = "estimate_vs_allocate"
        return find(name).run(context_of(tmp_path, name, seeds=seeds))

    return made


def test_it_runs_by_name_only() -> None:
    assert find("estimate_vs_allocate") in ON_REQUEST


def test_the_larger_lever_decides(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    assert gates(result)["estimate_vs_allocate"].verdict == "PASS"
    assert value(result, "allocation_over_values") == pytest.approx(0.25, abs=0.01)
    assert value(result, "value_lever_capped") == pytest.approx(0.0, abs=0.01)
    assert gates(answer(priced=35.0))["estimate_vs_allocate"].verdict == "FAIL"


def test_it_refuses_seats_that_do_not_bind(answer: Answer) -> None:
    for asked, check in (
        ({"price": 0.0}, "binding"),
        ({"displaced": 0.0}, "binding"),
        ({"top": 30.0}, "movable"),
        ({"differs": 1.0}, "a_a"),
        ({"seeds": 6}, "power"),
    ):
        result = answer(**asked)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert gates(result)["estimate_vs_allocate"].verdict == "NOT ANSWERABLE"


def test_model_and_truth_must_be_among_the_levels(tmp_path: Path) -> None:
    name = "estimate_vs_allocate"
    with pytest.raises(UsageError, match=f"{name}.factors"):
        find(name).run(context_of(tmp_path, name, factors=[2.0, 0.0]))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "grid", 1, 3, "grid / model / dual_price")


def test_on_a_world_values_pay_once_prices_let_them(tmp_path: Path) -> None:
    name = "estimate_vs_allocate"
    asked: dict[str, Any] = {
        "seeds": 3, "users": 300, "streamers": 12, "seats": 4, "rounds": 6, "factors": [1.0, 0.0],
    }  # fmt: skip
    result = find(name).run(context_of(tmp_path, name, **asked))
    assert value(result, "value_lever_priced") > value(result, "value_lever_capped")
    assert value(result, "allocation_over_values") > 0.1
    assert value(result, "ips_capped") < value(result, "model_capped")
    (grid,) = (t for t in result.tables if t.name == "grid")
    exact = {r[0]: [cell.value for cell in r[1:]] for r in grid.rows}
    assert exact["truth"][-1] == pytest.approx(1.0, abs=1e-9)
    assert exact["flat"][0] == exact["truth"][0]  # uniform looks at no value


def test_streamer_means_by_ips_know_streamers_and_no_user() -> None:
    cell = Cell("p", 4, "v1", None, (), (("sizes", (300, 10, 4, 60)),))
    market = Market.of(seated(cell, 0.5, 1.5), ErrorLaw(0.0))
    means = learnt_by_ips(market)
    assert (means == means[0]).all()
    true = market.true[market.rounds.ravel()].mean(axis=0)
    assert means[0].argmax() in true.argsort()[-3:]
