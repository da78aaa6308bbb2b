"""Records of the log: a kind, a key, a time, and a body of JSON and raw arrays."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json, to_json

from giftlive.errors import IntegrityError

GENESIS, MODEL, POLICY, DECISION, EVENTS, TICK, DIGEST = (
    *("genesis", "model", "policy", "decision", "events", "tick", "digest"),
)
"""Kinds: how the log began, values, policy, what was decided, what happened, the clock, a check."""

Arrays = Mapping[str, NDArray[Any]]
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Record:
    """What is to be written.

    Attributes
    ----------
    kind : above. ts : ms UTC, never before that of the record ahead of it in the log.
    key : what a repetition is known by; None: cannot be repeated.
    meta : plain JSON. arrays : of numbers, exact to the bit.
    """

    kind: str
    ts: int
    meta: dict[str, Any]
    arrays: Arrays = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True)
class Logged:
    """A record with its place: ``seq`` counts from 1 without gaps."""

    seq: int
    record: Record

    @property
    def ts(self) -> int:
        """Ms UTC of the record."""
        return self.record.ts


def pack(record: Record) -> bytes:
    """Return the body as bytes: length of the JSON, the JSON, the arrays one after another.

    Examples
    --------
    >>> r = Record("tick", 5, {"a": 1}, {"x": np.array([0.1, -0.0])})
    >>> unpack("tick", 5, None, pack(r)).arrays["x"].tolist()
    [0.1, -0.0]
    """
    shapes = [[name, a.dtype.str, len(a)] for name, a in record.arrays.items()]
    head = to_json([record.meta, shapes])
    parts = [_LENGTH.pack(len(head)), head]
    parts += [np.ascontiguousarray(a).tobytes() for a in record.arrays.values()]
    return b"".join(parts)


def unpack(kind: str, ts: int, key: str | None, body: bytes) -> Record:
    """Return the record whose body :func:`pack` wrote.

    Raises
    ------
    IntegrityError
        The bytes are not such a body.
    """
    try:
        (length,) = _LENGTH.unpack_from(body)
        at = _LENGTH.size + length
        meta, shapes = from_json(body[_LENGTH.size : at])
        arrays: dict[str, NDArray[Any]] = {}
        for name, dtype, n in shapes:
            arrays[name] = np.frombuffer(body, dtype=dtype, count=n, offset=at)
            at += arrays[name].nbytes
        if at != len(body):
            raise ValueError(f"{len(body)} bytes, {at} expected")
    except (struct.error, ValueError, TypeError) as error:
        raise IntegrityError(str(error), f"a {kind} record", "what the service wrote") from error
    return Record(kind, ts, meta, arrays, key)
