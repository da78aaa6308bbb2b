"""When an interval may be printed.

At gift tails a nominal 95 % interval from a small sample covers far less than 95 %. So a number
gets its interval only with enough independent clusters G::

    G >= max((CV / 0.25)², 25 · skew²)        a level: narrow enough, and near its normal limit
    G >= 25 · skew²                           a difference near zero: the skew rule alone

CV (standard deviation / mean) and skewness are per cluster and fixed beforehand, from history
or a calibrated world, never from the sample being judged: the sample that lacks its whale also
lacks the warning.
"""

from __future__ import annotations

import math

from giftlive.errors import InputError

MONEY_CLUSTERS = 5_000
"""Fewest users behind a printed interval on money."""

_RELATIVE_ERROR = 0.25
_SKEW_FACTOR = 25.0


def needed_clusters(cv: float, skew: float, difference: bool = False, money: bool = False) -> int:
    """Compute how many clusters an interval needs before it may be printed.

    Parameters
    ----------
    cv : standard deviation / mean per cluster, >= 0 (ignored for a difference).
    skew : skewness per cluster, any sign.
    difference : the estimand is a difference near zero, whose CV means nothing.
    money : the estimand is an amount: never below ``MONEY_CLUSTERS``.

    Examples
    --------
    >>> needed_clusters(5.0, 3.0), needed_clusters(5.0, 3.0, difference=True)
    (400, 225)
    """
    relevant = (skew,) if difference else (cv, skew)
    if not all(math.isfinite(v) for v in relevant) or (cv < 0 and not difference):
        raise InputError(f"cv {cv:g}, skew {skew:g}", "print rule", "finite numbers, cv >= 0")
    width_rule = 0.0 if difference else (cv / _RELATIVE_ERROR) ** 2
    needed = max(2, math.ceil(width_rule), math.ceil(_SKEW_FACTOR * skew * skew))
    return max(needed, MONEY_CLUSTERS) if money else needed


def may_print(
    clusters: int, cv: float, skew: float, difference: bool = False, money: bool = False
) -> tuple[bool, str]:
    """Decide whether an interval over ``clusters`` independent units may be printed.

    Returns
    -------
    allowed, reason : the reason is "" when allowed, else says how many clusters are needed.

    Examples
    --------
    >>> may_print(100, 5.0, 3.0)
    (False, 'not enough data: 100 clusters, need 400')
    """
    needed = needed_clusters(cv, skew, difference, money)
    if clusters >= needed:
        return True, ""
    return False, f"not enough data: {clusters:,} clusters, need {needed:,}"
