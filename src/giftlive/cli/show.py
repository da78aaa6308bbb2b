"""What a command prints at its end: one table or one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from giftlive.run.canonical import canonical_json
from giftlive.stats.coverage_table import CoverageRow
from giftlive.stats.print_rule import need_of

_NUMBERS = frozenset({"rows", "users", "coverage", "printed from"})
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


def console() -> Console:
    """Return the console of standard output; it wraps at 100 columns when piped."""
    found = Console()
    return found if found.is_terminal else Console(width=100)
