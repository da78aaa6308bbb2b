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
from giftlive.models.base import (
    Card,
    FittedModel,
    State,
    Training,
    ValueModel,
    known,
    training,
    within,
)
from giftlive.models.hurdle import Hurdle
from giftlive.models.trees import user_folds
from giftlive.types import Floats, Ints

GROUPS = 10
"""Groups of predicted amount given a gift (tenths of the gifts)."""
ROUNDING = 1e-9
"""Ends are moved outwards by this on the log scale: an end that is a price must hold the price."""
FEWEST = 30
"""Gifts a group needs; with fewer there are fewer groups. Ends at 95 % need 39."""


@dataclass(frozen=True)
class Intervals:
    """Cross-conformal intervals of the amount, Mondrian by tenths of the predicted amount.

    r = log y − log m_k(x) for the gifts of fold k, whose users the model m_k did not see, where
    m = predict / predict_proba is the predicted amount given a gift. In each tenth of the
    predictions, all folds pooled, the interval at level 1 − α is [m·e^(r lower), m·e^(r upper)]
    with m of the model fitted on all users and the quantiles (n + 1) α/2 and (n + 1)(1 − α/2) of
    r: cross-conformal. Each m_k is first moved to the level of m by the median of log m_k − log m:
    amounts sit on prices, and an end a hair beside a much-used price would hold or lose all of it.
    Centred on the members instead, the intervals would carry the noise of the
    members twice, in r and in the centre, and hold 95 % where they say 90.

    Assumption: gifts of new users are exchangeable with those of the training. Then an interval
    covers about 1 − α of the gifts of its tenth, with α/2 on either side; within a tenth it may
    cover some users more than others. Amounts with atoms make no difference while m varies within
    a tenth; where m is constant there and amounts repeat, intervals cover more than they say.

    Errors of early days, when little was known of anyone, are among r: where the training begins
    with the platform, later gifts are held a little more often than said.

    References: Vovk, Gammerman, Shafer (2005), "Algorithmic Learning in a Random World",
    section 4.5 (Mondrian); Vovk (2015), "Cross-conformal predictors".

    Attributes
    ----------
    model : what is fitted, folds + 1 times. folds : of users, an odd number.
    """

    model: ValueModel = field(default_factory=Hurdle)
    folds: int = 3
    seed: int = 0

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedIntervals:
        """Fit the model on all rows and without each fold.

        Raises
        ------
        NotEnoughDataError
            A fold of users holds fewer than ``FEWEST`` rows with a gift.
        """
        if self.folds < 2:
            raise UsageError(f"{self.folds} folds", "argument folds", "at least 2")
        data = training(X, y, groups, names)
        fold = user_folds(data.groups, self.folds, self.seed)
        held = np.bincount(fold[data.y > 0.0], minlength=self.folds)
        if held.min() < FEWEST:
            raise NotEnoughDataError(
                f"{held.min()} rows with a gift in a fold of users, {data.positives} in all",
                "argument y",
                f"at least {FEWEST} in each of {self.folds} folds for an interval of the amount",
                "train on more days",
            )
        fitted = self.model.fit(data.X, data.y, data.groups, names=data.names)
        log_given, log_amount = [], []
        for k in range(self.folds):
            rest, gifts = fold != k, (fold == k) & (data.y > 0.0)
            member = self.model.fit(data.X[rest], data.y[rest], data.groups[rest], names=data.names)
            log_given.append(_level_with(fitted, member, data.X[gifts]))
            log_amount.append(np.log(data.y[gifts]))
        centre = np.concatenate(log_given)
        tenths = _tenths(centre, np.concatenate(log_amount) - centre)
        card = self._card(data, fitted.card(), [len(r) for r in tenths.residuals])
        return FittedIntervals(card, fitted, tenths)

    def _card(self, data: Training, about: dict[str, Any], sizes: list[int]) -> Card:
        return Card(
            name="intervals",
            estimand=f"quantiles of the amount around {about['name']}",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={"folds": self.folds, "seed": self.seed, "model": within(about)},
            fitted={"gifts_by_group": sizes},
            limits=(
                "Coverage is that of a tenth of the predicted amounts, not of every user.",
                "Gifts of one user resemble each other: with few large givers in a tenth its "
                "coverage varies more than independent gifts would.",
            ),
        )


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
        """Return [n] logs of both conformal ends at level 1 − alpha; ∓∞ if n is too small."""
        group = np.searchsorted(self.cuts, log_given, side="right")
        lower, upper = (np.empty(len(self.residuals)) for _ in range(2))
        for g, r in enumerate(self.residuals):
            enough = (len(r) + 1) * alpha / 2.0 >= 1.0 - 1e-9
            ends = np.quantile(r, (alpha / 2.0, 1.0 - alpha / 2.0), method="weibull")
            lower[g], upper[g] = ends if enough else (-np.inf, np.inf)
        return log_given + lower[group], log_given + upper[group]

    def quantile(self, log_given: Floats, u: Floats) -> Floats:
        """Return [n] the log of the quantile u of the amount given a gift, u in [0, 1] by row."""
        group = np.searchsorted(self.cuts, log_given, side="right")
        moved = np.empty(len(log_given))
        for g, r in enumerate(self.residuals):
            rows = group == g
            moved[rows] = np.quantile(r, u[rows], method="weibull") if rows.any() else 0.0
        return log_given + moved


