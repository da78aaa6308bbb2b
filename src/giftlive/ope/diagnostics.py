"""What to look at before believing an off-policy estimate: the weights, and who carries them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError, NotEnoughDataError
from giftlive.ope.audit import AuditFinding, mean_test_of
from giftlive.ope.estimators import importance
from giftlive.ope.forms import SQUARE_UNIT
from giftlive.ope.log import Interactions
from giftlive.ope.verdict import Verdict, judge_weights
from giftlive.ope.weight_sums import (
    CENTRED,
    EARNED,
    LOST,
    POSITIVE,
    ROWS,
    SQUARES,
    WEIGHT,
    WeightSums,
    weight_sums,
)
from giftlive.stats.exceedances import fit_exceedances, tail_size
from giftlive.stats.heavy_tails import hill
from giftlive.stats.intervals import Interval, Status
from giftlive.types import Floats, Ints

_MEAN = "weights_average_one"


@dataclass(frozen=True)
class Diagnostics:
    """Health of the weights of one log under one target policy.

    Attributes
    ----------
    n : decisions. users : distinct users.
    effective_n : (Σ w)² / Σ w², how many equally weighted decisions the log is worth.
    mean_weight : 1 in expectation; max_weight : the largest.
    mean_test : whether the mean weight is what true propensities give.
    weight_tail : Hill index of the weights; below 2 their variance is infinite.
    pareto_k : shape of the generalised Pareto law of the largest weights; above 0.7 no number
        of decisions in reach makes the estimate settle; None where the tail is not heavy.
    unsupported_share : target mass on candidates never logged; None if ``propensities`` absent.
    largest_user_share : |Σ w r| of the largest user over the sum of all |Σ w r|; None if all 0.
    verdict : whether these weights can carry an estimate, and if not, why.
    """

    n: int
    users: int
    effective_n: float
    mean_weight: float
    max_weight: float
    mean_test: AuditFinding
    weight_tail: Interval
    pareto_k: float | None
    unsupported_share: float | None
    largest_user_share: float | None
    verdict: Verdict

    @property
    def status(self) -> Status:
        """Return the verdict's status."""
        return self.verdict.status

    @property
    def reason(self) -> str:
        """Return the verdict's reason, "" when the status is ok."""
        return self.verdict.reason


def diagnose(
    log: Interactions,
    weigh: Callable[[Interactions], Floats] = importance,
    by_action: bool = True,
    mean_one: bool = True,
) -> Diagnostics:
    """Compute the diagnostics of a log.

    Parameters
    ----------
    weigh : the weights to look at, [n] of a log; by default the importance weights.
    by_action : False for weights of something coarser than actions, whose support is not theirs.
    mean_one : False for weights that need not average 1 (replay's): their mean is not tested.

    Raises
    ------
    NotEnoughDataError
        The log has no decision.

    Examples
    --------
    >>> log = Interactions(
    ...     user=np.array([1, 2]), action=np.array([0, 1]), propensity=np.array([0.5, 0.25]),
    ...     reward=np.array([1.0, 1.0]), target=np.array([[1.0, 0.0], [0.5, 0.5]]))
    >>> diagnose(log).effective_n, diagnose(log).largest_user_share
    (2.0, 0.5)
    """
    return diagnostics_of(weight_sums(log, weigh, by_action, mean_one))


def diagnostics_of(state: WeightSums) -> Diagnostics:
    """Compute the diagnostics of a log from its (merged) sums of weights.

    Raises
    ------
    NotEnoughDataError
        The log had no decision.
    """
    users = state.sums.values
    totals = users.sum(axis=0)
    n = round(float(totals[ROWS]))
    if not n:
        raise NotEnoughDataError("no decisions", "diagnose", "at least one decision")
    squares = float(totals[SQUARES]) * SQUARE_UNIT
    effective = float(totals[WEIGHT]) ** 2 / squares if squares > 0.0 else 0.0
    lost = float(totals[LOST]) / n if state.support_seen else None
    mean = AuditFinding(_MEAN, None, None, "these weights need not average 1")
    if state.mean_one:
        mean = mean_test_of(_MEAN, users[:, CENTRED], users[:, ROWS])
    k = tail_size(round(float(totals[POSITIVE])))
    k = min(k, max(len(state.largest) - 1, 0))
    pareto_k = fit_exceedances(state.largest, k).shape
    return Diagnostics(
        n=n,
        users=len(users),
        effective_n=effective,
        mean_weight=float(totals[WEIGHT]) / n,
        max_weight=float(state.largest.max(initial=0.0)),
        mean_test=mean,
        weight_tail=hill(state.largest, k),
        pareto_k=pareto_k,
        unsupported_share=lost,
        largest_user_share=_largest_share(users[:, EARNED]),
        verdict=judge_weights(n, len(users), effective, lost, mean.passed, mean.value, pareto_k),
    )


def effective_n(weight: Floats) -> float:
    """Compute Kish's effective sample size (Σ w)² / Σ w²; 0 when all weights are 0.

    Examples
    --------
    >>> effective_n(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float(weight @ weight)
    return 0.0 if squares == 0.0 else float(weight.sum()) ** 2 / squares


@dataclass(frozen=True)
class Overlap:
    """The weights within one slice of the log (a day, a room, an action).

    Attributes
    ----------
    slice : its id. n : decisions. effective_n : how many equally weighted ones they are worth.
    mean_weight, max_weight : of the slice; the mean is 1 in expectation where the slice does not
        depend on the action, and the ratio of the policies' shares where it does.
    unsupported_share : target mass on candidates never logged; None if ``propensities`` absent.
    """

    slice: int
    n: int
    effective_n: float
    mean_weight: float
    max_weight: float
    unsupported_share: float | None


def overlap_by_slice(log: Interactions, slices: Ints) -> tuple[Overlap, ...]:
    """Look at the weights of every slice of a log, in ascending order of its id.

    Parameters
    ----------
    slices : [n] id of the slice of every decision.

    Examples
    --------
    >>> log = Interactions(
    ...     user=np.array([1, 2]), action=np.array([0, 1]), propensity=np.array([0.5, 0.25]),
    ...     reward=np.array([1.0, 1.0]), target=np.array([[1.0, 0.0], [0.5, 0.5]]))
    >>> [(o.slice, o.max_weight) for o in overlap_by_slice(log, np.array([20, 10]))]
    [(10, 2.0), (20, 2.0)]
    """
    if np.shape(slices) != (len(log),):
        raise InputError(f"shape {np.shape(slices)}", "slices", f"shape ({len(log)},)")
    keys, index, n = np.unique(slices, return_inverse=True, return_counts=True)
    w, lost = log.weight, log.unsupported
    total, squares = (np.bincount(index, x, len(keys)) for x in (w, w * w))
    largest = np.zeros(len(keys))
    np.maximum.at(largest, index, w)
    gone = None if lost is None else np.bincount(index, lost, len(keys)) / n
    return tuple(
        Overlap(
            slice=int(key),
            n=int(n[k]),
            effective_n=float(total[k] ** 2 / squares[k]) if squares[k] > 0.0 else 0.0,
            mean_weight=float(total[k] / n[k]),
            max_weight=float(largest[k]),
            unsupported_share=None if gone is None else float(gone[k]),
        )
        for k, key in enumerate(keys)
    )


def _largest_share(earned: Floats) -> float | None:
    total = float(np.abs(earned).sum())
    return None if total == 0.0 else float(np.abs(earned).max()) / total
