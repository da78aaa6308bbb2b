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
    demo: Annotated[
        bool, typer.Option("--demo", help="Use the built-in calibrated world.")
    ] = False,
    out: options.Out = Path("RUN"),
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    seed: options.Seed = None,
    scale: Scale = None,
    overwrite: options.Overwrite = False,
    cache: options.CacheDir = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when a gate FAILs.")] = False,
    json: options.Json = False,
) -> None:
    """Ingest, audit, facts, values, worlds, allocation, off-policy, gates, report."""
    from giftlive.run.pipeline import RunRequest, run_all

    if (source is None) == (not demo):
        raise UsageError(
            "name exactly one input", "--source / --demo", "a folder of logs or the built-in world"
        )
    chosen = [*(settings or []), *([f"demo.scale={scale}"] if scale else [])]
    request = RunRequest(
        source=source,
        out=out,
        config=options.resolve(config, chosen, seed),
        overwrite=overwrite,
        cache=cache,
        command=_command(source, demo, scale, settings, seed),
    )
    summary = run_all(request)
    if json:
        show.as_json(summary.as_dict())
    else:
        console = show.console()
        console.print(show.verdict_table(summary.gate_rows()))
        for line in summary.skipped_lines():
            console.print(line, style="dim", highlight=False)
        console.print(f"report: {summary.report}", highlight=False, soft_wrap=True)
    if strict and summary.failed:
        raise typer.Exit(1)


def _command(
    source: Path | None, demo: bool, scale: str | None, settings: list[str] | None, seed: int | None
) -> str:
    """Return the command that repeats this run; a folder is named by its last part."""
    parts = ["giftlive run", "--demo" if demo else f"--source {source.name if source else ''}"]
    parts += [f"--scale {scale}"] if scale else []
    parts += [f"--set {text}" for text in settings or []]
    parts += [f"--seed {seed}"] if seed is not None else []
    return " ".join(parts)
