"""``giftlive keys``: who may ask the decision service what."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from giftlive.cli import options, show
from giftlive.cli.serve import USUAL_DB, Db
from giftlive.errors import UsageError

app = typer.Typer(help="API keys of the decision service.", no_args_is_help=True)


@app.command("create")
def create(
    scope: Annotated[
        list[str], typer.Option("--scope", help="decide, ingest or admin; may be repeated.")
    ],
    name: Annotated[str, typer.Option("--name", help="What the key is for.")] = "",
    db: Db = USUAL_DB,
    json: options.Json = False,
) -> None:
    """Make a key and print it: it is not kept, and cannot be shown again."""
    from giftlive.service.keys import create_key
    from giftlive.service.store import open_store

    key, row = create_key(name, scope, time.time_ns() // 1_000_000)
    store = open_store(db)
    store.put_key(row)
    store.close()
    if json:
        show.as_json({"key": key, "key_id": row.key_id, "scopes": row.scopes})
    else:
        typer.echo(key)


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id, or the key.")], db: Db = USUAL_DB
) -> None:
    """Revoke a key; running services obey within a second.

    Exit 2 where there is no such key, or it is revoked already.
    """
    from giftlive.service.store import open_store

    public = key_id.split("_")[1] if key_id.startswith("gl_") and key_id.count("_") == 2 else key_id
    store = open_store(db, make=False)
    done = store.revoke_key(public, time.time_ns() // 1_000_000)
    store.close()
    if not done:
        raise UsageError("no such key, or revoked already", public, "an id of `giftlive keys list`")
    typer.echo(f"revoked {public}")


@app.command("list")
def list_keys(db: Db = USUAL_DB, json: options.Json = False) -> None:
    """List all keys: id, name, scopes, when they were made and revoked."""
    from giftlive.service.store import open_store

    store = open_store(db, make=False)
    rows: list[dict[str, Any]] = [
        {
            "key_id": row.key_id,
            "name": row.name,
            "scopes": row.scopes,
            "created": _when(row.created_ts),
            "revoked": _when(row.revoked_ts) if row.revoked_ts else "",
        }
        for row in store.all_keys()
    ]
    store.close()
    if json:
        show.as_json({"keys": rows})
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values()).rstrip())


def _when(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).isoformat(timespec="seconds")
