"""SLOPE: choose how much to tame the weights, without knowing the bias.

Estimators are ordered from the widest interval (least bias) to the narrowest (most bias). With
estimate θ_i and half-width c_i, go on while the next one agrees with all before it::

    |θ_j - θ_i| <= c_i + (√6 - 1) c_j        for all j before i

and keep the last that does. Bias that shows beyond the noise stops the walk; its error is then
within a constant of the best trade of bias against variance.

Assumption: bias grows as variance falls along the order; the half-widths hold. The choice was
made on the sample, so the chosen interval is a little too narrow.

Reference: Su, Srinath, Krishnamurthy (2020), "Adaptive estimator selection for off-policy
evaluation", Theorem 3; the constant is that of Tucker, Lee (2021), SLOPE++.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError, NotEnoughDataError
from giftlive.ope.estimation import Panel
from giftlive.ope.estimators import Estimator
from giftlive.stats.cluster_sums import ClusterSums
from giftlive.stats.intervals import Interval
from giftlive.types import Floats

_C = math.sqrt(6.0) - 1.0


@dataclass(frozen=True)
class Selection:
    """What SLOPE chose.

    Attributes
    ----------
    estimator : the chosen one. interval : its estimate.
    tried : name -> (estimate, half-width) of every candidate, in the order given.
    """

    estimator: Estimator
    interval: Interval
    tried: dict[str, tuple[float, float]]


def slope(values: Floats, half_widths: Floats) -> int:
    """Return the position of the estimate that SLOPE chooses.

    Parameters
    ----------
    values, half_widths : [J] estimates and the half-widths of their intervals, J >= 1, finite.

    Examples
    --------
    >>> slope(np.array([1.0, 1.1, 3.0]), np.array([0.5, 0.2, 0.1]))
    1
    """
    values, half_widths = np.asarray(values, np.float64), np.asarray(half_widths, np.float64)
    if values.ndim != 1 or values.shape != half_widths.shape or not len(values):
        raise InputError(f"shapes {values.shape}, {half_widths.shape}", "slope", "[J], [J >= 1]")
    if not (np.isfinite(values).all() and np.isfinite(half_widths).all()):
        raise InputError("an estimate that is not finite", "slope", "finite numbers")
    order = np.argsort(half_widths)[::-1]
    for i in range(1, len(order)):
        before, here = order[:i], order[i]
        gap = np.abs(values[before] - values[here])
        if not (gap <= half_widths[here] + _C * half_widths[before]).all():
            return int(order[i - 1])
    return int(order[-1])


def select(estimators: Sequence[Estimator], state: ClusterSums, delta: float = 0.1) -> Selection:
    """Choose among estimators that differ in how much they tame the weights.

    Parameters
    ----------
    estimators : for instance ``[clipped_ips(c) for c in (5, 10, 50)]``.
    state : of ``Panel(estimators)``. delta : the half-widths are one-sided at level 1 - delta.

    Raises
    ------
    NotEnoughDataError
        An estimator has no estimate.
    """
    panel = Panel(tuple(estimators))
    if not 0.0 < delta < 0.5:
        raise InputError(f"delta {delta:g}", "select", "a number in (0, 0.5)")
    found = panel.intervals(state, level=1.0 - 2.0 * delta)
    tried = {}
    for estimator, interval in zip(panel.estimators, found, strict=True):
        if interval.value is None or interval.width is None:
            raise NotEnoughDataError(interval.reason, estimator.name, "an estimate")
        tried[estimator.name] = (interval.value, interval.width / 2.0)
    values, halves = np.array(list(tried.values())).T
    best = slope(values, halves)
    return Selection(panel.estimators[best], panel.intervals(state)[best], tried)
