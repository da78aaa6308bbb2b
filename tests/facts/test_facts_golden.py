"""Independent answers: plain Python over the rows, and resampled users."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from giftlive.clock import local_day, zone
from giftlive.facts import FactBook, compute_facts
from giftlive.facts.local_time import local_day_sql
from giftlive.logs.store import Store
from giftlive.stats.quantiles import woodruff

Rows = dict[str, list[tuple[Any, ...]]]
MakeStore = Callable[..., Store]
SHANGHAI = timedelta(hours=8)


@pytest.fixture(scope="module")
def rows(random_logs: Callable[..., Rows]) -> Rows:
    return random_logs(21, users=60, days=12, clicks=900)


@pytest.fixture(scope="module")
def book(make_store: MakeStore, rows: Rows) -> FactBook:
    return compute_facts(make_store(rows))


def test_gini_is_half_the_mean_difference(book: FactBook, rows: Rows) -> None:
    for column, name in ((0, "user_gini"), (2, "streamer_gini")):
        totals: Counter[int] = Counter()
        for gift in rows["gift"]:
            totals[gift[column]] += gift[4]
        x = [float(v) for v in totals.values()]
        spread = sum(abs(a - b) for a in x for b in x)
        assert book.fact(name).value == pytest.approx(spread / (2 * len(x) * sum(x)), rel=1e-12)


def test_sessions_and_history_row_by_row(book: FactBook, rows: Rows) -> None:
    def day(ts: int) -> int:
        return (datetime.fromtimestamp(ts / 1000, UTC) + SHANGHAI).toordinal()

    sessions = {(c[0], c[1]) for c in rows["click"]}
    gifted = {(g[0], g[1]) for g in rows["gift"]}
    value = book.fact("gift_sessions_per_session").value
    assert value == pytest.approx(len(sessions & gifted) / len(sessions))
    first: dict[tuple[int, int], int] = {}
    for user, _, streamer, ts, _ in sorted(rows["gift"], key=lambda g: g[3]):
        first.setdefault((user, streamer), day(ts))
    stamps = [r[3] for table in rows.values() for r in table]
    days = day(max(stamps)) - day(min(stamps)) + 1
    start = day(max(stamps)) - days // 3 + 1
    clicks, gifts = Counter[bool](), Counter[bool]()
    for table, count in (("click", clicks), ("gift", gifts)):
        for row in rows[table]:
            if day(row[3]) >= start:
                count[first.get((row[0], row[2]), 10**9) < day(row[3])] += 1
    assert book.fact("click_share_pair_with_history").value == pytest.approx(
        clicks[True] / clicks.total()
    )
    for history, name in ((True, "with"), (False, "without")):
        fact = book.fact(f"gift_rate_pair_{name}_history")
        assert fact.value == pytest.approx(gifts[history] / clicks[history])
        assert fact.n == clicks[history]


def test_last_touch_buckets_row_by_row(book: FactBook, rows: Rows) -> None:
    visits = defaultdict(list)
    for user, live, _, ts, watch in sorted(rows["click"], key=lambda c: (c[3], c[2], c[4])):
        visits[user, live].append((ts, watch))
    amount = Counter[int]()
    for user, live, _, ts, paid in rows["gift"]:
        earlier = [watch for start, watch in visits[user, live] if start <= ts]
        if earlier:
            bounds = (earlier[-1] >= 5_000, earlier[-1] >= 30_000, earlier[-1] > 300_000)
            amount[sum(bounds)] += paid
    assert book.curves["watch_buckets"]["amount"] == [amount[i] for i in range(4)]


def test_a_ratio_interval_agrees_with_resampled_users(make_store: MakeStore) -> None:
    rng = np.random.default_rng(2)
    clicks = [(u, i, 1, 10**12 + 1_000 * u + i, 5_000) for u in range(1_600) for i in range(12)]
    gave = rng.random(len(clicks)) < np.repeat(rng.beta(0.5, 4.0, 1_600), 12)
    gifts = [(*c[:4], 3) for c, g in zip(clicks, gave, strict=True) if g]
    fact = compute_facts(make_store({"click": clicks, "gift": gifts})).fact("gift_rows_per_click")
    per_user = gave.reshape(1_600, 12).mean(axis=1)
    draws = per_user[rng.integers(0, 1_600, (2_000, 1_600))].mean(axis=1)
    assert fact.value == pytest.approx(gave.mean(), rel=1e-12)
    assert fact.low is not None
    assert fact.high is not None
    golden = np.quantile(draws, [0.025, 0.975])
    width = golden[1] - golden[0]
    np.testing.assert_allclose([fact.low, fact.high], golden, atol=0.15 * width)
    assert fact.method == "skew_t"


@settings(max_examples=40, deadline=None)
@given(
    tz=st.sampled_from(
        ["America/New_York", "Asia/Shanghai", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
    ts=st.lists(st.integers(1_262_304_000_000, 1_480_000_000_000), min_size=2, max_size=20),
)
@example(  # clocks are put back at 16:30 UTC; midnight was at 13:30, and is at 14:30
    tz="Australia/Adelaide",
    ts=[1_396_108_800_000, *range(1_396_704_600_000, 1_396_800_000_000, 900_000)],
)
@example(  # and here at 02:31 UTC, a minute after midnight: the day before comes back
    tz="America/St_Johns",
    ts=[1_289_000_000_000, *range(1_289_095_200_000, 1_289_104_200_000, 60_000)],
)
def test_local_days_in_sql_are_those_of_the_clock(tz: str, ts: list[int]) -> None:
    import duckdb

    sql = local_day_sql("ts", tz, (min(ts), max(ts)))
    found = duckdb.execute(f"SELECT [{sql} FOR ts IN {ts}]").fetchone()
    assert found is not None
    assert found[0] == local_day(np.array(ts), zone(tz)).tolist()


def test_a_median_in_seconds_is_the_one_in_milliseconds(make_store: MakeStore) -> None:
    watch = np.random.default_rng(3).permutation(20_000)
    clicks = [(u // 10, u, 1, 10**12 + u, int(w) * 1_000) for u, w in enumerate(watch)]
    fact = compute_facts(make_store({"click": clicks})).fact("watch_p50_s")
    golden = woodruff(watch.astype(float), np.arange(20_000) // 10, 0.5)
    assert (fact.value, fact.low, fact.high) == (golden.value, golden.low, golden.high)
