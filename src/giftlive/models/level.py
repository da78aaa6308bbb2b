"""A monotone spline from a log score to the logarithm of an expected amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.curves import SMALLEST_SLOPE
from giftlive.types import Floats

GROUPS = 4_000
"""Rows are fitted as at most this many groups of neighbouring scores; the sum uses every row."""
DEGREE = 3


@dataclass(frozen=True)
class LevelSpline:
    """log E[amount | t] = start + Σ_j s_j·M_j(t), strictly increasing.

    M_j are integrated cubic B-splines scaled so that slopes s_j = 1 give log E = start + t − low;
    beyond [low, high] the curve goes on as a line with the slope of its end.

    Attributes
    ----------
    knots : the knots of the B-splines, ends repeated. slopes : [j] s_j > 0. start : above.
    """

    knots: Floats
    slopes: Floats
    start: float

    def __call__(self, t: Floats) -> Floats:
        """Return log E[amount] at log scores t."""
        from scipy.interpolate import BSpline

        low, high = self.knots[0], self.knots[-1]
        rises = np.concatenate([[0.0], np.cumsum(self.slopes * _steps(self.knots))])
        inside = BSpline(self.knots, self.start + rises, DEGREE)(np.clip(t, low, high))
        below, above = np.minimum(t - low, 0.0), np.maximum(t - high, 0.0)
        return np.asarray(inside + self.slopes[0] * below + self.slopes[-1] * above)

    def times(self, factor: float) -> LevelSpline:
        """Return the spline of ``factor`` times as large amounts."""
        return LevelSpline(self.knots, self.slopes, self.start + float(np.log(factor)))

    def as_dict(self) -> dict[str, Any]:
        """Return the spline as plain data."""
        return {
            "knots": self.knots.tolist(),
            "slopes": self.slopes.tolist(),
            "start": self.start,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LevelSpline:
        """Return the spline stored by ``as_dict``."""
        return cls(np.array(data["knots"]), np.array(data["slopes"]), data["start"])


def level_spline(
    t: Floats,
    y: Floats,
    weights: Floats | None = None,
    *,
    pieces: int = 6,
    power: float = 1.5,
    freedom: float = 0.3,
) -> LevelSpline:
    """Fit the level of a score by Tweedie deviance, slopes shrunk towards 1.

    Minimises Σ (−y·μ^(1−q)/(1−q) + μ^(2−q)/(2−q)) / φ + Σ_j (s_j − 1)² / (2·freedom²) with
    log μ the spline at t, q the power (1 = Poisson), φ the dispersion Σ (y − μ₁)²/μ₁^q / n around
    the score itself at the right sum, μ₁ ∝ e^t. Then the start is moved so that Σ μ = Σ y.

    Few or very heavy-tailed amounts make φ large: the slopes stay at 1 and only the sum is
    corrected. Assumption: the score orders rows by expected amount; the level is then right
    wherever enough amounts were seen, whatever their law. Give scores of rows the score was not
    trained on: on its own rows a model looks sharper than it is.

    Parameters
    ----------
    t : [n] log scores. y : [n] amounts >= 0.
    weights : [n] rows that each row stands for, where others were thinned out (None: 1).
    pieces : of the curve, between quantiles of t over the rows with an amount.
    power : q. freedom : prior spread of a slope, > 0.

    Raises
    ------
    UsageError
        Shapes differ, a score is not finite, or ``power`` is not in [1, 2).
    NotEnoughDataError
        No amount is positive.
    """
    w = np.ones(len(t)) if weights is None else np.asarray(weights, dtype=np.float64)
    _check(t, y, w, power)
    low, high = (float(q) for q in np.quantile(t, (0.001, 0.9995)))
    if not high > low:
        return _levelled(LevelSpline(_knots(low, low + 1.0, []), _flat(), 0.0), t, y, w)
    cuts = np.quantile(t[y > 0.0], np.linspace(0.0, 1.0, pieces + 1)[1:-1])
    knots = _knots(low, high, cuts.tolist())
    mean = np.exp(t - t.max())
    mean *= float(w @ y) / float(w @ mean)
    dispersion = float(np.average((y - mean) ** 2 / mean**power, weights=w))
    slopes = np.ones(len(_steps(knots)))
    if dispersion > 0.0:
        slopes = _fitted(_grouped(t, y, w), knots, power, dispersion, freedom)
    return _levelled(LevelSpline(knots, slopes, 0.0), t, y, w)


def _knots(low: float, high: float, cuts: list[float]) -> Floats:
    """Return the knots; cuts that nearly coincide are one, or a single slope could jump there."""
    gap, inner = 0.02 * (high - low), [low]
    for cut in cuts:
        if inner[-1] + gap < cut < high - gap:
            inner.append(cut)
    return np.array([low] * DEGREE + inner + [high] * (DEGREE + 1))


def _flat() -> Floats:
    """Return the slopes of the flattest increasing line: a score without spread has no more."""
    return np.full(DEGREE, SMALLEST_SLOPE)


def _levelled(shape: LevelSpline, t: Floats, y: Floats, w: Floats) -> LevelSpline:
    log_values = shape(t)
    top = float(log_values.max())
    log_sum = top + float(np.log(w @ np.exp(log_values - top)))
    return LevelSpline(shape.knots, shape.slopes, float(np.log(w @ y)) - log_sum)


@dataclass(frozen=True)
class _Groups:
    """Mean score, mean amount and number of rows of neighbouring scores."""

    t: Floats
    y: Floats
    rows: Floats


def _grouped(t: Floats, y: Floats, w: Floats) -> _Groups:
    order = np.argsort(t, kind="stable")
    starts = np.unique(np.linspace(0, len(t), min(GROUPS, len(t)) + 1).astype(np.int64)[:-1])
    rows = np.add.reduceat(w[order], starts)
    means = [np.add.reduceat((w * x)[order], starts) / rows for x in (t, y)]
    return _Groups(means[0], means[1], rows)


def _fitted(
    groups: _Groups, knots: Floats, power: float, dispersion: float, freedom: float
) -> Floats:
    """Return the slopes; a convex problem with bounds, solved to rounding."""
    from scipy.optimize import minimize

    columns = _columns(groups.t, knots)
    unit = float(np.average(groups.y, weights=groups.rows))
    y, phi = groups.y / unit, dispersion / unit ** (2.0 - power)
    weight = groups.rows / phi

    def cost(x: Floats) -> tuple[float, Floats]:
        eta = x[0] + columns @ x[1:]
        small, large = np.exp((1.0 - power) * eta), np.exp((2.0 - power) * eta)
        first = -y * eta if power == 1.0 else y * small / (power - 1.0)
        pull = (x[1:] - 1.0) / freedom**2
        residual = weight * (large - y * small)
        value = float(weight @ (first + large / (2.0 - power)) + 0.5 * pull @ (x[1:] - 1.0))
        return value, np.concatenate([[residual.sum()], columns.T @ residual + pull])

    straight = columns.sum(axis=1)
    begin = -float(np.log(np.average(np.exp(straight), weights=groups.rows)))
    bounds = [(None, None)] + [(SMALLEST_SLOPE, None)] * columns.shape[1]
    found = minimize(
        cost,
        np.concatenate([[begin], np.ones(columns.shape[1])]),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 2_000, "maxfun": 10_000, "ftol": 1e-15, "gtol": 1e-10},
    )
    return np.asarray(found.x[1:], dtype=np.float64)


def _columns(t: Floats, knots: Floats) -> Floats:
    """Return [n, j] the M_j at t."""
    from scipy.interpolate import BSpline

    low, high = knots[0], knots[-1]
    basis = BSpline.design_matrix(np.clip(t, low, high), knots, DEGREE).toarray()
    later = np.cumsum(basis[:, ::-1], axis=1)[:, ::-1][:, 1:]
    columns = later * _steps(knots)
    columns[:, 0] += np.minimum(t - low, 0.0)
    columns[:, -1] += np.maximum(t - high, 0.0)
    return np.asarray(columns, dtype=np.float64)


def _steps(knots: Floats) -> Floats:
    """Return the distances of the Greville points: coefficients there give the identity."""
    return np.asarray((knots[DEGREE + 1 : -1] - knots[1 : -DEGREE - 1]) / DEGREE)


def _check(t: Floats, y: Floats, w: Floats, power: float) -> None:
    if t.ndim != 1 or not t.shape == y.shape == w.shape or not np.isfinite(t).all():
        raise UsageError(
            f"shapes {t.shape}, {y.shape}, {w.shape}, {int((~np.isfinite(t)).sum())} not finite",
            "arguments t, y, weights",
            "[n] finite log scores, [n] amounts, [n] weights",
        )
    if not (w > 0.0).all():
        raise UsageError("a weight is not positive", "argument weights", "weights > 0")
    if not 1.0 <= power < 2.0:
        raise UsageError(f"power {power}", "argument power", "1 <= power < 2 (1 is Poisson)")
    if not (y > 0.0).any():
        raise NotEnoughDataError("no amount is positive", "argument y", "at least one gift")
