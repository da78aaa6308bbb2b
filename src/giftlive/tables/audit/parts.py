"""The parts of the last rolling origin: which days a model trains on, and which it is judged on."""

from __future__ import annotations

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.tables.splits import rolling_origins
from giftlive.types import Ints

PARTS = ("burn-in", "train", "validation", "test", "gap")
WHOLE = "all days"
"""The only part of a source too short for a split."""


def day_parts(days: Ints) -> dict[int, str]:
    """Return the part of each distinct day of ``days``.

    Examples
    --------
    >>> parts = day_parts(np.arange(21))
    >>> [parts[day] for day in (0, 4, 15, 16, 18, 20)]
    ['burn-in', 'train', 'gap', 'validation', 'gap', 'test']
    """
    distinct = [int(day) for day in np.unique(days)]
    try:
        last = rolling_origins(np.array(distinct, dtype=np.int64))[-1]
    except NotEnoughDataError:
        return dict.fromkeys(distinct, WHOLE)
    spans = {"train": last.train, "validation": last.validation, "test": last.test}

    def part_of(day: int) -> str:
        inside = [name for name, (start, end) in spans.items() if start <= day < end]
        return inside[0] if inside else "burn-in" if day < last.train[0] else "gap"

    return {day: part_of(day) for day in distinct}


def spelled(counts: dict[str, int]) -> str:
    """Return counts in words.

    Examples
    --------
    >>> spelled({"train": 3, "test": 1})
    'train 3, test 1'
    """
    return ", ".join(f"{name} {n}" for name, n in counts.items())
