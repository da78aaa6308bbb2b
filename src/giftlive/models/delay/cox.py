"""Cox's proportional hazards: features multiply a hazard whose shape in time is left free.

    S(t | x) = exp(−Λ₀(t)·e^{β·x}),   Λ₀(t) = Σ_{events until t} 1 / Σ_{i at risk} e^{β·x_i}

β maximises the partial likelihood and Λ₀ is Breslow's estimate, both with Efron's treatment of
equal times. Assumption: the ratio of two hazards is the same at all times. Where features matter
early and not late, β is an average over the times events happened at, and so moves with the cut.

References
----------
Cox (1972), "Regression models and life-tables"; Breslow (1974), "Covariance analysis of censored
survival data"; Efron (1977), "The efficiency of Cox's likelihood function for censored data".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from giftlive.errors import NotEnoughDataError
from giftlive.models.delay.design import Design, gram
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.newton import covariance, minimise
from giftlive.stats.intervals import Interval, checked_level
from giftlive.types import Bools, Floats, Ints

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True)
class Cox:
    """Partial likelihood.

    Parameters
    ----------
    ties : "efron" or "breslow", what a risk set is where several events share a time. Breslow's
        is too small where many do: with all gifts at one second its level is e^−p, not 1 − p.
    penalty : as in ``WeibullAft``.
    """

    ties: Ties = "efron"
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
        risk = _RiskSets.of(design(durations.X)[:, 1:], durations, self.ties)
        penalty = np.full(design.width - 1, self.penalty)
        ridged = np.diag(penalty)

        def loss(b: Floats) -> tuple[float, Floats, Floats]:
            value, slope, bend = risk.loss(b)
            return (
                value + 0.5 * float(b @ (penalty * b)),
                slope + penalty * b,
                bend + ridged,
            )

        slopes, curvature = minimise(loss, np.zeros(design.width - 1), "Cox's law")
        grown = risk.grown(risk.mass(slopes)[1])
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
    """Rows in descending order of time; the events, each with its risk set.

    Of d events at one time the l-th (from 0) sees the risk set without the share l/d of those d
    (Efron), or all of it (Breslow).

    Attributes
    ----------
    columns : [n, p]. event : [n]. of_event : [m] row of every event, ascending in time.
    times : [k] distinct event times. time_of : [m] position of an event's time in ``times``.
    gone : [m] l/d. upto : [k] rows with time >= t_j. since : [n] event times a row was at risk at.
    """

    columns: Floats
    event: Bools
    of_event: Ints
    times: Floats
    time_of: Ints
    gone: Floats
    upto: Ints
    since: Ints

    @classmethod
    def of(cls, columns: Floats, durations: Durations, ties: Ties) -> _RiskSets:
        order = np.argsort(-durations.time, kind="stable")
        time, event = durations.time[order], durations.event[order]
        of_event = np.flatnonzero(event)[::-1]
        times, first, time_of, counts = np.unique(
            time[of_event], return_index=True, return_inverse=True, return_counts=True
        )
        gone = (np.arange(len(of_event)) - first[time_of]) / counts[time_of]
        upto = np.searchsorted(-time, -times, side="right")
        since = np.searchsorted(times, time, side="right")
        gone = gone if ties == "efron" else np.zeros_like(gone)
        return cls(columns[order], event, of_event, times, time_of, gone, upto, since)

    def mass(self, b: Floats) -> tuple[Floats, Floats]:
        """Return e^{bx} [n] and Σ e^{bx} [m] over the risk set of every event."""
        weight = np.exp(self.columns @ b)
        return weight, self._over(weight)

    def _over(self, values: Floats) -> Floats:
        """Sum values [n] or [n, p] over the risk set of every event: [m] or [m, p]."""
        all_of = np.cumsum(values, axis=0)[self.upto - 1][self.time_of]
        tied = np.zeros((len(self.times), *values.shape[1:]))
        np.add.at(tied, self.time_of, values[self.of_event])
        gone = self.gone.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(all_of - gone * tied[self.time_of])

    def grown(self, mass: Floats) -> Floats:
        """Return [k] Λ₀ right after every event time."""
        return np.cumsum(np.bincount(self.time_of, 1.0 / mass, len(self.times)))

    def loss(self, b: Floats) -> tuple[float, Floats, Floats]:
        """Return −log partial likelihood, its slope and curvature.

        Σ over events of S2/S0 is Σ_i x_i x_iᵀ e^{bx_i}·Λ_i, Λ_i what row i has been at risk of
        (a tied event only with the share that is not gone): no [n, p, p] is built.
        """
        weight, mass = self.mass(b)
        if not (np.isfinite(mass).all() and (mass > 0.0).all()):
            return np.inf, b, np.eye(len(b))
        mean = self._over(self.columns * weight[:, None]) / mass[:, None]
        value = float(np.log(mass).sum() - (self.columns[self.of_event] @ b).sum())
        slope = mean.sum(axis=0) - self.columns[self.of_event].sum(axis=0)
        risk = np.append(0.0, self.grown(mass))[self.since]
        lost = np.bincount(self.time_of, self.gone / mass, len(self.times))
        risk[self.of_event] -= lost[self.time_of]
        bend = gram(self.columns, weight * risk)
        return value, slope, bend - mean.T @ mean
