"""A session in a real browser: every page, a slider, the frontier, both languages, a decision.

Needs Playwright and Debian's Chromium (``scripts/setup --browser``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tests.browser import PATIENCE_MS, chromium
from tests.service import planted
from tests.service.busy_evening import Platform, hurried, now_ms, open_rooms
from tests.service.memory_store import MemoryStore
from tests.service.serving import served

from giftlive.service.api.app import Service, make_app
from giftlive.service.engine import Origin, open_engine
from giftlive.service.keys import create_key

pytestmark = pytest.mark.slow

PAGES = ("now", "what-if", "decisions", "studies", "settings")
OVERFLOWING = """[...document.querySelectorAll('body *')]
  .filter((e) => !e.closest('.scroll, thead, .skip'))
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => e.outerHTML.slice(0, 90))"""


browser = pytest.fixture(scope="module")(chromium)


@contextmanager
def _busy(client: httpx.Client) -> Iterator[None]:
    """Let the small platform live while the block runs."""
    over, failed = threading.Event(), []

    def live() -> None:
        platform = Platform(client)
        while not over.wait(0.1):
            try:
                platform.step()
            except httpx.HTTPError as error:
                failed.append(error)
                return

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failed


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, str]]:
    """The address of a busy service, and a key that may read."""
    memory, settings = MemoryStore(), hurried()
    key, row = create_key("console", ["decide", "ingest"], 0)
    memory.put_key(row)
    engine = open_engine(memory, Origin(settings.decisive, planted.values()), now_ms())
    with served(make_app(Service(settings, memory, engine))) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        open_rooms(client)
        with _busy(client):
            yield str(client.base_url).rstrip("/"), key


class Session:
    """A tab, with what it asked for and what it complained about."""

    def __init__(self, browser: Any, url: str, width: int, locale: str) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, locale=locale, color_scheme="light"
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._complain)
        self.page.goto(url)

    def _complain(self, said: Any) -> None:
        if said.type in ("error", "warning") and "401" not in said.text:
            self.errors.append(said.text)

    def enter(self, key: str) -> None:
        self.page.fill("#api-key", key)
        self.page.press("#api-key", "Enter")
        self.page.wait_for_selector("#revenue")

    def go(self, name: str) -> None:
        self.page.click(f"#to-{name}")
        self.page.wait_for_selector("main h1")


@contextmanager
def _session(
    browser: Any, service: tuple[str, str], width: int = 1280, locale: str = "en-GB"
) -> Iterator[Session]:
    url, key = service
    session = Session(browser, url, width, locale)
    try:
        yield session
        assert session.errors == []
        assert [a for a in session.asked if not a.startswith((url, "data:"))] == []
        assert [a for a in session.asked if key in a or "gl_" in a] == []
    finally:
        session.context.close()


def _frontier(page: Any) -> str:
    return str(page.get_attribute("#what-if-result svg polyline.line", "points"))


def test_a_session(browser: Any, service: tuple[str, str]) -> None:
    """Every page; sliders by keyboard and the frontier that changes; a decision; Chinese."""
    with _session(browser, service) as session:
        page = session.page
        session.enter(service[1])
        page.wait_for_selector("#revenue polyline.line")
        assert page.locator("#rooms tbody tr").count() >= 12
        assert page.locator("#guardrails li .chip").count() == 8

        session.go("what-if")
        page.click("#play")
        page.wait_for_selector("#frontier-finding")
        first = _frontier(page)
        assert page.locator("#what-if-result path.current").count() == 1
        page.focus("#whale_cap")
        page.keyboard.press("End")
        assert page.text_content("#whale_cap-said") == "at most 1"
        page.wait_for_selector("#what-if-result polyline.before")
        assert _frontier(page) != first
        assert page.get_attribute("#what-if-result polyline.before", "points") is not None

        session.go("decisions")
        page.click("tbody tr:nth-child(2) a")
        page.wait_for_selector("#waterfall svg")
        words = page.text_content("main p.finding")
        assert words.startswith("Room ")
        assert page.locator("#candidates tr.shown").count() == 1

        page.click("#language-zh")
        page.wait_for_selector("#waterfall svg")
        assert page.get_attribute("html", "lang") == "zh-Hans"
        assert "直播间" in page.text_content("main p.finding")
        session.go("studies")
        page.wait_for_selector("main .empty")
        assert "运行" in page.text_content("main .empty")
        session.go("settings")
        page.wait_for_selector("dl.facts")
        page.select_option("#theme", "dark")
        assert page.get_attribute("html", "data-theme") == "dark"
        page.click("#forget-key")
        page.wait_for_selector("#forget-key", state="detached")
        assert "没有使用密钥" in page.text_content("main")


def test_a_wrong_key_is_asked_for_again(browser: Any, service: tuple[str, str]) -> None:
    with _session(browser, service) as session:
        session.page.fill("#api-key", "gl_0123456789abcdef_" + "0" * 64)
        session.page.click("#use-key")
        session.page.wait_for_selector("main .error")
        assert "does not accept" in session.page.text_content("main .error")
        session.enter(service[1])


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_nothing_overflows(browser: Any, service: tuple[str, str], width: int, locale: str) -> None:
    with _session(browser, service, width, locale) as session:
        session.enter(service[1])
        page = session.page
        for name in PAGES:
            session.go(name)
            page.wait_for_timeout(300)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
            assert page.evaluate(OVERFLOWING) == [], name
        session.go("decisions")
        page.click("tbody tr:nth-child(1) a")
        page.wait_for_selector("#candidates")
        assert page.evaluate(OVERFLOWING) == []


def test_the_keyboard_reaches_everything(browser: Any, service: tuple[str, str]) -> None:
    """From the top, Tab meets the way past the menu, both languages, all pages, all sliders."""
    with _session(browser, service) as session:
        session.enter(service[1])
        session.go("what-if")
        session.page.reload()
        session.page.wait_for_selector("#reset")
        wanted = ["skip", "language-en", "language-zh", *(f"to-{name}" for name in PAGES)]
        wanted += ["fairness", "cold_start", "whale_cap", "exploration", "play", "reset"]
        met = []
        for _ in wanted:
            session.page.keyboard.press("Tab")
            met.append(session.page.evaluate("document.activeElement.id"))
            outlined = "getComputedStyle(document.activeElement).outlineStyle"
            assert session.page.evaluate(outlined) != "none"
        assert met == wanted


def test_a_service_that_does_not_answer_is_said_to(browser: Any, service: tuple[str, str]) -> None:
    session = Session(browser, service[0], 1280, "en-GB")
    session.enter(service[1])
    session.context.set_offline(True)
    session.page.wait_for_selector("#offline:not([hidden])")
    assert "does not answer" in session.page.text_content("#offline")
    assert session.page.locator("#revenue").count() == 1  # what was read stays
    session.context.set_offline(False)
    session.page.wait_for_selector("#offline", state="hidden")
    session.context.close()


def test_before_anything_has_happened(browser: Any) -> None:
    """An empty service, and one that asks for no key."""
    memory, settings = MemoryStore(), hurried()
    engine = open_engine(memory, Origin(settings.decisive), now_ms())
    with served(make_app(Service(settings, memory, engine, open_to_all=True))) as client:
        url = str(client.base_url).rstrip("/")
        with _session(browser, (url, "no key")) as session:
            # The field for a key and a refusal stand in such a box too: it is told by its words.
            session.page.wait_for_selector("main .empty:has-text('Nothing has happened yet')")
            session.go("decisions")
            session.page.wait_for_selector("main .empty:has-text('No decision has been taken yet')")
            assert session.page.locator("#api-key").count() == 0
