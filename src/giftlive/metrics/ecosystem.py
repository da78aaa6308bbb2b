"""How a quantity (exposure, income) is spread over a population (all, live, receiving rooms).

The caller names quantity and population; the numbers are meaningless without both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import InputError
from giftlive.metrics.order import UNDEFINED, column, row_weights, share
from giftlive.stats import heavy_tails
from giftlive.types import Floats


def _spread(x: ArrayLike) -> Floats:
    values = column(x, "x")
    if (values < 0.0).any():
        raise InputError(f"a value of {values.min()}", "argument x", "numbers >= 0")
    return values


def gini(x: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the Gini coefficient of ``x`` >= 0: 0 for equal shares, (n − 1)/n for one holder.

    Twice the area between the Lorenz curve and the diagonal. Undefined (nan) if all are 0.

    Examples
    --------
    >>> gini([0.0, 0.0, 0.0, 4.0])
    0.75
    """
    values = _spread(x)
    return heavy_tails.gini(values, row_weights(weights, len(values))) if len(values) else UNDEFINED


def hhi(x: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the Herfindahl-Hirschman index Σ share², in (0, 1]: 1 / (effective holders).

    Examples
    --------
    >>> hhi([1.0, 1.0, 1.0, 1.0])
    0.25
    """
    values = _spread(x)
    w = row_weights(weights, len(values))
    total = float(np.sum(w * values))
    return share(float(np.sum(w * values**2)), total**2)


def top_share(x: ArrayLike, fraction: float, weights: ArrayLike | None = None) -> float:
    """Estimate the share of Σx held by the largest ``fraction`` of holders.

    Examples
    --------
    >>> top_share([1.0, 1.0, 1.0, 7.0], 0.25)
    0.7
    """
    values = _spread(x)
    w = row_weights(weights, len(values))
    return heavy_tails.top_share(values, fraction, w) if len(values) else UNDEFINED


def coverage(x: ArrayLike, minimum: float = 0.0, weights: ArrayLike | None = None) -> float:
    """Estimate the share of holders with more than ``minimum``; nan without holders.

    Examples
    --------
    >>> coverage([0.0, 1.0, 2.0, 0.0])
    0.5
    """
    values = _spread(x)
    w = row_weights(weights, len(values))
    return share(float(np.sum(w * (values > minimum))), float(w.sum()))
