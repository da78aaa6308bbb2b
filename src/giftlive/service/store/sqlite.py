"""The log in one SQLite file: WAL, ``synchronous=FULL``, one fsync per group of records."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from giftlive.errors import UnavailableError
from giftlive.service.record import Logged, pack, unpack
from giftlive.service.store.protocol import Compose, KeyRow

_SCHEMA = """
create table if not exists log (
    seq integer primary key, ts integer not null, kind text not null, key text, body blob not null
);
create unique index if not exists log_key on log (key) where key is not null;
create index if not exists log_ts on log (ts);
create table if not exists api_key (
    key_id text primary key, name text not null, digest text not null, scopes text not null,
    created_ts integer not null, revoked_ts integer not null
);
"""
_BUSY_SECONDS = 5.0
_PAGES_BEFORE_CHECKPOINT = 4_000


class SqliteStore:
    """A log in ``path``; several processes of one host may share it.

    In WAL mode with ``synchronous=FULL`` a commit returns after the log file is synced: what was
    committed survives the process and, as far as the disk keeps its word, the power.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._write_lock, self._read_lock = threading.Lock(), threading.Lock()
        with _told(path):
            self._writer = self._connect()
            self._writer.executescript(_SCHEMA)
            self._reader = self._connect()

    def _connect(self) -> sqlite3.Connection:
        con = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        con.execute("pragma journal_mode=wal")
        con.execute("pragma synchronous=full")
        con.execute(f"pragma wal_autocheckpoint={_PAGES_BEFORE_CHECKPOINT}")
        return con

    def commit(self, after: int, compose: Compose) -> tuple[list[Logged], list[Logged]]:
        """Append in one transaction that no other writer can be in."""
        with self._write_lock, _told(self._path):
            con = self._writer
            con.execute("begin immediate")
            try:
                seq, ts = _last(con)
                others = _records(con.execute(*_after(after, -1))) if seq > after else []
                mine = [Logged(seq + 1 + k, r) for k, r in enumerate(compose(others, ts))]
                con.executemany(
                    "insert into log (seq, ts, kind, key, body) values (?, ?, ?, ?, ?)",
                    [(m.seq, m.ts, m.record.kind, m.record.key, pack(m.record)) for m in mine],
                )
                con.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):
                    con.execute("rollback")
                raise
            return others, mine

    def read(self, after: int, limit: int) -> list[Logged]:
        """Return records in order."""
        return self._asked(*_after(after, limit))

    def get(self, seq: int) -> Logged | None:
        """Return one record by number."""
        found = self._asked("select seq, ts, kind, key, body from log where seq = ?", (seq,))
        return found[0] if found else None

    def find(self, key: str) -> Logged | None:
        """Return one record by key."""
        found = self._asked("select seq, ts, kind, key, body from log where key = ?", (key,))
        return found[0] if found else None

    def seq_at(self, ts: int) -> int:
        """Return the last number before ``ts``."""
        with self._read_lock, _told(self._path):
            row = self._reader.execute(
                "select coalesce(max(seq), 0) from log where ts < ?", (ts,)
            ).fetchone()
        return int(row[0])

    def last(self) -> tuple[int, int]:
        """Return number and time of the last record."""
        with self._read_lock, _told(self._path):
            return _last(self._reader)

    def all_keys(self) -> list[KeyRow]:
        """Return all API keys."""
        with self._read_lock, _told(self._path):
            rows = self._reader.execute(
                "select key_id, name, digest, scopes, created_ts, revoked_ts from api_key"
                " order by created_ts, key_id"
            ).fetchall()
        return [KeyRow(*row) for row in rows]

    def put_key(self, row: KeyRow) -> None:
        """Keep a key."""
        with self._write_lock, _told(self._path):
            self._writer.execute(
                "insert into api_key values (?, ?, ?, ?, ?, ?)",
                (row.key_id, row.name, row.digest, row.scopes, row.created_ts, row.revoked_ts),
            )

    def revoke_key(self, key_id: str, ts: int) -> bool:
        """Revoke a key."""
        with self._write_lock, _told(self._path):
            done = self._writer.execute(
                "update api_key set revoked_ts = ? where key_id = ? and revoked_ts = 0",
                (ts, key_id),
            )
        return done.rowcount > 0

    def close(self) -> None:
        """Close both connections."""
        self._reader.close()
        self._writer.close()

    def _asked(self, sql: str, values: tuple[Any, ...]) -> list[Logged]:
        with self._read_lock, _told(self._path):
            return _records(self._reader.execute(sql, values))


def _after(after: int, limit: int) -> tuple[str, tuple[int, int]]:
    sql = "select seq, ts, kind, key, body from log where seq > ? order by seq limit ?"
    return sql, (after, limit)


def _records(rows: Any) -> list[Logged]:
    return [Logged(seq, unpack(kind, ts, key, body)) for seq, ts, kind, key, body in rows]


def _last(con: sqlite3.Connection) -> tuple[int, int]:
    row = con.execute("select seq, ts from log order by seq desc limit 1").fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say what SQLite says (locked, disk full, no such folder) in our words."""
    try:
        yield
    except sqlite3.Error as error:
        raise UnavailableError(
            str(error), str(path), "a log that can be read and written", "look at disk and rights"
        ) from error
