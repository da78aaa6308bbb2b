"""The screen's painter: a layout as a Plotly figure, in plain containers."""

from __future__ import annotations

import math
import textwrap
from html import escape
from typing import Any

import numpy as np

from giftlive.reports.figures.axes import Axis
from giftlive.reports.figures.layout import Layout, Mark
from giftlive.reports.figures.palette import (
    DARK_PAPER,
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
    text_shades,
)
from giftlive.types import Floats

_LABEL_WIDTH = 20
_MARKERS_UP_TO = 16
_MANY_ROWS = 16


def themes() -> dict[str, dict[str, Any]]:
    """Return the colours that the page's script swaps between light and dark."""
    return {
        "light": {
            "ink": INK,
            "muted": MUTED,
            "grid": GRID,
            "paper": PAPER,
            "labels": text_shades(PAPER),
        },
        "dark": {
            "ink": "#e6e8eb",
            "muted": "#a4acb6",
            "grid": "#2b3038",
            "paper": DARK_PAPER,
            "labels": text_shades(DARK_PAPER),
        },
    }


def interactive(layout: Layout) -> dict[str, Any]:
    """Return ``{"data": […], "layout": {…}}`` for ``Plotly.newPlot``; every text is escaped."""
    data = [trace for mark in layout.marks for trace in _traces(layout, mark)]
    across, down = _plotly_axis(layout.place), _plotly_axis(layout.value)
    if layout.horizontal:
        across, down = down, across
        down["range"] = down["range"][::-1]
    across["title"] = {"text": _text(_across_label(layout)), "standoff": 8, "font": {"size": 12}}
    return {
        "data": data,
        "layout": {
            "xaxis": across | {"showgrid": layout.horizontal},
            "yaxis": down | {"showgrid": not layout.horizontal},
            "annotations": [_corner(layout), *_annotations(layout)],
            "shapes": _spans(layout),
            "showlegend": layout.legend,
            "legend": {"orientation": "h", "x": 0, "y": 1.1, "yanchor": "bottom"},
            "barmode": "overlay",
            "hovermode": "closest",
            "height": height(layout),
            "margin": {
                "l": 12,
                "r": _right_margin(layout),
                "t": 64 if layout.legend else 34,
                "b": 44,
            },
            "font": {"size": 12, "color": INK},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
        },
    }


def height(layout: Layout) -> int:
    """Return the height in CSS pixels: fixed, or as much as the categories down the page need."""
    if not layout.horizontal:
        return 340
    series = sum(mark.style != "reference" for mark in layout.marks)
    many = len(layout.place.ticks) > _MANY_ROWS
    row = 26 if series < 2 else 14 + 6 * series if many else 14 + 12 * series
    return 110 + row * len(layout.place.ticks)


def _across_label(layout: Layout) -> str:
    return layout.figure.y_label if layout.horizontal else layout.figure.x_label


def _text(text: str) -> str:
    return escape(text, quote=False)


def _wrapped(text: str, width: int = _LABEL_WIDTH) -> str:
    return "<br>".join(_text(line) for line in textwrap.wrap(text, width)) or " "


def _plotly_axis(axis: Axis) -> dict[str, Any]:
    log = axis.scale == "log"
    span = [math.log10(v) if log else v for v in (axis.low, axis.high)]
    category = axis.scale == "category"
    return {
        "type": "log" if log else "linear",
        "range": span,
        "tickmode": "array",
        "tickvals": [position for position, _ in axis.ticks],
        "ticktext": [_wrapped(text, 26) if category else text for _, text in axis.ticks],
        "zeroline": False,
        "gridcolor": GRID,
        "linecolor": GRID,
        "tickfont": {"color": MUTED},
        "automargin": True,
        "fixedrange": True,
    }


def _list(values: Floats) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values]


def _xy(layout: Layout, place: list[float | None], value: list[float | None]) -> dict[str, Any]:
    return {"x": value, "y": place} if layout.horizontal else {"x": place, "y": value}


def _traces(layout: Layout, mark: Mark) -> list[dict[str, Any]]:
    if mark.level is not None or not len(mark.value):
        return []
    if mark.row is not None:
        return [_cells(mark, mark.row)]
    shade = REFERENCE if mark.slot is None else colour(mark.slot)
    band = _band(layout, mark, shade)
    trace = {
        "name": _text(mark.name),
        "text": [_text(text) for text in mark.hover],
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": mark.style != "reference",
        **_xy(layout, _list(mark.place), _list(mark.value)),
        **_look(layout, mark, shade),
    }
    if mark.has_interval and not band:
        trace["error_x" if layout.horizontal else "error_y"] = _whiskers(layout, mark, shade)
    return [*band, trace]


