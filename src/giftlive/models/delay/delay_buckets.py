"""A classifier for every bucket of delay, each trained on labels mature for its own bucket.

    q_k(x) = P(gift in (t_{k−1}, t_k] | x, none before),   P(gift by t_K | x) = 1 − Π_k (1 − q_k(x))

Head k uses the rows older than t_k that showed nothing up to t_{k−1}. A row of age e thus helps
all heads whose bucket it has lived through: the early buckets, which hold most gifts, learn from
nearly all rows, and only the late ones wait. One bucket up to the horizon is a fixed window.

Assumption: the delay of the last ``horizon`` seconds' gifts is that of older ones, given x. A
drift in how many give is followed as soon as the first bucket has passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.delay.chance import Chance, FittedChance, Logistic
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.treatments import old_enough
from giftlive.types import Floats


@dataclass(frozen=True)
class DelayBuckets:
    """Settings.

    Parameters
    ----------
    edges : inner ends of the buckets in seconds, ascending, below the horizon; the last bucket
        ends at the horizon. ``()`` takes ``buckets`` of them from the gifts of mature rows, each
        with half of the gifts that are left: what must wait long is then little.
    """

    edges: tuple[float, ...] = ()
    buckets: int = 6
    chance: Chance = field(default_factory=Logistic)

    def fit(self, follow_up: FollowUp) -> FittedBuckets:
        """Fit one head per bucket.

        Raises
        ------
        NotEnoughDataError
            The horizon is infinite or no row is older than it: the last head has no label.
        """
        if not np.isfinite(follow_up.horizon):
            raise NotEnoughDataError(
                "an infinite horizon", "delay buckets", "a finite one", "give the follow-up one"
            )
        ends = self._ends(follow_up)
        delay = np.where(follow_up.seen, follow_up.delay, np.inf)
        heads, last = [], -1.0
        for end in ends:
            rows = (follow_up.age >= end) & (delay > last)
            gift = delay[rows] <= end
            heads.append(self.chance.fit(follow_up.X[rows], gift.astype(np.float64)))
            last = end
        return FittedBuckets(tuple(ends), tuple(heads))

    def _ends(self, follow_up: FollowUp) -> list[float]:
        old = old_enough(follow_up, follow_up.horizon)
        inner = np.array(self.edges, dtype=np.float64)
        if not self.edges:
            delays = follow_up.delay[old & follow_up.seen]
            parts = 1.0 - 0.5 ** np.arange(1, self.buckets)
            inner = np.unique(np.quantile(delays, parts)) if len(delays) else delays
            inner = inner[inner < follow_up.horizon]
        elif not (
            (np.diff(inner) > 0.0).all() and inner[0] >= 0.0 and inner[-1] < follow_up.horizon
        ):
            raise UsageError(
                f"edges {self.edges}", "argument edges", "ascending, below the horizon"
            )
        return [*inner.tolist(), follow_up.horizon]


@dataclass(frozen=True)
class FittedBuckets:
    """Heads after training; ``ends`` [K] of their buckets in seconds."""

    ends: tuple[float, ...]
    heads: Sequence[FittedChance]

    def by_bucket(self, X: Floats) -> Floats:
        """Return [n, K] P(gift by the end of every bucket | x)."""
        none = np.stack([1.0 - head.probability(X) for head in self.heads], axis=1)
        return np.asarray(1.0 - np.cumprod(none, axis=1), dtype=np.float64)

    def probability(self, X: Floats) -> Floats:
        """Return [n] P(gift within the horizon | x)."""
        return np.asarray(self.by_bucket(X)[:, -1])
