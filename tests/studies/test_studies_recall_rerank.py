"""Study 5.1 on readings made by hand: Gate-5A passes, fails, is open, refuses; verify agrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.studies.by_name import require_sentences, require_verified

from giftlive.config import load_config
from giftlive.evaluation.behavioural import Number, Reading
from giftlive.evaluation.reranking import METRICS, STAGED_ALONE, by_staged, by_truth
from giftlive.evaluation.results import StudyResult
from giftlive.rng import stream
from giftlive.run.steps import TableFolder
from giftlive.studies import recall_rerank
from giftlive.studies.context import Context
from giftlive.studies.registry import ON_REQUEST, STUDIES, find

Answer = Callable[..., StudyResult]
LENGTHS = (3, 5, 10, 20)
REFUSALS: dict[str, dict[str, Any]] = {
    "power": {"worlds": 3},
    "a_a": {"differs": 1.0},
    "movable": {"apart": 0.0},
    "reordered": {"changed": 0.01},
}


def readings(
    worlds: int, gain: float, capture: float, differs: float, apart: float, changed: float
) -> tuple[Reading, ...]:
    """Return what worlds say where stage 2 changes NDCG by ``gain`` and capture by ``capture``."""
    g = stream(5, "readings")
    found: list[Reading] = []
    for seed in range(worlds):

        def say(table: str, row: str, column: str, value: float, seed: int = seed) -> None:
            found.append(Reading(seed, Number(table, row, column, value)))

        def order(row: str, ndcg: float, top: float, say: Callable[..., None] = say) -> None:
            for metric in METRICS:
                height = top if "capture" in metric else ndcg
                say("list", row, metric, height + 1e-3 * float(g.normal()))

        order("direct", 0.6, 0.3)
        order(STAGED_ALONE, 0.6 + 2 * gain, 0.3)
        for length in LENGTHS:
            order(by_staged(length), 0.6 + gain, 0.3 + capture)
            order(by_truth(length), 0.8, 0.4)
            say("lists", by_staged(length), "reordered", changed * (1 - 0.01 * float(g.random())))
        say("reordered", "asked", "share", changed)
        say("a_a", "direct", "differs", differs)
        say("movable", "pair_gift_sum", "NDCG@10", 0.5 + apart + 1e-3 * float(g.normal()))
        say("movable", "streamer_gift_sum", "NDCG@10", 0.5 + 1e-3 * float(g.normal()))
        say("lists", "decisions", "count", 1_000.0 + seed)
        say("lists", "candidates", "mean", 50.0 + 0.1 * seed)
        say("lists", "decisions with a gift", "count", 20.0 + seed)
    return tuple(found)


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    store: Any = SimpleNamespace(source=SimpleNamespace(fingerprint="f", kind="k", label="l"))

    def made(
        *,
        worlds: int = 8,
        gain: float = 0.05,
        capture: float = 0.0,
        differs: float = 0.0,
        apart: float = 0.1,
        changed: float = 0.9,
    ) -> StudyResult:
        found = readings(worlds, gain, capture, differs, apart, changed)
        monkeypatch.setattr(recall_rerank, "read_worlds", lambda plan, progress: found)
        config = load_config(overrides={"seed": 0, "recall_rerank.seeds": worlds})
        keep = TableFolder(tmp_path / "tables", "recall_rerank")
        context = replace(Context(config, store, tmp_path, "tests"), keep=keep)
        return find("recall_rerank").run(context)

    return made


def cells(result: StudyResult, table: str) -> list[tuple[Any, ...]]:
    return list(next(t for t in result.tables if t.name == table).rows)


def test_it_runs_by_name_only() -> None:
    assert find("recall_rerank") in ON_REQUEST
    assert find("recall_rerank") not in STUDIES


def test_gate_5a_passes_where_the_order_is_better_and_capture_stays(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    (gate,) = result.gates
    assert gate.verdict == "PASS", gate.reason
    assert gate.consequence.startswith("recall by the direct model")


def test_gate_5a_passes_where_capture_falls_by_less_than_half_a_point(answer: Answer) -> None:
    (gate,) = answer(capture=-0.002).gates
    assert gate.verdict == "PASS", gate.reason


@pytest.mark.parametrize(
    ("worse", "by"),
    [({"gain": -0.02}, "ndcg_10_change"), ({"capture": -0.02}, "capture_1pct_change")],
)
def test_gate_5a_fails_where_order_or_capture_is_worse(
    answer: Answer, worse: dict[str, float], by: str
) -> None:
    (gate,) = answer(**worse).gates
    assert gate.verdict == "FAIL", gate.reason
    assert gate.estimate is not None
    assert gate.estimate.name == by
    assert gate.consequence.startswith("one order")


def test_gate_5a_is_open_where_nothing_is_gained(answer: Answer) -> None:
    (gate,) = answer(gain=0.0).gates
    assert gate.verdict == "INCONCLUSIVE", gate.reason


@pytest.mark.parametrize("name", REFUSALS)
def test_gate_5a_refuses_where_a_check_fails(answer: Answer, name: str) -> None:
    result = answer(**REFUSALS[name])
    assert [check.name for check in result.checks if not check.passed] == [name]
    assert result.gates[0].verdict == "NOT ANSWERABLE"


def test_every_length_stands_in_the_sweep(answer: Answer) -> None:
    rows = cells(answer(), "sweep")
    assert [row[0] for row in rows] == [*(str(n) for n in LENGTHS), STAGED_ALONE]
    assert rows[-1][1].value == pytest.approx(0.10, abs=0.003)


def test_a_quarter_of_what_the_truth_would_add_is_reached(answer: Answer) -> None:
    for row in cells(answer(), "room"):
        assert row[2].value == pytest.approx(0.2, abs=0.003)
        assert row[3].value == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists_and_none_claims_the_public_data(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "room", 2, 3, "room / 10 / of which reached")
