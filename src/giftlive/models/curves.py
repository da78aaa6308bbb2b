"""Monotone curves that give a score a level: expected amount, and probability of a gift.

Both are generalised linear models of one score t with a positive slope, so they never change the
order a model ranks by. With their intercepts Σ predicted = Σ actual on the rows of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.types import Floats

SMALLEST_SLOPE = 1e-6
"""Slope of a score without (or with a reversed) effect: the order stays, the level is flat."""


@dataclass(frozen=True)
class Line:
    """intercept + slope · t."""

    intercept: float
    slope: float

    def __call__(self, t: Floats) -> Floats:
        """Evaluate at t."""
        return self.intercept + self.slope * t

    def as_list(self) -> list[float]:
        """Return the two numbers, for JSON."""
        return [self.intercept, self.slope]


def positive(x: Floats, floor: float) -> Floats:
    """Return x above ``floor`` and floor² / (2·floor − x) below: positive, strictly increasing.

    Keeps the order of a linear or log-target prediction where it falls below zero; value and
    slope are continuous at ``floor``.

    Examples
    --------
    >>> positive(np.array([3.0, 1.0, -1.0]), 1.0).round(3).tolist()
    [3.0, 1.0, 0.333]
    """
    return np.where(x >= floor, x, floor**2 / (2.0 * floor - np.minimum(x, floor)))


def amount_line(t: Floats, y: Floats) -> Line:
    """Fit log E[y | t] = a + b·t by Poisson deviance, b > 0.

    Consistent for the mean whatever the law of y, if the mean is log-linear in t; where it is
    not, only the overall level is right.
    """
    from sklearn.linear_model import PoissonRegressor

    centre, spread, mean = float(t.mean()), _spread(t), float(y.mean())
    slope = 0.0
    if spread > 0.0:
        fit = PoissonRegressor(alpha=0.0, solver="newton-cholesky", max_iter=200)
        fit.fit(((t - centre) / spread)[:, None], y / mean)
        slope = float(fit.coef_[0]) / spread
    slope = max(slope, SMALLEST_SLOPE)
    return Line(float(np.log(y.sum() / np.exp(slope * t).sum())), slope)


def logit_line(t: Floats, occurred: Floats) -> Line:
    """Fit logit P(gift | t) = a + b·t by maximum likelihood, b > 0 (Platt's scaling).

    Where fewer than 50 rows of either kind exist the slope is flat and only the rate is kept.
    """
    from sklearn.linear_model import LogisticRegression

    hits = float(occurred.sum())
    rate = (hits + 0.5) / (len(occurred) + 1.0)
    centre, spread = float(t.mean()), _spread(t)
    flat = Line(float(np.log(rate / (1.0 - rate))) - SMALLEST_SLOPE * centre, SMALLEST_SLOPE)
    if min(hits, len(occurred) - hits) < 50 or spread <= 0.0:
        return flat
    # A prior of weight 1e-4 on the slope keeps separable data finite and moves nothing else.
    fit = LogisticRegression(C=1e4, solver="newton-cholesky", max_iter=200, tol=1e-8)
    fit.fit(((t - centre) / spread)[:, None], occurred)
    slope = float(fit.coef_[0, 0]) / spread
    return Line(float(fit.intercept_[0]) - slope * centre, slope) if slope > 0.0 else flat


def _spread(t: Floats) -> float:
    """Return the standard deviation, exactly 0 where all are equal: rounding is no spread."""
    return float(t.std()) if t.min() < t.max() else 0.0


def probability(logit: Floats) -> Floats:
    """Return 1 / (1 + e^−logit) without overflow."""
    from scipy.special import expit

    return np.asarray(expit(logit), dtype=np.float64)
