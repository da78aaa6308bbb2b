"""Several estimators over one log at once: arrays in, judged estimates out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from giftlive.errors import InputError
from giftlive.ope.bounded import Bounds, bounded_ratio
from giftlive.ope.catalogue import DM, DR, IPS, SNIPS
from giftlive.ope.diagnostics import diagnose
from giftlive.ope.estimators import FIXED, Estimator
from giftlive.ope.intervals import from_draws, named
from giftlive.ope.log import Interactions
from giftlive.ope.printing import Printing
from giftlive.ope.verdict import OK, Verdict
from giftlive.stats.bootstrap import poisson_sums
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums, merge, no_sums
from giftlive.stats.intervals import Interval, no_interval
from giftlive.types import Floats, Ints

Method = Literal["ratio_delta", "skew_t", "poisson_bootstrap", "empirical_bernstein", "betting"]


@dataclass(frozen=True)
class Estimate:
    """One estimator's answer.

    Attributes
    ----------
    estimator : its name.
    computed : the interval as computed, whatever the verdict: for comparisons and tests.
    verdict : whether the weights the estimator relies on can carry an estimate.
    interval : what may be reported: without a value where the verdict refuses, without bounds
        where the print rule withholds them.
    """

    estimator: str
    computed: Interval
    verdict: Verdict
    interval: Interval


@dataclass(frozen=True)
class Panel:
    """Estimators that see a log together: one mergeable state, one pass, one bootstrap.

    Columns that several estimators share (the number of rows, the weights) are kept once.

    Examples
    --------
    >>> panel = Panel((IPS, SNIPS))
    >>> panel.layout  # rows, weight, lost, w r: SNIPS shares all of its columns
    ((0, 1, 2, 3, 0), (0, 1, 2, 4, 1))
    """

    estimators: tuple[Estimator, ...]

    @cached_property
    def layout(self) -> tuple[tuple[int, ...], ...]:
        """Return, for every estimator, where its columns are in the state."""
        return _layout(self.estimators, _probe())

    def init(self) -> ClusterSums:
        """Return the state that has seen nothing."""
        return no_sums(1 + max(i for columns in self.layout for i in columns))

    def update(self, state: ClusterSums, chunk: Interactions) -> ClusterSums:
        """Return the state after a chunk of the log; chunks may come in any order."""
        columns: dict[int, Floats] = {}
        for places, estimator in zip(self.layout, self.estimators, strict=True):
            for place, column in zip(places, estimator.rows_of(chunk), strict=True):
                if columns.setdefault(place, column) is not column:
                    raise InputError(
                        f"terms of {estimator.name} that share a column in one log, not in another",
                        "Panel",
                        "terms that build their columns the same way for every log",
                    )
        stacked = np.column_stack([columns[place] for place in range(len(columns))])
        return merge(state, cluster_sums(chunk.user, stacked))

    def merge(self, a: ClusterSums, b: ClusterSums) -> ClusterSums:
        """Return the state of both logs together, to the bit."""
        return merge(a, b)

    def state_of(self, state: ClusterSums, estimator: int) -> ClusterSums:
        """Return the state that the estimator (by number) would have on its own."""
        columns = list(self.layout[estimator])
        return ClusterSums(state.keys, state.whole[:, columns], state.part[:, columns])

    def intervals(
        self,
        state: ClusterSums,
        method: Method = "ratio_delta",
        level: float = 0.95,
        replicates: int = 1000,
        seed: int = 0,
        bounds: Bounds | None = None,
        threads: int = 1,
    ) -> tuple[Interval, ...]:
        """Return every estimator's interval by one method, in the panel's order."""
        if method == "poisson_bootstrap":
            return self._bootstrapped(state, level, replicates, seed, threads)
        states = [self.state_of(state, k) for k in range(len(self.estimators))]
        pairs = list(zip(self.estimators, states, strict=True))
        if method == "ratio_delta":
            return tuple(e.estimate(s, level) for e, s in pairs)
        if method == "skew_t":
            return tuple(e.skew_corrected(s, level) for e, s in pairs)
        if bounds is None:
            raise InputError(
                "no bounds", method, "the largest weight, reward and rows per user, known before"
            )
        return tuple(bounded_ratio(e, s, bounds, method, level) for e, s in pairs)

    def _bootstrapped(
        self, state: ClusterSums, level: float, replicates: int, seed: int, threads: int
    ) -> tuple[Interval, ...]:
        used = sorted({i for columns in self.layout for i in columns[FIXED:]})
        place = {column: at for at, column in enumerate(used)}
        sums = state.values
        draws = poisson_sums(state.keys, sums[:, used], replicates, seed, threads)
        found = []
        for estimator, columns in zip(self.estimators, self.layout, strict=True):
            problem = estimator.problem(sums[:, list(columns)])
            if problem is None:
                own = list(columns[FIXED:])
                mine = draws[:, [place[c] for c in own]]
                problem = from_draws(estimator.form, sums[:, own], mine, level)
                problem = named(problem, estimator.name)
            found.append(problem)
        return tuple(found)


def estimate(
    reward: Floats,
    propensity: Floats | None,
    target_probability: Floats,
    action: Ints,
    q_hat: Floats | None = None,
    cluster: Ints | None = None,
    estimators: Sequence[Estimator] = (),
    *,
    propensities: Floats | None = None,
    marginal_weight: Floats | None = None,
    balanced_weight: Floats | None = None,
    logger: Ints | None = None,
    mean_propensity: Floats | None = None,
    modelled_amount: Floats | None = None,
    method: Method = "ratio_delta",
    level: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
    bounds: Bounds | None = None,
    printing: Printing | None = None,
    threads: int = 1,
) -> tuple[Estimate, ...]:
    """Estimate what a target policy would have earned per decision, from another policy's log.

    Parameters
    ----------
    reward : [n] finite, matured. propensity : [n] in (0, 1] of the logged action.
    target_probability : [n, m] target policy, rows sum to 1. action : [n] logged column.
    q_hat : [n, m] modelled reward, cross-fitted. cluster : [n] user of every decision; None:
        each decision its own.
    estimators : default IPS and SNIPS, with DM and DR when there is a ``q_hat``.
    propensities, ..., modelled_amount : optional columns, see :class:`Interactions`.
    method : of the interval. replicates, seed, threads : of the bootstrap. bounds : for the
        intervals that need a known range. printing : the print rule; None: nothing is withheld.

    Returns
    -------
    tuple of Estimate
        In the order of ``estimators``. An empty log, one user, or a target outside the support
        give a status and a reason instead of a number.

    Raises
    ------
    MissingCapabilityError
        Without propensities, or without a column that an estimator needs.
    InputError
        A value is out of range; the message names the row (counted from 0).

    Examples
    --------
    >>> n = 400
    >>> found = estimate(np.arange(n) % 2 * 1.0, np.full(n, 0.5), np.full((n, 2), 0.5),
    ...                  np.arange(n) % 2)
    >>> [(e.estimator, e.interval.value) for e in found]
    [('ips', 0.5), ('snips', 0.5)]
    """
    user = np.arange(len(reward)) if cluster is None else cluster
    log = Interactions(
        user=user,
        action=action,
        propensity=propensity,
        reward=np.asarray(reward, dtype=np.float64),
        target=target_probability,
        q=q_hat,
        propensities=propensities,
        marginal_weight=marginal_weight,
        balanced_weight=balanced_weight,
        logger=logger,
        mean_propensity=mean_propensity,
        modelled_amount=modelled_amount,
    )
    panel = Panel(tuple(estimators) or default_estimators(log))
    state = panel.update(panel.init(), log)
    computed = panel.intervals(state, method, level, replicates, seed, bounds, threads)
    verdicts = _verdicts(panel.estimators, log)
    return tuple(
        judged(e, found, verdict, panel.state_of(state, k), printing)
        for k, (e, found, verdict) in enumerate(
            zip(panel.estimators, computed, verdicts, strict=True)
        )
    )


def default_estimators(log: Interactions) -> tuple[Estimator, ...]:
    """Return IPS and SNIPS, with DM and DR when the log carries ``q``."""
    return (IPS, SNIPS) if log.q is None else (IPS, SNIPS, DM, DR)


def evaluate(
    interactions: Interactions, estimators: Sequence[Estimator] | None = None
) -> dict[str, Interval]:
    """Estimate a target policy's value without a verdict: estimator name -> interval."""
    panel = Panel(tuple(estimators or default_estimators(interactions)))
    found = panel.intervals(panel.update(panel.init(), interactions))
    return {e.name: interval for e, interval in zip(panel.estimators, found, strict=True)}


