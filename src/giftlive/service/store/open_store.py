"""A store by its URL."""

from __future__ import annotations

from pathlib import Path

from giftlive.errors import UsageError
from giftlive.service.store.protocol import Store

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


def open_store(url: str, *, make: bool = True) -> Store:
    """Open ``sqlite:///path`` (three slashes, then the path) or ``postgresql://…``.

    Parameters
    ----------
    make : a file that is not there; False for those who only read: a mistyped path would otherwise
        leave an empty log behind, and look like one.

    Raises
    ------
    UsageError
        It is neither, PostgreSQL's client is not installed, or there is no such file to read.
    UnavailableError
        The database does not answer.
    """
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        from giftlive.service.store.sqlite import SqliteStore

        path = Path(url.removeprefix(SQLITE))
        if not make and not path.is_file():
            raise UsageError(
                "there is no such database", url, "the --db of `giftlive serve` or `keys create`"
            )
        return SqliteStore(path)
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
