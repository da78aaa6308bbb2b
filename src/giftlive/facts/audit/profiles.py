"""Profile columns that know the window: snapshots taken after it, and totals over all of it.

A column measured before the window can know of a user what is lasting, never what happened by
chance inside the window. The total of the window is split into odd and even days; how well one
half foretells the other says how much of the total is lasting. A column that follows the total
more closely than this allows has counted the window's own events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from giftlive.clock import MS_PER_DAY
from giftlive.facts.atom import ALPHA
from giftlive.facts.audit.chance import beyond_reliability, rank_correlation
from giftlive.facts.audit.inspection import Inspection
from giftlive.facts.finding import Counted, Finding, measured
from giftlive.logs.schema import TABLES
from giftlive.types import Bools, Floats

SAMPLE = 20_000
"""Profiles looked at: chosen by a hash of the id, so that the order of rows does not matter."""
LEAST_CLICKS = 3
"""In each half of the window: a mean of fewer viewings is mostly noise."""
SAME = 0.01
"""A column is a total where their ratio varies by less than this: what rounding may do."""
SAME_SHARE = 0.99
LEAST_UNITS = 20
"""Fewer units with a total are not judged."""
_ENTITIES = {"user": ("users", "user_id"), "streamer": ("streamers", "streamer_id")}


class Totals(NamedTuple):
    """[n] sums over the window by unit: the halves of clicks and of watch ms; gifts, amount."""

    odd_clicks: Floats
    even_clicks: Floats
    odd_watch: Floats
    even_watch: Floats
    gifts: Floats
    amount: Floats

    @property
    def whole(self) -> dict[str, Floats]:
        """The totals over the whole window by name."""
        return {
            "clicks": self.odd_clicks + self.even_clicks,
            "watch time": self.odd_watch + self.even_watch,
            "gifts": self.gifts,
            "amount": self.amount,
        }


Judge = Callable[[Mapping[str, Floats], Totals], list[str]]
"""Names the columns that know the window."""


def snapshot_columns(inspection: Inspection) -> Iterator[Finding]:
    """Find profile columns that follow the window's clicks or watch time too closely."""
    yield from _each(inspection, "snapshot_columns", _snapshots)


def whole_period_columns(inspection: Inspection) -> Iterator[Finding]:
    """Find profile columns that are a total over the window, or a constant multiple of one."""
    yield from _each(inspection, "whole_period_columns", _wholes)


def _each(inspection: Inspection, name: str, judge: Judge) -> Iterator[Finding]:
    for entity in _ENTITIES:
        if entity in inspection.evidence.tables:
            columns, totals = _read(inspection, entity)
            found = judge(columns, totals)
            counted = Counted(len(found), len(columns), "column")
            yield measured(
                f"{name}.{entity}",
                bool(found),
                counted,
                examples=tuple(found),
                units=len(totals.gifts),
                of=entity,
            )


def _read(inspection: Inspection, entity: str) -> tuple[dict[str, Floats], Totals]:
    """Return the numeric profile columns and the window's totals of the same units."""
    view, key = _ENTITIES[entity]
    names = [c.name for c in TABLES[entity].columns if c.type == "VARCHAR"]
    numbers = ", ".join(
        f"coalesce(try_cast(regexp_extract({name}, '^[0-9]+') AS DOUBLE), 'nan') AS {name}"
        for name in names
    )
    odd = f"ts // {MS_PER_DAY} % 2 = 1"
    rows = inspection.evidence.columns(
        f"""
        WITH profile AS (
            SELECT {key}, {numbers} FROM {view} ORDER BY hash({key}), {key} LIMIT {SAMPLE}
        ), seen AS (
            SELECT {key}, count(*) FILTER ({odd}) AS odd_clicks,
                count(*) FILTER (NOT {odd}) AS even_clicks,
                coalesce(sum(watch_ms) FILTER ({odd}), 0) AS odd_watch,
                coalesce(sum(watch_ms) FILTER (NOT {odd}), 0) AS even_watch
            FROM click SEMI JOIN profile USING ({key}) GROUP BY {key}
        ), paid AS (
            SELECT {key}, count(*) AS gifts, sum(amount) AS amount
            FROM gift SEMI JOIN profile USING ({key}) GROUP BY {key}
        )
        SELECT profile.* EXCLUDE ({key}), {
            ", ".join(f"coalesce({name}, 0)::DOUBLE AS total_{name}" for name in Totals._fields)
        }
        FROM profile LEFT JOIN seen USING ({key}) LEFT JOIN paid USING ({key})
        ORDER BY profile.{key}
        """
    )
    totals = Totals(*(rows[f"total_{name}"] for name in Totals._fields))
    columns = {name: rows[name] for name in names}
    return {name: x for name, x in columns.items() if np.isfinite(x).any()}, totals


def _snapshots(columns: Mapping[str, Floats], totals: Totals) -> list[str]:
    """Name the columns that follow a total more closely than its halves follow each other."""
    enough = (totals.odd_clicks >= LEAST_CLICKS) & (totals.even_clicks >= LEAST_CLICKS)
    known = set(_wholes(columns, totals))
    pairs = [(name, x, what) for name, x in columns.items() for what in ("clicks", "watch")]
    pairs += [(name, mean, "mean") for name, mean in _means(columns)]
    found: list[str] = []
    for name, x, what in pairs:
        odd, even, whole = _halves(totals, what)
        chance = _chance(x, odd, even, whole, enough & np.isfinite(x))
        if chance * len(pairs) < ALPHA and name not in known and name not in found:
            found.append(name)
    return found


def _means(columns: Mapping[str, Floats]) -> Iterator[tuple[str, Floats]]:
    """Yield every column of durations, divided by the column of counts beside it."""
    for name, x in columns.items():
        counts = columns.get(f"{name.removesuffix('_duration')}_cnt")
        if name.endswith("_duration") and counts is not None:
            yield name, x / np.maximum(counts, 1.0)


def _halves(totals: Totals, what: str) -> tuple[Floats, Floats, Floats]:
    """Return odd days, even days and the whole window of a total; ``mean`` is watch a click."""
    if what == "clicks":
        odd, even = totals.odd_clicks, totals.even_clicks
        return odd, even, odd + even
    odd, even = totals.odd_watch, totals.even_watch
    if what == "watch":
        return odd, even, odd + even
    n_odd, n_even = np.maximum(totals.odd_clicks, 1), np.maximum(totals.even_clicks, 1)
    return odd / n_odd, even / n_even, (odd + even) / (n_odd + n_even)


def _chance(x: Floats, odd: Floats, even: Floats, whole: Floats, there: Bools) -> float:
    """Return the chance that a column measured apart from the window follows ``whole`` so well."""
    halves = rank_correlation(odd[there], even[there])
    return beyond_reliability(rank_correlation(x[there], whole[there]), halves, int(there.sum()))


def _wholes(columns: Mapping[str, Floats], totals: Totals) -> list[str]:
    """Name the columns that are a total of the window."""
    return [
        name
        for name, x in columns.items()
        if any(_is_multiple(x, total) for total in totals.whole.values())
    ]


def _is_multiple(x: Floats, total: Floats) -> bool:
    """Return whether x is the total times a constant, wherever there is a total."""
    there = (total > 0) & np.isfinite(x)
    if there.sum() < LEAST_UNITS or len(np.unique(total[there])) < LEAST_UNITS // 4:
        return False
    ratio = x[there] / total[there]
    middle = float(np.median(ratio))
    close = np.abs(ratio - middle) <= SAME * middle
    return bool(middle > 0 and close.mean() >= SAME_SHARE)
