"""Zero-inflated log-normal: a chance of a gift, and a log-normal amount if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import Card, State, Training, by_chunks, known, training
from giftlive.models.parts import Part, cross_fit, usable_folds
from giftlive.models.settings import SOME_USERS, at_least
from giftlive.models.thinned_chance import ThinnedChance, fit_thinned_chance, thin
from giftlive.models.trees import TreeSettings
from giftlive.types import Floats, Ints

LARGEST_VARIANCE_QUANTILE = 0.99
"""Variances are cut at this quantile over the training gifts: σ² enters E by its exponential."""
SMALLEST_SQUARE = 1e-12
"""Squared residuals are raised to this before the gamma fit, which needs them positive."""


@dataclass(frozen=True)
class Ziln:
    """E[amount | x] = level · p(x) · exp(μ(x) + σ²(x)/2).

    The Gaussian likelihood of log amounts is maximised one part at a time: μ by least squares,
    then σ² by gamma deviance on squared residuals of users that μ's member did not see, which is
    the same likelihood in σ² for given μ. Each part is a linear start and boosted trees,
    cross-fitted by user; p is calibrated by a beta curve on unseen users.

    Assumption: log amounts are normal given x. Where they are not, the closed form is off by the
    ratio ``closed_form_over_smearing`` of the card; an error of δ in σ² moves the sum by about
    ``sensitivity``·δ/σ². So the level is rescaled to Σ amount on the training rows, by all
    members as in ``hurdle``, and σ² is cut at its 99th percentile. Level errors that differ
    between rows stay.

    References: Wang, Liu, Miao (2019), "A deep probabilistic model for customer lifetime value
    prediction", equation 3 (with a network; here with trees).

    Attributes
    ----------
    variance : "boosted" (σ depends on x) or "constant". The rest as in ``hurdle.Hurdle``.
    """

    occurrence: TreeSettings = field(
        default_factory=lambda: TreeSettings(rounds=80, leaves=8, learning_rate=0.05)
    )
    amount: TreeSettings = field(
        default_factory=lambda: TreeSettings(
            rounds=40, leaves=8, learning_rate=0.05, rows_per_leaf=20
        )
    )
    spread: TreeSettings = field(
        default_factory=lambda: TreeSettings(
            rounds=20, leaves=4, learning_rate=0.05, rows_per_leaf=50
        )
    )
    variance: Literal["boosted", "constant"] = "boosted"
    negatives_per_gift: float = 30.0
    folds: int = 3
    seed: int = 0
    minimum_positives: int = 50

    def __post_init__(self) -> None:
        """Refuse settings that nothing can be fitted with."""
        at_least("Ziln", SOME_USERS, folds=self.folds)
        at_least("Ziln", 0, negatives_per_gift=self.negatives_per_gift)
        if self.variance not in ("boosted", "constant"):
            raise UsageError(f"variance {self.variance!r}", "Ziln.variance", "boosted or constant")

    def fit(
        self, X: Floats, y: Floats, groups: Ints | None = None, *, names: Sequence[str]
    ) -> FittedZiln:
        """Fit chance, log mean, log variance and level.

        Raises
        ------
        NotEnoughDataError
            Fewer than ``minimum_positives`` rows hold a gift.
        """
        data = training(X, y, groups, names, self.minimum_positives, as_given=True)
        fold = usable_folds(data, self.folds, self.seed)
        thinned = thin(data, self.negatives_per_gift, self.seed)
        X, y, fold = data.rows(thinned.rows), data.y[thinned.rows], fold[thinned.rows]
        occurred = (y > 0.0).astype(np.float64)
        chance, log_chance = fit_thinned_chance(
            X, occurred, fold, thinned.keep, self.occurrence, self.seed
        )
        law, fitted = self._amounts(X[y > 0.0], y[y > 0.0], fold[y > 0.0])
        variance = law.unseen_variance(X, fold)
        closed = np.exp(log_chance + law.unseen_mean(X, fold) + variance / 2.0)
        share = thinned.weights * closed
        served = np.exp(chance.log_chances(X) + law.log_means(X)).mean(axis=1)
        level = float(thinned.weights @ y) / float(thinned.weights @ served)
        fitted |= {
            "level": level,
            "seen_over_unseen": float(thinned.weights @ served) / float(share.sum()),
            "sensitivity": float(share @ variance / 2.0 / share.sum()),
        }
        return FittedZiln(self._card(data, fitted), chance, law, level)

    def _amounts(
        self, X: Floats, y: Floats, fold: Ints
    ) -> tuple[LogNormal, dict[str, float | None]]:
        """Return the law of an amount given a gift, and how far its closed form can be trusted."""
        # Log amounts around their mean: trees keep single precision, and money has no unit.
        centre = float(np.log(y).mean())
        log_y = np.log(y) - centre
        mean, seen_by_none = cross_fit(X, log_y, fold, "regression", self.amount, self.seed)
        residual = log_y - seen_by_none
        squares = np.maximum(residual**2, SMALLEST_SQUARE)
        constant = float(squares.mean())
        law = LogNormal(centre, mean, None, constant, constant)
        if self.variance == "boosted":
            part, raw = cross_fit(X, squares, fold, "gamma", self.spread, self.seed)
            raw = np.exp(raw)
            # The linear start and the trees are each level on their own rows, not on unseen ones.
            scale = constant / float(raw.mean())
            cap = float(np.quantile(scale * raw, LARGEST_VARIANCE_QUANTILE))
            law = LogNormal(centre, mean, part, scale, cap)
        variance = law.unseen_variance(X, fold)
        standard = residual / np.sqrt(variance)
        fourth, second = (float(np.mean(standard**power)) for power in (4, 2))
        closed = float(np.exp(variance / 2.0).mean())
        return law, {
            "mean_variance": float(variance.mean()),
            "largest_variance": float(variance.max()),
            "closed_form_over_smearing": closed / float(np.exp(residual).mean()),
            # Where all gifts are alike no residual is left that could have a form.
            "kurtosis_of_residuals": fourth / second**2 if second > 0.0 else None,
        }

    def _card(self, data: Training, fitted: dict[str, Any]) -> Card:
        return Card(
            name="ziln",
            estimand="E[amount] under a zero-inflated log-normal law, rescaled to the training sum",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={
                "folds": self.folds,
                "rounds": [self.occurrence.rounds, self.amount.rounds, self.spread.rounds],
                "leaves": [self.occurrence.leaves, self.amount.leaves, self.spread.leaves],
                "variance": self.variance,
                "negatives_per_gift": self.negatives_per_gift,
                "seed": self.seed,
            },
            fitted=fitted,
            limits=(
                "The mean of a log-normal grows with exp(variance/2): where amounts are not "
                "log-normal, or the variance is badly known, single levels are off by the "
                "ratio closed_form_over_smearing and more.",
                "One factor sets the sum; it cannot set the tenths.",
            ),
        )


@dataclass(frozen=True)
class LogNormal:
    """log amount ~ N(μ_k(x), σ_k²(x)) by member k.

    μ = centre + mean(x). σ² = min(scale·exp(part), cap); without a part it is ``scale`` everywhere.
    """

    centre: float
    mean: Part
    part: Part | None
    scale: float
    cap: float

    def means(self, X: Floats) -> Floats:
        """Return [n, k] μ by every member."""
        return self.centre + self.mean.scores(X)

    def variances(self, X: Floats) -> Floats:
        """Return [n, k] σ² by every member."""
        if self.part is None:
            return np.full((len(X), self.mean.members), self.scale)
        return np.minimum(self.scale * np.exp(self.part.scores(X)), self.cap)

    def unseen_variance(self, X: Floats, fold: Ints) -> Floats:
        """Return [n] σ² by the member that did not see the row's user."""
        if self.part is None:
            return np.full(len(X), self.scale)
        return np.minimum(self.scale * np.exp(self.part.unseen(X, fold)), self.cap)

    def log_means(self, X: Floats) -> Floats:
        """Return [n, k] log E[amount | gift] = μ + σ²/2."""
        return self.means(X) + self.variances(X) / 2.0

    def unseen_mean(self, X: Floats, fold: Ints) -> Floats:
        """Return [n] μ by the member that did not see the row's user."""
        return self.centre + self.mean.unseen(X, fold)


