"""Cold start: how the gift rate grows with what is already known of a pair, user or streamer.

Two views of the same last third of the days. The *slices* ask whether there was a gift on an
earlier day (of pairs they are in ``pairs``); the *curves* ask how many clicks there were on
earlier days. History begins with the log: who looks new may be old, so rates without history
are an upper limit of those of true newcomers.
"""

from __future__ import annotations

import numpy as np

from giftlive.facts.estimates import by_user, ratio
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.facts.local_time import days_of, judged_days, local_day_sql
from giftlive.facts.selection import warned
from giftlive.types import Ints

WHOSE = {"user": "user_id", "streamer": "streamer_id", "pair": "user_id, streamer_id"}
BUCKETS = (0, 1, 2, 5, 20, 100)
BUCKET_TEXT = ("0", "1", "2-4", "5-19", "20-99", ">= 100")
_BOTH = ("click", "gift")
_OF_USERS = (
    "gift_rate_user_with_history",
    "gift_rate_user_without_history",
    "revenue_share_user_without_history",
)
_DAILY = """
CREATE OR REPLACE TEMP TABLE pair_day AS
SELECT user_id, streamer_id, day, sum(clicks)::INT AS clicks, sum(gifts)::INT AS gifts,
    sum(amount)::BIGINT AS amount
FROM (
    SELECT user_id, streamer_id, {day}::INT AS day, 1 AS clicks, 0 AS gifts, 0 AS amount
    FROM click
    UNION ALL
    SELECT user_id, streamer_id, {day}, 0, 1, amount FROM gift WHERE streamer_id >= 0
) GROUP BY ALL
"""
_SLICE = """
WITH given AS (
    SELECT {key}, min(day) AS first_day FROM pair_day WHERE gifts > 0 GROUP BY ALL
), judged AS (
    SELECT e.*, coalesce(g.first_day < e.day, false) AS history
    FROM pair_day e LEFT JOIN given g USING ({key}) WHERE e.day >= {start}
)
SELECT user_id,
    coalesce(sum(clicks) FILTER (history), 0)::BIGINT AS clicks_with,
    coalesce(sum(clicks) FILTER (NOT history), 0)::BIGINT AS clicks_without,
    coalesce(sum(gifts) FILTER (history), 0)::BIGINT AS gifts_with,
    coalesce(sum(gifts) FILTER (NOT history), 0)::BIGINT AS gifts_without,
    coalesce(sum(amount) FILTER (history), 0)::BIGINT AS amount_with,
    coalesce(sum(amount) FILTER (NOT history), 0)::BIGINT AS amount_without
FROM judged GROUP BY user_id ORDER BY user_id
"""
_CURVE = """
WITH daily AS (
    SELECT {key}, day, sum(clicks)::INT AS clicks, sum(gifts)::INT AS gifts,
        sum(amount)::BIGINT AS amount
    FROM pair_day GROUP BY ALL
), known AS (
    SELECT day, clicks, gifts, amount,
        coalesce(sum(clicks) OVER (PARTITION BY {key} ORDER BY day
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM {daily}
)
SELECT before_group, sum(clicks)::BIGINT AS clicks, sum(gifts)::BIGINT AS gifts,
    sum(amount)::BIGINT AS amount
FROM (SELECT *, {group} AS before_group FROM known WHERE day >= {start})
GROUP BY before_group ORDER BY before_group
"""


def cold_start_section(evidence: Evidence) -> Section:
    """Return the slices of users and streamers, and the curves of all three."""
    first, last = judged_days(evidence.window, evidence.tz)
    day = local_day_sql("ts", evidence.tz, evidence.window)
    evidence.con.execute(_DAILY.format(day=day))  # one pass over the rows serves all five queries
    facts: list[Fact] = []
    curve: Curve = {"of": [], "before": [], "clicks": [], "gifts": [], "amount": []}
    for whose in ("user", "streamer"):
        facts += _slices(evidence, whose, first, last)
    facts = warned(evidence, facts, _OF_USERS)
    for whose in WHOSE:
        rows = _by_history(evidence, whose, first)
        for i, text in enumerate(BUCKET_TEXT):
            curve["of"].append(whose)
            curve["before"].append(text)
            for column in ("clicks", "gifts", "amount"):
                curve[column].append(int(rows[column][i]))
    evidence.con.execute("DROP TABLE pair_day")
    return Section(tuple(facts), {"cold_start": curve})


def _sql(template: str, whose: str, first: int) -> str:
    group = " + ".join(f"(before >= {least})::INT" for least in BUCKETS[1:])
    daily = "pair_day" if whose == "pair" else "daily"  # of pairs it is grouped already
    return template.format(key=WHOSE[whose], start=first, group=group, daily=daily)


def _by_history(evidence: Evidence, whose: str, first: int) -> dict[str, Ints]:
    """Return clicks, gifts and amount [6] by the number of clicks on earlier days."""
    found = {c: np.zeros(len(BUCKETS), dtype=np.int64) for c in ("clicks", "gifts", "amount")}
    if not evidence.lacks(_BOTH):
        rows = evidence.columns(_sql(_CURVE, whose, first))
        for column, sums in found.items():
            sums[rows["before_group"]] = rows[column]
    return found


def _slices(evidence: Evidence, whose: str, first: int, last: int) -> list[Fact]:
    sums = evidence.columns(_sql(_SLICE, whose, first))
    for name in ("clicks", "amount", "gifts"):
        sums[name] = sums[f"{name}_with"] + sums[f"{name}_without"]
    opens, _ = days_of(evidence.window, evidence.tz)
    population = f"last {last - first + 1} of {last - opens + 1} days, days in {evidence.tz}"
    did = "gave" if whose == "user" else "received"
    facts = []
    for history, text in (("with", "an earlier"), ("without", "no earlier")):
        quantity = Quantity(
            f"gift_rate_{whose}_{history}_history",
            f"gift rows of {whose}s that {did} on {text} day",
            f"clicks of such {whose}s", population, "gifts/click", _BOTH,
        )  # fmt: skip
        top, bottom = sums[f"gifts_{history}"], sums[f"clicks_{history}"]
        unit = quantity.denominator
        facts.append(ratio(evidence, quantity, by_user(sums["user_id"], top, bottom, n_unit=unit)))
    return [*facts, *_shares(evidence, whose, did, population, sums)]


def _shares(
    evidence: Evidence, whose: str, did: str, population: str, sums: dict[str, Ints]
) -> list[Fact]:
    share = Quantity(
        f"click_share_{whose}_with_history", f"clicks of {whose}s that {did} on an earlier day",
        "clicks", population, needs=_BOTH,
    )  # fmt: skip
    money = Quantity(
        f"revenue_share_{whose}_without_history",
        f"amount of {whose}s that {did} on no earlier day", "amount", population,
        needs=_BOTH, money=True,
    )  # fmt: skip
    user, gifts = sums["user_id"], int(sums["gifts"].sum())
    clicked = by_user(user, sums["clicks_with"], sums["clicks"], n_unit="clicks")
    paid = by_user(user, sums["amount_without"], sums["amount"], n=gifts, n_unit="gift rows")
    return [ratio(evidence, share, clicked), ratio(evidence, money, paid)]
