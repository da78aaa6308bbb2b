"""How large the logs are: rows, users, streamers, rooms, days, and how full the matrix is."""

from __future__ import annotations

import numpy as np

from giftlive.facts.estimates import by_user, ratio, stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Fact, Quantity, Section
from giftlive.facts.local_time import days_of

_ROWS = {
    "clicks": "click",
    "gifts": "gift",
    "gifts_anonymous": "gift_anonymous",
    "comments": "comment",
    "likes": "like",
    "negatives": "negative",
    "rooms": "room",
}
"""Ending of the fact's name -> table whose rows it counts."""
_INTERACTIONS = ("clicks", "gifts", "comments", "likes")
_ONCE = "none: a count"
_WHY = "a count of these logs, not an estimate"
_UNNAMED = Quantity(
    "anonymous_gift_share", "gift rows without a known user", "gift rows, anonymous ones included",
    "all gift rows", needs=("gift",),
)  # fmt: skip
_UNPLACED = Quantity(
    "unplaced_gift_share", "gift rows without a known room", "gift rows",
    "gifts of known users", needs=("gift",),
)  # fmt: skip
_DENSITY = Quantity(
    "click_pair_density", "(user, streamer) pairs with a click",
    "users with a click x streamers with a click", "all users and streamers with a click",
    needs=("click",),
)  # fmt: skip


def size_section(evidence: Evidence) -> Section:
    """Return the counts of the logs, the unnamed and unplaced gifts, and the matrix density."""
    first, last = days_of(evidence.window, evidence.tz)
    rows = {name: int(evidence.rows.get(table, 0)) for name, table in _ROWS.items()}
    facts = [_count(evidence, name, rows[name], (table,)) for name, table in _ROWS.items()]
    facts += [
        _count(evidence, "interactions", sum(rows[name] for name in _INTERACTIONS)),
        _count(evidence, "users", len(evidence.users)),
        _count(evidence, "streamers", evidence.streamers),
        _count(evidence, "gift_streamers", _receivers(evidence), ("gift",)),
        _count(evidence, "sessions", _sessions(evidence), ("click",)),
        _count(evidence, "days", last - first + 1),
    ]
    return Section((*facts, _unnamed(evidence, rows), _unplaced(evidence), _density(evidence)))


def _count(evidence: Evidence, name: str, n: int, needs: tuple[str, ...] = ()) -> Fact:
    words = name.replace("_", " ")
    quantity = Quantity(f"size_{name}", words, _ONCE, "the whole source", words, needs)
    if reason := evidence.lacks(needs):
        return undefined(evidence, quantity, reason)
    return stated(evidence, quantity, float(n), _WHY, n, words)


def _receivers(evidence: Evidence) -> int:
    (n,) = evidence.row("SELECT count(DISTINCT streamer_id) FROM gift WHERE streamer_id >= 0")
    return int(n)


def _sessions(evidence: Evidence) -> int:
    (n,) = evidence.row("SELECT count(*) FROM (SELECT DISTINCT user_id, live_id FROM click)")
    return int(n)


def _unnamed(evidence: Evidence, rows: dict[str, int]) -> Fact:
    """Return the share of gifts whose giver is unknown; they belong to no one user."""
    unnamed, n = rows["gifts_anonymous"], rows["gifts_anonymous"] + rows["gifts"]
    reason = evidence.lacks(_UNNAMED.needs)
    if reason or not n:
        return undefined(evidence, _UNNAMED, reason or "there are no gift rows")
    why = "nobody knows how many people are behind the unnamed gifts"
    return stated(evidence, _UNNAMED, unnamed / n, why, n, "gift rows")


def _unplaced(evidence: Evidence) -> Fact:
    rows = evidence.columns(
        "SELECT user_id, count(*) FILTER (live_id < 0) AS unplaced, count(*) AS n "
        "FROM gift GROUP BY user_id ORDER BY user_id"
    )
    sample = by_user(rows["user_id"], rows["unplaced"], rows["n"], n_unit="gift rows")
    return ratio(evidence, _UNPLACED, sample)


def _density(evidence: Evidence) -> Fact:
    rows = evidence.columns(
        "SELECT user_id, count(*) AS pairs FROM (SELECT DISTINCT user_id, streamer_id FROM click) "
        "GROUP BY user_id ORDER BY user_id"
    )
    (clicked,) = evidence.row("SELECT count(DISTINCT streamer_id) FROM click")
    cells = np.full(len(rows["pairs"]), clicked)
    unit = "user x streamer cells"
    return ratio(evidence, _DENSITY, by_user(rows["user_id"], rows["pairs"], cells, n_unit=unit))
