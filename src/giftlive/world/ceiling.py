"""The best an observer could know of a value: E[value | observables], learnt from the truth.

In a world the expected value of every row is known, latents included. Regressed on what an
observer sees, it gives the conditional mean

    b(x) = E[v | x],   v = E[amount | everything],   so that b(x) = E[amount | x],

whose order is the best any observer of x can have. Learning from v instead of realised amounts
takes the luck of single gifts out, and a world can be asked for as many rows as one likes.

Method: boosted regression trees under the Poisson deviance, which the conditional mean minimises
whatever the law of v >= 0 is. Two halves of the clusters each train one, stopped early on the
other half, and ``value`` is their mean. The error left makes a ceiling too low, never too high
on average: any order by a function of x is one that an observer could have. How much is left is
told by ``halves``: see ``evaluation.ceiling``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.types import Bools, Floats, Ints
from giftlive.world.entities import World
from giftlive.world.truth import EMPTY, RoomState, true_click_probability, true_value

TIMES_THE_DATA = 20
"""How many rows the truth is learnt from for each one that a model gets."""

_ROUNDS, _PATIENCE = 2_000, 30
_TREES = {
    "objective": "poisson",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class BayesValue:
    """E[value | observables] of n rows.

    Attributes
    ----------
    value : [n] mean of the two. halves : [2, n] learnt from one half of the clusters each.
    rows : that it was learnt from. method : in words.
    """

    value: Floats
    halves: Floats
    rows: int
    method: str = "mean of two Poisson boosted trees, each on half of the clusters"


def value_of_click(
    world: World, user: ArrayLike, room: ArrayLike, ts: ArrayLike, *, state: RoomState = EMPTY
) -> Floats:
    """Return the exact E[gift amount | clicked, state]: ``true_value`` over P(click); 0 where 0."""
    click = true_click_probability(world, user, room, ts, state=state)
    value = true_value(world, user, room, ts, state=state)
    return np.divide(value, click, out=np.zeros_like(value), where=click > 0.0)


def bayes_value(
    observed: Floats, expected: Floats, cluster: Ints, at: Floats, model_rows: int
) -> BayesValue:
    """Estimate E[value | observables] at the rows ``at``.

    Parameters
    ----------
    observed : [N, d] observables, nan = missing. expected : [N] exact expected values >= 0.
    cluster : [N] user or world of each row: a cluster is in one half only.
    at : [n, d] observables of the rows to order; best of other clusters.
    model_rows : how many rows the models get that the ceiling is for.

    Raises
    ------
    NotEnoughDataError
        N < 20 ``model_rows``, or fewer than two clusters.
    """
    observed, expected, at = (np.asarray(a, dtype=np.float64) for a in (observed, expected, at))
    _check(observed, expected, cluster, at, model_rows)
    index = np.unique(cluster, return_inverse=True)[1]
    first = index % 2 == 0
    halves = np.stack([_half(observed, expected, part, at) for part in (first, ~first)])
    return BayesValue(halves.mean(axis=0), halves, len(observed))


def _check(observed: Floats, expected: Floats, cluster: Ints, at: Floats, model_rows: int) -> None:
    if not (len(observed) == len(expected) == len(cluster) and observed.shape[1:] == at.shape[1:]):
        raise UsageError(
            f"shapes {observed.shape}, {expected.shape}, {np.shape(cluster)}, {at.shape}",
            "bayes_value",
            "[N, d], [N], [N] and [n, d]",
        )
    if not (np.isfinite(expected).all() and (expected >= 0.0).all()):
        raise UsageError("an expected value is negative or not finite", "expected", ">= 0")
    if len(observed) < TIMES_THE_DATA * model_rows:
        raise NotEnoughDataError(
            f"{len(observed):,} rows for models of {model_rows:,}",
            "observed",
            f"at least {TIMES_THE_DATA} times as many",
            "generate the world under more seeds",
        )
    if len(np.unique(cluster)) < 2:
        raise NotEnoughDataError("one cluster cannot be halved", "cluster", "at least 2")


def _half(observed: Floats, expected: Floats, part: Bools, at: Floats) -> Floats:
    """Return the values [n] learnt from the rows of ``part``, stopped early on the others."""
    scale = float(expected[part].mean())
    if not scale > 0.0:
        return np.zeros(len(at))
    import lightgbm

    def rows(keep: Bools, **reference: Any) -> Any:
        return lightgbm.Dataset(observed[keep], expected[keep] / scale, **reference)

    train = rows(part)
    trees = lightgbm.train(
        _TREES,
        train,
        _ROUNDS,
        valid_sets=[rows(~part, reference=train)],
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
    )
    return scale * np.asarray(trees.predict(at), dtype=np.float64)
