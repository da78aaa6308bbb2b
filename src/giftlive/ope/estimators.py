"""An estimator of a target policy's value per decision from another policy's log.

An estimator says what each decision adds to K sums and how the value is made of them
(``forms``). So all share one state (exact sums per user), which chunks and workers merge to the
same bits, and all have the same intervals: the delta method clustered by user, and a bootstrap
over users. The estimators themselves are in ``catalogue``.

Unbiasedness needs true propensities and full overlap: a target that puts mass where the logging
policy never goes has no estimate, and the status says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError, MissingCapabilityError
from giftlive.ope.forms import RATIO, Form
from giftlive.ope.intervals import bootstrap, delta, named, skew_corrected
from giftlive.ope.log import Interactions
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums, merge, no_sums
from giftlive.stats.intervals import Interval, influence_t, no_interval, ratio_difference
from giftlive.types import Floats

MAX_UNSUPPORTED_SHARE = 1e-6
"""Largest share of the target's mass on never-logged candidates that rounding explains."""

_ROWS, _WEIGHT, _UNSUPPORTED, FIXED = range(4)
"""The first columns of every state; the estimator's own begin at ``FIXED``."""

Terms = tuple[Floats, ...]

_HINTS = {
    "q": "fit a value model on other users' rows and pass its predictions as q",
    "marginal_weight": "pass what `category_weight` or `embedding_weight` returns",
    "balanced_weight": "pass what `balanced_weights` returns",
    "logger": "pass the number of the logging policy of every row",
    "mean_propensity": "pass what `mean_propensity` returns",
    "modelled_amount": "fit an amount model on other users' gifts and pass its predictions",
}


def importance(log: Interactions) -> Floats:
    """Return the importance weight of the logged action, [n]."""
    return log.weight


@dataclass(frozen=True)
class Estimator:
    """An estimator: what each decision adds to its sums, and the value they make.

    Attributes
    ----------
    name : as printed.
    terms : maps a log to K columns [n]: what every decision adds.
    form : how the value is made of the K sums; by default their ratio.
    weigh : [n] weights it relies on, None for a model-only estimator, which needs no overlap.
    needs : optional columns of the log it cannot do without.
    by_action : whether the target must lie inside the support of the logging policy, action by
        action; False where overlap of something coarser is enough.
    mean_one : whether the weights average 1 where propensities are true.

    Examples
    --------
    >>> from giftlive.ope.catalogue import IPS
    >>> log = Interactions(
    ...     user=np.array([1, 2]), action=np.array([0, 1]), propensity=np.array([0.5, 0.5]),
    ...     reward=np.array([4.0, 2.0]), target=np.array([[0.75, 0.25], [0.75, 0.25]]))
    >>> IPS.estimate(IPS.update(IPS.init(), log)).value
    3.5
    """

    name: str
    terms: Callable[[Interactions], Terms]
    form: Form = RATIO
    weigh: Callable[[Interactions], Floats] | None = importance
    needs: tuple[str, ...] = ()
    by_action: bool = True
    mean_one: bool = True
    columns: int = 2

    def init(self) -> ClusterSums:
        """Return the state that has seen nothing."""
        return no_sums(FIXED + self.columns)

    def update(self, state: ClusterSums, chunk: Interactions) -> ClusterSums:
        """Return the state after a chunk of the log; chunks may come in any order.

        Raises
        ------
        MissingCapabilityError
            The chunk lacks a column that the estimator needs.
        """
        return merge(state, cluster_sums(chunk.user, np.column_stack(self.rows_of(chunk))))

    def rows_of(self, chunk: Interactions) -> Terms:
        """Return every column of the state for every decision of a chunk."""
        for column in self.needs:
            if getattr(chunk, column) is None:
                raise MissingCapabilityError(
                    f"{self.name} without {column}", f"column {column}", "one", _HINTS[column]
                )
        weight = chunk.ones if self.weigh is None else self.weigh(chunk)
        lost = chunk.lost if self.by_action else chunk.nothing
        return (chunk.ones, weight, lost, *self.terms(chunk))

    def merge(self, a: ClusterSums, b: ClusterSums) -> ClusterSums:
        """Return the state of both logs together, to the bit."""
        return merge(a, b)

    def estimate(self, state: ClusterSums, level: float = 0.95) -> Interval:
        """Estimate the value per decision with an interval clustered by user (delta method).

        Returns
        -------
        Interval
            ``undefined`` without overlap; ``not_enough_data`` when fewer than two users carry
            weight. Width exactly 0 where the estimate is self-normalised and the reward constant.
        """
        sums = state.values
        problem = self.problem(sums)
        if problem is not None:
            return problem
        return named(delta(self.form, sums[:, FIXED:], level), self.name)

    def skew_corrected(self, state: ClusterSums, level: float = 0.95) -> Interval:
        """Estimate the value per decision with the skewness taken out of the interval."""
        sums = state.values
        problem = self.problem(sums)
        if problem is not None:
            return problem
        return named(skew_corrected(self.form, sums[:, FIXED:], level), self.name)

    def bootstrap(
        self, state: ClusterSums, replicates: int = 1000, seed: int = 0, level: float = 0.95
    ) -> Interval:
        """Estimate the value per decision with a percentile interval over resampled users."""
        sums = state.values
        problem = self.problem(sums)
        if problem is not None:
            return problem
        own = sums[:, FIXED:]
        return named(bootstrap(self.form, state.keys, own, replicates, seed, level), self.name)

    def problem(self, sums: Floats) -> Interval | None:
        """Return why there is no estimate from the users' sums, if there is none."""
        users, rows = len(sums), sums[:, _ROWS].sum()
        carrying = users if self.weigh is None else int((sums[:, _WEIGHT] > 0.0).sum())
        if carrying < 2:
            reason = f"{carrying} of {users} users carry weight under the target: need at least 2"
            return no_interval("not_enough_data", reason, self.name, users, "users")
        lost = float(sums[:, _UNSUPPORTED].sum() / rows)
        if self.weigh is not None and lost > MAX_UNSUPPORTED_SHARE:
            reason = f"{lost:.2%} of the target's mass is on candidates the log never shows"
            return no_interval("undefined", reason, self.name, users, "users")
        return None


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
    own = []
    for sums in (a.values, b.values):
        if (problem := estimator.problem(sums)) is not None:
            return problem
        own.append(sums[:, FIXED:])
    if estimator.form == RATIO:
        columns = (own[0][:, 0], own[0][:, 1], own[1][:, 0], own[1][:, 1])
        found = ratio_difference(*columns, level=level, n_unit="users")
    else:
        (value_a, error_a), (value_b, error_b) = (estimator.form.errors(sums) for sums in own)
        method = "ratio_difference"
        found = influence_t(value_a - value_b, error_a - error_b, None, level, "users", method)
    return named(found, estimator.name)
