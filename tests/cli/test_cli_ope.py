"""``giftlive ope``: one table or one JSON object, and a paragraph for everything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.evaluation.off_policy_log import LogEvaluator
from giftlive.evaluation.target_policies import named_target
from giftlive.logs.decisions import DecisionLog, DecisionWriter, open_decisions
from giftlive.logs.decisions.arrow import as_table
from giftlive.ope import IPS, SNIPS
from giftlive.testing import make_decisions

Cli = Callable[..., CompletedProcess[str]]


@cache
def decisions() -> DecisionLog:
    log = make_decisions(1, 1_500)
    return log.rows((log.position == -1) & log.matured & log.shown)


@pytest.fixture
def log(cli: Cli) -> Path:
    """Write a log of matured single choices into the folder in which the command runs."""
    folder = Path("LOG")
    folder.mkdir()
    with DecisionWriter(folder / "decision.parquet") as writer:
        writer.append(decisions())
    return folder


def paragraph(done: CompletedProcess[str], code: int) -> str:
    """Return what the command said on its way out: one line that begins with its name."""
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("giftlive: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_it_prints_estimates_weights_and_audit(cli: Cli, log: Path) -> None:
    done = cli("ope", "--log", log, "--policy", "uniform")
    assert (done.returncode, done.stderr) == (0, "")
    n, users = len(decisions()), len(np.unique(decisions().user_id))
    first, head, *rest = done.stdout.splitlines()
    assert first.startswith(f"uniform judged from {n:,} decisions for {users:,} users by softmax")
    assert head.split()[:2] == ["estimator", "value"]
    assert [line.split()[0] for line in rest[:2]] == ["ips", "snips"]
    assert "40 users (far target), need" in rest[0]  # bounds are withheld
    assert any(line.startswith("weights: worth ") for line in rest)
    audited = [line.split()[1] for line in rest if line.startswith("audit: ")]
    assert audited == [
        "weights_average_one",
        "choices_follow_propensities",
        "reliability",
        "draws_independent",
        "chance_left",
    ]


def test_json_holds_what_python_finds(cli: Cli, log: Path) -> None:
    target = "--policy", "softmax", "--set", "temperature=2.0"
    done = cli("ope", "--log", log / "decision.parquet", *target, "--json", "--jobs", "1")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    file = open_decisions(log / "decision.parquet")
    policy = named_target("softmax", {"temperature": "2.0"}, file)
    expected = LogEvaluator(policy, (IPS, SNIPS)).evaluate(file)
    assert found["target"] == "softmax(temperature=2.0)"
    assert found["log"]["decisions"] == file.rows
    assert found["weights"]["effective_decisions"] == expected.diagnostics.effective_n
    for shown, e in zip(found["estimates"], expected.estimates, strict=True):
        assert (shown["estimator"], shown["value"]) == (e.estimator, e.interval.value)
        assert shown["low"] is None
        assert shown["reason"] == e.interval.reason != ""


def test_rewards_and_estimators_are_chosen(cli: Cli, log: Path) -> None:
    done = cli("ope", "--log", log, "--policy", "uniform", "--reward", "amount", "--json")
    names = [e["estimator"] for e in json.loads(done.stdout)["estimates"]]
    assert names == ["ips", "snips", "dr", "sndr"]
    capped = "--reward", "capped", "--cap", "20", "--estimators", "clipped_ips:5,snips"
    found = json.loads(cli("ope", "--log", log, "--policy", "uniform", *capped, "--json").stdout)
    assert [e["estimator"] for e in found["estimates"]] == ["clipped_ips(5)", "snips"]
    assert (found["reward"], found["cap"]) == ("capped", 20.0)


def test_a_file_of_probabilities_is_a_policy(cli: Cli, log: Path) -> None:
    rows = decisions()
    counts = rows.available.sum(axis=1)
    table = {
        "decision_id": rows.decision_id.tolist(),
        "candidates": [r[:k].tolist() for r, k in zip(rows.candidates, counts, strict=True)],
        "probabilities": [[1.0 / k] * k for k in counts.tolist()],
    }
    pq.write_table(pa.table(table), "target.parquet")
    given = json.loads(cli("ope", "--log", log, "--policy", "target.parquet", "--json").stdout)
    named = json.loads(cli("ope", "--log", log, "--policy", "uniform", "--json").stdout)
    assert given | {"target": "uniform"} == named
    pq.write_table(pa.table(table).slice(1), "short.parquet")
    said = paragraph(cli("ope", "--log", log, "--policy", "short.parquet"), 2)
    assert f"decision {rows.decision_id[0]} is missing (1 of {len(rows):,} are like it)" in said


def test_a_target_outside_the_support_ends_with_3(cli: Cli, log: Path) -> None:
    rows = decisions()
    sure = (rows.candidates == rows.action[:, None]).astype(np.float64)
    exact: Any = np.full(len(rows), "exact", dtype=object)
    certain = replace(
        rows, propensities=sure, propensity=np.ones(len(rows)), propensity_kind=exact,
        draws=np.full(len(rows), -1),
    )  # fmt: skip
    with DecisionWriter(log / "decision.parquet") as writer:
        writer.append(certain)
    done = cli("ope", "--log", log, "--policy", "uniform")
    said = paragraph(done, 3)
    assert "ips has no answer" in said
    assert "of the target's mass is on candidates the log never shows" in said
    assert "undefined" in done.stdout  # the table is printed all the same
    done = cli("ope", "--log", log, "--policy", "uniform", "--json")
    assert json.loads(done.stdout)["weights"]["status"] == "undefined"
    assert json.loads(done.stderr)["error"] == "NotEnoughDataError"
    model = "--reward", "amount", "--estimators", "dm"
    assert cli("ope", "--log", log, "--policy", "uniform", *model).returncode == 0


def test_a_log_without_propensities_is_told_what_to_log(cli: Cli, log: Path) -> None:
    path = log / "decision.parquet"
    table = pq.read_table(path).drop_columns(["propensity", "propensities"])
    pq.write_table(table, path)
    said = paragraph(cli("ope", "--log", log, "--policy", "uniform"), 2)
    assert "log `propensity` (of the action) and `propensities`" in said


def test_slates_are_judged_by_their_own_estimators(cli: Cli, log: Path) -> None:
    made = make_decisions(1, 900)
    waiting = made.slate_id[~made.matured]
    whole = made.rows(~np.isin(made.slate_id.astype(str), waiting[waiting != None].astype(str)))  # noqa: E711
    pq.write_table(as_table(whole.rows(whole.matured)), log / "decision.parquet")
    done = cli("ope", "--log", log, "--policy", "uniform", "--json")
    found = json.loads(done.stdout)
    assert [e["estimator"] for e in found["estimates"]] == ["sips", "rips", "snrips"]
    assert found["log"]["decisions"] < len(whole)  # a slate is one
    wrong = "ope", "--log", log, "--policy", "uniform"
    assert "of slates one of sips" in paragraph(cli(*wrong, "--estimators", "ips"), 2)
    assert "a twin of slates" in paragraph(cli(*wrong, "--advise", "9"), 2)


def test_advice_and_page_come_with_the_estimates(cli: Cli, log: Path) -> None:
    asked = "ope", "--log", log, "--policy", "uniform", "--advise", "12", "--out", "PAGE"
    done = cli(*asked)
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("twins: ") for line in done.stdout.splitlines())
    names = sorted(path.name for path in Path("PAGE").iterdir())
    assert names == ["figures", "ope.html", "ope.json"]
    written = json.loads(Path("PAGE/ope.json").read_text())
    assert written["advice"]["twins"] == 12
    assert "page of off-policy estimates exists" in paragraph(cli(*asked), 2)


def test_an_empty_log_ends_with_3(cli: Cli, log: Path) -> None:
    pq.write_table(as_table(decisions().rows(slice(0, 0))), log / "decision.parquet")
    assert "no decisions" in paragraph(cli("ope", "--log", log, "--policy", "uniform"), 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--log LOG --policy unifrom", "'unifrom' is no policy and no file"),
        ("--log LOG --policy absent.parquet", "absent.parquet: not readable"),
        ("--log LOG --policy dual_price", "give them as a Parquet file"),
        ("--log LOG --policy concave", "earlier decisions, which a decision log does not hold"),
        ("--log LOG --log LOG/decision.parquet --policy uniform", "the same file twice"),
        ("--log . --policy uniform", "no decision log; expected a folder with decision*.parquet"),
        ("--log LOG --policy uniform --reward money", "--reward: 'money'"),
        ("--log LOG --policy uniform --reward capped", "--cap: no cap for reward capped"),
        ("--log LOG --policy uniform --cap 3", "--cap: a cap of 3 for reward count"),
        ("--log LOG --policy uniform --estimators ips,snip", "did you mean 'snips'?"),
        ("--log LOG --policy uniform --estimators ips,ips", "ips more than once"),
        ("--log LOG --policy uniform --estimators dr", "dr needs a model of the reward"),
        ("--log LOG --policy uniform --method wilson", "--method: 'wilson'"),
        ("--log LOG --policy softmax --set warm", "'warm' is not a setting"),
        ("--log LOG --policy softmax --set temperature=-1", "softmax.temperature"),
    ],
)
def test_mistakes_are_one_paragraph(arguments: str, words: str, cli: Cli, log: Path) -> None:
    assert words in paragraph(cli("ope", *arguments.split()), 2)


def test_what_a_cap_leaves_out_is_printed_apart(cli: Cli, log: Path) -> None:
    asked = "ope", "--log", log, "--policy", "uniform", "--reward", "capped", "--cap", "1"
    lines = cli(*asked).stdout.splitlines()
    (line,) = (line for line in lines if line.startswith("above the cap: "))
    found = json.loads(cli(*asked, "--json").stdout)["above_cap"]
    above = int((decisions().reward > 1.0).sum())
    assert found["gifts"] == above >= 30
    assert "modelled apart" in line or found["status"] == "undefined"
    plain = json.loads(cli("ope", "--log", log, "--policy", "uniform", "--json").stdout)
    assert plain["above_cap"] is None


def test_balanced_estimators_ask_for_the_logging_policies(cli: Cli, log: Path) -> None:
    asked = "ope", "--log", log, "--policy", "greedy", "--estimators"
    said = paragraph(cli(*asked, "balanced_ips"), 2)
    assert "--logger: balanced_ips without the logging policies" in said
    assert "policies that no estimator asks for" in paragraph(
        cli(*asked, "ips", "--logger", "uniform"), 2
    )
    wrong = paragraph(cli(*asked, "balanced_ips", "--logger", "softmax:temperature"), 2)
    assert "--logger: 'temperature' is not a setting" in wrong
    told = paragraph(cli(*asked, "balanced_ips", "--logger", "softmax:temperature=3,scale=1"), 2)
    assert "logging policy 1" in told
    assert "its log" in told


def test_a_single_policy_balances_nothing(cli: Cli, log: Path) -> None:
    """Given as a file of what it logged, its mixture with nobody is itself."""
    rows = decisions()
    many = rows.available.sum(axis=1)
    lists = {
        name: [row[:k].tolist() for row, k in zip(table, many, strict=True)]
        for name, table in (("candidates", rows.candidates), ("probabilities", rows.propensities))
    }
    pq.write_table(pa.table({"decision_id": rows.decision_id.tolist()} | lists), "own.parquet")
    asked = "--estimators", "ips,balanced_ips", "--logger", "own.parquet", "--json"
    done = cli("ope", "--log", log, "--policy", "uniform", *asked)
    assert (done.returncode, done.stderr) == (0, "")
    values = {e["estimator"]: e["value"] for e in json.loads(done.stdout)["estimates"]}
    assert values["balanced_ips"] == pytest.approx(values["ips"], rel=1e-12)
