"""What to look at before believing an off-policy estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.ope.estimators import MAX_UNSUPPORTED_SHARE
from giftlive.ope.log import Interactions
from giftlive.stats.heavy_tails import hill
from giftlive.stats.intervals import Interval, Status
from giftlive.types import Floats

_MIN_EFFECTIVE = 100.0


@dataclass(frozen=True)
class Diagnostics:
    """Health of the weights of one log under one target policy.

    Attributes
    ----------
    n : decisions. users : distinct users.
    effective_n : (Σ w)² / Σ w², how many equally weighted decisions the log is worth.
    mean_weight : 1 in expectation; max_weight : the largest.
    weight_tail : Hill index of the weights; below 2 their variance is infinite.
    unsupported_share : target mass on candidates never logged; None if ``propensities`` absent.
    largest_user_share : |Σ w r| of the largest user over the sum of all |Σ w r|; None if all 0.
    status : "ok", "not_enough_data" (effective_n below 100) or "undefined" (no overlap).
    """

    n: int
    users: int
    effective_n: float
    mean_weight: float
    max_weight: float
    weight_tail: Interval
    unsupported_share: float | None
    largest_user_share: float | None
    status: Status
    reason: str


def diagnose(log: Interactions) -> Diagnostics:
    """Compute the diagnostics of a log.

    Raises
    ------
    NotEnoughDataError
        The log has no decision.

    Examples
    --------
    >>> log = Interactions(
    ...     user=np.array([1, 2]), action=np.array([0, 1]), propensity=np.array([0.5, 0.25]),
    ...     reward=np.array([1.0, 1.0]), target=np.array([[1.0, 0.0], [0.5, 0.5]]))
    >>> diagnose(log).effective_n, diagnose(log).largest_user_share
    (2.0, 0.5)
    """
    if not len(log):
        raise NotEnoughDataError("no decisions", "diagnose", "at least one decision")
    weight, unsupported = log.weight, log.unsupported
    effective = effective_n(weight)
    lost = None if unsupported is None else float(unsupported.mean())
    status, reason = _verdict(effective, lost)
    return Diagnostics(
        n=len(log),
        users=len(np.unique(log.user)),
        effective_n=effective,
        mean_weight=float(weight.mean()),
        max_weight=float(weight.max()),
        weight_tail=hill(weight),
        unsupported_share=lost,
        largest_user_share=_largest_user_share(log, weight),
        status=status,
        reason=reason,
    )


def effective_n(weight: Floats) -> float:
    """Compute Kish's effective sample size (Σ w)² / Σ w²; 0 when all weights are 0.

    Examples
    --------
    >>> effective_n(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float(weight @ weight)
    return 0.0 if squares == 0.0 else float(weight.sum()) ** 2 / squares


def _largest_user_share(log: Interactions, weight: Floats) -> float | None:
    keys, index = np.unique(log.user, return_inverse=True)
    per_user = np.zeros(len(keys))
    np.add.at(per_user, index, weight * log.reward)
    total = float(np.abs(per_user).sum())
    return None if total == 0.0 else float(np.abs(per_user).max()) / total


def _verdict(effective: float, lost: float | None) -> tuple[Status, str]:
    if lost is not None and lost > MAX_UNSUPPORTED_SHARE:
        return "undefined", f"{lost:.2%} of the target's mass is on candidates the log never shows"
    if effective < _MIN_EFFECTIVE:
        return "not_enough_data", f"worth {effective:.0f} decisions, need {_MIN_EFFECTIVE:.0f}"
    return "ok", ""
