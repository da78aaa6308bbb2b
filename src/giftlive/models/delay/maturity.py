"""How long labels take: the age from which nearly all that will come are there.

With F(t) = P(gift known by t) from Kaplan and Meier's curve, the labels of rows older than

    w = min {t : F(t) / F(horizon) >= share}

are settled but for 1 − ``share`` of the gifts. Where labels are slow w is nearly the horizon; where
nothing is late it is 0, and a method that waits for w waits for nothing.

Assumption: that of the curve. On the clock of viewings it knows of no leaving and w is too long,
never too short.
"""

from __future__ import annotations

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.delay.durations import gifts
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.kaplan_meier import KaplanMeier

SETTLED = 0.999
"""Share of the labels that are there where nothing is waited for any more."""


def settled_after(follow_up: FollowUp, share: float = SETTLED) -> float:
    """Estimate w in seconds; the horizon where the log cannot say.

    Parameters
    ----------
    share : in (0, 1].

    Examples
    --------
    >>> at_once = FollowUp(np.zeros((4, 1)), np.array([9.0, 8.0, 7.0, 1.0]), np.array([1, 0, 0, 1])
    ...     > 0, np.array([0.0, np.nan, np.nan, 0.0]), np.full(4, np.inf), np.zeros(4), 5.0)
    >>> settled_after(at_once)
    0.0
    """
    if not 0.0 < share <= 1.0:
        raise UsageError(f"share {share:g}", "argument share", "above 0, at most 1")
    if not (follow_up.seen.any() and np.isfinite(follow_up.horizon)):
        return follow_up.horizon
    curve = KaplanMeier().fit(gifts(follow_up))
    try:
        there = curve.maturity(curve.time, follow_up.horizon)
    except NotEnoughDataError:  # nothing is older than the horizon
        return follow_up.horizon
    return float(curve.time[int(np.argmax(there >= share))])
