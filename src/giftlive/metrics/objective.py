"""One number for what a platform wants: money, users, satisfaction, fairness, and no crowding.

Every component is returned in units of money beside the total, because the total alone hides
what was traded for what. The weights are choices, not estimates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from giftlive.errors import InputError, UsageError

HORIZON_DAYS = 21

RETAINED_SHARE, SATISFACTION_SHARE, GINI_SHARE, OVERLOAD_SHARE = 0.5, 0.1, 0.1, 0.1
"""The default weights, as shares of the reference's revenue: see :meth:`ValueWeights.of`."""


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What one policy did over the horizon.

    Attributes
    ----------
    expected_revenue : amount over all ``days`` (exact expectations in a world).
    retained_user_days : ``users.retained_user_days`` over the same days.
    satisfaction : ``users.satisfaction(...).index``, in [0, 1].
    exposure_gini : Gini of exposure over live rooms, in [0, 1].
    overload : ``constraints.overload_rate``, in [0, 1]. days : how many were simulated.
    """

    expected_revenue: float
    retained_user_days: float
    satisfaction: float
    exposure_gini: float
    overload: float
    days: int


@dataclass(frozen=True, slots=True)
class ValueWeights:
    """What one unit of every component is worth, in money; all >= 0.

    Attributes
    ----------
    retained : per retained user-day. satisfaction, gini, overload : per 1.0 of the index, the
        coefficient, the rate, over the whole horizon.
    """

    retained: float
    satisfaction: float
    gini: float
    overload: float

    def __post_init__(self) -> None:
        for weight in fields(self):
            value = getattr(self, weight.name)
            if not 0.0 <= value < math.inf:
                raise UsageError(f"weight {value}", weight.name, "a finite number >= 0")

    @classmethod
    def of(cls, reference: PolicyOutcome) -> ValueWeights:
        """Return the default weights, in the money of a reference policy over the horizon.

        A retained user-day is worth half the reference's revenue per retained user-day; 0.1 of
        satisfaction, of Gini or of overload is worth 1 % of its revenue. Relative, because the
        unit of amounts is not documented in every source. All policies of a comparison take the
        weights of one reference.

        Examples
        --------
        >>> ValueWeights.of(PolicyOutcome(1000.0, 50.0, 0.5, 0.5, 0.0, 21))
        ValueWeights(retained=10.0, satisfaction=100.0, gini=100.0, overload=100.0)
        """
        revenue, kept = reference.expected_revenue, reference.retained_user_days
        return cls(
            retained=RETAINED_SHARE * revenue / kept if kept > 0.0 else 0.0,
            satisfaction=SATISFACTION_SHARE * revenue,
            gini=GINI_SHARE * revenue,
            overload=OVERLOAD_SHARE * revenue,
        )


@dataclass(frozen=True, slots=True)
class GlobalValue:
    """The value of a policy and its signed components, all in money; they add up to ``total``."""

    total: float
    revenue: float
    retention: float
    satisfaction: float
    exposure_gini: float
    overload: float


def global_value(
    outcome: PolicyOutcome, weights: ValueWeights, horizon_days: int = HORIZON_DAYS
) -> GlobalValue:
    """Compute revenue + w_r·retained user-days + w_s·satisfaction − w_g·Gini − w_o·overload.

    Parameters
    ----------
    outcome : sums and rates of exactly ``horizon_days`` days; a shorter run is not stretched,
        because retention and supply respond with delay.
    weights : money per unit.

    Raises
    ------
    UsageError
        The outcome covers another number of days.
    InputError
        A component is not finite, or an index, coefficient or rate is outside [0, 1].

    Examples
    --------
    >>> one = PolicyOutcome(1000.0, 50.0, 0.5, 0.5, 0.25, 21)
    >>> global_value(one, ValueWeights(10.0, 100.0, 100.0, 100.0)).total
    1475.0
    """
    if outcome.days != horizon_days:
        hint = "simulate the horizon, or state the horizon of all policies compared"
        raise UsageError(
            f"an outcome of {outcome.days} days", "global_value", str(horizon_days), hint
        )
    _checked(outcome)
    parts = (
        outcome.expected_revenue,
        weights.retained * outcome.retained_user_days,
        weights.satisfaction * outcome.satisfaction,
        -weights.gini * outcome.exposure_gini,
        -weights.overload * outcome.overload,
    )
    return GlobalValue(math.fsum(parts), *parts)


def _checked(outcome: PolicyOutcome) -> None:
    for name in ("satisfaction", "exposure_gini", "overload"):
        if not 0.0 <= getattr(outcome, name) <= 1.0:  # also true for nan
            raise InputError(f"{getattr(outcome, name)}", f"outcome.{name}", "a number in [0, 1]")
    for name in ("expected_revenue", "retained_user_days"):
        if not 0.0 <= getattr(outcome, name) < math.inf:
            raise InputError(f"{getattr(outcome, name)}", f"outcome.{name}", "a number >= 0")
