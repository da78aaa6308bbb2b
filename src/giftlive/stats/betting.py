"""A confidence sequence by betting: its interval may be read at any time, as often as one likes.

Somebody claims that the mean of independent values in [a, b] is m. Bet against the claim: before
each value stake a share θ of the capital on "above m", so that the capital is multiplied by
1 + θ (x - m) / (m - a) >= 1 - θ; or on "below m", by 1 - θ (x - m) / (b - m). If the claim is
true no bet gains on average. Mixing J shares θ_j with equal weights after n values::

    K+(m) = 1/J Σ_j Π_i (1 + θ_j (x_i - m) / (m - a))        falls with m
    K-(m) = 1/J Σ_j Π_i (1 - θ_j (x_i - m) / (b - m))        rises with m

At the true mean both are nonnegative martingales that start at 1, and so is ½K+ + ½K-; by
Ville's inequality it exceeds 1/α at *any* time with probability at most α. The interval is the
set of m with max(½K+, ½K-) < 1/α. Hence the running interval is legitimate whenever it is
looked at: peeking, stopping early and continuing cost nothing. (Stopping at a lucky moment
still biases the *estimate*, never the coverage.)

The shares are fixed, not learned from the past values, so that log Π is a sum over values: the
state is a histogram that merges exactly and does not know the order of the rows. The price of
fixing them is at most log J.

It is a guarantee over the whole range, so n equal values do not give width 0: they do not rule out
the rest of the range, and the width falls like 1/n.

Assumptions: the unit of independence is the cluster (one value per user, never one per row), and
a and b are known beforehand (caps), never read off the sample.

References
----------
Ville (1939), "Étude critique de la notion de collectif"; Waudby-Smith and Ramdas (2024),
"Estimating means of bounded random variables by betting", JRSS-B, section 4; Orabona and Jun
(2023), "Tight concentrations and confidence sequences from the regret of universal portfolio",
whose mixture over all shares this one discretises.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import optimize

from giftlive.errors import InputError
from giftlive.stats.bernstein import refuse_outside, refuse_range
from giftlive.stats.intervals import Interval, checked_level, no_interval
from giftlive.types import Floats, Ints

_METHOD = "betting"
_TINY = 2.0**-500
_SHARES = 2.0 ** -(0.5 + np.arange(18))  # 0.71 down to 5.4e-6, halving: finer gains nothing


@dataclass(frozen=True, eq=False)
class Histogram:
    """Distinct values and how often each occurred; a mergeable state.

    Attributes
    ----------
    values : [D] ascending, distinct. counts : [D] >= 1.
    """

    values: Floats
    counts: Ints

    @property
    def n(self) -> int:
        """Return how many values were counted."""
        return int(self.counts.sum())


def histogram(x: Floats) -> Histogram:
    """Count the values [n]; gifts are few distinct whole numbers, so the state stays small.

    Examples
    --------
    >>> h = histogram(np.array([0.0, 5.0, 0.0]))
    >>> h.values.tolist(), h.counts.tolist()
    ([0.0, 5.0], [2, 1])
    """
    values, counts = np.unique(np.asarray(x, dtype=np.float64) + 0.0, return_counts=True)  # no -0
    return Histogram(values, counts.astype(np.int64))


def merge(a: Histogram, b: Histogram) -> Histogram:
    """Add two states, exactly."""
    values, index = np.unique(np.concatenate([a.values, b.values]), return_inverse=True)
    counts = np.zeros(len(values), dtype=np.int64)
    np.add.at(counts, index, np.concatenate([a.counts, b.counts]))
    return Histogram(values, counts)


def betting(
    x: Floats, low: float, high: float, level: float = 0.95, n_unit: str = "values"
) -> Interval:
    """Estimate the mean of independent values in [low, high] at any time of a growing sample.

    Parameters
    ----------
    x : [n] independent values, one per unit, in any order.
    low, high : the range, known before the sample was seen.
    level : probability, at least, that *all* running intervals contain the mean.

    Returns
    -------
    Interval
        Inside [low, high]; ``not_enough_data`` for n = 0, ``undefined`` when a value is not
        finite.

    Raises
    ------
    InputError
        When a value lies outside the range (the row is named), or low >= high.

    Examples
    --------
    >>> gifts = np.zeros(1_000); gifts[:15] = 1.0
    >>> i = betting(gifts, 0.0, 1.0)
    >>> i.value, round(i.low, 4), round(i.high, 4)
    (0.015, 0.0052, 0.0342)
    """
    x = np.asarray(x, dtype=np.float64)
    refuse_outside(x, low, high)
    return betting_of(histogram(x), low, high, level, n_unit)


def betting_of(
    state: Histogram, low: float, high: float, level: float = 0.95, n_unit: str = "values"
) -> Interval:
    """Compute :func:`betting` from the (merged) histogram of the values."""
    refuse_range(low, high)
    limit = math.log(2.0 / (1.0 - checked_level(level)))  # ½K = 1/α
    n, values = state.n, state.values
    if not np.isfinite(values).all():
        return no_interval("undefined", "a value is not finite", _METHOD, n, n_unit)
    if n == 0:
        return no_interval("not_enough_data", f"no {n_unit}", _METHOD, 0, n_unit)
    if values[0] < low or values[-1] > high:
        raise InputError(
            f"values from {values[0]:g} to {values[-1]:g}",
            "histogram",
            f"values in the known range [{low:g}, {high:g}]",
        )
    below = _distance(values - low, state.counts, limit)
    above = _distance((high - values)[::-1], state.counts[::-1], limit)
    value = math.fsum(values * state.counts) / n
    value = min(max(value, float(values[0])), float(values[-1]))
    return Interval(value, min(low + below, value), max(high - above, value), _METHOD, n, n_unit)


def betting_replications(
    x: Floats, low: float, high: float, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Compute :func:`betting` for R replications [R, n] at their full length.

    Returns
    -------
    value, low, high : [R]; nan where a value is not finite or there is none.
    """
    x = np.asarray(x, dtype=np.float64)
    refuse_outside(x, low, high)
    out = np.empty((3, len(x)))
    for r, row in enumerate(x):
        interval = betting_of(histogram(row), low, high, level)
        out[:, r] = interval.value, interval.low, interval.high
    return out[0], out[1], out[2]


