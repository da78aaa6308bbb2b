"""Debian's Chromium driven by Playwright, for the tests that only a browser can decide."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
PATIENCE_MS = 400_000
"""A browser, and a what-if behind it, wait for everything else that the machine has to do."""


def chromium() -> Iterator[Any]:
    """Yield a running browser, or skip with what to install."""
    pytest.importorskip("playwright", reason="Playwright is not installed: scripts/setup --browser")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed: scripts/setup --browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as found:
        yield found.chromium.launch(
            executable_path=program, headless=True, args=ARGUMENTS, timeout=PATIENCE_MS
        )
