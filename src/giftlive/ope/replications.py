"""The estimators over many replications of one experiment at once, for coverage studies.

Each function takes R independent logs of n decisions as [R, n] arrays and returns the R
estimates with their bounds; they equal ``Estimator.estimate`` log by log (tested), without its
statuses.
"""

from __future__ import annotations

import numpy as np

from giftlive.stats.intervals import ratio_replications
from giftlive.types import Floats, Ints

Bounds = tuple[Floats, Floats, Floats]


def ips_replications(
    rewards: Floats,
    propensities: Floats,
    target_of_action: Floats,
    cluster: Ints | None = None,
    level: float = 0.95,
) -> Bounds:
    """Compute the IPS estimate and interval of R logs.

    Parameters
    ----------
    rewards : [R, n]. propensities : [R, n] of the logged action, in (0, 1].
    target_of_action : [R, n] target probability of the logged action.
    cluster : [n] user of each position, the same in all logs; None: each its own.

    Returns
    -------
    value, low, high : [R].

    Examples
    --------
    >>> value, low, high = ips_replications(
    ...     np.array([[4.0, 2.0]]), np.array([[0.5, 0.5]]), np.array([[0.75, 0.25]]))
    >>> value.tolist()
    [3.5]
    """
    weight = target_of_action / propensities
    return ratio_replications(weight * rewards, np.ones_like(weight), cluster, level)


def snips_replications(
    rewards: Floats,
    propensities: Floats,
    target_of_action: Floats,
    cluster: Ints | None = None,
    level: float = 0.95,
) -> Bounds:
    """Compute the SNIPS estimate and interval of R logs; see :func:`ips_replications`."""
    weight = target_of_action / propensities
    return ratio_replications(weight * rewards, weight, cluster, level)


def dr_replications(
    rewards: Floats,
    propensities: Floats,
    target_of_action: Floats,
    q_of_action: Floats,
    q_of_target: Floats,
    cluster: Ints | None = None,
    level: float = 0.95,
) -> Bounds:
    """Compute the DR estimate and interval of R logs; see :func:`ips_replications`.

    Parameters
    ----------
    q_of_action : [R, n] modelled reward of the logged action.
    q_of_target : [R, n] Σ_a π(a) q(a), the modelled reward of the target policy.
    """
    weight = target_of_action / propensities
    terms = q_of_target + weight * (rewards - q_of_action)
    return ratio_replications(terms, np.ones_like(weight), cluster, level)
