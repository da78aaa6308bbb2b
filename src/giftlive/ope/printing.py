"""The print rule for weighted estimates.

Weights make users unequal: G of them are worth G_eff = (Σ w_g)² / Σ w_g² equal ones. The rule of
``stats.print_rule`` is therefore asked about G_eff where it compares with coverage measured on
unweighted users, and about G where CV and skewness are those of the weighted terms themselves.
Weights do not depend on rewards, so this looks at nothing that is being judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from giftlive.errors import InputError
from giftlive.stats.coverage_table import GUARANTEED
from giftlive.stats.intervals import Interval, withheld
from giftlive.stats.print_rule import may_print, method_of, needed_clusters
from giftlive.types import Floats


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
            effective = effective_users(sums)
            statistic = "mean" if method in GUARANTEED else "ratio"
            rows = float(sums[:, 0].mean())
            allowed, reason = may_print(
                int(effective), statistic, method, self.tail, rows, "effective users"
            )
            if not allowed:
                return withheld(interval, reason)
        if self.cv is not None and self.skew is not None:
            need = needed_clusters(self.cv, self.skew, money=self.money, method=method)
            if interval.n < need:
                reason = f"not enough data: {interval.n:,} users, need about {need:,}"
                return withheld(interval, reason)
        return interval


def effective_users(sums: Floats) -> float:
    """Return how many equally weighted users the log is worth, (Σ w_g)² / Σ w_g².

    Parameters
    ----------
    sums : [G, >= 2] the users' sums: column 1 weights.
    """
    weight = sums[:, 1]
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares > 0.0 else 0.0
