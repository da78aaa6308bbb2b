"""A store by its URL."""

from __future__ import annotations

from pathlib import Path

from giftlive.errors import UsageError
from giftlive.service.store.protocol import Store

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


def open_store(url: str) -> Store:
    """Open ``sqlite:///path`` (three slashes, then the path) or ``postgresql://…``.

    Raises
    ------
    UsageError
        It is neither, or PostgreSQL's client is not installed.
    UnavailableError
        The database does not answer.
    """
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        from giftlive.service.store.sqlite import SqliteStore

        return SqliteStore(Path(url.removeprefix(SQLITE)))
    if url.startswith(POSTGRES):
        try:
            from giftlive.service.store.postgres import PostgresStore
        except ImportError as error:
            raise UsageError(
                "PostgreSQL's client is not installed", "--db", "the extra `service`"
            ) from error
        return PostgresStore(url)
    kind = url.partition(":")[0]
    raise UsageError(
        f"no store is called {kind!r}", "--db", "sqlite:///PATH or postgresql://USER@HOST/NAME"
    )
