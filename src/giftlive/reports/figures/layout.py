"""Where everything of a figure stands, computed once for both painters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from giftlive.evaluation.results import Figure, Series, Style
from giftlive.reports import numbers
from giftlive.reports.figures.axes import Axis, category_axis, numeric_axis
from giftlive.reports.figures.palette import shade
from giftlive.types import Floats

_MOST_DIRECT_LABELS = 6
_LABEL_GAP = 0.075
_BAR_ROOM = 0.76


@dataclass(frozen=True)
class Mark:
    """One series ready to paint; ``place`` is its position along the first axis.

    ``low`` and ``high`` are NaN where there is no interval; ``slot`` is None for a reference,
    ``level`` the constant of a reference that spans the whole figure; ``row`` and ``shades`` where
    and how dark the cells of a heat map are, ``texts`` what is written into them.
    """

    name: str
    style: Style
    slot: int | None
    place: Floats
    value: Floats
    low: Floats
    high: Floats
    hover: tuple[str, ...]
    level: float | None = None
    row: int | None = None
    shades: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def has_interval(self) -> bool:
        """Return whether any point carries an interval."""
        return bool(np.isfinite(self.low).any())


@dataclass(frozen=True)
class Label:
    """A series named where it ends; ``at`` is a fraction of the value axis."""

    text: str
    slot: int | None
    at: float

    @property
    def side(self) -> str:
        """Return which end of a text above the plot stands at ``at``, so that it stays inside."""
        return "right" if self.at > 0.8 else "left" if self.at < 0.2 else "center"


@dataclass(frozen=True)
class Layout:
    """A figure with every position decided; ``legend`` where direct labels cannot say it."""

    figure: Figure
    place: Axis
    value: Axis
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    legend: bool
    bar_width: float
    hidden: int

    @property
    def horizontal(self) -> bool:
        """Return whether categories run down the page."""
        return self.figure.horizontal

    @property
    def subtitle(self) -> str:
        """Return the subtitle, which also owns up to points that a log axis cannot show."""
        note = f"{self.hidden} at or below 0 not shown on the log axis"
        return f"{self.figure.subtitle} · {note}" if self.hidden else self.figure.subtitle


def lay_out(figure: Figure, slots: Mapping[str, int]) -> Layout:
    """Return the layout of ``figure`` with the report's colour ``slots``."""
    categories = _categories(figure)
    offsets, width = _dodge(figure.series, bool(categories))
    marks = tuple(
        _mark(figure, series, slots, categories, offset)
        for series, offset in zip(figure.series, offsets, strict=True)
    )
    place = _place_axis(figure, marks, categories)
    if figure.series and all(series.style == "cells" for series in figure.series):
        return _heat_map(figure, place, marks)
    value = _value_axis(figure, marks)
    labels, legend = _naming(figure, marks, value)
    return Layout(figure, place, value, marks, labels, legend, width, _hidden(figure, marks))


def _heat_map(figure: Figure, place: Axis, marks: tuple[Mark, ...]) -> Layout:
    """Return rows of cells, the first on top, shaded by their value between least and largest.

    All cells show as many decimals as two digits of the span need.
    """
    rows = category_axis(figure.y_label, [mark.name for mark in marks])
    value = replace(rows, low=rows.high, high=rows.low)
    cells = np.concatenate([mark.value for mark in marks])
    least, span = float(cells.min()), float(np.ptp(cells)) or 1.0
    shaded = tuple(
        replace(
            mark, row=k,
            shades=tuple(shade((v - least) / span) for v in mark.value.tolist()),
            texts=tuple(_in_cell(v, span) for v in mark.value.tolist()),
        )
        for k, mark in enumerate(marks)
    )  # fmt: skip
    return Layout(figure, place, value, shaded, (), legend=False, bar_width=1.0, hidden=0)


def _in_cell(value: float, span: float) -> str:
    return numbers.fixed(value, max(numbers.digits(span, 2), 0))


def _categories(figure: Figure) -> tuple[str, ...]:
    texts = any(isinstance(x, str) for series in figure.series for x in series.x)
    if not texts and figure.x_scale != "category":
        return ()
    return tuple(dict.fromkeys(str(x) for series in figure.series for x in series.x))


def _dodge(series: Sequence[Series], category: bool) -> tuple[list[float], float]:
    """Return the sideways step of every series, so that none hides another, and the bar width."""
    movable = [s for s in series if s.style in ("bars", "dots")]
    if not category or len(movable) < 2:
        return [0.0] * len(series), _BAR_ROOM
    bars = sum(s.style == "bars" for s in movable)
    if bars == 1 and movable[0].style == "bars":  # dots stand on the bars they are compared with
        return [0.0] * len(series), _BAR_ROOM
    step = (_BAR_ROOM if bars else 0.5) / len(movable)
    steps = iter((k - (len(movable) - 1) / 2) * step for k in range(len(movable)))
    offsets = [next(steps) if s.style in ("bars", "dots") else 0.0 for s in series]
    return offsets, step


