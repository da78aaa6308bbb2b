"""Days that lost clicks: a recorder that failed, told apart from a holiday.

Lost rows lower only what was not joined to a gift, a holiday lowers everything. Where exposures
without a click are logged, they are what to compare with: they are many, so that a loss of a
tenth shows. Where they are not, gifts must do, and only large losses show.
"""

from __future__ import annotations

import math

import numpy as np

from giftlive.types import Bools, Ints

LOW_VOLUME = 0.75
"""Beside gifts a day may be an outage below this share of the median day's quiet clicks ..."""
GIFTS_ABOVE = 1.2
"""... where its gifts, relative to their own median, exceed that share by this factor ..."""
MAD_LIMIT = 3.0
"""... and the log volume lies this many robust standard deviations below the median."""
SPREADS = 5.0
"""Beside negatives a day stands out this many robust spreads below the median day's ratio.

The spread is known from a few weeks only, so that the chance of three spreads would be too large.
"""
LEAST_LOSS = 0.1
"""A loss below a tenth is left to weekdays and holidays, which shift ratios as much."""
LEAST_DAYS = 7
_MAD_TO_SD = 1.4826


def outages(quiet: Ints, negatives: Ints, gifts: Ints, whole: Bools) -> Bools:
    """Mark days that lost clicks without a gift while other rows kept coming.

    Parameters
    ----------
    quiet, negatives, gifts : [D] rows per day; quiet = clicks of a session without a gift; no
        negative at all = the source does not log them. whole : [D] days fully inside the window.

    Returns
    -------
    Bools
        [D]. Nothing is marked below a week of days.
    """
    if negatives.any():
        return low_beside(quiet, negatives)
    return low_beside_gifts(quiet, gifts, whole)


def low_beside(count: Ints, beside: Ints) -> Bools:
    """Mark days whose ``count`` is too small beside another table's rows of the same day.

    The ratio to the other table does not know holidays, seasons or a day that the window cuts.
    A day is marked where the logarithm of its ratio lies more than five robust spreads below
    the median day's, and at least a tenth is missing. The spread is never taken below that of
    the counts themselves.

    Parameters
    ----------
    count, beside : [D] rows per day.

    Examples
    --------
    >>> quiet = np.array([90, 110, 100, 105, 40, 95, 100]); other = np.full(7, 1000)
    >>> low_beside(10 * quiet, other).nonzero()[0].tolist()
    [4]
    """
    none: Bools = np.zeros(len(count), dtype=np.bool_)
    there = beside > 0
    if there.sum() < LEAST_DAYS:
        return none
    ratio = np.log(np.maximum(count[there], 0.5) / beside[there])
    below = np.median(ratio) - ratio
    noise = np.sqrt(1.0 / np.maximum(count[there], 1) + 1.0 / beside[there])
    spread = np.maximum(_MAD_TO_SD * float(np.median(np.abs(below))), noise)
    none[there] = (below > SPREADS * spread) & (below > -math.log(1.0 - LEAST_LOSS))
    return none


def low_beside_gifts(quiet: Ints, gifts: Ints, whole: Bools) -> Bools:
    """Mark days that lost clicks without a gift while gifts kept coming.

    Compared are the day's volume over the median day, for clicks without gift (v) and gifts (u):
    v < 0.75, u > 1.2 v and log v more than 3 robust standard deviations below 0. Days the window
    cuts are never marked.

    Parameters
    ----------
    quiet, gifts : [D] counts per day. whole : [D] days fully inside the window.

    Examples
    --------
    >>> days = np.full(8, 100); lost = days.copy(); lost[3] = 40
    >>> low_beside_gifts(lost, days, np.ones(8, dtype=bool)).nonzero()[0].tolist()
    [3]
    """
    none = np.zeros(len(quiet), dtype=np.bool_)
    if whole.sum() < LEAST_DAYS:
        return none
    medians = float(np.median(quiet[whole])), float(np.median(gifts[whole]))
    if not all(medians):
        return none
    v, u = quiet / medians[0], gifts / medians[1]
    log_v = np.log(np.maximum(quiet, 0.5) / medians[0])
    spread = _MAD_TO_SD * float(np.median(np.abs(log_v[whole])))
    low = (v < LOW_VOLUME) & (log_v < -MAD_LIMIT * spread)
    marked: Bools = whole & low & (u > GIFTS_ABOVE * v)
    return marked
