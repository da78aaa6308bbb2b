"""The print rule for weighted estimates.

Weights make users unequal, and the more so the farther the target is from the logging policy. How
often an interval of SNIPS holds was therefore measured at three distances (``off_policy_near``,
``_middle``, ``_far`` of the coverage table), and a log is held against the nearest one whose
weights were at least as uneven; beyond the farthest nothing was measured and nothing is printed.
Methods and tails that were not measured so are asked about G_eff = (Σ w_g)² / Σ w_g² users.

Weights do not depend on rewards, so this looks at nothing that is being judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from giftlive.errors import InputError
from giftlive.stats.coverage_table import GUARANTEED
from giftlive.stats.intervals import Interval, withheld
from giftlive.stats.print_rule import may_print, method_of, needed_clusters
from giftlive.types import Floats

MEASURED = {
    name: math.sqrt(math.expm1(sd * sd))
    for name, sd in (("near", 0.5), ("middle", 1.0), ("far", 1.5))
}
"""CV per decision of the log-normal weights at which coverage was measured, by distance."""

WEIGHED, GIFT_TAILS = ("ratio_delta", "skew_t"), ("count", "capped", "full")
"""Methods and tails whose coverage was measured under weights."""

EQUAL = 0.01
"""Weights of a smaller CV are none."""


@dataclass(frozen=True)
class Printing:
    """What is known of a reward's tail before the log is seen.

    Attributes
    ----------
    tail : name of the reward's tail in the coverage table ("count", "capped", "full", ...);
        None: only CV and skewness are asked.
    cv, skew : of the weighted terms per user, from history or a calibrated world, never from
        the log being judged; None: only the table is asked.
    money : the reward is an amount: never below 5,000 users.

    Examples
    --------
    >>> import numpy as np
    >>> rule = Printing(cv=5.0, skew=3.0)
    >>> found = Interval(1.0, 0.9, 1.1, "ips, ratio_delta", 300, "users")
    >>> shown = rule.of(found, np.ones((300, 3)))
    >>> shown.low, shown.reason
    (None, 'not enough data: 300 users, need about 400')
    """

    tail: str | None = None
    cv: float | None = None
    skew: float | None = None
    money: bool = False

    def __post_init__(self) -> None:
        if (self.cv is None) != (self.skew is None) or (self.tail is None and self.cv is None):
            raise InputError(str(self), "Printing", "a tail, or a cv with its skew, or both")

    def of(self, interval: Interval, sums: Floats) -> Interval:
        """Return ``interval`` as it may be printed: without bounds, and with the reason, if not.

        Parameters
        ----------
        sums : [G, >= 2] the users' sums: column 0 rows, column 1 weights.
        """
        if interval.status != "ok" or interval.low is None:
            return interval
        method = method_of(interval)
        if self.tail is not None:
            allowed, reason = _measured(sums, method, self.tail)
            if not allowed:
                return withheld(interval, reason)
        if self.cv is not None and self.skew is not None:
            need = needed_clusters(self.cv, self.skew, money=self.money, method=method)
            if interval.n < need:
                reason = f"not enough data: {interval.n:,} users, need about {need:,}"
                return withheld(interval, reason)
        return interval


def unevenness(sums: Floats) -> float:
    """Return how unequal the weights are: their CV per decision, as users carry them.

    √(Σ_g (w_g - n_g w̄)² / Σ_g n_g) / w̄, with w_g the weight and n_g the decisions of a user. It is
    the CV of independent weights, and larger where those of one user go together.

    Parameters
    ----------
    sums : [G, >= 2] the users' sums: column 0 rows, column 1 weights.

    Examples
    --------
    >>> import numpy as np
    >>> unevenness(np.array([[1.0, 1.0], [2.0, 2.0]]))
    0.0
    >>> unevenness(np.array([[1.0, 0.0], [1.0, 2.0]]))
    1.0
    """
    rows, weight = sums[:, 0], sums[:, 1]
    mean = float(weight.sum() / rows.sum())
    if mean <= 0.0:
        return math.inf
    apart = weight - rows * mean
    return math.sqrt(float(apart @ apart) / float(rows.sum())) / mean


def distance(uneven: float) -> str | None:
    """Return the name of the nearest measured distance with weights as uneven; None beyond all."""
    return next((name for name, cv in MEASURED.items() if uneven <= cv), None)


def _measured(sums: Floats, method: str, tail: str) -> tuple[bool, str]:
    """Return whether the coverage table allows an interval of these users, and if not, why."""
    rows = float(sums[:, 0].mean())
    if method not in WEIGHED or tail not in GIFT_TAILS:
        statistic = "mean" if method in GUARANTEED else "ratio"
        users = int(effective_users(sums))
        return may_print(users, statistic, method, tail, rows, "effective users")
    uneven = unevenness(sums)
    if uneven <= EQUAL:
        return may_print(len(sums), "ratio", method, tail, rows, "users")
    name = distance(uneven)
    if name is None:
        most = max(MEASURED.values())
        reason = f"weights with a CV of {uneven:.2g}: coverage is measured up to {most:.2g}"
        return False, f"{reason}; judge a nearer policy, or log with more chance"
    return may_print(len(sums), f"off_policy_{name}", method, tail, rows, f"users ({name} target)")


def effective_users(sums: Floats) -> float:
    """Return how many equally weighted users the log is worth, (Σ w_g)² / Σ w_g².

    Parameters
    ----------
    sums : [G, >= 2] the users' sums: column 1 weights.
    """
    weight = sums[:, 1]
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares > 0.0 else 0.0