def _column(values: Sequence[float | None] | None, length: int) -> Floats:
    if values is None:
        return np.full(length, np.nan)
    return np.array([math.nan if v is None else float(v) for v in values])


def _mark(
    figure: Figure,
    series: Series,
    slots: Mapping[str, int],
    categories: tuple[str, ...],
    offset: float,
) -> Mark:
    size = len(series.x)
    index = {name: k for k, name in enumerate(categories)}
    places = [index[str(x)] + offset if categories else float(x) for x in series.x]
    value = _column(series.y, size)
    constant = series.style == "reference" and size > 0 and bool((value == value[0]).all())
    return Mark(
        name=series.name,
        style=series.style,
        slot=None if series.style == "reference" else slots[series.name],
        place=np.array(places, dtype=np.float64),
        value=value,
        low=_column(series.low, size),
        high=_column(series.high, size),
        hover=tuple(_hover(figure, series, k) for k in range(size)),
        level=float(value[0]) if constant else None,
    )


def _hover(figure: Figure, series: Series, k: int) -> str:
    x, y = series.x[k], series.y[k]
    where = x if isinstance(x, str) else numbers.number(x)
    shown = numbers.DASH
    if y is not None:  # a gap in a column is written as null
        low, high = (c[k] if c else None for c in (series.low, series.high))
        shown = numbers.interval(y, low, high)
    count = f" · n = {numbers.fixed(series.n[k], 0)}" if series.n else ""
    return f"{series.name} · {figure.x_label or 'x'} {where}: {shown}{count}"


def _value_axis(figure: Figure, marks: Sequence[Mark]) -> Axis:
    columns = [c for mark in marks for c in (mark.value, mark.low, mark.high)]
    values = np.concatenate(columns) if columns else np.zeros(0)
    from_zero = any(mark.style == "bars" for mark in marks)
    return numeric_axis(figure.y_label, figure.y_scale, values, from_zero)


def _place_axis(figure: Figure, marks: Sequence[Mark], categories: tuple[str, ...]) -> Axis:
    if categories:
        return category_axis(figure.x_label, categories, every=figure.horizontal)
    measured = [m for m in marks if m.level is None] or list(marks)
    places = np.concatenate([m.place for m in measured]) if measured else np.zeros(0)
    return numeric_axis(figure.x_label, figure.x_scale, places)


def _naming(figure: Figure, marks: Sequence[Mark], value: Axis) -> tuple[tuple[Label, ...], bool]:
    """Return the direct labels and whether a legend has to name the rest."""
    references = [m for m in marks if m.style == "reference" and len(m.value)]
    entities = [m for m in marks if m.style != "reference" and len(m.value)]
    lines = all(m.style == "line" for m in entities)
    direct = lines and 1 < len(entities) <= _MOST_DIRECT_LABELS and not figure.horizontal
    named = references + (entities if direct else [])
    at = _spread([value.fraction(_last(m)) for m in named])
    labels = tuple(Label(m.name, m.slot, a) for m, a in zip(named, at, strict=True))
    return labels, len(entities) > 1 and not direct


def _last(mark: Mark) -> float:
    finite = mark.value[np.isfinite(mark.value)]
    order = np.argsort(mark.place[np.isfinite(mark.value)], kind="stable")
    return float(finite[order][-1]) if len(finite) else 0.0


def _spread(fractions: Sequence[float]) -> list[float]:
    """Return the least moved positions at which no two labels overlap, their order kept.

    With the gaps taken out this is an isotonic regression: overlapping neighbours are pooled
    around their mean.
    """
    order = sorted(range(len(fractions)), key=lambda k: fractions[k])
    pools: list[list[float]] = []
    for rank, k in enumerate(order):
        pools.append([fractions[k] - rank * _LABEL_GAP])
        while len(pools) > 1 and fmean(pools[-2]) > fmean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    flat = [fmean(pool) for pool in pools for _ in pool]
    top = 1.0 - (len(flat) - 1) * _LABEL_GAP
    placed = [0.0] * len(flat)
    for rank, k in enumerate(order):
        placed[k] = min(max(flat[rank], 0.0), max(top, 0.0)) + rank * _LABEL_GAP
    return placed


def _hidden(figure: Figure, marks: Sequence[Mark]) -> int:
    gone = 0
    for mark in marks:
        at_zero = np.zeros(len(mark.value), dtype=np.bool_)
        if figure.y_scale == "log":
            at_zero |= mark.value <= 0
        if figure.x_scale == "log":
            at_zero |= mark.place <= 0
        gone += int(at_zero.sum())
    return gone
