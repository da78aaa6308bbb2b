"""``giftlive report``: render a run folder again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show


def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = Path("RUN"),
    add: options.Add = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of the report's sentences.")] = "en",
    json: options.Json = False,
) -> None:
    """Write report.html, report.md and the static figures from the run's results files."""
    from giftlive.reports import render
    from giftlive.run.digests import resealed
    from giftlive.run.summary import read_summary

    for folder in (run, *(add or ())):
        read_summary(folder)
    with resealed(run):
        path = render(run, lang=lang, add=add or ())
    if json:
        show.as_json({"report": str(path)})
    else:
        typer.echo(f"report: {path}")
