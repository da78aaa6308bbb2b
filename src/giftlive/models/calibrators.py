"""Curves that make probabilities honest: isotonic, beta, Venn-Abers.

Each is fitted on probabilities of rows the model was not trained on, and is stored as numbers.
The level of an amount has its own curve: ``level.LevelSpline``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.models.curves import probability
from giftlive.models.venn_abers import venn_abers_steps
from giftlive.types import Floats

SMALLEST_P = 1e-12
"""Probabilities are kept this far from 0 and 1 before a logarithm."""
BETA_ROWS = 50
"""Rows of either kind that the beta curve needs; with fewer only the rate is corrected."""


class Calibrator(Protocol):
    """A non-decreasing map of probabilities."""

    def __call__(self, p: Floats, /) -> Floats:
        """Return [n] calibrated probabilities."""

    def as_dict(self) -> dict[str, Any]:
        """Return the curve as plain data."""


@dataclass(frozen=True)
class Isotonic:
    """The non-decreasing curve closest in squared error, linear between its points.

    Flat pieces give rows that were told apart one probability: an order is not kept. Its ends
    may be exactly 0 or 1 where a score saw one kind of row only.
    """

    p: Floats
    value: Floats

    @classmethod
    def fit(cls, p: Floats, occurred: Floats) -> Isotonic:
        """Fit to probabilities [n] and outcomes [n] of 0 and 1."""
        from sklearn.isotonic import IsotonicRegression

        _check(p, occurred)
        curve = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(p, occurred)
        return cls(np.asarray(curve.X_thresholds_), np.asarray(curve.y_thresholds_))

    def __call__(self, p: Floats) -> Floats:
        """Return [n] calibrated probabilities."""
        return np.interp(p, self.p, self.value)

    def as_dict(self) -> dict[str, Any]:
        """Return the curve as plain data."""
        return {"kind": "isotonic", "p": self.p.tolist(), "value": self.value.tolist()}


@dataclass(frozen=True)
class Beta:
    """logit q = c + a·log p − b·log(1 − p), a, b >= 0: strictly increasing unless both are 0.

    The likelihood ratio of two beta laws of the score. a = b is Platt's scaling; a = b = 1,
    c = 0 leaves p alone.

    References: Kull, Silva Filho, Flach (2017), "Beta calibration", AISTATS, equation 4.
    """

    a: float
    b: float
    c: float

    @classmethod
    def fit(cls, p: Floats, occurred: Floats) -> Beta:
        """Fit by logistic regression; a negative a or b is set to 0 and the rest fitted again."""
        from sklearn.linear_model import LogisticRegression

        _check(p, occurred)
        columns = _logs(p)
        hits = float(occurred.sum())
        if min(hits, len(p) - hits) < BETA_ROWS:
            return cls(1.0, 1.0, _shift(columns.sum(axis=1), hits))
        used = [j for j in range(2) if np.ptp(columns[:, j]) > 0.0]
        slopes = np.zeros(2)
        while used:
            spread = columns[:, used].std(axis=0)
            # A prior of weight 1e-4 keeps separable data finite and moves nothing else.
            fit = LogisticRegression(C=1e4, solver="newton-cholesky", max_iter=300, tol=1e-8)
            fit.fit(columns[:, used] / spread, occurred)
            slopes[:] = 0.0
            slopes[used] = fit.coef_[0] / spread
            if (slopes >= 0.0).all():
                return cls(float(slopes[0]), float(slopes[1]), float(fit.intercept_[0]))
            used = [j for j in used if slopes[j] > 0.0]
        rate = hits / len(p)
        return cls(0.0, 0.0, float(np.log(rate) - np.log1p(-rate)))

    def __call__(self, p: Floats) -> Floats:
        """Return [n] calibrated probabilities."""
        return probability(self.logit(_logs(p)))

    def logit(self, logs: Floats) -> Floats:
        """Return logit q from columns log p and −log(1 − p)."""
        return self.c + self.a * logs[..., 0] + self.b * logs[..., 1]

    def as_dict(self) -> dict[str, Any]:
        """Return the curve as plain data."""
        return {"kind": "beta", "a": self.a, "b": self.b, "c": self.c}


@dataclass(frozen=True)
class VennAbers:
    """Two probabilities, one of which is right on average, and their merger.

    p0 and p1 are what isotonic regression says at a score when the row itself is added to the
    calibration rows with outcome 0 and with outcome 1. Where rows are exchangeable one of them
    is calibrated, whatever the scores mean; their distance says how much is known. Merged by
    p1 / (1 − p0 + p1), which minimises the worst regret in log-loss: never exactly 0 or 1.

    Attributes
    ----------
    at0, low : p0 is low[i] for at0[i] <= score < at0[i + 1], and 0 below at0[0].
    at1, high : p1 is high[i] for at1[i − 1] < score <= at1[i], and 1 above the last.

    References: Vovk, Petej, Fedorova (2015), "Large-scale probabilistic predictors with and
    without guarantees of validity", algorithms 1 to 4 and equation 4.
    """

    at0: Floats
    low: Floats
    at1: Floats
    high: Floats

    @classmethod
    def fit(cls, p: Floats, occurred: Floats) -> VennAbers:
        """Precompute both step functions from scores [n] and outcomes [n] of 0 and 1."""
        _check(p, occurred)
        return cls(*venn_abers_steps(p, occurred))

    def bounds(self, p: Floats) -> tuple[Floats, Floats]:
        """Return p0 [n] and p1 [n]."""
        left = np.searchsorted(self.at0, p, side="right") - 1
        right = np.searchsorted(self.at1, p, side="left")
        low = np.where(left >= 0, self.low[np.maximum(left, 0)], 0.0)
        last = len(self.at1) - 1
        high = np.where(right <= last, self.high[np.minimum(right, last)], 1.0)
        return low, high

    def __call__(self, p: Floats) -> Floats:
        """Return [n] merged probabilities."""
        low, high = self.bounds(p)
        return np.asarray(high / (1.0 - low + high))

    def as_dict(self) -> dict[str, Any]:
        """Return the steps as plain data."""
        steps = {key: value.tolist() for key, value in vars(self).items()}
        return {"kind": "venn_abers", **steps}


CALIBRATORS: dict[str, Callable[[Floats, Floats], Calibrator]] = {
    "isotonic": Isotonic.fit,
    "beta": Beta.fit,
    "venn_abers": VennAbers.fit,
}
_STORED: dict[str, Callable[..., Calibrator]] = {
    "isotonic": Isotonic,
    "beta": Beta,
    "venn_abers": VennAbers,
}


def stored_calibrator(data: dict[str, Any]) -> Calibrator:
    """Return the curve stored by ``as_dict``."""
    numbers = {
        key: np.array(value, dtype=np.float64) if isinstance(value, list) else value
        for key, value in data.items()
        if key != "kind"
    }
    return _STORED[data["kind"]](**numbers)


def _logs(p: Floats) -> Floats:
    kept = np.clip(p, SMALLEST_P, 1.0 - SMALLEST_P)
    return np.stack([np.log(kept), -np.log1p(-kept)], axis=-1)


def _shift(logit: Floats, hits: float) -> float:
    """Return c such that logit + c has the observed rate, with half a row of each kind added."""
    from scipy.optimize import brentq

    rate = (hits + 0.5) / (len(logit) + 1.0)
    return float(brentq(lambda c: float(probability(logit + c).mean()) - rate, -60.0, 60.0))


def _check(p: Floats, occurred: Floats) -> None:
    if p.ndim != 1 or p.shape != occurred.shape:
        raise UsageError(f"shapes {p.shape}, {occurred.shape}", "arguments p, occurred", "[n], [n]")
    if not len(p):
        raise NotEnoughDataError("no row", "arguments p, occurred", "at least one")
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise InputError("a probability is not in [0, 1]", "argument p", "numbers in [0, 1]")
    if not np.isin(occurred, (0.0, 1.0)).all():
        raise InputError("an outcome is not 0 or 1", "argument occurred", "zeros and ones")
