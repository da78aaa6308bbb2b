"""Rows that were set aside, and rows that are there twice."""

from __future__ import annotations

from collections.abc import Iterator

from giftlive.facts.atom import ALPHA, atom
from giftlive.facts.audit.gift_times import NEIGHBOURS
from giftlive.facts.audit.inspection import VIEWS, Inspection
from giftlive.facts.audit.limits import ROW_LIMIT
from giftlive.facts.finding import Counted, Finding, measured, not_applicable

_WHO = "user_id, live_id, streamer_id"
_SAME = {
    "click": f"{_WHO}, watch_ms",
    "gift": f"{_WHO}, amount",
    "comment": _WHO,
    "like": _WHO,
    "negative": _WHO,
}
"""Columns besides the time in which copies of a row agree."""
# One number per row comes first: groups of every row by all columns take several times the memory.
_REPEATED = """
CREATE OR REPLACE TEMP TABLE audit_repeated AS
WITH alike AS (
    SELECT hash(ts, user_id, live_id) AS mark FROM {view} {where}
    GROUP BY mark HAVING count(*) > 1
)
SELECT {same}, ts, count(*) AS n, min(row_id) AS first_row
FROM (SELECT * FROM {view} {where}) SEMI JOIN alike ON hash(ts, user_id, live_id) = alike.mark
GROUP BY {same}, ts HAVING count(*) > 1
"""
_NEXT = """
SELECT count(*) FROM (
    SELECT ts - lag(ts) OVER (PARTITION BY {same} ORDER BY ts, row_id) AS apart
    FROM {view} {where}
) WHERE apart > 0 AND apart <= {near}
"""
_AT_STAMP = """
WHERE row_id NOT IN (
    SELECT row_id FROM gift_click WHERE at_click OR abs(click_ts + watch_ms - ts) < {step}
)
"""
_PRESSES = """
SELECT count(*) FROM (
    SELECT count(DISTINCT (ts, amount)) AS different FROM gift_click
    WHERE click_ts IS NOT NULL GROUP BY user_id, live_id, click_ts
) WHERE different > 1
"""
PRESSES = 3
"""From so many viewings on with gifts that differ in time or amount, rows are presses."""


def rejects(inspection: Inspection) -> Iterator[Finding]:
    """Report rows that were set aside at ingest, by table and reason."""
    evidence, some = inspection.evidence, False
    for table, reasons in sorted(evidence.rejects.items()):
        for reason, count in sorted(reasons.items()):
            if count:
                some = True
                counted = Counted(count, evidence.rows.get(table, 0) + count, table)
                yield measured(
                    f"rejects.{table}.{reason}",
                    counted.share > ROW_LIMIT,
                    counted,
                    value=float(count),
                    told="found",
                    table=table,
                    reason=reason,
                )
    if not some:
        counted = Counted(0, sum(evidence.rows.values()), "row")
        yield measured("rejects", False, counted)


def duplicates(inspection: Inspection) -> Iterator[Finding]:
    """Count rows beyond the first of each group of equal rows, table by table."""
    for table in _SAME:
        name = f"duplicates.{table}"
        if inspection.missing((table,)):
            yield not_applicable(name, (table,))
        else:
            yield _copies(inspection, table)
    if not inspection.missing(("room",)):
        yield _rooms(inspection)


def _copies(inspection: Inspection, table: str) -> Finding:
    """Judge the equal rows of one table: copies, or what chance and presses bring together."""
    evidence, view, same = inspection.evidence, VIEWS[table], _SAME[table]
    stamped = table == "gift" and _presses(inspection)
    where = _AT_STAMP.format(step=inspection.grid.step) if stamped else ""
    evidence.con.execute(_REPEATED.format(view=view, same=same, where=where))
    extra, groups = evidence.row(
        "SELECT coalesce(sum(n - 1), 0)::BIGINT, count(*) FROM audit_repeated"
    )
    rows = evidence.rows.get(table, 0)
    counted = Counted(extra, rows, table)
    defect = counted.share > ROW_LIMIT and _no_chance(inspection, table, groups, where)
    if defect:
        inspection.mark(
            table,
            f"SELECT t.row_id FROM {view} t JOIN audit_repeated r USING ({same}, ts) "
            "WHERE t.row_id <> r.first_row",
        )
    told = "presses" if stamped and not defect else "found" if extra else "clean"
    return measured(
        f"duplicates.{table}",
        defect,
        counted,
        value=float(extra),
        told=told,
    )


def _no_chance(inspection: Inspection, table: str, groups: int, where: str) -> bool:
    """Return whether equal times are more than the times beside them explain."""
    step = inspection.grid.step
    (beside,) = inspection.evidence.row(
        _NEXT.format(view=VIEWS[table], same=_SAME[table], where=where, near=NEIGHBOURS * step)
    )
    return atom(groups, beside, 1, NEIGHBOURS) < ALPHA


def _presses(inspection: Inspection) -> bool:
    """Return whether viewings have several gift rows that differ: each row is a press then.

    Presses of a gift that carries the time of entering or leaving share that time, and equal
    ones cannot be told from copies.
    """
    (several,) = inspection.evidence.row(_PRESSES)
    return bool(several >= PRESSES)


def _rooms(inspection: Inspection) -> Finding:
    extra, rows = inspection.evidence.row(
        "SELECT count(*) - count(DISTINCT live_id), count(*) FROM room"
    )
    counted = Counted(extra, rows, "room")
    told = "found" if extra else "clean"
    defect = counted.share > ROW_LIMIT
    return measured("duplicates.room", defect, counted, value=float(extra), told=told)
