"""A law of time as a treatment: P(gift within the horizon) by integrating giving against leaving.

On the clock of a viewing this is the method that asks for least: gifts are censored at the watch
time, leaving is a competing risk with a law of its own, and nothing is assumed about whether those
who leave early are those who would not have given.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import UsageError
from giftlive.models.delay.at_once import WithAtom
from giftlive.models.delay.chance import Chance, Logistic
from giftlive.models.delay.durations import gifts, leavings
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.law import GiftLaw, LawModel, MeanAmount
from giftlive.types import Floats


@dataclass(frozen=True)
class SurvivalChance:
    """Settings: the law of the gift, and of leaving (``None``: the same kind).

    ``at_once``: what learns which gifts are known at the exposure itself; ``None``: the law does.
    """

    law: LawModel
    leaving: LawModel | None = None
    at_once: Chance | None = field(default_factory=Logistic)

    def fit(self, follow_up: FollowUp) -> FittedSurvival:
        """Fit both laws; without a row that is known to have left there is only the first.

        Raises
        ------
        UsageError
            The horizon is infinite: no law is known for ever.
        """
        if not np.isfinite(follow_up.horizon):
            raise UsageError("an infinite horizon", "survival chance", "a finite one")
        law = self.law if self.at_once is None else WithAtom(self.law, self.at_once)
        gift, leaving = law.fit(gifts(follow_up)), None
        sample = leavings(follow_up)
        if sample is not None and sample.event.any():
            leaving = (self.leaving or self.law).fit(sample)
        return FittedSurvival(GiftLaw(gift, leaving), follow_up.horizon)


@dataclass(frozen=True)
class FittedSurvival:
    """The laws after training: S(t | x), F(t | x) and E[amount by t | x] through ``law``."""

    law: GiftLaw
    horizon: float

    def probability(self, X: Floats) -> Floats:
        """Return [n] P(gift within the horizon | x)."""
        return np.asarray(self.law.incidence(X, self.horizon)[:, 0])

    def survival(self, X: Floats, t: ArrayLike) -> Floats:
        """Return [n, m] P(no gift by t | x) while nobody leaves."""
        return self.law.survival(X, t)

    def incidence(self, X: Floats, t: ArrayLike) -> Floats:
        """Return [n, m] P(gift by t | x)."""
        return self.law.incidence(X, t)

    def amount_by(self, X: Floats, t: ArrayLike, mean_amount: MeanAmount) -> Floats:
        """Return [n, m] E[amount by t | x]."""
        return self.law.amount_by(X, t, mean_amount)
