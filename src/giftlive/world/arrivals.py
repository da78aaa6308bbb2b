"""Potential visits: exogenous, one keyed exponential gap after another.

In operational time (days of mean activity) visit k + 1 of user u comes Exp(1)/activity after
visit k. The local day's cumulative intensity, shifted by the user's phase, maps operational
time to the clock; no policy can move a potential visit.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from giftlive.clock import MS_PER_DAY
from giftlive.rng import uniform
from giftlive.types import Floats
from giftlive.world.purposes import LENGTH, VISIT

_DAY = float(MS_PER_DAY)
_NEVER = 1e6
"""Days, beyond any window: a later visit is this late, so that its ms are a whole number."""


def cumulative_day(hourly: tuple[float, ...]) -> Floats:
    """Return the share of a day's visits before each hour, [25] from 0 to 1.

    Examples
    --------
    >>> cumulative_day((0.0,) * 12 + (1.0,) * 12)[[12, 18, 24]].tolist()
    [0.0, 0.5, 1.0]
    """
    total = np.concatenate([[0.0], np.cumsum(hourly)])
    return total / total[-1]


@njit(cache=True)
def _elapsed(diurnal, days):  # type: ignore[no-untyped-def]
    """Return the operational time at a clock time in days (hour by hour, linear within)."""
    whole = math.floor(days)
    hour = (days - whole) * 24.0
    k = min(int(hour), 23)
    return whole + diurnal[k] + (hour - k) * (diurnal[k + 1] - diurnal[k])


@njit(cache=True)
def _clock(diurnal, operational):  # type: ignore[no-untyped-def]
    """Return the clock time in days at an operational time: the inverse of ``_elapsed``."""
    whole = math.floor(operational)
    share = operational - whole
    low, high = 0, 23
    while low < high:
        middle = (low + high) // 2
        if diurnal[middle + 1] > share:
            high = middle
        else:
            low = middle + 1
    mass = diurnal[low + 1] - diurnal[low]
    within = (share - diurnal[low]) / mass if mass > 0.0 else 0.0
    return whole + (low + within) / 24.0


@njit(cache=True)
def visit_after(scene, user, visit, operational, since_ms, seed):  # type: ignore[no-untyped-def]
    """Return (next visit number, its operational time, its ms since the window's first day).

    ``operational`` is the time of visit ``visit``, or 0 at ``visit`` = -1, the window's start.
    """
    users, diurnal = scene.users, scene.rhythm.diurnal
    gap = -math.log(uniform(seed, VISIT, user, visit + 1, 0)) / users.activity[user]
    operational = min(operational + gap, _NEVER)
    phase = users.phase[user]
    days = phase + _clock(diurnal, _elapsed(diurnal, -phase) + operational)
    return visit + 1, operational, since_ms + int(days * _DAY)


@njit(cache=True)
def exposures_of(scene, user, visit, seed):  # type: ignore[no-untyped-def]
    """Return the number of exposures in a visit: geometric with the scenario's mean."""
    mean = scene.rhythm.exposures
    if mean <= 1.0:
        return 1
    return 1 + int(math.log(uniform(seed, LENGTH, user, visit, 0)) / math.log(1.0 - 1.0 / mean))
