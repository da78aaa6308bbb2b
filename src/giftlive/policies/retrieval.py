"""The best few of very many rooms by value less charge, before anything dearer looks at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from giftlive.errors import InputError
from giftlive.types import Floats, Ints

_BLOCK = 2_048


@dataclass(frozen=True)
class Retriever:
    """Rooms in order of the longest vector first, so that a bound ends the search early.

    The score of room s for a user is u · r_s - charge_s. |u| |r_s| bounds the first term
    (Cauchy-Schwarz) and the smallest charge of all the second: once both together lie below the
    m-th best score, nothing ahead can enter; that is asked before each block of rooms. The result
    is exact, not approximate; how much is skipped depends on how unequal the vectors are. Lengths
    are sorted in bands of 9 %, within which rooms keep their order, so that charges are read nearly
    in sequence.

    Attributes
    ----------
    vectors : [S, d] room vectors, longest band first. reach : [S] longest length from there on.
    order : [S] room of each row.
    """

    vectors: Floats
    reach: Floats
    order: Ints

    @staticmethod
    def of(vectors: Floats) -> Retriever:
        """Return the retriever of room vectors [S, d]."""
        if vectors.ndim != 2 or not np.isfinite(vectors).all():
            raise InputError("not a table of numbers", "Retriever.vectors", "[S, d], finite")
        norms = np.sqrt((vectors**2).sum(axis=1))
        band = np.floor(8.0 * np.log2(np.maximum(norms, np.finfo(np.float64).tiny)))
        order = np.argsort(-band, kind="stable")
        reach = np.maximum.accumulate(norms[order][::-1])[::-1].copy()
        return Retriever(np.ascontiguousarray(vectors[order]), reach, order)

    def top(self, user: Floats, charges: Floats, m: int) -> tuple[Ints, Floats]:
        """Return the rooms [<= m] of largest u · r_s - charge_s, best first, and those scores.

        Parameters
        ----------
        user : [d]. charges : [S] by room, finite: price times expected seat time, less bonus.
        m : >= 1. Ties go to the lower room.
        """
        if user.shape != self.vectors.shape[1:] or charges.shape != self.order.shape:
            raise InputError(
                f"user {user.shape}, charges {charges.shape}",
                "Retriever.top",
                f"{self.vectors.shape[1:]} and {self.order.shape}",
            )
        rooms, scores = _top(
            self.vectors, self.reach, self.order, user, charges, float(charges.min(initial=0.0)), m
        )
        best = np.lexsort((rooms, -scores))
        return rooms[best], scores[best]


@njit(cache=True)
def _top(
    vectors: Floats,
    reach: Floats,
    order: Ints,
    user: Floats,
    charges: Floats,
    cheapest: float,
    m: int,
) -> tuple[Ints, Floats]:
    """Keep the m best in a heap whose root is the worst of them, a block of rooms at a time."""
    size = len(order)
    m = min(m, size)
    rooms, scores = np.empty(m, np.int64), np.empty(m)
    length, held = np.sqrt((user * user).sum()), 0
    for first in range(0, size, _BLOCK):
        if held == m and length * reach[first] * (1.0 + 1e-12) - cheapest < scores[0]:
            break
        products = np.dot(vectors[first : first + _BLOCK], user)
        for k in range(len(products)):
            room = order[first + k]
            score = products[k] - charges[room]
            if held < m:
                rooms[held], scores[held] = room, score
                held += 1
                _rise(rooms, scores, held - 1)
            elif score > scores[0] or (score == scores[0] and room < rooms[0]):
                rooms[0], scores[0] = room, score
                _sink(rooms, scores, m)
    return rooms, scores


@njit(cache=True)
def _worse(rooms: Ints, scores: Floats, one: int, two: int) -> bool:
    if scores[one] != scores[two]:
        return bool(scores[one] < scores[two])
    return bool(rooms[one] > rooms[two])


@njit(cache=True)
def _swap(rooms: Ints, scores: Floats, one: int, two: int) -> None:
    rooms[one], rooms[two] = rooms[two], rooms[one]
    scores[one], scores[two] = scores[two], scores[one]


@njit(cache=True)
def _rise(rooms: Ints, scores: Floats, at: int) -> None:
    while at > 0 and _worse(rooms, scores, at, (at - 1) // 2):
        _swap(rooms, scores, at, (at - 1) // 2)
        at = (at - 1) // 2


@njit(cache=True)
def _sink(rooms: Ints, scores: Floats, held: int) -> None:
    at = 0
    while 2 * at + 1 < held:
        child = 2 * at + 1
        if child + 1 < held and _worse(rooms, scores, child + 1, child):
            child += 1
        if not _worse(rooms, scores, child, at):
            return
        _swap(rooms, scores, child, at)
        at = child
