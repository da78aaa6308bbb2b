"""Records that came too late for the log: its last hours hold too few gifts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from giftlive.clock import MS_PER_HOUR, local_hour, zone
from giftlive.facts.atom import ALPHA
from giftlive.facts.audit.inspection import Inspection
from giftlive.facts.finding import Counted, Finding, measured
from giftlive.types import Floats, Ints

LAGS_H = (0.25, 1.0, 3.0, 12.0, 24.0, 72.0)
"""Mean lags that are tried, in hours: each is a guess, and the chance is shared among them."""
BODY_SHARE = 0.8
"""The first part of the log, which no lag reaches, says what is usual."""
LEAST_HOURS = 5 * 24
_PART_H = 6
_HOURS = "SELECT ts // {ms} AS hour, count(*) AS n FROM {view} {where} GROUP BY hour ORDER BY hour"


class Thinning(NamedTuple):
    """The best exponential lag: its chance under none, mean hours, gifts seen and expected."""

    chance: float
    lag_h: float
    seen: int
    expected: float


def late_records(inspection: Inspection) -> Iterator[Finding]:
    """Find that gifts grow rare towards the end of the log, as where their records come late.

    Looked at are all gifts and those of at least the median amount, since a lag may grow with it.
    Without a lag there are no last hours whose gifts could be counted: no evidence then.
    """
    evidence = inspection.evidence
    beside = "negative" if "negative" in evidence.tables else "click"
    first, last = (ts // MS_PER_HOUR for ts in evidence.window)
    (middle,) = evidence.row("SELECT quantile_disc(amount, 0.5) FROM gift")
    wheres = ("", f"WHERE amount > {middle}")
    usual = _hourly(inspection, beside, "", first, last)
    part = local_hour(np.arange(first, last + 1) * MS_PER_HOUR, zone(evidence.tz)) // _PART_H
    left = (evidence.window[1] / MS_PER_HOUR - first) - np.arange(last - first + 1) - 0.5
    tests = [
        thinning(_hourly(inspection, "gift", where, first, last), usual, part, np.maximum(left, 0))
        for where in wheres
    ]
    best = min(tests)
    found = best.chance * len(tests) < ALPHA
    finding = measured(
        "late_records",
        found,
        Counted(best.seen, max(round(best.expected), best.seen), "gift"),
        value=best.lag_h if found else 0.0,
        lag=best.lag_h * 3600,
    )
    yield finding if found else replace(finding, counted=None)


def thinning(gifts: Ints, usual: Ints, part: Ints, left: Floats) -> Thinning:
    """Return the lag that best explains how gifts thin out, against none.

    Expected gifts of an hour are the other table's rows times the ratio of that part of the day,
    as in the first 80 % of the log. A lag of mean L keeps 1 - exp(-t / L) of the gifts sent t
    before the end. The likelihood ratio is divided by the dispersion of the gifts, which come
    in bursts.

    Parameters
    ----------
    gifts, usual : [H] counts by hour. part : [H] part of the day. left : [H] hours to the end.
    """
    none = Thinning(1.0, 0.0, 0, 0.0)
    body = np.arange(len(gifts)) < BODY_SHARE * len(gifts)
    if len(gifts) < LEAST_HOURS or not gifts[body].sum():
        return none
    rows = np.bincount(part[body], usual[body], minlength=24)
    ratio = np.bincount(part[body], gifts[body], minlength=24) / np.maximum(rows, 1)
    expected = usual * ratio[part]
    there = body & (expected > 0)
    dispersion = float(((gifts - expected)[there] ** 2 / expected[there]).mean())
    end, found = ~body & (expected > 0), []
    for lag in LAGS_H:
        kept = -np.expm1(-left[end] / lag)
        gain = gifts[end] * np.log(np.maximum(kept, 1e-12)) + expected[end] * (1.0 - kept)
        ratio_of = 2.0 * float(gain.sum()) / max(dispersion, 1.0)
        last = left <= 2 * lag
        chance = min(float(chi2.sf(ratio_of, 1)) / 2 * len(LAGS_H), 1.0) if ratio_of > 0 else 1.0
        found.append(Thinning(chance, lag, int(gifts[last].sum()), float(expected[last].sum())))
    return min(found)


def _hourly(inspection: Inspection, view: str, where: str, first: int, last: int) -> Ints:
    rows = inspection.evidence.columns(_HOURS.format(ms=MS_PER_HOUR, view=view, where=where))
    counts = np.zeros(last - first + 1, dtype=np.int64)
    counts[rows["hour"] - first] = rows["n"]
    return counts
