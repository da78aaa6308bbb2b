"""Kaplan and Meier's curve: time to an event without features, and the label-maturity curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from giftlive.errors import NotEnoughDataError
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.law import seconds
from giftlive.stats.intervals import checked_level
from giftlive.types import Floats


@dataclass(frozen=True)
class KaplanMeier:
    """S(t) = Π_{t_j <= t} (1 − d_j / n_j), n_j at risk and d_j events at the distinct times t_j.

    Assumption: censoring says nothing about what was censored. Censoring by the cut does not,
    where exposures of all hours are alike; leaving does, so on the clock of a viewing the curve
    describes those who are still there.
    """

    def fit(self, durations: Durations) -> Curve:
        """Count events and rows at risk at every distinct time of an event."""
        return Curve.of(durations.time, durations.event.astype(np.float64))


@dataclass(frozen=True)
class Curve:
    """A fitted curve.

    Attributes
    ----------
    time : [k] distinct event times, ascending. at_risk, events : [k]. last : the longest time
        under observation, after which nothing is known.
    """

    time: Floats
    at_risk: Floats
    events: Floats
    last: float

    @classmethod
    def of(cls, time: Floats, events: Floats) -> Curve:
        """Count from times [n] and events [n] of 0 and 1.

        Examples
        --------
        >>> curve = Curve.of(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 1.0, 0.0, 1.0]))
        >>> curve.at([0.5, 1.0, 2.0, 3.0]).tolist()
        [1.0, 0.75, 0.5, 0.0]
        """
        if not len(time):
            raise NotEnoughDataError("no row", "argument time", "at least one")
        times, index = np.unique(time, return_inverse=True)
        leaving = np.bincount(index, minlength=len(times))
        at_risk = np.cumsum(leaving[::-1])[::-1].astype(np.float64)
        counted = np.asarray(np.bincount(index, events, len(times)), dtype=np.float64)
        some = counted > 0.0
        return cls(times[some], at_risk[some], counted[some], float(times[-1]))

    def at(self, t: ArrayLike) -> Floats:
        """Return [m] S(t); beyond the last observation it stays where it was."""
        return self._steps()[self._before(seconds(t))]

    def survival(self, X: Floats, t: Floats) -> Floats:
        """Return [n, m] the same curve for every row."""
        return np.tile(self.at(t), (len(X), 1))

    def band(self, t: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return [m] low and [m] high of S(t), pointwise.

        Greenwood's variance on the scale log(−log S), on which the curve is closer to normal and
        the band stays within [0, 1]::

            se = sqrt(Σ_{t_j <= t} d_j / (n_j (n_j − d_j))) / |log S|,   S^exp(± z·se)

        Where S is exactly 1 or 0 the scale has no value and both bounds are S.

        References
        ----------
        Kalbfleisch and Prentice (1980), "The statistical analysis of failure time data", 1.3.
        """
        z = float(ndtri(0.5 + checked_level(level) / 2.0))
        survive, at = self.at(t), self._before(seconds(t))
        alive = self.at_risk - self.events
        terms = np.divide(
            self.events, self.at_risk * alive, out=np.zeros_like(alive), where=alive > 0.0
        )
        root = np.sqrt(np.append(0.0, np.cumsum(terms)))[at]
        inside = (survive > 0.0) & (survive < 1.0)
        log = np.log(np.where(inside, survive, 0.5))
        spread = np.exp(z * root / np.abs(log))
        low, high = np.exp(log * spread), np.exp(log / spread)
        return np.where(inside, low, survive), np.where(inside, high, survive)

    def maturity(self, t: ArrayLike, horizon: float) -> Floats:
        """Return [m] F(t) / F(horizon): the share of labels that are there after t seconds.

        Raises
        ------
        NotEnoughDataError
            No row was followed up to the horizon, or no event happened before it.
        """
        if horizon > self.last or not (total := 1.0 - float(self.at(horizon)[0])):
            raise NotEnoughDataError(
                f"follow-up ends at {self.last:g} s, horizon {horizon:g} s",
                "maturity",
                "events, and rows followed up to the horizon",
                "take a shorter horizon or an older cut",
            )
        return np.minimum((1.0 - self.at(t)) / total, 1.0)

    def _steps(self) -> Floats:
        return np.append(1.0, np.cumprod(1.0 - self.events / self.at_risk))

    def _before(self, t: Floats) -> list[int]:
        return np.searchsorted(self.time, t, side="right").tolist()
