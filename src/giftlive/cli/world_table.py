"""The table of ``giftlive world check``, readable at 100 columns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from giftlive.cli import show

if TYPE_CHECKING:
    from giftlive.world.calibration import Check, Line

_NUMBERS = ("value", "measured", "error", "tolerance", "s.e.")
_WIDEST = 28
_COLOURS = {"pass": "green", "fail": "red", "undefined": "yellow"}


def header(found: Check, preset: str | None) -> str:
    """Return what was checked, in one line."""
    many = len(found.folders)
    what = f"{many} folders" if many > 1 else found.folders[0]
    if preset is not None:
        what = f"{Path(preset).stem}, {f'{many} seeds' if many > 1 else found.folders[0]}"
    judged = "judged" if found.judged else "printed, not judged: too small"
    return f"{what}, {found.scale:.2g} x KuaiLive's users; {judged}"


def check_table(found: Check) -> Table:
    """Return one row per target; a list has one line per number and one verdict."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("target", overflow="fold")
    for name in _NUMBERS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("days", no_wrap=True)
    marks = _marks(found)
    for line in found.lines:
        table.add_row(
            Text(broken(line.target, marks.get(_remark(line), ""), _WIDEST)),
            _stacked(show.figure(x) for x in line.value),
            _stacked(show.figure(x) for x in line.measured),
            _stacked(_signed(x, line) for x in line.error),
            _stacked(_plain(x, line) for x in line.tolerance),
            _stacked(_plain(x, line) for x in line.error_se),
            Text(line.verdict, style=_COLOURS.get(line.verdict, "")),
            Text(line.days),
        )
    return table


def summary(found: Check) -> list[str]:
    """Return the lines below the table: what is undefined and why, the counts, the rule."""
    from giftlive.world.calibration import JUDGED_FROM, SEEDS

    counts = found.counts
    order = ("pass", "fail", "within", "outside", "info", "undefined")
    lines = [f"{mark} {text}" for text, mark in _marks(found).items()]
    lines.append(", ".join(f"{counts[v]} {v}" for v in order if counts[v]))
    if not found.judged:
        lines.append(f"only logs of {JUDGED_FROM:g} x KuaiLive's users or more pass or fail")
    few = len(found.folders)
    if few < SEEDS:
        lines.append(f"the rule |mean - value| <= tolerance + 2 s.e. asks for >= {SEEDS} seeds")
        lines.append(f"here {few}" + (", of which there is no s.e." if few == 1 else ""))
    return lines


def broken(name: str, mark: str, width: int) -> str:
    """Return name and mark in lines of ``width`` characters, broken after underscores.

    Examples
    --------
    >>> broken("gift_rows_per_click", "[1]", 10).split()
    ['gift_rows_', 'per_click', '[1]']
    """
    lines = [""]
    for part in (*name.replace("_", "_ ").split(" "), *([f" {mark}"] if mark else [])):
        if lines[-1] and len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.strip() for line in lines)


def _remark(line: Line) -> str:
    return line.reason or line.note


def _marks(found: Check) -> dict[str, str]:
    """Return a footnote mark for every reason and note: [1], [2] and so on."""
    texts = dict.fromkeys(_remark(line) for line in found.lines if _remark(line))
    return {text: f"[{i}]" for i, text in enumerate(texts, start=1)}


def _stacked(words: Iterable[str]) -> Text:
    return Text("\n".join(words))


def _signed(x: float, line: Line) -> str:
    if not line.relative:
        return f"{x:+.4f}"
    return f"{100 * x:+.1f} %" if abs(x) < 10 else f"{100 * x:+.0f} %"


def _plain(x: float, line: Line) -> str:
    return f"{100 * x:.1f} %" if line.relative else f"{x:.4f}"
