"""P(gift | x): thinned negatives, a cross-fitted part, and a beta curve on users it did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.models.base import Training
from giftlive.models.calibrators import Beta
from giftlive.models.curves import probability
from giftlive.models.parts import MINIMUM_NEGATIVES, Part, cross_fit
from giftlive.models.trees import Forest, TreeSettings
from giftlive.models.undoing import undo_kept_negatives
from giftlive.rng import stream
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Thinned:
    """All rows with a gift and a random share ``keep`` of the others.

    Attributes
    ----------
    rows : [m] indices, increasing. weights : [m] 1 for gifts, 1/keep for the others. keep : share.
    """

    rows: Ints
    weights: Floats
    keep: float


def thin(data: Training, negatives_per_gift: float, seed: int) -> Thinned:
    """Keep about ``negatives_per_gift`` rows without a gift per gift, or all if there are fewer."""
    gift = data.y > 0.0
    negatives = np.flatnonzero(~gift)
    wanted = max(int(negatives_per_gift * data.positives), MINIMUM_NEGATIVES)
    if wanted >= len(negatives):
        return Thinned(np.arange(len(data.y)), np.ones(len(data.y)), 1.0)
    drawn = stream(seed, "thinned negatives").choice(negatives, wanted, replace=False)
    rows = np.sort(np.concatenate([np.flatnonzero(gift), drawn]))
    keep = wanted / len(negatives)
    return Thinned(rows, np.where(gift[rows], 1.0, 1.0 / keep), keep)


@dataclass(frozen=True)
class ThinnedChance:
    """The chance of a gift by every member.

    logit P_k = Beta(raw_k) + log keep: thinning negatives to the share ``keep`` multiplies the
    odds of a gift by 1/keep, whatever the model, and adding log keep takes exactly that back.
    """

    part: Part
    curve: Beta
    keep: float

    def log_chances(self, X: Floats) -> Floats:
        """Return [n, k] log P(gift) by every member (one column if the chance is constant)."""
        return self.log_chance(self.part.scores(X))

    def unseen(self, X: Floats, fold: Ints) -> Floats:
        """Return [n] log P(gift) by the member that did not see the row's user."""
        return self.log_chance(self.part.unseen(X, fold))

    def log_chance(self, raw: Floats) -> Floats:
        """Return log P(gift) of raw scores of the part."""
        return -np.logaddexp(0.0, -self._logit(raw))

    def chance(self, X: Floats) -> Floats:
        """Return [n] P(gift), the mean over members."""
        return np.asarray(np.exp(self.log_chances(X)).mean(axis=1))

    def numbers(self) -> dict[str, Any]:
        """Return what is stored as JSON."""
        return {
            "start": self.part.numbers(),
            "curve": [self.curve.a, self.curve.b, self.curve.c],
            "keep": self.keep,
        }

    @classmethod
    def stored(cls, texts: tuple[str, ...], numbers: dict[str, Any]) -> ThinnedChance:
        """Return the occurrence stored as ``numbers()`` and texts."""
        part = Part.stored(texts, numbers["start"])
        return cls(part, Beta(*numbers["curve"]), numbers["keep"])

    def _logit(self, raw: Floats) -> Floats:
        logs = np.stack([-np.logaddexp(0.0, -raw), np.logaddexp(0.0, raw)], axis=-1)
        return undo_kept_negatives(self.curve.logit(logs), self.keep)


def fit_thinned_chance(
    X: Floats, occurred: Floats, fold: Ints, keep: float, trees: TreeSettings, seed: int
) -> tuple[ThinnedChance, Floats]:
    """Fit the chance to thinned rows: features, 0 or 1, folds of users, share of negatives kept.

    Returned with it is log P(gift) [n] of the same rows by members that did not see their users.
    """
    part, raw = Part(Forest(())), np.zeros(len(occurred))
    if len(occurred) - occurred.sum() >= MINIMUM_NEGATIVES:
        part, raw = cross_fit(X, occurred, fold, "binary", trees, seed)
    fitted = ThinnedChance(part, Beta.fit(probability(raw), occurred), keep)
    return fitted, fitted.log_chance(raw)
