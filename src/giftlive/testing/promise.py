"""A promise: kept in silence, broken with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from giftlive.types import Floats

FALSE_ALARM = 1e-6
"""Probability with which a test of frequencies may blame an honest one."""


def require(kept: object, broken: str) -> None:
    """Raise AssertionError saying ``broken`` unless ``kept``; unlike ``assert`` also under ``-O``.

    Examples
    --------
    >>> require(1 + 1 == 2, "arithmetic is broken")
    """
    if not kept:
        raise AssertionError(broken)


def identical(a: Any, b: Any) -> bool:
    """Return whether two values are the same bit for bit, arrays and records looked into.

    Examples
    --------
    >>> identical({"x": np.array([1.0])}, {"x": np.array([1.0])}), identical(1, 1.0)
    (True, False)
    """
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return _same_array(a, b)
    if isinstance(a, np.random.Generator):
        return identical(a.bit_generator.state, b.bit_generator.state)
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(identical, a, b))
    if is_dataclass(a):
        return all(identical(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return bool(a == b)


def _same_array(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return bool(a.tolist() == b.tolist() if a.dtype.hasobject else a.tobytes() == b.tobytes())


def strays(variance: Floats) -> Floats:
    """Return how far a sum of martingale steps in [-1, 1] strays, up to ``FALSE_ALARM``.

    Freedman's (1975) inequality for a sum whose steps have ``variance`` in all; it needs no normal
    approximation, so it holds for counts of any size.

    Examples
    --------
    >>> strays(np.array([0.0, 100.0])).round(1).tolist()
    [9.7, 58.9]
    """
    log = np.log(2.0 / FALSE_ALARM)
    bound: Floats = log / 3.0 + np.sqrt(log**2 / 9.0 + 2.0 * variance * log)
    return bound
