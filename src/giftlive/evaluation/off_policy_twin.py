"""A twin of a decision log whose truth is known: same users, candidates and policies, drawn gifts.

The twin keeps what a log says about decisions (who, which candidates, both policies'
probabilities, the values that the logger saw) and replaces what it cannot say. A gift for
candidate a comes with ::

    p(x, a) = min(1, f_u b(v(x, a))),  amount drawn from the logged gifts of its value bin

b is the gift rate by bins of the logged value, f_u how often user u gave against what b promised,
shrunk towards 1. So the target's value in the twin, Σ π(a|x) E[reward | x, a] over the decisions,
is exact, and as many logs as wanted can be drawn: whole users with replacement, an action from
each decision's logged probabilities, a reward. What an estimator does there it is likely to do on
the log itself, as far as gifts follow the logged values; what the values miss, the twin misses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.evaluation.decision_logs import DecisionLogs
from giftlive.evaluation.interactions import interactions
from giftlive.evaluation.off_policy_log import Reward
from giftlive.evaluation.target_policies import TargetPolicy
from giftlive.ope import Interactions
from giftlive.rng import uniform
from giftlive.types import Bools, Floats, Ints

BINS = 12
_PURPOSE = 0x7477696E  # "twin": a stream of its own among the keyed draws
_SHRINK = 2.0
"""Gifts that a user must have been promised before his own rate counts half."""


@dataclass(frozen=True, eq=False)
class Twin:
    """n decisions of G users, m columns; the last column is showing nothing.

    Attributes
    ----------
    start : [G + 1] first decision of each user. target, logging : [n, m] probabilities.
    chance : [n, m] of a gift. bin : [n, m] value bin of each candidate. q : [n, m] what the
    logger's values promise, for estimators with a model.
    pools : amounts as rewards, one array per bin. mean : [bins] of them.
    """

    start: Ints
    target: Floats
    logging: Floats
    chance: Floats
    bin: Ints
    q: Floats
    pools: tuple[Floats, ...]
    mean: Floats

    @property
    def truth(self) -> float:
        """The target's value per decision, exact."""
        return float(np.einsum("nm,nm->", self.target, self.chance * self.mean[self.bin])) / len(
            self.target
        )

    def draw(self, rng: np.random.Generator) -> Interactions:
        """Draw a log: users with replacement, who count as new ones; actions; rewards."""
        users = len(self.start) - 1
        who = rng.integers(0, users, users)
        size = np.diff(self.start)[who]
        cluster = np.repeat(np.arange(users), size)
        first = np.cumsum(size) - size
        row = np.arange(len(cluster)) - first[cluster] + self.start[who][cluster]
        edges = np.cumsum(self.logging[row], axis=1)
        action = (edges < rng.random(len(row))[:, None] * edges[:, -1:]).sum(axis=1)
        gave = rng.random(len(row)) < self.chance[row, action]
        return Interactions(
            user=cluster,
            action=action,
            propensity=self.logging[row, action],
            reward=np.where(gave, self._amounts(self.bin[row, action], rng), 0.0),
            target=self.target[row],
            q=self.q[row],
        )

    def _amounts(self, bins: Ints, rng: np.random.Generator) -> Floats:
        found, u = np.zeros(len(bins)), rng.random(len(bins))
        for k, pool in enumerate(self.pools):
            here = bins == k
            found[here] = pool[(u[here] * len(pool)).astype(np.int64)]
        return found


def twin_of(
    logs: DecisionLogs, target: TargetPolicy, reward: Reward, most: int = 12_000, seed: int = 0
) -> Twin:
    """Return the twin of a log, of whole users, about ``most`` decisions in all.

    Raises
    ------
    NotEnoughDataError
        The users looked at gave nothing: there is no gift to copy.
    """
    parts = _parts(logs, target, reward, most, seed)
    user = np.concatenate([p.user for p in parts])
    order = np.argsort(user, kind="stable")
    wide = max(p.target.shape[1] for p in parts)

    def columns(name: str) -> Floats:
        return np.concatenate([_widened(getattr(p, name), wide) for p in parts])[order]

    action = np.concatenate(
        [np.where(p.action == p.target.shape[1] - 1, wide - 1, p.action) for p in parts]
    )[order]
    earned = np.concatenate([p.reward for p in parts])[order]
    if not np.any(earned > 0.0):
        raise NotEnoughDataError("no gift in the log", "a twin of it", "at least one gift")
    start = np.concatenate([[0], 1 + np.flatnonzero(np.diff(user[order])), [len(user)]])
    logging, values = columns("propensities"), columns("q")
    bins, rate, pools = _law(values, action, earned)
    alone = rate[bins]
    promised = np.add.reduceat(alone[np.arange(len(action)), action], start[:-1])
    gave = np.add.reduceat((earned > 0.0).astype(np.float64), start[:-1])
    factor = np.repeat((gave + _SHRINK) / (promised + _SHRINK), np.diff(start))
    mean = np.array([float(pool.mean()) for pool in pools])
    shown = np.arange(wide) < wide - 1
    chance = np.minimum(alone * factor[:, None], 1.0) * shown
    q = alone * mean[bins] * shown
    return Twin(start, columns("target"), logging, chance, bins, q, pools, mean)


def _parts(
    logs: DecisionLogs, target: TargetPolicy, reward: Reward, most: int, seed: int
) -> list[Interactions]:
    """Return the decisions of a share of the users, each batch as interactions."""
    share, found = min(1.0, most / max(logs.rows, 1)), []
    for number, file in enumerate(logs.files):
        first = logs.offsets[number]
        for log in file.batches():
            mine = _chosen(log.user_id, share, seed)
            probabilities = target.probabilities(log, first)
            first += len(log)
            if mine.any():
                rows = interactions(log.rows(mine), probabilities[mine], log.values[mine])
                found.append(replace(rows, reward=reward.of(rows.reward)))
    if not found:
        raise NotEnoughDataError("no user in the sample", "a twin of the log", "more decisions")
    return found


def _chosen(user: Ints, share: float, seed: int) -> Bools:
    """Return [n] whether a row's user is one of a share of all users, the same in every batch."""
    ids, index = np.unique(user, return_inverse=True)
    drawn = np.array([uniform(seed, _PURPOSE, int(each), 0, 0) for each in ids])
    chosen: Bools = drawn[index] < share
    return chosen


def _widened(table: Floats, width: int) -> Floats:
    """Return [n, width] with the last column, showing nothing, still last."""
    more = np.zeros((len(table), width - table.shape[1]))
    return np.column_stack([table[:, :-1], more, table[:, -1:]])


def _law(values: Floats, action: Ints, earned: Floats) -> tuple[Ints, Floats, tuple[Floats, ...]]:
    """Return the bin of every candidate, the gift rate of each bin, and its gifts."""
    shown = action < values.shape[1] - 1
    mine = values[np.arange(len(action)), action]
    edges = np.unique(np.quantile(mine[shown], np.linspace(0.0, 1.0, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, values, side="right")
    own = bins[np.arange(len(action)), action]
    gifts = earned[earned > 0.0]
    total = np.bincount(own[shown], minlength=len(edges) + 1)
    gave = np.bincount(own[shown], earned[shown] > 0.0, len(edges) + 1)
    overall = gave.sum() / max(total.sum(), 1)
    rate = (gave + overall) / (total + 1.0)
    pools = []
    for k in range(len(edges) + 1):
        here = earned[(own == k) & (earned > 0.0)]
        pools.append(here if len(here) >= 5 else gifts)
    return bins, rate, tuple(pools)
