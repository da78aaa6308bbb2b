"""``giftlive report``: render a run folder again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show


def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = Path("RUN"),
    add: options.Add = None,
    lang: Annotated[str, typer.Option("--lang", help="Language: en or zh.")] = "en",
    summary: Annotated[
        bool, typer.Option("--summary", help="Write summary.html, two pages of A4, instead.")
    ] = False,
    slides: Annotated[
        bool, typer.Option("--slides", help="Write slides.html, for a talk, instead.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Write report.html, report.md and the static figures from the run's results files."""
    from giftlive.reports import render
    from giftlive.reports.sheets import write_slides, write_summary
    from giftlive.run.digests import resealed
    from giftlive.run.summary import read_summary

    for folder in (run, *(add or ())):
        read_summary(folder)
    writers: dict[str, Callable[[Path, str, Sequence[Path]], Path]] = {}
    writers |= {"summary": write_summary} if summary else {}
    writers |= {"slides": write_slides} if slides else {}
    with resealed(run):
        written = {
            name: str(write(run, lang, add or ()))
            for name, write in (writers or {"report": render}).items()
        }
    if json:
        show.as_json(written)
        return
    for name, path in written.items():
        typer.echo(f"{name}: {path}")
