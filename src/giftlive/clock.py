"""Local days, hours and weekdays: a property of the source, never of the machine."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from giftlive.types import Ints

MS_PER_SECOND = 1_000
MS_PER_MINUTE = 60_000
MS_PER_QUARTER = 900_000
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 86_400_000

_EPOCH = date(1970, 1, 1)


def zone(name: str) -> ZoneInfo:
    """Return the time zone called ``name`` (an IANA key such as ``Asia/Shanghai``)."""
    return ZoneInfo(name)


def midnight_ms(day: date, tz: ZoneInfo) -> int:
    """Return the UTC ms of the first instant of a local ``day``.

    Where clocks are put back over midnight (at 00:01 in St John's until 2011) the day before comes
    back and ends at the second midnight: there the new day starts, once.

    Examples
    --------
    >>> midnight_ms(date(2025, 5, 5), ZoneInfo("Asia/Shanghai"))
    1746374400000
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=tz)
    first, second = (int(midnight.replace(fold=k).timestamp()) for k in (0, 1))
    comes_back = first < second and datetime.fromtimestamp(second - 1, tz).date() < day
    return MS_PER_SECOND * (second if comes_back else first)


def offset_ms(ts: Ints, tz: ZoneInfo) -> Ints:
    """Return the zone's offset from UTC at each ``ts`` [n] in ms, daylight saving included.

    The offset is looked up once per distinct quarter of a UTC hour, at its end. Zones change at
    its beginning, or a minute later (at 00:01 local time): that minute gets the new offset.
    """
    quarters, inverse = _quarters(ts)
    return _offsets(quarters, tz)[inverse]


def _quarters(ts: Ints) -> tuple[Ints, Ints]:
    """Return the distinct quarters of an hour since 1970, and which of them each ``ts`` is in."""
    return np.unique(np.asarray(ts, dtype=np.int64) // MS_PER_QUARTER, return_inverse=True)


def _offsets(quarters: Ints, tz: ZoneInfo) -> Ints:
    ends = (quarters * (MS_PER_QUARTER // MS_PER_SECOND) + 899).tolist()
    offsets = [datetime.fromtimestamp(end, tz).utcoffset() or timedelta() for end in ends]
    seconds = [offset.days * 86_400 + offset.seconds for offset in offsets]
    return MS_PER_SECOND * np.array(seconds, dtype=np.int64)


def local_day(ts: Ints, tz: ZoneInfo) -> Ints:
    """Return the local day number of each ``ts`` [n], in days since 1970-01-01.

    Days follow each other: what is before the :func:`midnight_ms` of a day belongs to an earlier
    one, also where clocks put back over midnight say otherwise for a while.
    """
    quarters, inverse = _quarters(ts)
    begins = quarters * MS_PER_QUARTER
    days = (begins + _offsets(quarters, tz)) // MS_PER_DAY
    return (days - (begins < day_starts_ms(days, tz)))[inverse]


def day_starts_ms(days: Ints, tz: ZoneInfo) -> Ints:
    """Return the first instant in ms UTC of each local day [n], in days since 1970-01-01.

    Examples
    --------
    >>> day_starts_ms(np.array([20_213]), ZoneInfo("Asia/Shanghai")).tolist()
    [1746374400000]
    """
    unique, inverse = np.unique(np.asarray(days, dtype=np.int64), return_inverse=True)
    starts = [midnight_ms(_EPOCH + timedelta(days=day), tz) for day in unique.tolist()]
    return np.array(starts, dtype=np.int64)[inverse]


def local_hour(ts: Ints, tz: ZoneInfo) -> Ints:
    """Return the local hour 0..23 of each ``ts`` [n]."""
    return (np.asarray(ts, dtype=np.int64) + offset_ms(ts, tz)) // MS_PER_HOUR % 24


def local_weekday(ts: Ints, tz: ZoneInfo) -> Ints:
    """Return the local weekday of each ``ts`` [n], Monday = 0 (1970-01-01 was a Thursday)."""
    return (local_day(ts, tz) + 3) % 7
