"""A name for a configuration that changes with any part of it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from giftlive import __version__


def version_of(value: Any) -> str:
    """Return 16 hexadecimal digits that depend on the package version and all of ``value``.

    Records are taken apart field by field, arrays by type, shape and bits; other objects by
    their class and attributes.

    Examples
    --------
    >>> from giftlive.policies import Softmax
    >>> version_of(Softmax()) == version_of(Softmax(temperature=0.5)) != version_of(Softmax(0.4))
    True
    """
    text = repr((__version__, _parts(value)))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _parts(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, np.ndarray):
        bits = blake2b(np.ascontiguousarray(value).tobytes(), digest_size=16).hexdigest()
        return value.dtype.str, value.shape, bits
    if isinstance(value, list | tuple):
        return [_parts(item) for item in value]
    if isinstance(value, dict):
        return sorted((repr(key), _parts(item)) for key, item in value.items())
    if is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
    else:
        named = getattr(value, "__dict__", {})
    kind = value if isinstance(value, type) or callable(value) else type(value)
    return getattr(kind, "__module__", ""), getattr(kind, "__qualname__", ""), _parts(dict(named))
