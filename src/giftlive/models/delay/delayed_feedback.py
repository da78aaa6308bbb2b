"""Chapelle's model: whether a gift comes at all, and how long it takes, from all rows at once.

    P(gift ever | x) = p(x) = 1 / (1 + e^−(a·x)),   delay given a gift: v = (λ(x)·d)^k, λ = e^(b·x)

    a row that shows a gift at d:      −log p − log f(d),   f(d) = k·v·e^−v / d
    a row of age e that shows none:    −log(1 − p + p·e^−v(e))

With k = 1, Chapelle's exponential delay, −log f = −log λ + λ·d. A free shape k (Weibull) lets the
data say whether long waits become rarer or not.

Assumption: the delay of a gift depends on x only through its rate, and has the stated form: where
the form is wrong, gifts that are late beyond it are counted as never. Ages say nothing about p
beyond x. On the clock of a viewing leaving must not depend on giving; competing hazards
(``SurvivalChance``) ask for less.

References
----------
Chapelle (2014), "Modeling delayed feedback in display advertising", KDD, equations 6 to 10; the
mixture is the cure model of Boag (1949).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from giftlive.errors import NotEnoughDataError
from giftlive.models.delay.design import Design, ridge
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.law import seconds
from giftlive.types import Bools, Floats

LOG_SHAPES = (-2.5, 2.5)
"""Range of log k: delays all equal (a log without delay) have a likelihood without bound in k."""

_LARGEST = 500.0
"""Largest exponent: e^500 is still a number."""


@dataclass(frozen=True)
class DelayedFeedback:
    """Maximum likelihood by L-BFGS with the analytic gradient.

    Parameters
    ----------
    shape : True fits k, False keeps Chapelle's k = 1. penalty : ½·penalty·Σ slope² on the
        standardised slopes of both parts. steps : most iterations.
    """

    shape: bool = False
    penalty: float = 1.0
    steps: int = 500

    def fit(self, follow_up: FollowUp) -> FittedDelay:
        """Fit to all rows.

        Raises
        ------
        NotEnoughDataError
            No gift is seen, or no maximum was found.
        """
        if not follow_up.seen.any():
            raise NotEnoughDataError("no gift is seen", "delayed feedback", "at least one")
        design, delay = Design.of(follow_up.X), follow_up.delay[follow_up.seen]
        unit = max(float(delay.mean()), 1e-3)
        loss = DelayLoss.of(design(follow_up.X), follow_up, unit, self.shape, self.penalty)
        start = np.zeros(2 * design.width + int(self.shape))
        rate = (follow_up.seen.sum() + 0.5) / (len(follow_up) + 1.0)
        start[0] = np.log(rate) - np.log1p(-rate)
        options: Any = {
            "maxiter": self.steps,
            "ftol": 1e-12,
            "gtol": 1e-8 * len(follow_up),
            "maxls": 50,
        }
        free = [(None, None)] * (2 * design.width)
        bounds = [*free, LOG_SHAPES] if self.shape else free
        found = minimize(
            loss.__call__, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        if not np.isfinite(found.x).all() or found.nit >= self.steps:
            raise NotEnoughDataError(
                f"no maximum after {found.nit} steps: {found.message}",
                "delayed feedback",
                "a likelihood with a maximum",
                "raise the penalty, or wait: young rows alone do not tell late from never",
            )
        w, log_shape = design.width, float(found.x[-1]) if self.shape else 0.0
        return FittedDelay(
            design, found.x[:w], found.x[w : 2 * w], log_shape, unit, follow_up.horizon
        )


@dataclass(frozen=True)
class DelayLoss:
    """The loss and its gradient at parameters a [w], b [w] and, where fitted, log k.

    Attributes
    ----------
    columns : [n, w]. seen : [n]. log_time : [n] log of the delay or of the age up to the horizon,
        in units of the fit; −inf at 0. never : [n] True where no gift can come any more.
    """

    columns: Floats
    seen: Bools
    log_time: Floats
    never: Bools
    shape: bool
    penalty: Floats

    @classmethod
    def of(
        cls, columns: Floats, follow_up: FollowUp, unit: float, shape: bool, penalty: float
    ) -> DelayLoss:
        """Prepare the rows; a delay of 0 is one millisecond, so that its density is a number."""
        waited = np.minimum(follow_up.age, follow_up.horizon)
        time = np.where(follow_up.seen, np.maximum(np.nan_to_num(follow_up.delay), 1e-3), waited)
        with np.errstate(divide="ignore"):
            log_time = np.log(time / unit)
        both = np.tile(ridge(columns.shape[1], penalty), 2)
        weights = np.append(both, 1.0) if shape else both  # a unit prior keeps log k finite
        return cls(columns, follow_up.seen, log_time, follow_up.left, shape, weights)

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the loss and its gradient."""
        w = self.columns.shape[1]
        a, b = parameters[:w], parameters[w : 2 * w]
        log_k = float(parameters[-1]) if self.shape else 0.0
        z, k = self.columns @ a, float(np.exp(log_k))
        log_v = np.minimum(k * (self.columns @ b + self.log_time), _LARGEST)
        value, by_z, by_log_v, extra = self._rows(z, log_v)
        gifts = float(self.seen.sum())
        value -= gifts * np.log(k)
        slope = [self.columns.T @ by_z, k * (self.columns.T @ by_log_v)]
        if self.shape:
            slope.append(np.array([extra - gifts]))
        value += 0.5 * float(parameters @ (self.penalty * parameters))
        return value, np.concatenate(slope) + self.penalty * parameters

    def _rows(self, z: Floats, log_v: Floats) -> tuple[float, Floats, Floats, float]:
        """Return Σ loss without log k, its slopes [n] by z and log v, and Σ slope·log v."""
        p, v = expit(z), np.exp(log_v)
        still = np.where(self.never, 0.0, np.exp(-v))
        open_mass = np.maximum((1.0 - p) + p * still, np.finfo(np.float64).tiny)
        value = np.where(self.seen, v - log_v - log_expit(z), -np.log(open_mass))
        value += np.where(self.seen, self.log_time, 0.0)  # f has 1/d: a constant, kept for meaning
        by_z = np.where(self.seen, p - 1.0, p * (1.0 - p) * (1.0 - still) / open_mass)
        by_log_v = np.where(self.seen, v - 1.0, p * still * v / open_mass)
        at = np.where(np.isfinite(log_v), log_v, 0.0)
        return float(value.sum()), by_z, by_log_v, float(by_log_v @ at)


