"""Frontiers: what is gained at an equal level of something else, and who is not dominated."""

from __future__ import annotations

import numpy as np

from giftlive.errors import InputError
from giftlive.types import Bools, Floats


def at_level(level: float, x: Floats, y: Floats) -> float:
    """Return the height of a path of settings where it crosses ``level`` of x; nan where not.

    Between two neighbouring settings of the path it is that of choosing between them by lot, which
    has the mean of both in x and in y. Where the path crosses several times, the highest counts.

    Parameters
    ----------
    level : of x. x, y : [k] of the settings, in the order of their parameter.

    Examples
    --------
    >>> at_level(0.5, np.array([0.2, 0.6, 0.9]), np.array([10.0, 20.0, 25.0]))
    17.5
    >>> at_level(0.95, np.array([0.2, 0.6, 0.9]), np.array([10.0, 20.0, 25.0]))
    nan
    """
    if x.shape != y.shape or x.ndim != 1:
        raise InputError(f"shapes {x.shape} and {y.shape}", "at_level", "[k] each")
    best = np.nan
    for i in range(len(x) - 1):
        left, right = x[i], x[i + 1]
        if not min(left, right) <= level <= max(left, right):
            continue
        part = (level - left) / (right - left) if right != left else 0.0
        best = np.fmax(best, y[i] + part * (y[i + 1] - y[i]))
    return float(best)


def non_dominated(points: Floats) -> Bools:
    """Return [n] which points no other beats: as large in every column, larger in one.

    Parameters
    ----------
    points : [n, k], larger is better in every column. Of equal points all stay.

    Examples
    --------
    >>> non_dominated(np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 2.0]])).tolist()
    [True, True, False]
    """
    if points.ndim != 2:
        raise InputError(f"{points.ndim} axes", "non_dominated", "points [n, k]")
    as_large = (points[:, None, :] >= points[None, :, :]).all(axis=2)
    larger = (points[:, None, :] > points[None, :, :]).any(axis=2)
    beaten = np.asarray((as_large & larger).any(axis=0))
    return ~beaten
