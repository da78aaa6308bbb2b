"""The whole distribution of the reward under the target policy: quantiles and expected shortfall.

The weighted distribution function F(x) = Σ w 1[r <= x] / Σ w estimates what share of decisions
would earn at most x; everything else is read from it. Bounds come from users resampled with the
keyed Poisson weights.

Assumption: as for SNIPS, of which F(x) is one for every x. A quantile needs mass near it: with
few effective decisions beyond it the bounds are wide or undefined.

Reference: Huang, Leqi, Lipton, Azizzadenesheli (2021), "Off-policy risk assessment in contextual
bandits", the weighted distribution function.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from giftlive.errors import InputError
from giftlive.ope.log import Interactions
from giftlive.stats.bootstrap import clustered_bootstrap
from giftlive.stats.intervals import Interval
from giftlive.types import Floats

Side = Literal["lowest", "highest"]


def weighted_cdf(reward: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Compute the weighted distribution function at every distinct reward.

    Returns
    -------
    x, share : ascending distinct rewards and F(x); empty where no weight is.

    Examples
    --------
    >>> x, share = weighted_cdf(np.array([5.0, 0.0, 5.0]), np.array([1.0, 2.0, 1.0]))
    >>> x.tolist(), share.tolist()
    ([0.0, 5.0], [0.5, 1.0])
    """
    x, index = np.unique(reward, return_inverse=True)
    mass = np.bincount(index, weight, len(x))
    total = float(mass.sum())
    if not total > 0.0:
        return np.zeros(0), np.zeros(0)
    return x, np.cumsum(mass) / total


def off_policy_quantile(
    log: Interactions, p: float, replicates: int = 400, seed: int = 0, level: float = 0.95
) -> Interval:
    """Estimate the ``p`` quantile of the reward under the target policy, clustered by user.

    Examples
    --------
    >>> log = Interactions(
    ...     user=np.arange(8), action=np.tile([0, 1], 4), propensity=np.full(8, 0.5),
    ...     reward=np.arange(8.0), target=np.full((8, 2), 0.5))
    >>> off_policy_quantile(log, 0.5).value
    3.0
    """
    if not 0.0 < p < 1.0:
        raise InputError(f"p {p:g}", "off_policy_quantile", "a number strictly between 0 and 1")
    order = np.argsort(log.reward, kind="stable")
    reward, weight = log.reward[order], log.weight[order]

    def statistic(times: Floats) -> float:
        mass = np.cumsum(weight * times[order])
        if not (len(mass) and mass[-1] > 0.0):
            return math.nan
        return float(reward[np.searchsorted(mass, p * mass[-1] * (1.0 - 1e-12))])

    return clustered_bootstrap(statistic, log.user, replicates, seed, level, "users")


def off_policy_cvar(
    log: Interactions,
    p: float,
    side: Side = "lowest",
    replicates: int = 400,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Estimate the mean reward of the ``p`` share of decisions that earn least, or most.

    The decision on the border counts with the part of its weight that lies inside.

    Examples
    --------
    >>> log = Interactions(
    ...     user=np.arange(8), action=np.tile([0, 1], 4), propensity=np.full(8, 0.5),
    ...     reward=np.arange(8.0), target=np.full((8, 2), 0.5))
    >>> off_policy_cvar(log, 0.5).value, off_policy_cvar(log, 0.25, side="highest").value
    (1.5, 6.5)
    """
    if not 0.0 < p <= 1.0:
        raise InputError(f"p {p:g}", "off_policy_cvar", "a number in (0, 1]")
    order = np.argsort(log.reward if side == "lowest" else -log.reward, kind="stable")
    reward, weight = log.reward[order], log.weight[order]

    def statistic(times: Floats) -> float:
        w = weight * times[order]
        total = float(w.sum())
        if not total > 0.0:
            return math.nan
        border = p * total
        inside = np.clip(border - (np.cumsum(w) - w), 0.0, w)
        return float(inside @ reward) / border

    return clustered_bootstrap(statistic, log.user, replicates, seed, level, "users")
