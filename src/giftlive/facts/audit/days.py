"""Days that lost rows: outages that took some, and days that are not there."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from giftlive.clock import local_day, zone
from giftlive.facts.atom import ALPHA
from giftlive.facts.audit.inspection import VIEWS, Inspection
from giftlive.facts.finding import Counted, Finding, measured
from giftlive.facts.local_time import iso_day
from giftlive.facts.time_of_day import BIN_MS
from giftlive.types import Ints

LEAST_DAYS = 7
_MAD_TO_SD = 1.4826


def outage_days(inspection: Inspection) -> Iterator[Finding]:
    """Find days on which clicks without a gift are too few beside what was not clicked."""
    volume = inspection.volume
    beside = "negative" if volume.negatives.any() else "gift"
    days = tuple(iso_day(int(day)) for day in volume.day[volume.outage])
    counted = Counted(len(days), len(volume.day), "day")
    yield measured(
        "outage_days", bool(days), counted, value=float(len(days)), examples=days, beside=beside
    )


def missing_days(inspection: Inspection) -> Iterator[Finding]:
    """Find whole days without any row of a table that has rows on every other day."""
    first, last = (int(d) for d in inspection.volume.day[[0, -1]])
    days = np.arange(first, last + 1)
    for table, view in VIEWS.items():
        if table == "room" or table not in inspection.evidence.tables:
            continue
        counts = _by_day(inspection, view, days)
        inner = counts[1:-1]
        empty = np.flatnonzero(counts[1:-1] == 0) + 1
        found = len(empty) > 0 and _empty_by_chance(inner) * len(inner) < ALPHA
        names = tuple(iso_day(first + int(d)) for d in empty) if found else ()
        counted = Counted(len(empty), max(len(inner), 0), "day")
        told = "found" if found else "episodes" if 2 * len(empty) > len(inner) else "clean"
        yield measured(f"missing_days.{table}", found, counted, told=told, examples=names)


def _empty_by_chance(counts: Ints) -> float:
    """Return the chance of an empty day by a negative binomial law with the days' own spread.

    Median and absolute deviation are those of all days, so that a few empty ones do not count;
    where most days are empty the source comes in episodes and an empty day is nothing new.
    """
    mean = float(np.median(counts))
    if len(counts) < LEAST_DAYS or mean <= 0:
        return 1.0
    spread = _MAD_TO_SD * float(np.median(np.abs(counts - mean)))
    over = max(spread**2 - mean, 0.0) / mean**2
    return math.exp(-mean) if over < 1e-9 else (1.0 + over * mean) ** (-1.0 / over)


def _by_day(inspection: Inspection, view: str, day: Ints) -> Ints:
    """Return the rows of a view by the local days ``day``."""
    sql = f"SELECT ts // {BIN_MS} AS bin, count(*) AS n FROM {view} GROUP BY bin ORDER BY bin"
    rows = inspection.evidence.columns(sql)
    local = local_day(rows["bin"] * BIN_MS, zone(inspection.evidence.tz))
    counts = np.zeros(int(day[-1] - day[0]) + 1, dtype=np.int64)
    inside = (local >= day[0]) & (local <= day[-1])
    np.add.at(counts, local[inside] - day[0], rows["n"][inside])
    wanted: Ints = counts[day - day[0]]
    return wanted
