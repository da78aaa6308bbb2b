"""What only a browser can tell: nothing overflows, filters filter, keys turn slides, sheets print.

Needs Playwright and Debian's Chromium (``scripts/setup --browser``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.browser import PATIENCE_MS, chromium
from tests.reports.conftest import studies, write_run

from giftlive.reports import render
from giftlive.reports.sheets import write_slides, write_summary
from giftlive.studies.registry import ON_REQUEST, STUDIES
from giftlive.types import Message

pytestmark = pytest.mark.slow

OVERFLOWING = """[...document.querySelectorAll('body *')]
  .filter((e) => !e.closest('.scroll, thead, .skip-link, svg, .plot, .static, .board, .formula'))
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => e.outerHTML.slice(0, 90))"""
WRITERS = {"report": render, "summary": write_summary, "slides": write_slides}


browser = pytest.fixture(scope="module")(chromium)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Every kind of page in both languages, each in a run folder of its own."""
    found = {}
    for lang in ("en", "zh"):
        folder = write_run(tmp_path_factory.mktemp("pages") / lang)
        for name, write in WRITERS.items():
            found[name, lang] = write(folder, lang)
    return found


def opened(browser: Any, path: Path, width: int, **options: Any) -> Any:
    context = browser.new_context(viewport={"width": width, "height": 800}, **options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(path.as_uri())
    return page


def test_a_link_into_the_page_lands_on_its_target(
    browser: Any, pages: dict[tuple[str, str], Path]
) -> None:
    """Figures are drawn on the way down; their places were taken before."""
    page = opened(browser, pages["report", "en"], 1280)
    last = page.eval_on_selector_all("article.study", "all => all.map((a) => a.id)")[-1]
    page.evaluate("name => { location.hash = name; }", last)
    page.wait_for_function(
        """() => {
          const still = scrollY > 0 && scrollY === window.before;
          window.before = scrollY;
          return still;
        }""",
        polling=1_000,
    )
    assert (
        abs(
            page.evaluate("name => document.getElementById(name).getBoundingClientRect().top", last)
        )
        < 3
    )


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_overflows_a_phone_and_nothing_is_asked_for(
    browser: Any, pages: dict[tuple[str, str], Path], name: str, lang: str
) -> None:
    page = opened(browser, pages[name, lang], 390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(OVERFLOWING) == []
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []


def test_without_scripts_every_figure_is_there_and_no_filter(
    browser: Any, pages: dict[tuple[str, str], Path]
) -> None:
    page = opened(browser, pages["report", "en"], 1280, java_script_enabled=False)
    figures = page.locator("figure .static svg")
    assert figures.count() == page.locator("figure").count() > 0
    assert figures.first.bounding_box()["height"] > 100
    assert not page.locator(".filter").first.is_visible()


def test_the_filter_shows_one_verdict_and_all_again(
    browser: Any, pages: dict[tuple[str, str], Path]
) -> None:
    page = opened(browser, pages["report", "en"], 1280)
    rows = page.locator("#board-gates tbody tr")
    page.locator(".filter button", has_text="FAIL").click()
    assert [row.is_visible() for row in rows.all()] == [False, False, True, False]
    page.locator(".filter button", has_text="all").click()
    assert all(row.is_visible() for row in rows.all())


def test_no_figure_is_taller_than_a_sheet_of_paper(
    browser: Any, pages: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    tall = tmp_path / "tall.html"
    html = pages["report", "en"].read_text(encoding="utf-8")
    tall.write_text(re.sub(r'"height":\d+', '"height":3000', html), encoding="utf-8")
    page = opened(browser, tall, 1280)
    heights = "[...document.querySelectorAll('.plot')].map((e) => e.offsetHeight)"
    page.wait_for_function(f"Math.max(...{heights}) > 2900")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert max(page.evaluate(heights)) <= 800


def test_keys_turn_the_slides(browser: Any, pages: dict[tuple[str, str], Path]) -> None:
    page = opened(browser, pages["slides", "en"], 1280)

    def shown() -> list[int]:
        slides = page.locator(".slide").all()
        return [k for k, slide in enumerate(slides) if slide.is_visible()]

    last = page.locator(".slide").count() - 1
    assert shown() == [0]
    turns = [("ArrowRight", 1), (" ", 2), ("ArrowLeft", 1), ("End", last), ("PageDown", last)]
    for key, now in [*turns, ("Home", 0), ("ArrowLeft", 0)]:
        page.keyboard.press(key)
        assert shown() == [now]
        assert page.evaluate("document.querySelector('.slide.now').dataset.n") == str(now + 1)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_summary_prints_on_two_pages_and_slides_one_each(
    browser: Any, pages: dict[tuple[str, str], Path], lang: str
) -> None:
    page = opened(browser, pages["slides", lang], 1280)
    assert printed(page) == page.locator(".slide").count()
    assert printed(opened(browser, pages["summary", lang], 1280)) == 2


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_slide_of_a_whole_programme_is_higher_than_the_screen(
    browser: Any, tmp_path: Path, lang: str
) -> None:
    """The longest questions, a decision each: more gates and decisions than one slide holds."""
    judged = next(result for result in studies() if result.study == "shadow_price")
    assert judged.gates[0].estimate is not None
    found = replace(judged.gates[0].estimate, name="revenue_capture_1pct_gain")
    gate = replace(judged.gates[0], estimate=found)
    decision = Message("free", {"text": "use dual prices only where their paired gain is positive"})
    results = tuple(
        replace(
            judged, study=study.name, id=study.id, gates=(gate,), figures=(),
            question=Message(f"study.{study.name}.question", {}),
            text=judged.text | {"decision": (decision,)},
        )
        for study in (*STUDIES, *ON_REQUEST)[:7]
    )  # fmt: skip
    path = write_slides(write_run(tmp_path / "run", results), lang)
    page = opened(browser, path, 1280)
    page.set_viewport_size({"width": 1280, "height": 720})
    for k in range(page.locator(".slide").count()):
        page.evaluate(f"location.hash = '#{k + 1}'")
        page.wait_for_function(f"document.querySelector('.slide.now').dataset.n == '{k + 1}'")
        over = page.evaluate(
            "(s => s.scrollHeight - s.clientHeight)(document.querySelector('.now'))"
        )
        assert over <= 0, k + 1


def printed(page: Any) -> int:
    """Return how many sheets of paper a page takes."""
    paper: bytes = page.pdf(prefer_css_page_size=True)
    return len(re.findall(rb"/Type\s*/Page\b", paper))
