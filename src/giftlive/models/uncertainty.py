"""How well P(gift) and E[amount] themselves are known: refits on resampled users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Card, FittedModel, State, ValueModel, known, training, within
from giftlive.models.curves import probability
from giftlive.models.hurdle import Hurdle
from giftlive.rng import stream
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Estimate:
    """An estimate by row with its interval, all [n]."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class BootstrapEnsemble:
    """The model refitted on users drawn with replacement, ``replicates`` times.

    A user drawn twice counts as two users, so that folds of the refit keep each whole. The
    interval of log E[amount] and of logit P(gift) at a row is value ± t·s, s the standard
    deviation over refits and t Student's quantile with replicates − 1 degrees of freedom, around
    the model of all users.

    It is the sampling error of training on these users and not others. It is *not* the spread of
    an amount (``intervals``), nor the error that every refit shares: shrinkage, a missing
    feature, a drift. So it covers E[amount] less often than it says where a model is biased; how
    often is measured where the truth is known (docs/how-it-works.md).

    Attributes
    ----------
    model : what is refitted. replicates : at least 3.
    """

    model: ValueModel = field(default_factory=Hurdle)
    replicates: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a spread of fewer than three refits."""
        if self.replicates < 3:
            raise UsageError(f"{self.replicates} replicates", "argument replicates", "at least 3")

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedBootstrap:
        """Fit the model on all rows and on every resample of users."""
        data = training(X, y, groups, names)
        fitted = self.model.fit(data.X, data.y, data.groups, names=data.names)
        refits = []
        for replicate in range(self.replicates):
            rows, users = _resampled(data.groups, self.seed, replicate)
            refits.append(self.model.fit(data.X[rows], data.y[rows], users, names=data.names))
        about = fitted.card()
        card = Card(
            name="bootstrap",
            estimand=f"sampling error of E[amount] and P(gift) by {about['name']}",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={"replicates": self.replicates, "seed": self.seed, "model": within(about)},
            fitted={"users": len(np.unique(data.groups))},
            limits=(
                "Sampling error of the users only: bias that all refits share is not in it.",
                "One model per replicate: time and size grow with their number.",
            ),
        )
        return FittedBootstrap(card, fitted, tuple(refits))


@dataclass(frozen=True)
class FittedBootstrap:
    """The model of all users and its refits."""

    about: Card
    model: FittedModel
    refits: tuple[FittedModel, ...]

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount by the model of all users."""
        return self.model.predict(X)

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0) by the model of all users."""
        return self.model.predict_proba(X)

    def expected_amount(self, X: Floats, level: float = 0.9) -> Estimate:
        """Return E[amount] with the interval of its sampling error."""
        features = known(X, len(self.about.features))
        centre = np.log(self.model.predict(features))
        half = self._half([np.log(m.predict(features)) for m in self.refits], level)
        return Estimate(np.exp(centre), np.exp(centre - half), np.exp(centre + half))

    def gift_probability(self, X: Floats, level: float = 0.9) -> Estimate:
        """Return P(amount > 0) with the interval of its sampling error."""
        features = known(X, len(self.about.features))
        centre = _logit(self.model.predict_proba(features))
        half = self._half([_logit(m.predict_proba(features)) for m in self.refits], level)
        return Estimate(probability(centre), probability(centre - half), probability(centre + half))

    def card(self) -> dict[str, Any]:
        """Return the card of the ensemble, the model's among its settings."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model and its refits as data."""
        parts = tuple(m.state() for m in (self.model, *self.refits))
        return State("bootstrap", {"card": self.card()}, parts=parts)

    @classmethod
    def from_parts(cls, state: State, parts: tuple[FittedModel, ...]) -> FittedBootstrap:
        """Rebuild the ensemble from its rebuilt models."""
        return cls(Card.from_dict(state.numbers["card"]), parts[0], parts[1:])

    def _half(self, values: list[Floats], level: float) -> Floats:
        from scipy.special import stdtrit

        if not 0.0 < level < 1.0:
            raise UsageError(f"level {level}", "argument level", "a share in (0, 1)")
        t = float(stdtrit(len(values) - 1, 0.5 + level / 2.0))
        return t * np.std(values, axis=0, ddof=1)


def _resampled(groups: Ints, seed: int, replicate: int) -> tuple[Ints, Ints]:
    """Return rows of users drawn with replacement, and a user id of its own for every draw."""
    users, index = np.unique(groups, return_inverse=True)
    drawn = stream(seed, "bootstrap", replicate).integers(0, len(users), len(users))
    order = np.argsort(index, kind="stable")
    sizes = np.bincount(index)
    starts = np.cumsum(sizes) - sizes
    counts = sizes[drawn]
    copies = np.repeat(np.arange(len(drawn)), counts)
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[starts[drawn][copies] + within], copies


def _logit(p: Floats) -> Floats:
    return np.log(p) - np.log1p(-p)
