from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.evaluation.results import Figure, Series, StudyResult
from giftlive.reports.figures import palette
from giftlive.reports.figures.axes import linear_ticks, log_ticks, numeric_axis
from giftlive.reports.figures.frame import frame_csv
from giftlive.reports.figures.interactive import interactive
from giftlive.reports.figures.layout import Layout, _spread, lay_out
from giftlive.reports.figures.static import draw_static
from giftlive.types import Message

NOTHING = Message("free", {"text": ""})


def _figure(*series: Series, **other: object) -> Figure:
    empty = Figure("f", "Title", "n = 3", "x", "y", series, NOTHING, NOTHING)
    return replace(empty, **other)  # type: ignore[arg-type]


FRACTIONS = [k / 100 for k in range(101)]


def _layout(*series: Series, **other: object) -> Layout:
    figure = _figure(*series, **other)
    return lay_out(figure, palette.assign_slots([figure]))


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_linear_ticks_lie_on_the_axis_and_are_few(low: float, width: float) -> None:
    ticks = linear_ticks(low, low + width)
    slack = 1e-6 * width + 1e-9 * abs(low)
    assert 2 <= len(ticks) <= 8
    assert all(low - slack <= t <= low + width + slack for t in ticks)
    assert np.ptp(np.diff(ticks)) <= slack


@settings(max_examples=100, deadline=None)
@given(st.floats(-6, 6), st.floats(0.3, 9))
def test_log_ticks_lie_on_the_axis_and_are_few(start: float, decades: float) -> None:
    low, high = 10.0**start, 10.0 ** (start + decades)
    ticks = log_ticks(low, high)
    assert len(ticks) <= 10
    assert all(low * 0.999 <= t <= high * 1.001 for t in ticks)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=8))
def test_labels_never_overlap_and_keep_their_order(fractions: list[float]) -> None:
    placed = _spread(fractions)
    assert all(np.diff(sorted(placed)) >= 0.075 - 1e-9)
    assert all(-1e-9 <= p <= 1 + 1e-9 for p in placed)
    order = np.argsort(fractions, kind="stable")
    assert all(np.diff(np.array(placed)[order]) > 0)


def test_labels_with_room_stay_where_they_are() -> None:
    assert _spread([0.9, 0.1, 0.5]) == pytest.approx([0.9, 0.1, 0.5])


def test_an_entity_has_one_colour_and_shares_it_with_no_neighbour() -> None:
    def line(name: str) -> Series:
        return Series(name, (0.0,), (1.0,))

    slots = palette.assign_slots(
        [_figure(line("a"), line("b")), _figure(line("b"), line("c")), _figure(line("d"))]
    )
    assert slots == {"a": 0, "b": 1, "c": 0, "d": 0}


def test_all_text_shades_can_be_read() -> None:
    for paper in (palette.PAPER, palette.DARK_PAPER):
        for shade in palette.text_shades(paper).values():
            assert palette.contrast(shade, paper) >= 4.5


def test_the_frame_reads_back_to_the_same_numbers() -> None:
    series = Series("a, b", (0.1, 0.2), (1 / 3, 2e-9), "dots", (0.0, 0.0), (0.5, 0.6), (3, 4))
    rows = list(
        csv.DictReader(io.StringIO(frame_csv(_figure(series, Series("c", ("q",), (1.0,))))))
    )
    assert [float(r["y"]) for r in rows] == [1 / 3, 2e-9, 1.0]
    assert rows[0]["series"] == "a, b"
    assert (rows[1]["n"], rows[2]["n"], rows[2]["low"]) == ("4", "", "")


def test_cells_grow_darker_with_their_value_and_run_down_the_page(tmp_path: Path) -> None:
    rows = (("Monday", (0.0, 1.0)), ("Tuesday", (2.0, 4.0)))
    layout = _layout(*(Series(name, ("0", "1"), y, "cells") for name, y in rows))
    assert [mark.row for mark in layout.marks] == [0, 1]
    dark = [palette.luminance(shade) for mark in layout.marks for shade in mark.shades]
    assert dark == sorted(dark, reverse=True)
    assert layout.value.low > layout.value.high  # the first row is on top
    assert not layout.legend
    first, second = interactive(layout)["data"]
    assert (first["base"], second["base"]) == (-0.5, 0.5)
    draw_static(layout, tmp_path / "a.svg", tmp_path / "a.png")
    assert layout.marks[1].shades[1] in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert frame_csv(layout.figure).count("Tuesday") == 2


def test_cells_say_their_value_in_letters_that_can_be_read(tmp_path: Path) -> None:
    rows = [Series(f"row {k}", tuple("abcde"), (0.0, 0.1, 0.21, 0.3, 0.4), "cells") for k in "xy"]
    layout = _layout(*rows)
    assert layout.marks[0].texts == ("0.00", "0.10", "0.21", "0.30", "0.40")
    cells = interactive(layout)["data"][1]
    assert cells["text"] == list(layout.marks[1].texts)
    pairs = zip(cells["insidetextfont"]["color"], layout.marks[1].shades, strict=True)
    assert all(palette.contrast(ink, shade) > 4.0 for ink, shade in pairs)
    assert all(palette.contrast(palette.ink_on(s), s) > 4.0 for s in map(palette.shade, FRACTIONS))
    written, bare = tmp_path / "a.svg", tmp_path / "b.svg"
    draw_static(layout, written, tmp_path / "a.png")
    none = [replace(mark, texts=("",) * 4 + ("9" * 60,)) for mark in layout.marks]
    draw_static(replace(layout, marks=tuple(none)), bare, tmp_path / "b.png")
    glyphs = [path.read_text(encoding="utf-8").count('id="text_') for path in (written, bare)]
    assert glyphs[0] - glyphs[1] == 10  # every cell of one; no cell where a text would not fit


