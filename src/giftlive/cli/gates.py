"""``giftlive gates``: the gate board of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show


def gates(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = Path("RUN"),
    lang: Annotated[str, typer.Option("--lang", help="Language: en or zh.")] = "en",
    json: options.Json = False,
) -> None:
    """Print what a run's studies answer and how their gates stand."""
    from giftlive.reports.board import board

    found = board(run, lang)
    if json:
        show.as_json(found)
        return
    for study in found["studies"]:
        typer.echo(f"{study['id']}  {study['question']}  {', '.join(study['verdicts'])}")
        if study["answer"]:
            typer.echo(f"     {study['answer']}")
