"""Estimates with their verdicts, chunk by chunk: what ``estimate`` does, as a mergeable state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from giftlive.ope.bounded import Bounds
from giftlive.ope.diagnostics import Diagnostics, diagnostics_of
from giftlive.ope.estimation import Estimate, Method, Panel, judged
from giftlive.ope.estimators import Estimator, importance
from giftlive.ope.log import Interactions
from giftlive.ope.printing import Printing
from giftlive.ope.verdict import OK, Verdict
from giftlive.ope.weight_sums import WeightSums, weight_sums
from giftlive.stats.cluster_sums import ClusterSums

NO_DECISIONS = Verdict("not_enough_data", "no decisions", "users")


@dataclass(frozen=True, eq=False)
class JudgedState:
    """A state of :class:`JudgedPanel`.

    Attributes
    ----------
    sums : of the estimators. weights : for every kind of weights, what its verdict needs.
    """

    sums: ClusterSums
    weights: tuple[WeightSums, ...]

    @property
    def rows(self) -> int:
        """Number of decisions seen."""
        return round(float(self.sums.values[:, 0].sum()))

    @property
    def users(self) -> int:
        """Number of distinct users seen."""
        return len(self.sums.keys)


@dataclass(frozen=True)
class JudgedPanel:
    """A panel of estimators that also keeps what the verdicts on their weights need.

    The importance weights are looked at whether an estimator relies on them or not.

    Examples
    --------
    >>> from giftlive.ope.catalogue import IPS
    >>> panel = JudgedPanel((IPS,))
    >>> log = Interactions(np.arange(400), np.arange(400) % 2, np.full(400, 0.5),
    ...                    np.arange(400) % 2 * 1.0, np.full((400, 2), 0.5))
    >>> state = panel.update(panel.init(), log)
    >>> [(e.estimator, e.interval.value, e.verdict.status) for e in panel.estimates(state)]
    [('ips', 0.5, 'ok')]
    """

    estimators: tuple[Estimator, ...]

    @cached_property
    def panel(self) -> Panel:
        """Return the estimators without verdicts."""
        return Panel(self.estimators)

    @cached_property
    def kinds(self) -> tuple[Estimator, ...]:
        """Return one estimator for every kind of weights, the importance weights first."""
        plain = Estimator("importance weights", terms=lambda log: (log.weight, log.ones))
        found = {_kind(plain): plain}
        for estimator in self.estimators:
            if estimator.weigh is not None:
                found.setdefault(_kind(estimator), estimator)
        return tuple(found.values())

    def init(self) -> JudgedState:
        """Return the state that has seen nothing."""
        none, no_id, wide = np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros((0, 1))
        empty = Interactions(no_id, no_id, none, none, wide, propensities=wide)
        nothing = weight_sums(empty)
        weights = tuple(
            WeightSums(nothing.sums, nothing.largest, kind.by_action, kind.mean_one)
            for kind in self.kinds
        )
        return JudgedState(self.panel.init(), weights)

    def update(self, state: JudgedState, chunk: Interactions) -> JudgedState:
        """Return the state after a chunk of the log; chunks may come in any order."""
        weights = []
        for before, kind in zip(state.weights, self.kinds, strict=True):
            assert kind.weigh is not None
            seen = weight_sums(chunk, kind.weigh, kind.by_action, kind.mean_one)
            weights.append(before.merge(seen))
        return JudgedState(self.panel.update(state.sums, chunk), tuple(weights))

    def merge(self, a: JudgedState, b: JudgedState) -> JudgedState:
        """Return the state of both logs together, to the bit."""
        weights = tuple(x.merge(y) for x, y in zip(a.weights, b.weights, strict=True))
        return JudgedState(self.panel.merge(a.sums, b.sums), weights)

    def diagnostics(self, state: JudgedState) -> Diagnostics:
        """Compute the diagnostics of the importance weights.

        Raises
        ------
        NotEnoughDataError
            The state has seen no decision.
        """
        return diagnostics_of(state.weights[0])

    def estimates(
        self,
        state: JudgedState,
        method: Method = "ratio_delta",
        level: float = 0.95,
        replicates: int = 1000,
        seed: int = 0,
        bounds: Bounds | None = None,
        printing: Printing | None = None,
        threads: int = 1,
    ) -> tuple[Estimate, ...]:
        """Return every estimator's judged estimate, as :func:`giftlive.ope.estimate` does."""
        computed = self.panel.intervals(
            state.sums, method, level, replicates, seed, bounds, threads
        )
        verdicts = {
            _kind(kind): diagnostics_of(weights).verdict if state.rows else NO_DECISIONS
            for kind, weights in zip(self.kinds, state.weights, strict=True)
        }
        return tuple(
            judged(
                e,
                found,
                OK if e.weigh is None else verdicts[_kind(e)],
                self.panel.state_of(state.sums, k),
                printing,
            )
            for k, (e, found) in enumerate(zip(self.estimators, computed, strict=True))
        )


def _kind(estimator: Estimator) -> tuple[object, bool, bool]:
    """Return what tells the weights of two estimators apart."""
    weigh = importance if estimator.weigh is None else estimator.weigh
    return weigh, estimator.by_action, estimator.mean_one
