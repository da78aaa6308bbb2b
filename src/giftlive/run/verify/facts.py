"""What each fact of the logs divides by what, as SQL over one row per user or streamer."""

from __future__ import annotations

BUCKETS = {"lt5": "< 5 s", "5to30": "5-30 s", "30to300": "30-300 s", "gt300": "> 300 s"}
_CREDITED = "amount_lt5 + amount_5to30 + amount_30to300 + amount_gt300"
_TIMED = "gifts_lt5 + gifts_5to30 + gifts_30to300 + gifts_gt300"
_INTERACTIONS = "clicks + comments + likes + gifts"


def _history(z: str) -> dict[str, tuple[str, str, str]]:
    """Return the rates of pairs with and without an earlier gift day, days ending in ``z``."""
    clicks, amount = f"clicks_with{z} + clicks_without{z}", f"amount_with{z} + amount_without{z}"
    gifts = f"gifts_with{z} + gifts_without{z}"
    return {
        f"gift_rate_pair_with_history{z}": (f"gifts_with{z}", f"clicks_with{z}", ""),
        f"gift_rate_pair_without_history{z}": (f"gifts_without{z}", f"clicks_without{z}", ""),
        f"click_share_pair_with_history{z}": (f"clicks_with{z}", clicks, ""),
        f"revenue_share_never_gifted_pairs{z}": (f"amount_without{z}", amount, gifts),
    }


def _slices(whose: str) -> dict[str, tuple[str, str, str]]:
    """Return the rates of users or streamers with and without a gift on an earlier day."""

    def both(column: str) -> str:
        return f"{column}_with_{whose} + {column}_without_{whose}"

    rates = {
        f"gift_rate_{whose}_{h}_history": (f"gifts_{h}_{whose}", f"clicks_{h}_{whose}", "")
        for h in ("with", "without")
    }
    return rates | {
        f"click_share_{whose}_with_history": (f"clicks_with_{whose}", both("clicks"), ""),
        f"revenue_share_{whose}_without_history": (
            f"amount_without_{whose}",
            both("amount"),
            both("gifts"),
        ),
    }


RETENTION_LAGS = (1, 2, 3, 5, 7, 14)
_FEW = "pair_gifts BETWEEN 2 AND 10"
RATIOS: dict[str, tuple[str, str, str]] = {
    "amount_mean": ("amount", "gifts", ""),
    "amount_share_eq_1": ("gifts_eq_1", "gifts", ""),
    **{f"amount_share_le_{x}": (f"gifts_le_{x}", "gifts", "") for x in (2, 5, 10, 20)},
    "click_share_of_exposures": ("clicks", "clicks + negatives", ""),
    "gift_rows_per_click": ("gifts", "clicks", ""),
    "gift_sessions_per_session": ("gift_sessions", "sessions", ""),
    "sessions_per_click": ("sessions", "clicks", ""),
    "multi_gift_session_share": ("multi_gift_rooms", "gift_rooms", ""),
    "gifting_user_share": (
        "(gifts > 0)::INT",
        "(clicks + negatives + gifts > 0)::INT",
        "",
    ),
    "user_clicks_mean": ("clicks", "(clicks + negatives + gifts > 0)::INT", ""),
    "watch_mean_s": ("watch_ms", "clicks * 1000", "clicks"),
    **{f"click_share_watch_{b}": (f"clicks_{b}", "clicks", "") for b in BUCKETS},
    **{f"revenue_share_watch_{b}": (f"amount_{b}", _CREDITED, _TIMED) for b in BUCKETS},
    "gifting_pairs_per_user": ("pairs", "1", ""),
    "gifts_per_gifting_pair": ("pair_gifts", "pairs", ""),
    "gifting_pairs_repeat_share": ("repeated_pairs", "pairs", ""),
    "users_repeating_a_streamer": ("returning_pairs", "clicked_pairs", ""),
    **_history(""),
    **_history("_utc"),
    **_slices("user"),
    **_slices("streamer"),
    **{f"retention_d{k}": (f"returned_d{k}", f"days_d{k}", "") for k in RETENTION_LAGS},
    "unplaced_gift_share": ("gifts_unplaced", "gifts", ""),
    **{f"price_atom_top{top}_share": (f"gifts_atom_top{top}", "gifts", "") for top in (1, 5)},
    "revenue_share_repeated_pairs": ("amount_repeated", "amount_known", "pair_gifts"),
    "gift_count_loyalty_mean": (
        f"CASE WHEN {_FEW} THEN pair_gifts_top / pair_gifts ELSE 0 END",
        f"({_FEW})::INT",
        "",
    ),
    "gifts_with_click_timestamp": ("gifts_at_click", "gifts", ""),
    "gifts_without_click": ("gifts_orphan", "gifts", ""),
    "gifts_lagged": ("gifts_lagged", "gifts", ""),
    "gifts_click_only_after": ("gifts_early", "gifts", ""),
    "first_gift_within_first_10pct_of_session": ("first_tenth_sessions", "timed_sessions", ""),
}
"""Fact -> numerator and denominator summed over users, and what n counts ("": the denominator)."""

SHARES: dict[str, tuple[str, str, str]] = {
    "users_below_50_interactions": ("users", f"{_INTERACTIONS} < 50", f"{_INTERACTIONS} > 0"),
    "streamers_below_5_interactions": (
        "streamers",
        f"{_INTERACTIONS} < 5",
        f"{_INTERACTIONS} > 0 AND streamer_id >= 0",
    ),
    "streamers_above_40_interactions": (
        "streamers",
        f"{_INTERACTIONS} > 40",
        f"{_INTERACTIONS} > 0 AND streamer_id >= 0",
    ),
}
"""Fact -> table, which rows are hits, and among which."""

QUADRANTS = {
    whose: {
        f"{whose}_quadrant_{watch}_watch_{pay}_{word}": (watch, pay)
        for watch in ("high", "low")
        for pay in ("high", "low")
    }
    for whose, word in (("user", "pay"), ("streamer", "income"))
}
"""User or streamer -> fact -> the sides of watch and of money that it counts."""

NEED_CLICKS = (
    "user_clicks_mean",
    *SHARES,
    *QUADRANTS["user"],
    *QUADRANTS["streamer"],
    "revenue_share_user_without_history",
    "revenue_share_streamer_without_history",
    "outage_days",
    "gifts_with_click_timestamp",
    "gifts_without_click",
    "gifts_lagged",
    "gifts_click_only_after",
)
"""Facts that sums over gifts alone would give a number, but a wrong one."""

NEED_NEGATIVES = ("click_share_of_exposures",)
