"""``giftlive run``: the whole loop on one source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show
from giftlive.errors import UsageError

Scale = Annotated[
    str | None, typer.Option("--scale", help="Size of the demo's twin: tiny, small, medium, full.")
]


def run(
    source: options.Source = None,
    demo: options.Demo = False,
    out: options.Out = Path("RUN"),
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    seed: options.Seed = None,
    scale: Scale = None,
    engine: options.Engine = None,
    master: options.Master = None,
    overwrite: options.Overwrite = False,
    cache: options.CacheDir = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when a gate FAILs.")] = False,
    json: options.Json = False,
) -> None:
    """Ingest, audit, facts, values, worlds, allocation, off-policy, gates, report."""
    from giftlive.run.pipeline import RunRequest, run_all

    options.require_one_input(source, demo)
    if scale is not None and not demo:
        raise UsageError(
            "it sizes the built-in world", "--scale", "--demo beside it", "leave out --scale"
        )
    chosen = [*(settings or []), *_scaled(scale), *options.placed(engine, master)]
    request = RunRequest(
        source=source,
        out=out,
        config=options.resolve(config, chosen, seed),
        overwrite=overwrite,
        cache=cache,
        command=options.spoken("run", source, config, chosen, seed),
    )
    summary = run_all(request)
    if json:
        show.as_json(summary.as_dict())
    else:
        console = show.console()
        rows = summary.gate_rows()
        judged = show.judged(rows)
        console.print(show.verdict_table(judged))
        more = f"{len(rows) - len(judged)} gates of studies not run: giftlive study list"
        console.print(more, style="dim", highlight=False)
        for line in summary.warnings:
            console.print(f"warning: {line}", style="yellow", highlight=False, markup=False)
        for line in summary.skipped_lines():
            console.print(line, style="dim", highlight=False, markup=False)
        typer.echo(f"report: {summary.report}")
    if strict and summary.failed:
        raise typer.Exit(1)


def _scaled(scale: str | None) -> list[str]:
    """Return the settings of ``--scale``: a tiny run is tiny throughout, evening included."""
    twin = [f"demo.scale={scale}"] if scale else []
    return [*twin, "arena.scale=tiny"] if scale == "tiny" else twin
