"""The best an observer could know of a value: E[value | observables], learnt from the truth.

In a world the expected value of every row is known, latents included. Regressed on what an
observer sees, it gives the conditional mean

    b(x) = E[v | x],   v = E[amount | everything],   so that b(x) = E[amount | x],

whose order is the best any observer of x can have. Learning from v instead of realised amounts
takes the luck of single gifts out, and a world can be asked for as many rows as one likes.

Method: boosted regression trees under a Tweedie deviance, which the conditional mean minimises
whatever the law of v >= 0 is. Its power says how rows weigh: errors count as if the variance of v
grew with its mean to that power. Expected amounts spread over nine orders of magnitude, so that
under Poisson's power of 1 a few givers of the other half are the whole deviance, and learning is
stopped after a handful of trees (docs/decisions/0029). Two halves of the clusters each train
one, stopped early on the other half, and ``value`` is their mean. The error left makes a ceiling
too low, never too high on average: any order by a function of x is one that an observer could
have. How much is left is told by ``halves``: see ``evaluation.ceiling``.

Most rows are worth next to nothing. ``drawn`` keeps those that matter and a share of the others,
each with one over its chance as weight, which leaves the expected deviance as it is.
"""

from __future__ import annotations

from collections.abc import Callable
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
POWER = 1.5
"""Of the Tweedie deviance, halfway between counts (1) and amounts with relative errors (2)."""

_TREES = {
    "objective": "tweedie",
    "tweedie_variance_power": POWER,
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
    rows : that it was learnt from, before any draw. method : in words.
    """

    value: Floats
    halves: Floats
    rows: int
    method: str = "mean of two boosted trees of a Tweedie deviance, each on half of the clusters"


@dataclass(frozen=True)
class Lesson:
    """Rows that teach E[value | observables].

    Attributes
    ----------
    observed : [N, d] observables, nan = missing. expected : [N] exact expected values >= 0.
    cluster : [N] user or world of each row: a cluster is in one half only.
    weight : [N] rows that each stands for; None: one. rows : that it was drawn from; None: N.
    """

    observed: Floats
    expected: Floats
    cluster: Ints
    weight: Floats | None = None
    rows: int | None = None

    @property
    def drawn_from(self) -> int:
        """Return how many rows there were before any draw."""
        return len(self.observed) if self.rows is None else self.rows


def drawn(value: Floats, rows: int, generator: np.random.Generator) -> tuple[Ints, Floats]:
    """Draw about ``rows`` of n rows, large values surely, and return their places and weights.

    A row is kept with chance pi = min(1, rows / 2n + value / t), where t makes the chances sum to
    ``rows``, and weighs 1 / pi (Horvitz & Thompson 1952): sums over all rows are met on average.
    All rows, each of weight 1, where n <= ``rows`` or where no value is positive.
    """
    value = np.asarray(value, dtype=np.float64)
    if len(value) <= rows or not (value > 0.0).any():
        return np.arange(len(value)), np.ones(len(value))
    base = 0.5 * rows / len(value)

    def chances(log_t: float) -> Floats:
        return np.minimum(1.0, base + value / np.exp(log_t))

    low, high = np.log(value.sum() / len(value)) - 50.0, np.log(value.sum()) + 50.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if chances(middle).sum() > rows else (low, middle)
    chance = chances(high)
    kept = np.flatnonzero(generator.random(len(value)) < chance)
    return kept, 1.0 / chance[kept]


def value_of_click(
    world: World, user: ArrayLike, room: ArrayLike, ts: ArrayLike, *, state: RoomState = EMPTY
) -> Floats:
    """Return the exact E[gift amount | clicked, state]: ``true_value`` over P(click); 0 where 0."""
    click = true_click_probability(world, user, room, ts, state=state)
    value = true_value(world, user, room, ts, state=state)
    return np.divide(value, click, out=np.zeros_like(value), where=click > 0.0)


@dataclass(frozen=True)
class BayesLaw:
    """E[value | observables], learnt: one function per half of the clusters.

    Attributes
    ----------
    halves : [n, d] observables -> [n] values each. rows, width : of the lesson.
    """

    halves: tuple[Callable[[Floats], Floats], ...]
    rows: int
    width: int

    def at(self, observed: Floats, model_rows: int) -> BayesValue:
        """Return the values of n rows, best of other clusters than those that taught.

        Parameters
        ----------
        observed : [n, d]. model_rows : how many rows the models get that the ceiling is for.

        Raises
        ------
        NotEnoughDataError
            The lesson was drawn from fewer than 20 ``model_rows``.
        """
        observed = np.asarray(observed, dtype=np.float64)
        if observed.ndim != 2 or observed.shape[1] != self.width:
            raise UsageError(f"shape {observed.shape}", "observed", f"[n, {self.width}]")
        if self.rows < TIMES_THE_DATA * model_rows:
            raise NotEnoughDataError(
                f"{self.rows:,} rows for models of {model_rows:,}",
                "observed",
                f"at least {TIMES_THE_DATA} times as many",
                "generate the world under more seeds",
            )
        values = np.stack([half(observed) for half in self.halves])
        return BayesValue(values.mean(axis=0), values, self.rows)


def bayes_value(lesson: Lesson, at: Floats, model_rows: int) -> BayesValue:
    """Learn E[value | observables] and return it at rows [n, d]: ``bayes_law``, ``BayesLaw.at``."""
    return bayes_law(lesson).at(at, model_rows)


def bayes_law(lesson: Lesson) -> BayesLaw:
    """Learn E[value | observables].

    Raises
    ------
    NotEnoughDataError
        The lesson has fewer than two clusters.
    """
    _check(lesson)
    index = np.unique(lesson.cluster, return_inverse=True)[1]
    first = index % 2 == 0
    halves = tuple(_half(lesson, part) for part in (first, ~first))
    return BayesLaw(halves, lesson.drawn_from, lesson.observed.shape[1])


def _check(lesson: Lesson) -> None:
    observed, expected, cluster = lesson.observed, lesson.expected, lesson.cluster
    if not (observed.ndim == 2 and len(observed) == len(expected) == len(cluster)):
        raise UsageError(
            f"shapes {observed.shape}, {np.shape(expected)}, {np.shape(cluster)}",
            "Lesson",
            "[N, d], [N] and [N]",
        )
    if not (np.isfinite(expected).all() and (expected >= 0.0).all()):
        raise UsageError("an expected value is negative or not finite", "expected", ">= 0")
    if len(np.unique(cluster)) < 2:
        raise NotEnoughDataError("one cluster cannot be halved", "cluster", "at least 2")


def _half(lesson: Lesson, part: Bools) -> Callable[[Floats], Floats]:
    """Return what was learnt from the rows of ``part``, stopped early on the others."""
    weight = np.ones(len(part)) if lesson.weight is None else lesson.weight
    scale = float(np.average(lesson.expected[part], weights=weight[part]))
    if not scale > 0.0:
        return lambda at: np.zeros(len(at))
    import lightgbm

    def rows(keep: Bools, **reference: Any) -> Any:
        label = lesson.expected[keep] / scale
        return lightgbm.Dataset(lesson.observed[keep], label, weight=weight[keep], **reference)

    train = rows(part)
    trees = lightgbm.train(
        _TREES,
        train,
        _ROUNDS,
        valid_sets=[rows(~part, reference=train)],
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
    )
    return lambda at: scale * np.asarray(trees.predict(at), dtype=np.float64)
