"""The console's switch of policy in a real browser: by keyboard, confirmed, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser import chromium
from tests.service.keyed import keyed
from tests.service.memory_store import MemoryStore
from tests.service.test_service_console_browser import OVERFLOWING, Session

from giftlive.service.engine import Engine
from giftlive.service.record import POLICY

pytestmark = pytest.mark.slow


browser = pytest.fixture(scope="module")(chromium)


@pytest.fixture
def service() -> Iterator[tuple[str, dict[str, str], Engine, MemoryStore]]:
    """The address of a service, a key of each scope, and what is behind it."""
    with keyed() as there:
        yield there.url, there.keys, there.engine, there.memory


def _opened(browser: Any, url: str, key: str, locale: str = "en-GB", width: int = 1280) -> Any:
    session = Session(browser, url, width, locale)
    session.page.fill("#api-key", key)
    session.page.press("#api-key", "Enter")
    session.page.wait_for_selector("#guardrails")
    session.go("settings")
    session.page.wait_for_selector("#policy-act")
    return session


def _changes(memory: MemoryStore) -> list[dict[str, Any]]:
    records = (logged.record for logged in memory.read(0, 10**9))
    return [record.meta for record in records if record.kind == POLICY]


def test_a_switch_by_keyboard_is_asked_about_and_then_done(browser: Any, service: Any) -> None:
    url, keys, engine, memory = service
    session = _opened(browser, url, keys["admin"])
    page = session.page
    page.focus("#policy-name")
    page.select_option("#policy-name", "softmax")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "policy-share"
    page.keyboard.type("10")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # without a reason: asked for it, nothing sent
    page.wait_for_selector("#policy-wrong:not([hidden])")
    assert "Say why" in page.text_content("#policy-wrong")
    page.keyboard.type("a trial")
    page.keyboard.press("Enter")
    page.wait_for_selector("#policy-confirm")
    assert page.evaluate("document.activeElement.id") == "policy-cancel"
    words = page.text_content("#policy-step")
    assert '"softmax"' in words
    assert "a trial" in words
    page.keyboard.press("Escape")
    assert page.locator("#policy-confirm").count() == 0
    assert _changes(memory) == []

    page.focus("#policy-act")
    page.keyboard.press("Enter")
    page.wait_for_selector("#policy-confirm")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "policy-confirm"
    page.keyboard.press("Enter")
    page.wait_for_selector("#policy-said:focus")
    assert "random_bucket(softmax) decides" in page.text_content("#policy-said")
    inner = {"name": "softmax"}
    options = {"share": 0.1, "respect_seats": True, "policy": inner}
    spec = {"name": "random_bucket", "options": options}
    assert engine.state.switch.acting.spec == spec
    assert _changes(memory) == [{"policy": spec, "because": "a trial"}]
    assert session.errors == []
    session.context.close()


def test_shadow_and_kill_switch_in_chinese(browser: Any, service: Any) -> None:
    url, keys, engine, _ = service
    session = _opened(browser, url, keys["admin"], "zh-CN", 390)
    page = session.page
    for button in ("watch", "kill", "kill", "unwatch"):
        page.fill("#policy-because", "演练")
        page.click(f"#policy-{button}")
        page.wait_for_selector("#policy-confirm")
        assert page.evaluate(OVERFLOWING) == []
        page.click("#policy-confirm")
        page.wait_for_selector("#policy-said:focus")
        assert "已更换" in page.text_content("#policy-said")
        page.wait_for_selector("#policy-act")
        assert engine.state.switch.because == "演练"
        if button == "watch":
            assert engine.state.switch.shadow is not None
    assert not engine.state.switch.killed
    assert engine.state.switch.shadow is None
    session.context.close()


def test_what_the_service_refuses_is_said_and_nothing_changes(browser: Any, service: Any) -> None:
    """A key without the scope; a policy that cannot be; somebody who was faster."""
    url, keys, engine, memory = service

    def asked(page: Any, spec: str | None = None) -> None:
        page.fill("#policy-because", "x")
        if spec is not None:
            page.select_option("#policy-name", "own")
            page.fill("#policy-spec", spec)
        page.click("#policy-act")

    def told(page: Any, words: str) -> None:
        page.wait_for_selector("#policy-confirm")
        page.click("#policy-confirm")
        page.wait_for_selector("#policy-said:focus")
        assert words in page.text_content("#policy-said")

    before = engine.state.switch.acting.version
    reader = _opened(browser, url, keys["decide"])
    asked(reader.page)
    told(reader.page, "scope “admin”")
    reader.context.close()
    session = _opened(browser, url, keys["admin"])
    asked(session.page, "no JSON")
    session.page.wait_for_selector("#policy-wrong:not([hidden])")
    asked(session.page, '{"name": "nobody"}')
    told(session.page, "no policy 'nobody'")
    assert engine.state.switch.acting.version == before
    session.page.wait_for_selector("#policy-act")
    asked(session.page, '{"name": "greedy"}')
    session.page.wait_for_selector("#policy-confirm")
    other = session.context.request.put(
        f"{url}/v1/policy",
        headers={"Authorization": f"Bearer {keys['admin']}"},
        data={"policy": {"name": "uniform"}},
    )
    assert other.ok
    told(session.page, "in the meantime")
    assert engine.state.switch.acting.spec == {"name": "uniform"}
    assert len(_changes(memory)) == 1
    session.context.close()
