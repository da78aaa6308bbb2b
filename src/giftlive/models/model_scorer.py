"""The Scorer of any fitted model, from the rows it was trained on, and what it loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.distillation import DistillationLoss, distil, distillation_loss
from giftlive.models.scorer import Scorer
from giftlive.rng import stream
from giftlive.tables.features.sides import Sides
from giftlive.types import Floats, Ints

LEARNT, JUDGED = 60_000, 20_000
"""Rows a scorer is fitted on and judged by, drawn where there are more."""
LEAST = 20
"""Rows of either kind without which nothing is said."""


class Teacher(Protocol):
    """What a scorer is distilled from: every fitted model, and anything else that values rows."""

    def predict(self, X: Floats, /) -> Floats:
        """Return [n] the expected amount of every row."""


@dataclass(frozen=True)
class ModelScorer:
    """A scorer, the columns it reads on each side, and its loss on users it did not learn from.

    Attributes
    ----------
    scorer : what a rollout calls. sides : columns of the model's features. loss : see
        ``distillation.DistillationLoss``; neither coefficients, knots nor level saw its rows.
    """

    scorer: Scorer
    sides: Sides
    loss: DistillationLoss

    def values(self, X: Floats) -> Floats:
        """Return [n] the scorer's value of every row of features [n, p]."""
        return _values(self.scorer, self.sides, X)


def model_scorer(
    model: Teacher,
    X: Floats,
    names: Sequence[str],
    groups: ArrayLike | None = None,
    *,
    sides: Sides | None = None,
    rank: int = 30,
    seed: int = 0,
) -> ModelScorer:
    """Distil any fitted model into user vector · room vector + context terms.

    The model is asked for at most ``LEARNT`` + ``JUDGED`` rows. A quarter of the users is put
    aside; the scorer is fitted on rows of the others and judged on rows of these.

    Parameters
    ----------
    X : [n, p] a real matrix: the rows decide which pairs are usual, not the amounts.
    names : [p] of its columns; sides follow from the declarations of the features.
    groups : [n] the user of each row (None: every row is a user of its own).
    sides : for columns that are not declared. rank : vectors have at most rank + 2 entries.

    Raises
    ------
    UsageError
        Shapes differ, or a column is not declared and ``sides`` is None.
    NotEnoughDataError
        Fewer than 20 rows to learn from or to be judged by, or no positive value.
    """
    users = np.arange(len(X)) if groups is None else np.asarray(groups)
    if X.ndim != 2 or X.shape[1] != len(names) or users.shape != (len(X),):
        raise UsageError(
            f"shapes {X.shape}, {users.shape} and {len(names)} names",
            "model_scorer",
            "X [n, p], groups [n], names [p]",
        )
    sides = Sides.of(names) if sides is None else sides
    learnt, judged = _apart(users, seed)
    rows, unseen = X[learnt], X[judged]
    scorer, _ = distil(
        model.predict(rows),
        rows[:, sides.user],
        rows[:, sides.room],
        rows[:, sides.context],
        rank=rank,
        seed=seed,
    )
    loss = distillation_loss(model.predict(unseen), _values(scorer, sides, unseen))
    return ModelScorer(scorer, sides, loss)


def _apart(users: Ints, seed: int) -> tuple[Ints, Ints]:
    """Return rows to learn from and rows of other users to judge by, in order."""
    draw = stream(seed, "rows of the scorer")
    ids, user = np.unique(users, return_inverse=True)
    held = (draw.permutation(len(ids)) % 4 == 0)[user]
    found = []
    for rows, most in ((np.flatnonzero(~held), LEARNT), (np.flatnonzero(held), JUDGED)):
        some = rows if len(rows) <= most else np.sort(draw.choice(rows, most, replace=False))
        found.append(some)
    if min(map(len, found)) < LEAST:
        raise NotEnoughDataError(
            f"{len(found[0])} rows to learn from, {len(found[1])} of other users to judge by",
            "model_scorer",
            f"at least {LEAST} of each",
            "give more rows, or leave groups out",
        )
    return found[0], found[1]


def _values(scorer: Scorer, sides: Sides, X: Floats) -> Floats:
    return scorer.score_pairs(
        scorer.user_vectors(X[:, sides.user]),
        scorer.room_vectors(X[:, sides.room]),
        scorer.context_terms(X[:, sides.context]),
    )
