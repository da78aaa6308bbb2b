"""The figures of the facts: each curve becomes a figure whose title states what it shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from giftlive.evaluation.results import Figure, Series
from giftlive.facts import FactBook
from giftlive.facts.fact import Curve
from giftlive.types import Bools, Message


def fact_figures(book: FactBook, unit: str) -> tuple[Figure, ...]:
    """Return a figure for every curve that has rows; ``unit`` is the source's money."""
    makers: tuple[tuple[str, str, Callable[[FactBook, str], Figure]], ...] = (
        ("amount_ccdf", "amount_p50", _tail),
        ("lorenz_user", "user_gini", _lorenz),
        ("top_share", "user_top1_share", _tops),
        ("watch_buckets", "watch_p50_s", _watch),
        ("pair_history_rates", "gift_rate_pair_with_history", _pairs),
        ("hour_weekday", "amount_p50", _hours),
        ("daily_volume", "amount_p50", _volume),
    )
    return tuple(
        make(book, unit)
        for curve, fact, make in makers
        if book.fact(fact).status == "ok" and _filled(book.curves.get(curve))
    )


def _filled(curve: Curve | None) -> bool:
    """Return whether a curve has rows and every number in it is defined."""
    if not curve or any(len(column) == 0 for column in curve.values()):
        return False
    essential = [c for name, c in curve.items() if name not in {"low", "high"}]
    return all(value is not None for column in essential for value in column)


def _words(name: str, **params: object) -> tuple[Message, Message]:
    key = f"study.exploration.figure.{name}"
    return Message(f"{key}.shows", params), Message(f"{key}.follows", params)


def _tail(book: FactBook, unit: str) -> Figure:
    curve = book.curves["amount_ccdf"]
    x, share, n = curve["amount"], curve["share"], curve["n"]
    median, largest = book.fact("amount_p50").value, max(x)
    shows, follows = _words("tail")
    return Figure(
        name="amount_tail",
        title=f"The median gift is {median:,.0f}, the largest {largest:,.0f}",
        subtitle=f"share of gift rows of at least x; {n[0]:,} gift rows",
        x_label=f"gift amount ({unit})",
        y_label="share of gifts at least this large",
        series=(Series("gifts", tuple(float(max(v, 1)) for v in x), tuple(share), n=tuple(n)),),
        shows=shows,
        follows=follows,
        x_scale="log",
        y_scale="log",
    )


def _lorenz(book: FactBook, unit: str) -> Figure:
    series = []
    for whose in ("user", "streamer"):
        curve = book.curves.get(f"lorenz_{whose}")
        if curve and len(curve["population_share"]):
            series.append(
                Series(f"{whose}s", tuple(curve["population_share"]), tuple(curve["amount_share"]))
            )
    gini = book.fact("user_gini").value or 0.0
    n = book.fact("user_gini").n
    shows, follows = _words("lorenz")
    even = Series("everyone equal", (0.0, 1.0), (0.0, 1.0), style="reference")
    return Figure(
        name="lorenz",
        title=f"Giving is concentrated: Gini {gini:.2f} over users who gave",
        subtitle=f"cumulative share of the amount; {n:,} users and the streamers who received",
        x_label="share of the population, smallest first",
        y_label="share of the amount",
        series=(*series, even),
        shows=shows,
        follows=follows,
    )


def _tops(book: FactBook, unit: str) -> Figure:
    curve = book.curves["top_share"]
    first = curve["share"][0]
    shows, follows = _words("tops")
    series = []
    for whose in ("user", "streamer"):
        rows = [i for i, who in enumerate(curve["whose"]) if who == whose]
        bounds = [(curve["low"][i], curve["high"][i]) for i in rows]
        known = all(low is not None and high is not None for low, high in bounds)
        series.append(
            Series(
                name=f"{whose}s",
                x=tuple(f"top {curve['top_percent'][i]} %" for i in rows),
                y=tuple(curve["share"][i] for i in rows),
                style="dots",
                low=tuple(low for low, _ in bounds) if known else None,
                high=tuple(high for _, high in bounds) if known else None,
            )
        )
    return Figure(
        name="top_shares",
        title=f"The top 1 % of users give {first:.0%} of the amount",
        subtitle="share of the amount; users who gave, streamers who received",
        x_label="top of the population",
        y_label="share of the amount",
        series=tuple(series),
        shows=shows,
        follows=follows,
        x_scale="category",
    )