def _verdicts(estimators: Sequence[Estimator], log: Interactions) -> list[Verdict]:
    """Judge the weights of every estimator; equal weights are looked at once."""
    known: dict[int, Verdict] = {}
    found = []
    for e in estimators:
        if e.weigh is None:
            found.append(OK)
            continue
        if not len(log):
            found.append(Verdict("not_enough_data", "no decisions", "users"))
            continue
        key = id(e.weigh)
        if key not in known:
            known[key] = diagnose(log, e.weigh, e.by_action, e.mean_one).verdict
        found.append(known[key])
    return found


def judged(
    estimator: Estimator,
    computed: Interval,
    verdict: Verdict,
    state: ClusterSums,
    printing: Printing | None,
) -> Estimate:
    """Return an estimate as it may be reported, from its interval, verdict and users' sums."""
    reported = computed
    if computed.status == "ok" and verdict.status != "ok":
        name, n = computed.method, computed.n
        reported = no_interval(verdict.status, verdict.reason, name, n, computed.n_unit)
    if printing is not None:
        reported = printing.of(reported, state.values)
    return Estimate(estimator.name, computed, verdict, reported)


def _layout(estimators: Sequence[Estimator], log: Interactions) -> tuple[tuple[int, ...], ...]:
    """Return which place in the state every column of every estimator has."""
    kept: list[Floats] = []  # so that no other array takes an id
    place: dict[int, int] = {}
    layout = []
    for estimator in estimators:
        columns = estimator.rows_of(log)
        kept.extend(columns)
        layout.append(tuple(place.setdefault(id(c), len(place)) for c in columns))
    return tuple(layout)


def _probe() -> Interactions:
    """Return a log of one row with every optional column, to see which columns are shared."""
    one, zero = np.ones(1), np.zeros(1, dtype=np.int64)
    log = Interactions(zero, zero, one, one, np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)))
    return replace(
        log,
        marginal_weight=one.copy(),
        balanced_weight=one.copy(),
        logger=zero,
        mean_propensity=one.copy(),
        modelled_amount=one.copy(),
    )
