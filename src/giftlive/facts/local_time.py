"""SQL for local days: the zone's offset written out, so that no database zone table is read."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from giftlive.clock import MS_PER_DAY, MS_PER_HOUR, MS_PER_QUARTER, local_day, offset_ms, zone

_EPOCH = date(1970, 1, 1)


def local_day_sql(column: str, tz: str, window: tuple[int, int]) -> str:
    """Return an SQL expression for the local day number (days since 1970-01-01) of ``column``.

    The offset is constant between the changes of the zone inside ``window``; each change
    becomes one branch.

    Examples
    --------
    >>> local_day_sql("ts", "Asia/Shanghai", (1746374400000, 1746374400001))
    '((ts + 28800000) // 86400000)'
    """
    first, last = window[0] // MS_PER_HOUR, window[1] // MS_PER_HOUR
    days = np.arange(first, last + 24, 24, dtype=np.int64)
    offsets = offset_ms(days * MS_PER_HOUR, zone(tz))
    changes = np.flatnonzero(np.diff(offsets))
    if not len(changes):
        return f"(({column} + {offsets[0]}) // {MS_PER_DAY})"
    branches = " ".join(
        f"WHEN {column} < {_change_ms(int(days[i]), tz)} THEN {offsets[i]}" for i in changes
    )
    return f"(({column} + CASE {branches} ELSE {offsets[-1]} END) // {MS_PER_DAY})"


def _change_ms(hour: int, tz: str) -> int:
    """Return the first quarter of a UTC hour, in ms, whose offset differs from that of ``hour``."""
    ts = np.arange(4 * hour, 4 * (hour + 24) + 1, dtype=np.int64) * MS_PER_QUARTER
    offsets = offset_ms(ts, zone(tz))
    return int(ts[np.argmax(offsets != offsets[0])])


def days_of(window: tuple[int, int], tz: str) -> tuple[int, int]:
    """Return the first and the last local day of ``window``, in days since 1970-01-01."""
    first, last = local_day(np.array(window, dtype=np.int64), zone(tz))
    return int(first), int(last)


def judged_days(window: tuple[int, int], tz: str) -> tuple[int, int]:
    """Return the first and last day of the last third of the days: earlier ones make a history.

    Examples
    --------
    >>> first, last = judged_days((1746374400000, 1746374400000 + 21 * 86400000 - 1), "UTC")
    >>> last - first + 1
    7
    """
    first, last = days_of(window, tz)
    return last - max((last - first + 1) // 3, 1) + 1, last


def iso_day(day: int) -> str:
    """Return the date of a day number.

    Examples
    --------
    >>> iso_day(20213)
    '2025-05-05'
    """
    return (_EPOCH + timedelta(days=int(day))).isoformat()
