"""Independent answers: plain Python over the rows, resampling by repeating rows, and theory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.clock import local_day, zone
from giftlive.facts import Evidence, FactBook, compute_facts
from giftlive.facts.concentration import concentration_section
from giftlive.facts.local_time import local_day_sql
from giftlive.logs.store import Store
from giftlive.stats.bootstrap import clustered_bootstrap, poisson_weights

Rows = dict[str, list[tuple[Any, ...]]]
MakeStore = Callable[..., Store]
SHANGHAI = timedelta(hours=8)


@pytest.fixture(scope="module")
def rows(random_logs: Callable[..., Rows]) -> Rows:
    return random_logs(21, users=60, days=12, clicks=900)


@pytest.fixture(scope="module")
def book(make_store: MakeStore, rows: Rows) -> FactBook:
    return compute_facts(make_store(rows), seed=4)


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


def test_a_ratio_interval_is_the_clustered_bootstrap_of_its_rows(
    book: FactBook, rows: Rows
) -> None:
    user = np.array([c[0] for c in rows["click"]] + [g[0] for g in rows["gift"]])
    is_click = np.arange(len(user)) < len(rows["click"])
    golden = clustered_bootstrap(
        lambda w: float(w[~is_click].sum() / w[is_click].sum()), user, 200, seed=4
    )
    fact = book.fact("gift_rows_per_click")
    assert (fact.value, fact.low, fact.high) == pytest.approx(
        (golden.value, golden.low, golden.high), rel=1e-12
    )


def test_a_gini_interval_repeats_users(make_store: MakeStore) -> None:
    rng = np.random.default_rng(2)
    paid = (1 + rng.pareto(1.2, 5_000) * 5).astype(np.int64)
    gift = [(u, u % 7, u % 7, 10**12 + u, int(a)) for u, a in enumerate(paid)]
    evidence = Evidence.of(make_store({"gift": gift}), replicates=25, seed=9)
    fact = next(f for f in concentration_section(evidence).facts if f.name == "user_gini")
    draws = []
    for weights in poisson_weights(np.arange(5_000), 25, 9):
        x = np.sort(np.repeat(paid, weights.astype(np.int64))).astype(float)
        rank = np.arange(1, len(x) + 1)
        draws.append(2 * (rank * x).sum() / (len(x) * x.sum()) - (len(x) + 1) / len(x))
    assert (fact.low, fact.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))


@settings(max_examples=40, deadline=None)
@given(
    tz=st.sampled_from(
        ["America/New_York", "Asia/Shanghai", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
    ts=st.lists(st.integers(1_262_304_000_000, 1_480_000_000_000), min_size=2, max_size=20),
)
def test_local_days_in_sql_are_those_of_the_clock(tz: str, ts: list[int]) -> None:
    import duckdb

    sql = local_day_sql("ts", tz, (min(ts), max(ts)))
    found = duckdb.execute(f"SELECT [{sql} FOR ts IN {ts}]").fetchone()
    assert found is not None
    assert found[0] == local_day(np.array(ts), zone(tz)).tolist()


def test_one_row_per_user_needs_no_clustering(make_store: MakeStore) -> None:
    """Limit: with one click per user Woodruff's interval has the binomial width."""
    watch = np.random.default_rng(3).permutation(4_000)
    clicks = [(u, u, 1, 10**12 + u, int(w) * 1000) for u, w in enumerate(watch)]
    fact = compute_facts(make_store({"click": clicks}), replicates=400).fact("watch_p50_s")
    assert fact.value == 1_999
    assert fact.low is not None
    assert fact.high is not None
    width = 2 * 1.96 * np.sqrt(0.25 / 4_000) * 4_000
    assert fact.high - fact.low == pytest.approx(width, rel=0.2)


@pytest.mark.parametrize(("ones", "value"), [(49, 2), (51, 1)])
def test_an_atom_at_the_median_does_not_hide_its_neighbour(
    make_store: MakeStore, ones: int, value: int
) -> None:
    clicks = [(u, u, 1, 10**12 + u, 1_000 if u % 100 < ones else 2_000) for u in range(200)]
    fact = compute_facts(make_store({"click": clicks})).fact("watch_p50_s")
    assert (fact.value, fact.low, fact.high) == (value, 1, 2)


@pytest.mark.slow
def test_woodruff_covers_the_median_of_clustered_rows(make_store: MakeStore) -> None:
    """Theory: users differ in level, yet about 95 % of the intervals hold the true median."""
    rng, hits, runs = np.random.default_rng(4), 0, 150
    for _ in range(runs):
        clicks = []
        for user in range(150):
            level = rng.normal()
            seconds = np.exp(level + rng.normal(size=int(rng.integers(1, 15))))
            clicks += [(user, i, 1, 10**12 + i, round(s * 10_000)) for i, s in enumerate(seconds)]
        fact = compute_facts(make_store({"click": clicks}), replicates=200).fact("watch_p50_s")
        assert fact.low is not None
        assert fact.high is not None
        hits += fact.low <= 10.0 <= fact.high
    assert 0.89 <= hits / runs <= 0.99
