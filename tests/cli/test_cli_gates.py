"""``giftlive gates``: the board of a run, for people and for the console, in both languages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Cli = Callable[..., CompletedProcess[str]]

GATE = {
    "id": "baseline",
    "rule": "better by 0",
    "rule_as_published": "better",
    "verdict": "PASS",
    "reason": "the interval lies above 0",
    "consequence": "go on",
    "estimate": {
        "name": "revenue_capture_1pct_gain", "value": 0.5, "low": 0.25, "high": 0.75,
        "method": "influence_t", "n": 9, "n_unit": "users", "unit": "share", "denominator": "d",
        "population": "p", "status": "ok", "reason": "",
    },
    "threshold": 0.0,
    "threshold_high": None,
}  # fmt: skip


def _study(name: str, number: str, **more: Any) -> dict[str, Any]:
    question = {"key": f"study.{name}.question", "params": {}}
    plain = {"study": name, "id": number, "question": question, "seed": 0, "config": {}}
    return plain | {"inputs": {}, "code_version": "x"} | more


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "RUN"
    (folder / "results").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"code_version": "1+a"}), encoding="utf-8")
    why = {"key": "free", "params": {"text": "no such table"}}
    for study in (
        _study("baseline", "0.2", gates=[GATE]),
        _study("exploration", "0.1"),
        _study("delay", "1.2", skipped=why),
    ):
        path = folder / "results" / f"{study['study']}.json"
        path.write_text(json.dumps(study), encoding="utf-8")
    return folder


def test_the_board_holds_every_study_in_order_with_its_gates(cli: Cli, run: Path) -> None:
    done = cli("gates", run, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    board = json.loads(done.stdout)
    assert [s["id"] for s in board["studies"]] == ["0.1", "0.2", "1.2"]
    gate = board["studies"][1]["gates"][0]
    assert (gate["estimate"], gate["low"], gate["high"]) == (0.5, 0.25, 0.75)
    assert (gate["from"], gate["to"], gate["verdict"]) == (0.0, None, "PASS")
    assert (gate["rule"], gate["consequence"]) == (GATE["rule"], GATE["consequence"])
    assert board["studies"][2]["verdicts"] == ["SKIPPED"]
    assert board["studies"][2]["answer"] == "no such table"
    assert board["code_version"] == "1+a"


def test_it_speaks_both_languages(cli: Cli, run: Path) -> None:
    said = {
        lang: json.loads(cli("gates", run, "--lang", lang, "--json").stdout)["studies"]
        for lang in ("en", "zh")
    }
    for en, zh in zip(said["en"], said["zh"], strict=True):
        assert en["question"] != zh["question"]
        assert en["gates"] == zh["gates"]


def test_people_read_lines(cli: Cli, run: Path) -> None:
    first, second, *_ = cli("gates", run).stdout.splitlines()
    assert first.startswith("0.1  ")
    assert second.startswith("0.2  ")
    assert second.endswith("PASS")


def test_a_folder_that_is_no_run_is_refused(cli: Cli, tmp_path: Path) -> None:
    done = cli("gates", tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
