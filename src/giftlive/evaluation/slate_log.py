"""A target policy judged from logs of slates on disk, batch by batch, whole slates at a time.

A target by name fills a slate as the log did: place by place, asked again without the rooms above.
Its probability of the logged slate is the product of those of its places, and a row's prefix is the
product up to it. A single choice is a slate of one place. IIPS weighs the room in its place,
whatever stands above: the log holds that of its own policy, ``slate_marginals`` finds the target's.

The verdict on IIPS looks at the weights of items, of all places together; that on the others at the
weights of whole slates, which are also the diagnostics shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from giftlive.errors import ConfigError, NotEnoughDataError
from giftlive.evaluation.decision_logs import DecisionLogs
from giftlive.evaluation.off_policy_log import LogEvaluation, Reward, require_matured
from giftlive.evaluation.slate_marginals import target_marginals
from giftlive.evaluation.target_policies import TargetPolicy
from giftlive.logs.decisions import DecisionLog
from giftlive.logs.decisions.record import known
from giftlive.ope import Estimate, Interactions, diagnostics_of
from giftlive.ope.estimation import Method
from giftlive.ope.slates import IIPS, RIPS, SIPS, SlateEstimator, Slates, self_normalised
from giftlive.ope.verdict import Verdict
from giftlive.ope.weight_sums import ROWS, WEIGHT, WeightSums, weight_sums
from giftlive.stats.cluster_sums import ClusterSums
from giftlive.stats.intervals import Interval, no_interval
from giftlive.types import Bools, Floats, Ints, Progress

PLAIN = {"sips": SIPS, "rips": RIPS, "iips": IIPS}
SLATE: Literal["slate"] = "slate"
ITEM: Literal["item"] = "item"
NAMES = (*PLAIN, *(f"sn{name}" for name in PLAIN))
"""Estimators of slates by name: whole slates, prefixes or items, plain or self-normalised."""


@dataclass(frozen=True)
class SlateEvaluator:
    """How logs of slates are to be read and judged.

    Attributes
    ----------
    target : the policy to judge. names : of ``NAMES``. reward : per slate, the sum of its places.
    method : ``ratio_delta``, ``skew_t`` or ``poisson_bootstrap``.
    """

    target: TargetPolicy
    names: tuple[str, ...] = ("sips", "rips", "snrips")
    reward: Reward = field(default_factory=Reward)
    method: Method = "ratio_delta"

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in NAMES:
                near = difflib.get_close_matches(name, NAMES, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "the log holds slates"
                expected = f"of slates one of {', '.join(NAMES)}"
                raise ConfigError(f"{name!r}", "estimators", expected, hint)

    def evaluate(self, logs: DecisionLogs, listener: Progress | None = None) -> LogEvaluation:
        """Judge the target from logs of slates.

        Raises
        ------
        NotEnoughDataError
            There is no slate, or a reward has not matured.
        """
        places = max(_places(file.path) for file in logs.files)
        estimators = tuple(_estimator(name, places) for name in self.names)
        states = [e.init() for e in estimators]
        weights: dict[str, WeightSums] = {}
        done = count = 0
        for chunk, rows in self._chunks(logs):
            states = [e.update(s, chunk) for e, s in zip(estimators, states, strict=True)]
            for kind, mine in self._weights(chunk):
                weights[kind] = weights[kind].merge(mine) if kind in weights else mine
            done, count = done + rows, count + int((chunk.position == 0).sum())
            if listener is not None:
                listener(done, logs.rows)
        if not weights:
            raise NotEnoughDataError("no slates", str(logs.files[0].path), "at least one slate")
        diagnosed = {kind: diagnostics_of(sums) for kind, sums in weights.items()}
        found = diagnosed[SLATE]
        return LogEvaluation(
            logging=logs.name,
            target=self.target.name,
            reward=self.reward,
            decisions=count,
            users=found.users,
            estimates=tuple(
                self._judged(e, s, weights[_kind(e)], diagnosed[_kind(e)].verdict)
                for e, s in zip(estimators, states, strict=True)
            ),
            diagnostics=found,
            audit=(found.mean_test,),
            largest_weights=weights[SLATE].largest,
        )

    def _chunks(self, logs: DecisionLogs) -> Iterator[tuple[Slates, int]]:
        for number, file in enumerate(logs.files):
            first = 0
            for log in file.batches():
                require_matured(log, first, str(file.path))
                earned = self.reward.of(log.reward)
                start = logs.offsets[number] + first
                yield slates_of(log, self.target, start, earned, self._items), len(log)
                first += len(log)

    @property
    def _items(self) -> bool:
        return any(name.endswith(IIPS.name) for name in self.names)

    def _weights(self, chunk: Slates) -> Iterator[tuple[str, WeightSums]]:
        """Yield what the verdicts need: of whole slates, and of items where one is asked for."""
        yield SLATE, _sums(chunk, SLATE, chunk.position == 0)
        if self._items:
            yield ITEM, _sums(chunk, ITEM, chunk.position >= 0)

    def _judged(
        self,
        estimator: SlateEstimator,
        state: ClusterSums,
        weights: WeightSums,
        verdict: Verdict,
    ) -> Estimate:
        computed = self._interval(estimator, state)
        users = weights.sums.values[:, [ROWS, WEIGHT]]
        reported = computed
        if computed.status == "ok" and verdict.status != "ok":
            name, n = computed.method, computed.n
            reported = no_interval(verdict.status, verdict.reason, name, n, computed.n_unit)
        reported = self.reward.printing.of(reported, users)
        return Estimate(estimator.name, computed, verdict, reported)

    def _interval(self, estimator: SlateEstimator, state: ClusterSums) -> Interval:
        if self.method == "poisson_bootstrap":
            return estimator.bootstrap(state)
        if self.method == "skew_t":
            return estimator.skew_corrected(state)
        return estimator.estimate(state)


def slates_of(
    log: DecisionLog, target: TargetPolicy, first: int, reward: Floats, items: bool = False
) -> Slates:
    """Return a stretch of whole slates with both policies' probabilities.

    Parameters
    ----------
    first : rows before it. reward : [n] of every place. items : whether marginals of the items
        are wanted; the target's may take many askings.
    """
    position = np.where(log.position < 0, 0, log.position)
    slate = np.cumsum(position == 0) - 1  # rows of a slate stand together, from place 0 on
    asked = target.probabilities(_remaining(log, position), first)
    nothing = (asked.sum(axis=1) == 0.0).astype(np.float64)
    theirs = np.where(log.shown, log.of_action(asked), nothing)
    single = ~known(log.slate_id)
    conditional = np.where(single, log.propensity, log.conditional_propensity)
    ours = np.where(log.shown, conditional, 1.0)
    start = np.flatnonzero(position == 0)
    marginal: dict[str, Floats] = {}
    if items:
        asked = target_marginals(log, position, target, first)
        marginal["item_target"] = np.where(log.shown, asked, nothing)
        marginal["item_logging"] = np.where(single, ours, log.marginal_propensity)
    both = [(_prefix(p, position), np.multiply.reduceat(p, start)[slate]) for p in (ours, theirs)]
    return Slates(
        user=log.user_id,
        slate=slate,
        position=position,
        reward=reward,
        prefix_logging=both[0][0],
        slate_logging=both[0][1],
        prefix_target=np.minimum(both[1][0], 1.0),
        slate_target=np.minimum(both[1][1], 1.0),
        **marginal,
    )


def _remaining(log: DecisionLog, position: Ints) -> DecisionLog:
    """Return the log without the rooms that stand above a row in its slate."""
    open_rooms = log.candidates.copy()
    for back in range(1, int(position.max(initial=0)) + 1):
        above = np.roll(log.action, back)
        used = (position >= back)[:, None] & (log.candidates == above[:, None])
        open_rooms[used] = -1
    return replace(log, candidates=open_rooms)


def _prefix(conditional: Floats, position: Ints) -> Floats:
    """Return [n] the product of a slate's factors up to and including each row."""
    found = conditional.copy()
    for place in range(1, int(position.max(initial=0)) + 1):
        here = np.flatnonzero(position == place)
        found[here] *= found[here - 1]
    return found


def _sums(chunk: Slates, kind: Literal["slate", "item"], rows: Bools) -> WeightSums:
    """Return what the verdict needs of one kind of weights, of the ``rows`` that have one each."""
    weight, n = chunk.weight(kind)[rows], int(rows.sum())
    sure = np.ones((n, 1))
    log = Interactions(
        chunk.user[rows], np.zeros(n, dtype=np.int64), np.ones(n), np.zeros(n), sure,
        propensities=sure,
    )  # fmt: skip
    return weight_sums(log, lambda _: weight)


def _kind(estimator: SlateEstimator) -> str:
    return ITEM if estimator.scope == ITEM else SLATE


def _estimator(name: str, places: int) -> SlateEstimator:
    return PLAIN[name] if name in PLAIN else self_normalised(PLAIN[name.removeprefix("sn")], places)


def _places(path: object) -> int:
    """Return the largest number of places of a slate in a file."""
    with pq.ParquetFile(path) as file:
        tops = [pc.max(b.column(0)).as_py() for b in file.iter_batches(columns=["position"])]
    return 1 + max((top for top in tops if top is not None), default=0)
