"""``giftlive study``: one question, one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show
from giftlive.errors import UsageError


def study(
    name: Annotated[
        str, typer.Argument(help="The study's name; `giftlive study list` lists them.")
    ],
    source: options.Source = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Use the built-in calibrated world.")
    ] = False,
    out: options.Out = Path("RUN"),
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    seed: options.Seed = None,
    overwrite: options.Overwrite = False,
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Run one study (and the steps it needs) into a run folder of its own."""
    from giftlive.run.pipeline import RunRequest, run_all
    from giftlive.studies.registry import STUDIES, find

    if name == "list":
        for known in STUDIES:
            typer.echo(f"{known.id}  {known.name}")
        return
    find(name)
    if (source is None) == (not demo):
        raise UsageError(
            "name exactly one input", "--source / --demo", "a folder of logs or the built-in world"
        )
    origin = "--demo" if source is None else f"--source {source.name}"
    request = RunRequest(
        source=source,
        out=out,
        config=options.resolve(config, settings, seed),
        overwrite=overwrite,
        cache=cache,
        command=f"giftlive study {name} {origin}",
        only=(name,),
    )
    summary = run_all(request)
    if json:
        show.as_json(summary.as_dict())
        return
    console = show.console()
    console.print(show.verdict_table(summary.gate_rows()))
    console.print(f"report: {summary.report}", highlight=False, soft_wrap=True)
