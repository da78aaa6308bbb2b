"""The generalised Pareto law of what exceeds a high threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from giftlive.types import Floats

_LEAST = 10


@dataclass(frozen=True)
class Exceedances:
    """A fitted tail: P(X > u + y | X > u) = (1 + shape · y / scale)^(-1 / shape).

    Attributes
    ----------
    shape : above 0 the tail is a power law with index 1 / shape; ``None`` where there is no fit,
        ``reason`` then says why. scale, threshold : in units of x. k : how many values exceed.
    """

    shape: float | None
    scale: float
    threshold: float
    k: int
    reason: str = ""

    def survival(self, x: Floats) -> Floats:
        """Return P(X > x | X > threshold) at ``x`` [m], not below the threshold."""
        assert self.shape is not None
        found: Floats = (1.0 + self.shape * (x - self.threshold) / self.scale) ** (-1 / self.shape)
        return found


def tail_size(n: int) -> int:
    """Return how many of ``n`` positive values form the tail: √n, rounded down.

    Few enough that the bulk does not enter, and growing with n as consistency asks.
    """
    return math.isqrt(n)


def fit_exceedances(x: Floats, k: int | None = None) -> Exceedances:
    """Fit the generalised Pareto law to what exceeds the (k+1)-th largest value.

    Maximum likelihood: with θ = shape / scale there is one free parameter, since shape(θ) is the
    mean of log(1 + θ y) (Grimshaw 1993); the maximum is where the derivative in θ > 0 changes
    sign. Values equal to the threshold do not exceed it: at price points the tail may be smaller
    than k. Assumption: exceedances are independent and the threshold is high enough. Only heavy
    tails are fitted: a tail no more spread than an exponential one has none.

    Parameters
    ----------
    x : [n] finite amounts; only the positive ones are used. k : default :func:`tail_size`.

    References
    ----------
    Grimshaw (1993), "Computing maximum likelihood estimates for the generalized Pareto
    distribution", Technometrics 35.

    Examples
    --------
    >>> x = 1.0 / np.linspace(0.001, 1.0, 1000)  # the quantiles of x^-1
    >>> round(fit_exceedances(x, 100).shape, 2)
    0.91
    """
    positive = np.sort(np.asarray(x, dtype=np.float64)[np.asarray(x) > 0])[::-1]
    n = len(positive)
    k = tail_size(n) if k is None else k
    if k < _LEAST or n <= k:
        why = f"{n} positive values and a tail of {k}: need a tail of {_LEAST} and one more"
        return Exceedances(None, 0.0, 0.0, max(k, 0), why)
    threshold = float(positive[k])
    excess = positive[positive > threshold] - threshold
    k = len(excess)
    if k < _LEAST:
        why = f"{k} values exceed {threshold:g}: need {_LEAST}"
        return Exceedances(None, 0.0, threshold, k, why)
    unit = float(excess.mean())
    spread = float(np.mean((excess / unit) ** 2))
    if spread <= 2.0:
        why = "the exceedances vary no more than exponential ones: no heavy tail to fit"
        return Exceedances(None, 0.0, threshold, k, why)
    theta = _root(excess / unit, spread)
    shape = float(np.log1p(theta * excess / unit).mean())
    return Exceedances(shape, shape / theta * unit, threshold, k)


def _root(y: Floats, spread: float) -> float:
    """Return θ at the maximum; the slope is 1 - spread / 2 < 0 at 0 and positive for large θ."""

    def slope(log_theta: float) -> float:
        theta = math.exp(log_theta)
        shape = float(np.log1p(theta * y).mean())
        turn = float(np.mean(y / (1.0 + theta * y)))
        return theta * (turn / shape + turn) - 1.0

    low = -1.0
    while slope(low) > 0.0:
        low -= 1.0
    high = low + 1.0
    while slope(high) < 0.0:
        high += 1.0
    return math.exp(float(optimize.brentq(slope, low, high, xtol=1e-14, rtol=1e-14)))