@dataclass(frozen=True)
class FittedIntervals:
    """A fitted model, and the spread of errors of its like on users they did not see."""

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

        0 and ∞ where a tenth holds too few gifts for that level.
        """
        if not 0.0 < level < 1.0:
            raise UsageError(f"level {level}", "argument level", "a share in (0, 1)")
        features = known(X, len(self.about.features))
        low, high = self.tenths.ends(_log_given(self.model, features), 1.0 - level)
        return np.exp(low - ROUNDING), np.exp(high + ROUNDING)

    def predict_distribution(self, X: Floats, quantiles: Sequence[float]) -> Floats:
        """Return [n, q] quantiles of the amount, with or without a gift.

        The quantile u is 0 where u <= 1 − p, else the quantile (u − 1 + p)/p of the amount given
        a gift: P(amount <= quantile) is u wherever the chance is calibrated.
        """
        levels = np.asarray(quantiles, dtype=np.float64)
        if not ((levels > 0.0) & (levels < 1.0)).all():
            raise UsageError(f"levels {levels}", "argument quantiles", "shares in (0, 1)")
        features = known(X, len(self.about.features))
        p = self.model.predict_proba(features)
        given = np.log(self.model.predict(features)) - np.log(p)
        out = np.zeros((len(features), len(levels)))
        for j, level in enumerate(levels):
            u = (level - 1.0 + p) / p
            some = u > 0.0
            out[some, j] = np.exp(self.tenths.quantile(given[some], u[some]) + ROUNDING)
        return out

    def card(self) -> dict[str, Any]:
        """Return the card of the intervals, the model's among its settings."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return intervals and model as data."""
        t = self.tenths
        tenths = {"cuts": t.cuts.tolist(), "residuals": [r.tolist() for r in t.residuals]}
        numbers = {"card": self.card(), "tenths": tenths}
        return State("intervals", numbers, parts=(self.model.state(),))

    @classmethod
    def from_parts(cls, state: State, parts: tuple[FittedModel, ...]) -> FittedIntervals:
        """Rebuild the intervals around the rebuilt model."""
        t = state.numbers["tenths"]
        tenths = Tenths(np.array(t["cuts"]), tuple(np.array(r) for r in t["residuals"]))
        return cls(Card.from_dict(state.numbers["card"]), parts[0], tenths)


def _tenths(log_given: Floats, residual: Floats) -> Tenths:
    size = max(1, min(GROUPS, len(log_given) // FEWEST))
    cuts = np.unique(np.quantile(log_given, np.arange(1, size) / size))
    group = np.searchsorted(cuts, log_given, side="right")
    held = tuple(np.sort(residual[group == g]) for g in range(len(cuts) + 1))
    # Equal predictions can leave the lowest group empty; it then takes the errors of all.
    return Tenths(cuts, tuple(r if len(r) else np.sort(residual) for r in held))


def _level_with(fitted: FittedModel, member: FittedModel, X: Floats) -> Floats:
    """Return [n] the member's predicted log amounts, moved to the fitted model's level."""
    log_given = _log_given(member, X)
    return log_given - float(np.median(log_given - _log_given(fitted, X)))


def _log_given(model: FittedModel, X: Floats) -> Floats:
    """Return [n] log of predict / predict_proba, the predicted amount given a gift."""
    if not len(X):
        return np.zeros(0)
    return np.log(model.predict(X)) - np.log(model.predict_proba(X))
