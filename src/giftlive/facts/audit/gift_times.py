"""Times that are not the gift's own: of the entry, of leaving, or of no viewing at all."""

from __future__ import annotations

from collections.abc import Iterator

from giftlive.facts.atom import ALPHA, atom
from giftlive.facts.audit.inspection import Inspection
from giftlive.facts.audit.limits import ROW_LIMIT
from giftlive.facts.delay import ENTRY_LIMIT
from giftlive.facts.finding import Counted, Finding, measured

NEIGHBOURS = 20
"""Steps of the grid beside a place that say how dense times are there."""
BEFORE_LEAVING = 40
"""Steps before leaving that say how dense times are there; shorter viewings are not looked at."""
_ALSO_LEFT = """
row_id IN (
    SELECT g.row_id FROM gift g JOIN click c ON c.user_id = g.user_id AND c.live_id = g.live_id
    WHERE c.ts < g.ts AND abs(c.ts + c.watch_ms - g.ts) < {step}
)
"""
_LEFT = "click_ts + watch_ms - ts"


def entry_stamping(inspection: Inspection) -> Iterator[Finding]:
    """Find gifts whose time is exactly that of a click, beyond what the times beside it explain.

    Where somebody leaves a room and enters it again at once, the time may be either's: such a
    gift is no evidence.
    """
    step = inspection.grid.step
    entered = f"at_click AND NOT {_ALSO_LEFT.format(step=step)}"
    near = f"NOT at_click AND click_ts < ts AND ts - click_ts <= {NEIGHBOURS * step}"
    at, n = inspection.evidence.row("SELECT count(*) FILTER (at_click), count(*) FROM gift_click")
    found = atom(*_instants(inspection, entered, near), 1, NEIGHBOURS) < ALPHA
    if found:
        inspection.mark("gift", "SELECT row_id FROM gift_click WHERE at_click")
    told = ("found" if at > ENTRY_LIMIT * n else "some") if found else "clean"
    yield measured("entry_stamping", found, Counted(at, n, "gift"), told=told, limit=ENTRY_LIMIT)


def lagged_gifts(inspection: Inspection) -> Iterator[Finding]:
    """Find gifts whose time is that of leaving the room, beyond what the times before it explain.

    Entry and leaving are each rounded to the grid, so that they meet within one step.
    """
    step = inspection.grid.step
    near = BEFORE_LEAVING * step
    long = f"NOT at_click AND click_ts IS NOT NULL AND watch_ms > {near}"
    left, before = (
        f"{long} AND abs({_LEFT}) < {step}",
        f"{long} AND {_LEFT} BETWEEN {step} AND {near}",
    )
    at, n = inspection.evidence.row(f"SELECT count(*) FILTER ({left}), count(*) FROM gift_click")
    found = atom(*_instants(inspection, left, before), 2 * step - 1, near) < ALPHA
    if found:
        inspection.mark("gift", f"SELECT row_id FROM gift_click WHERE {left}")
    yield measured("lagged_gifts", found, Counted(at, n, "gift"))


def _instants(inspection: Inspection, here: str, beside: str) -> tuple[int, int]:
    """Return how many instants of a user in a room meet each of two conditions.

    Gifts of one instant are one coincidence, however many there are.
    """
    instant = "count(DISTINCT (user_id, live_id, ts))"
    inside, near = inspection.evidence.row(
        f"SELECT {instant} FILTER ({here}), {instant} FILTER ({beside}) FROM gift_click"
    )
    return int(inside), int(near)


def orphan_gifts(inspection: Inspection) -> Iterator[Finding]:
    """Find gifts without a click of the same user and room: a gift needs a viewing."""
    orphans, n = inspection.evidence.row(
        "SELECT count(*) FILTER (clicks = 0), count(*) FROM gift_click"
    )
    counted = Counted(orphans, n, "gift")
    defect = counted.share > ROW_LIMIT
    if defect:
        inspection.mark("gift", "SELECT row_id FROM gift_click WHERE clicks = 0")
    first = "SELECT row_id FROM gift_click WHERE clicks = 0 ORDER BY row_id LIMIT 3"
    rows = inspection.evidence.columns(first)["row_id"].tolist()
    yield measured("orphan_gifts", defect, counted, examples=tuple(f"gift {r}" for r in rows))
