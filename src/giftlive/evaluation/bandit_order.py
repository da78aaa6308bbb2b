"""Are two policies put in the right order from one log?

Both are judged from the same log, so what the log got wrong for both cancels. A pair counts as
apart when its true values differ by ``APART`` or more; nearer ones may be exchanged at no great
loss. The share of logs in which the truly better one has the larger estimate is an estimate
itself. The *hardest* pair is the one whose share is smallest, and being picked for that it leans
low: what holds for it holds for every pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from giftlive.evaluation.bandit import Trial
from giftlive.ope.verdict import MIN_EFFECTIVE
from giftlive.stats.intervals import Interval, no_interval, proportion
from giftlive.types import Bools

APART, NEAR = 0.05, 0.10
"""True values differ by at least so much; are near each other up to so much. Relative."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two targets over R logs.

    Attributes
    ----------
    better, worse : by true value. difference : true better / worse - 1.
    right : [R] whether the log puts them in the true order; equal estimates do not.
    answered : [R] whether the verdict on its weights lets the log speak about both.
    """

    better: str
    worse: str
    difference: float
    right: Bools
    answered: Bools

    @property
    def share(self) -> Interval:
        """Estimate the share of logs with the true order."""
        return proportion(int(self.right.sum()), len(self.right), n_unit="replications")

    @property
    def share_answered(self) -> Interval:
        """Estimate the same among logs that may speak about both."""
        n = int(self.answered.sum())
        if not n:
            return no_interval("undefined", "no log may speak about both", "wilson", 0, "logs")
        return proportion(int(self.right[self.answered].sum()), n, n_unit="replications")


def pairs_of(trials: Sequence[Trial], estimator: str, reward: str) -> tuple[Pair, ...]:
    """Return every pair of targets, from the nearest in true value to the farthest."""
    chosen = [t for t in trials if (t.estimator, t.reward) == (estimator, reward)]
    return tuple(sorted((_pair(a, b) for a, b in combinations(chosen, 2)), key=_difference))


def apart(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return the pairs whose true values differ by at least ``APART``."""
    return tuple(pair for pair in pairs if pair.difference >= APART)


def near_share(pairs: Sequence[Pair]) -> float:
    """Return the share of pairs whose true values are within ``NEAR``; 0 without pairs."""
    return sum(pair.difference <= NEAR for pair in pairs) / max(len(pairs), 1)


def hardest(pairs: Sequence[Pair]) -> Pair | None:
    """Return the pair that logs order least often; None without pairs."""
    return min(pairs, key=lambda pair: float(pair.right.mean()), default=None)


def _pair(a: Trial, b: Trial) -> Pair:
    better, worse = (a, b) if a.truth >= b.truth else (b, a)
    enough = [t.effective >= MIN_EFFECTIVE for t in (better, worse)]
    difference = better.truth / worse.truth - 1.0 if worse.truth > 0.0 else np.inf
    right: Bools = better.logs[0] > worse.logs[0]
    return Pair(better.target, worse.target, difference, right, enough[0] & enough[1])


def _difference(pair: Pair) -> float:
    return pair.difference