@dataclass(frozen=True)
class FittedZiln:
    """A fitted zero-inflated log-normal model."""

    about: Card
    chance: ThinnedChance
    law: LogNormal
    level: float

    def predict(self, X: Floats) -> Floats:
        """Return [n] the expected amount, the mean over members."""
        return by_chunks(X, len(self.about.features), self._values)

    def predict_proba(self, X: Floats) -> Floats:
        """Return [n] P(amount > 0), calibrated."""
        return by_chunks(X, len(self.about.features), self.chance.chance)

    def _values(self, features: Floats) -> Floats:
        closed = np.exp(self.chance.log_chances(features) + self.law.log_means(features))
        return np.asarray(self.level * closed.mean(axis=1))

    def predict_distribution(self, X: Floats, quantiles: Sequence[float]) -> Floats:
        """Return [n, q] quantiles of the amount, 0 where a gift is too unlikely.

        Those of the law itself with p, μ, σ averaged over members; the level is not in them, for
        it corrects a mean. ``intervals`` gives quantiles whose coverage does not need the law.
        """
        from scipy.special import ndtri

        features = known(X, len(self.about.features))
        p = self.chance.chance(features)[:, None]
        mu = self.law.means(features).mean(axis=1)[:, None]
        sigma = np.sqrt(self.law.variances(features).mean(axis=1))[:, None]
        u = np.asarray(quantiles, dtype=np.float64)[None, :]
        given_gift = (u - (1.0 - p)) / p
        amount = np.exp(mu + sigma * ndtri(np.clip(given_gift, 1e-12, 1.0 - 1e-12)))
        return np.where(given_gift > 0.0, amount, 0.0)

    def card(self) -> dict[str, Any]:
        """Return the model card."""
        return self.about.as_dict()

    def state(self) -> State:
        """Return the model as data."""
        law = self.law
        numbers: dict[str, Any] = {
            "card": self.card(),
            "chance": self.chance.numbers(),
            "mean": law.mean.numbers(),
            "variance": None if law.part is None else law.part.numbers(),
            "centre": law.centre,
            "scale": law.scale,
            "cap": law.cap,
            "level": self.level,
        }
        forests = {"chance": self.chance.part.forest.texts, "mean": law.mean.forest.texts}
        if law.part is not None:
            forests["variance"] = law.part.forest.texts
        return State("ziln", numbers, forests)

    @classmethod
    def from_state(cls, state: State) -> FittedZiln:
        """Rebuild the model."""
        n, forests = state.numbers, state.forests
        chance = ThinnedChance.stored(forests["chance"], n["chance"])
        mean = Part.stored(forests["mean"], n["mean"])
        part = Part.stored(forests["variance"], n["variance"]) if "variance" in forests else None
        law = LogNormal(n["centre"], mean, part, n["scale"], n["cap"])
        return cls(Card.from_dict(n["card"]), chance, law, n["level"])
