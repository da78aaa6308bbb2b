"""A market of log-normal users and rooms with binding seats: the yardstick of online rules.

Users and rooms have tastes of 16 dimensions, users a wealth, rooms a popularity and a quality::

    aff = U.S,  U ~ N(0, 1)/4,  S ~ N(0, 1)      pop ~ Pareto(1.2) + 1
    wealth ~ N(0, 1.7^2)                           quality ~ N(0, 0.4^2)
    P(gift) = sigmoid(-5.6 + 0.9 aff + 0.175 wealth + 0.25 log pop)
    E[amount | gift] = min(30,000, exp(log 2 + wealth + 0.4 aff + quality + 2.3^2 / 2))
    C_s in proportion to pop^0.6, rounded to whole seats that sum to 1.2 n

Rooms stay, users of every day are new. Half of what greedy users want lies above the seats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.allocation.batch import Batch
from giftlive.allocation.returns import Returns
from giftlive.errors import InputError
from giftlive.rng import stream
from giftlive.types import Floats, Ints

_DIMENSIONS, _SEATS_PER_USER, _HIGHEST_AMOUNT = 16, 1.2, 30_000.0


@dataclass(frozen=True)
class LogNormalMarket:
    """The rooms of a market.

    Attributes
    ----------
    seed : of everything drawn. taste : [S, 16]. popularity, quality : [S].
    seats : [S] whole seats of a day, proportional to popularity^0.6.
    users : n, the users of a day.
    """

    seed: int
    taste: Floats
    popularity: Floats
    quality: Floats
    seats: Ints
    users: int

    @classmethod
    def draw(cls, seed: int, users: int = 10_000, rooms: int = 500) -> LogNormalMarket:
        """Return the rooms that belong to ``seed``.

        Examples
        --------
        >>> LogNormalMarket.draw(1, users=100, rooms=5).seats.sum()
        np.int64(120)
        """
        if users < 1 or rooms < 1:
            raise InputError(f"{users} users, {rooms} rooms", "LogNormalMarket.draw", "at least 1")
        draw = stream(seed, "log-normal market")
        popularity = draw.pareto(1.2, rooms) + 1.0
        seats = whole(popularity**0.6, round(_SEATS_PER_USER * users))
        taste = draw.normal(size=(rooms, _DIMENSIONS))
        return cls(seed, taste, popularity, draw.normal(0.0, 0.4, rooms), seats, users)

    def day(self, day: int, returns: Returns | None = None) -> Batch:
        """Return the users of a day with all rooms as candidates, in order of arrival."""
        draw = stream(self.seed, "log-normal day", day)
        shape = (self.users, len(self.seats))
        affinity = draw.normal(size=(self.users, _DIMENSIONS)) / 4.0 @ self.taste.T
        wealth = draw.normal(0.0, 1.7, (self.users, 1))
        logit = 0.9 * affinity + 0.175 * wealth + 0.25 * np.log(self.popularity) - 5.6
        level = np.log(2.0) + wealth + 0.4 * affinity + self.quality + 2.3**2 / 2.0
        values = np.minimum(np.exp(level), _HIGHEST_AMOUNT) / (1.0 + np.exp(-logit))
        rooms = np.broadcast_to(np.arange(shape[1]), shape).copy()
        return Batch(values, rooms, self.seats.astype(np.float64), returns=returns or Returns())


def whole(shares: Floats, total: int) -> Ints:
    """Return whole numbers in proportion to ``shares`` that sum to ``total``: largest remainders.

    Examples
    --------
    >>> whole(np.array([1.0, 1.0, 2.0]), 5).tolist()
    [1, 1, 3]
    """
    exact = shares / shares.sum() * total
    floor = np.floor(exact).astype(np.int64)
    floor[np.argsort(floor - exact, kind="stable")[: total - int(floor.sum())]] += 1
    return floor
