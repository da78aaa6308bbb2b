"""One way to write JSON, so that equal results are equal bytes."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.errors import IntegrityError


def plain(value: Any, where: str = "results") -> Any:
    """Return ``value`` with only JSON types in it.

    Raises
    ------
    IntegrityError
        A number is NaN or infinite: an undefined estimate must carry a status instead.

    Examples
    --------
    >>> plain({"a": (np.int64(1), np.float64(0.5))})
    {'a': [1, 0.5]}
    """
    if isinstance(value, dict):
        return {str(key): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        items = sorted(value) if isinstance(value, set | frozenset) else list(value)
        return [plain(item, f"{where}[{i}]") for i, item in enumerate(items)]
    if isinstance(value, np.generic):
        return plain(value.item(), where)
    if isinstance(value, float) and not math.isfinite(value):
        raise IntegrityError(
            f"the number {value} has no meaning",
            where,
            "a finite number, or a status and its reason",
        )
    return value


def canonical_json(value: Any) -> str:
    """Return ``value`` as JSON with sorted keys and a final newline."""
    return json.dumps(plain(value), sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def digest(value: Any) -> str:
    """Return a 128-bit hexadecimal digest of ``value``'s canonical JSON."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=16).hexdigest()


def file_digest(path: Path) -> str:
    """Return a 128-bit hexadecimal digest of a file's bytes, read in blocks."""
    state = hashlib.blake2b(digest_size=16)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            state.update(block)
    return state.hexdigest()
