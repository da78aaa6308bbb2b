"""From two laws of time to what other layers ask: S(t), F(H | x) and E[amount by t].

With Λ_g and Λ_l the cumulative cause-specific hazards of giving and of leaving, and
S = e^−Λ of each alone::

    F(t | x) = P(gift by t | x) = ∫₀ᵗ S_l(u | x) · (−dS_g(u | x))
    E[amount by t | x]          = ∫₀ᵗ m(x, u) · dF(u | x),   m(x, u) = E[amount | gift at u, x]

Nothing is assumed about how leaving and giving depend on each other: F needs cause-specific
hazards only. ``survival`` of one law alone, "no gift by t if nobody left", does: where users who
leave early would have given less, it describes a room in which hazards stay what they are among
those who remain.

References
----------
Prentice et al. (1978), "The analysis of failure times in the presence of competing risks",
equation 3; Aalen and Johansen (1978) for the same integral without covariates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import UsageError
from giftlive.models.delay.durations import Durations
from giftlive.types import Floats

STEPS = 128
"""Steps of the integrals; they widen with the cube of time: delays crowd near the exposure."""

ROWS = 4_096
"""Rows integrated together: [rows, steps] stays small."""


class Law(Protocol):
    """The law of one time, given features."""

    def survival(self, X: Floats, t: Floats, /) -> Floats:
        """Return [n, m] S(t | x) of rows [n, p] at seconds [m]: P(no event by t | x)."""


class LawModel(Protocol):
    """Settings of a law that can be fitted."""

    def fit(self, durations: Durations, /) -> Law:
        """Estimate from right-censored times."""


class MeanAmount(Protocol):
    """E[amount | gift, features, delay]."""

    def mean(self, X: Floats, delay: Floats, /) -> Floats:
        """Return [n, m] the expected amount of a gift of row n given at second m."""


@dataclass(frozen=True)
class GiftLaw:
    """Giving, with or without leaving as a competing risk.

    Attributes
    ----------
    gift : law of the time to the gift. leaving : law of the time to leaving; ``None``: nobody
        leaves, or the clock is that of arrivals.
    """

    gift: Law
    leaving: Law | None = None

    def survival(self, X: Floats, t: ArrayLike) -> Floats:
        """Return [n, m] P(no gift by t | x) while nobody leaves."""
        return self.gift.survival(X, seconds(t))

    def incidence(self, X: Floats, t: ArrayLike) -> Floats:
        """Return [n, m] F(t | x) = P(gift by t | x), leaving taken into account."""
        at = seconds(t)
        if self.leaving is None:
            return 1.0 - self.gift.survival(X, at)
        return np.concatenate([grown for _, _, grown in self._grown(X, at)])[:, at_times(at)]

    def amount_by(self, X: Floats, t: ArrayLike, mean_amount: MeanAmount) -> Floats:
        """Return [n, m] E[amount by t | x], 0 for those who give nothing.

        Assumption: one gift per exposure, the first; later ones of a viewing are not in it.
        """
        at, found = seconds(t), []
        for rows, grid, grown in self._grown(X, at):
            middle = (grid[1:] + grid[:-1]) / 2.0
            worth = np.diff(grown, axis=1) * mean_amount.mean(rows, middle)
            found.append(np.pad(np.cumsum(worth, axis=1), ((0, 0), (1, 0))))
        return np.concatenate(found)[:, at_times(at)]

    def _grown(self, X: Floats, t: Floats) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Yield some rows, the grid, and F on it."""
        grid = grid_to(t)
        for start in range(0, max(len(X), 1), ROWS):
            rows = X[start : start + ROWS]
            gift = self.gift.survival(rows, grid)
            stay = np.ones_like(gift)
            if self.leaving is not None:
                stay = self.leaving.survival(rows, grid)
            steps = -np.diff(gift, axis=1) * (stay[:, 1:] + stay[:, :-1]) / 2.0
            yield rows, grid, np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))


def seconds(t: ArrayLike) -> Floats:
    """Return times as an array [m].

    Raises
    ------
    UsageError
        A time is negative, infinite or not a number.
    """
    at = np.atleast_1d(np.asarray(t, dtype=np.float64))
    if at.ndim != 1 or not (np.isfinite(at) & (at >= 0.0)).all():
        raise UsageError(f"times {at}", "argument t", "finite seconds >= 0, [m]")
    return at


def grid_to(t: Floats) -> Floats:
    """Return times from 0 that contain every t, dense near 0."""
    steps = t.max(initial=0.0) * (np.arange(STEPS + 1) / STEPS) ** 3
    return np.unique(np.concatenate([[0.0], steps, t]))


def at_times(t: Floats) -> list[int]:
    """Return the positions of t in ``grid_to(t)``."""
    return np.searchsorted(grid_to(t), t).tolist()
