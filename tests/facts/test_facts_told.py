"""What a fact is divided by, of whom, and in which unit: all of it is told in Chinese as well."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from giftlive.facts.book import compute_facts
from giftlive.logs.store import Store
from giftlive.reports.i18n import phrases
from giftlive.studies.exploration import KEY_FACTS

_ENGLISH = re.compile(r"[a-z]{3,} [a-z]{2,}|^[a-z]{3,}$")


def _left_in_english(texts: set[str]) -> list[str]:
    told = {text: phrases("zh")(text) for text in texts}
    return sorted(text for text, chinese in told.items() if _ENGLISH.search(chinese))


def test_every_fact_is_told_in_chinese(
    make_store: Callable[..., Store], random_logs: Callable[..., Any]
) -> None:
    book = compute_facts(make_store(random_logs(3, users=60, clicks=900)))
    texts = {f"{f.numerator} / {f.denominator}" for f in book.facts if f.name in KEY_FACTS}
    for fact in book.facts:
        texts |= {fact.denominator, fact.population, fact.unit, fact.n_unit}
    assert _left_in_english(texts - {"", "s"}) == []
    assert _left_in_english({"days that nobody translated / users"}) != []
