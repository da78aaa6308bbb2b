"""Two computations of the same rows, compared value by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.tables.audit.parts import spelled
from giftlive.types import Bools

RELATIVE = 1e-9
"""Doubles may differ by this much of their size, or of 1; integers are exact far below."""


@dataclass(frozen=True)
class Comparison:
    """One feature in rows [n]: ``moved`` where it differs; ``part`` of the days of each row."""

    moved: Bools
    part: NDArray[Any]

    def spelled(self) -> str:
        """Return how many rows moved, and of which parts the tried ones are."""
        tried = _by_part(self.part)
        if not self.moved.any():
            return f"0 of {len(self.moved)} rows changed ({spelled(tried)})"
        where = {p: f"{n} of {tried[p]}" for p, n in _by_part(self.part[self.moved]).items()}
        words = ", ".join(f"{part} {count}" for part, count in where.items())
        only = " only" if len(where) < len(tried) else ""
        return f"{int(self.moved.sum())} of {len(self.moved)} rows changed ({words}{only})"


@dataclass(frozen=True)
class Compared:
    """All features of a trial's rows."""

    features: Mapping[str, Comparison]

    @staticmethod
    def of(
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        part: NDArray[Any],
        names: Iterable[str],
    ) -> Compared:
        """Compare columns of equal rows; a value that ``after`` leaves open is not tried."""
        return Compared({name: _comparison(before[name], after[name], part) for name in names})


def joined(trials: Iterable[Compared], name: str) -> Comparison:
    """Return one feature's rows of several trials as one."""
    found = [trial.features[name] for trial in trials]
    empty = Comparison(np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=object))
    return Comparison(
        np.concatenate([empty.moved, *(c.moved for c in found)]),
        np.concatenate([empty.part, *(c.part for c in found)]),
    )


def _comparison(before: Any, after: Any, part: NDArray[Any]) -> Comparison:
    a, b = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    tried = ~np.isnan(b)
    moved = ~(np.abs(a - b) <= RELATIVE * np.maximum(1.0, np.abs(a)))
    return Comparison(moved[tried], part[tried])


def _by_part(part: NDArray[Any]) -> dict[str, int]:
    names, counts = np.unique(part.astype(str), return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))
