"""Whether a fitted law of arrivals agrees with the curve that assumes no form.

    misfit = max_t |mean_i F(t | x_i) − F_KM(t)| / F_KM(end),   end: the horizon, or the oldest row

over the times at which gifts arrived. Kaplan and Meier's curve needs no form of the delay, a
treatment like Chapelle's does: where the two part, gifts that are late beyond the form are taken
for never, and its chances are too low for the newest rows.

Assumption: that of the curve, that censoring by the cut says nothing; under a drift of the chance
both are off, and a misfit may say so.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from giftlive.models.delay.durations import gifts
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.kaplan_meier import KaplanMeier
from giftlive.types import Floats

WARN_FROM = 0.1
"""Share of the gifts by which the law may be off before it is called wrong."""
TIMES = 60
LEAST_GIFTS = 100
"""Fewer gifts leave the curve itself uncertain by a tenth."""


@runtime_checkable
class Arrivals(Protocol):
    """What says when gifts arrive."""

    def incidence(self, X: Floats, t: ArrayLike) -> Floats:
        """Return [n, m] P(gift by t | x)."""
        ...


def arrival_misfit(fitted: object, follow_up: FollowUp) -> float | None:
    """Return the largest distance between the two curves in shares of the gifts.

    ``None`` where the treatment has no law of arrivals, or too few gifts are seen.

    Parameters
    ----------
    fitted : what a treatment's ``fit`` returned. follow_up : what it was fitted to.
    """
    if not isinstance(fitted, Arrivals) or follow_up.seen.sum() < LEAST_GIFTS:
        return None
    curve = KaplanMeier().fit(gifts(follow_up))
    time = np.quantile(curve.time, np.linspace(0.0, 1.0, TIMES), method="nearest")
    time = np.unique(time)
    known = 1.0 - curve.at(time)
    told = fitted.incidence(follow_up.X, time).mean(axis=0)
    return float(np.abs(told - known).max() / known[-1])
