"""When things happen: the week in local hours, the volume of days, and days with missing rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.clock import MS_PER_MINUTE, local_day, local_hour, local_weekday, zone
from giftlive.facts.estimates import stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.facts.local_time import days_of, iso_day, local_day_sql
from giftlive.facts.outages import outages
from giftlive.types import Bools, Ints

BIN_MS = 15 * MS_PER_MINUTE
"""No zone in use is offset by a fraction of a quarter of an hour."""
_WEEKS = Quantity(
    "weekly_revenue_ratio_max_min", "amount of the largest week", "amount of the smallest week",
    "whole weeks counted from the first day", "ratio", ("gift",), money=True,
)  # fmt: skip
_OUTAGES = Quantity(
    "outage_days", "days that lost clicks but not other rows", "none: a count", "whole local days",
    "days", ("click", "gift"),
)  # fmt: skip
_SILENT = Quantity(
    "silent_days", "days without a click or a gift", "none: a count", "local days of the window",
    "days", ("gift",),
)  # fmt: skip
_PEAK = Quantity(
    "gift_peak_hour", "local hour with most gift rows", "gift rows", "gifts of known users",
    "local hour", ("gift",),
)  # fmt: skip
_COUNTS = ("clicks", "quiet", "gifts", "amount", "negatives")
_BINS = f"""
SELECT bin, sum(clicks)::BIGINT AS clicks, sum(quiet)::BIGINT AS quiet,
    sum(gifts)::BIGINT AS gifts, sum(amount)::BIGINT AS amount,
    sum(negatives)::BIGINT AS negatives
FROM (
    SELECT c.ts // {BIN_MS} AS bin, count(*) AS clicks,
        count(*) FILTER (g.user_id IS NULL) AS quiet, 0 AS gifts, 0 AS amount,
        0 AS negatives
    FROM click c LEFT JOIN (SELECT DISTINCT user_id, live_id FROM gift) g USING (user_id, live_id)
    GROUP BY bin
    UNION ALL
    SELECT ts // {BIN_MS} AS bin, 0, 0, count(*), sum(amount), 0 FROM gift GROUP BY bin
    UNION ALL
    SELECT ts // {BIN_MS} AS bin, 0, 0, 0, 0, count(*) FROM negative GROUP BY bin
) GROUP BY bin ORDER BY bin
"""
_DAILY_GINI = """
SELECT day, sum((2 * place - n - 1) * clicks)::BIGINT AS spread, any_value(n) AS n,
    sum(clicks)::BIGINT AS clicks
