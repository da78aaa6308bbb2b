"""What chance alone would show: the tests by which a detector tells a defect from a coincidence."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import chi2, norm, poisson, rankdata

from giftlive.facts.atom import ALPHA
from giftlive.types import Floats


def at_most(observed: float, expected: float) -> float:
    """Return the Poisson chance of ``observed`` or fewer where ``expected`` is the mean.

    Examples
    --------
    >>> round(at_most(0, 3.0), 4)
    0.0498
    """
    return float(poisson.cdf(observed, expected))


class Unseen(NamedTuple):
    """How many were never seen: an estimate that is itself a lower bound, and its lower end."""

    estimate: float
    lower: float


def unseen(once: int, twice: int) -> Unseen:
    """Return Chao's (1984) lower bound on the units with no event, from those with one and two.

    ``lower`` is the lower end of its log-normal interval (Chao 1987) at :data:`ALPHA`.

    Examples
    --------
    >>> round(unseen(55, 29).estimate), unseen(0, 0).estimate
    (50, 0.0)
    """
    if once < 2:
        return Unseen(0.0, 0.0)
    estimate = once * (once - 1) / (2.0 * (twice + 1))
    ratio = once / (twice + 1)
    variance = (twice + 1) * (ratio**4 / 4 + ratio**3 + ratio**2 / 2)
    spread = math.sqrt(math.log1p(variance / estimate**2))
    return Unseen(estimate, estimate / math.exp(norm.isf(ALPHA) * spread))


def rank_correlation(x: Floats, y: Floats) -> float:
    """Return Spearman's correlation; 0 where one side does not vary."""
    a, b = rankdata(x), rankdata(y)
    if len(x) < 2 or not a.std() or not b.std():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def beyond_reliability(r: float, halves: float, n: int) -> float:
    """Return the chance that a quantity measured apart follows a total as closely as ``r``.

    A quantity that did not see the window can know of a total what is lasting, never its noise:
    its squared correlation with the total is at most the total's reliability
    2 h / (1 + h), where h is the correlation of the total's two halves (Spearman 1910, Brown
    1910). The chance is that of the nearest pair (r, h) which honours the bound, by Fisher's z.

    Parameters
    ----------
    r : of the quantity with the total. halves : of the total on odd with that on even days.
    n : units behind both.

    Examples
    --------
    >>> beyond_reliability(0.93, 0.15, 100) < 1e-4, beyond_reliability(0.3, 0.1, 100) > 0.05
    (True, True)
    """
    r, halves = min(r, 1.0 - 1e-12), min(max(halves, -0.99), 1.0 - 1e-12)
    if n < 10 or r <= 0.0 or (halves > 0 and r * r <= 2 * halves / (1 + halves)):
        return 1.0

    def distance(reliability: float) -> float:
        away = math.atanh(r) - math.atanh(math.sqrt(reliability))
        apart = math.atanh(halves) - math.atanh(reliability / (2.0 - reliability))
        return (n - 3) / 1.06 * (away**2 + apart**2)

    nearest = minimize_scalar(distance, bounds=(0.0, 1.0 - 1e-12), method="bounded").fun
    return float(chi2.sf(nearest, 1)) / 2


def outlier(largest: float, second: float, rest: float, excess: Floats) -> float:
    """Return the chance that the maximum lies so far above the ``second`` value, or further.

    The tail is Pareto above a threshold. Then log(largest / second) is exponential with the
    tail's index as its mean, however many values there are, and independent of the gaps below it
    (Rényi 1953). Those give the index: each gap times its rank, k in number, which together are
    the ``excess`` and once more the largest of them. The ratio of the two has an F law with 2 and
    2k degrees of freedom. A maximum of at most ``rest``, the sum of the others, is never one.

    Parameters
    ----------
    excess : [k] log(value / threshold) of the k largest others.

    Examples
    --------
    >>> outlier(900.0, 10.0, 800.0, np.full(30, 0.3)) < 1e-3
    True
    """
    k = len(excess)
    if k < 2 or largest <= rest or second <= 0:
        return 1.0
    gaps = max(float(excess.sum() + excess.max()), 1e-9)
    return float((1.0 + math.log(largest / second) / gaps) ** -k)
