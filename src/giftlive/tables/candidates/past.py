"""What a user has done before: streamers entered and paid, the latest first, and a favourite."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.tables.candidates.rooms import Codes


class Past(NamedTuple):
    """State over ``u`` users.

    Attributes
    ----------
    entered, gifted : [u, remembered] streamers, the latest first, -1 at the end.
    visits : [u, c] entries by category. favourite : [u] the category with most entries (the
        lowest code among equals), -1 until a room of known category was entered.
    """

    entered: Codes
    gifted: Codes
    visits: Codes
    favourite: Codes


def no_past(users: int, categories: int, remembered: int) -> Past:
    """Return the state in which nobody has done anything."""
    nobody = np.full((users, remembered), -1, dtype=np.int32)
    visits = np.zeros((users, categories), dtype=np.int32)
    return Past(nobody, nobody.copy(), visits, np.full(users, -1, dtype=np.int32))


@njit(cache=True)
def meet(latest, streamer):  # type: ignore[no-untyped-def]
    """Move a streamer to the front of a user's row; the last one falls off when it is full."""
    k = 0
    while k < latest.size - 1 and latest[k] != streamer and latest[k] >= 0:
        k += 1
    while k > 0:
        latest[k] = latest[k - 1]
        k -= 1
    latest[0] = streamer


@njit(cache=True)
def visit(past, user, category):  # type: ignore[no-untyped-def]
    """Count an entry of a user into a room of a category."""
    visits, favourite = past.visits[user], past.favourite[user]
    visits[category] += 1
    more = favourite < 0 or visits[category] > visits[favourite]
    if more or (visits[category] == visits[favourite] and category < favourite):
        past.favourite[user] = category
