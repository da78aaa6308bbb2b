"""The published way of labelling: a gift counts for every click of its viewing."""

from __future__ import annotations

import numpy as np

from giftlive.types import Floats, Ints


def every_click(user: Ints, live: Ints, amount: Floats) -> Floats:
    """Return [n] for every click the amount of all clicks of the same user and room.

    This is a flaw to be measured, never a label to learn from: a user who enters a room k times
    and gives once is counted k times, in rows and in money, and a click *after* the gift is
    labelled with it. Last touch (``tables.labels``) counts every gift once.

    Parameters
    ----------
    user, live : [n] ids of each click. amount : [n] its last-touch label.

    Examples
    --------
    >>> every_click(np.array([1, 1, 2]), np.array([7, 7, 7]), np.array([0.0, 5.0, 0.0])).tolist()
    [5.0, 5.0, 0.0]
    """
    _, viewing = np.unique(np.column_stack([user, live]), axis=0, return_inverse=True)
    viewing = viewing.reshape(-1)
    return np.bincount(viewing, amount).astype(np.float64)[viewing]
