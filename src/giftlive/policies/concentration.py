"""How one more exposure of a room moves the Gini index of all of them."""

from __future__ import annotations

import numpy as np

from giftlive.stats.heavy_tails import gini
from giftlive.types import Floats


def gini_slope(x: Floats) -> Floats:
    """Return [S] total · ∂G/∂x_s = (2 r_s - n - 1) / n - G, r_s the rank of x_s, ties averaged.

    In (-2, 1): negative for rooms whose growth makes exposure more equal. All 0 where x is.

    Examples
    --------
    >>> gini_slope(np.array([0.0, 2.0])).tolist()
    [-1.0, 0.0]
    """
    n = len(x)
    if x.sum() <= 0.0:
        return np.zeros(n)
    ordered = np.sort(x)
    first, last = np.searchsorted(ordered, x), np.searchsorted(ordered, x, side="right")
    rank = 0.5 * (first + last + 1)
    return (2.0 * rank - n - 1.0) / n - gini(x)
