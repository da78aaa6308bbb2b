"""Two signals of supply: what an hour of attention brings a room, and how likely it overflows."""

from __future__ import annotations

import numpy as np

from giftlive.errors import InputError
from giftlive.types import Floats


def supply_efficiency(
    amount: Floats, watch_seconds: Floats, prior_seconds: float = 3_600.0
) -> tuple[Floats, Floats]:
    """Return [S] the gift amount per second watched, shrunk, and its rank among streamers.

    e_s = (A_s + κ ē) / (W_s + κ), ē = Σ A / Σ W: the posterior mean of a rate under a gamma prior
    worth κ seconds at the overall rate. The rank is the share of streamers with a lower e, half
    of the equal ones counted, in (0, 1). Unshrunk, the first places belong to rooms that were
    watched for a minute and given one gift.

    Parameters
    ----------
    amount, watch_seconds : [S] totals of the past, >= 0. prior_seconds : κ > 0.

    Raises
    ------
    InputError
        A total is negative or not a number.

    Examples
    --------
    >>> rate, rank = supply_efficiency(np.array([60.0, 600.0]), np.array([60.0, 36_000.0]))
    >>> (rate * 3_600).round(1).tolist(), rank.tolist()
    ([123.8, 60.5], [0.75, 0.25])
    """
    _totals(amount, "amount")
    _totals(watch_seconds, "watch_seconds")
    whole = float(watch_seconds.sum())
    mean = float(amount.sum()) / whole if whole else 0.0
    rate = (amount + prior_seconds * mean) / (watch_seconds + prior_seconds)
    ordered = np.sort(rate)
    below = np.searchsorted(ordered, rate, side="left")
    up_to = np.searchsorted(ordered, rate, side="right")
    return rate, (below + up_to) / (2.0 * max(len(rate), 1))


def overload_risk(
    arrivals: Floats,
    window_seconds: float,
    stay_seconds: Floats,
    seats: Floats,
    prior_windows: float = 0.25,
) -> Floats:
    """Return [S] the chance that more viewers are in a room at once than it has seats.

    Arrivals are Poisson with rate λ_s, a stay lasts t_s on average: the viewers at one moment are
    Poisson with mean λ_s t_s whatever the law of the stays (M/G/∞). λ_s is not known: with a gamma
    prior worth κ windows at the mean rate of all rooms, the viewers are negative binomial with
    shape a = arrivals + κ·mean and odds t_s / (window·(1 + κ)).

    Assumption: the rate of the window goes on, and a stay is short against the time that it does.
    Where a crowd attracts a crowd the tail is heavier and the risk is a lower bound.

    Parameters
    ----------
    arrivals : [S] entries seen in the last ``window_seconds``, >= 0. stay_seconds : [S] mean stay.
    seats : [S] viewers that fit, >= 0. prior_windows : κ > 0.

    Raises
    ------
    InputError
        A number is negative or not finite.

    References
    ----------
    Takács (1962), "Introduction to the Theory of Queues", chapter 3 (M/G/∞).

    Examples
    --------
    >>> risk = overload_risk(np.array([0.0, 60.0]), 600.0, np.full(2, 60.0), np.full(2, 8.0))
    >>> risk.round(3).tolist()
    [0.0, 0.105]
    """
    from scipy.stats import nbinom

    for values, name in ((arrivals, "arrivals"), (stay_seconds, "stay_seconds"), (seats, "seats")):
        _totals(values, name)
    mean = float(arrivals.mean()) if len(arrivals) else 0.0
    shape = arrivals + prior_windows * mean
    odds = stay_seconds / (window_seconds * (1.0 + prior_windows))
    risk = nbinom.sf(np.floor(seats), np.maximum(shape, np.finfo(float).tiny), 1.0 / (1.0 + odds))
    return np.where(shape > 0.0, risk, 0.0)


def _totals(values: Floats, name: str) -> None:
    if not (np.isfinite(values) & (values >= 0.0)).all():
        raise InputError("a number is negative or not finite", f"argument {name}", ">= 0")