@dataclass(frozen=True)
class FittedDelay:
    """The model after training.

    Attributes
    ----------
    gift, delay : [w] a and b on standardised features. log_shape : log k. unit : seconds in which
        delays were fitted. horizon : of the follow-up.
    """

    design: Design
    gift: Floats
    delay: Floats
    log_shape: float
    unit: float
    horizon: float

    def ever(self, X: Floats) -> Floats:
        """Return [n] P(gift ever | x)."""
        return np.asarray(expit(self.design(X) @ self.gift))

    def rate(self, X: Floats) -> Floats:
        """Return [n] λ(x) per second."""
        return np.exp(self.design(X) @ self.delay) / self.unit

    def open_for(self, X: Floats, t: ArrayLike) -> Floats:
        """Return [n, m] P(delay > t | x, gift)."""
        return self._open(self.rate(X)[:, None] * seconds(t)[None, :])

    def incidence(self, X: Floats, t: ArrayLike) -> Floats:
        """Return [n, m] F(t | x) = P(gift by t | x)."""
        return self.ever(X)[:, None] * (1.0 - self.open_for(X, t))

    def survival(self, X: Floats, t: ArrayLike) -> Floats:
        """Return [n, m] S(t | x) = 1 − F(t | x)."""
        return 1.0 - self.incidence(X, t)

    def still_to_come(self, X: Floats, age: Floats) -> Floats:
        """Return [n] P(gift | x, none up to its age): p·e^−v / (1 − p + p·e^−v)."""
        p, still = self.ever(X), self._open(self.rate(X) * np.asarray(age))
        return p * still / (1.0 - p + p * still)

    def probability(self, X: Floats) -> Floats:
        """Return [n] P(gift within the horizon | x)."""
        if not np.isfinite(self.horizon):
            return self.ever(X)
        return np.asarray(self.incidence(X, self.horizon)[:, 0])

    def _open(self, turns: Floats) -> Floats:
        """Return exp(−turns^k) of times counted in 1/λ."""
        with np.errstate(divide="ignore"):  # log 0 is the start, where everything is open
            log_v = np.exp(self.log_shape) * np.log(turns)
        return np.exp(-np.exp(np.minimum(log_v, np.log(_LARGEST))))
