"""``giftlive roadmap``: every gate with its evidence; nothing in it is typed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show


def roadmap(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = Path("RUN"),
    json: options.Json = False,
) -> None:
    """Print the rule, the evidence and the verdict of every gate, run or not."""
    from giftlive.run.summary import read_summary

    summary = read_summary(run)
    if json:
        show.as_json({"gates": summary.gate_rows()})
        return
    show.console().print(show.verdict_table(summary.gate_rows()))
