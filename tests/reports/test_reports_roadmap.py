"""The roadmap says what the results and manifests say, and which verdicts changed and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from giftlive.errors import InputError
from giftlive.evaluation.gates import judge
from giftlive.evaluation.results import Estimate, StudyResult
from giftlive.evaluation.rules import Condition, Rule, load_rules
from giftlive.reports import render
from giftlive.reports.load import Run, load_run, natural
from giftlive.reports.program import command_for
from giftlive.reports.roadmap import figure_of, roadmap, roadmap_markdown
from giftlive.studies.registry import ON_REQUEST, STUDIES

WriteRun = Callable[..., Path]


def changed(
    results: tuple[StudyResult, ...], study: str, verdict: Any, value: float
) -> tuple[StudyResult, ...]:
    """Return the results with one gate's verdict and estimate replaced."""
    found = []
    for result in results:
        if result.study == study:
            gate = result.gates[0]
            assert gate.estimate is not None
            moved = replace(gate.estimate, value=value, low=value - 0.01, high=value + 0.01)
            result = replace(result, gates=(replace(gate, verdict=verdict, estimate=moved),))
        found.append(result)
    return tuple(found)


def test_a_planted_change_of_a_verdict_is_logged_with_both_estimates_and_its_cause(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    new = changed(all_studies, "shadow_price", "PASS", 0.95)
    old_run = run_writer("old")
    new_run = run_writer("new", results=new, created="2025-07-01T08:00:00Z", seed=8)
    (change,) = roadmap(new_run, since=[old_run]).changes
    assert (change.gate, change.before, change.after) == ("shadow_price", "FAIL", "PASS")
    shown = change.estimate_before, change.estimate_after
    assert [text.replace("\u202f", " ") for text in shown] == [
        "86.1 % [84.9, 87.3]",
        "95.0 % [94.0, 96.0]",
    ]
    assert (change.since, change.date) == ("2025-06-01T08:00:00Z", "2025-07-01T08:00:00Z")
    assert change.because == ("seed",)
    text = roadmap_markdown(roadmap(new_run, since=[old_run]))
    assert "| shadow\\_price | **FAIL** | **PASS** |" in text
    assert "seed |" in text


def test_runs_are_compared_in_the_order_of_time_whatever_the_order_of_the_options(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    first = run_writer("a", created="2025-06-01T00:00:00Z")
    passed = changed(all_studies, "shadow_price", "PASS", 0.95)
    second = run_writer("b", results=passed, created="2025-06-02T00:00:00Z")
    third = run_writer("c", created="2025-06-03T00:00:00Z")
    for since in ([first, second], [second, first]):
        found = roadmap(third, since=since)
        assert [(c.before, c.after) for c in found.changes] == [("FAIL", "PASS"), ("PASS", "FAIL")]
        assert [moment.folder for moment in found.timeline] == ["a", "b", "c"]


def test_equal_runs_have_no_change_and_the_same_experiments(run_writer: WriteRun) -> None:
    found = roadmap(run_writer("one"), since=[run_writer("two")])
    assert found.changes == ()
    half = len(found.experiments) // 2
    ids = [experiment.id for experiment in found.experiments]
    assert ids[:half] == ids[half:]
    assert "No verdict differs" in roadmap_markdown(found)


def test_a_gate_that_is_no_longer_judged_is_a_change(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    fewer = tuple(result for result in all_studies if result.study != "risk")
    new = run_writer("new", results=fewer, created="2025-07-01T00:00:00Z")
    (change,) = roadmap(new, since=[run_writer("old")]).changes
    assert (change.gate, change.before, change.after) == ("risk", "NOT ANSWERABLE", "SKIPPED")


def test_every_gate_and_every_study_is_on_it_run_or_not(run_writer: WriteRun) -> None:
    found = roadmap(run_writer())
    assert {gate.id for gate in found.gates} == set(load_rules())
    names = [study.study for study in found.studies]
    assert sorted(names) == sorted(study.name for study in (*STUDIES, *ON_REQUEST))
    assert [s.id for s in found.studies] == sorted((s.id for s in found.studies), key=natural)
    states = {study.study: study.state for study in found.studies}
    expected = {"baseline": "answered", "risk": "open", "delay": "skipped", "pareto": "not_run"}
    assert {name: states[name] for name in expected} == expected
    unrun = next(study for study in found.studies if study.study == "pareto")
    assert unrun.command == (
        "giftlive study pareto --source world:tiny --seed 7 --out RUN-pareto"
    )  # fmt: skip
    assert not unrun.question.startswith("[")


def test_json_holds_only_plain_values_and_every_column(run_writer: WriteRun) -> None:
    found = json.loads(json.dumps(roadmap(run_writer()).as_dict()))
    gate = next(row for row in found["gates"] if row["gate"] == "off_policy")
    assert set(gate) == {
        "gate", "study", "rule", "verdict", "estimate", "threshold", "reason", "consequence",
        "next",
    }  # fmt: skip
    assert {figure["figure"] for figure in found["figures"]} == {"Top-1 %", "revenue"}
    assert found["timeline"][0]["verdicts"] == {
        "FAIL": 1, "INCONCLUSIVE": 1, "NOT ANSWERABLE": 1, "PASS": 1,
    }  # fmt: skip


def test_numbers_are_those_of_the_results(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    """Break a result on purpose: the roadmap must follow, for nothing in it is typed."""
    moved = changed(all_studies, "baseline", "FAIL", -0.2)
    gate = next(g for g in roadmap(run_writer(results=moved)).gates if g.id == "baseline")
    assert (gate.verdict, gate.value.replace("\u202f", " ")) == ("FAIL", "−20.0 pp")


@pytest.mark.parametrize(
    ("name", "figure"),
    [("pr_auc_two_part", "PR-AUC"), ("revenue_capture_1pct_gain", "Top-1 %"),
     ("gini_income_greedy", "Gini"), ("revenue_gain", "revenue"), ("ece", None),
     ("user_top1_share", "Top-1 %"), ("user_top10_share", None), ("price_atom_top1_share", None)],
)  # fmt: skip
def test_an_estimate_is_one_key_figure_at_most(name: str, figure: str | None) -> None:
    assert figure_of(name) == figure


def open_run(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...], values: dict[str, float]
) -> Path:
    """Return a run whose one undecided gate asks for several numbers between 0.9 and 1.1."""
    rule = Rule(
        "off_policy", "off_policy", tuple(Condition(n, "between", 0.9, 1.1) for n in values),
        checks={}, rule="all of them", as_published="", on_pass="yes", on_fail="no",
    )  # fmt: skip
    found = tuple(
        Estimate(n, v, v - 0.2, v + 0.2, "t", 8, "worlds", "ratio", "what is due", "worlds")
        for n, v in values.items()
    )
    gate = judge(rule, found, ())
    assert gate.verdict == "INCONCLUSIVE"
    judged = next(r for r in all_studies if r.study == "off_policy")
    return run_writer(results=(replace(judged, gates=(gate,), estimates=found),))


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({"level": 0.97}, "About 66 worlds would decide, 58 more than the 8 so far, if `level`"),
        ({"level": 0.97, "far": 0.955}, "About 106 worlds would decide, 98 more than"),
        ({"level": 0.86, "far": 0.72}, "About 10 worlds would decide, 2 more than"),
        ({"level": 0.94, "far": 0.72}, "About 10 worlds would decide, 2 more than"),
        ({"level": 0.98, "far": 0.9}, "No number may ever decide: `far` lies on the border"),
        ({"level": 0.9, "far": 0.72}, "About 10 worlds would decide, 2 more than"),
    ],
    ids=["one", "all must get in", "one out is enough", "out before in", "border", "out anyhow"],
)
def test_an_inconclusive_gate_says_how_many_more_would_decide_and_why(
    run_writer: WriteRun,
    all_studies: tuple[StudyResult, ...],
    values: dict[str, float],
    asked: str,
) -> None:
    """A rule holds when all its numbers do: one that leaves decides, else the last to get in."""
    run = open_run(run_writer, all_studies, values)
    (gate,) = (g for g in roadmap(run).gates if g.id == "off_policy")
    assert gate.next.startswith(asked)
    assert ("that is a FAIL" in gate.next) == ("10 worlds" in asked)
    (study,) = (s for s in roadmap(run).studies if s.study == "off_policy")
    assert study.next == gate.next


def test_what_would_decide_is_said_in_chinese(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    run = open_run(run_writer, all_studies, {"level": 0.98, "far": 0.72})
    (gate,) = (g for g in roadmap(run, lang="zh").gates if g.id == "off_policy")
    assert "若 `far` 仍为 0.72，共约需 10 个世界（现有 8，还差 2）" in gate.next
    assert "（0.9 至 1.1）之外" in gate.next
    assert "跨过边界" in gate.reason


def test_an_undecided_gate_whose_reason_names_no_number_is_run_again(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    run = run_writer(results=all_studies)
    (gate,) = (g for g in roadmap(run).gates if g.id == "off_policy")
    assert gate.verdict == "INCONCLUSIVE"
    assert gate.next.startswith("Run `giftlive study off_policy")


@pytest.mark.parametrize(
    ("failed", "asked"),
    [
        ("power (with 9 users none is seen); size (a tenth)", "Take the users, worlds or seeds"),
        ("movable (a tie); power (with 9 users none is seen)", "Repair what the failed checks"),
    ],
)
def test_a_refused_gate_asks_for_more_data_only_where_that_helps(
    failed: str, asked: str, run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    judged = next(r for r in all_studies if r.study == "off_policy")
    reason = f"checks failed: {failed}"
    gate = replace(judged.gates[0], verdict="NOT ANSWERABLE", reason=reason)
    results = tuple(replace(r, gates=(gate,)) if r is judged else r for r in all_studies)
    found = next(g for g in roadmap(run_writer(results=results)).gates if g.id == "off_policy")
    assert found.next.startswith(asked)


def test_a_run_of_another_study_on_the_same_source_can_be_added(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    main = run_writer("main", results=all_studies[:3])
    other = run_writer("other", results=all_studies[3:], command="giftlive study risk --seed 9")
    run = load_run(main, [other])
    assert [r.study for r in run.results] == [r.study for r in all_studies]
    assert run.manifest_of("risk")["command"] == "giftlive study risk --seed 9"
    assert run.manifest_of("baseline")["command"] == run.manifest["command"]
    page = render(main, add=[other]).read_text(encoding="utf-8")
    assert "giftlive study risk --seed 9" in page


def test_a_run_on_other_data_is_not_added(run_writer: WriteRun) -> None:
    source = json.loads((run_writer("main") / "manifest.json").read_text())["source"]
    other = run_writer("other", source=source | {"fingerprint": "cd" * 16})
    with pytest.raises(InputError, match="analysed other data"):
        load_run(other.parent / "main", [other])


def test_the_command_of_a_study_keeps_the_options_of_the_run() -> None:
    run = Run(Path("R"), {"command": "giftlive study baseline --demo --set 'a.b=c d'"}, ())
    assert command_for(run, "risk") == (
        "giftlive study risk --demo --set 'a.b=c d' --out RUN-risk"
    )  # fmt: skip
