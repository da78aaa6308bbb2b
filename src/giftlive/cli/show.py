"""What a command prints at its end: one table or one JSON object."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from giftlive.run.canonical import canonical_json

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


def console() -> Console:
    """Return the console of standard output; it wraps at 100 columns when piped."""
    found = Console()
    return found if found.is_terminal else Console(width=100)
