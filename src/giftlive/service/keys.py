"""API keys: shown once, kept only as a hash, with scopes; compared in constant time.

A key is ``gl_<id>_<secret>``: sixteen public hexadecimal digits and 256 random bits. So much chance
needs no slow hash and no salt: SHA-256 of the secret is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from giftlive.errors import UnavailableError, UsageError
from giftlive.service.store.protocol import KeyRow, Store

SCOPES = ("decide", "ingest", "admin")
"""decide: ask and read; ingest: report events and read; admin: everything."""

_FORM = re.compile(r"gl_([0-9a-f]{16})_([0-9a-f]{64})")
_NOBODY = KeyRow("", "", hashlib.sha256(b"nobody").hexdigest(), "", 0)
_TRUSTED_SECONDS = 1.0


def digest_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_key(name: str, scopes: Sequence[str], now_ms: int) -> tuple[str, KeyRow]:
    """Return a new key, to be shown once, and the row to keep.

    Raises
    ------
    UsageError
        A scope is unknown, or there is none.

    Examples
    --------
    >>> key, row = create_key("shop", ["decide"], 0)
    >>> key.startswith("gl_"), row.digest in key, row.scopes
    (True, False, 'decide')
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise UsageError(
            f"{', '.join(unknown) or 'no scope'}", "--scope", f"some of {', '.join(SCOPES)}"
        )
    key_id, secret = secrets.token_hex(8), secrets.token_hex(32)
    row = KeyRow(key_id, name, digest_of(secret), ",".join(dict.fromkeys(scopes)), now_ms)
    return f"gl_{key_id}_{secret}", row


@dataclass
class KeyBook:
    """The keys of a store, read again after a second: so long a revoked key may live on.

    When the store does not answer, what was read last still holds.
    """

    store: Store
    rows: dict[str, KeyRow] = field(default_factory=dict)
    read_at: float = float("-inf")

    def row_of(self, key: str | None) -> KeyRow | None:
        """Return the row of a key that is good, None of any other.

        Raises
        ------
        UnavailableError
            The store has never answered.
        """
        self._read()
        match = _FORM.fullmatch(key) if key else None
        row = self.rows.get(match[1], _NOBODY) if match else _NOBODY
        told = digest_of(match[2]) if match else digest_of("")
        same = hmac.compare_digest(told, row.digest)
        return row if same and row is not _NOBODY and not row.revoked_ts else None

    def _read(self) -> None:
        now = time.monotonic()
        if now - self.read_at < _TRUSTED_SECONDS:
            return
        try:
            self.rows = {row.key_id: row for row in self.store.all_keys()}
        except UnavailableError:
            if self.read_at == float("-inf"):
                raise
        self.read_at = now


def allows(row: KeyRow, scopes: Sequence[str]) -> bool:
    """Return whether a key has one of ``scopes``; admin has all.

    Examples
    --------
    >>> allows(KeyRow("a", "", "", "ingest", 0), ["decide"])
    False
    """
    own = row.scopes.split(",")
    return "admin" in own or any(scope in own for scope in scopes)
