"""``giftlive serve``: the decision service."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show
from giftlive.config import parse_value
from giftlive.errors import UsageError

Db = Annotated[
    str,
    typer.Option("--db", help="sqlite:///PATH or postgresql://USER@HOST/NAME: where the log is."),
]
USUAL_DB = "sqlite:///giftlive.db"


def serve(
    run: Annotated[
        Path | None, typer.Option("--run", help="Run folder whose values decide.")
    ] = None,
    db: Db = USUAL_DB,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="0: any free one.")] = 8_000,
    tables: Annotated[
        Path | None, typer.Option("--tables", help="Tables folder to go on from (native form).")
    ] = None,
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    no_keys: Annotated[
        bool, typer.Option("--no-keys", help="Ask for no key: on 127.0.0.1 only.")
    ] = False,
    snapshots: Annotated[
        Path | None,
        typer.Option("--snapshots", help="Folder of snapshots; of SQLite: beside the log."),
    ] = None,
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="Keep a snapshot of the log as it is, and leave.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Replay the log, compare, and leave.")
    ] = False,
) -> None:
    """Serve decisions: who should see which room, now, and at what price."""
    from giftlive.service.server import (
        Serving,
        serve_until_stopped,
        verify_served,
        write_snapshot,
    )
    from giftlive.service.settings import load_settings

    if no_keys and host not in ("127.0.0.1", "::1", "localhost"):
        raise UsageError("without keys anybody could decide", "--no-keys", "--host 127.0.0.1")
    given = options.pairs(settings, "decisive.tick_ms=500")
    overrides = {key: parse_value(value) for key, value in given.items()}
    serving = Serving(load_settings(config, overrides), db, run, tables, not no_keys, snapshots)
    if snapshot:
        show.as_json(write_snapshot(serving))
        return
    if verify:
        show.as_json(asdict(verify_served(serving)))
        return
    serve_until_stopped(serving, host, port)
