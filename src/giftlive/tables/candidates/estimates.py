"""What a sample of the live rooms says about all of them.

Rooms of a decision are known with certainty (shown, or brought by a reason) or were drawn as a
simple random sample of the rest; ``weight`` is the number of live rooms a row stands for. What is
a sum over live rooms is estimated without bias by Σ weight · x, over the draw: totals, means with
a known number of rooms, the place of the chosen room, the share of rooms it is ranked above.

What is not a sum is not: the best of the drawn rooms is worth at most the best of all, so regret
against candidates is at most regret against all live rooms, and 1 / log2(1 + estimated place) is
too large on average (it is convex). For these take every live room (``uniform=None``) of a random
share of the decisions (``share``): then ``metrics.decisions`` is exact for each decision, and its
means over decisions are means over a random sample of them (Krichene and Rendle, KDD 2020, show
how far sampled ranking metrics can be from the exact ones).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import UsageError
from giftlive.tables.candidates.listed_rows import CHOSEN
from giftlive.tables.candidates.sets import DecisionSets
from giftlive.types import Floats


def live_total(sets: DecisionSets, x: ArrayLike) -> Floats:
    """Estimate [n] the sum of ``x`` [n, m] over the rooms live at each decision.

    Σ_j weight_j x_j over the rows j of a decision; unbiased over the draw. ``x`` = 1 gives the
    number of rooms live, without error.
    """
    values = _table(sets, x)
    return np.sum(sets.weight * np.where(sets.available, values, 0.0), axis=1)


def place_of_choice(sets: DecisionSets, score: ArrayLike) -> Floats:
    """Estimate [n] the place of the chosen room when the live rooms are ordered by ``score``.

    1 + Σ_j weight_j ([s_j > s_c] + ½ [s_j = s_c]) over the rows j other than the chosen c: the
    expected place, from 1, when ties are broken at random. Unbiased over the draw where the
    score of a room does not depend on which others were drawn. nan where no room was chosen that
    is available.
    """
    s = _table(sets, score)
    chosen = sets.available & (sets.shown == CHOSEN)
    mine = np.sum(np.where(chosen, s, 0.0), axis=1, keepdims=True)
    ahead = (s > mine) + 0.5 * (s == mine)
    others = np.where(sets.available & ~chosen, sets.weight, 0.0)
    place = 1.0 + np.sum(others * ahead, axis=1)
    return np.where(chosen.any(axis=1), place, np.nan)


def share_below_choice(sets: DecisionSets, score: ArrayLike) -> Floats:
    """Estimate [n] the share of the other live rooms that ``score`` puts below the chosen one.

    (N - place) / (N - 1) with N rooms; ties count one half; ½ is what an uninformed score gets.
    Unbiased like the place. nan where no room was chosen or no other was live.
    """
    many = live_total(sets, np.ones(sets.weight.shape))
    place = place_of_choice(sets, score)
    out = np.full(len(sets), np.nan)
    return np.divide(many - place, many - 1.0, out=out, where=many > 1.5)


def _table(sets: DecisionSets, x: ArrayLike) -> Floats:
    values = np.asarray(x, dtype=np.float64)
    if values.shape != sets.weight.shape:
        raise UsageError(f"shape {values.shape}", "decision sets", f"shape {sets.weight.shape}")
    return values
