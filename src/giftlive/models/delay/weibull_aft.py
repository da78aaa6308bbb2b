"""Weibull's accelerated failure time: features stretch time, one shape bends the hazard.

    S(t | x) = exp(−(t / θ(x))^k),   log θ(x) = β₀ + β·x,   k > 0

k < 1: the longer one has waited the less likely the event is in the next second; k = 1: constant.
In (k, γ = k·β) the log-likelihood is concave, also for times known only to lie in an interval
(the probability of an interval with ends linear in the parameters, under a log-concave law), so
there is one maximum and Newton finds it.

Assumption: every row has its event some day. Where most exposures never gift, the law pays for
that with a small shape and a huge scale; ``DelayedFeedback`` has a chance of never instead.

References
----------
Kalbfleisch and Prentice (1980), "The statistical analysis of failure time data", 2.3 and 3.4;
Burridge (1981), "Empirical Bayes analysis of survival time data", for the concavity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.models.delay.design import Design, gram, ridge
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.newton import covariance, minimise
from giftlive.stats.intervals import Interval, checked_level
from giftlive.types import Bools, Floats

_NARROW = 1e-3
"""Width of a cell over its time below which the cell is one point."""

_BARRIER = 1e-2
"""Events of prior that keep k above 0 where all cells begin at 0: all at once, then never."""

_WIDEST = 600.0
"""Largest (t/θ)^k whose survival is told from 0."""


@dataclass(frozen=True)
class WeibullAft:
    """Maximum likelihood from exact, right-censored and interval-censored times.

    Parameters
    ----------
    grid : seconds to which a recorder rounds event times *down*; an event at d then lies in
        [d, d + grid), or at its middle where that is a thousandth of d. 0: times are exact, and
        must be > 0.
    penalty : ½·penalty·Σ slope² on standardised slopes; 0 for intervals that mean what they say.
    """

    grid: float = 0.0
    penalty: float = 0.0

    def fit(self, durations: Durations) -> FittedWeibull:
        """Fit to right-censored times."""
        time, event = durations.time, durations.event
        if self.grid > 0.0:
            return self.fit_intervals(durations.X, *_cells(time, event, self.grid))
        if (time[event] <= 0.0).any():
            raise InputError(
                f"{int((time[event] <= 0.0).sum())} events at second 0",
                "argument durations",
                "exact times > 0",
                "a recorder that rounds has a grid: give it, or the delay is not in this log",
            )
        return self.fit_intervals(durations.X, time, np.where(event, time, np.inf))

    def fit_intervals(self, X: Floats, lower: Floats, upper: Floats) -> FittedWeibull:
        """Fit where row i's event lies between ``lower`` and ``upper`` seconds.

        Equal bounds: an exact time. An infinite upper bound: right-censored. Otherwise only the
        interval is known.

        Raises
        ------
        UsageError, NotEnoughDataError
            Bounds that are not 0 <= lower <= upper; fewer than 2 events.
        """
        if not ((lower >= 0.0) & (lower <= upper) & np.isfinite(lower) & (upper > 0.0)).all():
            raise UsageError("bounds", "arguments lower, upper", "0 <= lower <= upper, 0 < upper")
        ends = int(np.isfinite(upper).sum())
        if ends < 2:
            raise NotEnoughDataError(f"{ends} events", "Weibull law", "at least 2")
        design = Design.of(X)
        unit = float(np.median(upper[np.isfinite(upper)]))
        sample = _Sample.of(design(X), lower / unit, upper / unit)
        penalty = np.append(0.0, ridge(design.width, self.penalty))
        ridged = np.diag(penalty)
        open_share = float(np.mean(~np.isfinite(upper)))
        start = np.append(1.0, np.zeros(design.width))
        start[1] = -np.log(max(1.0 - open_share, 1e-6))  # a scale as long as events are rare

        def loss(a: Floats) -> tuple[float, Floats, Floats]:
            value, slope, bend = sample.loss(a)
            return (
                value + 0.5 * float(a @ (penalty * a)),
                slope + penalty * a,
                bend + ridged,
            )

        found, curvature = minimise(loss, start, "Weibull law")
        return FittedWeibull(design, unit, found, covariance(curvature), len(lower))


@dataclass(frozen=True)
class FittedWeibull:
    """The law after training.

    Attributes
    ----------
    unit : seconds in which it was fitted. parameters : [1 + p + 1] k, then γ on standardised
        columns. covariance : of the parameters, the inverse information. n : rows.
    """

    design: Design
    unit: float
    parameters: Floats
    covariance: Floats
    n: int

    @property
    def shape_value(self) -> float:
        """Return k."""
        return float(self.parameters[0])

    def log_scale(self, X: Floats) -> Floats:
        """Return [n] log θ(x), θ in seconds."""
        return np.asarray(self.design(X) @ self.parameters[1:] / self.shape_value) + np.log(
            self.unit
        )

    def survival(self, X: Floats, t: Floats) -> Floats:
        """Return [n, m] S(t | x)."""
        with np.errstate(divide="ignore"):  # log 0 is the start, where S = 1
            log_t = np.log(np.asarray(t, dtype=np.float64))
        power = self.shape_value * (log_t[None, :] - self.log_scale(X)[:, None])
        return np.exp(-np.exp(np.minimum(power, np.log(_WIDEST))))

    def shape(self, level: float = 0.95) -> Interval:
        """Estimate k with Wald's interval on the log scale: k·exp(± z·se(k)/k)."""
        k, se = self.shape_value, float(np.sqrt(self.covariance[0, 0]))
        spread = float(np.exp(_z(level) * se / k))
        return Interval(k, k / spread, k * spread, "wald(log)", self.n, "rows")

    def scale(self, x: Floats, level: float = 0.95) -> Interval:
        """Estimate θ(x) in seconds at one row of features [p], Wald on the log scale."""
        row = np.asarray(x, dtype=np.float64)[None, :]
        log, spread = float(self.log_scale(row)[0]), _z(level) * self._se(self.design(row)[0])
        low, high = np.exp([log - spread, log + spread])
        return Interval(float(np.exp(log)), float(low), float(high), "wald(log)", self.n, "rows")

    def coefficients(self, level: float = 0.95) -> tuple[Interval, ...]:
        """Estimate β₀ (log seconds) and the slopes β of the raw features, Wald's intervals."""
        raw = self.design.raw()
        value = raw @ self.parameters[1:] / self.shape_value
        value[0] += np.log(self.unit)
        half = [_z(level) * self._se(row) for row in raw]
        return tuple(
            Interval(float(b), float(b - h), float(b + h), "wald", self.n, "rows")
            for b, h in zip(value, half, strict=True)
        )

    def _se(self, columns: Floats) -> float:
        """Return the standard error of columns·γ / k, by the delta method."""
        k, gamma = self.shape_value, self.parameters[1:]
        slope = np.append(-float(columns @ gamma) / k**2, columns / k)
        return float(np.sqrt(slope @ self.covariance @ slope))


