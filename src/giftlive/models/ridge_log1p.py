"""Ridge regression on log(1 + amount), with or without the way back to a mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.models.base import Card, State, Training, known, training
from giftlive.models.basis import Basis
from giftlive.models.curves import Line, logit_line, positive, probability
from giftlive.models.settings import at_least
from giftlive.models.smearing import RatioSmearing, ratio_smearing
from giftlive.types import Floats, Ints

FLOOR = 1e-3
"""Back-transformed predictions below this share of the smallest gift are bent to stay positive."""


@dataclass(frozen=True)
class RidgeLog1p:
    """Least squares on log(1 + amount / unit); the unit is the smallest gift of the training rows.

    Without retransformation, exp(fit) − 1 is a geometric mean of 1 + amount, minus 1: another
    quantity than E[amount], below it by Jensen's inequality, and it must not be read as revenue.
    With it, that value is multiplied by Σ actual / Σ predicted within bins of its size (see
    ``smearing``), and the sum is set to that of the training rows. Assumption: within a bin the
    factor is the same for everybody.

    Columns: every feature as standardised sign(x)·log(1 + |x|) within the range seen, and an
    indicator of being unknown. Raw sums would not do: exp of a line in them explodes on the first
    rows beyond the range. No prediction exceeds the largest of the training rows either.

    Attributes
    ----------
    retransform : whether the estimand is E[amount]. penalty : as in ``Ridge``.
    bins : of the retransformation, at most.
    """

    retransform: bool = True
    penalty: float = 1e-3
    bins: int = 10

    def __post_init__(self) -> None:
        """Refuse settings that nothing can be fitted with."""
        at_least("RidgeLog1p", 0, penalty=self.penalty)
        at_least("RidgeLog1p", 1, bins=self.bins)

    @property
    def name(self) -> str:
        """Return the name in the registry: it says when the estimand is another."""
        return "ridge_log1p" if self.retransform else "ridge_log1p_geometric"

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedRidgeLog1p:
        """Fit coefficients on the log scale, then the way back."""
        from sklearn.linear_model import Ridge as Regression

        data = training(X, y, groups, names)
        basis = Basis.of(data.X, shares=())
        Z = basis.with_gaps(data.X)
        counted = data.y / data.unit
        fit = Regression(alpha=self.penalty * len(counted), solver="cholesky")
        fit.fit(Z, np.log1p(counted))
        coefficients = np.asarray(fit.coef_, dtype=np.float64)
        eta = Z @ coefficients + float(fit.intercept_)
        ceiling = float(eta.max())
        geometric = _geometric(eta, ceiling)
        back, level = None, 1.0
        if self.retransform:
            back = ratio_smearing(geometric, counted, bins=self.bins)
            level = float(counted.sum() / back(geometric).sum())
        gift = logit_line(np.log(geometric), (data.y > 0.0).astype(np.float64))
        card = self._card(data, float(geometric.sum() / counted.sum()))
        return FittedRidgeLog1p(
            card,
            basis,
            coefficients,
            (float(fit.intercept_), ceiling),
            back,
            level * data.unit,
            gift,
        )

    def _card(self, data: Training, ratio: float) -> Card:
        mean = "E[amount], by ratio smearing of a regression on log(1 + amount)"
        other = "exp(E[log(1 + amount)]) - 1, a geometric mean, not E[amount]"
        limit = (
            "The way back is fitted on the training rows: with few gifts per bin its ends are luck."
            if self.retransform
            else "It estimates another quantity than the expected amount: far too low in level, "
            "and its order prefers likely gifts to large ones."
        )
        return Card(
            name=self.name,
            estimand=mean if self.retransform else other,
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={"penalty": self.penalty, "bins": self.bins},
            fitted={"unit": data.unit, "geometric_over_actual": ratio},
            limits=(limit, "Linear on the log scale: most rows hold no gift, and bend it."),
        )


@dataclass(frozen=True)
class FittedRidgeLog1p:
    """A fitted ridge regression on log(1 + amount); ``back`` is None without retransformation.

    Attributes
    ----------
    line : intercept, and the largest value that is predicted on the log scale.
    """

    about: Card
    basis: Basis
    coefficients: Floats
    line: tuple[float, float]
    back: RatioSmearing | None
    level: float
    gift: Line

    def predict(self, X: Floats) -> Floats:
        """Return [n] what the card's estimand says, in the unit of the amounts."""
        geometric = self._geometric(X)
        return self.level * (geometric if self.back is None else self.back(geometric))

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0), a monotone function of the prediction."""
        return probability(self.gift(np.log(self._geometric(X))))

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        numbers = {
            "card": self.card(),
            "basis": self.basis.as_dict(),
            "coefficients": self.coefficients.tolist(),
            "line": list(self.line),
            "back": None if self.back is None else self.back.as_dict(),
            "level": self.level,
            "gift": self.gift.as_list(),
        }
        return State("ridge_log1p", numbers)

    @classmethod
    def from_state(cls, state: State) -> FittedRidgeLog1p:
        """Rebuild the model."""
        n = state.numbers
        back = None if n["back"] is None else RatioSmearing.from_dict(n["back"])
        return cls(
            Card.from_dict(n["card"]),
            Basis.from_dict(n["basis"]),
            np.array(n["coefficients"], dtype=np.float64),
            (n["line"][0], n["line"][1]),
            back,
            n["level"],
            Line(*n["gift"]),
        )

    def _geometric(self, X: Floats) -> Floats:
        Z = self.basis.with_gaps(known(X, len(self.about.features)))
        intercept, ceiling = self.line
        return _geometric(Z @ self.coefficients + intercept, ceiling)


def _geometric(eta: Floats, ceiling: float) -> Floats:
    """Return exp(eta) − 1 up to the ceiling, kept positive."""
    return positive(np.expm1(np.minimum(eta, ceiling)), FLOOR)
