"""The two step functions of the inductive Venn-Abers predictor, in one pass over the scores."""

from __future__ import annotations

import numpy as np
from numba import njit

from giftlive.types import Floats


def venn_abers_steps(scores: Floats, occurred: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return positions and values of p0 (right-continuous) and of p1 (left-continuous).

    p1 at a score is the slope, at that score, of the greatest convex minorant of the cumulative
    outcomes after one more positive was added there; between two scores it is that of the next.
    p0 is the mirror image: scores negated, outcomes swapped.
    """
    at, weights, hits = _by_score(scores, occurred)
    high = _with_one_more_positive(weights, hits)
    low = 1.0 - _with_one_more_positive(weights[::-1].copy(), (weights - hits)[::-1].copy())[::-1]
    starts = np.append(True, low[1:] != low[:-1])
    ends = np.append(high[1:] != high[:-1], True)
    return at[starts], low[starts], at[ends], high[ends]


def _by_score(scores: Floats, occurred: Floats) -> tuple[Floats, Floats, Floats]:
    at, group = np.unique(scores, return_inverse=True)
    weights = np.bincount(group).astype(np.float64)
    return at, weights, np.asarray(np.bincount(group, weights=occurred), dtype=np.float64)


@njit(cache=True)
def _with_one_more_positive(weights: Floats, hits: Floats) -> Floats:
    """Return at every distinct score the isotonic value after adding one positive row there.

    It is the slope at i of the lower hull of the cumulative points (rows, hits) from i on and of
    those before i, shifted by (−1, −1). The hull is a stack with the leftmost point on top; going
    from i to i + 1 shifts one point more. Points are whole numbers: every comparison is exact.
    """
    n = len(weights)
    x, y = np.empty(n + 1), np.empty(n + 1)
    x[0], y[0] = -1.0, -1.0
    for i in range(n):
        x[i + 1] = weights[i] + (x[i] if i else 0.0)
        y[i + 1] = hits[i] + (y[i] if i else 0.0)
    stack_x, stack_y = np.empty(n + 1), np.empty(n + 1)
    size = 0
    for i in range(n, -1, -1):
        size = _push(stack_x, stack_y, size, x[i], y[i])
    values = np.empty(n)
    for i in range(n):
        near, far = size - 1, size - 2
        run, rise = stack_x[far] - stack_x[near], stack_y[far] - stack_y[near]
        values[i] = rise / run
        shifted_x, shifted_y = x[i + 1] - 1.0, y[i + 1] - 1.0
        if (shifted_y - stack_y[near]) * run < rise * (shifted_x - stack_x[near]):
            size = _push(stack_x, stack_y, size - 1, shifted_x, shifted_y)
    return values


@njit(cache=True)
def _push(stack_x: Floats, stack_y: Floats, size: int, x: float, y: float) -> int:
    """Put a point left of a lower hull, drop what is no corner any more, return the new size."""
    while size > 1:
        ax, ay = stack_x[size - 1], stack_y[size - 1]
        bx, by = stack_x[size - 2], stack_y[size - 2]
        if (ay - y) * (bx - x) < (by - y) * (ax - x):
            break
        size -= 1
    stack_x[size], stack_y[size] = x, y
    return size + 1
