"""Intervals of an amount that cover as often as they say, around any value model.

A model's own law (log-normal, gamma) is never needed: the spread of log(amount / predicted) is
read off users the model did not see, within tenths of the predicted amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.base import Card, FittedModel, State, Training, ValueModel, known, training
from giftlive.models.hurdle import Hurdle
from giftlive.models.trees import user_folds
from giftlive.types import Floats, Ints

GROUPS = 10
"""Groups of predicted amount given a gift (tenths of the gifts)."""
FEWEST = 100
"""Gifts a group needs; with fewer in all there are fewer groups."""


@dataclass(frozen=True)
class Intervals:
    """Cross-conformal intervals of the amount, Mondrian by tenths of the predicted amount.

    r = log y − log m(x) for gifts of users that the model of their fold did not see, where
    m = predict / predict_proba is the predicted amount given a gift. In each tenth of m the
    interval at level 1 − α is [m·e^(r lower), m·e^(r upper)] with the order statistics
    ⌊(n + 1) α/2⌋ and ⌈(n + 1)(1 − α/2)⌉ of r. The model that predicts is fitted on all users.

    Assumption: gifts of new users are exchangeable with those of the training, and the model of
    all users errs like those of the folds. Then an interval covers at least 1 − α of the gifts of
    its tenth, about, and α/2 lie on either side; within a tenth it may cover some users more
    than others. Amounts with atoms make no difference while m varies within a tenth; where m is
    constant there and amounts repeat, intervals cover more than they say.

    References: Vovk, Gammerman, Shafer (2005), "Algorithmic Learning in a Random World",
    section 4.5 (Mondrian); Vovk (2015), "Cross-conformal predictors".

    Attributes
    ----------
    model : what is fitted. folds : of users, for the residuals: one more fit each.
    """

    model: ValueModel = field(default_factory=Hurdle)
    folds: int = 4
    seed: int = 0

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedIntervals:
        """Fit the model on every fold's complement and on all rows.

        Raises
        ------
        NotEnoughDataError
            Fewer than ``FEWEST`` rows hold a gift.
        """
        data = training(X, y, groups, names)
        if data.positives < FEWEST:
            raise NotEnoughDataError(
                f"{data.positives} of {len(data.y)} training rows hold a gift",
                "argument y",
                f"at least {FEWEST} for an interval of the amount",
                "train on more days",
            )
        log_given = self._unseen(data)
        fitted = self.model.fit(data.X, data.y, data.groups, names=data.names)
        gift = data.y > 0.0
        tenths = _tenths(log_given, np.log(data.y[gift]) - log_given)
        about = fitted.card()
        card = Card(
            name="intervals",
            estimand=f"quantiles of the amount around {about['name']}",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={"folds": self.folds, "seed": self.seed, "model": about},
            fitted={"gifts_by_group": [len(r) for r in tenths.residuals]},
            limits=(
                "Coverage is that of a tenth of the predicted amounts, not of every user.",
                "Gifts of one user resemble each other: with few large givers in a tenth its "
                "coverage varies more than independent gifts would.",
            ),
        )
        return FittedIntervals(card, fitted, tenths)

    def _unseen(self, data: Training) -> Floats:
        """Return [gifts] log of the amount given a gift, predicted without the row's user."""
        fold = user_folds(data.groups, self.folds, self.seed)
        gift = data.y > 0.0
        log_given = np.zeros(len(data.y))
        for k in range(self.folds):
            held, rest = gift & (fold == k), fold != k
            part = self.model.fit(data.X[rest], data.y[rest], data.groups[rest], names=data.names)
            log_given[held] = _log_given(part, data.X[held])
        return log_given[gift]


