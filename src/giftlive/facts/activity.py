"""How much users and streamers do: interactions, loyalty, quadrants, and gifts by exposure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive.facts.estimates import quantile_of_units, share_of_units, stated
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.stats.quantiles import rank_of
from giftlive.types import Floats

_CLICK, _GIFT, _BOTH = ("click",), ("gift",), ("click", "gift")
_HIGH = 0.75
"""Level of the cut between high and low in a quadrant."""
_USER = {"id": "user_id", "known": "true"}
_STREAMER = {"id": "streamer_id", "known": "streamer_id >= 0"}
_EXPOSURE = (1, 2, 5, 20, 100)
_INTERACTIONS = " UNION ALL ".join(
    f"SELECT {{id}} AS id, count(*) AS n FROM {view} WHERE {{known}} GROUP BY id"
    for view in ("click", "comment", "likes", "gift")
)
_LOYALTY = """
SELECT max(x)::DOUBLE / sum(x) AS top, 1.0 / count(*) AS equal FROM (
    SELECT user_id, streamer_id, sum({column}) AS x FROM {view} WHERE streamer_id >= 0 GROUP BY ALL
) WHERE x > 0 GROUP BY user_id
"""
_WATCH_PAY = """
SELECT sum(watch)::DOUBLE AS watch, sum(pay)::DOUBLE AS pay, sum(n)::BIGINT AS clicks FROM (
    SELECT {id} AS id, sum(watch_ms) AS watch, 0 AS pay, count(*) AS n FROM click GROUP BY id
    UNION ALL
    SELECT {id} AS id, 0, sum(amount), 0 FROM gift WHERE {known} GROUP BY id
) GROUP BY id
"""


def activity_section(evidence: Evidence) -> Section:
    """Return facts whose independent unit is a whole user or a whole streamer."""
    streamers = evidence.columns(_WATCH_PAY.format(**_STREAMER))
    users = evidence.columns(_WATCH_PAY.format(**_USER))
    facts = (
        *_interactions(evidence),
        _without_gift(evidence, streamers["pay"]),
        *_loyalty(evidence, "watch", "click", "watch_ms"),
        *_loyalty(evidence, "gift", "gift", "amount"),
        *_quadrant(evidence, "user", "pay", users),
        *_quadrant(evidence, "streamer", "income", streamers),
    )
    return Section(facts, {"gifts_by_exposure": _by_exposure(streamers)})


def _interactions(evidence: Evidence) -> list[Fact]:
    facts = []
    for whose, text, column in (
        ("users", "below_50", "n < 50"),
        ("streamers", "below_5", "n < 5"),
        ("streamers", "above_40", "n > 40"),
    ):
        union = _INTERACTIONS.format(**(_USER if whose == "users" else _STREAMER))
        hits, n = evidence.row(
            f"SELECT count(*) FILTER ({column}), count(*) "
            f"FROM (SELECT id, sum(n) AS n FROM ({union}) GROUP BY id)"
        )
        quantity = Quantity(
            f"{whose}_{text}_interactions",
            f"{whose} with {column.replace('n ', '')} clicks, comments, likes and gifts",
            f"{whose} with >= 1 interaction",
            f"all {whose} with an interaction",
            needs=_CLICK,
        )
        facts.append(share_of_units(evidence, quantity, hits, n, whose))
    return facts


def _without_gift(evidence: Evidence, pay: Floats) -> Fact:
    """Count all streamers of the profile table, or those with an event where there is none."""
    (profiles,) = evidence.row("SELECT count(DISTINCT streamer_id) FROM streamers")
    paid = int((pay > 0).sum())
    known = max(profiles, len(pay))
    quantity = Quantity(
        "streamers_without_gift", "streamers without income", "streamers", "all streamers",
        needs=_GIFT,
    )  # fmt: skip
    return share_of_units(evidence, quantity, known - paid, known, "streamers")


def _loyalty(evidence: Evidence, what: str, view: str, column: str) -> list[Fact]:
    """Return the share a user's largest streamer has, and what an equal split would give."""
    rows = evidence.columns(_LOYALTY.format(view=view, column=column))
    unit = f"users with {what} > 0"

    def fact(name: str, numerator: str, x: Floats, p: int) -> Fact:
        quantity = Quantity(
            f"{name}_p{p}", f"{p} % point of {numerator}", unit, unit, needs=(view,)
        )
        return quantile_of_units(evidence, quantity, x, p / 100, "users")

    top = f"the largest streamer's share of a user's {what}"
    equal = f"1 / number of streamers of a user, by {what}"
    return [
        fact(f"{what}_loyalty", top, rows["top"], 50),
        fact(f"{what}_loyalty", top, rows["top"], 90),
        fact(f"{what}_loyalty_equal_split", equal, rows["equal"], 50),
    ]


def _quadrant(evidence: Evidence, whose: str, pay_word: str, rows: dict[str, Floats]) -> list[Fact]:
    """Return the share with high watch and low pay, and its value were the two independent.

    High is above the 75 % point of the same population, low at or below it.
    """
    n, watch, pay = len(rows["watch"]), rows["watch"], rows["pay"]
    high, low = watch > _cut(watch), pay <= _cut(pay)
    name, population = f"{whose}_quadrant_high_watch_low_{pay_word}", f"{whose}s with an event"
    numerator = f"{whose}s above the 75 % point of watch, not of {pay_word}"
    quantity = Quantity(name, numerator, f"{whose}s", population, needs=_BOTH)
    fact = share_of_units(evidence, quantity, int((high & low).sum()), n, f"{whose}s")
    if fact.value is None:
        return [fact]
    baseline = replace(
        quantity, name=f"{name}_if_independent", numerator="share of high x share of low"
    )
    product = float(high.mean()) * float(low.mean())
    why = "a reference value, not an estimate"
    return [fact, stated(evidence, baseline, product, why, n, f"{whose}s")]


def _cut(x: Floats) -> float:
    return float(np.sort(x)[rank_of(_HIGH, len(x))]) if len(x) else 0.0


def _by_exposure(rows: dict[str, Floats]) -> Curve:
    """Group streamers by the clicks they had: how many there are, and how many received."""
    clicks, pay = rows["clicks"], rows["pay"]
    ends = (*_EXPOSURE[1:], None)
    names = [f"{a}-{b - 1}" if b else f">= {a}" for a, b in zip(_EXPOSURE, ends, strict=True)]
    index = np.searchsorted(_EXPOSURE, clicks, side="right") - 1
    groups = [index == i for i in range(len(_EXPOSURE))]
    return {
        "clicks_of_streamer": ["1" if name == "1-1" else name for name in names],
        "streamers": [int(group.sum()) for group in groups],
        "clicks": [int(clicks[group].sum()) for group in groups],
        "receiving": [int((pay[group] > 0).sum()) for group in groups],
        "amount": [int(pay[group].sum()) for group in groups],
    }