def _watch(book: FactBook, unit: str) -> Figure:
    curve = book.curves["watch_buckets"]
    last = curve["amount_share"][-1]
    shows, follows = _words("watch")
    return Figure(
        name="watch_buckets",
        title=f"Viewings over five minutes bring {last:.0%} of the amount",
        subtitle=f"share of clicks and of credited amount; {sum(curve['clicks']):,} clicks",
        x_label="watch time of the click",
        y_label="share",
        series=(
            Series("clicks", tuple(curve["bucket"]), tuple(curve["click_share"]), "bars"),
            Series("amount", tuple(curve["bucket"]), tuple(curve["amount_share"]), "bars"),
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
    )


def _pairs(book: FactBook, unit: str) -> Figure:
    curve = book.curves["pair_history_rates"]
    rate = curve["rate"]
    times = rate[0] / rate[1] if rate[1] else float("inf")
    known = all(v is not None for v in (*curve["low"], *curve["high"]))
    shows, follows = _words("pairs")
    return Figure(
        name="pair_history",
        title=f"A pair that gifted before gifts {times:.0f} times as often",
        subtitle=f"gift rows per click, last third of the window; {sum(curve['clicks']):,} clicks",
        x_label="the pair gifted on an earlier day",
        y_label="gift rows per click",
        series=(
            Series(
                name="rate",
                x=tuple(curve["history"]),
                y=tuple(rate),
                style="dots",
                low=tuple(curve["low"]) if known else None,
                high=tuple(curve["high"]) if known else None,
                n=tuple(curve["clicks"]),
            ),
        ),
        shows=shows,
        follows=follows,
        x_scale="category",
        y_scale="log",
    )


def _hours(book: FactBook, unit: str) -> Figure:
    curve = book.curves["hour_weekday"]
    hour, gifts = np.array(curve["hour"]), np.array(curve["gifts"], dtype=float)
    weekend = np.array(curve["weekday"]) >= 5
    whole = np.bincount(hour, gifts, minlength=24)
    peak = int(whole.argmax())
    shows, follows = _words("hours")

    def share(rows: Bools) -> tuple[float, ...]:
        sums = np.bincount(hour[rows], gifts[rows], minlength=24)
        return tuple((sums / max(sums.sum(), 1.0)).tolist())

    hours = tuple(float(h) for h in range(24))
    return Figure(
        name="hours",
        title=f"Gifts peak at {peak}:00 local time",
        subtitle=f"share of gift rows by local hour; {int(gifts.sum()):,} gift rows",
        x_label="local hour",
        y_label="share of the gifts",
        series=(
            Series("Monday to Friday", hours, share(~weekend)),
            Series("Saturday, Sunday", hours, share(weekend)),
        ),
        shows=shows,
        follows=follows,
    )


def _volume(book: FactBook, unit: str) -> Figure:
    curve = book.curves["daily_volume"]
    outages = [day for day, out in zip(curve["day"], curve["outage"], strict=True) if out]
    clicks = sum(curve["clicks"]) > 0
    shows, follows = _words("volume" if clicks else "bursts", n=len(outages))
    lost = f"{len(outages)} days lost clicks but not gifts" if outages else "No day lost clicks"
    title = lost if clicks else "Gifts come in bursts"
    series = [Series("gifts", tuple(curve["day"]), tuple(float(v) for v in curve["gifts"]))]
    if clicks:
        series.insert(
            0, Series("clicks", tuple(curve["day"]), tuple(float(v) for v in curve["clicks"]))
        )
    return Figure(
        name="daily_volume",
        title=title,
        subtitle=f"rows per local day; {len(curve['day'])} days",
        x_label="local day",
        y_label="rows per day",
        series=tuple(series),
        shows=shows,
        follows=follows,
        x_scale="category",
        y_scale="log",
    )
