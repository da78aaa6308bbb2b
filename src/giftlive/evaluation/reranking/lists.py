"""A list of candidates per decision, and the first places of it put in another order."""

from __future__ import annotations

import numpy as np

from giftlive.errors import UsageError
from giftlive.types import Bools, Floats


def reranked(direct: Floats, other: Floats, available: Bools, length: int) -> Floats:
    """Return [n, m] direct's scores, dealt out anew among its first ``length`` by ``other``.

    The ``length`` highest scores of a decision go to the same rooms, the highest of them to the
    room that ``other`` puts first. Nothing else moves: which rooms are recalled, how a decision
    compares with another one and what lies below the list stay as the direct model has them, so
    that every difference is one of order within the list. Rooms that the direct model scores
    equally stay equal. Ties, in either score, keep the order of
    the direct model, and there the order of the columns: re-ranking by the direct scores changes
    nothing, to the bit.

    Parameters
    ----------
    direct, other : [n, m] scores. available : [n, m]; what is not is never moved.

    Examples
    --------
    >>> live = np.ones((1, 4), dtype=bool)
    >>> direct, other = np.array([[9.0, 8.0, 7.0, 1.0]]), np.array([[1.0, 3.0, 2.0, 5.0]])
    >>> reranked(direct, other, live, 3).tolist()
    [[7.0, 9.0, 8.0, 1.0]]
    """
    if length < 1:
        raise UsageError(f"a list of {length}", "argument length", "at least 1 room")
    found = direct.copy()
    places = first_places(direct, available, length)
    on = np.take_along_axis(available, places, axis=1)
    scores = np.take_along_axis(direct, places, axis=1)
    asked = np.where(on, np.take_along_axis(other, places, axis=1), -np.inf)
    anew = np.take_along_axis(places, np.argsort(-asked, axis=1, kind="stable"), axis=1)
    np.put_along_axis(found, anew, scores, axis=1)
    return found


def first_places(score: Floats, available: Bools, length: int) -> np.ndarray:
    """Return [n, min(length, m)] the columns of the highest scores, best first; ties by column."""
    key = np.where(available, -score, np.inf)
    return np.argsort(key, axis=1, kind="stable")[:, :length]


def moved(direct: Floats, after: Floats, available: Bools) -> Bools:
    """Return [n] which decisions have another order than the direct model's."""
    width = direct.shape[1]
    one, other = (first_places(score, available, width) for score in (direct, after))
    there = np.take_along_axis(available, one, axis=1)
    return ((one != other) & there).any(axis=1)
