"""The paper's painter: a layout as SVG and PNG by Matplotlib, the same bytes every time."""

from __future__ import annotations

import re
import textwrap
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.reports.figures.axes import Axis
from giftlive.reports.figures.layout import Layout, Mark
from giftlive.reports.figures.palette import (
    DASHES,
    GRID,
    INK,
    MARKERS,
    MUTED,
    OKABE_ITO,
    PAPER,
    REFERENCE,
    colour,
    ink_on,
    readable,
)

_WIDTH_IN = 7.2
_PLOT_IN = 3.1
_MARKERS_UP_TO = 16
_MANY_ROWS = 16
_CELL_TEXT_PT, _LEAST_CELL_TEXT_PT = 8.5, 4.0  # largest and smallest letters in a heat map's cell
_BARE = {"Date": None, "Creator": None, "Format": None, "Type": None}
_NAMESPACE = re.compile(r' xmlns(?::\w+)?="[^"]*"')
_GROUP_NAME = re.compile(r'(?<=<g) id="[^"]*"')
_STYLE_SHEET = re.compile(r"<style.*?</style>", re.DOTALL)
_STYLE = {
    "svg.hashsalt": "giftlive",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.unicode_minus": True,
}


def draw_static(layout: Layout, svg: Path, png: Path) -> None:
    """Write the figure as ``svg`` and ``png``: title, subtitle, axes and direct labels."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        figure = _drawn(layout, _lines(layout.figure.title, 74), _lines(layout.subtitle, 96))
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", dpi=160, metadata={"Software": None})


def inline_svg(layout: Layout, salt: str) -> str:
    """Return the figure without its titles as an ``svg`` element to stand in a page.

    Letters stay text, so that it is small and can be searched; namespaces are left out, which an
    HTML parser knows by itself.

    Parameters
    ----------
    salt : of the ids in it, different for every figure of a page.
    """
    import matplotlib as mpl

    written = BytesIO()
    with mpl.rc_context(_STYLE | {"svg.fonttype": "none", "svg.hashsalt": salt}):
        _drawn(layout, [], []).savefig(written, format="svg", metadata=_BARE, transparent=True)
    text = written.getvalue().decode()
    element = text[text.index("<svg") :].strip()
    for dropped in (_NAMESPACE, _STYLE_SHEET, _GROUP_NAME):
        element = dropped.sub("", element)
    return element


def _drawn(layout: Layout, title: list[str], subtitle: list[str]) -> Any:
    """Return the figure with as much room above the plot as its titles and legend need."""
    from matplotlib.figure import Figure

    head = (0.5 if layout.legend else 0.28) + 0.165 * len(subtitle)
    head += 0.2 + 0.21 * len(title) if title else 0.0
    plot, foot = _plot_height(layout), 0.62 + _slope(layout)
    tall = head + plot + foot
    figure = Figure(figsize=(_WIDTH_IN, tall), facecolor=PAPER)
    left, right = _margins(layout)
    axes = figure.add_axes((left, foot / tall, 1 - left - right, plot / tall))
    for mark in layout.marks:
        _paint(axes, layout, mark)
    _dress(axes, layout)
    _name(axes, layout)
    if title:
        _head(figure, title, subtitle, tall)
    return figure


def _plot_height(layout: Layout) -> float:
    if not layout.horizontal:
        return _PLOT_IN
    series = sum(mark.style != "reference" for mark in layout.marks)
    many = len(layout.place.ticks) > _MANY_ROWS
    row = 0.27 if series < 2 else 0.13 + 0.06 * series if many else 0.15 + 0.13 * series
    return max(1.0, row * len(layout.place.ticks))


def _crowded(axis: Axis) -> bool:
    return axis.scale == "category" and sum(len(text) for _, text in axis.ticks) > 84


def _slope(layout: Layout) -> float:
    """Return the inches that turned category names need below the axis."""
    if layout.horizontal or not _crowded(layout.place):
        return 0.0
    return 0.045 * max(len(text) for _, text in layout.place.ticks)


def _margins(layout: Layout) -> tuple[float, float]:
    """Return the left and right margins as fractions of the width, from the texts they hold."""
    axis = layout.place if layout.horizontal else layout.value
    longest = max((len(line) for _, text in axis.ticks for line in _lines(text, 30)), default=0)
    labels = [len(line) for label in layout.labels for line in _lines(label.text, 22)]
    right = 0.0 if layout.horizontal else max(labels, default=0) * 0.077
    across = layout.value if layout.horizontal else layout.place
    if across.ticks and across.scale != "category":  # half of the last number is beyond its tick
        at, text = across.ticks[-1]
        right = max(right, 0.04 * len(text) - (1 - across.fraction(at)) * _WIDTH_IN)
    return (0.25 + 0.075 * longest) / _WIDTH_IN, (0.25 + right) / _WIDTH_IN


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    from matplotlib import font_manager, ft2font

    return frozenset(ft2font.FT2Font(font_manager.findfont("DejaVu Sans")).get_charmap())


def _drawable(text: str) -> str:
    """Return ``text`` with a replacement sign for what the figure font does not have."""
    return "".join(c if ord(c) in _glyphs() else "\ufffd" for c in text)


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(_drawable(text), width) or [""]


def _head(figure: Any, title: list[str], subtitle: list[str], tall: float) -> None:
    figure.text(
        0.25 / _WIDTH_IN, 1 - 0.14 / tall, "\n".join(title),
        ha="left", va="top", size=11, weight="bold", color=INK, linespacing=1.25,
    )  # fmt: skip
    figure.text(
        0.25 / _WIDTH_IN, 1 - (0.2 + 0.21 * len(title)) / tall, "\n".join(subtitle),
        ha="left", va="top", size=8.5, color=MUTED, linespacing=1.25,
    )  # fmt: skip


def _shade(mark: Mark) -> str:
    return REFERENCE if mark.slot is None else colour(mark.slot)


def _paint(axes: Any, layout: Layout, mark: Mark) -> None:
    if not len(mark.value):
        return
    if mark.row is not None:
        axes.bar(mark.place, 1.0, 1.0, mark.row - 0.5, color=mark.shades, edgecolor=PAPER, lw=0.6)
        _cell_texts(axes, layout, mark, mark.row)
    elif mark.level is not None:
        if mark.has_interval:
            span = axes.axvspan if layout.horizontal else axes.axhspan
            span(mark.low[0], mark.high[0], color=REFERENCE, alpha=0.16, linewidth=0, zorder=0)
        line = axes.axvline if layout.horizontal else axes.axhline
        line(mark.level, color=REFERENCE, linewidth=1.2, linestyle="--", zorder=1)
    elif mark.style == "bars":
        bar = axes.barh if layout.horizontal else axes.bar
        bar(mark.place, mark.value, layout.bar_width * 0.94, color=_shade(mark), label=_key(mark))
        _whiskers(axes, layout, mark, MUTED)
    elif mark.style == "dots":
        x, y = (mark.value, mark.place) if layout.horizontal else (mark.place, mark.value)
        marker = MARKERS[(mark.slot or 0) % len(MARKERS)][1]
        axes.plot(x, y, marker, color=_shade(mark), markersize=5, label=_key(mark), zorder=3)
        _whiskers(axes, layout, mark, _shade(mark))
    else:
        _line(axes, layout, mark)


def _cell_texts(axes: Any, layout: Layout, mark: Mark, row: int) -> None:
    """Write the values into a row of cells, as large as the narrowest place allows."""
    wide = (
        (_WIDTH_IN * (1 - sum(_margins(layout))) - 0.05)
        * 72
        / (layout.place.high - layout.place.low)
    )
    tall = _plot_height(layout) * 72 / abs(layout.value.high - layout.value.low)
    longest = max(len(text) for each in layout.marks for text in each.texts)
    size = min(_CELL_TEXT_PT, 0.6 * tall, wide / (0.68 * longest))
    if size < _LEAST_CELL_TEXT_PT:
        return
    for at, text, shade in zip(mark.place, mark.texts, mark.shades, strict=True):
        axes.text(at, row, text, size=size, color=ink_on(shade), ha="center", va="center")


def _key(mark: Mark) -> str:
    return _drawable(mark.name) or " "


def _line(axes: Any, layout: Layout, mark: Mark) -> None:
    slot = mark.slot or 0
    dash = "--" if mark.slot is None else DASHES[slot // len(OKABE_ITO) % len(DASHES)][1]
    few = mark.slot is not None and len(mark.value) <= _MARKERS_UP_TO
    log = layout.value.scale == "log"  # a point that cannot be shown is a gap, not a fall
    value = np.where(mark.value > 0, mark.value, np.nan) if log else mark.value
    x, y = (value, mark.place) if layout.horizontal else (mark.place, value)
    axes.plot(
        x, y, dash, color=_shade(mark), linewidth=1.1 if mark.slot is None else 1.8,
        marker=MARKERS[slot % len(MARKERS)][1] if few else None, markersize=3.5,
        label=_key(mark), zorder=2,
    )  # fmt: skip
    if mark.has_interval:
        fill = axes.fill_betweenx if layout.horizontal else axes.fill_between
        low = np.fmax(mark.low, layout.value.low)
        fill(mark.place, low, mark.high, color=_shade(mark), alpha=0.18, linewidth=0)


def _whiskers(axes: Any, layout: Layout, mark: Mark, shade: str) -> None:
    keep = np.isfinite(mark.low) & np.isfinite(mark.high)
    draw = axes.hlines if layout.horizontal else axes.vlines
    low = np.fmax(mark.low[keep], layout.value.low)
    draw(mark.place[keep], low, mark.high[keep], colors=shade, linewidth=1.3, zorder=3)


def _dress(axes: Any, layout: Layout) -> None:
    across, down = (layout.place, layout.value)
    if layout.horizontal:
        across, down = down, across
    _scale(axes, across, "x")
    _scale(axes, down, "y")
    if layout.horizontal:
        axes.invert_yaxis()
    axes.grid(visible=True, axis="x" if layout.horizontal else "y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=MUTED, labelsize=8.5)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(side == ("left" if layout.horizontal else "bottom"))
        axes.spines[side].set_color("#b8bec6")
    axes.set_xlabel(_drawable(across.label), color=MUTED, labelpad=6)
    if not (layout.horizontal and layout.labels):
        axes.annotate(
            _drawable(down.label), (0, 1), (0, 6), xycoords="axes fraction",
            textcoords="offset points", color=MUTED, size=8.5,
        )  # fmt: skip


def _scale(axes: Any, axis: Axis, which: str) -> None:
    if axis.scale == "log":
        getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(axis.low, axis.high)
    crowded = which == "x" and _crowded(axis)
    width = 16 if which == "x" and not crowded else 30
    texts = ["\n".join(_lines(text, width)) for _, text in axis.ticks]
    turned = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    positions = [position for position, _ in axis.ticks]
    getattr(axes, f"set_{which}ticks")(positions, labels=texts, **turned)
    getattr(axes, f"set_{which}ticks")([], minor=True)


def _name(axes: Any, layout: Layout) -> None:
    for label in layout.labels:
        shade = readable(REFERENCE if label.slot is None else colour(label.slot), PAPER)
        place, step = ((label.at, 1), (0, 5)) if layout.horizontal else ((1, label.at), (6, 0))
        axes.annotate(
            "\n".join(_lines(label.text, 60 if layout.horizontal else 22)), place, step,
            xycoords="axes fraction", textcoords="offset points", color=shade, size=8.5,
            ha=label.side if layout.horizontal else "left",
            va="bottom" if layout.horizontal else "center",
        )  # fmt: skip
    if layout.legend:
        known = {
            name: handle for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        names = [name for name in dict.fromkeys(map(_key, layout.marks)) if name in known]
        handles = [known[name] for name in names]
        axes.legend(
            handles, names, loc="lower left", borderaxespad=0,
            bbox_to_anchor=(-0.01, 1 + 0.22 / _plot_height(layout)),
            ncols=min(4, len(names)), frameon=False, fontsize=8.5, handlelength=1.4,
        )  # fmt: skip
