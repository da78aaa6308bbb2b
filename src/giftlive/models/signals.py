"""The other signals allocation needs: how often a shown room is entered, how long it is watched.

A value model trained on entered rooms estimates E[amount | clicked]. A decision is about
E[amount | shown] = P(clicked | shown) · E[amount | clicked], and it costs the seat time
E[watch seconds | shown]. Both are means per exposure and are estimated by a rank-one table

    rate(u, s) = g · a_u · b_s,

g the overall mean, a_u and b_s the user's and the streamer's mean relative to g, each shrunk
towards 1. Assumption: no user–streamer interaction; where there is one (a loyal viewer), the
estimate is the average over streamers and says so in the gap between its fit and the logs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class RankOneRate:
    """g · a_u · b_s, cut to ``[0, upper]``.

    Attributes
    ----------
    mean : g, per exposure. user : [U] a_u. streamer : [S] b_s. upper : largest possible value.
    """

    mean: float
    user: Floats
    streamer: Floats
    upper: float

    def table(self) -> Floats:
        """Return the rate of every pair, [U, S]."""
        return np.minimum(self.mean * np.outer(self.user, self.streamer), self.upper)


def fit_rank_one(
    exposures_user: Ints,
    total_user: Floats,
    exposures_streamer: Ints,
    total_streamer: Floats,
    prior_exposures: float = 50.0,
    upper: float = np.inf,
) -> RankOneRate:
    """Estimate the rate table from totals by user and by streamer.

    Shrinkage: a = (total + k g) / ((exposures + k) g), the posterior mean of a rate under a
    prior worth ``k`` exposures at the overall mean; unseen users and streamers get 1.

    Parameters
    ----------
    exposures_user, total_user : [U] exposures and summed outcome (clicks, or watch seconds).
    exposures_streamer, total_streamer : [S] the same by streamer.
    prior_exposures : k >= 0.
    upper : cap of a rate (1 for a probability).

    Returns
    -------
    RankOneRate
        All factors 1 and mean 0 when there is no exposure at all.

    Examples
    --------
    >>> rate = fit_rank_one(np.array([10, 0]), np.array([5.0, 0]), np.array([10]), np.array([5.0]))
    >>> rate.table().round(2).tolist()
    [[0.5], [0.5]]
    """
    shown = int(exposures_user.sum())
    mean = float(total_user.sum()) / shown if shown else 0.0
    return RankOneRate(
        mean=mean,
        user=_relative(exposures_user, total_user, mean, prior_exposures),
        streamer=_relative(exposures_streamer, total_streamer, mean, prior_exposures),
        upper=upper,
    )


def _relative(exposures: Ints, total: Floats, mean: float, prior: float) -> Floats:
    if mean <= 0:
        return np.ones(len(exposures))
    seen = exposures + prior > 0
    weight = np.where(seen, exposures + prior, 1.0)
    return np.where(seen, (total + prior * mean) / (weight * mean), 1.0)
