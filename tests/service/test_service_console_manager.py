"""What a manager meets on the console: a wrong key, long words, many rooms, many days.

What the service would have to live through for days is put into its answers on their way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser import chromium
from tests.service.busy_evening import Platform
from tests.service.keyed import keyed
from tests.service.test_service_console_browser import OVERFLOWING, Session

pytestmark = pytest.mark.slow

DAY_MS = 86_400_000
SPILLED = """[...document.querySelectorAll('.numbers > div')].filter((cell) =>
  [...cell.querySelectorAll('*')].some((e) =>
    e.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1)).length"""


browser = pytest.fixture(scope="module")(chromium)


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a service in which a few things have happened, and a key of each scope."""
    with keyed() as there:
        platform = Platform(there.client)
        for _ in range(5):
            platform.step()
        yield there.url, there.keys


def _session(
    browser: Any, service: Any, locale: str = "en-GB", width: int = 1280, scope: str = "decide"
) -> Session:
    url, keys = service
    session = Session(browser, url, width, locale)
    session.enter(keys[scope])
    return session


def _altered(page: Any, path: str, alter: Any) -> None:
    """Let ``alter`` change what the service answers under ``path``."""

    def answer(route: Any) -> None:
        fetched = route.fetch()
        told = fetched.json()
        alter(told)
        route.fulfill(response=fetched, body=json.dumps(told))

    page.route(path, answer)


def _over(session: Session) -> None:
    assert session.errors == []
    session.context.close()


def test_a_key_that_no_header_can_carry_is_one_that_is_wrong(browser: Any, service: Any) -> None:
    session = Session(browser, service[0], 1280, "en-GB")
    page = session.page
    for wrong in ("中文", "gl_é\u2019", "two words"):
        page.fill("#api-key", wrong)
        page.press("#api-key", "Enter")
        page.wait_for_selector("#key-wrong")
        assert "does not accept" in page.text_content("#key-wrong")
    assert page.locator("#offline").is_hidden()
    session.enter(service[1]["decide"])
    session.go("settings")
    page.fill("#api-key", "中文")
    page.click("#use-key")
    page.wait_for_selector("#key-wrong")
    assert "No key is in use" in page.text_content("main")
    assert "enter one below" in page.text_content("#policy")
    assert page.text_content("main").count("enter one below") == 1
    page.fill("#api-key", service[1]["decide"])
    page.click("#use-key")
    page.wait_for_selector("#policy-act")
    assert page.locator("#key-wrong").count() == 0
    _over(session)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_settings_take_the_key_that_a_refusal_asks_for(
    browser: Any, service: Any, locale: str
) -> None:
    session = _session(browser, service, locale)
    page = session.page
    session.go("settings")
    for scope in ("decide", "admin"):
        page.fill("#api-key", service[1][scope])
        page.click("#use-key")
        page.wait_for_selector("#policy-act")
        page.fill("#policy-because", "a trial")
        page.click("#policy-watch")
        page.click("#policy-confirm")
        page.wait_for_selector("#policy-said:focus")
        refused = page.get_attribute("#policy-said", "class") == "error"
        assert refused == (scope == "decide")
        assert page.locator("#api-key").count() == 1
    session.errors = [error for error in session.errors if "403" not in error]
    _over(session)


@pytest.mark.parametrize("share", ["-7", "50.5", ""])
def test_a_share_that_is_none_is_refused(browser: Any, service: Any, share: str) -> None:
    session = _session(browser, service, scope="admin")
    page = session.page
    session.go("settings")
    page.fill("#policy-share", share)
    page.fill("#policy-because", "a trial")
    page.click("#policy-act")
    page.wait_for_selector("#policy-wrong:not([hidden])")
    assert "from 0 to 50" in page.text_content("#policy-wrong")
    assert page.evaluate("document.activeElement.id") == "policy-share"
    assert page.input_value("#policy-share") == share
    assert page.locator("#policy-confirm").count() == 0
    _over(session)


def test_an_address_that_is_none_is_no_decision(browser: Any, service: Any) -> None:
    session = _session(browser, service)
    session.page.goto(f"{service[0]}/#/decisions/%E0%A4%A")
    session.page.wait_for_selector("#back")
    assert "no decision of this id" in session.page.text_content("main")
    session.errors = [error for error in session.errors if "404" not in error]
    _over(session)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_key_numbers_stay_in_their_cells(
    browser: Any, service: Any, width: int, locale: str
) -> None:
    """An interval may be a sentence, or one long word."""
    session = _session(browser, service, locale, width)
    intervals = ["not enough data: 1,189 users, need more than 258,063", "9" * 60, "[93.4, 95.4]"]
    board = {
        "sentence": "A run.", "run": "RUN", "code_version": None, "report_bytes": None,
        "studies": [], "cannot_tell": [], "numbers": [
            {"value": "64.0 %", "interval": said, "label": "of the amount", "context": "n = 9"}
            for said in intervals],
    }  # fmt: skip
    _altered(session.page, "**/v1/console/studies*", lambda told: told.update(board=board))
    session.go("studies")
    session.page.wait_for_selector(".numbers")
    assert session.page.evaluate(SPILLED) == 0
    assert session.page.evaluate(OVERFLOWING) == []
    assert session.page.evaluate("document.documentElement.scrollWidth") <= width
    _over(session)


