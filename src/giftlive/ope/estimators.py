"""Estimators of a target policy's value per decision from another policy's log.

With w = π(a|x) / p(a|x) the importance weight of the logged action, r the reward, q(x, ·) a
model of it and n decisions::

    IPS      Σ w r / n                         unbiased; variance grows with the weights
    SNIPS    Σ w r / Σ w                       biased by O(1/n), steadier, shift-equivariant
    clipped  Σ min(w, c) r / n                 biased towards 0 where weights exceed c
    DM       Σ Σ_a π(a) q(a) / n               as good as q, blind to its error
    DR       Σ [Σ_a π(a) q(a) + w (r - q(a_logged))] / n   unbiased for any q

Each is a ratio of two sums over users, so all share one state (exact sums per user) and one
interval (the delta method, clustered by user, Student's t). Unbiasedness needs true
propensities and full overlap: a target that puts mass where the logging policy never goes has
no estimate, and the status says so.

References: Horvitz, Thompson (1952); Swaminathan, Joachims (2015), eq. 8 for SNIPS;
Dudík, Langford, Li (2011), eq. 3 for DR.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from giftlive.errors import InputError, MissingCapabilityError
from giftlive.ope.log import Interactions, of_action
from giftlive.stats.bootstrap import percentile_interval, poisson_sums
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums, merge, no_sums
from giftlive.stats.intervals import Interval, no_interval, ratio_delta, ratio_difference
from giftlive.types import Floats

MAX_UNSUPPORTED_SHARE = 1e-6
"""Largest share of the target's mass on never-logged candidates that rounding explains."""

_NUM, _DEN, _ROWS, _WEIGHT, _UNSUPPORTED = range(5)

Terms = tuple[Floats, Floats]


@dataclass(frozen=True)
class Estimator:
    """An estimator: what each decision adds to a numerator and to a denominator.

    Attributes
    ----------
    name : as printed.
    terms : maps a log to the two terms of every decision, [n] each.
    weighted : False for a model-only estimator, which needs no overlap.
    needs_q : True when the log must carry the reward model.

    Examples
    --------
    >>> log = Interactions(
    ...     user=np.array([1, 2]), action=np.array([0, 1]), propensity=np.array([0.5, 0.5]),
    ...     reward=np.array([4.0, 2.0]), target=np.array([[0.75, 0.25], [0.75, 0.25]]))
    >>> IPS.estimate(IPS.update(IPS.init(), log)).value
    3.5
    """

    name: str
    terms: Callable[[Interactions], Terms]
    weighted: bool = True
    needs_q: bool = False

    def init(self) -> ClusterSums:
        """Return the state that has seen nothing."""
        return no_sums(5)

    def update(self, state: ClusterSums, chunk: Interactions) -> ClusterSums:
        """Return the state after a chunk of the log; chunks may come in any order.

        Raises
        ------
        MissingCapabilityError
            The estimator needs a reward model and the chunk has none.
        """
        if self.needs_q and chunk.q is None:
            raise MissingCapabilityError(
                f"{self.name} without a reward model",
                "column q",
                "q(x, a) for every candidate, fitted on other users' rows",
                "fit a value model and pass its predictions as q",
            )
        num, den = self.terms(chunk)
        ones = np.ones(len(chunk))
        unsupported = chunk.unsupported
        lost = np.zeros(len(chunk)) if unsupported is None else unsupported
        terms = np.column_stack([num, den, ones, chunk.weight, lost])
        return merge(state, cluster_sums(chunk.user, terms))

    def merge(self, a: ClusterSums, b: ClusterSums) -> ClusterSums:
        """Return the state of both logs together, to the bit."""
        return merge(a, b)

    def estimate(self, state: ClusterSums, level: float = 0.95) -> Interval:
        """Estimate the value per decision with an interval clustered by user.

        Returns
        -------
        Interval
            ``undefined`` without overlap; ``not_enough_data`` when fewer than two users carry
            weight.
        """
        sums = state.values
        problem = self._problem(sums)
        if problem is not None:
            return problem
        delta = ratio_delta(sums[:, _NUM], sums[:, _DEN], level=level, n_unit="users")
        return replace(delta, method=f"{self.name}, {delta.method}")

    def bootstrap(
        self, state: ClusterSums, replicates: int = 1000, seed: int = 0, level: float = 0.95
    ) -> Interval:
        """Estimate the value per decision with a percentile interval over resampled users."""
        sums = state.values
        problem = self._problem(sums)
        if problem is not None:
            return problem
        draws = poisson_sums(state.keys, sums[:, [_NUM, _DEN]], replicates, seed)
        ratios = np.full(replicates, np.nan)
        np.divide(draws[:, 0], draws[:, 1], out=ratios, where=draws[:, 1] != 0.0)
        value = float(sums[:, _NUM].sum() / sums[:, _DEN].sum())
        method = f"{self.name}, poisson_bootstrap({replicates})"
        return percentile_interval(value, ratios, method, len(sums), "users", level)

    def _problem(self, sums: Floats) -> Interval | None:
        """Return why there is no estimate, if there is none."""
        users, rows = len(sums), sums[:, _ROWS].sum()
        carrying = int((sums[:, _WEIGHT] > 0.0).sum()) if self.weighted else users
        if carrying < 2:
            reason = f"{carrying} of {users} users carry weight under the target: need at least 2"
            return no_interval("not_enough_data", reason, self.name, users, "users")
        lost = float(sums[:, _UNSUPPORTED].sum() / rows)
        if self.weighted and lost > MAX_UNSUPPORTED_SHARE:
            reason = f"{lost:.2%} of the target's mass is on candidates the log never shows"
            return no_interval("undefined", reason, self.name, users, "users")
        return None


