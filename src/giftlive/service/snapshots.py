"""Snapshots: the state at some record, beside the log, so that a restart replays only the tail.

A snapshot is a copy of what the log says, never a part of it: one that cannot be used is ignored,
with one line that says why, and an older one or the whole log is replayed instead. It is used only
if it is of this code's version, of this very log (the first record and the one it ends with are
hashed), unharmed (every file is hashed), and if the state that it makes has the digest that the
state had.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import giftlive
from giftlive.errors import GiftLiveError, InputError, Where
from giftlive.service.frozen_state import frozen, thawed
from giftlive.service.record import Logged, pack
from giftlive.service.state import State
from giftlive.service.store.protocol import Store
from giftlive.tables.online import Catalogue, OnlineFeatures

FORM = 1
KEPT = 2
"""Version of the form; how many snapshots stay."""
_ABOUT, _STATE, _ONLINE = "snapshot.json", "state.bin", "online"
_NAME = re.compile(r"at-(\d{12})")


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one log, in a folder of their own."""

    folder: Path

    def found(self) -> list[tuple[int, Path]]:
        """Return number of the record and place of every snapshot, the newest first."""
        if not self.folder.is_dir():
            return []
        named = ((_NAME.fullmatch(p.name), p) for p in self.folder.iterdir())
        return sorted(((int(m[1]), p) for m, p in named if m), reverse=True)

    def write(self, state: State, store: Store) -> Path:
        """Keep the state as it is, whole or not at all; let go of all but the latest few.

        Raises
        ------
        UnavailableError
            The log cannot be read.
        OSError
            The disk is full, or may not be written.
        """
        place = self.folder / f"at-{state.seq:012d}"
        partial = self.folder / f".{uuid.uuid4().hex}"
        partial.mkdir(parents=True)
        try:
            state.vectors.online.save(partial / _ONLINE)
            body = frozen(state)
            (partial / _STATE).write_bytes(body)
            about = {
                "form": FORM,
                "code": giftlive.__version__,
                "seq": state.seq,
                "log": _log_digest(store, state.seq),
                "bytes": _digest(body),
                "state": state.digest(),
            }
            text = json.dumps(about | {"digest": _digest(repr(about).encode())}, indent=1)
            (partial / _ABOUT).write_text(text + "\n", encoding="utf-8")
            shutil.rmtree(place, ignore_errors=True)
            partial.replace(place)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        for _, old in self.found()[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
        return place

    def read(self, place: Path, state: State, store: Store) -> State:
        """Return the state that a snapshot holds.

        Parameters
        ----------
        state : that after the first record of the log; it is changed.

        Raises
        ------
        InputError
            It cannot be used: what is wrong is said.
        """
        about = about_of(place)
        if about["log"] != _log_digest(store, about["seq"]):
            raise InputError("of another log", Where(str(place)), "a copy of this one")
        try:
            body = (place / _STATE).read_bytes()
        except OSError as error:
            raise InputError(f"{_STATE}: {error}", Where(str(place)), "a whole one") from error
        if _digest(body) != about["bytes"]:
            raise InputError(f"{_STATE} is harmed", Where(str(place)), "the bytes as written")
        features = state.vectors.online.features
        online = OnlineFeatures.load(place / _ONLINE, Catalogue(), features)
        found = thawed(body, state, online)
        if found.digest() != about["state"]:
            expected = "the digest that its state had"
            raise InputError("makes another state", Where(str(place)), expected)
        return found


def about_of(place: Path) -> dict[str, Any]:
    """Return what a snapshot says of itself.

    Raises
    ------
    InputError
        It says nothing, is of another version, or was changed.
    """
    where = Where(str(place))
    try:
        about: dict[str, Any] = json.loads((place / _ABOUT).read_text(encoding="utf-8"))
        digest, version = about.pop("digest"), (about["form"], about["code"])
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise InputError(f"{_ABOUT} cannot be read", where, "a whole one") from error
    if version != (FORM, giftlive.__version__):
        expected = f"form {FORM} of {giftlive.__version__}"
        raise InputError(f"form {version[0]} of {version[1]}", where, expected)
    if digest != _digest(repr(about).encode()):
        raise InputError(f"{_ABOUT} is harmed", where, "the bytes as written")
    return about


def why(error: GiftLiveError) -> str:
    """Return in a few words why a snapshot was not used."""
    return f"{error.what}; expected {error.expected}" if error.expected else error.what


def _log_digest(store: Store, seq: int) -> str:
    """Return a digest of the first record and of number ``seq``; of nothing where it is missing."""
    parts = [_told(store.get(number)) for number in (1, seq)]
    return _digest(repr(parts).encode())


def _told(logged: Logged | None) -> Any:
    if logged is None:
        return None
    record = logged.record
    return logged.seq, record.kind, record.ts, record.key, _digest(pack(record))


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()
