"""Off-policy estimates against exact truth, many times over.

One replication is a log as a platform could have written it: n users drawn from the world, one
decision of each, an action drawn from the logging policy (its propensity kept), and a reward
drawn from the world's own law. Seats are unlimited here, so that one user's reward does not
depend on another's room and the value of a target policy is an exact expectation,

    V(π) = mean over users of mean over their decisions of Σ_a π(a | x) E[reward | x, a],

with no Monte-Carlo error in it. The share of replications whose 95 % interval contains V is
the coverage; it is an estimate itself and comes with an interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from giftlive import ope
from giftlive.errors import NotEnoughDataError
from giftlive.evaluation.bandit_tails import Weighted, tail_bounds
from giftlive.rng import stream
from giftlive.stats.intervals import Interval, student_t
from giftlive.types import Floats, Ints, Progress, silent

_BLOCK, _BLOCK_DECISIONS = 20, 4_000
"""Logs drawn at a time; fewer where a log is longer than so many decisions."""

ESTIMATORS = ("ips", "snips", "dr")
Key = tuple[str, str, str]
"""Estimator, target, reward."""

Draw = Callable[[Ints, Ints, int], Floats]
"""Maps context rows, chosen columns (both [k]) and a seed to realised amounts [k]."""


@dataclass(frozen=True)
class Contexts:
    """The decisions from which logs are drawn.

    Attributes
    ----------
    user : [n] user of each context. logging : [n, m] logging policy. targets : name -> [n, m].
    q : reward -> [n, m] modelled reward. truth : reward -> [n, m] exact expected reward.
    scale : of money, > 0, for estimators that ask for one.
    """

    user: Ints
    logging: Floats
    targets: dict[str, Floats]
    q: dict[str, Floats]
    truth: dict[str, Floats]
    scale: float = 1.0

    def largest_weight(self, target: str) -> float:
        """Return the largest importance weight that any decision can have under a target."""
        pi = self.targets[target]
        return float(np.max(pi[pi > 0.0] / self.logging[pi > 0.0]))


@dataclass(frozen=True)
class Reward:
    """A reward made of the realised amount: ``count`` of gifts, ``capped`` or ``full`` value."""

    name: str
    cap: float

    @property
    def most(self) -> float:
        """Return the largest reward there can be."""
        return 1.0 if self.name == "count" else self.cap

    def of(self, amount: Floats) -> Floats:
        """Return the reward of each realised amount."""
        if self.name == "count":
            return (amount > 0).astype(np.float64)
        return np.minimum(amount, self.cap)


@dataclass(frozen=True)
class Trial:
    """How one estimator did on one target and one reward.

    Attributes
    ----------
    truth : V. coverage : share of replications whose interval holds V. bias : mean error with a
    Student interval. rmse : root mean squared error. relative_rmse : rmse / V.
    logs : [3, R] estimate, low and high of every replication.
    effective : [R] how many equally weighted decisions each log is worth to the target.
    decisions : number of decisions of a log.
    """

    estimator: str
    target: str
    reward: str
    truth: float
    coverage: Interval
    bias: Interval
    rmse: float
    relative_rmse: float
    logs: Floats
    effective: Floats
    decisions: int

    @property
    def first(self) -> tuple[float, float, float]:
        """Return estimate, low and high of the first log, as a reader of one log sees it."""
        value, low, high = (float(part[0]) for part in self.logs)
        return value, low, high


def value_of(contexts: Contexts, policy: Floats, reward: str) -> float:
    """Return V of ``policy`` [n, m]: users weigh equally, whatever their number of decisions."""
    per_decision = np.einsum("nm,nm->n", policy, contexts.truth[reward])
    _, index, counts = np.unique(contexts.user, return_inverse=True, return_counts=True)
    return float(np.sum(per_decision / counts[index]) / len(counts))


def run_trials(
    contexts: Contexts,
    draw: Draw,
    rewards: tuple[Reward, ...],
    replications: int,
    decisions: int,
    seed: int,
    progress: Progress = silent,
    tails_of: str = "",
) -> tuple[Trial, ...]:
    """Return one row per estimator, target and reward over ``replications`` logs.

    Parameters
    ----------
    tails_of : target that the estimators of ``bandit_tails`` judge as well, in rows at the end.
    """
    found: dict[Key, list[tuple[Floats, Floats, Floats]]] = {}
    worth: dict[str, list[Floats]] = {name: [] for name in contexts.targets}
    modelled = _modelled(contexts, rewards)
    block_size = max(1, min(_BLOCK, _BLOCK * _BLOCK_DECISIONS // decisions))
    for first in range(0, replications, block_size):
        size = min(block_size, replications - first)
        block = _draw_block(contexts, draw, first, size, decisions, seed)
        for name, target in contexts.targets.items():
            pi = target[block.row, block.action]
            _require_overlap(name, pi)
            worth[name].append(_effective(pi / block.propensity))
            more = name == tails_of
            for key, bounds in _estimates(contexts, block, rewards, name, pi, modelled, more):
                found.setdefault(key, []).append(bounds)
        progress(first + size, replications)
    effective = {name: np.concatenate(parts) for name, parts in worth.items()}
    keys = [(e, t, r.name) for r in rewards for t in contexts.targets for e in ESTIMATORS]
    keys += [key for key in found if key[0] not in ESTIMATORS]
    return tuple(_trial(contexts, key, found[key], effective[key[1]], decisions) for key in keys)


def first_weights(contexts: Contexts, draw: Draw, decisions: int, seed: int) -> dict[str, Floats]:
    """Return target -> [n] the importance weights of one log like those of the trials."""
    block = _draw_block(contexts, draw, -1, 1, decisions, seed)
    return {
        name: (target[block.row, block.action] / block.propensity)[0]
        for name, target in contexts.targets.items()
    }


def _modelled(contexts: Contexts, rewards: tuple[Reward, ...]) -> dict[tuple[str, str], Floats]:
    """Return (target, reward) -> [n] the model's answer in every context."""
    return {
        (name, reward.name): np.einsum("nm,nm->n", target, contexts.q[reward.name])
        for name, target in contexts.targets.items()
        for reward in rewards
    }


