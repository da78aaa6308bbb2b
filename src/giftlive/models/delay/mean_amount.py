"""E[amount | gift, x, delay]: what a gift is worth when it comes after d seconds.

    log m(x, d) = β₀ + β·x + κ·log(1 + d)

fitted by Poisson's quasi-likelihood, consistent for the mean whatever the law of the amounts.
Given the delay, the gifts seen by T are a fair sample of all gifts with that delay, even though
late gifts are missing more often than early ones. A mean that ignored d would lean towards early
gifts wherever large ones take longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.models.delay.design import Design, gram, ridge
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.newton import minimise
from giftlive.types import Floats

_STEEPEST = 50.0


@dataclass(frozen=True)
class DelayedAmount:
    """Settings; ``penalty`` on the standardised slopes, in gifts of unit information."""

    penalty: float = 1.0

    def fit(self, follow_up: FollowUp) -> FittedAmount:
        """Fit to the gifts that are seen.

        Raises
        ------
        NotEnoughDataError
            No gift of a positive amount is seen.
        """
        given = follow_up.seen & (follow_up.amount > 0.0)
        if not given.any():
            raise NotEnoughDataError("no gift is seen", "amount by delay", "at least one")
        rows = np.column_stack([follow_up.X[given], np.log1p(follow_up.delay[given])])
        unit = float(follow_up.amount[given].mean())
        y, design = follow_up.amount[given] / unit, Design.of(rows)
        columns, penalty = design(rows), ridge(design.width, max(self.penalty, 1e-9))

        def loss(b: Floats) -> tuple[float, Floats, Floats]:
            log = columns @ b
            mean = np.exp(np.minimum(log, _STEEPEST))
            value = float(mean.sum() - y @ log + 0.5 * b @ (penalty * b))
            bend = gram(columns, mean) + np.diag(penalty)
            return value, columns.T @ (mean - y) + penalty * b, bend

        found, _ = minimise(loss, np.zeros(design.width), "amount by delay")
        return FittedAmount(design, found, unit)


@dataclass(frozen=True)
class FittedAmount:
    """The mean after training; the last column of the design is log(1 + delay)."""

    design: Design
    coefficients: Floats
    unit: float

    def mean(self, X: Floats, delay: Floats) -> Floats:
        """Return [n, m] E[amount | gift at second m, x] of rows [n, p]."""
        rows = np.column_stack([X, np.zeros(len(X))])
        steady = self.design(rows) @ self.coefficients
        slope = self.coefficients[-1] / self.design.spread[-1]
        log = steady[:, None] + slope * np.log1p(np.asarray(delay))[None, :]
        return self.unit * np.exp(np.minimum(log, _STEEPEST))