def _ips(log: Interactions) -> Terms:
    return log.weight * log.reward, np.ones(len(log))


def _snips(log: Interactions) -> Terms:
    weight = log.weight
    return weight * log.reward, weight


def _dm(log: Interactions) -> Terms:
    return _modelled_value(log), np.ones(len(log))


def _dr(log: Interactions) -> Terms:
    assert log.q is not None  # update refuses a log without it
    residual = log.reward - of_action(log.q, log.action)
    return _modelled_value(log) + log.weight * residual, np.ones(len(log))


def _modelled_value(log: Interactions) -> Floats:
    """Return Σ_a π(a) q(a): the model's answer, marginalised over the target policy."""
    assert log.q is not None  # update refuses a log without it
    return np.einsum("nm,nm->n", log.target, log.q)


def clipped_ips(limit: float) -> Estimator:
    """Return IPS with weights cut at ``limit`` > 0: less variance, biased where they exceed it."""
    if not limit > 0.0:
        raise InputError(f"limit {limit:g}", "clipped_ips", "a number above 0")

    def terms(log: Interactions) -> Terms:
        return np.minimum(log.weight, limit) * log.reward, np.ones(len(log))

    return Estimator(f"clipped_ips({limit:g})", terms)


IPS = Estimator("ips", _ips)
SNIPS = Estimator("snips", _snips)
DM = Estimator("dm", _dm, weighted=False, needs_q=True)
DR = Estimator("dr", _dr, needs_q=True)


def evaluate(
    interactions: Interactions, estimators: Sequence[Estimator] | None = None
) -> dict[str, Interval]:
    """Estimate the target policy's value with several estimators.

    Parameters
    ----------
    interactions : the whole log.
    estimators : default IPS and SNIPS, with DM and DR when the log carries ``q``.

    Returns
    -------
    dict
        Estimator name -> interval, in the order asked for.
    """
    if estimators is None:
        estimators = (IPS, SNIPS) if interactions.q is None else (IPS, SNIPS, DM, DR)
    return {e.name: e.estimate(e.update(e.init(), interactions)) for e in estimators}


def difference(
    estimator: Estimator, a: ClusterSums, b: ClusterSums, level: float = 0.95
) -> Interval:
    """Estimate value(a) - value(b) of two target policies on one log, paired by user.

    Parameters
    ----------
    a, b : states of ``estimator`` over the same log with two targets.

    Raises
    ------
    InputError
        The states were not made from the same users.
    """
    if not np.array_equal(a.keys, b.keys):
        raise InputError(
            f"{len(a.keys)} and {len(b.keys)} users, not the same",
            "difference",
            "two states made from one log",
        )
    sums_a, sums_b = a.values, b.values
    for sums in (sums_a, sums_b):
        if (problem := estimator._problem(sums)) is not None:
            return problem
    columns = (sums_a[:, _NUM], sums_a[:, _DEN], sums_b[:, _NUM], sums_b[:, _DEN])
    delta = ratio_difference(*columns, level=level, n_unit="users")
    return replace(delta, method=f"{estimator.name}, {delta.method}")
