"""Loyalty beside its mechanical baseline: what the same users would show without any.

A user with one gift has given everything to one streamer, whatever loyalty is. Three baselines
say how much of a high share is arithmetic: every row of the user at a streamer of its own, the
user's streamers sharing equally, and users with the same number of gifts who choose streamers
by popularity alone.
"""

from __future__ import annotations

import numpy as np

from giftlive.facts.estimates import by_user, quantile_of_units, ratio, stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.stats.draws import expected_top_share
from giftlive.types import Floats, Ints

MOST_GIFTS = 10
"""Users with 2 to so many gifts are compared with draws by popularity."""

_LOYALTY = """
SELECT max(x)::DOUBLE / sum(x) AS top, 1.0 / count(*) AS equal, max(largest)::DOUBLE / sum(x) AS one
FROM (
    SELECT user_id, streamer_id, sum({column}) AS x, max({column}) AS largest
    FROM {view} WHERE streamer_id >= 0 GROUP BY ALL
) WHERE x > 0 GROUP BY user_id
"""
_BY_GIFTS = """
SELECT user_id, sum(n)::BIGINT AS gifts, max(n)::BIGINT AS top FROM (
    SELECT user_id, streamer_id, count(*) AS n FROM gift WHERE streamer_id >= 0 GROUP BY ALL
) GROUP BY user_id ORDER BY user_id
"""
_POPULARITY = """
SELECT count(*) AS n FROM gift WHERE streamer_id >= 0 GROUP BY streamer_id ORDER BY n
"""
_FEW = f"users with 2 to {MOST_GIFTS} gifts"
_MEAN = Quantity(
    "gift_count_loyalty_mean", "share of a user's gift rows to the most frequent streamer, summed",
    "users", _FEW, needs=("gift",),
)  # fmt: skip
_MECHANICAL = Quantity(
    "gift_count_loyalty_mean_if_by_popularity", "expected share, streamers drawn by popularity",
    "users", _FEW, needs=("gift",),
)  # fmt: skip


def loyalty_section(evidence: Evidence) -> Section:
    """Return loyalty by watch time and by gifts, each beside what needs no loyalty."""
    rows = evidence.columns(_BY_GIFTS)
    popularity = evidence.columns(_POPULARITY)["n"]
    expected = expected_top_share(popularity, MOST_GIFTS) if len(popularity) else np.ones(1)
    few = (rows["gifts"] >= 2) & (rows["gifts"] <= MOST_GIFTS)
    order = np.lexsort((rows["top"][few], rows["gifts"][few]))  # sums that no name decides
    user, gifts, top = (rows[column][few][order] for column in ("user_id", "gifts", "top"))
    facts = (
        *_largest(evidence, "watch", "click", "watch_ms"),
        *_largest(evidence, "gift", "gift", "amount"),
        *_against_popularity(evidence, user, gifts, top, expected),
    )
    return Section(facts, {"loyalty_by_gifts": _curve(rows["gifts"], rows["top"], expected)})


def _largest(evidence: Evidence, what: str, view: str, column: str) -> list[Fact]:
    """Return the share a user's largest streamer has, and two baselines of it."""
    rows = evidence.columns(_LOYALTY.format(view=view, column=column))
    unit = f"users with {what} > 0"

    def fact(name: str, numerator: str, x: Floats, p: int) -> Fact:
        quantity = Quantity(
            f"{name}_p{p}", f"{p} % point of {numerator}", unit, unit, needs=(view,)
        )
        return quantile_of_units(evidence, quantity, x, p / 100, "users")

    top = f"the largest streamer's share of a user's {what}"
    equal = f"1 / number of streamers of a user, by {what}"
    one = f"the largest {view}'s share of a user's {what}: every {view} at a streamer of its own"
    return [
        fact(f"{what}_loyalty", top, rows["top"], 50),
        fact(f"{what}_loyalty", top, rows["top"], 90),
        fact(f"{what}_loyalty_equal_split", equal, rows["equal"], 50),
        fact(f"{what}_loyalty_one_each", one, rows["one"], 50),
        fact(f"{what}_loyalty_one_each", one, rows["one"], 90),
    ]


def _against_popularity(
    evidence: Evidence, user: Ints, gifts: Ints, top: Ints, expected: Floats
) -> list[Fact]:
    reason = evidence.lacks(_MEAN.needs) or ("" if len(user) else f"there are no {_FEW}")
    if reason:
        return [undefined(evidence, quantity, reason) for quantity in (_MEAN, _MECHANICAL)]
    sample = by_user(user, top / gifts, np.ones(len(user)), n_unit="users")
    value = float(expected[gifts - 1].mean())
    why = "a reference value, not an estimate"
    return [
        ratio(evidence, _MEAN, sample),
        stated(evidence, _MECHANICAL, value, why, len(user), "users"),
    ]


def _curve(gifts: Ints, top: Ints, expected: Floats) -> Curve:
    """Return the mean share of the most frequent streamer by number of gifts, and by chance."""
    curve: Curve = {"gifts": [], "users": [], "share": [], "by_popularity": [], "one_each": []}
    for n in range(1, len(expected) + 1):
        among = gifts == n
        if among.any():
            row = (n, int(among.sum()), float(top[among].mean() / n), float(expected[n - 1]), 1 / n)
            for column, value in zip(curve, row, strict=True):
                curve[column].append(value)
    return curve
