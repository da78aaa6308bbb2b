"""How far moments are from the targets: in tolerances, and as one number to make small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import least_squares

from giftlive.types import Floats
from giftlive.world.calibration.moments import Values, stacked
from giftlive.world.calibration.targets import Target

EXACT = 0.1
"""A tolerance of 0 counts as this share of the value: a median of prices jumps, it cannot move."""
UNDEFINED = 100.0
"""The residual of a moment that has no value. Others have no end, so that every one has a slope."""
ZONE = 0.5
"""Up to this part of its tolerance a target is met and asks for nothing."""
PULL = 0.05
"""Weight of the residuals themselves: decides between points at which every target is met."""
GRID = 1e-9


def limits_of(chosen: Sequence[Target]) -> Floats:
    """Return the tolerance of every number of ``chosen`` in its own unit, never 0."""
    rows = [np.maximum(t.limits, 0.0) for t in chosen]
    exact = [EXACT * np.abs(np.asarray(t.value)) for t in chosen]
    return np.concatenate(
        [np.where(r > 0.0, r, np.maximum(e, GRID)) for r, e in zip(rows, exact, strict=True)]
    )


def residuals(values: Values, chosen: Sequence[Target]) -> Floats:
    """Return (moment - target) / tolerance of every number: within -1 and 1 it passes."""
    target = np.concatenate([np.asarray(t.value, dtype=float) for t in chosen])
    found = (stacked(values, chosen) - target) / limits_of(chosen)
    return np.where(np.isfinite(found), found, UNDEFINED)


def loss(r: Floats) -> float:
    """Return what a fit makes small: 0 where all residuals are 0, flat within the zone.

    Outside the zone it grows like a square and then like the distance (soft L1). So a target that
    is met is not given up to make one that is far off a little less far off.
    """
    h = _outside(r)
    return float(np.sum(2.0 * (np.sqrt(1.0 + h * h) - 1.0) + (PULL * r) ** 2))


def _outside(r: Floats) -> Floats:
    """Return by how much residuals leave the zone, with their sign."""
    return np.sign(r) * np.maximum(np.abs(r) - ZONE, 0.0)


def best_step(r: Floats, slope: Floats, low: Floats, high: Floats) -> Floats:
    """Return the step [P] in [low, high] that makes the loss of ``r + slope @ step`` smallest.

    The loss is kept as it is and only the moments are taken as linear: a target that the step
    would push out of its zone says so, which a square about the present point could not.
    """
    free = np.flatnonzero(high > low)
    step = np.zeros(len(low))
    if not len(free):
        return step
    part, weight = slope[:, free], np.sqrt(2.0)

    def bent(d: Floats) -> Floats:
        there = r + part @ d
        h = _outside(there)
        soft = np.sign(h) * np.sqrt(2.0 * (np.sqrt(1.0 + h * h) - 1.0))
        return weight * np.concatenate([soft, PULL * there])

    def bend(d: Floats) -> Floats:
        there = r + part @ d
        h = _outside(there)
        root = np.sqrt(1.0 + h * h)
        # d soft / d h = sqrt((root + 1) / 2) / root, which is 1 at 0
        rise = np.where(h != 0.0, np.sqrt((root + 1.0) / 2.0) / root, 0.0)
        return weight * np.concatenate([rise[:, None] * part, PULL * part])

    room = np.minimum(high - low, 1.0)[free]
    begin = np.clip(np.zeros(len(free)), low[free] + 1e-9 * room, high[free] - 1e-9 * room)
    found = least_squares(bent, begin, jac=bend, bounds=(low[free], high[free]))
    step[free] = found.x
    return step
