"""Several policies on the same evenings, beside the bound that none of them can pass.

Every evening (seed) gives all policies the same visitors, the same candidates and the same
draws. The certificate of that evening is computed from the *true* values, so the share

    Σ_evenings expected revenue / Σ_evenings D

says how much of what was possible a policy took, and cannot exceed 1 in expectation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from giftlive.allocation import Prices, Problem, certificate
from giftlive.evaluation.evening import Evening
from giftlive.evaluation.rollout import Rollout, Valuer, play, summarise
from giftlive.policies.registry import make_policy
from giftlive.rng import derive
from giftlive.stats.intervals import Interval, paired_t, ratio_delta, student_t
from giftlive.types import Floats, Progress, silent

LINEUP = (
    ("uniform", "uniform", "estimated"),
    ("greedy", "greedy", "estimated"),
    ("greedy_with_cap", "greedy_with_cap", "estimated"),
    ("dual_price", "dual_price", "estimated"),
    ("oracle_greedy_with_cap", "greedy_with_cap", "true"),
    ("oracle_dual_price", "dual_price", "true"),
)
"""Name in the report, policy, and whose values it sees; only ``oracle_*`` see the truth."""


REPLAYED = 3
"""On how many evenings a policy is played twice to prove that nothing else moves."""

AGAIN = "uniform"
"""The policy played twice: one that draws, or a generator carried over would go unseen."""


@dataclass(frozen=True)
class Night:
    """One seed: what every policy did, and the certificate of that evening.

    Attributes
    ----------
    bound : D on true values. gap : of the bound to a feasible fluid, as a share.
    tie : whether a policy played twice gave identical outcomes to the bit; None: not replayed.
    optimism : Σ estimated / Σ true value of what greedy would pick for every arrival: above 1 by
    the winner's curse even where estimates are right on average.
    """

    seed: int
    rollouts: dict[str, Rollout]
    bound: float
    gap: float
    overflow_share: float
    price_share: float
    tie: bool | None
    optimism: float


@dataclass(frozen=True)
class Contest:
    """All evenings, in the order of their seeds."""

    nights: tuple[Night, ...]

    def revenue(self, policy: str) -> Floats:
        """Return [evenings] the expected revenue of ``policy``."""
        return np.array([night.rollouts[policy].expected_revenue for night in self.nights])

    def bounds(self) -> Floats:
        """Return [evenings] the certificate D."""
        return np.array([night.bound for night in self.nights])

    def share_of_bound(self, policy: str) -> Interval:
        """Estimate Σ expected revenue / Σ D over evenings."""
        return ratio_delta(self.revenue(policy), self.bounds(), n_unit="evenings")

    def gain(self, policy: str, reference: str) -> Interval:
        """Estimate the mean difference in expected revenue per evening, paired by seed."""
        return paired_t(self.revenue(policy), self.revenue(reference), n_unit="evenings")

    def relative_gain(self, policy: str, reference: str) -> Interval:
        """Estimate Σ difference / Σ reference, paired by seed."""
        base = self.revenue(reference)
        return ratio_delta(self.revenue(policy) - base, base, n_unit="evenings")

    def mean(self, policy: str, quantity: str) -> Interval:
        """Estimate the mean over evenings of a number of the rollout."""
        values = np.array([float(getattr(n.rollouts[policy], quantity)) for n in self.nights])
        return student_t(values, n_unit="evenings")


def run_contest(
    evening: Evening, seeds: int, seed: int, jobs: int = 1, progress: Progress = silent
) -> Contest:
    """Play the line-up on ``seeds`` evenings.

    Parameters
    ----------
    seed : names the whole contest; evening k uses the seed derived from (seed, k).
    """
    names = [derive(seed, "evening", k) for k in range(seeds)]
    calls = (
        delayed(play_night)(evening, name, replay=k < REPLAYED) for k, name in enumerate(names)
    )
    nights: list[Night] = []
    for night in Parallel(n_jobs=jobs, return_as="generator")(calls):
        nights.append(night)
        progress(len(nights), seeds)
    return Contest(tuple(nights))


def play_night(evening: Evening, seed: int, replay: bool = True) -> Night:
    """Play every policy of the line-up on one evening and certify it.

    ``replay`` plays one policy a second time, which must change nothing.
    """
    arrivals = evening.arrivals(seed)
    problem = evening.true_problem(arrivals)
    bound = certificate(problem, passes=60, tolerance=0.005)
    valuers = {
        "true": (evening.true_valuer(problem, arrivals), evening.true_prices),
        "estimated": (evening.estimated_valuer, evening.prices),
    }
    rollouts = {
        name: _play(evening, name, policy, *valuers[whose], seed) for name, policy, whose in LINEUP
    }
    tie = None
    if replay:
        again = _play(evening, AGAIN, AGAIN, *valuers["estimated"], seed)
        tie = _identical(again, rollouts[AGAIN])
    return Night(
        seed=seed,
        rollouts=rollouts,
        bound=bound.bound,
        gap=bound.gap,
        overflow_share=bound.overflow_share,
        price_share=bound.price_share,
        tie=tie,
        optimism=_optimism(evening.estimated_valuer(arrivals)[0], problem),
    )


def _optimism(estimated: Floats, problem: Problem) -> float:
    there = problem.rooms >= 0
    pick = np.where(there, estimated, -np.inf).argmax(axis=1)[:, None]
    promised = np.take_along_axis(estimated, pick, axis=1).sum()
    return float(promised / max(np.take_along_axis(problem.values, pick, axis=1).sum(), 1e-12))


def _play(
    evening: Evening, name: str, policy: str, valuer: Valuer, prices: Prices, seed: int
) -> Rollout:
    made = make_policy(policy, **({"prices": prices} if policy == "dual_price" else {}))
    outcome, displaced = play(evening.arena(seed), made, valuer, evening.seats, seed)
    return summarise(name, seed, outcome, displaced)


def _identical(one: Rollout, other: Rollout) -> bool:
    arrays: Sequence[tuple[Floats, Floats]] = (
        (one.income, other.income),
        (one.exposure, other.exposure),
    )
    return one.expected_revenue == other.expected_revenue and all(
        np.array_equal(a, b) for a, b in arrays
    )
