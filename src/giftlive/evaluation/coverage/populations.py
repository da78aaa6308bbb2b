"""Finite populations of users whose every statistic is known exactly.

``gifts`` follows published aggregates of gifts: 1.5 % of rows carry one, amounts follow the
published quantiles (44 % are 1, half are at most 2, 1 % exceed 1,488, the largest is 56,246),
and users differ in how often and how much they give, so that 1 % of the givers hold about 60 %
of the money. ``givers`` has the gift rows of those who gave, and nothing else. ``evenings`` stands
for sums over many decisions, one per independent evening, and ``pareto`` has an exact power-law
tail. A sample of users drawn with replacement has the population as its distribution, so the
truth of a statistic is its value on the population.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import special

from giftlive.rng import stream
from giftlive.types import Floats, Ints

CAP = 298.0
"""Amount at the 95th percentile of gifts: the capped reward counts nothing above it."""

_SHARES = np.array([0.4389, 0.547, 0.6522, 0.7616, 0.8229, 0.90, 0.95, 0.99, 1 - 1 / 72_646])
_AMOUNTS = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 88.0, 298.0, 1_488.0, 56_246.0])
_GIFT_RATE = 0.015
_RATE_SPREAD, _PAIR_SPREAD = 1.2, 0.8
_GIFTS_PER_USER = 3.06
_LIKENESS = 0.85
"""Correlation of a user's amounts on the normal scale."""

PARETO = 1.2
"""Tail index of the population ``pareto``."""

SHIFTS = {"near": 0.5, "middle": 1.0, "far": 1.5}
"""How far a target policy is from the logger: s.d. of the log of its importance weights, whose CV
is then 0.53, 1.31 or 2.91 per decision."""

COMMON = 0.05
"""The rarest share for which the tail ``common`` stands."""

TAILS = ("count", "capped", "full")
"""Rewards of the population ``gifts``, from the lightest tail to the heaviest."""


@dataclass(frozen=True, eq=False)
class Population:
    """U users with their rows; row i of user u lies at ``starts[u] <= i < starts[u + 1]``.

    Attributes
    ----------
    name : as in the table. starts : [U + 1].
    columns : name -> [N] of every row: the rewards by tail, ``score`` and ``rival`` (two rankings,
        the second one worse), ``probability`` of a gift as promised (a fifth too high on
        average) and ``rival_probability``, a noisier promise, ``promised`` amount, importance
        ``weight``, one more for each of ``SHIFTS``, and ``rows``, the denominator.
    """

    name: str
    starts: Ints
    columns: dict[str, Floats]

    @property
    def users(self) -> int:
        """Return U."""
        return len(self.starts) - 1

    @cached_property
    def _totals(self) -> dict[str, Floats]:
        return {}

    def totals(self, name: str) -> Floats:
        """Return [U] the sum of a column over every user's rows.

        ``"full weighted"`` is the sum of full times weight, ``"full weighted far"`` of full times
        ``weight_far``.
        """
        if name not in self._totals:
            column, _, weighted = name.partition(" ")
            weight = "_".join(["weight", *weighted.split()[1:]])
            rows = self.columns[column] * (self.columns[weight] if weighted else 1.0)
            self._totals[name] = np.add.reduceat(rows, self.starts[:-1])
        return self._totals[name]

    def rows_of(self, users: Ints) -> tuple[Ints, Ints]:
        """Return the rows of drawn ``users`` [G] and the draw each row belongs to."""
        sizes = self.starts[users + 1] - self.starts[users]
        draw = np.repeat(np.arange(len(users)), sizes)
        first = np.cumsum(sizes) - sizes
        return np.arange(len(draw)) - first[draw] + self.starts[users][draw], draw


def amount_at(level: Floats) -> Floats:
    """Return the amount at each ``level`` in (0, 1) of the distribution of gifts.

    The published quantiles, joined by straight lines between the normal quantile of the level
    and the logarithm of the amount; whole numbers.

    Examples
    --------
    >>> amount_at(np.array([0.3, 0.5, 0.96, 0.9999999])).tolist()
    [1.0, 2.0, 383.0, 56246.0]
    """
    z = special.ndtri(np.clip(level, 1e-12, _SHARES[-1]))
    return np.ceil(np.exp(np.interp(z, special.ndtri(_SHARES), np.log(_AMOUNTS))) - 1e-9)