@dataclass(frozen=True)
class Tenths:
    """Sorted residuals of log amounts by group of predicted log amount.

    Attributes
    ----------
    cuts : [g − 1] boundaries between groups. residuals : g sorted vectors.
    """

    cuts: Floats
    residuals: tuple[Floats, ...]

    def ends(self, log_given: Floats, alpha: float) -> tuple[Floats, Floats]:
        """Return [n] conformal lower and upper amounts at level 1 − alpha; ∞ if n is too small."""
        group = np.searchsorted(self.cuts, log_given, side="right")
        lower, upper = (np.empty(len(self.residuals)) for _ in range(2))
        for g, r in enumerate(self.residuals):
            # The small number takes back the rounding of (n + 1)·α/2 where that is whole.
            below = int(np.floor((len(r) + 1) * alpha / 2.0 + 1e-9))
            lower[g] = r[below - 1] if below else -np.inf
            upper[g] = r[len(r) - below] if below else np.inf
        return np.exp(log_given + lower[group]), np.exp(log_given + upper[group])

    def quantile(self, log_given: Floats, u: Floats) -> Floats:
        """Return [n] the quantile u of the amount given a gift, u in [0, 1] by row."""
        group = np.searchsorted(self.cuts, log_given, side="right")
        moved = np.empty(len(log_given))
        for g, r in enumerate(self.residuals):
            rows = group == g
            moved[rows] = np.quantile(r, u[rows], method="weibull") if rows.any() else 0.0
        return np.exp(log_given + moved)


@dataclass(frozen=True)
class FittedIntervals:
    """A fitted model with the spread of its errors."""

    about: Card
    model: FittedModel
    tenths: Tenths

    def predict(self, X: Floats) -> Floats:
        """Return [n] the model's expected amount."""
        return self.model.predict(X)

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] the model's P(amount > 0)."""
        return self.model.predict_proba(X)

    def amount_interval(self, X: Floats, level: float = 0.9) -> tuple[Floats, Floats]:
        """Return [n] both ends that cover the amount of a gift with probability ``level``.

        0 and ∞ where the tenth holds too few gifts for that level.
        """
        if not 0.0 < level < 1.0:
            raise UsageError(f"level {level}", "argument level", "a share in (0, 1)")
        features = known(X, len(self.about.features))
        return self.tenths.ends(_log_given(self.model, features), 1.0 - level)

    def predict_distribution(self, X: Floats, quantiles: Sequence[float]) -> Floats:
        """Return [n, q] quantiles of the amount, with or without a gift.

        The quantile u is 0 where u <= 1 − p, else the quantile (u − 1 + p)/p of the amount given
        a gift: P(amount <= quantile) is u wherever the chance is calibrated.
        """
        levels = np.asarray(quantiles, dtype=np.float64)
        if not ((levels > 0.0) & (levels < 1.0)).all():
            raise UsageError(f"levels {levels}", "argument quantiles", "shares in (0, 1)")
        features = known(X, len(self.about.features))
        p, log_given = self.model.predict_proba(features), _log_given(self.model, features)
        out = np.zeros((len(features), len(levels)))
        for j, level in enumerate(levels):
            u = (level - 1.0 + p) / p
            some = u > 0.0
            out[some, j] = self.tenths.quantile(log_given[some], u[some])
        return out

    def card(self) -> dict[str, Any]:
        """Return the card of the intervals, the model's among its settings."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return intervals and model as data."""
        residuals = [r.tolist() for r in self.tenths.residuals]
        numbers = {"card": self.card(), "cuts": self.tenths.cuts.tolist(), "residuals": residuals}
        return State("intervals", numbers, parts=(self.model.state(),))

    @classmethod
    def from_parts(cls, state: State, parts: tuple[FittedModel, ...]) -> FittedIntervals:
        """Rebuild the intervals around the rebuilt model."""
        n = state.numbers
        residuals = tuple(np.array(r, dtype=np.float64) for r in n["residuals"])
        tenths = Tenths(np.array(n["cuts"], dtype=np.float64), residuals)
        return cls(Card.from_dict(n["card"]), parts[0], tenths)


def _tenths(log_given: Floats, residual: Floats) -> Tenths:
    size = max(1, min(GROUPS, len(log_given) // FEWEST))
    cuts = np.unique(np.quantile(log_given, np.arange(1, size) / size))
    group = np.searchsorted(cuts, log_given, side="right")
    held = tuple(np.sort(residual[group == g]) for g in range(len(cuts) + 1))
    # Equal predictions can leave the lowest group empty; it then takes the errors of all.
    return Tenths(cuts, tuple(r if len(r) else np.sort(residual) for r in held))


def _log_given(model: FittedModel, X: Floats) -> Floats:
    """Return [n] log of predict / predict_proba, the predicted amount given a gift."""
    if not len(X):
        return np.zeros(0)
    return np.log(model.predict(X)) - np.log(model.predict_proba(X))
