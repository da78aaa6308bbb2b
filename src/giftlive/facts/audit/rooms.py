"""Rooms whose end is not known or is not possible, and gifts that are in no room."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from giftlive.facts.atom import ALPHA, atom
from giftlive.facts.audit.gift_times import NEIGHBOURS
from giftlive.facts.audit.inspection import Inspection
from giftlive.facts.audit.limits import ROW_LIMIT
from giftlive.facts.finding import Counted, Finding, measured
from giftlive.facts.local_time import iso_day, local_day_sql
from giftlive.logs.intake import ENDS_FIRST, NO_LENGTH

EPISODE_DAYS = 7
"""Gifts a week apart belong to different episodes of a source that comes in episodes."""
EPISODES_SHOWN = 8
"""Those that lost at least half of their gifts, the first ones."""
_LAST = """
SELECT count(*) FILTER (end_ts IS NULL), count(*) FILTER (end_ts = last),
    count(*) FILTER (end_ts < last AND end_ts >= last - {near}), count(*)
FROM room, (SELECT max(end_ts) AS last FROM room)
"""
_GIFTS = """
SELECT {day} AS day, count(*) FILTER (live_id < 0) AS off, count(*) AS n
FROM (SELECT ts, live_id FROM gift UNION ALL SELECT ts, live_id FROM gift_anonymous)
GROUP BY day ORDER BY day
"""


def censored_rooms(inspection: Inspection) -> Iterator[Finding]:
    """Find rooms without an end, or all with the last end there is: the log ended, not they."""
    near = NEIGHBOURS * inspection.grid.step
    still, last, beside, n = inspection.evidence.row(_LAST.format(near=near))
    cut = last if last > 1 and atom(last, beside, 1, NEIGHBOURS) < ALPHA else 0
    counted = Counted(still + cut, n, "room")
    found = counted.numerator > 0
    if found:
        same = " OR end_ts = (SELECT max(end_ts) FROM room)" if cut else ""
        inspection.mark("room", f"SELECT live_id AS row_id FROM room WHERE end_ts IS NULL{same}")
    yield measured("censored_rooms", found, counted)


def broken_rooms(inspection: Inspection) -> Iterator[Finding]:
    """Find rooms that end when they start, or before: here, and among the rows set aside."""
    evidence = inspection.evidence
    ill = "end_ts <= start_ts"
    here, n = evidence.row(f"SELECT count(*) FILTER ({ill}), count(*) FROM room")
    aside = evidence.rejects.get("room", {})
    gone = aside.get(NO_LENGTH, 0) + aside.get(ENDS_FIRST, 0)
    counted = Counted(here + gone, n + gone, "room")
    defect = counted.share > ROW_LIMIT
    if defect:
        inspection.mark("room", f"SELECT live_id AS row_id FROM room WHERE {ill}")
    named = tuple(note.removeprefix("room: ") for note in evidence.notes if note[:6] == "room: ")
    told = "named" if defect and named else ""
    yield measured("broken_rooms", defect, counted, told=told, examples=named, aside=gone)


def gifts_without_room(inspection: Inspection) -> Iterator[Finding]:
    """Find gifts that no room could be given to, and the episodes that lost the most to it."""
    evidence = inspection.evidence
    day_of = local_day_sql("ts", evidence.tz, evidence.window)
    rows = evidence.columns(_GIFTS.format(day=day_of))
    day, off, n = rows["day"], rows["off"], rows["n"]
    counted = Counted(int(off.sum()), int(n.sum()), "gift_named_or_not")
    defect = counted.share > ROW_LIMIT
    first = np.flatnonzero(np.diff(day, prepend=day[0] - 2 * EPISODE_DAYS) > EPISODE_DAYS)
    lost, whole = np.add.reduceat(off, first), np.add.reduceat(n, first)
    ends = np.append(first[1:], len(day)) - 1
    names = tuple(
        f"{iso_day(day[first[i]])} to {iso_day(day[ends[i]])} ({lost[i]:,} of {whole[i]:,})"
        for i in np.flatnonzero(2 * lost >= whole)[:EPISODES_SHOWN]
    )
    yield measured("gifts_without_room", defect, counted, examples=names)
