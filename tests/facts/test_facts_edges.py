"""Facts of very small and very large logs: values stand, intervals that cannot hold do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from giftlive.facts import compute_facts
from giftlive.logs.store import Store

MakeStore = Callable[..., Store]


def test_one_user_has_values_and_no_intervals(make_store: MakeStore) -> None:
    book = compute_facts(make_store({"click": [(1, 10, 5, 1_000, 10_000)]}))
    fact = book.fact("user_watch_total_p50_s")
    assert fact.value == 10.0
    assert not fact.has_interval
    assert fact.reason


def test_squares_of_large_amounts_do_not_overflow(make_store: MakeStore) -> None:
    gift = [(u, 1, 1, 1_000 + u, 10**12) for u in range(4)]
    book = compute_facts(make_store({"gift": gift}))
    assert book.fact("amount_sd").value == pytest.approx(0.0, abs=1.0)


def test_no_share_has_an_interval_outside_0_to_1(make_store: MakeStore) -> None:
    """One late gift among many users: a symmetric interval would reach below 0."""
    clicks: list[Any] = [(u, u, u, 1_000, 5_000) for u in range(600)]
    gifts: list[Any] = [(u, u, u, 1_000, 2) for u in range(600)] + [(0, 0, 0, 0, 2)]
    book = compute_facts(make_store({"click": clicks, "gift": gifts}))
    rare = book.fact("gifts_click_only_after")
    assert rare.value == pytest.approx(1 / 601)
    for fact in book.facts:
        if fact.unit == "share" and fact.low is not None and fact.high is not None:
            assert 0.0 <= fact.low <= fact.high <= 1.0, fact.name
    assert rare.has_interval is not bool(rare.reason)


def test_quadrants_without_clicks_name_what_is_missing(make_store: MakeStore) -> None:
    book = compute_facts(make_store({"gift": [(1, 10, 5, 1_000, 7)]}))
    fact = book.fact("user_quadrant_high_watch_low_pay_if_independent")
    assert fact.value is None
    assert "click" in fact.reason


def test_a_store_is_read_as_the_store_it_is(make_store: MakeStore, tmp_path: Path) -> None:
    from giftlive.config import RunConfig
    from giftlive.run.cache import Cache
    from giftlive.run.progress import Reporter
    from giftlive.run.steps import Workshop, store

    written = make_store({"gift": [(1, 10, 5, 1_000, 7)]}, tz="America/Sao_Paulo")
    shop = Workshop(Cache(tmp_path), RunConfig(), Reporter())
    assert store(shop, written.folder).source == written.source
    assert not any(tmp_path.iterdir())
