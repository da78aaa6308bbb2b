"""What a command prints at its end: one table or one JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from giftlive.facts import Fact
from giftlive.run.canonical import canonical_json
from giftlive.stats.coverage_table import CoverageRow
from giftlive.stats.print_rule import need_of

_NUMBERS = frozenset({"rows", "users", "coverage", "printed from", "value", "n"})
_COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow"}


def as_json(value: Any) -> None:
    """Print ``value`` as JSON on standard output."""
    typer.echo(canonical_json(value), nl=False)


def verdict_table(rows: list[dict[str, str]]) -> Table:
    """Return the gate board as a terminal table; a verdict is a word before it is a colour."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("gate", "verdict", "estimate", "reason"):
        table.add_column(name, overflow="fold")
    for row in rows:
        verdict = Text(row["verdict"], style=_COLOURS.get(row["verdict"], "dim"))
        # As Text, an interval or a name in square brackets is never taken for markup.
        table.add_row(row["gate"], verdict, Text(row["estimate"]), Text(row["reason"]))
    return table


def rows_table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    """Return the named ``columns`` of rows as a terminal table under a title."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        cells = (str(row[name]) for name in columns)
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in cells))
    return table


def judged(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the rows of gates whose study was run; the roadmap has the others."""
    return [row for row in rows if row["verdict"] != "SKIPPED"]


def coverage_table(rows: Sequence[CoverageRow]) -> Table:
    """Return one line per interval: its coverage at the largest size, and when it is printed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("statistic", "method", "tail", "rows", "users", "coverage", "printed from"):
        table.add_column(name, justify="right" if name in _NUMBERS else "left")
    for _, group in groupby(rows, key=lambda row: row.key[:4]):
        found = tuple(group)
        last, needed = found[-1], need_of(found)
        coverage = f"{100 * last.covered / last.replications:.1f} %"
        table.add_row(
            last.statistic,
            last.method,
            last.tail,
            str(last.rows_per_cluster),
            f"{last.clusters:,}",
            Text(coverage, style="green" if last.holds else "red"),
            f"{needed.clusters:,}" if needed.shown else "never",
        )
    return table


def fact_table(facts: Sequence[Fact]) -> Table:
    """Return one line per fact; numerators, populations and reasons are in the JSON."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("fact", "value", "95 % interval", "unit", "n", "divided by"):
        table.add_column(
            name,
            justify="right" if name in _NUMBERS else "left",
            no_wrap=name != "divided by",
        )
    for fact in facts:
        known = fact.value is not None
        table.add_row(
            Text(fact.name + "*" * bool(fact.warning)),
            Text(figure(fact.value)),
            Text(f"[{figure(fact.low)}, {figure(fact.high)}]" if fact.has_interval else ""),
            Text(fact.unit),
            Text(f"{fact.n:,}" if known else ""),
            Text(fact.denominator if known else fact.reason),
            style="" if known else "dim",
        )
    return table


def result_table(table: Mapping[str, Any]) -> Table:
    """Return a table of a results file; a number with an interval keeps its brackets."""
    made = Table(title=table["name"], title_justify="left", box=None, pad_edge=False)
    for k, (name, unit) in enumerate(zip(table["columns"], table["units"], strict=True)):
        words = all(isinstance(row[k], str) for row in table["rows"])
        heading = f"{name}\n{unit}" if unit else str(name)
        made.add_column(Text(heading), justify="left" if words else "right")
    for row in table["rows"]:
        made.add_row(*(Text(_cell(value)) for value in row))
    return made


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        known = value["low"] is not None and value["high"] is not None
        bounds = f" [{figure(value['low'])}, {figure(value['high'])}]" if known else ""
        return figure(value["value"]) + bounds
    return value if isinstance(value, str) else figure(float(value))


def figure(value: float | None) -> str:
    """Return a number as a reader wants it: four digits that count, thousands apart.

    Examples
    --------
    >>> figure(72646.0), figure(0.0147969), figure(82.684), figure(None)
    ('72,646', '0.0148', '82.68', '-')
    """
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def wide_console() -> Console:
    """Return a console for tables with sentences: 160 columns when piped."""
    found = Console()
    return found if found.is_terminal else Console(width=160)


def console() -> Console:
    """Return the console of standard output; it wraps at 100 columns when piped."""
    found = Console()
    return found if found.is_terminal else Console(width=100)
