"""Cost curves as a table, and what they say about a platform of 400 million daily users.

A plan, not a measurement: every assumption is a row of its own, and every figure of the plan is
arithmetic on a measured one.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DAY_SECONDS = 86_400.0
_A_PLAN = (
    "**A plan, not a measurement.** It multiplies the curves above by the assumptions below. It"
    " leaves out the network, storage, replication, and what nobody measured. Read orders of"
    " magnitude, not digits."
)
_BOUNDS = (
    "Bounds are those of the fitted exponent where a size beyond the measured ones is needed, and"
    " those of the worst number of workers where work is cut into shards."
)
_KERNEL = (
    "The decision is the kernel alone. A decision over HTTP that is in a durable log before it is"
    " answered costs far more and sets the number of machines: multiply the decisions a second by"
    " what `giftlive bench service --run RUN` measures. Every shard pays fixed costs: an exponent"
    " below 1 shows them, and larger shards need less."
)
_CUT = (
    "How the parts are cut. *Features*: by user; totals of streamers and rooms are merged from sums"
    " per day. *Prices*: the users who compete for a room must meet in one shard, so that markets"
    " are cut by region or language, not by user. *Decisions*: by user, with prices read from a"
    " copy."
)
_NOT_YET = (
    "What this package does not do yet: one price for a room that several shards share, and a"
    " decision log on more than one database ([limits.md](limits.md))."
)


@dataclass(frozen=True)
class Assumptions:
    """What the plan takes as given; change one and call :func:`needs` again.

    Attributes
    ----------
    users : daily. visits : decisions a user a day. clicks : clicks a user a day.
    candidates : rooms that a decision is among, after retrieval. rooms : live at a time.
    peak : busiest second over the mean of the day. busy : share of a core that may be used.
    resolves : how often a day prices are solved.
    """

    users: float = 400e6
    visits: float = 30.0
    clicks: float = 10.0
    candidates: float = 200.0
    rooms: float = 100_000.0
    peak: float = 3.0
    busy: float = 0.6
    resolves: float = 50.0


ASSUMED = {
    "users": ("daily users", "the size asked for"),
    "visits": ("decisions a user a day", "assumed; replace it by your log's"),
    "clicks": ("clicks a user a day", "KuaiLive: 4.9 million clicks of 23,772 users in 21 days"),
    "candidates": ("candidates of a decision", "after retrieval"),
    "rooms": ("rooms live at a time", "assumed"),
    "peak": ("busiest second over the mean", "assumed"),
    "busy": ("share of a core in use at the peak", "headroom for a lost machine"),
    "resolves": ("solutions of the prices a day", "as measured in `bench allocation`"),
}


@dataclass(frozen=True)
class Need:
    """What one part of the platform needs: cores at the peak or core-hours a day, with bounds."""

    part: str
    unit: str
    value: float
    low: float
    high: float
    how: str


def plan(curves: Sequence[Mapping[str, Any]], command: str, load: float) -> list[str]:
    """Return the sections of the cost curves and of the plan as Markdown lines."""
    lines = [
        "## Cost curves",
        "",
        "```",
        f"$ {command}",
        "```",
        "",
        "Processor seconds, one thread, the least of several turns; exponents by least squares on",
        f"logarithms with the 95 % interval of Student's t. Load {load:.1f} before it began.",
        "",
        "| by | work | sizes | processor time | exponent |",
        "| --- | --- | --- | --- | --- |",
    ]
    for c in curves:
        sizes = " · ".join(f"{size:,}" for size in c["sizes"])
        factor, unit = (1e3, "ms") if max(c["seconds"]) >= 1e-2 else (1e6, "µs")
        times = " · ".join(_short(factor * s) for s in c["seconds"]) + f" {unit}"
        fitted = f"{c['exponent']:.2f} [{c['low']:.2f}, {c['high']:.2f}]"
        lines.append(f"| {c['per']} | {c['what']} | {sizes} | {times} {c['unit']} | {fitted} |")
    return [*lines, "", *_for_scale({c["name"]: c for c in curves}, Assumptions())]


def needs(curves: Mapping[str, Mapping[str, Any]], given: Assumptions) -> tuple[Need, ...]:
    """Return what every part needs under the assumptions.

    Work over users and rows is cut into shards of the largest measured size, whose cost was
    measured; their number is exact. Work over rooms and candidates is extrapolated from the
    largest measured size by the fitted exponent, whose interval is the bound.
    """
    decisions = given.users * given.visits / DAY_SECONDS * given.peak / given.busy
    found = []
    for name, size, part in (
        ("candidates", given.candidates, "decisions, served by price"),
        ("rooms", given.rooms, "retrieval among all live rooms"),
    ):
        each, low, high = extrapolated(curves[name], size)
        how = f"{decisions:,.0f} decisions a second at the peak, headroom included"
        cores = (decisions * each, decisions * low, decisions * high)
        found.append(Need(part, "cores at the peak", *cores, how))
    for name, amount, times, part in (
        ("users", given.users, given.resolves, "prices, solved anew"),
        ("rows", given.users * given.clicks, 1.0, "labels and features of a day's clicks"),
    ):
        shards, each = shard_count(curves[name], amount)
        hours = shards * each * times / 3_600.0
        worst = hours * worst_worker(curves["workers"])
        how = f"{shards:,.0f} shards of {curves[name]['sizes'][-1]:,} {curves[name]['per']}"
        found.append(Need(part, "core-hours a day", hours, hours, worst, how))
    return tuple(found)


def extrapolated(curve: Mapping[str, Any], size: float) -> tuple[float, float, float]:
    """Return seconds at ``size`` and their bounds, from the largest measured size.

    Examples
    --------
    >>> line = {"sizes": [10, 20], "seconds": [1.0, 2.0], "exponent": 1.0, "low": 1.0, "high": 2.0}
    >>> extrapolated(line, 40)
    (4.0, 4.0, 8.0)
    """
    last, seconds = curve["sizes"][-1], curve["seconds"][-1]
    grown = [seconds * (size / last) ** curve[key] for key in ("exponent", "low", "high")]
    return grown[0], min(grown), max(grown)


def shard_count(curve: Mapping[str, Any], amount: float) -> tuple[float, float]:
    """Return how many shards of the largest measured size, and the seconds of one."""
    return amount / curve["sizes"][-1], curve["seconds"][-1]


def worst_worker(curve: Mapping[str, Any]) -> float:
    """Return by how much a shard grew with more workers at worst, at least 1."""
    return max(1.0, *(s / curve["seconds"][0] for s in curve["seconds"]))


def wrapped(text: str) -> list[str]:
    """Return a paragraph in lines of at most 100 characters."""
    return textwrap.wrap(text, 100, break_long_words=False, break_on_hyphens=False)


def _short(value: float) -> str:
    """Return a number with two or three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _for_scale(curves: Mapping[str, Mapping[str, Any]], given: Assumptions) -> list[str]:
    lines = [
        f"## A plan for {given.users / 1e6:,.0f} million daily users",
        "",
        *wrapped(_A_PLAN),
        "",
        "| assumed | value | why |",
        "| --- | --- | --- |",
    ]
    for key, (name, why) in ASSUMED.items():
        value = float(getattr(given, key))
        shown = f"{value:,.0f}" if value.is_integer() else f"{value:g}"
        lines.append(f"| {name} | {shown} | {why} |")
    lines += ["", "| part | needs | bounds | from |", "| --- | --- | --- | --- |"]
    for need in needs(curves, given):
        bounds = f"{_short(need.low)} to {_short(need.high)}"
        if need.low == need.high:
            bounds = "workers added nothing"
        lines.append(f"| {need.part} | {_short(need.value)} {need.unit} | {bounds} | {need.how} |")
    return [
        *lines,
        "",
        *wrapped(_BOUNDS),
        "",
        *wrapped(_KERNEL),
        "",
        *wrapped(_CUT),
        "",
        *wrapped(_NOT_YET),
        "",
    ]