@dataclass(frozen=True)
class _Sample:
    """Columns [n, p + 1] and log bounds; rows with exact time, interval or lower bound only."""

    exact: tuple[Floats, Floats]
    open: tuple[Floats, Floats]
    between: tuple[Floats, Floats, Floats]

    @classmethod
    def of(cls, columns: Floats, lower: Floats, upper: Floats) -> _Sample:
        exact, censored = lower == upper, np.isinf(upper) & (lower > 0.0)
        inside = ~exact & np.isfinite(upper)
        tiny = np.log(np.finfo(np.float64).tiny)
        low = np.log(np.where(lower > 0.0, lower, 1.0))
        low = np.where(lower > 0.0, low, tiny)  # a lower bound of 0 adds nothing
        high = np.log(np.where(np.isfinite(upper), upper, 1.0))
        return cls(
            (columns[exact], low[exact]),
            (columns[censored], low[censored]),
            (columns[inside], low[inside], high[inside]),
        )

    def loss(self, a: Floats) -> tuple[float, Floats, Floats]:
        """Return −log L of a = (k, γ), its slope and curvature; u = k·log t − γ·x everywhere."""
        if a[0] <= 0.0:
            return np.inf, a, np.eye(len(a))
        value, slope, bend = -_BARRIER * np.log(a[0]), np.zeros(len(a)), np.zeros((len(a), len(a)))
        slope[0], bend[0, 0] = -_BARRIER / a[0], _BARRIER / a[0] ** 2
        for (columns, log_t), is_event in ((self.exact, 1.0), (self.open, 0.0)):
            U = np.column_stack([log_t, -columns])
            u = U @ a
            power = np.exp(np.minimum(u, _WIDEST))
            value += float(power.sum() - is_event * (u.sum() + len(u) * np.log(a[0])))
            slope += U.T @ (power - is_event)
            slope[0] -= is_event * len(u) / a[0]
            bend += gram(U, power)
            bend[0, 0] += is_event * len(u) / a[0] ** 2
        more = self._between(a)
        return value + more[0], slope + more[1], bend + more[2]

    def _between(self, a: Floats) -> tuple[float, Floats, Floats]:
        """Return the same for −log(e^−A − e^−B), A = e^u(lower), B = e^u(upper)."""
        columns, low, high = self.between
        L, H = np.column_stack([low, -columns]), np.column_stack([high, -columns])
        A, B = (np.exp(np.minimum(U @ a, _WIDEST)) for U in (L, H))
        gap = np.maximum(B - A, np.finfo(np.float64).tiny)
        lost = -np.expm1(-gap)
        to_low, to_high = A / lost, B * np.exp(-gap) / lost
        value = float((A - np.log(lost)).sum())
        slope = L.T @ to_low - H.T @ to_high
        cross = (L * (to_low * to_high)[:, None]).T @ H
        bend = gram(L, to_low * (1.0 - A) + to_low**2)
        bend += gram(H, to_high**2 - to_high * (1.0 - B)) - cross - cross.T
        return value, slope, bend


def _cells(time: Floats, event: Bools, grid: float) -> tuple[Floats, Floats]:
    """Return lower and upper bounds; a cell that is narrow against its time is its middle.

    The probability of a cell is a difference of two survivals, which loses digits as it narrows.
    """
    narrow = event & (grid <= _NARROW * time)
    middle = time + grid / 2.0
    return np.where(narrow, middle, time), np.where(
        narrow, middle, np.where(event, time + grid, np.inf)
    )


def _z(level: float) -> float:
    return float(ndtri(0.5 + checked_level(level) / 2.0))
