"""A run folder as the pipeline leaves it: every verdict, every style of figure, a skipped study."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from giftlive.evaluation.results import (
    Check,
    Estimate,
    Figure,
    Gate,
    Series,
    StudyResult,
    Table,
    Verdict,
)
from giftlive.types import Message

HOSTILE = "<script>alert('x')</script>"
WriteRun = Callable[..., Path]


def say(text: str, **params: Any) -> Message:
    return Message("synthetic.sentence", {"text": text, **params})


def estimate(name: str, value: float, half: float, unit: str = "share", **other: Any) -> Estimate:
    fields: dict[str, Any] = {
        "method": "bootstrap clustered by user, 200 replicates",
        "n": 20_000,
        "n_unit": "users",
        "denominator": "all decisions",
        "population": "users active on the test days",
    }
    return Estimate(name, value, value - half, value + half, unit=unit, **(fields | other))


def unprinted(name: str) -> Estimate:
    return Estimate(
        name, None, None, None, "none", 41, "users", "share", "sessions", "newcomers",
        status="not_enough_data", reason="need about 420 users, there are 41",
    )  # fmt: skip


def gate(name: str, verdict: Verdict, found: Estimate | None, threshold: float) -> Gate:
    return Gate(
        id=name,
        rule="the 95 % interval of the paired difference lies above the threshold",
        rule_as_published="Top-1 % capture above the past-spend ranker",
        verdict=verdict,
        reason="the interval lies in the passing region" if found else "checks failed: movable",
        consequence="serve the chosen value model" if verdict == "PASS" else "no change",
        estimate=found,
        threshold=threshold,
    )


def _figure(name: str, title: str, series: tuple[Series, ...], **other: Any) -> Figure:
    fields: dict[str, Any] = {
        "subtitle": "share of revenue, users active on the test days, n = 23 772 users",
        "x_label": "share of users",
        "y_label": "share of revenue",
        "shows": say("Spending is concentrated far beyond what independence would give."),
        "follows": say("A metric that averages over users hides the ones who pay."),
    }
    return Figure(name=name, title=title, series=series, **(fields | other))


def _lorenz() -> Figure:
    p = [k / 40 for k in range(41)]
    curves = {"users": 6.0, "streamers": 3.2, "rooms": 2.6}
    lines = tuple(Series(n, tuple(p), tuple(v**a for v in p)) for n, a in curves.items())
    equal = Series("equality", (0.0, 1.0), (0.0, 1.0), "reference")
    return _figure("lorenz", f"Top 1 % of users pay 60 % {HOSTILE}", (*lines, equal))


def _ccdf() -> Figure:
    x = [10 ** (k / 5) for k in range(26)]
    y = [v**-0.75 for v in x]
    line = Series(
        "gifts", tuple(x), tuple(y), "line",
        tuple(v * 0.8 for v in y), tuple(v * 1.2 for v in y), tuple(int(1e6 * v) + 1 for v in y),
    )  # fmt: skip
    zero = Series("zero", (0.0,), (1.0,), "dots")
    return _figure(
        "amount_ccdf", "One gift in a hundred is worth more than 400",
        (line, zero), x_scale="log", y_scale="log",
        x_label="amount (platform units)", y_label="share of gifts at least this large",
    )  # fmt: skip


def _models() -> Figure:
    names = ("user past spend", "pair past spend", "streamer past income", "ridge", "boosted")
    y = (0.41, 0.38, 0.12, 0.44, 0.52)
    dots = tuple(
        Series(
            fold, names, tuple(v + d for v in y), "dots",
            tuple(v + d - 0.03 for v in y), tuple(v + d + 0.03 for v in y), (4000,) * 5,
        )
        for fold, d in (("fold 1", 0.0), ("fold 2", 0.012), ("fold 3", -0.02))
    )  # fmt: skip
    ceiling = Series("Bayes ceiling", names, (0.61,) * 5, "reference")
    return _figure(
        "leaderboard", "The boosted model captures a quarter more revenue than past spend",
        (*dots, ceiling), horizontal=True, x_scale="category",
        x_label="model", y_label="revenue captured by the top 1 % (share)",
    )  # fmt: skip


def _policies() -> Figure:
    load = (0.3, 0.6, 0.9, 1.2, 1.5)
    curves = (("dual price", 0.98), ("greedy with cap", 0.93), ("greedy", 0.9), ("uniform", 0.31))
    lines = tuple(
        Series(
            name, load, tuple(top - 0.08 * x * k for x in load), "line",
            tuple(top - 0.08 * x * k - 0.02 for x in load),
            tuple(top - 0.08 * x * k + 0.02 for x in load), (20,) * 5,
        )
        for k, (name, top) in enumerate(curves)
    )  # fmt: skip
    bound = Series("offline bound", (0.3, 1.5), (1.0, 1.0), "reference")
    return _figure(
        "revenue_by_load", "Prices stay within 2 % of the bound at every load", (*lines, bound),
        x_label="load (demand / capacity)", y_label="expected revenue / bound",
    )  # fmt: skip


def _bars() -> Figure:
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    y = tuple(820_000.0 + 60_000 * math.sin(k) for k in range(7))
    bars = Series("clicks", days, y, "bars", tuple(v * 0.97 for v in y), tuple(v * 1.03 for v in y))
    return _figure(
        "weekday", "Volume hardly depends on the weekday", (bars,),
        x_scale="category", x_label="local weekday", y_label="clicks per day",
    )  # fmt: skip


def exploration() -> StudyResult:
    return StudyResult(
        study="exploration", id="0.1", question=say("What do the logs say?"), seed=7,
        config={"bootstrap": 200, "tz": "Asia/Shanghai"}, inputs={"fingerprint": "ab" * 16},
        code_version="0.1.0", figures=(_lorenz(), _ccdf(), _bars()),
        estimates=(
            estimate("top_1pct_share", 0.603, 0.031),
            estimate("gift_rate", 0.0157, 0.0004, denominator="sessions"),
            unprinted("newcomer_rate"),
        ),
        tables=(
            Table(
                "attribution", ("window", "share of gifts", "share of amount", "note"),
                ("min", "share", "share", ""),
                ((0, 0.871, 0.842, "entry-stamped"), (1, 0.874, None, HOSTILE)),
                say("Coverage of the attribution window by count and by value."),
            ),
        ),
        text={
            "finding": (say("The top 1 % of users pay {x}.", x=estimate("t", 0.603, 0.031)),),
            "headline": (
                say("of revenue comes from the top 1 % of users", estimate="top_1pct_share"),
                say("of sessions carry a gift", estimate="gift_rate"),
            ),
            "cannot_tell": (
                say("When a gift was given: `ts` is the time of entry, so a delay has no trace."),
                say("What users would have done in rooms they were never shown."),
            ),
            "consensus": (
                Message(
                    "synthetic.claim",
                    {
                        "claim": "Revenue is concentrated",
                        "evidence": estimate("top_1pct_share", 0.603, 0.031),
                        "decision": "Judge models by revenue captured at the head",
                    },
                ),
            ),
            "limits": (say("Seven days cannot show a season."),),
            "unknown_role": (say("ignored"),),
        },
    )  # fmt: skip


def baseline() -> StudyResult:
    gain = estimate("revenue_capture_1pct_gain", 0.0412, 0.0131, "share difference")
    return StudyResult(
        study="baseline", id="0.2", seed=7, config={"folds": 3}, inputs={}, code_version="0.1.0",
        question=say("Does a fitted model beat the best trivial ranker?"),
        checks=(
            Check("a_a", True, 0.0, "exactly 0", "two identical models tie"),
            Check("movable", True, 0.29, "> 0.013", "best and worst ranker differ"),
            Check("power", False, 0.02, "<= 0.01", f"smallest detectable effect {HOSTILE}"),
        ),
        estimates=(gain,), gates=(gate("baseline", "PASS", gain, 0.0),), figures=(_models(),),
        text={
            "finding": (say("The boosted model captures more revenue at the head."),),
            "headline": (say("more revenue captured at 1 %", estimate=gain.name),),
            "mechanism": (
                say("Past spend knows who pays, the model also knows where:"),
                say(r"$$V(x) = p(x)\, m(x) = \Pr(Y > 0 \mid x)\; \mathbb{E}[Y \mid Y > 0, x]$$"),
                say(r"and capture is $\frac{\sum_{i \in T_k} y_i}{\sum_i y_i}$ over the top $k$."),
            ),
            "inputs": (say("sessions with matured labels", value=4_293_908),),
            "outputs": (say("paired gain in revenue capture", value=gain),),
            "pipeline": (say("Split by whole local days."), say("Fit."), say("Test once.")),
            "outcomes": (
                Message("synthetic.o", {"outcome": "pass", "when": "> 0", "then": "serve it"}),
                Message("synthetic.o", {"outcome": "reject", "when": "< 0", "then": "past spend"}),
            ),
            "symbols": (say(r"$\hat{V}(x)$ is the predicted amount."),),
            "decision": (say("Serve the boosted model."),),
            "assumptions": (
                Message("synthetic.a", {"assumption": "no drift", "handling": "rolling origins"}),
            ),
            "cannot_tell": (say("Whether the gain survives a change of the platform's ranking."),),
            "tradeoffs": (say("Accuracy at the head is paid for in calibration at the tail."),),
            "next": (say("Distil the model and re-rank twenty candidates."),),
            "modules": (
                say("named random streams", where="rng:stream"),
                say("a function of a later version", where="rng:unheard_of"),
            ),
        },
    )  # fmt: skip


def _gated(study: str, number: str, question: str, verdict: Verdict, found: Estimate | None,
           threshold: float, figures: tuple[Figure, ...] = ()) -> StudyResult:  # fmt: skip
    text: dict[str, tuple[Message, ...]] = {
        "finding": (say(f"The answer to “{question}” so far."),)
    }
    if found:
        text["headline"] = (say("is the estimate of this gate", estimate=found.name),)
    return StudyResult(
        study=study, id=number, question=say(question), seed=7, config={}, inputs={},
        code_version="0.1.0", estimates=(found,) if found else (),
        gates=(gate(study, verdict, found, threshold),), figures=figures,
        text=text,
    )  # fmt: skip


def studies() -> tuple[StudyResult, ...]:
    ope = estimate("snips_count_coverage", 0.953, 0.031, n=400, n_unit="replications")
    price = estimate("dual_price_share_of_bound", 0.861, 0.012, n=20, n_unit="seeds")
    skipped = StudyResult(
        study="delay", id="1.2", question=say("Is delayed feedback a problem here?"), seed=7,
        config={}, inputs={}, code_version="0.1.0",
        skipped=say("the source has no table of clicks"),
    )  # fmt: skip
    return (
        exploration(),
        baseline(),
        skipped,
        _gated("off_policy", "3.1", "Do intervals from logs cover the truth?", "INCONCLUSIVE",
               ope, 0.93),
        _gated("shadow_price", "5.2", "Do prices reach the offline bound?", "FAIL", price, 0.9,
               (_policies(),)),
        _gated("risk", "5.4", "Does caution pay?", "NOT ANSWERABLE", None, 0.1),
    )  # fmt: skip


def manifest(label: str = "calibrated world") -> dict[str, Any]:
    return {
        "code_version": "0.1.0",
        "created": "2025-06-01T08:00:00Z",
        "command": "giftlive run --source world:tiny --seed 7",
        "seed": 7,
        "label": label,
        "source": {
            "kind": "kuailive", "label": label, "fingerprint": "ab" * 16, "tz": "Asia/Shanghai",
            "unit": "platform unit", "window": [1_746_374_400_000, 1_748_102_400_000],
            "rows": {"click": 481_204, "gift": 7_112, "room": 20_411, "comment": 0},
        },
        "rules_hash": "0f" * 16,
        "packages": {"duckdb": "2.0.1", "numpy": "2.4.0"},
        "peak_memory_mb": 812.4,
        "steps": [
            {"name": "ingest", "seconds": 2.31, "status": "done", "reason": ""},
            {"name": "facts", "seconds": 0.004, "status": "cached", "reason": ""},
            {"name": "delay", "seconds": 0.0, "status": "skipped", "reason": "no clicks"},
        ],
    }  # fmt: skip


def write_run(folder: Path, results: tuple[StudyResult, ...] | None = None, **changes: Any) -> Path:
    (folder / "results").mkdir(parents=True)
    text = json.dumps(manifest() | changes)
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    for result in studies() if results is None else results:
        path = folder / "results" / f"{result.study}.json"
        path.write_text(json.dumps(result.as_dict()), encoding="utf-8")
    return folder


@pytest.fixture
def run_writer(tmp_path: Path) -> WriteRun:
    def write(name: str = "run", **arguments: Any) -> Path:
        return write_run(tmp_path / name, **arguments)

    return write


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from giftlive.reports import render

    folder = write_run(tmp_path_factory.mktemp("rendered") / "run")
    render(folder)
    return folder


@pytest.fixture
def all_studies() -> tuple[StudyResult, ...]:
    return studies()
