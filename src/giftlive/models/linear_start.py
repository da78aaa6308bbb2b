"""A generalised linear model of tamed features: where boosting begins.

Trees shrink towards the mean and stay constant beyond what they saw. With a few thousand gifts a
linear predictor in sign(x)·log(1 + |x|) carries most of what can be known about an amount that
grows like a power of past amounts, and it goes on where trees stop; boosting then adds what bends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit

from giftlive.models.base import UNKNOWN
from giftlive.models.basis import Basis
from giftlive.rng import stream
from giftlive.types import Floats, Ints

Objective = Literal["binary", "gamma", "regression"]

PRIOR_ROWS = 10.0
"""Weight of the prior that a standardised column has no effect, in rows of unit information.

A gift of dispersion φ (variance over squared mean) holds 1/φ of that: its prior weighs φ times as
many rows. Amounts have φ near 70, and a prior blind to it lets ninety columns follow single gifts.
"""
MOST_ROWS = 200_000
"""Rows a linear predictor is fitted on, drawn at random where there are more."""


@dataclass(frozen=True)
class LinearStart:
    """One linear predictor per fold of users, all on the same columns.

    Attributes
    ----------
    basis : tames and standardises. coefficients : [k, 2p], of features and of their gaps.
    intercepts : [k].
    """

    basis: Basis
    coefficients: Floats
    intercepts: Floats

    def scores(self, X: Floats) -> Floats:
        """Return [n, k] the raw score of every row by every fold's predictor."""
        b = self.basis
        slopes = np.ascontiguousarray(self.coefficients.T)
        return _scores(
            np.asarray(X, dtype=np.float64),
            (b.centre, b.spread, b.low, b.high),
            slopes,
            self.intercepts,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the predictors as plain data."""
        return {
            "basis": self.basis.as_dict(),
            "coefficients": self.coefficients.tolist(),
            "intercepts": self.intercepts.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LinearStart:
        """Return the predictors stored by ``as_dict``."""
        basis = Basis.from_dict(data["basis"])
        width = 2 * len(basis.centre)
        coefficients = np.array(data["coefficients"], dtype=np.float64).reshape(-1, width)
        return cls(basis, coefficients, np.array(data["intercepts"], dtype=np.float64))


@njit(cache=True, error_model="numpy")
def _scores(
    X: Floats, basis: tuple[Floats, Floats, Floats, Floats], slopes: Floats, starts: Floats
) -> Floats:
    """Return what ``Basis.with_gaps`` times ``slopes`` [2p, k] gives, without the columns.

    A row is summed feature by feature, so it does not depend on its neighbours.
    """
    centre, spread, low, high = basis
    (n, p), k = X.shape, len(starts)
    out = np.empty((n, k))
    for i in range(n):
        for m in range(k):
            out[i, m] = starts[m]
        for j in range(p):
            x = X[i, j]
            if np.isnan(x) or x == UNKNOWN:
                z, at = min(max(0.0, low[j]), high[j]), p + j
                for m in range(k):
                    out[i, m] += slopes[j, m] * z + slopes[at, m]
            else:
                t = np.copysign(np.log1p(abs(x)), x)
                z = min(max((t - centre[j]) / spread[j], low[j]), high[j])
                for m in range(k):
                    out[i, m] += slopes[j, m] * z
    return out


def linear_start(
    X: Floats, target: Floats, fold: Ints, objective: Objective, seed: int
) -> LinearStart:
    """Fit predictor k on rows outside fold k: logistic, gamma with log link, or least squares."""
    basis = Basis.of(X, shares=())
    rows = np.arange(len(X))
    if len(rows) > MOST_ROWS:
        rows = np.sort(stream(seed, "linear start").choice(len(X), MOST_ROWS, replace=False))
    (columns, kept), wanted, held = basis.design(X[rows]), target[rows], fold[rows]
    fits = [
        _fit(columns[held != k], wanted[held != k], objective) for k in range(int(fold.max()) + 1)
    ]
    slopes = np.zeros((len(fits), 2 * X.shape[1]))
    slopes[:, kept] = [found for found, _ in fits]
    return LinearStart(basis, slopes, np.array([start for _, start in fits]))


def _fit(columns: Floats, target: Floats, objective: Objective) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression, Ridge

    if not np.ptp(columns, axis=0).any():  # nothing to learn from, and a Newton step is 0/0
        return np.zeros(columns.shape[1]), _constant(target, objective)
    if objective == "binary":
        logistic = LogisticRegression(C=1.0 / PRIOR_ROWS, solver="newton-cholesky", max_iter=300)
        logistic.fit(columns, target)
        return np.asarray(logistic.coef_[0], dtype=np.float64), float(logistic.intercept_[0])
    if objective == "gamma":
        return _gamma(columns, target)
    ridge = Ridge(alpha=PRIOR_ROWS, solver="cholesky").fit(columns, target)
    return np.asarray(ridge.coef_, dtype=np.float64), float(ridge.intercept_)


def _gamma(columns: Floats, target: Floats) -> tuple[Floats, float]:
    """Fit log E[target], the prior in units of the dispersion φ = Var(target) / E[target]².

    It is the dispersion around a constant, and so counts what the columns explain as noise. The
    residuals of a fit would be worse: with heavy tails it has followed the gifts that make φ.
    """
    from sklearn.linear_model import GammaRegressor

    unit = float(target.mean())
    wanted = target / unit
    alpha = PRIOR_ROWS * max(1.0, float(wanted.var())) / len(target)
    gamma = GammaRegressor(alpha=alpha, solver="newton-cholesky", max_iter=300)
    gamma.fit(columns, wanted)
    start = float(gamma.intercept_) + float(np.log(unit))
    return np.asarray(gamma.coef_, dtype=np.float64), start


def _constant(target: Floats, objective: Objective) -> float:
    """Return the raw score that is right if everyone is alike."""
    mean = float(target.mean())
    if objective == "binary":
        return float(np.log(mean) - np.log1p(-mean))
    return float(np.log(mean)) if objective == "gamma" else mean
