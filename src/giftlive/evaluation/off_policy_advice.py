"""Which estimator, clip and interval would have been right on a log like yours.

Many logs are drawn from the log's twin (``off_policy_twin``), whose truth is known. Every estimator
with every interval is tried on all of them: how far it was off, which way, how often its nominal
95 % interval held. Advice goes to the smallest error among those whose intervals held in 93 to
97 % of the twins; where there is none, to none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.evaluation.decision_logs import DecisionLogs
from giftlive.evaluation.off_policy_log import Reward
from giftlive.evaluation.off_policy_twin import Twin, twin_of
from giftlive.evaluation.target_policies import TargetPolicy
from giftlive.ope import Estimator, Panel, clipped_ips, coverage
from giftlive.ope.catalogue import DM, DR, IPS, SNDR, SNIPS, clipped_dr, switch_dr
from giftlive.ope.estimation import Method
from giftlive.rng import stream
from giftlive.stats.coverage_table import HIGHEST, LOWEST
from giftlive.stats.intervals import Interval, no_interval
from giftlive.types import Floats, Progress, silent

METHODS: tuple[Method, ...] = ("ratio_delta", "skew_t")
CLIPS = (0.9, 0.99, 0.999)
"""Quantiles of the target's weights at which clips are tried."""


@dataclass(frozen=True)
class Trialled:
    """One estimator with one interval over all twins.

    Attributes
    ----------
    estimator, method : which. error : root mean squared error over the truth. bias : mean error
    over the truth. coverage : share of the twins whose interval held the truth.
    """

    estimator: str
    method: str
    error: float
    bias: float
    coverage: Interval

    @property
    def holds(self) -> bool:
        """Whether the interval kept its promise, as measured."""
        return LOWEST <= (self.coverage.value or 0.0) <= HIGHEST


@dataclass(frozen=True)
class Advice:
    """What the twins say.

    Attributes
    ----------
    tried : every estimator with every interval, the smallest error first.
    twins, decisions, users : how many were drawn, and of which size.
    truth : the target's value per decision in the twin.
    """

    tried: tuple[Trialled, ...]
    twins: int
    decisions: int
    users: int
    truth: float

    @property
    def best(self) -> Trialled | None:
        """Return the smallest error among those whose interval held; None where none did."""
        return next((t for t in self.tried if t.holds), None)

    @property
    def nearest(self) -> Trialled:
        """Return the smallest error, whatever its interval."""
        return self.tried[0]

    def lines(self) -> tuple[str, ...]:
        """Return the advice in words."""
        size = f"{self.twins} twins of {self.decisions:,} decisions for {self.users:,} users"
        best, near = self.best, self.nearest
        if best is None:
            first = f"no interval held in {LOWEST:.0%} to {HIGHEST:.0%} of {size}: believe none"
        else:
            first = f"{best.estimator} with {best.method}: {_words(best)}, in {size}"
        if best is not None and near.estimator == best.estimator:
            return (first,)
        return first, f"smallest error: {near.estimator}, {_words(near)} with {near.method}"


def _words(tried: Trialled) -> str:
    held = tried.coverage.value or 0.0
    return f"off by {tried.error:.1%} (bias {tried.bias:+.1%}), interval held in {held:.1%}"


def advise(
    logs: DecisionLogs,
    target: TargetPolicy,
    reward: Reward,
    estimators: Sequence[Estimator],
    twins: int = 200,
    seed: int = 0,
    progress: Progress = silent,
) -> Advice:
    """Try estimators on twins of a log.

    Parameters
    ----------
    estimators : tried besides the usual ones; a twin has one logging policy, so that those which
        weigh several are left out. twins : how many logs are drawn.
    """
    twin = twin_of(logs, target, reward, seed=seed)
    asked = (e for e in estimators if set(e.needs) <= {"q"})
    panel = Panel(tuple({e.name: e for e in (*asked, *usual(twin, reward))}.values()))
    found: dict[tuple[str, Method], list[Interval]] = {}
    for k in range(twins):
        log = twin.draw(stream(seed, "twin", k))
        state = panel.update(panel.init(), log)
        for method in METHODS:
            for e, interval in zip(panel.estimators, panel.intervals(state, method), strict=True):
                found.setdefault((e.name, method), []).append(interval)
        progress(k + 1, twins)
    tried = [_tried(name, method, each, twin.truth) for (name, method), each in found.items()]
    return Advice(
        tuple(sorted(tried, key=lambda t: (t.error, not t.holds))),
        twins, len(twin.target), len(twin.start) - 1, twin.truth,
    )  # fmt: skip


def usual(twin: Twin, reward: Reward) -> tuple[Estimator, ...]:
    """Return the estimators that are always tried, clips at quantiles of the expected weights."""
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(twin.logging > 0.0, twin.target / twin.logging, 0.0)
    order = np.argsort(weight, axis=None)
    mass = np.cumsum(twin.logging.ravel()[order])
    at = np.searchsorted(mass, np.array(CLIPS) * mass[-1])
    clips = sorted({float(f"{c:.2g}") for c in weight.ravel()[order][at] if c > 0.0})
    plain = (IPS, SNIPS, *(clipped_ips(c) for c in clips))
    if reward.name != "amount":
        return plain
    return (*plain, DM, DR, SNDR, *(f(c) for c in clips for f in (clipped_dr, switch_dr)))


def _tried(name: str, method: Method, found: Sequence[Interval], truth: float) -> Trialled:
    value, low, high = (_column(found, part) for part in ("value", "low", "high"))
    there = np.isfinite(value)
    apart = value[there] - truth
    scale = truth if truth > 0.0 else 1.0
    held = coverage(truth, low, high) if len(found) else no_interval("undefined", "", "", 0, "")
    return Trialled(
        estimator=name,
        method=method,
        error=float(np.sqrt(np.mean(apart**2))) / scale if len(apart) else np.inf,
        bias=float(apart.mean()) / scale if len(apart) else np.nan,
        coverage=held,
    )


def _column(found: Sequence[Interval], part: str) -> Floats:
    values = [getattr(interval, part) for interval in found]
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
