"""A log in memory, for tests that ask nothing of the disk: bodies are packed as on one."""

from __future__ import annotations

from dataclasses import replace

from giftlive.service.record import Logged, Record, pack, unpack
from giftlive.service.store import Compose, KeyRow


class MemoryStore:
    """A list of packed records; a record of a key that is there is refused as a database would."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, str | None, bytes]] = []
        self.known: list[KeyRow] = []

    def commit(self, after: int, compose: Compose) -> tuple[list[Logged], list[Logged]]:
        others = self.read(after, 10**9)
        for record in compose(others, self.last()[1]):
            self._append(record)
        written = len(self.rows) - after - len(others)
        return others, self.read(len(self.rows) - written, 10**9)

    def _append(self, record: Record) -> None:
        assert record.key is None or self.find(record.key) is None
        self.rows.append((record.ts, record.kind, record.key, pack(record)))

    def read(self, after: int, limit: int) -> list[Logged]:
        stop = min(len(self.rows), after + limit)
        return [self._logged(k) for k in range(after, stop)]

    def get(self, seq: int) -> Logged | None:
        return self._logged(seq - 1) if 1 <= seq <= len(self.rows) else None

    def find(self, key: str) -> Logged | None:
        found = [k for k, row in enumerate(self.rows) if row[2] == key]
        return self._logged(found[0]) if found else None

    def seq_at(self, ts: int) -> int:
        return sum(row[0] < ts for row in self.rows)

    def last(self) -> tuple[int, int]:
        return (len(self.rows), self.rows[-1][0]) if self.rows else (0, 0)

    def all_keys(self) -> list[KeyRow]:
        return self.known

    def put_key(self, row: KeyRow) -> None:
        self.known.append(row)

    def revoke_key(self, key_id: str, ts: int) -> bool:
        found = [k for k, row in enumerate(self.known) if row.key_id == key_id]
        for k in found:
            self.known[k] = replace(self.known[k], revoked_ts=ts)
        return bool(found)

    def close(self) -> None:
        pass

    def _logged(self, k: int) -> Logged:
        ts, kind, key, body = self.rows[k]
        return Logged(k + 1, unpack(kind, ts, key, body))
