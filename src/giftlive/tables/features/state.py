"""What is known about a key strictly before a probe: the columns that features are made of.

A probe asks at ``as_of_ts``; an event counts iff ``known_ts < as_of_ts``, so an event of the same
millisecond never does. Two forms compute these columns, windows in portable SQL
(:mod:`giftlive.tables.features.query`) and a compiled sweep in time order
(:mod:`giftlive.tables.features.sweep`); this module is the contract between them. Integers agree
exactly, doubles to 1e-9 relative.

Events: an *entry* (a click, known at once), a *viewing* (the same click when it ends: only then
is ``watch_ms`` known), a gift, an anonymous gift (it reaches streamer and room, nobody else), a
comment, a like, and a negative (shown, not clicked).
"""

from __future__ import annotations

HALF_LIVES_MS: dict[str, int] = {"1h": 3_600_000, "1d": 86_400_000, "7d": 604_800_000}
"""Decayed sums: Σ x · 2^(-(as_of_ts - known_ts) / half-life)."""

HEAT_MS: dict[str, int] = {"10m": 600_000, "60m": 3_600_000}
"""Sliding windows of a streamer: as_of_ts - length <= known_ts < as_of_ts."""

KEYS: dict[str, tuple[str, ...]] = {
    "pair": ("user_id", "streamer_id"),
    "user": ("user_id",),
    "streamer": ("streamer_id",),
    "room": ("live_id",),
    "taste": ("user_id", "category"),
}
"""Groups with a running state, and whose it is. An id of -1 has no history, nor has an unknown
category (-1); ``category`` is that of the room, of the event's room or of the probe's."""

ACTORS = ("pair", "user", "streamer")
"""Groups with the whole state; ``room`` and ``taste`` carry a few sums."""

_SUMS = ("click_count", "watch_ms", "gift_count", "gift_sum", "comment_count", "like_count")
_LAST = ("last_click_ts", "last_gift_ts")
_DECAYED = tuple(f"{what}_{h}" for what in ("click", "gift") for h in HALF_LIVES_MS)
_TODAY = ("click_today", "watch_ms_today", "gift_today")
_HEAT = tuple(f"{what}_{span}" for what in ("click", "gift") for span in HEAT_MS)

HISTORY: dict[str, tuple[str, ...]] = {
    "pair": (*_SUMS, *_LAST, *_DECAYED, *_TODAY),
    "user": (*_SUMS, *_LAST, *_DECAYED, *_TODAY),
    "streamer": (*_SUMS, *_LAST, *_DECAYED, *_TODAY, *_HEAT),
    "room": ("click_count", "gift_count", "gift_sum", "comment_count", "like_count"),
    "taste": ("click_count", "watch_ms", "gift_sum"),
}
"""Columns by group, without the prefix ``{group}_`` they carry in a table.

- click_count, watch_ms, gift_count, gift_sum, comment_count, like_count: sums since the logs began
- last_click_ts, last_gift_ts: ms UTC at which the last one became known, -1 without any
- click_1h ... gift_7d: decayed sums of entries and of amounts (doubles)
- click_today, watch_ms_today, gift_today: sums (of entries, ms, amounts) since local midnight
- click_10m ... gift_60m: entries and amounts of a sliding window
"""

DAILY: dict[str, tuple[str, ...]] = {
    "pair": ("prior_gift_rate", "prior_gift_value", "strength"),
    "user": (
        *("prior_gift_rate", "prior_gift_value", "strength"),
        *("entered_count", "negative_count", "prior_enter_rate", "enter_strength"),
    ),
    "streamer": (
        *("prior_gift_rate", "prior_gift_value", "strength"),
        *("entered_count", "negative_count", "prior_enter_rate", "enter_strength", "efficiency"),
    ),
}
"""Columns by group that stand still for a local day: they use events known before it began.

- prior_gift_rate, prior_gift_value, strength, prior_enter_rate, enter_strength: the prior that
  rates are shrunk to, one value for every probe of the day
  (:mod:`giftlive.tables.features.prior`)
- entered_count, negative_count: times shown and entered, times shown and not
- efficiency: among streamers with watch_ms > 0 the share whose gift_sum / watch_ms is strictly
  smaller than this one's; -1 where this one has no watch_ms
"""

PRIORS = ("prior_gift_rate", "prior_gift_value", "strength", "prior_enter_rate", "enter_strength")

DOUBLES = frozenset(
    [f"{g}_{c}" for g in ACTORS for c in _DECAYED]
    + [f"{g}_{c}" for g, columns in DAILY.items() for c in columns if not c.endswith("_count")]
)
"""State columns that are doubles; all others are 64-bit integers."""


def state_columns(group: str) -> tuple[str, ...]:
    """Return the full names of a group's state columns, history first, then daily.

    Examples
    --------
    >>> state_columns("taste")
    ('taste_click_count', 'taste_watch_ms', 'taste_gift_sum')
    """
    return tuple(f"{group}_{name}" for name in (*HISTORY[group], *DAILY.get(group, ())))