def _cells(mark: Mark, row: int) -> dict[str, Any]:
    """Return one row of a heat map as bars of height 1 with their values inside."""
    return {
        "type": "bar",
        "name": _text(mark.name),
        "x": _list(mark.place),
        "y": [1.0] * len(mark.place),
        "base": row - 0.5,
        "width": 1.0,
        "marker": {"color": list(mark.shades), "line": {"width": 0}},
        "text": [_text(text) for text in mark.texts],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "insidetextfont": {"color": [ink_on(shade) for shade in mark.shades]},
        "hovertext": [_text(text) for text in mark.hover],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _look(layout: Layout, mark: Mark, shade: str) -> dict[str, Any]:
    slot = mark.slot or 0
    dash = "dash" if mark.slot is None else DASHES[slot // len(OKABE_ITO) % len(DASHES)][0]
    if mark.style == "bars":
        return {
            "type": "bar",
            "orientation": "h" if layout.horizontal else "v",
            "width": layout.bar_width * 0.94,
            "textposition": "none",
            "marker": {"color": shade},
        }
    point = {"color": shade, "size": 7, "symbol": MARKERS[slot % len(MARKERS)][0]}
    if mark.style == "dots":
        return {"type": "scatter", "mode": "markers", "marker": point}
    few = mark.slot is not None and len(mark.value) <= _MARKERS_UP_TO
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "line": {"color": shade, "width": 1.4 if mark.slot is None else 2, "dash": dash},
        "marker": point | {"size": 5},
    }


def _whiskers(layout: Layout, mark: Mark, shade: str) -> dict[str, Any]:
    low = np.fmax(mark.low, layout.value.low)
    up, down = np.fmax(mark.high - mark.value, 0.0), np.fmax(mark.value - low, 0.0)
    ink = MUTED if mark.style == "bars" else shade
    return {
        "type": "data",
        "symmetric": False,
        "array": _list(up),
        "arrayminus": _list(down),
        "color": ink,
        "thickness": 1.4,
        "width": 0 if mark.style == "dots" else 4,
    }


def _band(layout: Layout, mark: Mark, shade: str) -> list[dict[str, Any]]:
    """Return the interval of a line as one translucent outline; nothing for other marks."""
    keep = np.isfinite(mark.low) & np.isfinite(mark.high)
    if mark.style not in ("line", "reference") or keep.sum() < 2:
        return []
    low = np.fmax(mark.low[keep], layout.value.low)
    place = np.concatenate([mark.place[keep], mark.place[keep][::-1]])
    edge = np.concatenate([mark.high[keep], low[::-1]])
    red, green, blue = (int(shade[i : i + 2], 16) for i in (1, 3, 5))
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "line": {"width": 0},
            "fill": "toself",
            "fillcolor": f"rgba({red},{green},{blue},0.18)",
            "hoverinfo": "skip",
            "showlegend": False,
            **_xy(layout, _list(place), _list(edge)),
        }
    ]


def _spans(layout: Layout) -> list[dict[str, Any]]:
    """Return the full-width lines of constant references, their intervals shaded below them."""
    spans = []
    for mark in layout.marks:
        if mark.level is not None:
            if mark.has_interval:
                ends = _across(layout, float(mark.low[0]), float(mark.high[0]))
                shade = {"fillcolor": REFERENCE, "opacity": 0.16, "line": {"width": 0}}
                spans.append({"type": "rect", "layer": "below", **shade, **ends})
            line = {"color": REFERENCE, "width": 1.4, "dash": "dash"}
            ends = _across(layout, mark.level, mark.level)
            spans.append({"type": "line", "line": line, **ends})
    return spans


def _across(layout: Layout, low: float, high: float) -> dict[str, Any]:
    """Return the corners of what spans the whole figure between two values."""
    if layout.horizontal:
        return {"x0": low, "x1": high, "y0": 0, "y1": 1, "yref": "paper"}
    return {"y0": low, "y1": high, "x0": 0, "x1": 1, "xref": "paper"}


def _corner(layout: Layout) -> dict[str, Any]:
    label = layout.figure.x_label if layout.horizontal else layout.figure.y_label
    return {
        "name": "corner",
        "text": "" if layout.horizontal and layout.labels else _text(label),
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 6,
        "showarrow": False,
        "font": {"color": MUTED},
    }


def _annotations(layout: Layout) -> list[dict[str, Any]]:
    shades = themes()["light"]["labels"]
    found = []
    for label in layout.labels:
        slot = "reference" if label.slot is None else str(label.slot % len(OKABE_ITO))
        where = {"x": 1, "xanchor": "left", "xshift": 6, "y": label.at, "yanchor": "middle"}
        if layout.horizontal:
            where = {"x": label.at, "xanchor": label.side, "y": 1, "yanchor": "bottom", "yshift": 4}
        found.append(
            {
                "name": f"label-{slot}",
                "text": _text(label.text) if layout.horizontal else _wrapped(label.text),
                "align": "left",
                "xref": "paper",
                "yref": "paper",
                "showarrow": False,
                "font": {"color": shades[slot]},
                **where,
            }
        )
    return found


def _right_margin(layout: Layout) -> int:
    if layout.horizontal or not layout.labels:
        return 16
    lines = [line for lab in layout.labels for line in textwrap.wrap(lab.text, _LABEL_WIDTH)]
    return 20 + round(6.6 * max(map(len, lines), default=0))
