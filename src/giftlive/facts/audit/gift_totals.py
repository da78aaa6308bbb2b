"""Whether a gift row is a gift, or everything that was given in one viewing.

Expected meetings are added as decimals: a sum of doubles would depend on the order of the threads.
"""

from __future__ import annotations

from collections.abc import Iterator

from giftlive.facts.atom import ALPHA
from giftlive.facts.audit.chance import at_most
from giftlive.facts.audit.inspection import Inspection
from giftlive.facts.finding import Counted, Finding, measured

_VIEWINGS = """
CREATE OR REPLACE TEMP TABLE audit_viewings AS
SELECT user_id, any_value(watch_ms) AS watch_ms, count(*) AS gifts
FROM gift_click WHERE click_ts IS NOT NULL AND ts <= click_ts + watch_ms + {step}
GROUP BY user_id, live_id, click_ts
"""
_SHORTEST = "SELECT coalesce(quantile_disc(watch_ms, 0.1), 0) FROM audit_viewings"
_FEWEST = """
SELECT (SELECT count(*) FROM audit_viewings WHERE watch_ms >= {least}),
    (SELECT count(*) FILTER (gifts > 1) FROM audit_viewings WHERE watch_ms >= {least}),
    (SELECT coalesce(sum(gifts * (gifts - 1) / 2), 0)::DOUBLE FROM audit_viewings
     WHERE watch_ms >= {least}),
    coalesce(sum((g.gifts * (g.gifts - 1) / 2.0 / c.n)::DECIMAL(38, 12)), 0)::DOUBLE
FROM (
    SELECT user_id, sum(gifts) AS gifts FROM audit_viewings
    WHERE watch_ms >= {least} GROUP BY user_id
) g JOIN (
    SELECT user_id, count(*) AS n FROM click WHERE watch_ms >= {least} GROUP BY user_id
) c USING (user_id)
"""


def viewing_totals(inspection: Inspection) -> Iterator[Finding]:
    """Find that no viewing has two gift rows, where gifts sent one by one would meet in some.

    The gifts of a user, dealt evenly over the viewings that were long enough for one, would meet
    g (g - 1) / 2n times: anything uneven (length, taste, mood) makes them meet more often. Long
    enough is what nine in ten viewings with a gift reach.
    """
    evidence, step = inspection.evidence, inspection.grid.step
    evidence.con.execute(_VIEWINGS.format(step=step))
    (least,) = evidence.row(_SHORTEST)
    viewings, several, pairs, expected = evidence.row(_FEWEST.format(least=least))
    found = at_most(pairs, expected) < ALPHA
    told = "found" if found else "few" if at_most(0, expected) >= ALPHA else "clean"
    yield measured(
        "viewing_totals",
        found,
        Counted(several, viewings, "gift_viewing"),
        told=told,
        pairs=pairs,
        expected=float(expected),
    )
