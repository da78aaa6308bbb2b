"""A generalised linear model of the amount itself: zeros and sizes in one law, the level right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.base import Card, State, Training, by_chunks, training
from giftlive.models.basis import Basis
from giftlive.models.curves import Line, logit_line, probability
from giftlive.models.settings import at_least
from giftlive.types import Floats, Ints

EXTREME = 30.0
"""Predictions stay within a factor e^30 of the mean amount."""
ARRIVED = 1e-3
"""Steepest slope of the objective (amounts have mean 1) at which a fit counts as found."""


@dataclass(frozen=True)
class TweedieGlm:
    """log E[amount | x] = intercept + coefficients · φ(x), by Tweedie deviance.

    φ: every feature as standardised sign(x)·log(1 + |x|) within the range seen, 0 where unknown,
    and an indicator of being unknown; so expected amounts are powers of past sums and counts. The
    law is compound Poisson-gamma, Var[amount] ∝ E[amount]^``power``: zeros are part of it. The
    coefficients are consistent for the mean whatever the law, if the mean is of this form; a wrong
    power only costs precision. Fitted by Newton's method of scikit-learn's ``TweedieRegressor`` on
    amounts as shares of their mean, with an L2 penalty on the coefficients. One factor then sets
    Σ predicted = Σ actual on the training rows (the log link is not canonical for this law).

    Attributes
    ----------
    power : of the variance, in (1, 2). penalty : of Σ coefficient² / 2, beside the mean deviance.
    """

    power: float = 1.5
    penalty: float = 1e-3
    steps: int = 200

    def __post_init__(self) -> None:
        """Refuse a power without zeros, and settings that nothing can be fitted with."""
        at_least("TweedieGlm", 0, penalty=self.penalty)
        at_least("TweedieGlm", 1, steps=self.steps)
        if not 1.0 < self.power < 2.0:
            raise UsageError(f"power {self.power}", "TweedieGlm.power", "1 < power < 2")

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedTweedieGlm:
        """Fit coefficients, then the level.

        Raises
        ------
        NotEnoughDataError
            No minimum is found: a column may tell gifts from none without error.
        """
        data = training(X, y, groups, names, as_given=True)
        basis = Basis.of(data.X, shares=())
        columns, kept = basis.design(data.X)
        counted = data.y / data.unit
        found, intercept = self._fitted(columns, counted / counted.mean())
        share = _share(columns, found, intercept)
        coefficients = np.zeros(2 * data.X.shape[1])
        coefficients[kept] = found
        level = float(counted.sum() / share.sum())
        gift = logit_line(np.log(share), (data.y > 0.0).astype(np.float64))
        card = self._card(data, level / float(counted.mean()))
        return FittedTweedieGlm(card, basis, coefficients, intercept, level * data.unit, gift)

    def _fitted(self, columns: Floats, target: Floats) -> tuple[Floats, float]:
        import warnings

        from scipy.linalg import LinAlgWarning
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import TweedieRegressor

        glm = TweedieRegressor(
            power=self.power,
            alpha=self.penalty,
            link="log",
            solver="newton-cholesky",
            max_iter=self.steps,
            tol=1e-7,
        )
        with warnings.catch_warnings():
            # It warns where it only changes the solver; whether it arrived is seen below.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", LinAlgWarning)
            glm.fit(columns, target)
        coefficients, intercept = np.asarray(glm.coef_, dtype=np.float64), float(glm.intercept_)
        slope = self._slope(columns, target, coefficients, intercept)
        if not slope < ARRIVED:
            raise NotEnoughDataError(
                f"the Tweedie regression did not converge in {self.steps} steps, slope {slope:.2g}",
                "model tweedie_glm",
                f"a slope below {ARRIVED:g}",
                "a feature may hold the outcome; else use a larger penalty, or a two-part model",
            )
        return coefficients, intercept

    def _slope(
        self, columns: Floats, target: Floats, coefficients: Floats, intercept: float
    ) -> float:
        """Return the steepest slope of the penalised mean deviance: 0 at its minimum."""
        share = _share(columns, coefficients, intercept)
        residual = share ** (2.0 - self.power) - target * share ** (1.0 - self.power)
        slopes = columns.T @ residual / len(target) + self.penalty * coefficients
        return float(max(np.abs(slopes).max(initial=0.0), abs(residual.mean())))

    def _card(self, data: Training, before: float) -> Card:
        return Card(
            name="tweedie_glm",
            estimand="E[amount], log-linear in tamed features",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={"power": self.power, "penalty": self.penalty},
            fitted={"actual_over_predicted_before": before},
            limits=(
                "The logarithm of the expected amount is linear in every feature: no interactions, "
                "no saturation inside the range seen.",
                "The chance of a gift is a monotone function of the expected amount: likely small "
                "gifts and rare large ones share one probability.",
            ),
        )


@dataclass(frozen=True)
class FittedTweedieGlm:
    """A fitted Tweedie regression."""

    about: Card
    basis: Basis
    coefficients: Floats
    intercept: float
    level: float
    gift: Line

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount."""
        return self.level * self._share(X)

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0), a monotone function of the prediction."""
        return probability(self.gift(np.log(self._share(X))))

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        numbers = {
            "card": self.card(),
            "basis": self.basis.as_dict(),
            "coefficients": self.coefficients.tolist(),
            "intercept": self.intercept,
            "level": self.level,
            "gift": self.gift.as_list(),
        }
        return State("tweedie_glm", numbers)

    @classmethod
    def from_state(cls, state: State) -> FittedTweedieGlm:
        """Rebuild the model."""
        n = state.numbers
        return cls(
            Card.from_dict(n["card"]),
            Basis.from_dict(n["basis"]),
            np.array(n["coefficients"], dtype=np.float64),
            n["intercept"],
            n["level"],
            Line(*n["gift"]),
        )

    def _share(self, X: Floats) -> Floats:
        def share(features: Floats) -> Floats:
            columns = self.basis.with_gaps(features)
            return _share(columns, self.coefficients, self.intercept)

        return by_chunks(X, len(self.about.features), share)


def _share(columns: Floats, coefficients: Floats, intercept: float) -> Floats:
    """Return [n] the amount as a share of the mean amount, before the level."""
    return np.exp(np.clip(columns @ coefficients + intercept, -EXTREME, EXTREME))
