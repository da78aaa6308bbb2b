"""Who is in the logs: selection on the outcome, and money that is one person's."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from giftlive.facts.atom import ALPHA
from giftlive.facts.audit.chance import at_most, outlier, unseen
from giftlive.facts.audit.inspection import Inspection
from giftlive.facts.audit.limits import MAJORITY, OVERWHELMING
from giftlive.facts.finding import Counted, Finding, measured
from giftlive.types import Floats

_USERS = """
SELECT coalesce(g.n, 0)::BIGINT AS n, count(*) AS units
FROM (
    SELECT DISTINCT user_id FROM click UNION SELECT user_id FROM users
    UNION SELECT DISTINCT user_id FROM negative UNION SELECT DISTINCT user_id FROM gift
) LEFT JOIN (SELECT user_id, count(*) AS n FROM gift GROUP BY user_id) g USING (user_id)
GROUP BY 1 ORDER BY 1 LIMIT 3
"""
_STREAMERS = """
SELECT coalesce(c.n, 0)::BIGINT AS n, count(*) AS units
FROM (SELECT DISTINCT streamer_id FROM room UNION SELECT streamer_id FROM streamers)
LEFT JOIN (SELECT streamer_id, count(*) AS n FROM click GROUP BY streamer_id) c USING (streamer_id)
GROUP BY 1 ORDER BY 1 LIMIT 3
"""
_TOTALS = "SELECT user_id, sum(amount)::DOUBLE AS total FROM gift GROUP BY user_id ORDER BY 2"


def selected_users(inspection: Inspection) -> Iterator[Finding]:
    """Find users kept because they gave: those without a gift are missing."""
    n = "SELECT count(DISTINCT user_id) FROM gift"
    yield _selection(inspection, "selected_users", _USERS, n, "user")


def selected_streamers(inspection: Inspection) -> Iterator[Finding]:
    """Find streamers kept because they were clicked: those without a click are missing."""
    n = "SELECT count(DISTINCT streamer_id) FROM click"
    yield _selection(inspection, "selected_streamers", _STREAMERS, n, "streamer")


def _selection(inspection: Inspection, name: str, counts: str, had: str, of: str) -> Finding:
    """Compare units without the event with those whom units with one and with two foretell."""
    rows = inspection.evidence.columns(counts)
    units = dict(zip(rows["n"].tolist(), rows["units"].tolist(), strict=True))
    (with_one,) = inspection.evidence.row(had)
    without = units.get(0, 0)
    foretold = unseen(units.get(1, 0), units.get(2, 0))
    found = without < foretold.lower and at_most(without, foretold.lower) < ALPHA
    counted = Counted(with_one, with_one + without, of)
    return measured(name, found, counted, without=without, foretold=foretold.estimate)


def dominant_user(inspection: Inspection) -> Iterator[Finding]:
    """Find one user who gave more than all others, where the others' tail does not explain it.

    Beside other givers a share above :data:`OVERWHELMING` is a defect whatever their tail.
    """
    rows = inspection.evidence.columns(_TOTALS)
    total, user = rows["total"], rows["user_id"]
    whole = float(total.sum())
    largest = float(total[-1])
    beyond = whole > 0 and largest > MAJORITY * whole and _beyond_tail(total) < ALPHA
    huge = OVERWHELMING * whole < largest < whole
    counted = Counted(round(largest), round(whole), "amount")
    yield measured(
        "dominant_user",
        beyond or huge,
        counted,
        told="overwhelming" if huge and not beyond else "",
        examples=(f"user {int(user[-1])}",),
        limit=MAJORITY,
    )


def _beyond_tail(total: Floats) -> float:
    """Return the chance of the largest of the ascending ``total`` under the tail of the others."""
    others = total[:-1][total[:-1] > 0]
    k = math.isqrt(len(others))
    if k < 2:
        return 1.0
    excess = np.log(others[-k:] / others[-k - 1])
    return outlier(float(total[-1]), float(others[-1]), float(others.sum()), excess)
