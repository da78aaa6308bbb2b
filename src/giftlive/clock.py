"""Local days, hours and weekdays: a property of the source, never of the machine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from giftlive.types import Ints

MS_PER_SECOND = 1_000
MS_PER_MINUTE = 60_000
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 86_400_000


def zone(name: str) -> ZoneInfo:
    """Return the time zone called ``name`` (an IANA key such as ``Asia/Shanghai``)."""
    return ZoneInfo(name)


def midnight_ms(day: date, tz: ZoneInfo) -> int:
    """Return the UTC ms of the first instant of a local ``day``.

    Examples
    --------
    >>> midnight_ms(date(2025, 5, 5), ZoneInfo("Asia/Shanghai"))
    1746374400000
    """
    return int(datetime(day.year, day.month, day.day, tzinfo=tz).timestamp() * 1000)


def offset_ms(ts: Ints, tz: ZoneInfo) -> Ints:
    """Return the zone's offset from UTC at each ``ts`` [n] in ms, daylight saving included.

    The offset is looked up once per distinct UTC hour: no zone in use changes within one.
    """
    hours, inverse = np.unique(np.asarray(ts, dtype=np.int64) // MS_PER_HOUR, return_inverse=True)
    return np.array([_hour_offset_ms(int(h), tz) for h in hours], dtype=np.int64)[inverse]


def _hour_offset_ms(hour: int, tz: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(hour * 3600, tz=UTC).astimezone(tz).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() * 1000)


def local_day(ts: Ints, tz: ZoneInfo) -> Ints:
    """Return the local day number of each ``ts`` [n], in days since 1970-01-01."""
    return (np.asarray(ts, dtype=np.int64) + offset_ms(ts, tz)) // MS_PER_DAY


def local_hour(ts: Ints, tz: ZoneInfo) -> Ints:
    """Return the local hour 0..23 of each ``ts`` [n]."""
    return (np.asarray(ts, dtype=np.int64) + offset_ms(ts, tz)) // MS_PER_HOUR % 24


def local_weekday(ts: Ints, tz: ZoneInfo) -> Ints:
    """Return the local weekday of each ``ts`` [n], Monday = 0 (1970-01-01 was a Thursday)."""
    return (local_day(ts, tz) + 3) % 7
