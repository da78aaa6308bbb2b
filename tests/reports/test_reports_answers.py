"""The line that heads a slide: a study's answer with its intervals, never more than it may say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from giftlive.evaluation.checks import EXACT
from giftlive.evaluation.results import Estimate, Gate, StudyResult
from giftlive.reports.answers import answer, answer_key
from giftlive.reports.i18n import catalogue, holes
from giftlive.reports.page import Speaker
from giftlive.reports.sheets import write_slides
from giftlive.studies.registry import ON_REQUEST, STUDIES
from giftlive.types import Message

WriteRun = Callable[..., Path]
NAMES = [study.name for study in (*STUDIES, *ON_REQUEST)]
LONGEST = 130
"""Letters of a heading without its numbers: two lines of a slide."""


def share(name: str, value: float | None, **other: Any) -> Estimate:
    low, high = (None, None) if value is None else (value - 0.005, value + 0.005)
    given: dict[str, Any] = {
        "method": "t",
        "n": 20,
        "n_unit": "evenings",
        "unit": "share",
        "low": low,
    } | other
    given = {"high": high, "denominator": "the bound", "population": "evenings"} | given
    return Estimate(name=name, value=value, **given)


def priced(gain: Estimate, reached: Estimate, verdict: Any = "FAIL") -> StudyResult:
    gate = Gate("shadow_price", "rule", "", verdict, "reason", "no change", reached, 0.9)
    return StudyResult(
        "shadow_price", "5.2", Message("study.shadow_price.question", {}), 1, {}, {}, "v",
        gates=(gate,), estimates=(gain, reached),
        text={"finding": (Message("free", {"text": "told at length"}),)},
    )  # fmt: skip


GAIN = share("dual_price_minus_greedy", 0.37, unit="relative change")
REACHED = share("dual_price_share_of_bound", 0.383)


def told(result: StudyResult, lang: str = "en") -> str:
    return answer(result, Speaker(lang, is_kuailive=False)).replace("\u202f", " ")


@pytest.mark.parametrize("name", NAMES)
def test_every_study_has_a_line_in_every_language_with_the_same_numbers(name: str) -> None:
    lines = {lang: catalogue(lang)[answer_key(name)] for lang in ("en", "zh")}
    assert holes(lines["en"]) == holes(lines["zh"]) != frozenset()
    for line in lines.values():
        assert line[-1] in ".。"
        assert "?" not in line
        assert "{verdict}" not in line  # the chip beside it says it
    words = lines["en"]
    for hole in holes(words):
        words = words.replace(hole, "")
    assert len(words) <= LONGEST + 10 * len(holes(lines["en"]))


def test_an_estimate_is_written_with_its_interval() -> None:
    assert told(priced(GAIN, REACHED)) == (
        "On estimated values dual prices change revenue by +37.0 % [+36.5, +37.5] against greedy"
        " and reach 38.3 % [37.8, 38.8] of the bound."
    )
    assert "+37.0 % [+36.5, +37.5]" in told(priced(GAIN, REACHED), "zh")


@pytest.mark.parametrize("verdict", ["INCONCLUSIVE", "NOT ANSWERABLE"])
def test_an_answer_that_no_gate_decided_begins_with_that(verdict: str) -> None:
    assert told(priced(GAIN, REACHED, verdict)).startswith("Not decided: On estimated values")
    assert told(priced(GAIN, REACHED, verdict), "zh").startswith("尚无定论：")
    assert told(priced(GAIN, REACHED, "PASS")).startswith("On estimated values")


def test_a_value_without_its_interval_says_so_and_an_exact_one_needs_none() -> None:
    bare = replace(GAIN, low=None, high=None)
    assert told(priced(bare, REACHED)).endswith("of the bound. (Without an interval.)")
    exact = replace(GAIN, method=EXACT, low=0.37, high=0.37)
    assert told(priced(exact, REACHED)).startswith(
        "On estimated values dual prices change revenue by +37 % against greedy"
    )
    assert "Without" not in told(priced(exact, REACHED))


def test_a_number_that_may_not_be_printed_is_not_in_a_heading_whatever_the_finding_says() -> None:
    withheld = replace(GAIN, value=None, low=None, high=None, status="not_enough_data")
    result = priced(withheld, REACHED)
    finding = Message("free", {"text": "x", "dual_price_minus_greedy": 0.37})
    assert told(replace(result, text={"finding": (finding,)})) == ""
    assert told(replace(result, skipped=Message("free", {"text": "no"}))) == ""
    assert told(replace(result, study="unheard")) == ""


@pytest.mark.parametrize(
    ("lang", "asked"), [("en", "What do dual prices earn"), ("zh", "座位稀缺时")]
)
def test_the_slide_is_headed_by_the_answer_and_asks_in_small_print(
    run_writer: WriteRun, lang: str, asked: str
) -> None:
    told_first = write_slides(run_writer("a", results=(priced(GAIN, REACHED),)), lang).read_text()
    (heading,) = [
        line for line in told_first.splitlines() if "38.3\u202f%" in line and "h2" in line
    ]
    assert asked not in heading
    assert f'<p class="asked">{asked}' in told_first
    withheld = replace(REACHED, value=None, status="undefined")
    open_run = run_writer("b", results=(priced(GAIN, withheld),))
    asked_first = write_slides(open_run, lang).read_text()
    assert f"<h2>{asked}" in asked_first
    assert 'class="asked"' not in asked_first
