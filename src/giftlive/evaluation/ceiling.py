"""How good a ranking of a world's rows can be: by everything, and by what an observer sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.errors import UsageError
from giftlive.metrics.ceilings import bayes_ceiling, latent_ceiling
from giftlive.metrics.ranking import CAPTURE_FRACTIONS, ndcg
from giftlive.tables.matrix import Matrix
from giftlive.types import Floats, Ints
from giftlive.world import World
from giftlive.world.ceiling import BayesValue, value_of_click


@dataclass(frozen=True)
class Ceiling:
    """Two ceilings of one metric, over expected revenue.

    Attributes
    ----------
    metric : its name. latent : of the order by true expected value, latents included.
    bayes : of the order by E[value | observables]. error : how much ``bayes`` may be too low
    because its order is learnt: 2.4 times what the second half of the data changed, which is all
    that is missing if the loss falls as slowly as 1 / sqrt(rows). That other rows would give other
    ceilings is not in it: see ``metrics.influence`` for that.
    """

    metric: str
    latent: float
    bayes: float
    error: float


def ceilings(
    expected: Floats,
    bayes: BayesValue,
    fractions: Sequence[float] = CAPTURE_FRACTIONS,
    places: Sequence[int] = (100,),
) -> tuple[Ceiling, ...]:
    """Estimate the ceilings of revenue capture at ``fractions`` and of NDCG at ``places``.

    Numerators and denominators are expected revenue, so that luck has no part in them. NDCG is
    normalised by the order of the expected values: its latent ceiling is 1.

    Parameters
    ----------
    expected : [n] exact expected values. bayes : of the same rows.

    Examples
    --------
    >>> known = np.array([2.0, 2.0, 4.0, 4.0])
    >>> seen = BayesValue(known, np.stack([known, known]), rows=80)
    >>> ceilings(np.array([1.0, 3.0, 6.0, 2.0]), seen, fractions=[0.5], places=[])[0]
    Ceiling(metric='revenue_capture@0.5', latent=0.75, bayes=0.6666666666666666, error=0.0)
    """
    orders = (bayes.value, *bayes.halves)
    found = []
    for k in fractions:
        reached = [bayes_ceiling(expected, order, k) for order in orders]
        found.append(_ceiling(f"revenue_capture@{k:g}", latent_ceiling(expected, k), reached))
    for n in places:
        reached = [ndcg(expected, order, n) for order in orders]
        found.append(_ceiling(f"ndcg@{n}", 1.0, reached))
    return tuple(found)


def _ceiling(metric: str, latent: float, reached: list[float]) -> Ceiling:
    gained = abs(reached[0] - float(np.mean(reached[1:])))
    return Ceiling(metric, latent, reached[0], gained / (2.0**0.5 - 1.0))


def value_of_rows(world: World, matrix: Matrix) -> Floats:
    """Return the exact E[amount | clicked] [n] of the rows of a world's own tables.

    Exact where a row is one click and rooms are not crowded; of a session of several clicks it
    is the value of the first.

    Raises
    ------
    UsageError
        A user or a room of the tables is not of this world.
    """
    user, room = dense(world.user_ids, matrix.user), dense(world.live_ids, matrix.live)
    return value_of_click(world, user, room, matrix.ts)


def dense(ids: Ints, wanted: Ints) -> Ints:
    """Return the place of every ``wanted`` id among a world's ``ids``.

    Raises
    ------
    UsageError
        One of them is not there.
    """
    order = np.argsort(ids)
    place = np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)
    dense = order[place]
    if not np.array_equal(ids[dense], wanted):
        raise UsageError("an id is not of this world", "matrix", "tables of the world's own twin")
    return dense
