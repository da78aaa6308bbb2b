"""Cox's proportional hazards: features multiply a hazard whose shape in time is left free.

    S(t | x) = exp(−Λ₀(t)·e^{β·x}),   Λ₀(t) = Σ_{t_j <= t} d_j / Σ_{i at risk at t_j} e^{β·x_i}

β maximises the partial likelihood with Breslow's treatment of equal times; Λ₀ is Breslow's
estimate. Assumption: the ratio of two hazards is the same at all times. Where features matter
early and not late, β is an average over the times events happened at, and so moves with the cut.

References
----------
Cox (1972), "Regression models and life-tables"; Breslow (1974), "Covariance analysis of censored
survival data".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from giftlive.errors import NotEnoughDataError
from giftlive.models.delay.design import Design
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.newton import covariance, minimise
from giftlive.stats.intervals import Interval, checked_level
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Cox:
    """Partial likelihood; ``penalty`` as in ``WeibullAft``."""

    penalty: float = 0.0

    def fit(self, durations: Durations) -> FittedCox:
        """Fit to right-censored times.

        Raises
        ------
        NotEnoughDataError
            No event, or features that do not determine the slopes.
        """
        events = int(durations.event.sum())
        if not events:
            raise NotEnoughDataError("no event", "Cox's law", "at least one")
        design = Design.of(durations.X)
        risk = _RiskSets.of(design(durations.X)[:, 1:], durations)
        penalty = np.full(design.width - 1, self.penalty)

        def loss(b: Floats) -> tuple[float, Floats, Floats]:
            value, slope, bend = risk.loss(b)
            return (
                value + 0.5 * float(b @ (penalty * b)),
                slope + penalty * b,
                bend + np.diag(penalty),
            )

        slopes, curvature = minimise(loss, np.zeros(design.width - 1), "Cox's law")
        grown = np.cumsum(risk.events / risk.sums(slopes)[0])
        return FittedCox(design, slopes, covariance(curvature), risk.times, grown, len(durations))


@dataclass(frozen=True)
class FittedCox:
    """The law after training.

    Attributes
    ----------
    slopes, covariance : on standardised features. time : [k] distinct event times.
    hazard : [k] Λ₀ right after them, for a row of average features. n : rows.
    """

    design: Design
    slopes: Floats
    covariance: Floats
    time: Floats
    hazard: Floats
    n: int

    def survival(self, X: Floats, t: Floats) -> Floats:
        """Return [n, m] S(t | x)."""
        before = np.searchsorted(self.time, np.asarray(t), side="right")
        grown = np.append(0.0, self.hazard)[before]
        risk = np.exp(self.design(X)[:, 1:] @ self.slopes)
        return np.exp(-risk[:, None] * grown[None, :])

    def coefficients(self, level: float = 0.95) -> tuple[Interval, ...]:
        """Estimate the log hazard ratio of one unit of every raw feature, Wald's intervals."""
        z = float(ndtri(0.5 + checked_level(level) / 2.0))
        value = self.slopes / self.design.spread
        half = z * np.sqrt(np.diag(self.covariance)) / self.design.spread
        return tuple(
            Interval(float(b), float(b - h), float(b + h), "wald", self.n, "rows")
            for b, h in zip(value, half, strict=True)
        )


@dataclass(frozen=True)
class _RiskSets:
    """Rows in descending order of time, and where the risk set of every event time ends.

    ``upto`` [k] counts the rows with time >= t_j; ``since`` [n] is the number of event times a
    row was at risk at.
    """

    columns: Floats
    event: Floats
    times: Floats
    events: Floats
    upto: Ints
    since: Ints

    @classmethod
    def of(cls, columns: Floats, durations: Durations) -> _RiskSets:
        order = np.argsort(-durations.time, kind="stable")
        time, event = durations.time[order], durations.event[order].astype(np.float64)
        times, counts = np.unique(time[event > 0.0], return_counts=True)
        upto = np.searchsorted(-time, -times, side="right")
        since = np.searchsorted(times, time, side="right")
        return cls(columns[order], event, times, counts.astype(np.float64), upto, since)

    def sums(self, b: Floats) -> tuple[Floats, Floats, Floats]:
        """Return Σ e^{bx} [k] and Σ x·e^{bx} [k, p] over risk sets, and e^{bx} [n]."""
        weight = np.exp(self.columns @ b)
        mass = np.cumsum(weight)[self.upto - 1]
        first = np.cumsum(self.columns * weight[:, None], axis=0)[self.upto - 1]
        return mass, first, weight

    def loss(self, b: Floats) -> tuple[float, Floats, Floats]:
        """Return −log partial likelihood, its slope and curvature.

        Σ_j d_j·S2_j/S0_j is Σ_i x_i x_iᵀ e^{bx_i}·Λ₀(t_i): no [n, p, p] is built.
        """
        mass, first, weight = self.sums(b)
        if not (np.isfinite(mass).all() and (mass > 0.0).all()):
            return np.inf, b, np.eye(len(b))
        mean = first / mass[:, None]
        value = float(self.events @ np.log(mass) - self.event @ (self.columns @ b))
        slope = self.events @ mean - self.event @ self.columns
        grown = np.append(0.0, np.cumsum(self.events / mass))[self.since]
        bend = (self.columns * (weight * grown)[:, None]).T @ self.columns
        return value, slope, bend - (mean * self.events[:, None]).T @ mean
