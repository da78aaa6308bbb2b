"""How many gifts lie at a click, counted on the grid of the times, and whether that is an atom.

A gift *coincides* with a click of the same user and room where the two times are at most one step
of their grid apart, before or after: a recorder that writes the entry and rounds it, or another
clock that is a step off, still writes the entry. A continuous law of delay gives some gifts there
too. With w the two steps at the click and b the six steps after them, an *atom* stands where

    chance of so many within w, given those in b, is below ALPHA          and
    gifts within w − STEEPER · (w / b) · gifts within b >= LEAST_ATOM of all gifts

A density that rises to the click like t^(k − 1) is not taken for one from k = 0.66 on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.facts.atom import ALPHA, STEEPER, atom
from giftlive.facts.evidence import Evidence
from giftlive.types import Ints

STEPS_MS = (1_000, 512, 500, 256, 250, 128, 100, 50, 10)
"""Grids that are looked for, the coarsest first; coarser ones would hide delays of seconds."""
ON_GRID = 0.99
"""Share of the times that lie on a grid: a few may come from another clock."""
LEAST_INSTANTS = 30
SAMPLE = 200_000
LEAST_ATOM = 0.05
"""Share of the gifts from which an atom moves a median by more than 5 points of its level."""
_WIDTH, _BESIDE = 2, 6
_NEAR = """
SELECT count(*), count(*) FILTER (near), count(DISTINCT (user_id, live_id, ts)) FILTER (near),
    count(DISTINCT (user_id, live_id, ts)) FILTER (beside), count(DISTINCT (user_id, live_id, ts))
FROM (
    SELECT g.row_id, g.user_id, g.live_id, g.ts,
        coalesce(bool_or(abs(c.ts - g.ts) <= {step}), false) AS near,
        NOT near AND coalesce(bool_or(g.ts - c.ts BETWEEN 0 AND {far}), false) AS beside
    FROM gift g LEFT JOIN click c ON c.user_id = g.user_id AND c.live_id = g.live_id
    GROUP BY ALL
)
"""


@dataclass(frozen=True)
class Coincidence:
    """Gifts at a click.

    Attributes
    ----------
    step_ms : of the grid of the times, 1 where there is none. share : of the gift rows within a
        step of a click. stands_out : whether they are an atom.
    """

    step_ms: int
    share: float
    stands_out: bool

    @classmethod
    def of(cls, evidence: Evidence) -> Coincidence:
        """Count in a source with clicks and gifts."""
        times = (
            evidence.columns(f"SELECT ts FROM {table} WHERE row_id < {SAMPLE}")["ts"]
            for table in ("click", "gift")
        )
        step = max(step_of(ts) for ts in times)
        query = _NEAR.format(step=step, far=(_WIDTH - 1 + _BESIDE) * step)
        n, near, inside, beside, instants = (int(x) for x in evidence.row(query))
        excess = inside - STEEPER * _WIDTH / _BESIDE * beside
        stands_out = excess >= LEAST_ATOM * instants
        stands_out = stands_out and atom(inside, beside, _WIDTH, _BESIDE) < ALPHA
        return cls(step, near / n, stands_out)


def step_of(ts: Ints) -> int:
    """Return the coarsest step on which nearly all differences between times lie, or 1 ms.

    Examples
    --------
    >>> step_of(np.arange(100) * 1_500 + 7), step_of(np.arange(100) * 1_234 + 7)
    (500, 1)
    """
    for step in STEPS_MS:
        rests = np.bincount(ts % step, minlength=step)
        if rests.max() < ON_GRID * len(ts):
            continue
        if len(np.unique(ts[ts % step == rests.argmax()])) >= LEAST_INSTANTS:
            return step
    return 1