def _effective(weight: Floats) -> Floats:
    """Return [r] the effective decisions of weights [r, n]."""
    squares = np.einsum("rn,rn->r", weight, weight)
    return weight.sum(axis=1) ** 2 / np.where(squares > 0.0, squares, 1.0)


@dataclass(frozen=True)
class _Block:
    """Logs [r, n]: the context, the action, its propensity and the realised amount."""

    row: Ints
    action: Ints
    propensity: Floats
    amount: Floats


def _draw_block(
    contexts: Contexts, draw: Draw, first: int, size: int, decisions: int, seed: int
) -> _Block:
    rng = stream(seed, "bandit", first)
    order = np.argsort(contexts.user, kind="stable")
    _, starts, counts = np.unique(contexts.user[order], return_index=True, return_counts=True)
    who = rng.integers(0, len(starts), (size, decisions))
    row = order[
        starts[who] + np.floor(rng.random((size, decisions)) * counts[who]).astype(np.int64)
    ]
    edges = np.cumsum(contexts.logging, axis=1)
    edges /= edges[:, -1:]
    action = (edges[row] <= rng.random((size, decisions, 1))).sum(axis=2)
    amount = draw(row.ravel(), action.ravel(), int(rng.integers(0, 2**62))).reshape(row.shape)
    return _Block(row, action, contexts.logging[row, action], amount)


def _estimates(
    contexts: Contexts,
    block: _Block,
    rewards: tuple[Reward, ...],
    name: str,
    pi: Floats,
    modelled: dict[tuple[str, str], Floats],
    tails: bool,
) -> list[tuple[Key, tuple[Floats, Floats, Floats]]]:
    found: list[tuple[Key, tuple[Floats, Floats, Floats]]] = []
    for reward in rewards:
        r, q = reward.of(block.amount), contexts.q[reward.name][block.row, block.action]
        answer = modelled[name, reward.name][block.row]
        bounds = {
            "ips": ope.ips_replications(r, block.propensity, pi),
            "snips": ope.snips_replications(r, block.propensity, pi),
            "dr": ope.dr_replications(r, block.propensity, pi, q, answer),
        }
        if tails:
            bounds |= tail_bounds(_weighted(contexts, block, reward, name, answer))
        found += [((e, name, reward.name), each) for e, each in bounds.items()]
    return found


def _weighted(
    contexts: Contexts, block: _Block, reward: Reward, target: str, answer: Floats
) -> Weighted:
    """Return what the estimators for heavy tails take; ``answer`` [R, n] is q(π)."""
    money, at = reward.name != "count", (block.row, block.action)
    return Weighted(
        weight=contexts.targets[target][at] / block.propensity,
        reward=reward.of(block.amount),
        q=contexts.q[reward.name][at],
        answer=answer,
        chance=contexts.q["count"][at] if money else None,
        scale=contexts.scale if money else 1.0,
        most=reward.most * contexts.largest_weight(target),
    )


def _require_overlap(target: str, pi: Floats) -> None:
    """Refuse logs [r, n] too short to show anything that the target would have shown."""
    empty = int((pi.sum(axis=1) == 0.0).sum())
    if empty:
        raise NotEnoughDataError(
            f"{empty} of {len(pi)} logs show nothing that {target!r} would show",
            "off_policy.decisions",
            f"more than {pi.shape[1]:,} decisions a log, or a target nearer to the logger",
        )


def _trial(
    contexts: Contexts,
    key: Key,
    parts: list[tuple[Floats, Floats, Floats]],
    effective: Floats,
    decisions: int,
) -> Trial:
    estimator, target, reward = key
    value, low, high = (np.concatenate([part[i] for part in parts]) for i in range(3))
    truth = value_of(contexts, contexts.targets[target], reward)
    rmse = float(np.sqrt(np.mean((value - truth) ** 2)))
    return Trial(
        estimator=estimator,
        target=target,
        reward=reward,
        truth=truth,
        coverage=ope.coverage(truth, low, high),
        bias=student_t(value - truth, n_unit="replications"),
        rmse=rmse,
        relative_rmse=rmse / truth if truth > 0 else 0.0,
        logs=np.stack([value, low, high]),
        effective=effective,
        decisions=decisions,
    )
