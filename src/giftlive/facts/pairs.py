"""Do pairs repeat? Gifts of a (user, streamer) pair before and after its first one.

History is taken by whole days: a click has history when the pair gifted on an earlier day. The
rates look at the last third of the days, so that the earlier ones can make a history. KuaiLive's
published figures used UTC days; those carry the ending ``_utc`` beside the local ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive.clock import MS_PER_DAY
from giftlive.facts.estimates import by_user, ratio
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.facts.local_time import days_of, judged_days, local_day_sql
from giftlive.types import Ints

_GIFT, _BOTH = ("gift",), ("click", "gift")
_KNOWN = "gifts to a known streamer"
_REPEAT = (
    (
        Quantity(
            "gifting_pairs_per_user", "gifting pairs", "users", "all users", "pairs/user", _GIFT
        ),
        "pairs",
        "one",
    ),
    (
        Quantity(
            "gifts_per_gifting_pair", "gift rows", "gifting pairs", _KNOWN, "gifts/pair", _GIFT
        ),
        "gifts",
        "pairs",
    ),
    (
        Quantity(
            "gifting_pairs_repeat_share", "gifting pairs with > 1 gift", "gifting pairs", _KNOWN,
            needs=_GIFT,
        ),
        "repeated",
        "pairs",
    ),
)  # fmt: skip
_RATES = (
    (
        Quantity(
            "gift_rate_pair_with_history", "gift rows on pairs with an earlier gift day",
            "clicks on such pairs", "", "gifts/click", _BOTH,
        ),
        "gifts_with",
        "clicks_with",
    ),
    (
        Quantity(
            "gift_rate_pair_without_history", "gift rows on pairs without an earlier gift day",
            "clicks on such pairs", "", "gifts/click", _BOTH,
        ),
        "gifts_without",
        "clicks_without",
    ),
    (
        Quantity(
            "click_share_pair_with_history", "clicks on pairs with an earlier gift day",
            "clicks", "", needs=_BOTH,
        ),
        "clicks_with",
        "clicks",
    ),
    (
        Quantity(
            "revenue_share_never_gifted_pairs", "amount on pairs without an earlier gift day",
            "amount", "", needs=_GIFT, money=True,
        ),
        "amount_without",
        "amount",
    ),
)  # fmt: skip
_DENSITY = Quantity(
    "gifting_pair_density",
    "gifting pairs",
    "users x receiving streamers",
    "all users and streamers with a gift",
    needs=_GIFT,
)
_PAIRS = """
SELECT user_id, count(*) AS pairs, sum(n)::BIGINT AS gifts, count(*) FILTER (n > 1) AS repeated
FROM (
    SELECT user_id, streamer_id, count(*) AS n FROM gift WHERE streamer_id >= 0 GROUP BY ALL
) GROUP BY user_id ORDER BY user_id
"""
_HISTORY = """
WITH pair AS (
    SELECT user_id, streamer_id, min({day}) AS first_day
    FROM gift WHERE streamer_id >= 0 GROUP BY ALL
), events AS (
    SELECT user_id, streamer_id, {day} AS day, 1 AS clicks, 0 AS gifts, 0 AS amount
    FROM click WHERE ts >= {from_ts} - 86400000
    UNION ALL
    SELECT user_id, streamer_id, {day}, 0, 1, amount
    FROM gift WHERE ts >= {from_ts} - 86400000 AND streamer_id >= 0
), judged AS (
    SELECT e.*, coalesce(p.first_day < e.day, false) AS history
    FROM events e LEFT JOIN pair p USING (user_id, streamer_id) WHERE e.day >= {start}
)
SELECT user_id,
    count(*) FILTER (clicks = 1 AND history) AS clicks_with,
    count(*) FILTER (clicks = 1 AND NOT history) AS clicks_without,
    count(*) FILTER (gifts = 1 AND history) AS gifts_with,
    count(*) FILTER (gifts = 1 AND NOT history) AS gifts_without,
    coalesce(sum(amount) FILTER (history), 0)::BIGINT AS amount_with,
    coalesce(sum(amount) FILTER (NOT history), 0)::BIGINT AS amount_without
FROM judged GROUP BY user_id ORDER BY user_id
"""


def pair_section(evidence: Evidence) -> Section:
    """Return how often pairs repeat and what a history of gifts is worth."""
    facts = _repeat_facts(evidence)
    local = _history_facts(evidence, evidence.tz, "")
    utc = _history_facts(evidence, "UTC", "_utc")
    return Section((*facts, *local, *utc), {"pair_history_rates": _curve(local)})


def _repeat_facts(evidence: Evidence) -> list[Fact]:
    given = evidence.columns(_PAIRS)
    users = evidence.users
    counts = {"one": np.ones(len(users))}
    for name in ("pairs", "gifts", "repeated"):
        counts[name] = np.zeros(len(users))
        counts[name][np.searchsorted(users, given["user_id"])] = given[name]
    facts = [
        ratio(evidence, q, by_user(users, counts[top], counts[bottom], n_unit=q.denominator))
        for q, top, bottom in _REPEAT
    ]
    (receivers,) = evidence.row(
        "SELECT count(DISTINCT streamer_id) FROM gift WHERE streamer_id >= 0"
    )
    cells = counts["one"] * receivers
    sample = by_user(users, counts["pairs"], cells, n_unit="user x streamer cells")
    return [*facts, ratio(evidence, _DENSITY, sample)]


def _history_facts(evidence: Evidence, tz: str, ending: str) -> list[Fact]:
    first, _ = days_of(evidence.window, tz)
    start, last = judged_days(evidence.window, tz)
    counts: dict[str, Ints] = evidence.columns(
        _HISTORY.format(
            day=local_day_sql("ts", tz, evidence.window), start=start, from_ts=start * MS_PER_DAY
        )
    )
    for name in ("clicks", "amount", "gifts"):
        counts[name] = counts[f"{name}_with"] + counts[f"{name}_without"]
    population = f"last {last - start + 1} of {last - first + 1} days, days in {tz}"
    facts = []
    for q, top, bottom in _RATES:
        quantity = replace(q, name=q.name + ending, population=population)
        n = int(counts["gifts" if q.money else bottom].sum())
        unit = "gift rows" if q.money else q.denominator
        sample = by_user(counts["user_id"], counts[top], counts[bottom], n=n, n_unit=unit)
        facts.append(ratio(evidence, quantity, sample))
    return facts


def _curve(facts: list[Fact]) -> Curve:
    rates = facts[:2]
    return {
        "history": ["with", "without"],
        "rate": [fact.value for fact in rates],
        "low": [fact.low for fact in rates],
        "high": [fact.high for fact in rates],
        "clicks": [fact.n for fact in rates],
    }