FROM (
    SELECT day, clicks, row_number() OVER (PARTITION BY day ORDER BY clicks) AS place,
        count(*) OVER (PARTITION BY day) AS n
    FROM (SELECT {day} AS day, streamer_id, count(*) AS clicks FROM click GROUP BY ALL)
) GROUP BY day ORDER BY day
"""


@dataclass(frozen=True)
class DailyVolume:
    """Counts of every local day with a click or a gift.

    Attributes
    ----------
    day : [D] days since 1970-01-01. clicks, quiet, gifts, amount, negatives : [D]; quiet =
        clicks of a session without a gift. outage : [D] days that lost clicks but not others.
    whole : [D] days that the window covers from their first to their last hour.
    """

    day: Ints
    clicks: Ints
    quiet: Ints
    gifts: Ints
    amount: Ints
    negatives: Ints
    outage: Bools
    whole: Bools


def time_section(evidence: Evidence) -> Section:
    """Return the regularity of days and weeks, the 7 x 24 heat map and the daily volume."""
    bins = evidence.columns(_BINS)
    volume = _daily(evidence, bins)
    facts = (
        _weekly_ratio(evidence, volume),
        _daily_gini(evidence, evidence.tz, ""),
        _daily_gini(evidence, "UTC", "_utc"),
        *_day_counts(evidence, volume),
    )
    heat = _heat(evidence, bins)
    curves = {"hour_weekday": heat, "daily_volume": _volume_curve(volume)}
    return Section((*facts, _peak(evidence, heat)), curves)


def daily_volume(evidence: Evidence) -> DailyVolume:
    """Return the counts of every local day, outages marked."""
    return _daily(evidence, evidence.columns(_BINS))


def _daily(evidence: Evidence, bins: dict[str, Ints]) -> DailyVolume:
    local = local_day(bins["bin"] * BIN_MS, zone(evidence.tz))
    day, index = np.unique(local, return_inverse=True)
    sums = {name: np.zeros(len(day), dtype=np.int64) for name in _COUNTS}
    for name in _COUNTS:
        np.add.at(sums[name], index, bins[name])
    there = sums["clicks"] + sums["gifts"] > 0
    day, sums = day[there], {name: counts[there] for name, counts in sums.items()}
    whole = _whole(evidence, day)
    lost = outages(sums["quiet"], sums["negatives"], sums["gifts"], whole)
    return DailyVolume(day, **sums, outage=lost, whole=whole)


def last_whole_day(evidence: Evidence) -> int:
    """Return the last local day that the window covers to its last hour."""
    tz, end = zone(evidence.tz), np.array(evidence.window[1:], dtype=np.int64)
    return int(local_day(end, tz)[0]) - int(local_hour(end, tz)[0] != 23)


def _whole(evidence: Evidence, day: Ints) -> Bools:
    """Mark days the window covers from their first to their last hour."""
    tz, ends = zone(evidence.tz), np.array(evidence.window, dtype=np.int64)
    (first, last), (opens, closes) = local_day(ends, tz), local_hour(ends, tz)
    return ((day > first) | (opens == 0)) & ((day < last) | (closes == 23))


def _day_counts(evidence: Evidence, volume: DailyVolume) -> list[Fact]:
    """Return the numbers of outages and of silent days."""
    first, last = days_of(evidence.window, evidence.tz)
    days, why = last - first + 1, "a count of these logs, not an estimate"
    counts = ((_OUTAGES, int(volume.outage.sum())), (_SILENT, days - len(volume.day)))
    return [
        undefined(evidence, quantity, reason)
        if (reason := evidence.lacks(quantity.needs))
        else stated(evidence, quantity, float(n), why, days, "days")
        for quantity, n in counts
    ]


def _peak(evidence: Evidence, heat: Curve) -> Fact:
    gifts = np.array(heat["gifts"]).reshape(7, 24).sum(axis=0)
    reason = evidence.lacks(_PEAK.needs) or ("" if gifts.any() else "there are no gift rows")
    if reason:
        return undefined(evidence, _PEAK, reason)
    why = "the largest of 24, chosen by looking at them"
    return stated(evidence, _PEAK, float(gifts.argmax()), why, int(gifts.sum()), "gift rows")


def _weekly_ratio(evidence: Evidence, volume: DailyVolume) -> Fact:
    reason = evidence.lacks(_WEEKS.needs)
    weeks = (volume.day[-1] - volume.day[0] + 1) // 7 if len(volume.day) else 0
    if reason or weeks < 2:
        return undefined(evidence, _WEEKS, reason or f"needs 2 whole weeks, have {weeks}")
    week = (volume.day - volume.day[0]) // 7
    amount = np.zeros(weeks, dtype=np.int64)
    np.add.at(amount, week[week < weeks], volume.amount[week < weeks])
    if not amount.min():
        return undefined(evidence, _WEEKS, "a week without a gift")
    why = f"{weeks} weeks are too few for an interval"
    return stated(evidence, _WEEKS, float(amount.max() / amount.min()), why, int(weeks), "weeks")


def _daily_gini(evidence: Evidence, tz: str, ending: str) -> Fact:
    quantity = Quantity(
        f"daily_click_gini_over_streamers{ending}", "Gini of clicks, mean over days",
        "streamers clicked that day", f"all clicks, days in {tz}", "index", ("click",),
    )  # fmt: skip
    days = evidence.columns(_DAILY_GINI.format(day=local_day_sql("ts", tz, evidence.window)))
    reason = evidence.lacks(quantity.needs)
    if reason or not len(days["n"]):
        return undefined(evidence, quantity, reason or "there are no clicks")
    gini = days["spread"] / (days["n"] * days["clicks"])
    why = "a description of these days, whose Gini values are not independent"
    return stated(evidence, quantity, float(gini.mean()), why, len(gini), "days")


def _heat(evidence: Evidence, bins: dict[str, Ints]) -> Curve:
    ts, tz = bins["bin"] * BIN_MS, zone(evidence.tz)
    cell = local_weekday(ts, tz) * 24 + local_hour(ts, tz)
    sums = {
        name: np.bincount(cell, bins[name].astype(np.float64), minlength=168).astype(int).tolist()
        for name in ("clicks", "gifts", "amount")
    }
    return {"weekday": [c // 24 for c in range(168)], "hour": [c % 24 for c in range(168)], **sums}


def _volume_curve(volume: DailyVolume) -> Curve:
    return {
        "day": [iso_day(int(day)) for day in volume.day],
        "clicks": volume.clicks.tolist(),
        "clicks_without_gift": volume.quiet.tolist(),
        "gifts": volume.gifts.tolist(),
        "amount": volume.amount.tolist(),
        "negatives": volume.negatives.tolist(),
        "outage": volume.outage.tolist(),
        "whole": volume.whole.tolist(),
    }