def _candidate(rank: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "live_id": 1000 + rank,
        "value": 50.0 - rank / 10,
        "price": 0.0,
        "bonus": 0.0,
    }
    found |= {"propensity": 0.01, "expected_seat_seconds": 9.0, "seats_left": -5, "place": None}
    return found | {"score": found["value"]}


def test_the_shown_room_and_the_best_come_first(browser: Any, service: Any) -> None:
    session = _session(browser, service)
    page = session.page

    def many(told: dict[str, Any]) -> None:
        told["candidates"] = [_candidate(rank) for rank in range(162)]
        told["candidates"][100]["place"] = 0
        told["reason"] = "random"

    _altered(page, "**/v1/decisions/*", many)
    session.go("decisions")
    page.click("tbody tr:nth-child(1) a")
    page.wait_for_selector("#more-candidates")
    rows = page.locator("#candidates > table tbody tr")
    rooms = [rows.nth(k).locator("th").text_content() for k in range(rows.count())]
    assert rooms == ["1100", "1000", "1001", "1002", "1003", "1004"]
    assert "156 more candidates" in page.text_content("#more-candidates summary")
    assert not page.locator("#more-candidates table").is_visible()
    assert page.locator("#more-candidates tbody tr").count() == 156
    assert "−5" not in page.text_content("#candidates")
    assert "-5" not in page.text_content("#candidates")
    assert "policy" in page.text_content("#why-when")
    assert page.evaluate("document.documentElement.scrollHeight") < 1500
    page.click("#language-zh")
    page.wait_for_selector("#more-candidates")
    assert "随机抽取：" in page.text_content("main")
    _over(session)


def test_rules_are_words_in_the_list_of_decisions(browser: Any, service: Any) -> None:
    session = _session(browser, service)
    page = session.page
    codes = ["random", "seat", "greedy"]

    def coded(told: dict[str, Any]) -> None:
        for line, code in zip(told["decisions"], codes, strict=False):
            line["reason"] = code

    _altered(page, "**/v1/console/decisions", coded)
    session.go("decisions")
    page.wait_for_selector("tbody a")
    told = [page.text_content(f"tbody tr:nth-child({k}) td:last-child") for k in (1, 2, 3)]
    assert told == ["by chance", "best room full", "largest score"]
    _over(session)


def _long_replay(page: Any) -> None:
    """Eleven days of revenue, a wide interval of a Gini, rooms of which one has no seats."""
    bins = [{"ts": k * DAY_MS, "value": 1.0, "low": 0.0, "high": 2.0, "n": 5} for k in range(11)]

    def wide(told: dict[str, Any]) -> None:
        for rail in told["guardrails"]:
            if rail["name"] == "exposure_concentration":
                rail |= {"value": -0.1, "low": -0.782, "high": 0.782, "n": 7}
            if rail["name"] == "exit_rate":
                rail |= {"value": 0.5, "low": 0.0002, "high": 0.99998, "n": 1}

    def shut(told: dict[str, Any]) -> None:
        told["rooms"][0] |= {"seats": 0, "viewers": 0, "load": 0.0}
        told["rooms"] = told["rooms"][:1]

    def one(told: dict[str, Any]) -> None:
        told |= {"viewers": 1, "live_rooms": 1}

    _altered(
        page,
        "**/v1/console/revenue",
        lambda told: told.update(bins=bins, width_seconds=86_400, recent=None),
    )
    _altered(page, "**/v1/policy", wide)
    _altered(page, "**/v1/rooms", shut)
    _altered(page, "**/v1/console/about", one)


def test_many_days_have_dates_and_nothing_leaves_its_range(browser: Any, service: Any) -> None:
    session = Session(browser, service[0], 1280, "en-GB")
    page = session.page
    _long_replay(page)
    session.enter(service[1]["decide"])
    axis = page.locator("#revenue svg.chart > text").all_text_contents()
    assert "1 Jan" in axis
    assert "11 Jan" in axis
    assert not any(":" in text for text in axis)
    page.click("#revenue-numbers summary")
    assert ":" in page.text_content("#revenue-numbers tbody tr:nth-child(1) th")
    told = page.text_content("#guardrails")
    assert "0 % [0 %, 78.2 %]" in told
    assert "not enough data · n = 1" in told
    assert "−" not in told
    assert "1 viewer inside" in page.text_content(".numbers")
    assert "no seats" in page.text_content("#rooms tbody")
    assert page.locator("#rooms tbody svg").count() == 0
    assert "No live room has a seat" in page.text_content("#rooms h2")
    assert "shown (final)" in page.text_content("#rooms thead")
    assert "hold data since" in page.text_content("#charts-since")
    _over(session)
