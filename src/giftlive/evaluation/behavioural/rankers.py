"""The rankers whose order is compared: past sums, two ridges, and a product of two parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.models.base import known, training
from giftlive.models.registry import MODELS
from giftlive.models.ridge import Design, FittedRidge, Ridge
from giftlive.types import Floats

TRIVIAL = ("user_past_spend", "pair_past_spend", "streamer_past_income")
LEARNED = ("ridge", "ridge_log1p", "logistic_x_ridge")
RANKERS = (*TRIVIAL, *LEARNED)
"""In the order of the tables. An order that knows nothing captures exactly its share."""

_PENALTY = 1e-4
_LONG_TAIL = 10.0


def predicted(name: str, X: Floats, y: Floats, names: Sequence[str], test: Floats) -> Floats:
    """Fit the ranker ``name`` and return [m] its predicted amounts of ``test``.

    Parameters
    ----------
    X : [n, p] training features. y : [n] amounts. names : [p]. test : [m, p].
    """
    if name == "ridge_log1p":
        # the naive way back: E[log(1 + A)] is not log(1 + E[A]), and no factor repairs the order
        return np.expm1(Ridge().fit(X, np.log1p(y), names=names).predict(test))
    if name == "logistic_x_ridge":
        return LogisticRidge.fitted(X, y, names).predict(test)
    return MODELS[name]().fit(X, y, names=names).predict(test)


@dataclass(frozen=True)
class LogisticRidge:
    """P(gift | x) by logistic regression times E[amount | gift, x] by ridge on gift rows.

    Both parts see the same columns. It is a yardstick of this comparison and no value model: it
    has neither card nor calibration.
    """

    design: Design
    coefficients: Floats
    intercept: float
    amount: FittedRidge

    @classmethod
    def fitted(cls, X: Floats, y: Floats, names: Sequence[str]) -> LogisticRidge:
        """Fit the two parts; the chance on all rows, the amount on rows with a gift."""
        from sklearn.linear_model import LogisticRegression

        data = training(X, y, None, names, minimum_positives=10)
        design = Design.of(data.X, _LONG_TAIL)
        gift = data.y > 0.0
        chance = LogisticRegression(C=1.0 / (_PENALTY * len(y)), tol=1e-3, max_iter=200)
        chance.fit(design.columns(data.X), gift)
        amount = Ridge().fit(data.X[gift], data.y[gift], names=names)
        return cls(design, chance.coef_[0], float(chance.intercept_[0]), amount)

    def predict(self, X: Floats) -> Floats:
        """Return [n] the product of both parts."""
        from scipy.special import expit

        columns = self.design.columns(known(X, len(self.design.fill)))
        chance = expit(columns @ self.coefficients + self.intercept)
        return np.asarray(chance * self.amount.predict(X), dtype=np.float64)
