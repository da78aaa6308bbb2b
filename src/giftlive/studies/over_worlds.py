"""Numbers of worlds made for a study: means and differences over them, paired by world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from giftlive.evaluation.behavioural import Reading, by_cell
from giftlive.evaluation.results import Estimate, Series
from giftlive.stats.intervals import (
    Interval,
    no_interval,
    paired_t,
    ratio_delta,
    student_t,
    withheld,
)
from giftlive.studies.context import Kind, estimate
from giftlive.types import Floats

Cell = tuple[str, str, str]
"""Table, row, column, as in the readings."""

_LEVEL, _DIFFERENCE, _RATIO = (
    Kind(name, "light") for name in ("mean", "paired_difference", "ratio")
)


@dataclass(frozen=True)
class OverWorlds:
    """Every number of every world.

    Attributes
    ----------
    seeds : one world each. population : of the rows behind a number, in words.
    """

    readings: tuple[Reading, ...]
    seeds: tuple[int, ...]
    population: str

    @cached_property
    def values(self) -> dict[Cell, list[float | None]]:
        """Return the values of every cell, in the order of the seeds."""
        return by_cell(self.readings)

    def column(self, *cell: str) -> Floats | None:
        """Return [seeds] the values of a cell, None where a seed has none."""
        table, row, column = cell
        values = [v for v in self.values.get((table, row, column), ()) if v is not None]
        return np.array(values) if len(values) == len(self.seeds) else None

    def ties(self, *cell: str) -> list[bool]:
        """Return whether each world says 0: nothing of two identical things differed."""
        table, row, column = cell
        return [value == 0.0 for value in self.values.get((table, row, column), ())]

    def all_ties(self, *names: str) -> list[bool]:
        """Return whether each of ``names``, done twice, tied on each world; no: a missing one."""
        return [tie for name in names for tie in self.ties("a_a", name, "differs") or [False]]

    def mean(self, name: str, x: Floats | None, unit: str) -> Estimate:
        """Return the mean over worlds as it may be printed."""
        if x is None:
            found = _nothing("student_t")
        else:
            found = _inside(_spread(student_t(x, n_unit="worlds")), unit)
        return self._made(name, found, _LEVEL, unit)

    def change(self, name: str, one: Floats | None, other: Floats | None, unit: str) -> Estimate:
        """Return the mean difference over worlds, paired by world."""
        if one is None or other is None:
            return self._made(name, _nothing("paired_t"), _DIFFERENCE, unit)
        return self._made(name, _spread(paired_t(one, other, n_unit="worlds")), _DIFFERENCE, unit)

    def ratio(self, name: str, part: Floats | None, whole: Floats | None, unit: str) -> Estimate:
        """Return Σ part / Σ whole over worlds."""
        if part is None or whole is None:
            return self._made(name, _nothing("ratio_delta"), _RATIO, unit)
        return self._made(name, _spread(ratio_delta(part, whole, n_unit="worlds")), _RATIO, unit)

    def _made(self, name: str, found: Interval, kind: Kind, unit: str) -> Estimate:
        return estimate(
            name,
            found,
            kind,
            unit=unit,
            denominator="the same sum for the reference" if kind is _RATIO else "worlds",
            population=self.population,
        )


def _nothing(method: str) -> Interval:
    return no_interval("undefined", "a world has no such number", method, 0, "worlds")


def _spread(found: Interval) -> Interval:
    same = found.low is not None and found.low == found.high
    return withheld(found, "equal on every world") if same else found


def _inside(found: Interval, unit: str) -> Interval:
    """Withhold bounds of a share outside [0, 1]: so uneven a mean has no normal limit near."""
    if unit != "share" or found.low is None or found.high is None:
        return found
    inside = found.low >= 0.0 and found.high <= 1.0
    return found if inside else withheld(found, "too uneven over worlds: a bound beyond 0 or 1")


def columns_of(readings: Sequence[Reading]) -> dict[str, list[Any]]:
    """Return one row per seed and number; where there is none ``known`` is false, ``value`` 0."""
    numbers = [r.number for r in readings]
    return {
        "seed": [r.seed for r in readings],
        **{name: [getattr(n, name) for n in numbers] for name in ("table", "row", "column")},
        "known": [n.value is not None for n in numbers],
        "value": [n.value or 0.0 for n in numbers],
    }


def dots(name: str, points: dict[str, Estimate]) -> Series:
    """Return one dot per place, with intervals where all of them have one."""
    whole = all(e.low is not None and e.high is not None for e in points.values())
    return Series(
        name=name,
        x=tuple(points),
        y=tuple(e.value or 0.0 for e in points.values()),
        style="dots",
        low=tuple(e.low or 0.0 for e in points.values()) if whole else None,
        high=tuple(e.high or 0.0 for e in points.values()) if whole else None,
        n=tuple(e.n for e in points.values()),
    )
