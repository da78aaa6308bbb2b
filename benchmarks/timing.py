"""Seconds of several pieces of work, taken in turns so that all meet the same noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

Work = Callable[[], object]


def in_turns(works: Mapping[str, Work], repeats: int, calls: int = 1) -> dict[str, list[float]]:
    """Return seconds per call of every work, ``repeats`` times; one call before warms it up."""
    for work in works.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            started = perf_counter()
            for _ in range(calls):
                work()
            seconds[name].append((perf_counter() - started) / calls)
    return seconds


class Spent(NamedTuple):
    """Seconds on the wall's clock, and of the processor in all threads together."""

    wall: float
    processor: float


def spent_in_turns(works: Mapping[str, Work], repeats: int) -> dict[str, list[Spent]]:
    """Return what every work costs, ``repeats`` times in turns; call each once before."""
    spent: dict[str, list[Spent]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            wall, processor = perf_counter(), process_time()
            work()
            spent[name].append(Spent(perf_counter() - wall, process_time() - processor))
    return spent


def ratio(slow: list[float], fast: list[float]) -> tuple[float, float, float]:
    """Return (median, smallest, largest) of slow / fast, turn by turn."""
    ratios = [s / f for s, f in zip(slow, fast, strict=True)]
    return median(ratios), min(ratios), max(ratios)
