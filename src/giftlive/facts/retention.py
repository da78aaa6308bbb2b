"""Who comes back: user-days followed by activity of the same user k days later.

The unit is the user-day. Only days whose k-th next day lies whole inside the window can be
followed, so the denominator shrinks with k; the rest is censored, not lost. A user is active
on a day with a click, or with a gift where the source has no clicks.
"""

from __future__ import annotations

import numpy as np

from giftlive.facts.estimates import by_user, ratio
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import Curve, Fact, Quantity, Section
from giftlive.facts.local_time import local_day_sql
from giftlive.facts.time_of_day import last_whole_day
from giftlive.types import Ints

LAGS = (1, 2, 3, 5, 7, 14)
"""Days after which it is looked."""


def retention_section(evidence: Evidence) -> Section:
    """Return the shares that come back after 1 to 14 days, clustered by user."""
    view = "click" if "click" in evidence.tables else "gift"
    day = local_day_sql("ts", evidence.tz, evidence.window)
    rows = evidence.columns(
        f"SELECT DISTINCT user_id, {day} AS day FROM {view} ORDER BY user_id, day"
    )
    last = last_whole_day(evidence)
    facts: list[Fact] = []
    curve: Curve = {"days": [], "rate": [], "low": [], "high": [], "user_days": []}
    for lag in LAGS:
        fact = _returns(evidence, view, rows["user_id"], rows["day"], lag, last)
        facts.append(fact)
        if fact.value is not None:
            row = (lag, fact.value, fact.low, fact.high, fact.n)
            for column, value in zip(curve, row, strict=True):
                curve[column].append(value)
    return Section(tuple(facts), {"retention": curve})


def _returns(evidence: Evidence, view: str, user: Ints, day: Ints, lag: int, last: int) -> Fact:
    quantity = Quantity(
        f"retention_d{lag}", f"user-days with a {view} of the user {lag} days later",
        f"user-days with a whole day {lag} days later", f"user-days with a {view}",
        needs=("gift",) if view == "gift" else ("click",),
    )  # fmt: skip
    key, span = np.unique(user, return_inverse=True)
    width = int(day.max() - day.min()) + lag + 1 if len(day) else 1
    code = span * width + (day - (day.min() if len(day) else 0))
    followed = day + lag <= last
    again = np.isin(code + lag, code, assume_unique=True) & followed
    sums = [np.bincount(span, part, minlength=len(key)) for part in (again, followed)]
    return ratio(evidence, quantity, by_user(key, *sums, n_unit="user-days"))
