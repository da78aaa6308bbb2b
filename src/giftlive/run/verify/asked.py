"""Numbers over seeds again, by what is asked: of cells by their key, ``table / row / column``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from giftlive.run.verify.over_worlds import change, level, ratio_of_sums
from giftlive.run.verify.recomputed import Recomputed
from giftlive.types import Floats

Values = Mapping[str, Floats]
_NONE = np.zeros(0)


def mean_of(values: Values, key: str) -> Recomputed:
    """Return the mean over seeds of a cell."""
    return level(values.get(key, _NONE))


def share_of(values: Values, part: str, whole: str) -> Recomputed:
    """Return Σ part / Σ whole over seeds."""
    return ratio_of_sums(values.get(part, _NONE), values.get(whole, _NONE))


def gain_of(values: Values, one: str, other: str) -> Recomputed:
    """Return Σ (one - other) / Σ other over seeds, paired."""
    first, base = values.get(one, _NONE), values.get(other, _NONE)
    if not len(first) or not len(base):
        return Recomputed(None)
    return ratio_of_sums(first - base, base)


def change_of(values: Values, one: str, other: str) -> Recomputed:
    """Return the mean difference of two cells over seeds, paired."""
    return change(values.get(one, _NONE), values.get(other, _NONE))
