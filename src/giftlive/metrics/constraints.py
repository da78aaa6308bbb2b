"""Whether limits hold, and whether their prices are consistent with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from giftlive.metrics.order import column, row_weights, share


def overload_rate(
    demand: ArrayLike, capacity: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Estimate the share of live rooms whose demand exceeds their capacity.

    Demand counts admitted and refused viewers, so hard seats do not hide overload; report
    :func:`refused_share` beside it. One entry is one live room at one time: pooled over times, a
    room counts as often as it was looked at. Undefined (nan) without live rooms.

    Parameters
    ----------
    demand, capacity : [n] seats, one entry per live room (and time).

    Examples
    --------
    >>> overload_rate([3.0, 9.0], [5.0, 5.0])
    0.5
    """
    wanted = column(demand, "demand")
    seats = column(capacity, "capacity", len(wanted))
    w = row_weights(weights, len(wanted))
    return share(float(np.sum(w * (wanted > seats))), float(w.sum()))


def refused_share(
    admitted: ArrayLike, refused: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Estimate Σ refused / Σ (admitted + refused); nan when nobody came.

    Examples
    --------
    >>> refused_share([3.0, 5.0], [0.0, 2.0])
    0.2
    """
    inside = column(admitted, "admitted")
    outside = column(refused, "refused", len(inside))
    w = row_weights(weights, len(inside))
    return share(float(np.sum(w * outside)), float(np.sum(w * (inside + outside))))


def price_slack(
    price: ArrayLike, load: ArrayLike, capacity: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Estimate Σ price·max(0, capacity − load) / Σ price·capacity: 0 at complementary slackness.

    A price above 0 on a room with seats left is paid for nothing. Undefined (nan) when every
    price is 0.

    Examples
    --------
    >>> price_slack([2.0, 0.0], [5.0, 1.0], [5.0, 5.0])
    0.0
    """
    p = column(price, "price")
    used, seats = column(load, "load", len(p)), column(capacity, "capacity", len(p))
    w = row_weights(weights, len(p))
    free = np.maximum(0.0, seats - used)
    return share(float(np.sum(w * p * free)), float(np.sum(w * p * seats)))
