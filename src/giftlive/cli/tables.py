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

    built = build_tables_of(source, out, options.resolve(config, settings, None), cache)
    if json:
        show.as_json(built)
        return
    for name, value in built.items():
        shown = f"{value:,}" if isinstance(value, int) else value
        typer.echo(f"{name.replace('_', ' '):<16}{shown}")
