"""When a row was known, and in which unit its time is: what several readers ask of their rows."""

from __future__ import annotations

from collections.abc import Mapping

from giftlive.errors import InputError, Where
from giftlive.logs.intake import KNOWN_EARLY, Intake
from giftlive.logs.scan import Scan

_SECONDS = (946_684_800, 4_102_444_800)
"""2000-01-01 and 2100-01-01 in Unix seconds; in milliseconds these are days of early 1970."""


def refuse_seconds(intake: Intake, scanned: Scan, column: str = "ts") -> None:
    """Raise where every time, read as seconds, is of this century: milliseconds are asked for.

    Raises
    ------
    InputError
        Naming the column and the times.
    """
    low, high = intake.span(scanned, column)
    if _SECONDS[0] <= low and high <= _SECONDS[1]:
        header = next(h for h, field in scanned.fields.items() if field.column.name == column)
        raise InputError(
            f"the times {low} to {high} look like seconds",
            Where(scanned.file.name, None, header),
            "Unix time in milliseconds",
            "multiply the column by 1000",
        )


def known(table: str, scans: Mapping[str, Scan], entry_stamped: bool) -> tuple[str, str]:
    """Return SQL for the time at which a row was known, and the relation it is read from.

    A click was known when its viewing ended. A gift dated at the very entry of a viewing was
    logged when that viewing ended, if the source is ``entry_stamped``. Else a row was known when
    it happened.
    """
    if table == "click":
        return "ts + watch_ms", ""
    if table != "gift" or not entry_stamped or "click" not in scans:
        return "ts", ""
    keys = "user_id, live_id, ts"
    gifts, clicks = scans["gift"].table, scans["click"].table
    entries = (
        f"SELECT {keys}, max(watch_ms) AS entry_watch_ms FROM {clicks} "
        f"WHERE fault_reason IS NULL AND ({keys}) IN (SELECT ({keys}) FROM {gifts}) "
        f"GROUP BY {keys}"
    )
    return "ts + coalesce(entry_watch_ms, 0)", f"({gifts} LEFT JOIN ({entries}) USING ({keys}))"


def known_as_given(intake: Intake, events: Scan, rule: str) -> str:
    """Return SQL for ``known_ts``: the file's own where it has one, else ``rule``.

    Rows that were known before they happened are marked as bad.
    """
    if all(field.column.name != "known_ts" for field in events.fields.values()):
        return rule
    intake.fault(events, "known_ts", KNOWN_EARLY, "known_ts < ts")
    # CASE, not coalesce: of a column without NULLs the latter writes another Parquet schema
    return f"CASE WHEN known_ts IS NULL THEN {rule} ELSE known_ts END"
