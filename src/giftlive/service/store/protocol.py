"""What the service needs of a database: an append-only log in one order, and the API keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from giftlive.service.record import Logged, Record

Compose = Callable[[Sequence[Logged], int], Sequence[Record]]
"""Given what others wrote since one last looked, and the time of the last record: what to write."""


@dataclass(frozen=True)
class KeyRow:
    """An API key as stored: never the key itself.

    Attributes
    ----------
    key_id : public half. digest : SHA-256 of the secret half, hex. scopes : comma-separated.
    created_ts, revoked_ts : ms UTC; 0: not revoked.
    """

    key_id: str
    name: str
    digest: str
    scopes: str
    created_ts: int
    revoked_ts: int = 0


class Store(Protocol):
    """A log of records numbered 1, 2, 3, … in the order in which they became durable.

    Every method raises ``UnavailableError`` when the database does not answer or has no room; then
    nothing that was not returned may be taken for written, though it may have been: who asks next
    with ``commit`` learns of it among the records of others.
    """

    def commit(self, after: int, compose: Compose) -> tuple[list[Logged], list[Logged]]:
        """Append what ``compose`` says, in one durable step under the lock of all writers.

        Parameters
        ----------
        after : last number that the caller knows.

        Returns
        -------
        others, mine
            Records of others after ``after``, and those just written, in the order of the log.
        """

    def read(self, after: int, limit: int) -> list[Logged]:
        """Return at most ``limit`` records after number ``after``, in order."""

    def get(self, seq: int) -> Logged | None:
        """Return the record of this number."""

    def find(self, key: str) -> Logged | None:
        """Return the record of this key."""

    def seq_at(self, ts: int) -> int:
        """Return the last number whose record is earlier than ``ts``; 0 where there is none."""

    def last(self) -> tuple[int, int]:
        """Return number and time of the last record, (0, 0) in an empty log."""

    def all_keys(self) -> list[KeyRow]:
        """Return all API keys, in the order of their creation."""

    def put_key(self, row: KeyRow) -> None:
        """Keep a new API key, durably."""

    def revoke_key(self, key_id: str, ts: int) -> bool:
        """Revoke a key, durably; False where there is no such key."""

    def close(self) -> None:
        """Let go of the database."""
