"""``giftlive ingest``: read a source, set bad rows aside, write the store."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show


def ingest(
    source: options.NeededSource,
    out: options.Out = Path("STORE"),
    max_reject_share: Annotated[float, typer.Option(min=0, max=1)] = 0.01,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Read a source into a store of Parquet tables with its rejects beside them."""
    from giftlive.logs.ingest import ingest as read
    from giftlive.run.folder import STORE, check_target
    from giftlive.run.progress import Reporter

    check_target(out, overwrite, STORE)
    reporter = Reporter()
    with reporter.step("ingest") as step:
        store = read(source, out, max_reject_share=max_reject_share, progress=step.listener)
    found = store.source
    if json:
        show.as_json({"store": str(out), "source": json_module.loads(found.as_json())})
        return
    for table, rows in sorted(found.rows.items()):
        rejected = sum(found.rejects.get(table, {}).values())
        typer.echo(f"{table:<16}{rows:>12,} rows{rejected:>10,} rejected")
    typer.echo(f"store: {out}")
