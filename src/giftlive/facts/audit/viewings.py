"""Viewings that cannot have been, and bursts that no person sends."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from giftlive.clock import MS_PER_DAY
from giftlive.facts.atom import ALPHA
from giftlive.facts.audit.inspection import VIEWS, Inspection
from giftlive.facts.audit.limits import ROW_LIMIT
from giftlive.facts.finding import Counted, Finding, measured, not_applicable
from giftlive.types import Floats, Ints

BURST_MS = 10_000
"""Length of the places in which events are counted: a person does not enter a room a second."""
LEAST_BURST = 10
"""One a second: what a person can do is no burst, however rare it is."""
_DAY = f"SELECT row_id FROM click WHERE watch_ms > {MS_PER_DAY}"
_FITS = "ts >= start_ts - {step} AND (end_ts IS NULL OR ts + watch_ms <= end_ts + {step})"
_ROOM = f"""
WITH ill AS (SELECT c.* FROM click c JOIN room USING (live_id) WHERE NOT ({_FITS}))
SELECT DISTINCT row_id FROM ill
WHERE row_id NOT IN (SELECT ill.row_id FROM ill JOIN room USING (live_id) WHERE {_FITS})
"""
_OVERLAP = f"""
SELECT row_id FROM (
    SELECT row_id, ts,
        max(ts + watch_ms) OVER (before ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy,
        lag((ts, live_id, watch_ms)) OVER before = (ts, live_id, watch_ms) AS copy
    FROM click WHERE watch_ms <= {MS_PER_DAY}
    WINDOW before AS (PARTITION BY user_id ORDER BY ts, row_id)
) WHERE busy > ts + {{step}} AND NOT copy
"""
_BINS = f"""
SELECT user_id, ts // {BURST_MS} AS bin, {{count}} AS n FROM {{view}} GROUP BY user_id, bin
"""
_SIZES = "SELECT n, count(*) AS bins FROM ({bins}) GROUP BY n ORDER BY n"
TAIL_SHARE = 0.1
"""The fullest tenth of the places says how counts thin out, where there are enough of them."""
TAIL_LEAST = 20
_BURSTS = """
SELECT user_id, count(*) AS bins, sum(n)::BIGINT AS rows, max(n) AS most
FROM ({bins}) GROUP BY user_id ORDER BY user_id
"""


def impossible_watch(inspection: Inspection) -> Iterator[Finding]:
    """Find viewings longer than a day, outside their room, or at the same time as another one.

    Times on a grid may be one step early. A viewing longer than a day overlaps with nothing: it
    is the one that is wrong, not those it lies over.
    """
    step = inspection.grid.step
    kinds = {"day": _DAY, "room": _ROOM.format(step=step), "overlap": _OVERLAP.format(step=step)}
    for kind, rows in kinds.items():
        name = f"impossible_watch.{kind}"
        if kind == "room" and inspection.missing(("room",)):
            yield not_applicable(name, ("room",))
            continue
        inspection.evidence.con.execute(f"CREATE OR REPLACE TEMP TABLE audit_bad AS {rows}")
        (bad,) = inspection.evidence.row("SELECT count(*) FROM audit_bad")
        counted = Counted(bad, inspection.evidence.rows.get("click", 0), "click")
        defect = counted.share > ROW_LIMIT
        if defect:
            inspection.mark("click", "SELECT row_id FROM audit_bad")
        told = kind if bad else "clean"
        yield measured(name, defect, counted, told=told)


def zero_watch(inspection: Inspection) -> Iterator[Finding]:
    """Count clicks without watch time."""
    zero, n = inspection.evidence.row("SELECT count(*) FILTER (watch_ms = 0), count(*) FROM click")
    told = "found" if zero else "clean"
    yield measured("zero_watch", False, Counted(zero, n, "click"), told=told)


def bursts(inspection: Inspection) -> Iterator[Finding]:
    """Find users with far more events in ten seconds than in their other active ten seconds.

    Counts of active places are taken as geometric, the most spread law on 1, 2, … of its mean:
    by the user's own mean without the fullest place, and by how the fullest tenth of all places
    thins out. The larger chance of the two is meant, and less than one event a second is
    never a burst. Gifts of one instant count once, since
    their times may be those of entering.
    """
    for table, view in VIEWS.items():
        if table in ("negative", "room"):
            continue
        name = f"bursts.{table}"
        if inspection.missing((table,)):
            yield not_applicable(name, (table,))
        else:
            yield _burst(inspection, table, view)


def _burst(inspection: Inspection, table: str, view: str) -> Finding:
    bins = _BINS.format(view=view, count="count(DISTINCT ts)" if table == "gift" else "count(*)")
    sizes = inspection.evidence.columns(_SIZES.format(bins=bins))
    rows = inspection.evidence.columns(_BURSTS.format(bins=bins))
    places, events, most = rows["bins"], rows["rows"], rows["most"]
    own = np.maximum((events - most) / np.maximum(places - 1, 1), 1.0)
    by_own = (1.0 - 1.0 / own) ** (most - 1)
    chance = np.maximum(by_own, thinning_out(sizes["n"], sizes["bins"], most)) * places.sum()
    hit = np.flatnonzero((chance < ALPHA) & (most >= LEAST_BURST))
    counted = Counted(int(most[hit].sum()), int(events.sum()), table)
    if len(hit):
        inspection.mark(table, _rows_of(view, bins, rows["user_id"][hit], most[hit]))
    worst = hit[np.argsort(-most[hit], kind="stable")][:3]
    names = tuple(f"user {rows['user_id'][i]}: {most[i]} in 10 s" for i in worst)
    return measured(
        f"bursts.{table}",
        len(hit) > 0,
        counted,
        examples=names,
        users=len(hit),
        usual=float(events.sum() / places.sum()),
        most=int(most.max(initial=0)),
    )


def thinning_out(size: Ints, places: Ints, count: Ints) -> Floats:
    """Return the chance that a place holds ``count`` or more, by how the fullest places thin out.

    Beyond the smallest size that at most a tenth of the places reach (but 20 of them), sizes
    are geometric with their mean excess.

    Parameters
    ----------
    size, places : [m] how many places hold how many events, ascending.

    Examples
    --------
    >>> thinning_out(np.array([1, 2, 3]), np.array([900, 90, 10]), np.array([2, 12])).round(6)
    array([0.1, 0. ])
    """
    reach = np.cumsum(places[::-1])[::-1]
    fits = np.flatnonzero((reach <= TAIL_SHARE * reach[0]) & (reach >= TAIL_LEAST))
    start = int(fits[0]) if len(fits) else 0
    excess = float(np.average(size[start:] - size[start], weights=places[start:]))
    beyond = np.maximum(count - size[start], 0)
    chance: Floats = reach[start] / reach[0] * (excess / (1.0 + excess)) ** beyond
    return chance


def _rows_of(view: str, bins: str, users: Ints, most: Ints) -> str:
    """Return SQL for the rows in the fullest places of these users."""
    fullest = f"SELECT unnest({users.tolist()}) AS user_id, unnest({most.tolist()}) AS n"
    return (
        f"SELECT row_id FROM {view} WHERE (user_id, ts // {BURST_MS}) IN "
        f"(SELECT (user_id, bin) FROM ({bins}) JOIN ({fullest}) USING (user_id, n))"
    )
