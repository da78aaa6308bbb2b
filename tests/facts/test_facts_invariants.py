"""What must not matter: order of rows, names of users, the unit of money."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from giftlive.facts import FactBook, compute_facts
from giftlive.logs.store import Store

Rows = dict[str, list[tuple[Any, ...]]]
MakeStore = Callable[..., Store]
FEW = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def values(book: FactBook) -> dict[str, float | None]:
    return {fact.name: fact.value for fact in book.facts}


@FEW
@given(seed=st.integers(0, 10_000), shuffle=st.integers(1, 10_000))
def test_order_of_rows_does_not_matter(
    make_store: MakeStore, random_logs: Callable[..., Rows], seed: int, shuffle: int
) -> None:
    rows = random_logs(seed, clicks=200)
    turned = {name: table[::-1] for name, table in rows.items()}
    first = compute_facts(make_store(rows))
    assert first.as_dict() == compute_facts(make_store(turned, shuffle=shuffle)).as_dict()


@FEW
@given(seed=st.integers(0, 10_000), shift=st.integers(1, 10**12))
def test_names_of_users_do_not_matter(
    make_store: MakeStore, random_logs: Callable[..., Rows], seed: int, shift: int
) -> None:
    rows = random_logs(seed, clicks=200)
    renamed = {n: [(shift - r[0], *r[1:]) for r in table] for n, table in rows.items()}
    first = compute_facts(make_store(rows))
    second = compute_facts(make_store(renamed))
    assert values(first) == values(second)
    assert first.curves == second.curves


def test_a_copied_population_has_the_same_shares(
    make_store: MakeStore, random_logs: Callable[..., Rows]
) -> None:
    rows = random_logs(5)
    twice = {n: [*table, *((10_000 + r[0], *r[1:]) for r in table)] for n, table in rows.items()}
    once, copied = (compute_facts(make_store(r)) for r in (rows, twice))
    for fact in once.facts:
        changed = fact.name.startswith("streamers_") or fact.name.startswith("streamer_watch")
        counted = fact.name.startswith("size_") or "_tail_" in fact.name
        if changed or counted or fact.value is None:
            continue
        assert copied.fact(fact.name).value == pytest.approx(fact.value, rel=1e-9), fact.name


@pytest.mark.parametrize("factor", [3, 1_000])
def test_the_unit_of_money_scales_only_money(
    make_store: MakeStore, random_logs: Callable[..., Rows], factor: int
) -> None:
    rows = random_logs(6, days=16)
    dearer = rows | {"gift": [(*g[:4], g[4] * factor) for g in rows["gift"]]}
    one, more = (compute_facts(make_store(r)) for r in (rows, dearer))
    for fact in one.facts:
        if fact.name.startswith("amount_share"):
            continue
        if fact.status == "undefined":  # the tail of so few users has no index
            assert more.fact(fact.name).status == "undefined"
            continue
        scale = factor if fact.unit == "platform unit" else 1
        value = more.fact(fact.name).value
        assert value is not None, fact.name
        assert value == pytest.approx((fact.value or 0.0) * scale, rel=1e-9), fact.name


def test_the_same_logs_give_the_same_bits(
    make_store: MakeStore, random_logs: Callable[..., Rows]
) -> None:
    store = make_store(random_logs(7))
    assert compute_facts(store).as_dict() == compute_facts(store).as_dict()


def test_intervals_hold_their_value_and_nothing_is_nan(
    make_store: MakeStore, random_logs: Callable[..., Rows]
) -> None:
    book = compute_facts(make_store(random_logs(8, users=1_500, clicks=24_000)))
    printed = [fact for fact in book.facts if fact.low is not None and fact.high is not None]
    assert len(printed) > 15
    for fact in printed:
        assert fact.value is not None
        assert fact.low is not None
        assert fact.high is not None
        assert fact.low <= fact.value <= fact.high, fact.name
        assert fact.method != "none"
    for fact in book.facts:
        numbers = [x for x in (fact.value, fact.low, fact.high) if x is not None]
        assert all(math.isfinite(x) for x in numbers), fact.name
        assert (fact.value is None) == (fact.status == "undefined")
        assert fact.has_interval or fact.reason, fact.name
        assert fact.numerator
        assert fact.denominator
        assert fact.population
        assert fact.unit


def test_fact_names_are_distinct(make_store: MakeStore, random_logs: Callable[..., Rows]) -> None:
    book = compute_facts(make_store(random_logs(9)))
    assert len({fact.name for fact in book.facts}) == len(book.facts)


def test_progress_is_told_in_order(make_store: MakeStore, random_logs: Callable[..., Rows]) -> None:
    heard: list[tuple[int, int]] = []
    compute_facts(make_store(random_logs(9)), lambda d, n: heard.append((d, n)))
    assert heard == [(i + 1, len(heard)) for i in range(len(heard))]
