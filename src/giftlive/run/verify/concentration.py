"""Who holds how much, from middle ranks: Gini, top shares and the Lorenz curve."""

from __future__ import annotations

import numpy as np

from giftlive.run.verify.recomputed import Clustered, Recomputed
from giftlive.types import Floats, Ints


def gini(x: Floats) -> Recomputed:
    """Compute Σ x (2 · middle rank - n) / (n Σ x) of independent units."""
    if not len(x):
        return Recomputed(None)
    ordered = np.sort(x)

    def at(weights: Floats) -> Floats:
        upto = np.cumsum(weights, axis=1)
        middle, held = upto - weights / 2, weights * ordered
        whole = upto[:, -1]
        return np.sum(held * (2.0 * middle - whole[:, None]), axis=1) / (whole * held.sum(axis=1))

    return Recomputed(float(at(np.ones((1, len(x))))[0]), Clustered(len(x), at), len(x))


def top_share(x: Floats, fraction: float) -> Recomputed:
    """Compute the share of Σ x in the top ``fraction`` of the units, the last one in part."""
    if not len(x):
        return Recomputed(None)
    ordered = np.sort(x)[::-1]

    def at(weights: Floats) -> Floats:
        upto = np.cumsum(weights, axis=1)
        limit = fraction * upto[:, -1:]
        inside = np.clip(limit - (upto - weights), 0.0, weights)
        return (inside @ ordered) / (weights @ ordered)

    return Recomputed(float(at(np.ones((1, len(x))))[0]), Clustered(len(x), at), len(x))


def held_by_poorest(x: Floats, part: Floats) -> Floats:
    """Compute the share of Σ x held by the poorest ``part`` of the units, the last one in part."""
    ordered = np.append(np.sort(x), 0.0)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    units = np.clip(part * len(x), 0.0, len(x))
    whole = np.floor(units).astype(np.int64)
    return (sums[whole] + (units - whole) * ordered[whole]) / sums[-1]


def gini_of_counts(value: Ints, units: Ints) -> float:
    """Compute the Gini of units of which ``units[i]`` hold ``value[i]``, values ascending."""
    upto = np.cumsum(units)
    middle = upto - units / 2
    return float(np.sum(value * units * (2.0 * middle - upto[-1])) / (upto[-1] * (value @ units)))