def test_dots_stand_on_the_bars_they_are_compared_with() -> None:
    bars, dots = (
        Series("a", ("p", "q"), (3.0, 4.0), "bars"),
        Series("b", ("p", "q"), (1.0, 9.0), "dots"),
    )
    assert [mark.place[1] for mark in _layout(bars, dots).marks] == [1.0, 1.0]


def test_bars_stand_on_zero_and_dots_step_aside() -> None:
    bars = _layout(Series("a", ("p", "q"), (3.0, 4.0), "bars"))
    assert bars.value.low == 0
    dots = _layout(
        Series("a", ("p",), (1.0,), "dots"), Series("b", ("p",), (1.0,), "dots"), horizontal=True
    )
    assert dots.marks[0].place[0] == -dots.marks[1].place[0] != 0
    assert dots.legend


def test_points_that_a_log_axis_cannot_show_are_owned_up_to() -> None:
    layout = _layout(Series("a", (1.0, 10.0), (0.0, 5.0)), y_scale="log")
    assert layout.hidden == 1
    assert "1 at or below 0 not shown" in layout.subtitle
    assert layout.value.low > 0


def test_a_whisker_reaching_zero_is_cut_at_the_log_axis() -> None:
    layout = _layout(Series("a", ("p",), (5.0,), "dots", (0.0,), (9.0,)), y_scale="log")
    (trace,) = interactive(layout)["data"]
    assert trace["y"][0] - trace["error_y"]["arrayminus"][0] == pytest.approx(layout.value.low)


def test_an_axis_over_one_value_or_none_has_a_width() -> None:
    for values in (np.array([3.0]), np.array([0.0]), np.zeros(0)):
        axis = numeric_axis("x", "linear", values)
        assert axis.high > axis.low


def test_a_gap_stays_a_gap() -> None:
    layout = _layout(Series("a", (1.0, 2.0, 3.0), (1.0, None, 3.0)))  # type: ignore[arg-type]
    (trace,) = interactive(layout)["data"]
    assert trace["y"] == [1.0, None, 3.0]


def test_plotly_accepts_every_figure(all_studies: tuple[StudyResult, ...]) -> None:
    import plotly.graph_objects as go

    figures = [figure for result in all_studies for figure in result.figures]
    assert {s.style for f in figures for s in f.series} == {"line", "dots", "bars", "reference"}
    slots = palette.assign_slots(figures)
    for figure in figures:
        spec = interactive(lay_out(figure, slots))
        go.Figure(json.loads(json.dumps(spec, allow_nan=False)))


def test_both_painters_use_the_same_positions(all_studies: tuple[StudyResult, ...]) -> None:
    board = next(f for r in all_studies for f in r.figures if f.horizontal)
    spec = interactive(_layout(*board.series, horizontal=True, x_scale="category"))
    assert spec["data"][0]["x"] == list(board.series[0].y)
    assert spec["layout"]["yaxis"]["range"][0] > spec["layout"]["yaxis"]["range"][1]
    assert spec["layout"]["shapes"][0]["x0"] == board.series[-1].y[0]


def test_static_figures_are_the_same_bytes_every_time(
    all_studies: tuple[StudyResult, ...], tmp_path: Path
) -> None:
    figure = all_studies[0].figures[0]
    layout = lay_out(figure, palette.assign_slots([figure]))
    for name in ("one", "two"):
        draw_static(layout, tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    for kind in ("svg", "png"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert "<dc:date>" not in (tmp_path / "one.svg").read_text(encoding="utf-8")


def test_static_figures_survive_any_name(tmp_path: Path) -> None:
    names = tuple(f"ゲーム $x_{k} and a long category name" for k in range(5))
    layout = _layout(Series("日本", names, (1.0,) * 5, "bars"), title="$\\bad{ 直播")
    draw_static(layout, tmp_path / "f.svg", tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 0
    draw_static(_layout(), tmp_path / "e.svg", tmp_path / "e.png")


def test_plotly_text_is_escaped() -> None:
    layout = _layout(Series("<a href='x'>", ("<b>",), (1.0,), "dots"), y_label="<i>")
    assert "<a" not in json.dumps(interactive(layout)).replace("<extra></extra>", "")
    assert "<b>" not in json.dumps(interactive(layout))


def test_the_interval_of_a_constant_reference_is_a_band_behind_everything(tmp_path: Path) -> None:
    names = ("a", "b")
    band = Series("tolerance", names, (0.0, 0.0), "reference", (-1.0, -1.0), (1.0, 1.0))
    dots = Series("world", names, (2.0, -0.5), "dots")
    layout = _layout(dots, band, x_scale="category", horizontal=True)
    (rect,) = (s for s in interactive(layout)["layout"]["shapes"] if s["type"] == "rect")
    assert (rect["x0"], rect["x1"], rect["layer"]) == (-1.0, 1.0, "below")
    upright = _layout(dots, band, x_scale="category")
    (rect,) = (s for s in interactive(upright)["layout"]["shapes"] if s["type"] == "rect")
    assert (rect["y0"], rect["y1"]) == (-1.0, 1.0)
    plain = _layout(dots, replace(band, low=None, high=None), x_scale="category")
    assert [s["type"] for s in interactive(plain)["layout"]["shapes"]] == ["line"]
    draw_static(layout, tmp_path / "with.svg", tmp_path / "with.png")
    draw_static(plain, tmp_path / "plain.svg", tmp_path / "plain.png")
    assert "opacity: 0.16" in (tmp_path / "with.svg").read_text(encoding="utf-8")
    assert "opacity: 0.16" not in (tmp_path / "plain.svg").read_text(encoding="utf-8")
