"""A law of time with an atom at the exposure: gifts known at once, and gifts that take time.

    P(no gift by t | x) = (1 − π(x)) · S(t | x, not at once),   t > 0

π(x) = 1 / (1 + e^−(a + b·x)) is the chance of a gift within the clock's resolution. Such a gift has
no time: to a hazard per second it is a rate without bound, and its link 1 − e^(−e^…) would be what
is learnt, not the label. Where no gift is at once the law is the law alone; where all are, nothing
is late, and what remains is the classifier that learns from labels as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.models.delay.chance import Chance, FittedChance
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.law import Law, LawModel
from giftlive.types import Floats

MOMENT = 1e-3
"""Seconds a recorder of milliseconds cannot tell from 0."""


@dataclass(frozen=True)
class WithAtom:
    """Settings: the law of gifts that take time, and the classifier of those that do not."""

    law: LawModel
    chance: Chance

    def fit(self, durations: Durations) -> Law:
        """Fit; the law alone where no event is at once.

        Rows that were watched for no longer than a moment say nothing of the atom.
        """
        at_once = durations.event & (durations.time <= MOMENT)
        if not at_once.any():
            return self.law.fit(durations)
        told = at_once | (durations.time > MOMENT)
        first = self.chance.fit(durations.X[told], at_once[told].astype(np.float64))
        rest = ~at_once
        late = Durations(durations.X[rest], durations.time[rest], durations.event[rest])
        return Atom(first, self.law.fit(late) if late.event.any() else None)


@dataclass(frozen=True)
class Atom:
    """The law after training; ``later`` is None where every event was at once."""

    first: FittedChance
    later: Law | None

    def survival(self, X: Floats, t: Floats) -> Floats:
        """Return [n, m] S(t | x): 1 at 0, right after it 1 − π(x) and less."""
        at = np.asarray(t, dtype=np.float64)
        open_yet = np.where(at > 0.0, 1.0 - self.first.probability(X)[:, None], 1.0)
        return open_yet if self.later is None else open_yet * self.later.survival(X, at)