def log_capital_path(x: Floats, mean: float, low: float, high: float) -> Floats:
    """Compute log max(½K+, ½K-) at one claimed mean after every prefix of the sample.

    The sequence of intervals contains ``mean`` at all times exactly when this path stays below
    log(1/α): so coverage over time is measured without a single bisection.

    Parameters
    ----------
    x : [n] values in [low, high], in the order in which they arrived.
    mean : the claim, strictly between low and high.

    Returns
    -------
    Floats
        [n].

    Examples
    --------
    >>> path = log_capital_path(np.ones(20), 0.5, 0.0, 1.0)
    >>> int(np.argmax(path > np.log(1 / 0.05))) + 1  # ones it takes to rule out a mean of 1/2
    13
    """
    return _path(_ordered(x, mean, low, high, 1), mean, low, high, _SHARES)


def log_capital_maximum(x: Floats, mean: float, low: float, high: float) -> Floats:
    """Compute the maximum of :func:`log_capital_path` for R replications at once.

    Parameters
    ----------
    x : [R, n] values in [low, high], each row in order of arrival.

    Returns
    -------
    Floats
        [R]; a capital above e^600 is reported as at least e^600.
    """
    return np.log(_maximum(_ordered(x, mean, low, high, 2), mean, low, high, _SHARES))


def _ordered(x: Floats, mean: float, low: float, high: float, ndim: int) -> Floats:
    x = np.ascontiguousarray(x, dtype=np.float64)
    refuse_outside(x, low, high)
    if x.ndim != ndim or not np.isfinite(x).all():
        raise InputError(f"shape {x.shape}", "x", f"{ndim} dimension(s), finite values")
    if not low < mean < high:
        raise InputError(f"mean {mean:g}", "mean", f"strictly inside ({low:g}, {high:g})")
    return x