@lru_cache(maxsize=1)
def gifts(rows_per_user: int, turn: int = 0, users: int = 50_000) -> Population:
    """Return a gift-like population with ``rows_per_user`` rows of a user on average.

    At such tails one population is no other: its largest giver decides its skewness. ``turn``
    names one draw of the law, and the lab uses a new one for every block of samples.
    """
    rng = stream(20_240, "coverage", "gifts", rows_per_user, turn)
    sizes = rng.geometric(1.0 / rows_per_user, users)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    user = np.repeat(np.arange(users), sizes)
    taste, purse = rng.normal(size=users), rng.normal(size=users)
    pair, known = rng.normal(size=len(user)), rng.normal(size=len(user))
    rate = np.exp(_RATE_SPREAD * taste[user] + _PAIR_SPREAD * pair)
    chance = np.minimum(_GIFT_RATE * rate / rate.mean(), 0.5)
    gave = rng.random(len(user)) < chance
    level = special.ndtr(
        _LIKENESS * purse[user] + np.sqrt(1 - _LIKENESS**2) * rng.normal(size=len(user))
    )
    full = np.where(gave, amount_at(level), 0.0)
    usual = amount_at(special.ndtr(_LIKENESS * purse))[user]
    seen = np.log(chance) + 0.5 * known
    noise = rng.normal(size=(3, len(user)))
    log_weight = rng.normal(size=len(user))
    columns = {
        "count": gave.astype(np.float64),
        "capped": np.minimum(full, CAP),
        "full": full,
        "score": seen + np.log(usual) + noise[0],
        "rival": seen + 0.5 * np.log(usual) + 1.5 * noise[1],
        "probability": np.clip(1.2 * np.exp(seen - 0.125), 0.0, 1.0),
        "rival_probability": np.clip(np.exp(seen + 0.5 * noise[1] - 0.25), 0.0, 1.0),
        "promised": np.exp(seen) * usual,
        "weight": np.exp(0.5 * noise[2] - 0.125),
        "rows": np.ones(len(user)),
        **{f"weight_{s}": np.exp(sd * log_weight - sd * sd / 2) for s, sd in SHIFTS.items()},
    }
    return Population("gifts", starts, columns)


@lru_cache(maxsize=1)
def givers(turn: int = 0, users: int = 100_000) -> Population:
    """Return the gift rows of those who gave in three weeks, 3.1 gifts a user before selection."""
    rng = stream(20_240, "coverage", "givers", turn)
    taste, purse = rng.normal(size=users), rng.normal(size=users)
    expected = _GIFTS_PER_USER * np.exp(_RATE_SPREAD * taste - _RATE_SPREAD**2 / 2)
    sizes = rng.poisson(expected)
    purse, sizes = purse[sizes > 0], sizes[sizes > 0]
    user = np.repeat(np.arange(len(sizes)), sizes)
    noise = rng.normal(size=(4, len(user)))
    amount = amount_at(special.ndtr(_LIKENESS * purse[user] + np.sqrt(1 - _LIKENESS**2) * noise[0]))
    usual = amount_at(special.ndtr(_LIKENESS * purse))[user]
    columns = {
        "gift": amount,
        "gift_kind": (amount <= 5.0).astype(np.float64),
        "part": amount * (rng.random(len(sizes)) < 0.5 + 0.1 * purse)[user],
        "score": np.log(usual) + noise[1],
        "rival": 0.5 * np.log(usual) + 1.5 * noise[2],
        "promised": usual,
        "rows": np.ones(len(user)),
    }
    return Population("givers", np.concatenate([[0], np.cumsum(sizes)]), columns)


@lru_cache(maxsize=1)
def evenings(turn: int = 0, evenings: int = 50_000) -> Population:
    """Return sums over many decisions: a gamma of skewness 0.5, beside a bound that follows it."""
    rng = stream(20_240, "coverage", "evenings", turn)
    size = rng.gamma(16.0, 1.0 / 16.0, evenings)
    columns = {
        "light": 0.5 * size * rng.normal(1.0, 0.05, evenings),
        "rows": size,
        "common": (rng.random(evenings) < COMMON).astype(np.float64),
    }
    return Population("evenings", np.arange(evenings + 1), columns)


@lru_cache(maxsize=1)
def pareto(users: int = 50_000) -> Population:
    """Return single rows with P(X > x) = x^-1.2, read at equal steps of the level."""
    level = (np.arange(users) + 0.5) / users
    columns = {"pareto": (1.0 - level) ** (-1.0 / PARETO), "rows": np.ones(users)}
    return Population("pareto", np.arange(users + 1), columns)
