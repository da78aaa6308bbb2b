"""Known answers on stores small enough to count by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from giftlive.facts import FactBook, compute_facts
from giftlive.logs.store import Store

HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture(scope="module")
def book(make_store: Callable[..., Store], midnight: int) -> FactBook:
    t = midnight
    click = [
        (1, 10, 7, t + HOUR, 2_000),
        (1, 10, 7, t + 2 * HOUR, 10_000),
        (1, 11, 8, t + 3 * HOUR, 300_000),
        (2, 10, 7, t + HOUR, 301_000),
        (2, 12, 7, t + 2 * DAY + HOUR, 4_999),
        (3, 12, 7, t + 2 * DAY + 2 * HOUR, 0),
        (1, 12, 7, t + 2 * DAY + 23 * HOUR, 30_000),
    ]
    gift = [
        (1, 10, 7, t + 2 * HOUR, 10),  # at a click of 10 s
        (1, 10, 7, t + 2 * HOUR + 5_000, 2),  # 5 s after it
        (2, 10, 7, t + HOUR, 88),  # at a click of 301 s
        (2, 12, 7, t + 2 * DAY + HOUR, 1),  # at a click of 4.999 s, on a pair with history
        (2, 13, 9, t + DAY, 99),  # without a click
        (3, 12, 7, t + 2 * DAY + HOUR, 5),  # before its only click
    ]
    negative = [(u, 10, 7, t + i) for u, n in ((1, 5), (2, 6), (4, 2)) for i in range(n)]
    comment = [(1, 10, 7, t + 2 * HOUR + 1)]
    store = make_store(
        {"click": click, "gift": gift, "negative": negative, "comment": comment},
        window=(t, t + 3 * DAY - 1),
    )
    return compute_facts(store)


EXPECTED: dict[str, float] = {
    # amounts 1 2 5 10 88 99, mean 205/6
    "amount_p50": 5,
    "amount_p75": 88,
    "amount_p90": 99,
    "amount_mean": 205 / 6,
    "amount_max": 99,
    "amount_share_eq_1": 1 / 6,
    "amount_share_le_2": 2 / 6,
    "amount_share_le_5": 3 / 6,
    "amount_share_le_10": 4 / 6,
    # user totals 5 12 188, streamer totals 99 106
    "user_gini": 2 * (1 * 5 + 2 * 12 + 3 * 188) / (3 * 205) - 4 / 3,
    "streamer_gini": (106 - 99) / (2 * 205),
    "user_top1_share": 0.03 * 188 / 205,  # 1 % of three users is a part of the largest
    "click_share_of_exposures": 7 / 20,
    "gift_rows_per_click": 6 / 7,
    "gift_sessions_per_session": 4 / 6,
    "sessions_per_click": 6 / 7,
    "multi_gift_session_share": 1 / 5,
    "gifting_user_share": 3 / 4,
    "user_clicks_mean": 7 / 4,
    "watch_p50_s": 10,
    "watch_mean_s": 647.999 / 7,
    "click_share_watch_lt5": 3 / 7,
    "click_share_watch_5to30": 1 / 7,
    "click_share_watch_30to300": 2 / 7,
    "click_share_watch_gt300": 1 / 7,
    "revenue_share_watch_lt5": 1 / 101,
    "revenue_share_watch_5to30": 12 / 101,
    "revenue_share_watch_30to300": 0,
    "revenue_share_watch_gt300": 88 / 101,
    "user_watch_total_p50_s": 305.999,
    "gifting_pairs_per_user": 4 / 4,
    "gifts_per_gifting_pair": 6 / 4,
    "gifting_pairs_repeat_share": 2 / 4,
    "gifting_pair_density": 4 / (4 * 2),
    # last third = the third day: clicks of users 2 and 1 have history, user 3 has none
    "gift_rate_pair_with_history": 1 / 2,
    "gift_rate_pair_without_history": 1 / 1,
    "click_share_pair_with_history": 2 / 3,
    "revenue_share_never_gifted_pairs": 5 / 6,
    "users_below_50_interactions": 1,
    # interactions: streamer 7 has 6 clicks, 5 gifts, 1 comment; 8 one click; 9 one gift
    "streamers_below_5_interactions": 2 / 3,
    "streamers_above_40_interactions": 0,
    "streamers_without_gift": 1 / 3,
    "watch_loyalty_p50": 300 / 342,
    "gift_loyalty_p50": 1,
    "gifts_with_click_timestamp": 3 / 6,
    "gifts_without_click": 1 / 6,
    "gifts_lagged": 1 / 6,
    "gifts_click_only_after": 1 / 6,
    # first gifts: user 1 at the end of the session, users 2 and 2 at the start
    "first_gift_within_first_10pct_of_session": 2 / 3,
    # Mondays clicks: 3 on streamer 7, 1 on 8; day 3: one streamer
    "daily_click_gini_over_streamers": (0.25 + 0) / 2,
    "size_interactions": 7 + 6 + 1,
    "size_users": 4,
    "size_streamers": 3,
    "size_sessions": 6,
    "size_days": 3,
    "anonymous_gift_share": 0,
    "click_pair_density": 4 / (3 * 2),
    # all amounts are given once: the smallest is the first, the largest the last
    "price_atom_first": 1,
    "price_atom_count": 6,
    "price_atom_top5_share": 5 / 6,
    # zeros included: totals 0 5 12 188 and 0 99 106
    "user_gini_all": 2 * (2 * 5 + 3 * 12 + 4 * 188) / (4 * 205) - 5 / 4,
    "streamer_gini_all": 2 * (2 * 99 + 3 * 106) / (3 * 205) - 4 / 3,
    "streamer_top10_share_all": 0.3 * 106 / 205,
    # pairs (1, 7) and (2, 7) met in rooms 10 and 12, (1, 8) and (3, 7) in one
    "users_repeating_a_streamer": 2 / 4,
    # user 1 gave twice to streamer 7, user 2 too
    "revenue_share_repeated_pairs": (10 + 2 + 88 + 1) / 205,
    # 10 -> 2, 88 -> 99, 99 -> 1: ranks 1 2 3 and 2 3 1
    "amount_spearman_previous_next": -0.5,
    # third day: users 1 and 2 gave before, user 3 did not; streamer 7 received before
    "gift_rate_user_with_history": 1 / 2,
    "gift_rate_user_without_history": 1 / 1,
    "click_share_user_with_history": 2 / 3,
    "revenue_share_user_without_history": 5 / 6,
    "gift_rate_streamer_with_history": 2 / 3,
    "revenue_share_streamer_without_history": 0,
    # largest single click or gift over the total: 300/342 301/305.999, 10/12 99/188 5/5
    "watch_loyalty_one_each_p50": 300 / 342,
    "gift_loyalty_one_each_p50": 10 / 12,
    # user 1: both gifts to 7, user 2: two of three
    "gift_count_loyalty_mean": (1 + 2 / 3) / 2,
    # gifts are 5/6 of the time to 7: two draws agree with 26/36, three with 126/216
    "gift_count_loyalty_mean_if_by_popularity": ((1 + 26 / 36) / 2 + (2 + 126 / 216) / 3) / 2,
    "outage_days": 0,
    "silent_days": 0,
    "gift_peak_hour": 1,
    # users 1 and 2 were there on the first day and on the third
    "retention_d1": 0 / 2,
    "retention_d2": 2 / 2,
    "gift_delay_p50_s": 0,
    "gift_delay_p90_s": 5,
    "first_gift_position_p50": 0,
    "user_quadrant_low_watch_low_pay": 1,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_counted_by_hand(book: FactBook, name: str) -> None:
    fact = book.fact(name)
    assert fact.status == "ok"
    assert fact.value == pytest.approx(EXPECTED[name], rel=1e-12)


def test_every_gift_has_one_relation_to_a_click(book: FactBook) -> None:
    shares = ("gifts_with_click_timestamp", "gifts_without_click", "gifts_lagged")
    values = [book.fact(name).value for name in (*shares, "gifts_click_only_after")]
    assert sum(v for v in values if v is not None) == pytest.approx(1.0)
    assert sum(book.curves["gift_lag"]["gifts"]) == 6
    assert sum(book.curves["gift_lag"]["amount"]) == 205


def test_curves_count_the_same_rows(book: FactBook, midnight: int) -> None:
    curves: dict[str, Any] = book.curves
    assert curves["funnel"]["events"] == [20, 7, 6, 4, 1]
    assert curves["funnel"]["users"] == [4, 3, 3, 3, 1]
    assert curves["daily_volume"]["day"] == ["2025-05-05", "2025-05-06", "2025-05-07"]
    assert curves["daily_volume"]["clicks"] == [4, 0, 3]
    assert curves["daily_volume"]["amount"] == [100, 99, 6]
    assert curves["watch_buckets"]["amount"] == [1, 12, 0, 88]
    heat = curves["hour_weekday"]
    assert heat["clicks"][0 * 24 + 1] == 2  # Monday 01:00 local
    assert heat["gifts"][1 * 24 + 0] == 1  # Tuesday 00:00 local
    assert (len(heat["clicks"]), sum(heat["clicks"]), sum(heat["gifts"])) == (168, 7, 6)
    assert curves["amount_ccdf"]["share"] == [6 / 6, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]
    assert curves["amount_ccdf"]["amount"] == [1, 2, 5, 10, 88, 99]
    assert sum(curves["first_gift_position"]["sessions"]) == 3
    assert curves["lorenz_user"]["amount_share"][-1] == 1.0
    assert curves["pair_history_rates"]["rate"] == [0.5, 1.0]
    assert curves["gifts_by_exposure"]["streamers"] == [1, 0, 1, 0, 0]
    assert curves["repeat_structure"]["pairs"] == [2, 2, 0, 0, 0]
    assert curves["repeat_structure"]["amount"] == [104, 101, 0, 0, 0]
    cold = curves["cold_start"]
    pairs = [i for i, of in enumerate(cold["of"]) if of == "pair"]
    assert [cold["clicks"][i] for i in pairs] == [1, 1, 1, 0, 0, 0]  # users 3, 2 and 1
    assert [cold["gifts"][i] for i in pairs] == [1, 1, 0, 0, 0, 0]


def test_a_day_that_cannot_be_followed_is_in_no_denominator(book: FactBook) -> None:
    assert book.fact("retention_d1").n == 2  # not the three user-days of the last day
    assert book.fact("retention_d3").reason.startswith("there are no user-days")


def test_every_column_of_a_curve_has_the_same_length(book: FactBook) -> None:
    for name, curve in book.curves.items():
        assert len({len(column) for column in curve.values()}) == 1, name
    assert len(book.curves["amount_ccdf"]["amount"]) <= 60


def test_too_few_users_get_values_but_no_interval(book: FactBook) -> None:
    for fact in book.facts:
        assert not fact.has_interval, fact.name
        assert fact.reason, fact.name
        assert fact.method == "none"
    assert book.fact("user_gini").reason.startswith("not enough data: 3 users, need ")
