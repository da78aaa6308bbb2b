"""The mix of categories: which kinds of rooms get the clicks, and which the money."""

from __future__ import annotations

from giftlive.facts.estimates import stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section

MOST = 10
"""Categories in the curve; the rest is one row."""
OTHER = "other"
_NEEDS = ("room", "gift")
_WHO = "rooms with a known category"
_COUNT = Quantity("category_count", "categories", "none: a count", _WHO, "categories", _NEEDS)
_CLICK = Quantity(
    "category_top1_click_share", "clicks in the category with most of them", "clicks", _WHO,
    needs=("room", "click"),
)  # fmt: skip
_MONEY = Quantity(
    "category_top1_amount_share", "amount in the category with most of it", "amount", _WHO,
    needs=_NEEDS, money=True,
)  # fmt: skip
_MIX = """
WITH visited AS (
    SELECT live_id, count(*) AS clicks, 0 AS gifts, 0 AS amount FROM click GROUP BY live_id
    UNION ALL
    SELECT live_id, 0, count(*), sum(amount) FROM gift WHERE live_id >= 0 GROUP BY live_id
), kind AS (
    SELECT live_id, min(category) AS category FROM room
    WHERE category IS NOT NULL AND live_id IN (SELECT live_id FROM visited) GROUP BY live_id
)
SELECT category, sum(clicks)::BIGINT AS clicks, sum(gifts)::BIGINT AS gifts,
    sum(amount)::BIGINT AS amount
FROM visited JOIN kind USING (live_id) GROUP BY category ORDER BY amount DESC, clicks DESC, category
"""


def category_section(evidence: Evidence) -> Section:
    """Return how many categories there are, and the shares of the largest."""
    rows = evidence.con.execute(_MIX).fetchall()
    clicks, amount = sum(row[1] for row in rows), sum(row[3] for row in rows)
    counted = "a count of these logs, not an estimate"
    why = "the largest of several, chosen by looking at them"
    facts = (
        _fact(
            evidence, _COUNT, float(len(rows)) if rows else None, counted, len(rows), "categories"
        ),
        _fact(evidence, _CLICK, _top([row[1] for row in rows]), why, clicks, "clicks"),
        _fact(
            evidence,
            _MONEY,
            _top([row[3] for row in rows]),
            why,
            sum(r[2] for r in rows),
            "gift rows",
        ),
    )
    return Section(facts, {"category_mix": _curve(rows, clicks, amount)})


def _top(column: list[int]) -> float | None:
    return max(column) / sum(column) if sum(column) else None


def _fact(
    evidence: Evidence, quantity: Quantity, value: float | None, why: str, n: int, unit: str
) -> Fact:
    reason = evidence.lacks(quantity.needs)
    if reason or value is None:
        return undefined(evidence, quantity, reason or f"there are no {_WHO}")
    return stated(evidence, quantity, value, why, n, unit)


def _curve(rows: list[tuple[str, int, int, int]], clicks: int, amount: int) -> Curve:
    shown = rows if len(rows) <= MOST else rows[: MOST - 1]
    rest = rows[len(shown) :]
    if rest:
        sums = (sum(r[1] for r in rest), sum(r[2] for r in rest), sum(r[3] for r in rest))
        shown = [*shown, (OTHER, *sums)]
    return {
        "category": [row[0] for row in shown],
        "clicks": [row[1] for row in shown],
        "amount": [row[3] for row in shown],
        "click_share": [row[1] / max(clicks, 1) for row in shown],
        "amount_share": [row[3] / max(amount, 1) for row in shown],
    }
