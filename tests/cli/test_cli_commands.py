"""The commands on good input: a table or one JSON object on standard output, nothing else."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from giftlive.cli import options
from giftlive.evaluation.results import Gate, StudyResult
from giftlive.run import pipeline, steps
from giftlive.studies.registry import ON_REQUEST, STUDIES
from giftlive.types import Message

Cli = Callable[..., CompletedProcess[str]]
GATES = {
    "baseline",
    "cold_start",
    "cold_start_learning",
    "concave_returns",
    "concave_returns_oracle",
    "concave_returns_published",
    "concurrency",
    "delay",
    "estimate_vs_allocate",
    "first_window",
    "interference",
    "multi_task",
    "off_policy",
    "pareto",
    "phase_diagram",
    "phase_diagram_oracle",
    "recall_rerank",
    "risk",
    "risk_pooled",
    "shadow_price",
    "two_stage",
    "value_ceiling",
    "value_models",
    "whale_matching",
    "whale_matching_congested",
    "world_fidelity",
}


def succeeded(done: CompletedProcess[str]) -> str:
    """Return the standard output of a command that went well and said nothing on the side."""
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def parsed(done: CompletedProcess[str]) -> Any:
    return json.loads(succeeded(done))


def test_a_world_becomes_logs_with_their_truth_beside_them(cli: Cli) -> None:
    command = ("world", "generate", "--preset", "kuailive", "--scale", "0.001", "--out")
    small = ("--set", "calendar.history_days=3", "--seed", "5")
    rows = parsed(cli(*command, "A", *small, "--json"))["rows"]
    assert {"click", "gift", "room", "negative"} <= set(rows)
    lines = succeeded(cli(*command, "B", *small)).splitlines()
    assert f"{'click':<20}{rows['click']:>12,} rows" in lines
    assert lines[-1] == "written: B"
    files = sorted(p.relative_to("A") for p in Path("A").rglob("*") if p.is_file())
    assert Path("truth/gifts.parquet") in files
    assert [p for p in files if (Path("A") / p).read_bytes() != (Path("B") / p).read_bytes()] == []
    succeeded(cli(*command, "C", *small, "--format", "parquet"))
    assert {p.suffix for p in Path("C").glob("g*")} == {".parquet"}


def test_ingest_counts_what_it_stored(cli: Cli, twin: Path) -> None:
    found = parsed(cli("ingest", "--source", twin, "--out", "A", "--json"))
    assert found["store"] == "A"
    assert found["source"]["label"] == "calibrated world"
    lines = succeeded(cli("ingest", "--source", twin, "--out", "B")).splitlines()
    gifts = found["source"]["rows"]["gift"]
    assert f"{'gift':<16}{gifts:>12,} rows{0:>10,} rejected" in lines
    assert lines[-1] == "store: B"
    again = parsed(cli("ingest", "--source", "A", "--out", "B", "--overwrite", "--json"))
    assert again["source"]["rows"] == found["source"]["rows"]


def test_facts_are_one_table_or_one_object(cli: Cli, twin: Path) -> None:
    book = parsed(cli("facts", "--source", twin, "--json"))
    by_name = {fact["name"]: fact for fact in book["facts"]}
    rate = by_name["gift_rows_per_click"]
    assert {"numerator", "denominator", "population", "low", "high", "reason"} <= set(rate)
    lines = succeeded(cli("facts", "--source", twin)).splitlines()
    assert lines[0].split()[:2] == ["fact", "value"]
    assert len({line.split()[0].rstrip("*") for line in lines[1:]} & set(by_name)) == len(by_name)
    assert "identifiable" in lines[-1]
    succeeded(cli("ingest", "--source", twin, "--out", "STORE"))
    assert parsed(cli("facts", "--source", "STORE", "--json")) == book


def test_audit_lists_health_and_every_trial_of_every_feature(cli: Cli, twin: Path) -> None:
    findings = parsed(cli("audit", "--source", twin, "--json"))["findings"]
    kinds = {row["kind"] for row in findings}
    trials = {f"leak trial: {name}" for name in ("future", "replay", "lift")}
    assert kinds == {"data health", *trials, "leak trial: canary", "leak trial: rows"}
    subjects = [{r["subject"] for r in findings if r["kind"] == kind} for kind in sorted(trials)]
    assert subjects[0] == subjects[1] == subjects[2]
    assert not [r for r in findings if r["result"] == "FAILED"]
    assert {r["result"] for r in findings if r["kind"] == "leak trial: future"} == {"passed"}
    canaries = [r for r in findings if r["kind"] == "leak trial: canary"]
    assert len(canaries) == 4
    assert all(r["detail"].startswith("caught: ") for r in canaries)
    lines = succeeded(cli("audit", "--source", twin)).splitlines()
    assert lines[0].startswith("defect ")
    health = [row for row in findings if row["kind"] == "data health"]
    assert len([line for line in lines if " data health " in line]) == len(health)
    assert len({line.index(" data health ") for line in lines[: len(health)]}) == 1  # aligned
    passed = {row["kind"] for row in findings if row["result"] == "passed"}
    assert sum(line.startswith("passed ") for line in lines) == len(passed)


def test_audit_says_what_a_defect_rests_on_and_what_follows(cli: Cli, twin: Path) -> None:
    findings = parsed(cli("audit", "--source", twin, "--json"))["findings"]
    health = {row["subject"]: row for row in findings if row["kind"] == "data health"}
    stamped = health["entry_stamping"]
    assert (stamped["result"], stamped["status"]) == ("defect", "measured")
    assert stamped["value"] == stamped["numerator"] / stamped["denominator"]
    assert stamped["evidence"].endswith(" gift rows")
    assert "NOT IDENTIFIABLE" in stamped["consequence"]
    assert "0.001" in stamped["rule"]
    assert health["outage_days"]["examples"] == ["2025-05-14", "2025-05-20"]
    assert health["currency_mix"]["status"] == "not applicable"
    assert "gift_original" in health["currency_mix"]["detail"]
    assert {r["result"] for r in health.values() if r["status"] != "measured"} == {"info"}
    assert not [r for r in findings for text in r.values() if isinstance(text, str) and "{" in text]


def test_a_defect_is_an_error_only_when_asked(cli: Cli, twin: Path) -> None:
    done = cli("audit", "--source", twin, "--strict")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == succeeded(cli("audit", "--source", twin))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("audit", "--planted-leak", "label"), marks=pytest.mark.slow),
        ("audit", "--planted-leak", "future_noise", "--set", "tables.form=portable"),
        pytest.param(("audit", "--planted-leak", "train_only"), marks=pytest.mark.slow),
        ("run", "--set", "tables.planted_leak=whole_period", "--out", "RUN"),
    ],
)
def test_a_planted_leak_is_named_with_exit_code_1(
    refused: Callable[..., str], twin: Path, command: tuple[str, ...]
) -> None:
    message = refused(*command, "--source", twin, code=1)
    assert message.startswith("features: feature planted_leak fails the ")
    assert "Hint: remove it" in message


def test_a_study_leaves_a_run_folder_that_can_be_read_again(cli: Cli, twin: Path) -> None:
    command = ("study", "exploration", "--source", twin, "--out")
    lines = succeeded(cli(*command, "RUN")).splitlines()
    assert lines[-1] == "report: RUN/report.html"
    assert all(len(line) <= 100 for line in lines)
    board = parsed(cli("roadmap", "RUN", "--json"))
    assert {row["gate"] for row in board["gates"]} == GATES
    assert {row["verdict"] for row in board["gates"]} == {"SKIPPED"}
    assert "giftlive study baseline --source" in succeeded(cli("roadmap", "RUN"))
    summary = parsed(cli(*command, "RUN", "--overwrite", "--json"))
    assert all("attribution window" in line for line in summary.pop("warnings"))
    gates = [(row["gate"], row["verdict"], row["reason"]) for row in board["gates"]]
    assert [(g["gate"], g["verdict"], g["reason"]) for g in summary.pop("gates")] == gates
    assert summary == {"skipped": [], "report": "RUN/report.html"}
    contents = {p.name for p in Path("RUN").iterdir()}
    files = {
        "config.toml",
        "manifest.json",
        "log.jsonl",
        "digests.json",
        "report.html",
        "report.md",
    }
    assert contents == files | {"results", "tables", "figures"}
    assert parsed(cli("report", "RUN", "--json")) == {"report": "RUN/report.html"}
    page = Path("RUN/report.html").read_bytes()
    Path("RUN/report.html").unlink()
    assert succeeded(cli("report", "RUN")) == "report: RUN/report.html\n"
    assert Path("RUN/report.html").read_bytes() == page


def test_the_manifest_names_a_command_that_repeats_the_run(
    cli: Cli, twin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "render", lambda folder: folder / "report.html")
    settings = (
        "--set",
        "ingest.max_reject_share=0.02",
        "--set",
        "world.seats.load=0.8",
        "--seed",
        "7",
    )
    command = ("study", "exploration", "--source", twin, *settings, "--out")
    succeeded(cli(*command, "A"))
    manifest = json.loads(Path("A/manifest.json").read_text(encoding="utf-8"))
    spoken = shlex.split(manifest["command"])
    assert spoken == ["giftlive", *command[:3], twin.name, *settings]
    Path(twin.name).symlink_to(twin)
    succeeded(cli(*spoken[1:], "--out", "B"))
    for name in ("results/exploration.json", "config.toml"):
        assert Path("A", name).read_bytes() == Path("B", name).read_bytes()
    config = tomllib.loads(Path("A/config.toml").read_text(encoding="utf-8"))
    assert (config["seed"], config["ingest"]["max_reject_share"]) == (7, 0.02)
    assert config["arena"]["overrides"] == {"seats.load": "0.8"}


@pytest.mark.slow
def test_a_step_without_its_tables_is_skipped_with_the_reason(
    cli: Cli, twin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shutil.copytree(twin, tmp_path / "blind")
    (source / "negative.csv").unlink()
    quick = tuple(study for study in STUDIES if study.name in {"exploration", "off_policy"})
    monkeypatch.setattr(pipeline, "STUDIES", quick)
    lines = succeeded(cli("run", "--source", source, "--out", "R[un]")).splitlines()
    assert lines[-1] == "report: R[un]/report.html"
    assert lines[-2].startswith("skipped off_policy: ")
    assert "negative" in lines[-2]
    log = [json.loads(line) for line in Path("R[un]/log.jsonl").read_text("utf-8").splitlines()]
    assert {step["name"]: step["status"] for step in log} == {
        "ingest": "done",
        "features": "done",
        "leak audit": "done",
        "exploration": "done",
        "off_policy": "skipped",
        "report": "done",
    }
    assert next(step["reason"] for step in log if step["name"] == "off_policy")


def failing(*_: object) -> steps.Answer:
    """Return a result whose gate FAILs, with a reason full of square brackets."""
    gate = Gate("baseline", "rule", "rule", "FAIL", "[red] below [0, 1]", "none", None, 0.0)
    question = Message("study.baseline.question", {})
    result = StudyResult("baseline", "0.2", question, 1, {}, {}, "code", gates=(gate,))
    return steps.Answer(result.as_dict(), None)


@pytest.mark.parametrize(("flag", "code"), [("", 0), ("--strict", 1)])
def test_a_failed_gate_is_a_result_and_only_strict_makes_it_an_exit_code(
    cli: Cli, twin: Path, monkeypatch: pytest.MonkeyPatch, flag: str, code: int
) -> None:
    monkeypatch.setattr(pipeline, "STUDIES", STUDIES[1:2])
    monkeypatch.setattr(steps, "study", failing)
    monkeypatch.setattr(pipeline, "render", lambda folder: folder / "report.html")
    done = cli("run", "--source", twin, "--out", "RUN", *flag.split())
    assert (done.returncode, done.stderr) == (code, "")
    [row] = [line for line in done.stdout.splitlines() if line.startswith("baseline")]
    assert row.rstrip().split(maxsplit=3)[1:] == ["FAIL", "none", "[red] below [0, 1]"]


def test_progress_goes_to_the_error_stream_and_only_before_a_person(
    cli: Cli, twin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes both streams for a terminal
    done = cli("audit", "--source", twin, "--json")
    assert json.loads(done.stdout)["findings"]
    for word in ("ingest", "features", "leak audit", "eta", "MiB", "done"):
        assert word in done.stderr


def test_study_list_names_every_study(cli: Cli) -> None:
    names = {study.name for study in (*STUDIES, *ON_REQUEST)}
    rows = [line.split(maxsplit=2) for line in succeeded(cli("study", "list")).splitlines()]
    assert {name for _, name, _ in rows} == names
    assert [number for number, _, _ in rows][:4] == ["0.1", "0.2", "0.2b", "0.3"]
    assert all(question.endswith("?") for _, _, question in rows)
    listed = parsed(cli("study", "list", "--json"))["studies"]
    assert [[study["id"], study["name"], study["question"]] for study in listed] == rows


def test_a_setting_may_hold_an_equals_sign_and_blanks() -> None:
    assert options.pairs(["a.b = c=d", "e="]) == {"a.b": "c=d", "e": ""}


def test_the_installed_program_runs_a_command_in_silence(twin: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("giftlive")
    command = [str(program), "ingest", "--source", str(twin), "--out", "STORE", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert parsed(done)["store"] == "STORE"
    assert [p.name for p in tmp_path.iterdir()] == ["STORE"]
