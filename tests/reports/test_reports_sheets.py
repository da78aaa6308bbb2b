"""The summary and the slides: one file each, nothing from outside, the report's own numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from giftlive.evaluation.results import StudyResult
from giftlive.reports.sheets import GATES_ON_SLIDE, GATES_ON_SUMMARY, write_slides, write_summary

WriteRun = Callable[..., Path]
WRITERS = {"summary": write_summary, "slides": write_slides}
HOSTILE = "<script>alert('x')</script>"


class Parts(HTMLParser):
    """Collects what could ask the network for something, and the slides."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.slides = 0
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.slides += tag == "section" and "slide" in (found.get("class") or "").split()
        wanted = ("href", "src", "srcset", "action", "xlink:href")
        self.addresses += [value for name, value in attrs if name in wanted and value]
        if found.get("id"):
            self.ids.append(str(found["id"]))


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_one_file_that_asks_for_nothing(run_writer: WriteRun, name: str, lang: str) -> None:
    text = WRITERS[name](run_writer(), lang).read_text(encoding="utf-8")
    parts = Parts(text)
    assert [a for a in parts.addresses if not a.startswith(("#", "data:"))] == []
    assert len(parts.ids) == len(set(parts.ids))
    assert "default-src 'none'" in text
    assert not re.search(r"url\((?!#)", text)
    assert "http" not in text.replace("http-equiv", "")
    assert f'<html lang="{lang}">' in text
    assert HOSTILE not in text
    assert "[chrome." not in text
    assert len(text.encode()) < 400_000


@pytest.mark.parametrize("name", WRITERS)
def test_the_numbers_of_the_first_page_stand_on_it(run_writer: WriteRun, name: str) -> None:
    text = WRITERS[name](run_writer()).read_text(encoding="utf-8").replace("\u202f", " ")
    for number in ("60.3 %", "+4.1 pp", "[84.9, 87.3]"):
        assert number in text
    for verdict in ("PASS", "FAIL", "INCONCLUSIVE", "NOT ANSWERABLE"):
        assert f">{verdict}</span>" in text
    assert "2.1 concave_returns" in text  # what was not run is named


def test_every_study_that_ran_has_a_slide_and_gates_go_on_as_many_as_they_need(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    text = write_slides(run_writer()).read_text(encoding="utf-8")
    ran = [result for result in all_studies if result.skipped is None]
    gates = sum(len(result.gates) for result in ran)
    boards = -(-gates // GATES_ON_SLIDE)
    assert Parts(text).slides == 5 + boards + len(ran)
    assert text.count('<div class="static"') == sum(bool(result.figures) for result in ran)


def test_what_a_summary_has_no_room_for_is_counted(
    run_writer: WriteRun, all_studies: tuple[StudyResult, ...]
) -> None:
    from dataclasses import replace

    shadow = next(result for result in all_studies if result.study == "shadow_price")
    many = replace(shadow, gates=shadow.gates * (GATES_ON_SUMMARY + 3))
    text = write_summary(run_writer(results=(many,))).read_text(encoding="utf-8")
    assert "3 more in the report" in text
    assert text.count('class="whisker"') == GATES_ON_SUMMARY
