"""Whether a score finds the whales: the few users who carry most of the money.

A whale is a user above a stated percentile of a stated *past* quantity (default in the design:
past spend, strictly before the decision). The flag is made before the outcome is seen, by
:func:`above_percentile` over one row per user; a whale by the spend that is being predicted
would be found by any model that predicts it, and say nothing.

Two units. By sample: the rows as they are, a whale who comes often counts often. By user: one
row per user, made by :func:`per_user`; then row weights belong to users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import InputError, UsageError
from giftlive.metrics.order import (
    Ranking,
    checked_fraction,
    column,
    flags,
    row_weights,
    share,
    whole_numbers,
)
from giftlive.stats.cluster_sums import cluster_sums
from giftlive.types import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class WhaleSearch:
    """What the top of a score holds of the whales; ``nan`` where a number has no value.

    Attributes
    ----------
    recall : whales in the top / whales. precision : whales in the top / rows in the top.
    lift : precision / share of whales among all rows; 1 for a score that knows nothing.
    capture : the whales' amount in the top / the whales' amount.
    """

    recall: float
    precision: float
    lift: float
    capture: float


@dataclass(frozen=True, slots=True)
class UserRows:
    """One row per user, ascending by id.

    Attributes
    ----------
    user : [u] ids. amount, score : [u] sums of the user's rows. whale : [u].
    """

    user: Ints
    amount: Floats
    score: Floats
    whale: Bools


def above_percentile(past: ArrayLike, percentile: float, weights: ArrayLike | None = None) -> Bools:
    """Return [n] who lies strictly above a percentile of a past quantity.

    The percentile is the smallest value that at least ``percentile`` % of the users do not
    exceed (the inverse of the empirical distribution). Users tied with it are not whales: when
    nobody stands out nobody is one, and there may be fewer than (100 − percentile) %.

    Parameters
    ----------
    past : [u] one value per user, known before the decision. percentile : in (0, 100).

    Examples
    --------
    >>> above_percentile([0.0, 0.0, 5.0, 900.0], 75.0).tolist()
    [False, False, False, True]
    """
    if not 0.0 < percentile < 100.0:
        hint = "the top 1 % is percentile 99"
        raise UsageError(f"{percentile}", "argument percentile", "a number in (0, 100)", hint)
    values = column(past, "past")
    w = row_weights(weights, len(values))
    if not w.sum() > 0.0:
        return np.zeros(len(values), dtype=np.bool_)
    return values > np.quantile(values, percentile / 100.0, method="inverted_cdf", weights=w)


def per_user(user: ArrayLike, y: ArrayLike, score: ArrayLike, whale: ArrayLike) -> UserRows:
    """Add the rows of every user, for the numbers by user.

    Parameters
    ----------
    user : [n] ids. y : [n] amounts. score : [n] expected amounts: their sum is the user's.
    whale : [n] the same for all rows of a user.

    Raises
    ------
    InputError
        A user is a whale in some rows only: which row decides would decide the result.

    Examples
    --------
    >>> per_user([7, 3, 7], [1.0, 0.0, 2.0], [0.5, 0.1, 0.5], [True, False, True]).amount.tolist()
    [0.0, 3.0]
    """
    who = whole_numbers(user, "user")
    amount, guess = column(y, "y", len(who)), column(score, "score", len(who))
    flag = flags(whale, "whale", len(who))
    sums = cluster_sums(who, np.column_stack([amount, guess, flag, np.ones(len(who))]))
    flagged, rows = sums.values[:, 2], sums.values[:, 3]
    mixed = sums.keys[(flagged > 0.0) & (flagged < rows)]
    if len(mixed):
        raise InputError(
            f"{len(mixed)} users with and without the flag, the first is {mixed[0]}",
            "argument whale",
            "one flag per user",
            "take the flag as of the start of the window",
        )
    return UserRows(sums.keys, sums.values[:, 0], sums.values[:, 1], flagged > 0.0)


def whale_search(
    y: ArrayLike,
    score: ArrayLike,
    whale: ArrayLike,
    fraction: float,
    weights: ArrayLike | None = None,
) -> WhaleSearch:
    """Estimate what the top ``fraction`` of a score holds of the whales.

    With t the part of a row that lies in the top (ties share it)::

        recall = Σ w t whale / Σ w whale      precision = Σ w t whale / Σ w t
        lift = precision · Σ w / Σ w whale    capture = Σ w t whale y / Σ w whale y

    Parameters
    ----------
    y : [n] amounts >= 0. score : [n] any finite ranking score. whale : [n] flags of the past.
    fraction : in (0, 1]. weights : [n] >= 0; of rows by sample, of users by user.

    Returns
    -------
    WhaleSearch
        recall and lift are nan without whales, capture without an amount of theirs.

    Examples
    --------
    >>> whale_search([9.0, 1.0, 0.0, 0.0], [4.0, 1.0, 3.0, 2.0], [True, True, False, False], 0.5)
    WhaleSearch(recall=0.5, precision=0.5, lift=1.0, capture=0.9)
    """
    guess = column(score, "score")
    amount, flag = column(y, "y", len(guess)), flags(whale, "whale", len(guess))
    w = row_weights(weights, len(guess))
    total = float(w.sum())
    top = w * Ranking.by(guess).share_within(checked_fraction(fraction) * total, w)
    found, whales = float(np.sum(top * flag)), float(np.sum(w * flag))
    precision = share(found, fraction * total)
    return WhaleSearch(
        recall=share(found, whales),
        precision=precision,
        lift=share(precision, share(whales, total)),
        capture=share(float(np.sum(top * flag * amount)), float(np.sum(w * flag * amount))),
    )
