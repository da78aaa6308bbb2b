"""Repetition: pairs that meet again, what pairs that gift again bring, two gifts in a row."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from giftlive.facts.estimates import by_user, ratio, stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section

GROUPS = (1, 2, 3, 6, 21)
GROUP_TEXT = ("1", "2", "3-5", "6-20", "> 20")
_GIFT = ("gift",)
_REPEATED = Quantity(
    "revenue_share_repeated_pairs", "amount of pairs with > 1 gift", "amount",
    "gifts to a known streamer", needs=_GIFT, money=True,
)  # fmt: skip
_ALIKE = Quantity(
    "amount_spearman_previous_next", "Spearman's rank correlation of a gift with the user's next",
    "pairs of consecutive gifts", "users with > 1 gift", "correlation", _GIFT,
)  # fmt: skip
_RETURNING = Quantity(
    "users_repeating_a_streamer", "(user, streamer) pairs with clicks in >= 2 rooms",
    "(user, streamer) pairs with a click", "clicks at a known streamer", needs=("click",),
)  # fmt: skip
_ROOMS = """
SELECT user_id, count(*) AS pairs, count(*) FILTER (rooms > 1) AS again
FROM (
    SELECT user_id, streamer_id, count(DISTINCT live_id) AS rooms
    FROM click WHERE streamer_id >= 0 GROUP BY ALL
) GROUP BY user_id ORDER BY user_id
"""
_PAIRS = """
SELECT user_id, {group} AS gifts_group, count(*) AS pairs, sum(n)::BIGINT AS gifts,
    sum(amount)::BIGINT AS amount
FROM (
    SELECT user_id, streamer_id, count(*) AS n, sum(amount) AS amount
    FROM gift WHERE streamer_id >= 0 GROUP BY ALL
) GROUP BY ALL ORDER BY user_id, gifts_group
"""
_NEXT = """
SELECT amount AS previous, next, count(*) AS n FROM (
    SELECT amount, lead(amount) OVER (PARTITION BY user_id ORDER BY ts, row_id) AS next FROM gift
) WHERE next IS NOT NULL GROUP BY ALL ORDER BY ALL
"""


def repeat_section(evidence: Evidence) -> Section:
    """Return pairs that meet again, the money of repeating pairs, and gifts by pair."""
    group = " + ".join(f"(n >= {least})::INT" for least in GROUPS[1:])
    rows = evidence.columns(_PAIRS.format(group=group))
    user, index = np.unique(rows["user_id"], return_inverse=True)
    amount = np.zeros((len(user), len(GROUPS)))
    amount[index, rows["gifts_group"]] = rows["amount"]
    sample = by_user(
        user, amount[:, 1:].sum(axis=1), amount.sum(axis=1), n=int(rows["gifts"].sum()),
        n_unit="gift rows",
    )  # fmt: skip
    sums = {
        name: np.bincount(rows["gifts_group"], rows[name], minlength=len(GROUPS))
        for name in ("pairs", "gifts", "amount")
    }
    curve: Curve = {"gifts_of_pair": list(GROUP_TEXT)}
    for name, column in sums.items():
        curve[name] = column.astype(np.int64).tolist()
        curve[f"{name}_share"] = (column / max(float(column.sum()), 1.0)).tolist()
    facts = (_returning(evidence), ratio(evidence, _REPEATED, sample), _likeness(evidence))
    return Section(facts, {"repeat_structure": curve})


def _returning(evidence: Evidence) -> Fact:
    """Return how many pairs with a click have clicks in more rooms than one.

    The published 27.1 % "repeatedly interact with the same streamer" does not say what it is a
    share of. Here it is one of pairs; entering the same room twice is no repetition.
    """
    rows = evidence.columns(_ROOMS)
    unit = "(user, streamer) pairs"
    return ratio(
        evidence, _RETURNING, by_user(rows["user_id"], rows["again"], rows["pairs"], n_unit=unit)
    )


def _likeness(evidence: Evidence) -> Fact:
    """Return Spearman's correlation with middle ranks, from the counts of distinct pairs."""
    rows = evidence.columns(_NEXT)
    n = int(rows["n"].sum())
    reason = evidence.lacks(_ALIKE.needs) or ("" if n > 1 else "no user gave twice")
    if reason:
        return undefined(evidence, _ALIKE, reason)
    before, after = (rankdata(np.repeat(rows[c], rows["n"])) for c in ("previous", "next"))
    if before[0] == before[-1] or after.min() == after.max():
        return undefined(evidence, _ALIKE, "all amounts are equal")
    value = float(np.corrcoef(before, after)[0, 1])
    why = "the pairs of one user overlap; no interval of such a series was measured"
    return stated(evidence, _ALIKE, value, why, n, "pairs")
