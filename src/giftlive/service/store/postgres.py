"""The log in PostgreSQL, for workers on several hosts: one advisory lock orders all writers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from giftlive.errors import UnavailableError
from giftlive.service.record import Logged, pack, unpack
from giftlive.service.store.protocol import Compose, KeyRow

_SCHEMA = """
create table if not exists giftlive_log (
    seq bigint primary key, ts bigint not null, kind text not null, key text, body bytea not null
);
create unique index if not exists giftlive_log_key on giftlive_log (key) where key is not null;
create index if not exists giftlive_log_ts on giftlive_log (ts);
create table if not exists giftlive_api_key (
    key_id text primary key, name text not null, digest text not null, scopes text not null,
    created_ts bigint not null, revoked_ts bigint not null
);
"""
_LOCK = 0x676C6F67  # "glog"
_COLUMNS = "seq, ts, kind, key, body"


class PostgresStore:
    """A log in the database that ``url`` names; the password may come from ``PGPASSWORD``.

    Every commit waits for ``synchronous_commit``: an acknowledged record is on the server's disk.
    A broken connection is opened again at the next call.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock, self._read_lock = threading.Lock(), threading.Lock()
        self._writer = _Line(url)
        self._reader = _Line(url)
        with self._lock, _told(self._writer) as con:
            con.execute("select pg_advisory_lock(%s)", (_LOCK,))
            try:
                con.execute(_SCHEMA)
            finally:
                con.execute("select pg_advisory_unlock(%s)", (_LOCK,))

    def commit(self, after: int, compose: Compose) -> tuple[list[Logged], list[Logged]]:
        """Append in one transaction under the lock of all writers."""
        with self._lock, _told(self._writer) as con, con.transaction():
            con.execute("set local synchronous_commit = on")
            con.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            others = _records(con.execute(_after(), (after, None), binary=True))
            row = con.execute(
                "select seq, ts from giftlive_log order by seq desc limit 1"
            ).fetchone()
            seq, ts = row or (0, 0)
            mine = [Logged(seq + 1 + k, r) for k, r in enumerate(compose(others, ts))]
            with con.cursor().copy(
                f"copy giftlive_log ({_COLUMNS}) from stdin (format binary)"
            ) as copy:
                copy.set_types(["int8", "int8", "text", "text", "bytea"])
                for m in mine:
                    copy.write_row((m.seq, m.ts, m.record.kind, m.record.key, pack(m.record)))
        return others, mine

    def read(self, after: int, limit: int) -> list[Logged]:
        """Return records in order."""
        return self._asked(_after(), (after, limit))

    def get(self, seq: int) -> Logged | None:
        """Return one record by number."""
        found = self._asked(f"select {_COLUMNS} from giftlive_log where seq = %s", (seq,))
        return found[0] if found else None

    def find(self, key: str) -> Logged | None:
        """Return one record by key."""
        found = self._asked(f"select {_COLUMNS} from giftlive_log where key = %s", (key,))
        return found[0] if found else None

    def seq_at(self, ts: int) -> int:
        """Return the last number before ``ts``."""
        sql = "select coalesce(max(seq), 0) from giftlive_log where ts < %s"
        return int(self._row(sql, (ts,))[0])

    def last(self) -> tuple[int, int]:
        """Return number and time of the last record."""
        row = self._row("select seq, ts from giftlive_log order by seq desc limit 1", ())
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def all_keys(self) -> list[KeyRow]:
        """Return all API keys."""
        with self._read_lock, _told(self._reader) as con:
            rows = con.execute(
                "select key_id, name, digest, scopes, created_ts, revoked_ts from giftlive_api_key"
                " order by created_ts, key_id"
            ).fetchall()
        return [KeyRow(*row) for row in rows]

    def put_key(self, row: KeyRow) -> None:
        """Keep a key."""
        with self._lock, _told(self._writer) as con:
            con.execute(
                "insert into giftlive_api_key values (%s, %s, %s, %s, %s, %s)",
                (row.key_id, row.name, row.digest, row.scopes, row.created_ts, row.revoked_ts),
            )

    def revoke_key(self, key_id: str, ts: int) -> bool:
        """Revoke a key."""
        with self._lock, _told(self._writer) as con:
            done = con.execute(
                "update giftlive_api_key set revoked_ts = %s where key_id = %s and revoked_ts = 0",
                (ts, key_id),
            )
        return done.rowcount > 0

    def close(self) -> None:
        """Close both connections."""
        for line in (self._reader, self._writer):
            line.drop()

    def _asked(self, sql: Any, values: tuple[Any, ...]) -> list[Logged]:
        with self._read_lock, _told(self._reader) as con:
            return _records(con.execute(sql, values, binary=True))

    def _row(self, sql: Any, values: tuple[Any, ...]) -> Any:
        with self._read_lock, _told(self._reader) as con:
            return con.execute(sql, values).fetchone()


class _Line:
    """A connection that is opened when it is needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: psycopg.Connection[Any] | None = None

    def connection(self) -> psycopg.Connection[Any]:
        if self._open is None or self._open.closed:
            self._open = psycopg.connect(self._url, autocommit=True, connect_timeout=3)
        return self._open

    def drop(self) -> None:
        if self._open is not None:
            with suppress(psycopg.Error):
                self._open.close()
        self._open = None


def _after() -> Any:
    return f"select {_COLUMNS} from giftlive_log where seq > %s order by seq limit %s"


def _records(rows: Any) -> list[Logged]:
    return [Logged(seq, unpack(kind, ts, key, body)) for seq, ts, kind, key, body in rows]


@contextmanager
def _told(line: _Line) -> Iterator[psycopg.Connection[Any]]:
    """Yield an open connection; say what went wrong in our words, without the URL's password."""
    try:
        yield line.connection()
    except psycopg.Error as error:
        line.drop()
        said = type(error).__name__
        raise UnavailableError(
            f"the database did not answer ({said})", "PostgreSQL", "a server that can be written"
        ) from error
