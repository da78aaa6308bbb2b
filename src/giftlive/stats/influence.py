"""Statistics with their influence values: one pass over the rows gives a standard error.

Let T(w) be a statistic of rows with weights w. Its influence values are its partial derivatives
at equal weights, ψ_i = ∂T/∂w_i, so that

    T(w) = T(1) + Σ_i (w_i − 1)·ψ_i + o(|w − 1|)

and, where T does not change when every weight is multiplied by one number, Σ_i ψ_i = 0. Summed
within G independent clusters to ψ_g, they give se² = G/(G − 1)·Σ_g ψ_g² (``influence_t``), the
infinitesimal jackknife, equal to the delta method and to the limit of a clustered bootstrap. The
difference of two statistics has the difference of their influence values, paired by row.

Assumption: T is smooth in the weights and no single cluster dominates Σ ψ_g². Where one gift
carries the sum (skewness of ψ_g large against √G) the interval is too narrow whatever its scale.

References: Hampel (1974), "The influence curve and its role in robust estimation"; Efron (1982),
"The jackknife, the bootstrap and other resampling plans", section 6.3; Deville (1999), "Variance
estimation for complex statistics and estimators: linearization and residual techniques".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from giftlive.errors import InputError
from giftlive.stats.cluster_errors import LARGEST, LARGEST_RATIO, per_cluster
from giftlive.stats.intervals import Interval, influence_t, no_interval
from giftlive.types import Floats, Ints

Scale = Literal["log", "logit"]

_LARGEST = 500.0
"""Exponents are cut here, far above any interval that says something."""


@dataclass(frozen=True, slots=True, eq=False)
class Linearised:
    """A statistic and how much each row moves it.

    Attributes
    ----------
    value : the statistic; nan where it is undefined.
    influence : [n] ψ_i, its derivative with respect to the weight of row i; all nan where the
        value is, so that no standard error can be taken from them.
    """

    value: float
    influence: Floats

    def __sub__(self, other: Linearised) -> Linearised:
        """Return the difference of two statistics of the same rows, paired by row."""
        return Linearised(self.value - other.value, self.influence - other.influence)

    def by_cluster(self, cluster: Ints) -> Floats:
        """Return [G] the influence of each cluster, in the order of ``np.unique(cluster)``."""
        sums: Floats = per_cluster(cluster, self.influence)[0]
        return sums


def undefined(rows: int) -> Linearised:
    """Return the statistic of ``rows`` rows that has no value."""
    return Linearised(math.nan, np.full(rows, math.nan))


def mean(x: Floats) -> Linearised:
    """Estimate the mean, ψ_i = (x_i − mean) / n; undefined (nan) without rows.

    Examples
    --------
    >>> mean(np.array([1.0, 3.0])).influence.tolist()
    [-0.5, 0.5]
    """
    x = _finite(x, "x")
    return ratio(x, np.ones_like(x))


def ratio(num: Floats, den: Floats) -> Linearised:
    """Estimate v = Σ num / Σ den, ψ_i = (num_i − v·den_i) / Σ den.

    Parameters
    ----------
    num, den : [n] terms, Σ den > 0; otherwise the ratio is undefined (nan).

    Examples
    --------
    >>> ratio(np.array([1.0, 3.0]), np.array([1.0, 1.0])).value
    2.0
    """
    num, den = _finite(num, "num"), _finite(den, "den")
    total = float(den.sum())
    if not total > 0.0:
        return undefined(len(den))
    value = float(num.sum()) / total
    return Linearised(value, (num - value * den) / total)


def gini(x: Floats) -> Linearised:
    """Estimate the Gini index of ``x`` [n] >= 0 over n units.

    With D_i = Σ_j |x_i − x_j| and S = Σ x::

        G   = Σ_i D_i / (2·n·S)
        ψ_i = D_i / (n·S) − G/n − G·x_i/S

    Undefined (nan) where nothing is held. Reference: Monti (1991), "The study of the Gini
    concentration ratio by means of the influence function".

    Examples
    --------
    >>> held = gini(np.array([0.0, 0.0, 0.0, 4.0]))
    >>> held.value, held.influence.tolist()
    (0.75, [0.0625, 0.0625, 0.0625, -0.1875])
    """
    x = _amounts(x)
    n, total = len(x), float(x.sum())
    if not total > 0.0:
        return undefined(n)
    order = np.argsort(x, kind="stable")
    ascending = x[order]
    through = np.cumsum(ascending)
    below = np.arange(1.0, n + 1.0)
    distance = np.empty(n)
    distance[order] = ascending * (2.0 * below - n) - 2.0 * through + total
    value = float(distance.sum()) / (2.0 * n * total)
    return Linearised(value, (distance - value * total) / (n * total) - value * x / total)


def top_share(x: Floats, fraction: float) -> Linearised:
    """Estimate the share C of Σx held by the largest ``fraction`` f of the n units.

    With in_i the part of unit i inside the top, and q the amount at its border::

        ψ_i = [ in_i·(x_i − q) + f·q − C·x_i ] / Σx

    A unit that gains weight brings its own amount and pushes 1 − f (from outside: draws f) of a
    unit of amount q over the border. Undefined (nan) where nothing is held.

    Parameters
    ----------
    x : [n] amounts >= 0. fraction : in (0, 1].

    Examples
    --------
    >>> round(top_share(np.array([1.0, 2.0, 3.0, 4.0]), 0.25).value, 12)
    0.4
    """
    if not 0.0 < fraction <= 1.0:
        raise InputError(f"fraction {fraction:g}", "fraction", "a number in (0, 1]")
    x = _amounts(x)
    n, total = len(x), float(x.sum())
    if not total > 0.0:
        return undefined(n)
    order = np.argsort(-x, kind="stable")
    border = fraction * n
    inside = np.empty(n)
    inside[order] = np.clip(border - np.arange(n), 0.0, 1.0)
    # between two units the derivative from the left and from the right differ: take their mean
    ends = order[[math.ceil(border) - 1, min(math.floor(border), n - 1)]]
    q = float(x[ends].mean())
    value = float(inside @ x) / total
    return Linearised(value, (inside * (x - q) + fraction * q - value * x) / total)


def transformed(
    value: float,
    psi: Floats,
    scale: Scale = "logit",
    cluster: Ints | None = None,
    level: float = 0.95,
    n_unit: str = "clusters",
) -> Interval:
    """Turn a statistic and its clustered influence into an interval on another scale.

    ``h(value) ± t(G − 1)·h'(value)·se``, mapped back by the inverse of h, with
    se² = G/(G − 1)·Σ_g ψ_g². On the logit scale the interval of a share stays in (0, 1), on the
    log scale that of a positive number stays positive.

    Parameters
    ----------
    value : the statistic; inside (0, 1) for "logit", above 0 for "log".
    psi : [n] influence of every row. cluster : [n] id of its cluster; ``None``: each its own.

    Returns
    -------
    Interval
        Width exactly 0 where no cluster moves the value; ``undefined`` where the value or an
        influence is not finite, or where the scale has no place for the value;
        ``not_enough_data`` below two clusters.

    Examples
    --------
    >>> share = mean(np.array([0.0, 1.0, 1.0, 1.0]))
    >>> found = transformed(share.value, share.influence)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.75, 0.041, 0.995)
    """
    method = f"influence_t({scale})"
    plain = influence_t(value, psi, cluster, level, n_unit, method)
    if plain.high is None:
        return plain
    if not (value > 0.0 and (scale == "log" or value < 1.0)):
        reason = f"the {scale} scale has no place for {value:g}"
        return no_interval("undefined", reason, method, plain.n, n_unit)
    half = plain.high - value
    if half == 0.0:
        return plain
    if scale == "log":
        factor = _exp(half / value)
        if value * factor > LARGEST_RATIO:
            reason = f"its upper bound on the {scale} scale is beyond {LARGEST_RATIO:g}"
            return no_interval("undefined", reason, method, plain.n, n_unit)
        return replace(plain, low=value / factor, high=value * factor)
    odds, factor = value / (1.0 - value), _exp(half / (value * (1.0 - value)))
    low, high = odds / (odds + factor), 1.0 / (1.0 + 1.0 / (odds * factor))
    return replace(plain, low=min(low, value), high=max(high, value))


def _exp(x: float) -> float:
    return math.exp(min(x, _LARGEST))


def _finite(x: Floats, name: str) -> Floats:
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 1 or not (np.abs(x) <= LARGEST).all():
        raise InputError(f"shape {x.shape} or a value that is not finite", name, "finite [n]")
    return x


def _amounts(x: Floats) -> Floats:
    x = _finite(x, "x")
    if (x < 0.0).any():
        raise InputError(f"amount {x.min():g}", "x", "numbers >= 0")
    return x
