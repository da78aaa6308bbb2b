"""Sources that lack tables: every fact is present, and says what it misses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from giftlive.errors import UsageError
from giftlive.facts import FactBook, compute_facts
from giftlive.logs.store import Store

Rows = dict[str, list[tuple[Any, ...]]]
MakeStore = Callable[..., Store]


@pytest.fixture(scope="module")
def donations(make_store: MakeStore, random_logs: Callable[..., Rows]) -> FactBook:
    rows = random_logs(3)
    gifts = [(u, -1 if i % 9 == 0 else live, -1 if i % 9 == 0 else s, ts, a)
             for i, (u, live, s, ts, a) in enumerate(rows["gift"])]  # fmt: skip
    anonymous = [(0, *g[1:]) for g in gifts[:20]]
    store = make_store(
        {"gift": gifts, "gift_anonymous": anonymous}, tz="America/New_York", unit="US cent"
    )
    return compute_facts(store)


def test_without_clicks_entry_facts_name_the_missing_table(donations: FactBook) -> None:
    for name in (
        "gift_rows_per_click",
        "watch_p50_s",
        "sessions_per_click",
        "click_share_of_exposures",
        "gifts_with_click_timestamp",
        "gift_rate_pair_with_history",
        "revenue_share_watch_lt5",
        "watch_loyalty_p50",
        "user_quadrant_high_watch_low_pay",
        "daily_click_gini_over_streamers",
    ):
        fact = donations.fact(name)
        assert (fact.status, fact.value, fact.low) == ("undefined", None, None), name
        assert "no click" in fact.reason, name
    assert "no click and no negative" in donations.fact("click_share_of_exposures").reason


def test_gift_facts_stand_without_clicks(donations: FactBook) -> None:
    for name in ("amount_p50", "user_gini", "streamer_gini", "gifting_pairs_repeat_share",
                 "revenue_share_never_gifted_pairs", "gift_loyalty_p50"):  # fmt: skip
        assert donations.fact(name).status == "ok", name
    assert donations.fact("amount_p50").unit == "US cent"


def test_the_delay_has_no_verdict_without_clicks(donations: FactBook) -> None:
    assert donations.delay.identifiable is None
    assert "no click" in donations.delay.reason
    stamped, anonymous = donations.finding("entry_stamping"), donations.finding("anonymous_gifts")
    assert stamped is not None
    assert anonymous is not None
    assert stamped.value is None
    assert (anonymous.value or 0.0) > 0.0


def test_the_same_facts_whatever_the_source(
    donations: FactBook, make_store: MakeStore, random_logs: Callable[..., Rows]
) -> None:
    full = compute_facts(make_store(random_logs(3)))
    assert [f.name for f in full.facts] == [f.name for f in donations.facts]
    assert full.curves.keys() == donations.curves.keys()


def test_clicks_without_gifts(make_store: MakeStore, random_logs: Callable[..., Rows]) -> None:
    book = compute_facts(make_store({"click": random_logs(4)["click"]}))
    assert book.fact("user_gini").reason == "this source has no gift rows"
    assert book.fact("watch_p50_s").value is not None
    assert book.curves["amount_ccdf"] == {"amount": [], "share": [], "n": []}


def test_few_givers_have_values_and_reasons_instead_of_intervals(make_store: MakeStore) -> None:
    gift = [(u, u % 50, u % 50, 10**12 + u, 1 + u % 90) for u in range(4_999)]
    book = compute_facts(make_store({"gift": gift}))
    for name in ("amount_mean", "user_gini", "streamer_top5_share"):
        fact = book.fact(name)
        assert not fact.has_interval, name
        assert fact.value is not None
        assert fact.reason.startswith("not enough data: "), name
    assert "need" in book.fact("amount_mean").reason
    assert "standard deviation" in book.fact("amount_sd").reason


def test_an_unknown_name_is_a_usage_error(donations: FactBook) -> None:
    with pytest.raises(UsageError, match="no fact 'gini_user'"):
        donations.fact("gini_user")


def test_published_names_resolve_to_facts(donations: FactBook) -> None:
    lists = donations.published("watch_loyalty_p50_p90")
    assert [f.name for f in lists] == ["watch_loyalty_p50", "watch_loyalty_p90"]
    assert donations.published("gift_rate_pair_with_history", "utc")[0].name.endswith("_utc")
    assert donations.published("weekly_revenue_ratio_max_min", "utc")[0].name == (
        "weekly_revenue_ratio_max_min"
    )
