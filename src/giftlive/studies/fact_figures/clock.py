"""Figures of time: the week in local hours, the days with their outages, and who returns."""

from __future__ import annotations

import numpy as np

from giftlive.evaluation.results import Figure, Series
from giftlive.facts import FactBook
from giftlive.facts.retention import LAGS
from giftlive.studies.fact_figures.pieces import of_facts, percent, value, words
from giftlive.types import Bools

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMED = 3
"""Outages whose dates are in the title."""


def week(book: FactBook, unit: str) -> Figure:
    """Draw the gifts of the week, one cell per weekday and local hour."""
    gifts = np.array(book.curves["hour_weekday"]["gifts"], dtype=np.float64).reshape(7, 24)
    share = gifts / gifts.sum()
    day, hour = np.unravel_index(int(share.argmax()), share.shape)
    shows, follows = words("week")
    hours = tuple(str(h) for h in range(24))
    return Figure(
        name="week",
        title=f"The busiest hour of the week is {WEEKDAYS[day]} {hour}:00 "
        f"with {percent(float(share.max()))} of the gifts",
        subtitle=f"share of gift rows by local weekday and hour; {int(gifts.sum()):,} gift rows; "
        f"darkest {percent(float(share.max()))}, lightest {percent(float(share.min()))}",
        x_label="local hour",
        y_label="local weekday",
        series=tuple(
            Series(name, hours, tuple(row.tolist()), "cells", n=tuple(int(v) for v in gifts[i]))
            for i, (name, row) in enumerate(zip(WEEKDAYS, share, strict=True))
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
    )


def hours(book: FactBook, unit: str) -> Figure:
    """Draw the gifts of a day on working days and on weekends."""
    curve = book.curves["hour_weekday"]
    hour, gifts = np.array(curve["hour"]), np.array(curve["gifts"], dtype=float)
    weekend = np.array(curve["weekday"]) >= 5
    whole = np.bincount(hour, gifts, minlength=24)
    peak = int(value(book, "gift_peak_hour"))
    shows, follows = words("hours")

    def share(rows: Bools) -> tuple[float, ...]:
        sums = np.bincount(hour[rows], gifts[rows], minlength=24)
        return tuple((sums / max(sums.sum(), 1.0)).tolist())

    return Figure(
        name="hours",
        title=f"Gifts peak at {peak}:00 local time: {percent(whole[peak] / whole.sum())} of them",
        subtitle=f"share of gift rows by local hour; {int(gifts.sum()):,} gift rows",
        x_label="local hour",
        y_label="share of the gifts",
        series=(
            Series("Monday to Friday", tuple(float(h) for h in range(24)), share(~weekend)),
            Series("Saturday, Sunday", tuple(float(h) for h in range(24)), share(weekend)),
        ),
        shows=shows,
        follows=follows,
    )


def volume(book: FactBook, unit: str) -> Figure:
    """Draw the rows of every day, outages marked."""
    curve = book.curves["daily_volume"]
    clicks = sum(curve["clicks"]) > 0
    # a day cut by the window's end is no low day; a source of events has its own ends
    cut = clicks and any(curve["whole"])
    rows = [i for i, whole in enumerate(curve["whole"]) if whole or not cut]
    days = tuple(curve["day"][i] for i in rows)
    lost = [i for i in rows if curve["outage"][i]]
    silent = value(book, "silent_days")
    bursts = f"Gifts come in bursts: {silent:,.0f} of {silent + len(days):,.0f} days have none"
    most, least = max(curve["gifts"]), min(curve["gifts"])
    bursts = bursts if silent else f"Gifts come every day, {least:,} to {most:,} a day"
    shows, follows = words("volume" if clicks else "bursts", n=len(lost))
    lines = tuple(
        Series(name, days, tuple(float(curve[name][i]) for i in rows))
        for name in (("clicks", "gifts") if clicks else ("gifts",))
    )
    marked = Series(
        "outage: clicks lost", tuple(curve["day"][i] for i in lost),
        tuple(float(curve["clicks"][i]) for i in lost), "dots",
    )  # fmt: skip
    return Figure(
        name="daily_volume",
        title=_outages([curve["day"][i] for i in lost]) if clicks else bursts,
        subtitle=f"rows per local day; {len(days):,} {'whole ' * cut}days with a row",
        x_label="local day",
        y_label="rows per day",
        series=(*lines, *((marked,) if lost else ())),
        shows=shows,
        follows=follows,
        x_scale="category",
        y_scale="log",
    )


def _outages(days: list[str]) -> str:
    if not days:
        return "No day lost clicks while other rows kept coming"
    named = ", ".join(days[:_NAMED]) + (" and others" if len(days) > _NAMED else "")
    return f"{len(days)} day{'s' * (len(days) > 1)} lost clicks but not other rows: {named}"


def retention(book: FactBook, unit: str) -> Figure:
    """Draw the share of user-days that are followed by activity k days later."""
    shown = [k for k in LAGS if book.fact(f"retention_d{k}").value is not None]
    facts = [f"retention_d{k}" for k in shown]
    first, last = (book.fact(name) for name in (facts[0], facts[-1]))
    shows, follows = words("retention")
    return Figure(
        name="retention",
        title=f"{percent(first.value or 0.0)} of user-days are followed by one "
        f"{_days(shown[0])} later, {percent(last.value or 0.0)} {_days(shown[-1])} later",
        subtitle=f"{first.population} whose later day lies whole inside the window; "
        f"{first.n:,} of them for {_days(shown[0])}, {last.n:,} for {_days(shown[-1])}",
        x_label="days later",
        y_label="share of user-days",
        series=(of_facts(book, "user-days", [str(k) for k in shown], facts, "bars"),),
        shows=shows,
        follows=follows,
        x_scale="category",
    )


def _days(n: int) -> str:
    return f"{n} day{'s' * (n > 1)}"
