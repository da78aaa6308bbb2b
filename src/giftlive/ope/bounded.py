"""Intervals for weighted estimates that hold at every number of users, from known bounds.

With rewards in [0, R], weights at most W and at most M rows a user, all known beforehand, one
user's part of the numerator lies in [0, N = M W R] and of the denominator in [0, D]. The claim
"the value is v" says that num_g - v den_g has mean 0 over users, and these lie in [-v D, N]. The
interval is the set of v that a test of that mean does not reject::

    empirical_bernstein  |mean| <= √(2 V(v) log(2/δ) / G) + 7 (N + v D) log(2/δ) / (3 (G - 1))
    betting              no bet against the mean gains a factor of 1/α

So both hold for self-normalised estimators too. Assumption: users are independent. A bound read
off the sample makes them meaningless: weights are bounded by the floor of the logging policy.

References: Maurer, Pontil (2009), Theorem 4; Waudby-Smith, Ramdas (2024), section 4; Waudby-Smith,
Wu, Ramdas, Karampatziakis, Mineiro (2024), "Anytime-valid off-policy inference".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize

from giftlive.errors import InputError
from giftlive.ope.estimators import FIXED, Estimator
from giftlive.ope.forms import RATIO
from giftlive.stats.bernstein import empirical_bernstein
from giftlive.stats.betting import betting, log_capital_path
from giftlive.stats.cluster_sums import ClusterSums
from giftlive.stats.intervals import Interval, checked_level, no_interval
from giftlive.types import Floats

Guaranteed = Literal["empirical_bernstein", "betting"]

_SLACK = 1.0 + 1e-9
"""Bounds are met up to rounding."""


@dataclass(frozen=True)
class Bounds:
    """What is known of a log before it is seen.

    Attributes
    ----------
    reward : largest reward; the smallest is 0. weight : largest importance weight.
    rows : most rows of one user.
    """

    reward: float
    weight: float
    rows: int = 1

    def __post_init__(self) -> None:
        if not (0.0 < self.reward < np.inf and 0.0 < self.weight < np.inf and self.rows >= 1):
            raise InputError(str(self), "Bounds", "finite numbers above 0")


def bounded_ratio(
    estimator: Estimator,
    state: ClusterSums,
    bounds: Bounds,
    method: Guaranteed = "betting",
    level: float = 0.95,
) -> Interval:
    """Estimate the value per decision with an interval that holds at every number of users.

    Parameters
    ----------
    estimator : one whose terms are a ratio of numbers >= 0 (not DR, whose terms have signs).
    state : of ``estimator``.

    Returns
    -------
    Interval
        Inside [0, R]; ``undefined`` for an estimator of another kind.

    Raises
    ------
    InputError
        A user exceeds the bounds.
    """
    sums = state.values
    problem = estimator.problem(sums)
    if problem is not None:
        return problem
    num, den = sums[:, FIXED], sums[:, FIXED + 1]
    users, name = len(sums), f"{estimator.name}, {method}"
    if estimator.form != RATIO or num.min() < 0.0:
        reason = "needs an estimator whose terms are never below 0"
        return no_interval("undefined", reason, name, users, "users")
    most_num = bounds.rows * bounds.weight * bounds.reward
    counted = np.array_equal(den, sums[:, 0])
    most_den = bounds.rows * (1.0 if counted else bounds.weight)
    _refuse_beyond(num, most_num, "numerator")
    _refuse_beyond(den, most_den, "denominator")
    num, den = np.minimum(num, most_num), np.minimum(den, most_den)
    value = min(float(num.sum() / den.sum()), bounds.reward)
    if den.min() == den.max():
        plain = empirical_bernstein if method == "empirical_bernstein" else betting
        found = plain(num / den[0], 0.0, most_num / float(den[0]), level, "users")
        assert found.low is not None
        assert found.high is not None
        low, high = found.low, max(min(found.high, bounds.reward), value)
        return Interval(value, min(low, value), high, name, users, "users")
    distance = (_bernstein if method == "empirical_bernstein" else _betting)(
        num, den, most_num, most_den, level
    )
    low, high = _accepted(distance, value, bounds.reward)
    return Interval(value, low, high, name, users, "users")


def _refuse_beyond(part: Floats, most: float, what: str) -> None:
    bad = np.flatnonzero(part > most * _SLACK)
    if len(bad):
        raise InputError(
            f"a user's {what} of {part[bad[0]]:g} ({len(bad):,} such users)",
            "bounds",
            f"at most {most:g}",
            "bounds are known before the log: the cap of rewards, the floor of the logger",
        )


def _accepted(distance: Callable[[float], float], value: float, most: float) -> tuple[float, float]:
    """Return the ends of {v : distance(v) <= 0} around ``value``, within [0, most].

    The distance is below 0 at ``value`` and crosses 0 at most once on each side of it, or comes
    back to stay below: then the side is open and its end is that of the range.
    """
    tiny = value * 1e-12
    low = high = value
    if value > 0.0:
        open_below = distance(tiny) <= 0.0
        low = 0.0 if open_below else float(optimize.brentq(distance, tiny, value, xtol=tiny))
    if value < most:
        open_above = distance(most) <= 0.0
        high = most if open_above else float(optimize.brentq(distance, value, most))
    return low, high


def _bernstein(
    num: Floats, den: Floats, most_num: float, most_den: float, level: float
) -> Callable[[float], float]:
    n, log = len(num), math.log(4.0 / (1.0 - checked_level(level)))
    cross = np.cov(num, den)
    mean_num, mean_den = float(num.mean()), float(den.mean())

    def distance(v: float) -> float:
        variance = max(float(cross[0, 0] - 2.0 * v * cross[0, 1] + v * v * cross[1, 1]), 0.0)
        span = most_num + v * most_den
        half = math.sqrt(2.0 * variance * log / n) + 7.0 * span * log / (3.0 * (n - 1))
        return abs(mean_num - v * mean_den) - half

    return distance


def _betting(
    num: Floats, den: Floats, most_num: float, most_den: float, level: float
) -> Callable[[float], float]:
    limit = math.log(1.0 / (1.0 - checked_level(level)))

    def distance(v: float) -> float:
        x = np.clip(num - v * den, -v * most_den, most_num)
        return float(log_capital_path(x, 0.0, -v * most_den, most_num)[-1]) - limit

    return distance
