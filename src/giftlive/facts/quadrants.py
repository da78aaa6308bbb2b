"""Quadrants: who is watched or watches much, and pays or earns much, beside independence.

High is above the 75 % point of the same population, low at or below it. Were the two
independent, each cell would hold the product of its margins; the distance from that product is
the finding, never the share itself.
"""

from __future__ import annotations

import numpy as np

from giftlive.facts.estimates import share_of_units, stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity
from giftlive.stats.quantiles import rank_of
from giftlive.types import Bools, Floats

HIGH = 0.75
"""Level of the cut between high and low."""
CELLS = ((True, False), (True, True), (False, True), (False, False))
"""Whether watch, and whether money, is high; the cell with a published value first."""
PAY_WORD = {"user": "pay", "streamer": "income"}
_IDS = {
    "user": {"id": "user_id", "known": "true"},
    "streamer": {"id": "streamer_id", "known": "streamer_id >= 0"},
}
_WATCH_PAY = """
SELECT sum(watch)::DOUBLE AS watch, sum(pay)::DOUBLE AS pay, sum(n)::BIGINT AS clicks FROM (
    SELECT {id} AS id, sum(watch_ms) AS watch, 0 AS pay, count(*) AS n FROM click GROUP BY id
    UNION ALL
    SELECT {id} AS id, 0, sum(amount), 0 FROM gift WHERE {known} GROUP BY id
) GROUP BY id
"""


def watch_and_pay(evidence: Evidence, whose: str) -> dict[str, Floats]:
    """Return watch time, money and clicks of every user or streamer with a click or a gift."""
    return evidence.columns(_WATCH_PAY.format(**_IDS[whose]))


def cell_name(whose: str, high_watch: bool, high_pay: bool) -> str:
    """Return the name of the fact of one cell.

    Examples
    --------
    >>> cell_name("streamer", True, False)
    'streamer_quadrant_high_watch_low_income'
    """
    watch, pay = ("high" if high else "low" for high in (high_watch, high_pay))
    return f"{whose}_quadrant_{watch}_watch_{pay}_{PAY_WORD[whose]}"


def quadrant_facts(evidence: Evidence, whose: str, rows: dict[str, Floats]) -> list[Fact]:
    """Return the share of every cell, each followed by its value under independence."""
    watch, pay = _above(rows["watch"]), _above(rows["pay"])
    facts = []
    for cell in CELLS:
        sides = (watch if cell[0] else ~watch), (pay if cell[1] else ~pay)
        facts += _cell(evidence, whose, cell, sides)
    return facts


def _above(x: Floats) -> Bools:
    cut = float(np.sort(x)[rank_of(HIGH, len(x))]) if len(x) else 0.0
    found: Bools = x > cut
    return found


def _cell(
    evidence: Evidence, whose: str, cell: tuple[bool, bool], sides: tuple[Bools, Bools]
) -> list[Fact]:
    name, unit, population = cell_name(whose, *cell), f"{whose}s", f"{whose}s with an event"
    words = ["above" if high else "at or below" for high in cell]
    numerator = (
        f"{unit} {words[0]} the 75 % point of watch and {words[1]} that of {PAY_WORD[whose]}"
    )
    quantity = Quantity(name, numerator, unit, population, needs=("click", "gift"))
    hits, n = int((sides[0] & sides[1]).sum()), len(sides[0])
    fact = share_of_units(evidence, quantity, hits, n, unit)
    baseline = Quantity(f"{name}_if_independent", "product of both shares", unit, population)
    if fact.value is None:
        return [fact, undefined(evidence, baseline, fact.reason)]
    product = float(sides[0].mean()) * float(sides[1].mean())
    why = "a reference value, not an estimate"
    return [fact, stated(evidence, baseline, product, why, n, unit)]


def quadrant_curve(whose: str, facts: list[Fact]) -> Curve:
    """Return the four cells with their shares, and under independence; empty without them."""
    by_name = {fact.name: fact for fact in facts}
    curve: Curve = {"cell": [], "share": [], "low": [], "high": [], "independent": []}
    for cell in CELLS:
        fact = by_name[cell_name(whose, *cell)]
        if fact.value is not None:
            watch, pay = ("high" if high else "low" for high in cell)
            curve["cell"].append(f"{watch} watch, {pay} {PAY_WORD[whose]}")
            for column, value in (("share", fact.value), ("low", fact.low), ("high", fact.high)):
                curve[column].append(value)
            curve["independent"].append(by_name[f"{fact.name}_if_independent"].value)
    return curve
