"""Study 1.1 on readings made by hand: it passes, fails and refuses; verify finds every number."""

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
from giftlive.evaluation.results import StudyResult
from giftlive.evaluation.stages import BOTH, BOUND, GIFT_ONLY, PUBLISHED
from giftlive.rng import stream
from giftlive.run.steps import TableFolder
from giftlive.studies import two_stage
from giftlive.studies.context import Context
from giftlive.studies.registry import ON_REQUEST, STUDIES, find

DIRECT, STAGED = "boosted_log1p", "two_part"
PLAIN = ("overlap@1 %", "capture@1 %", "MAE(log)", "Spearman")
Answer = Callable[..., StudyResult]


Say = Callable[[str, str, str, float], None]


def story(say: Say, base: float, better: float, change: float, wobble: float) -> None:
    """Say the arms' numbers of one world, with the leak 0.4 higher."""
    for version, lift in (("clean", 0.0), ("leaky", 0.4)):
        for arm in (DIRECT, STAGED, GIFT_ONLY, BOUND):
            for metric in PLAIN:
                say("story", f"{arm}, {metric}", version, lift + 0.1 + base)
        for arm, area, loss in ((DIRECT, base, 0.0), (STAGED, better, change)):
            say("story", f"{arm}, PR-AUC", version, area + lift)
            say("story", f"{arm}, log-loss", version, 0.06 + loss)
            say("story", f"{arm}, ECE", version, 0.004 + wobble * (arm == STAGED))


def readings(
    worlds: int, gain: float, loss: float, *, differs: float = 0.0, teachers: bool = False
) -> tuple[Reading, ...]:
    """Return what worlds say whose two stages gain ``gain`` of PR-AUC and ``loss`` of log-loss."""
    g = stream(1, "readings")
    found: list[Reading] = []
    orders = {DIRECT: 0.4, STAGED: 0.6, f"{STAGED}, true chance": 0.7, BOTH: 1.0}
    orders[f"{STAGED}, true amount"] = 0.9
    for seed in range(worlds):

        def say(table: str, row: str, column: str, value: float, seed: int = seed) -> None:
            found.append(Reading(seed, Number(table, row, column, value)))

        base, wobble = 0.2 + 0.01 * float(g.random()), 1e-4 * float(g.normal())
        better = base * (1.0 + gain + 0.01 * float(g.normal()))
        story(say, base, better, loss + wobble, wobble)
        say("movable", "pair_gift_sum", "PR-AUC", 0.10 + wobble)
        say("movable", "streamer_gift_sum", "PR-AUC", 0.05 - wobble)
        say("a_a", STAGED, "differs", differs)
        for row, height in orders.items():
            for metric in ("capture@1 %", "NDCG@100", "norm. Gini"):
                say("swap", row, metric, height * (1.0 - 0.01 * float(g.random())))
        if teachers:
            say("ceiling", "Bayes order", "capture@1 %", 0.8 + 0.01 * float(g.random()))
    return tuple(found)


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    store: Any = SimpleNamespace(source=SimpleNamespace(fingerprint="f", kind="k", label="l"))

    def made(
        *, worlds: int = 8, gain: float = 0.3, loss: float = -0.01, **more: Any
    ) -> StudyResult:
        found = readings(worlds, gain, loss, **more)
        monkeypatch.setattr(two_stage, "read_worlds", lambda plan, progress: found)
        config = load_config(overrides={"seed": 0, "stages.seeds": worlds})
        keep = TableFolder(tmp_path / "tables", "two_stage")
        context = replace(Context(config, store, tmp_path, "tests"), keep=keep)
        return find("two_stage").run(context)

    return made


def cells(result: StudyResult, table: str) -> list[tuple[Any, ...]]:
    return list(next(t for t in result.tables if t.name == table).rows)


def test_it_runs_by_name_only() -> None:
    assert find("two_stage") in ON_REQUEST
    assert find("two_stage") not in STUDIES


def test_gate_1a_passes_where_the_chance_is_better(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    (gate,) = result.gates
    assert gate.verdict == "PASS", gate.reason
    assert gate.consequence.startswith("keep the layered model")


def test_gate_1a_fails_where_log_loss_is_higher(answer: Answer) -> None:
    (gate,) = answer(loss=0.01).gates
    assert gate.verdict == "FAIL", gate.reason
    assert gate.estimate is not None
    assert gate.estimate.name == "log_loss_change"


def test_gate_1a_fails_where_the_gain_is_below_5_percent(answer: Answer) -> None:
    (gate,) = answer(gain=0.01).gates
    assert gate.verdict == "FAIL", gate.reason
    assert gate.consequence == "take the simpler model"


def test_gate_1a_is_open_where_the_gain_is_at_the_border(answer: Answer) -> None:
    (gate,) = answer(gain=0.05).gates
    assert gate.verdict == "INCONCLUSIVE", gate.reason
    assert "worlds would decide" in gate.reason


def test_gate_1a_refuses_few_worlds_and_models_that_differ_from_themselves(answer: Answer) -> None:
    few, carried = answer(worlds=3), answer(differs=1.0)
    assert [c.name for c in few.checks if not c.passed] == ["power"]
    assert [c.name for c in carried.checks if not c.passed] == ["a_a"]
    assert few.gates[0].verdict == carried.gates[0].verdict == "NOT ANSWERABLE"


def test_the_published_ece_rule_is_printed_as_not_answerable(answer: Answer) -> None:
    (row,) = cells(answer(), "differences")
    assert str(row[-1]).startswith("NOT ANSWERABLE")


def test_the_story_stands_in_one_table(answer: Answer) -> None:
    rows = cells(answer(), "story")
    assert {row[0] for row in rows} == {DIRECT, STAGED, GIFT_ONLY, BOUND}
    shown = {(row[0], row[1]): row[4] for row in rows if row[4] != ""}
    assert shown == {
        ({"direct": DIRECT, "staged": STAGED}[side], metric): value
        for (side, metric), value in PUBLISHED.items()
    }
    for arm, metric, leaky, clean, _ in rows:
        if metric == "PR-AUC":
            assert leaky.value > clean.value, arm


def test_a_true_part_closes_its_share_of_the_gap(answer: Answer) -> None:
    closed = {row[1]: row[4] for row in cells(answer(), "closed")}
    assert closed["true chance"].value == pytest.approx(0.25, abs=0.02)
    assert closed["true amount"].value == pytest.approx(0.75, abs=0.02)
    assert closed["true amount"].low is not None


def test_the_bayes_ceiling_stands_only_where_worlds_taught_it(answer: Answer) -> None:
    assert "ceiling" not in {t.name for t in answer().tables}
    shares = {row[0]: row[1].value for row in cells(answer(teachers=True), "ceiling")}
    assert shares[STAGED] == pytest.approx(0.75, abs=0.02)
    assert shares[BOTH] > 1.0


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists_and_none_claims_the_public_data(answer: Answer, lang: str) -> None:
    require_sentences(answer(teachers=True), lang)


@pytest.mark.parametrize("teachers", [False, True])
def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path, teachers: bool) -> None:
    require_verified(
        answer(teachers=teachers),
        tmp_path,
        "closed",
        0,
        2,
        f"closed / {STAGED} / true chance / capture@1 %",
    )
