"""The health of the logs: what was set aside, what repeats, what the recorder hides.

A finding is a ``defect`` when numbers computed from the rows it touches would be wrong: a study
that depends on one says so. The rest is ``info``.
"""

from __future__ import annotations

import numpy as np

from giftlive.facts.delay import delay_findings
from giftlive.facts.evidence import Evidence
from giftlive.facts.finding import Finding, severity_of
from giftlive.facts.local_time import iso_day
from giftlive.facts.time_of_day import DailyVolume, daily_volume

GRID_STEPS_MS = (60_000, 1_000, 512, 500, 256, 250, 128, 100, 50, 10)
GRID_SHARE = 0.99
GRID_SAMPLE = 200_000
ROW_LIMIT = 0.001
"""Share of a table's rows that may repeat or be set aside before it is a defect."""
_KEYS = {
    "click": "ts, user_id, live_id, streamer_id, watch_ms",
    "gift": "ts, user_id, live_id, streamer_id, amount",
    "comment": "ts, user_id, live_id, streamer_id",
    "likes": "ts, user_id, live_id, streamer_id",
    "negative": "ts, user_id, live_id, streamer_id",
}
_TABLE = {"likes": "like"}


def audit(evidence: Evidence, volume: DailyVolume | None = None) -> list[Finding]:
    """Return every finding, in a fixed order.

    Parameters
    ----------
    volume : the daily counts where they are already known.
    """
    return [
        *_rejects(evidence),
        *_duplicates(evidence),
        _zero_watch(evidence),
        *delay_findings(evidence),
        _outage(evidence, daily_volume(evidence) if volume is None else volume),
        *_rooms(evidence),
        _grid(evidence),
        _anonymous(evidence),
    ]


def _rejects(evidence: Evidence) -> list[Finding]:
    found = [
        Finding(
            f"rejects.{table}.{reason}",
            severity_of(count / (count + evidence.rows.get(table, 0)), ROW_LIMIT),
            float(count),
            f"{count:,} rows of {table} were set aside: {reason}",
        )
        for table, reasons in sorted(evidence.rejects.items())
        for reason, count in sorted(reasons.items())
        if count
    ]
    return found or [Finding("rejects", "info", 0.0, "no row was set aside at ingest")]


def _duplicates(evidence: Evidence) -> list[Finding]:
    """Count rows beyond the first of each group of identical rows."""
    findings = []
    for view, keys in _KEYS.items():
        table = _TABLE.get(view, view)
        name = f"duplicates.{table}"
        reason = evidence.lacks((table,))
        if reason:
            findings.append(Finding(name, "info", None, reason))
            continue
        rows, distinct = evidence.row(
            f"SELECT coalesce(sum(n), 0)::BIGINT, count(*) "
            f"FROM (SELECT count(*) AS n FROM {view} GROUP BY {keys})"
        )
        extra = rows - distinct
        detail = f"{extra:,} of {rows:,} rows of {table} repeat another row in every column"
        severity = severity_of(extra / rows, ROW_LIMIT)
        findings.append(Finding(name, severity, float(extra), detail))
    return findings


def _zero_watch(evidence: Evidence) -> Finding:
    reason = evidence.lacks(("click",))
    if reason:
        return Finding("zero_watch", "info", None, reason)
    zero, n = evidence.row("SELECT count(*) FILTER (watch_ms = 0), count(*) FROM click")
    return Finding("zero_watch", "info", zero / n, f"{zero:,} of {n:,} clicks have no watch time")


def _outage(evidence: Evidence, volume: DailyVolume) -> Finding:
    reason = evidence.lacks(("click", "gift"))
    if reason:
        return Finding("outage_days", "info", None, reason)
    days = volume.day[volume.outage]
    names = ", ".join(iso_day(int(day)) for day in days)
    detail = (
        f"clicks without a gift are missing on {names}, gifts are not: gift rates of these days "
        "are too high"
        if names
        else "no day lost clicks while its gifts kept coming"
    )
    return Finding("outage_days", severity_of(len(days), 0), float(len(days)), detail)


def _rooms(evidence: Evidence) -> list[Finding]:
    reason = evidence.lacks(("room",))
    if reason:
        return [Finding(name, "info", None, reason) for name in ("censored_rooms", "empty_rooms")]
    last = evidence.window[1]
    censored, empty, n = evidence.row(
        f"SELECT count(*) FILTER (end_ts IS NULL OR end_ts >= {last}), "
        "count(*) FILTER (end_ts <= start_ts), count(*) FROM room"
    )
    return [
        Finding(
            "censored_rooms",
            severity_of(censored, 0),
            censored / n,
            f"{censored:,} of {n:,} rooms have no end before the last event: their length is "
            "censored",
        ),
        Finding(
            "empty_rooms",
            severity_of(empty, 0),
            empty / n,
            f"{empty:,} of {n:,} rooms end when they start, or before",
        ),
    ]


def _grid(evidence: Evidence) -> Finding:
    """Find the coarsest step on which at least 99 % of the first time stamps lie."""
    view = "click" if "click" in evidence.tables else "gift"
    ts = evidence.columns(f"SELECT ts FROM {view} WHERE row_id < {GRID_SAMPLE}")["ts"]
    for step in GRID_STEPS_MS:
        if len(ts) > 1 and np.bincount(ts % step).max() >= GRID_SHARE * len(ts):
            detail = f"{view} times lie on a grid of {step} ms: order within it is not known"
            return Finding("timestamp_grid_ms", "info", float(step), detail)
    return Finding("timestamp_grid_ms", "info", 1.0, f"{view} times lie on no grid above 1 ms")


def _anonymous(evidence: Evidence) -> Finding:
    unnamed, named = evidence.row(
        "SELECT (SELECT count(*) FROM gift_anonymous), (SELECT count(*) FROM gift)"
    )
    if not unnamed + named:
        return Finding("anonymous_gifts", "info", None, evidence.lacks(("gift",)))
    detail = f"{unnamed:,} of {unnamed + named:,} gifts have no known user and enter no user fact"
    return Finding("anonymous_gifts", "info", unnamed / (unnamed + named), detail)
