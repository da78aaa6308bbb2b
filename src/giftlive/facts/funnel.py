"""From exposure to gift: each rate with the denominator it is often confused with."""

from __future__ import annotations

import numpy as np

from giftlive.facts.estimates import Sample, by_user, ratio
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Quantity, Section
from giftlive.facts.selection import warned
from giftlive.types import Ints

_USERS = "all users"
_CLICK, _BOTH = ("click",), ("click", "gift")
_GIFT_RATES = ("gifting_user_share", "gift_rows_per_click", "gift_sessions_per_session")
"""Gift rates, which selection on giving makes too high."""
_RATES = (
    (
        Quantity(
            "click_share_of_exposures",
            "clicks",
            "exposures (clicks + negatives)",
            _USERS,
            needs=("click", "negative"),
        ),
        "clicks",
        "exposures",
    ),
    (
        Quantity("gift_rows_per_click", "gift rows", "clicks", _USERS, "gifts/click", _BOTH),
        "gifts",
        "clicks",
    ),
    (
        Quantity(
            "gift_sessions_per_session",
            "sessions with >= 1 gift",
            "sessions (user, room)",
            _USERS,
            needs=_BOTH,
        ),
        "gift_sessions",
        "sessions",
    ),
    (
        Quantity("sessions_per_click", "sessions (user, room)", "clicks", _USERS, needs=_CLICK),
        "sessions",
        "clicks",
    ),
    (
        Quantity(
            "multi_gift_session_share",
            "(user, room) with > 1 gift row",
            "(user, room) with >= 1 gift row",
            _USERS,
            needs=("gift",),
        ),
        "multi_gift_rooms",
        "gift_rooms",
    ),
    (
        Quantity("gifting_user_share", "users with >= 1 gift", "users", _USERS, needs=("gift",)),
        "gave",
        "one",
    ),
    (
        Quantity("user_clicks_mean", "clicks", "users", _USERS, "clicks/user", _CLICK),
        "clicks",
        "one",
    ),
)
_BY_USER = """
SELECT user_id, sum(clicks)::BIGINT AS clicks, sum(sessions)::BIGINT AS sessions,
    sum(negatives)::BIGINT AS negatives, sum(gifts)::BIGINT AS gifts,
    sum(gift_sessions)::BIGINT AS gift_sessions, sum(gift_rooms)::BIGINT AS gift_rooms,
    sum(multi_gift_rooms)::BIGINT AS multi_gift_rooms,
    sum(multi_gift_sessions)::BIGINT AS multi_gift_sessions
FROM (
    SELECT user_id, sum(n) AS clicks, count(*) AS sessions, 0 AS negatives, 0 AS gifts,
        0 AS gift_sessions, 0 AS gift_rooms, 0 AS multi_gift_rooms, 0 AS multi_gift_sessions
    FROM (SELECT user_id, live_id, count(*) AS n FROM click GROUP BY ALL) GROUP BY user_id
    UNION ALL
    SELECT user_id, 0, 0, count(*), 0, 0, 0, 0, 0 FROM negative GROUP BY user_id
    UNION ALL
    SELECT user_id, 0, 0, 0, sum(n), count(*) FILTER (clicked),
        count(*) FILTER (live_id >= 0), count(*) FILTER (live_id >= 0 AND n > 1),
        count(*) FILTER (clicked AND n > 1)
    FROM (
        SELECT user_id, live_id, count(*) AS n, bool_or(clicks > 0) AS clicked
        FROM gift_click GROUP BY user_id, live_id
    ) GROUP BY user_id
) GROUP BY user_id ORDER BY user_id
"""


_STAGES = {
    "exposures": "exposures",
    "clicks": "clicks",
    "sessions": "sessions",
    "gift sessions": "gift_sessions",
    "sessions with > 1 gift": "multi_gift_sessions",
}


def funnel_section(evidence: Evidence) -> Section:
    """Return the rates of the funnel, clustered by user, and its stages by events and users."""
    counts: dict[str, Ints] = evidence.columns(_BY_USER)
    counts["exposures"] = counts["clicks"] + counts["negatives"]
    counts["gave"] = (counts["gifts"] > 0).astype(np.int64)
    counts["one"] = np.ones(len(counts["user_id"]), dtype=np.int64)

    def sample(quantity: Quantity, top: str, bottom: str) -> Sample:
        return by_user(counts["user_id"], counts[top], counts[bottom], n_unit=quantity.denominator)

    facts = [ratio(evidence, q, sample(q, top, bottom)) for q, top, bottom in _RATES]
    return Section(tuple(warned(evidence, facts, _GIFT_RATES)), {"funnel": _stages(counts)})


def _stages(counts: dict[str, Ints]) -> Curve:
    return {
        "stage": list(_STAGES),
        "events": [int(counts[column].sum()) for column in _STAGES.values()],
        "users": [int((counts[column] > 0).sum()) for column in _STAGES.values()],
    }
