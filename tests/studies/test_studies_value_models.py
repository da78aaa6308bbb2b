"""Study 0.2b on readings made by hand: it passes, fails and refuses; verify finds every number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.studies.by_name import require_sentences, require_verified

from giftlive.config import load_config
from giftlive.errors import UsageError
from giftlive.evaluation.behavioural import Number, Reading
from giftlive.evaluation.results import Gate, StudyResult
from giftlive.evaluation.value_models import BAYES, COLD, LATENT, LUCK, TENTHS
from giftlive.evaluation.value_models.measure import ALL
from giftlive.rng import stream
from giftlive.run.steps import TableFolder
from giftlive.studies import value_models
from giftlive.studies.context import Context
from giftlive.studies.registry import ON_REQUEST, STUDIES, find

NAMES = ("user_past_spend", "ridge", "hurdle")
GOOD: dict[str, float] = {
    "gain": 0.05,
    "level": 1.0,
    "tenth": 1.0,
    "capture": 0.1,
    "covered": 0.9,
    "past": 0.7,
    "ridge": 0.9,
}
METRICS = ("capture@10 %", "Spearman", "PR-AUC", "log-loss", "ECE")
Answer = Callable[..., StudyResult]


def readings(
    worlds: int, says: dict[str, float], *, teachers: bool, differs: float
) -> tuple[Reading, ...]:
    """Return what worlds say in which ``hurdle`` is as good as ``says``."""
    g = stream(1, "readings")
    found: list[Reading] = []
    for seed in range(worlds):

        def say(table: str, row: str, column: str, value: float, seed: int = seed) -> None:
            found.append(Reading(seed, Number(table, row, column, value)))

        def near(value: float) -> float:
            return value * (1.0 + 0.002 * float(g.normal()))

        gini = {"user_past_spend": says["past"], "ridge": says["ridge"]}
        gini["hurdle"] = says["ridge"] + says["gain"]
        top = {"user_past_spend": 0.3, "ridge": 0.35, "hurdle": 0.35 + says["capture"]}
        for name in NAMES:
            say("order", name, "norm. Gini", near(gini[name]))
            say("order", name, "NDCG@100", near(0.4))
            say("level", name, "Σ pred / Σ expected", near(says["level"]))
            for k, label in enumerate(TENTHS):
                off = says["tenth"] if k == 3 else 1.0
                say(f"predicted, {label}", name, "sum", near(100.0 * (k + 1) * off))
                say(f"expected, {label}", name, "sum", near(100.0 * (k + 1)))
            say("head", name, ALL, near(0.9 * top[name] + 0.3))
            say("head", name, COLD, near(top[name]))
            say("realised", name, "capture@1 %", near(top[name]))
            for metric in METRICS:
                say("realised", name, metric, near(0.2))
        for label, latent in ((ALL, 0.9), (COLD, 0.8)):
            say("head", LATENT, label, near(latent))
            if teachers:
                say("head", BAYES, label, near(latent - 0.05))
        say("realised", "best trivial ranker", "capture@1 %", near(0.3))
        for label in ("all gifts", *TENTHS):
            say("coverage", label, "gifts", 1000.0)
            say("coverage", label, "covered", near(1000.0 * says["covered"]))
        say("a_a", "hurdle", "differs", differs)
    return (*found, *_luck(worlds))


def _luck(worlds: int) -> Iterator[Reading]:
    for seed in range(worlds):
        for label in LUCK:
            yield Reading(seed, Number("luck", label, "of a world", 0.9 + 0.01 * seed))


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    store: Any = SimpleNamespace(source=SimpleNamespace(fingerprint="f", kind="k", label="l"))

    def made(
        *, worlds: int = 8, teachers: bool = False, differs: float = 0.0, **says: float
    ) -> StudyResult:
        found = readings(worlds, GOOD | says, teachers=teachers, differs=differs)
        monkeypatch.setattr(value_models, "read_worlds", lambda plan, progress, store: found)
        chosen = {"value_models.seeds": worlds, "value_models.names": list(NAMES)}
        config = load_config(overrides={"seed": 0, **chosen})
        keep = TableFolder(tmp_path / "tables", "value_models")
        context = replace(Context(config, store, tmp_path, "tests"), keep=keep)
        return find("value_models").run(context)

    return made


def gate(result: StudyResult, name: str = "value_models") -> Gate:
    return next(g for g in result.gates if g.id == name)


def failed(result: StudyResult) -> list[str]:
    return [check.name for check in result.checks if not check.passed]


def cells(result: StudyResult, table: str) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row for row in next(t for t in result.tables if t.name == table).rows}


def test_it_runs_by_name_only() -> None:
    assert find("value_models") in ON_REQUEST
    assert find("value_models") not in STUDIES


def test_a_good_default_passes(answer: Answer) -> None:
    result = answer()
    assert failed(result) == ["ceiling"]  # which no world taught: the other gate's alone
    assert all(check.passed for check in answer(teachers=True).checks)
    assert gate(result).verdict == "PASS", gate(result).reason
    assert gate(result).consequence == "serve the default value model"


@pytest.mark.parametrize(
    ("says", "value", "part"),
    [
        ("gain", 0.0, "gini_gain_over_ridge"),
        ("level", 1.2, "level_of_default"),
        ("tenth", 1.5, "level_of_farthest_tenth"),
        ("capture", -0.02, "capture_gain_over_ridge"),
        ("covered", 0.97, "coverage"),
    ],
)
def test_each_part_alone_fails_it(answer: Answer, says: str, value: float, part: str) -> None:
    found = gate(answer(**{says: value}))
    assert found.verdict == "FAIL", found.reason
    assert found.estimate is not None
    assert found.estimate.name == part


def test_it_refuses_few_worlds_and_models_that_differ_from_themselves(answer: Answer) -> None:
    few, carried = answer(worlds=3), answer(differs=1.0)
    assert failed(few) == ["power", "ceiling"]
    assert failed(carried) == ["a_a", "ceiling"]
    assert gate(few).verdict == gate(carried).verdict == "NOT ANSWERABLE"


@pytest.mark.parametrize("best", ["past", "ridge"])
def test_it_refuses_where_a_simple_ranker_leaves_no_room(answer: Answer, best: str) -> None:
    """Nobody could be 0.01 better than what is at the true order already."""
    full = answer(**{best: 0.995})
    assert failed(full) == ["movable", "ceiling"]
    assert gate(full).verdict == "NOT ANSWERABLE"


def test_simple_rankers_that_tie_do_not_silence_it(answer: Answer) -> None:
    """Ridge is no better than past spend: that says nothing about what a model can win."""
    tied = answer(past=0.7, ridge=0.7, gain=0.25, teachers=True)
    assert all(check.passed for check in tied.checks)
    assert gate(tied).verdict == "PASS"


def test_the_ceiling_is_answered_only_where_worlds_taught_it(answer: Answer) -> None:
    alone, taught = answer(), answer(teachers=True)
    assert gate(alone, "value_ceiling").verdict not in ("PASS", "FAIL")
    assert gate(taught, "value_ceiling").verdict == "FAIL"
    assert gate(answer(teachers=True, capture=0.24), "value_ceiling").verdict == "PASS"
    assert LATENT in cells(alone, "heads")
    assert cells(taught, "heads")[LATENT][2].value > 1.0  # it sees what no observer can


def test_a_ceiling_that_a_model_stands_on_is_none(answer: Answer) -> None:
    """Past 0.85 of a ceiling that is too low says nothing; the other gate is judged as before."""
    beaten = answer(teachers=True, capture=0.3)
    assert failed(beaten) == ["ceiling"]
    assert gate(beaten, "value_ceiling").verdict == "NOT ANSWERABLE"
    assert "hurdle above it" in gate(beaten, "value_ceiling").reason
    assert gate(beaten).verdict == "PASS"


def test_the_farthest_tenth_is_the_worst_in_logs(answer: Answer) -> None:
    named = {e.name: e for e in answer(tenth=0.8).estimates}
    assert named["level_of_farthest_tenth"].value == pytest.approx(0.8, abs=0.01)


def test_luck_stands_beside_the_levels_of_the_models(answer: Answer) -> None:
    found = cells(answer(level=1.3), "luck")
    assert set(LUCK) < set(found)
    label = "Σ pred / Σ expected of hurdle"
    assert found[label][1].value == pytest.approx(1.3, abs=0.01)


def test_trivial_rankers_have_no_level(answer: Answer) -> None:
    found = cells(answer(), "order")
    assert found["user_past_spend"][3] == "an order only"
    assert set(cells(answer(), "levels")) == {"ridge", "hurdle"}


def test_models_that_must_stand_beside_it_cannot_be_left_out(tmp_path: Path) -> None:
    store: Any = SimpleNamespace()
    for names in (["ridge", "hurdle"], ["user_past_spend", "hurdle"], ["user_past_spend", "ridge"]):
        config = load_config(overrides={"value_models.names": names})
        with pytest.raises(UsageError, match="every model is compared with them"):
            value_models.plan_of(Context(config, store, tmp_path, "tests"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists_and_none_claims_the_public_data(answer: Answer, lang: str) -> None:
    require_sentences(answer(teachers=True), lang)


@pytest.mark.parametrize(("teachers", "capture"), [(False, 0.1), (True, 0.1), (True, 0.3)])
def test_verify_finds_every_number_again(
    answer: Answer, tmp_path: Path, teachers: bool, capture: float
) -> None:
    made = answer(teachers=teachers, capture=capture)
    require_verified(made, tmp_path, "levels", 1, 4, "levels / hurdle / tenth 4")
