"""How bad the bad outcomes are, how far seeds differ, and whether one user carries a number."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from giftlive.metrics.order import (
    UNDEFINED,
    Ranking,
    checked_fraction,
    column,
    mean,
    row_weights,
    share,
    whole_numbers,
)


def cvar(outcome: ArrayLike, tail: float = 0.05, weights: ArrayLike | None = None) -> float:
    """Estimate the conditional value at risk: the mean of the worst ``tail`` of the outcomes.

    (1/α)·∫_0^α q(u) du with q the empirical quantile function. The tail holds exactly ``tail``
    of the weight: the outcome at the border counts in part, so the number is continuous in
    ``tail`` and no interpolation is chosen. Lower is worse; of losses, pass the negative.

    Parameters
    ----------
    outcome : [n] one per unit, e.g. revenue of a day × seed. tail : α in (0, 1].

    Returns
    -------
    float, in units of the outcome, at most its mean; nan without weight.

    References
    ----------
    Rockafellar and Uryasev (2002), "Conditional value-at-risk for general loss distributions",
    Proposition 8 (discrete distributions, the atom at the border is split).

    Examples
    --------
    >>> cvar([4.0, 1.0, 3.0, 2.0], tail=0.375)
    1.3333333333333333
    """
    x = column(outcome, "outcome")
    w = row_weights(weights, len(x))
    worst = w * Ranking.by(-x).share_within(checked_fraction(tail) * float(w.sum()), w)
    return mean(x, worst)


def seed_variance(value: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the variance of a number across seeds: Σ w (x − mean)² / (Σ w − 1).

    Parameters
    ----------
    value : [s] one per independent seed, everything else equal.

    Returns
    -------
    float, in squared units; nan for one seed or none: one run says nothing about its luck.

    Examples
    --------
    >>> seed_variance([1.0, 2.0, 3.0])
    1.0
    """
    x = column(value, "value")
    w = row_weights(weights, len(x))
    total = float(w.sum())
    if total <= 1.0:
        return UNDEFINED
    return float(np.sum(w * (x - mean(x, w)) ** 2)) / (total - 1.0)


def largest_user_share(
    contribution: ArrayLike, user: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Estimate the share of an estimate that is due to its largest user.

    max_u |c_u| / Σ_u |c_u| with c_u the sum of the user's contributions. Of ψ² (squared influence
    per user) instead of contributions it is the share of the *variance*: an interval that rests
    on one user is not an interval of a population.

    Parameters
    ----------
    contribution : [n] what each row adds to the estimate; of any sign. user : [n] ids.

    Returns
    -------
    float in (0, 1]; 1 / (number of users) when all weigh the same; nan when nothing contributes.

    Examples
    --------
    >>> largest_user_share([1.0, 2.0, 5.0], user=[7, 7, 8])
    0.625
    """
    who = whole_numbers(user, "user")
    added = row_weights(weights, len(who)) * column(contribution, "contribution", len(who))
    _, index = np.unique(who, return_inverse=True)
    per_user = np.abs(np.bincount(index, added))
    return share(float(per_user.max(initial=0.0)), float(per_user.sum()))
