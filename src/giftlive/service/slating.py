"""Several places at once: chance in the first place, the best of the rest below it.

The policy draws the room of the first place. The places after it are filled in the order of score,
without the first room and without rooms that may not be shown, so that given the first place
nothing is left to chance: conditional propensities are 1, that of the slate is that of its first
place, and the marginal of a room in a place has a closed form. With rank q of a room in the order
of score (from 0), it stands in place j >= 1 if it is of rank j - 1 and the first room ranks below
it, or of rank j and the first room ranks above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.types import Bools, Floats, Ints


@dataclass(frozen=True)
class Slate:
    """The filled places of one decision.

    Attributes
    ----------
    columns : [k] candidate in each place. conditional, marginal : [k] of these rooms there.
    """

    columns: Ints
    conditional: Floats
    marginal: Floats


def fill(first: int, chances: Floats, scores: Floats, may: Bools, places: int) -> Slate:
    """Return the slate whose first place is ``first``.

    Parameters
    ----------
    chances, scores : [m] propensities of the first place, and what ranks the others.
    may : [m] rooms that may be shown. places : asked for, >= 1; fewer are filled where rooms end.

    Examples
    --------
    >>> s = fill(1, np.array([.5, .5]), np.array([2., 1.]), np.array([True, True]), 2)
    >>> s.columns.tolist(), s.marginal.tolist()
    ([1, 0], [0.5, 0.5])
    """
    if first < 0:
        return Slate(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
    one = np.array([first])
    if places == 1:
        return Slate(one, chances[one], chances[one])
    order = np.argsort(-scores, kind="stable")
    order = order[may[order]]
    rest = order[order != first][: places - 1]
    rank = np.full(len(scores), len(scores))
    rank[order] = np.arange(len(order))
    below = np.cumsum(np.append(chances[order], 0.0)[::-1])[::-1]  # chance of ranks >= q
    marginal = [float(chances[first])]
    for place, column in enumerate(rest.tolist(), start=1):
        q = int(rank[column])
        behind = float(below[q + 1]) if q == place - 1 else 0.0
        ahead = float(below[0] - below[q]) if q == place else 0.0
        outside = float(chances.sum() - below[0]) if q == place - 1 else 0.0
        # what happened has at least the chance of its first room, whatever rounding says
        marginal.append(min(max(behind + ahead + outside, marginal[0]), 1.0))
    columns = np.concatenate([one, rest])
    conditional = np.concatenate([chances[one], np.ones(len(rest))])
    return Slate(columns, conditional, np.array(marginal))