def _distance(s: Floats, counts: Ints, limit: float) -> float:
    """Return the largest u at which K+(a + u) still reaches ``limit``; s = x - a, ascending.

    In v = log u the log capital is convex and falling (log-sum-exp of softplus terms), steep on
    the far left; the root is bracketed by walking left from the sample mean.
    """
    if s[-1] == 0.0:
        return 0.0  # all values at the edge: nothing speaks against a mean at the edge
    if s[-1] < _TINY:  # its logarithm is near that of the smallest float
        return _distance(s / _TINY, counts, limit) * _TINY
    s, counts = np.ascontiguousarray(s), np.ascontiguousarray(counts)

    def excess(v: float) -> float:
        return _log_capital(s, counts, math.exp(v), _SHARES) - limit

    right = math.log(float(s @ counts) / float(counts.sum()))
    return math.exp(_falling_root(excess, right))


def _falling_root(excess: Callable[[float], float], right: float) -> float:
    """Return where a falling function crosses 0, to the left of ``right``."""
    step = 0.25
    left = right - step
    while excess(left) < 0.0:
        right, step = left, 2.0 * step
        left -= step
    return float(optimize.brentq(excess, left, right, xtol=1e-13))


@njit(cache=True)
def _log_capital(s: Floats, counts: Ints, u: float, shares: Floats) -> float:
    """Return log K+(a + u); factors of single values are multiplied in eights per logarithm."""
    logs = np.zeros(len(shares))
    for j in range(len(shares)):
        keep, gain = 1.0 - shares[j], shares[j] / u
        total, product, held = 0.0, 1.0, 0
        for i in range(len(s)):
            factor = keep + gain * s[i]
            if counts[i] > 1:
                total += counts[i] * math.log(factor)
                continue
            product *= factor
            held += 1
            if held == 8:
                total, product, held = total + math.log(product), 1.0, 0
        logs[j] = total + math.log(product)
    return _log_mean_exp(logs)


@njit(cache=True)
def _log_mean_exp(logs: Floats) -> float:
    top = logs.max()
    return top + math.log(np.exp(logs - top).sum() / len(logs))


@njit(cache=True)
def _path(x: Floats, m: float, low: float, high: float, shares: Floats) -> Floats:
    up, down, out = np.zeros(len(shares)), np.zeros(len(shares)), np.empty(len(x))
    for i in range(len(x)):
        for j in range(len(shares)):
            up[j] += math.log1p(shares[j] * (x[i] - m) / (m - low))
            down[j] += math.log1p(-shares[j] * (x[i] - m) / (high - m))
        out[i] = max(_log_mean_exp(up), _log_mean_exp(down)) - math.log(2.0)
    return out


@njit(cache=True)
def _maximum(x: Floats, m: float, low: float, high: float, shares: Floats) -> Floats:
    """Return max over prefixes of max(½K+, ½K-), kept in floats: no logarithm per value.

    The floor of 1e-290 keeps a share from dying of underflow and is too small to matter.
    """
    out = np.empty(len(x))
    for r in range(len(x)):
        up, down, best = np.ones(len(shares)), np.ones(len(shares)), 0.0
        for i in range(x.shape[1]):
            rise, fall = (x[r, i] - m) / (m - low), (x[r, i] - m) / (high - m)
            above, below = 0.0, 0.0
            for j in range(len(shares)):
                up[j] = min(max(up[j] * (1.0 + shares[j] * rise), 1e-290), 1e290)
                down[j] = min(max(down[j] * (1.0 - shares[j] * fall), 1e-290), 1e290)
                above, below = above + up[j], below + down[j]
            best = max(best, above, below)
        out[r] = best / (2.0 * len(shares))
    return out
