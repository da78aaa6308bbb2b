"""Tables and the figure of the behavioural comparison: this world's cell beside the published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from giftlive.evaluation.behavioural import PUBLISHED, RANKERS, Reading, by_cell, differences
from giftlive.evaluation.results import Estimate, Figure, Series, Table
from giftlive.stats.intervals import Interval, no_interval, paired_t, student_t, withheld
from giftlive.studies.context import Kind, estimate
from giftlive.types import Message

Cell = tuple[str, str, str]
"""Table, row, column."""

TABLES = ("order", "gains", "slices", "rows", "periods", "labels", "double", "levels")
_LEVEL, _DIFFERENCE = Kind("mean", "light"), Kind("paired_difference", "light")
_DENOMINATORS = {
    "slices": "amount of the slice's clicks",
    "rows": "clicks, or amount, of the late test days",
    "double": "clicks, or gifts credited to a click, of all days",
    "levels": "actual amount of the late test days",
}


@dataclass(frozen=True)
class Behaviour:
    """Every number over seeds, by the cell it is printed in.

    Attributes
    ----------
    scale : of the world, 1 = full size. seeds : of its copies.
    """

    readings: tuple[Reading, ...]
    scale: float
    seeds: tuple[int, ...]

    @cached_property
    def values(self) -> dict[Cell, list[float | None]]:
        """Return the values of every measured cell, in the order of the seeds."""
        return by_cell(self.readings)

    @cached_property
    def cells(self) -> dict[Cell, Estimate]:
        """Return every number with its interval over seeds, differences included."""
        found = {cell: self._estimate(cell, self._mean(cell), _LEVEL) for cell in self.values}
        names = dict.fromkeys(n for n in RANKERS if ("order", n, "capture@1 %") in found)
        for cell, (one, other) in differences(names).items():
            found[cell] = self._estimate(cell, self._gap(one, other), _DIFFERENCE)
        return found

    def value(self, *cell: str) -> float:
        """Return the mean of a cell, 0 where there is none."""
        table, row, column = cell
        return self.cells[table, row, column].value or 0.0

    def _mean(self, cell: Cell) -> Interval:
        known = [v for v in self.values[cell] if v is not None]
        if len(known) < len(self.seeds):
            return _nothing("student_t", len(known))
        found = student_t(np.array(known), n_unit="seeds")
        if cell[0] == "levels":
            return withheld(found, "the largest gifts make it more skewed than any mean measured")
        return _within_a_share(_spread(found), _unit(cell[0], cell[1]))

    def _gap(self, one: Cell, other: Cell) -> Interval:
        pairs = list(zip(self.values[one], self.values[other], strict=True))
        known = [(a, b) for a, b in pairs if a is not None and b is not None]
        if len(known) < len(self.seeds):
            return _nothing("paired_t", len(known))
        a, b = np.array(known).T
        return _spread(paired_t(a, b, n_unit="seeds"))

    def _estimate(self, cell: Cell, interval: Interval, kind: Kind) -> Estimate:
        table, row, column = cell
        return estimate(
            f"{table} / {row} / {column}",
            interval,
            kind,
            unit="share difference" if kind is _DIFFERENCE else _unit(table, row),
            denominator=_DENOMINATORS.get(table, "amount of the ranked clicks"),
            population="clicks of the calibrated world",
        )


def _nothing(method: str, known: int) -> Interval:
    return no_interval("undefined", "a seed has no such number", method, known, "seeds")


def _spread(found: Interval) -> Interval:
    same = found.low is not None and found.low == found.high
    return withheld(found, "equal on every seed") if same else found


def _within_a_share(found: Interval, unit: str) -> Interval:
    """Withhold bounds outside [0, 1]: where a share is that uneven, no normal limit is near."""
    if unit != "share" or found.low is None or found.high is None:
        return found
    inside = found.low >= 0.0 and found.high <= 1.0
    return found if inside else withheld(found, "too uneven over seeds: a bound beyond 0 or 1")


def _unit(table: str, row: str) -> str:
    return "ratio" if table == "levels" or "/ gifts" in row else "share"


def behavioural_tables(found: Behaviour) -> tuple[Table, ...]:
    """Return the tables in the order of the page."""
    params: dict[str, Any] = {"seeds": len(found.seeds), "scale": found.scale}
    return tuple(_table(found, name, params) for name in TABLES)


def _table(found: Behaviour, name: str, params: dict[str, Any]) -> Table:
    here = [cell for cell in found.cells if cell[0] == name]
    rows, columns = (list(dict.fromkeys(cell[i] for cell in here)) for i in (1, 2))
    known = [c for c in columns if any((name, row, c) in PUBLISHED for row in rows)]
    return Table(
        name=name,
        columns=(name, *columns, *(f"published {column}" for column in known)),
        units=("", *(f"mean of {len(found.seeds)} seeds" for _ in columns), *("" for _ in known)),
        rows=tuple(
            (
                row,
                *(found.cells[name, row, c] for c in columns),
                *(PUBLISHED.get((name, row, c), "") for c in known),
            )
            for row in rows
        ),
        caption=Message(f"study.behavioural_fidelity.table.{name}", params),
    )


def order_figure(found: Behaviour, tops: Sequence[str] = ("capture@1 %", "capture@10 %")) -> Figure:
    """Return the captures of every ranker beside the published ones."""
    places = {
        (row, top): f"{row}, {top.removeprefix('capture@')}"
        for top in tops
        for table, row, column in found.cells
        if (table, column) == ("order", top)
    }
    cells = {place: found.cells["order", row, top] for (row, top), place in places.items()}
    there = {place: cell for place, cell in cells.items() if cell.value is not None}
    whole = all(cell.low is not None and cell.high is not None for cell in there.values())
    world = Series(
        name="calibrated",
        x=tuple(there),
        y=tuple(cell.value or 0.0 for cell in there.values()),
        style="dots",
        low=tuple(cell.low or 0.0 for cell in there.values()) if whole else None,
        high=tuple(cell.high or 0.0 for cell in there.values()) if whole else None,
        n=tuple(cell.n for cell in there.values()),
    )
    beside = {
        place: PUBLISHED["order", row, top]
        for (row, top), place in places.items()
        if ("order", row, top) in PUBLISHED
    }
    published = Series("published", tuple(beside), tuple(beside.values()), style="dots")
    return _described(found, (world, published))


def _described(found: Behaviour, series: tuple[Series, ...]) -> Figure:
    ridge, trivial = (
        found.value("order", name, "capture@1 %") for name in ("ridge", "user_past_spend")
    )
    words = "study.behavioural_fidelity.figure.order"
    return Figure(
        name="order",
        title=f"The top 1 % by ridge hold {ridge:.0%} of the amount, by past spend {trivial:.0%}",
        subtitle=f"revenue capture on the last days; mean of {len(found.seeds)} calibrated worlds",
        x_label="ranker, top share of the clicks",
        y_label="share of the total amount",
        series=series,
        shows=Message(f"{words}.shows", {}),
        follows=Message(f"{words}.follows", {}),
        x_scale="category",
        horizontal=True,
    )


LISTED: dict[str, Cell] = {
    "capture_1pct_ridge": ("order", "ridge", "capture@1 %"),
    "capture_1pct_user_past_spend": ("order", "user_past_spend", "capture@1 %"),
    "capture_10pct_ridge": ("order", "ridge", "capture@10 %"),
    "capture_10pct_user_past_spend": ("order", "user_past_spend", "capture@10 %"),
    "gain_1pct_ridge_over_user_past_spend": (
        *("gains", "ridge - user_past_spend"),
        "capture@1 %",
    ),
    "amount_share_of_pairs_without_a_gift": ("rows", "pair without a gift", "share of the amount"),
}
"""Estimates that the page names, and the cell each of them is."""


def listed(found: Behaviour) -> tuple[Estimate, ...]:
    """Return the named estimates."""
    return tuple(replace(found.cells[cell], name=name) for name, cell in LISTED.items())
