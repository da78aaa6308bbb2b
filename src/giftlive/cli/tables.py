"""``giftlive tables``: labels and point-in-time features of a source, or only what is new."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show


def tables(
    source: options.NeededSource,
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the tables; one that is there is gone on from.")
    ] = Path("TABLES"),
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Build the tables of a source; with tables of its earlier days, compute only new rows.

    Killed or interrupted, it goes on where it was when it is called again.
    """
    from giftlive.run.pipeline import build_tables_of

    resolved = options.resolve(config, settings, None)
    built = build_tables_of(source, out, resolved, cache)
    if leak := resolved.tables.planted_leak:
        built["planted_leak"] = leak
        typer.echo(f"warning: {out} holds a planted leak ({leak}): not for any model", err=True)
    if json:
        show.as_json(built)
        return
    name_width = max(map(len, built)) + 2
    number_width = max(len(f"{value:,}") for value in built.values() if isinstance(value, int))
    for name, value in built.items():
        shown = f"{value:>{number_width},}" if isinstance(value, int) else value
        typer.echo(f"{name.replace('_', ' '):<{name_width}}{shown}")
