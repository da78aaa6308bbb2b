"""How much of what was chosen the retrieval would have offered: by clicks and by money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import UsageError
from giftlive.tables.candidates.candidates import Candidates
from giftlive.tables.candidates.reasons import REASONS, WORDS
from giftlive.types import Bools, Ints


@dataclass(frozen=True)
class Recall:
    """Choices and their gifts by what brought the chosen room: exact integers, so they add up.

    Attributes
    ----------
    choices, amount : [64] by the bits of the reasons; 0 = the room was no candidate.
    """

    choices: tuple[int, ...] = (0,) * len(WORDS)
    amount: tuple[int, ...] = (0,) * len(WORDS)

    def __add__(self, other: Recall) -> Recall:
        """Return the recall over the choices of both."""
        pairs = ((self.choices, other.choices), (self.amount, other.amount))
        return Recall(*(tuple(a + b for a, b in zip(*pair, strict=True)) for pair in pairs))

    @property
    def click_share(self) -> float | None:
        """Share of the choices whose room was a candidate; None without a choice."""
        return _share(sum(self.choices[1:]), sum(self.choices))

    @property
    def amount_share(self) -> float | None:
        """Share of the gifts whose room was a candidate; None without a gift."""
        return _share(sum(self.amount[1:]), sum(self.amount))

    def by_reason(self) -> dict[str, tuple[float | None, float | None]]:
        """Return (click share, amount share) of each reason; several may bring one room."""
        found = {}
        for bit, name in enumerate(REASONS):
            masks = [mask for mask in range(len(WORDS)) if mask >> bit & 1]
            found[name] = (
                _share(sum(self.choices[m] for m in masks), sum(self.choices)),
                _share(sum(self.amount[m] for m in masks), sum(self.amount)),
            )
        return found


def recall_of(why: ArrayLike, amount: ArrayLike) -> Recall:
    """Return the recall of choices [n] from the reasons of the chosen room and its gifts.

    Parameters
    ----------
    why : bits, 0 where the room was no candidate. amount : gifts in the source's unit.

    Examples
    --------
    >>> found = recall_of([0, 2, 3], [10, 0, 30])
    >>> found.amount_share, found.by_reason()["gifted"]
    (0.75, (0.3333333333333333, 0.75))
    """
    bits, money = np.asarray(why, dtype=np.int64), np.asarray(amount, dtype=np.int64)
    totals = np.zeros(len(WORDS), dtype=np.int64)
    np.add.at(totals, bits, money)
    choices = np.bincount(bits, minlength=len(WORDS))
    return Recall(tuple(choices.tolist()), tuple(totals.tolist()))


def retrieval_recall(candidates: Candidates, live_id: ArrayLike, amount: ArrayLike) -> Recall:
    """Return the recall of retrieved sets for the rooms that were entered.

    Parameters
    ----------
    candidates : of ``n`` queries, as of the time of each choice.
    live_id : [n] rooms chosen. amount : [n] gifts that followed, in the source's unit.
    """
    chosen = np.asarray(live_id, dtype=np.int64)
    queries = len(candidates.first) - 1
    if chosen.shape != (queries,) or np.shape(amount) != (queries,):
        raise UsageError(f"{chosen.size} choices", "retrieval_recall", f"{queries}")
    query: Ints = np.repeat(np.arange(queries), np.diff(candidates.first))
    hit: Bools = candidates.live_id == chosen[query]
    why = np.zeros(queries, dtype=np.int64)
    why[query[hit]] = candidates.why[hit]
    return recall_of(why, amount)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
