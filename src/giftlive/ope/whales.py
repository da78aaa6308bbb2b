"""How much of an estimate a few users make, and whether estimates contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError, NotEnoughDataError
from giftlive.ope.audit import AuditFinding
from giftlive.ope.estimators import FIXED, Estimator
from giftlive.stats.cluster_sums import ClusterSums
from giftlive.stats.intervals import Interval


@dataclass(frozen=True)
class WhaleInfluence:
    """What an estimate becomes without its most influential users.

    Attributes
    ----------
    value : with all users. user : the one whose absence moves it most.
    without_one : the estimate without that user. lowest, highest : over all absences of one.
    without_top : k -> the estimate without the k users that raise it most; nan where nothing
        is left.
    """

    value: float
    user: int
    without_one: float
    lowest: float
    highest: float
    without_top: dict[int, float]


def whale_influence(
    estimator: Estimator, state: ClusterSums, top: Sequence[int] = (1, 5, 20)
) -> WhaleInfluence:
    """Estimate again without each user, and without the ``top`` users that raise it most.

    All absences of one user take one pass: the totals less that user's sums.

    Raises
    ------
    NotEnoughDataError
        The estimator has no estimate from this state.

    Examples
    --------
    >>> from giftlive.ope.catalogue import IPS
    >>> from giftlive.ope.log import Interactions
    >>> log = Interactions(
    ...     user=np.array([1, 2, 3]), action=np.zeros(3, dtype=np.int64),
    ...     propensity=np.ones(3), reward=np.array([0.0, 9.0, 3.0]), target=np.ones((3, 1)))
    >>> found = whale_influence(IPS, IPS.update(IPS.init(), log), top=(1, 2))
    >>> found.value, found.user, found.without_one, found.without_top
    (4.0, 2, 1.5, {1: 1.5, 2: 0.0})
    """
    if any(k < 1 for k in top):
        raise InputError(f"top {min(top)}", "whale_influence", "at least 1 user")
    sums = state.values
    problem = estimator.problem(sums)
    if problem is not None:
        raise NotEnoughDataError(problem.reason, "whale_influence", "an estimate")
    own = sums[:, FIXED:]
    totals = own.sum(axis=0)
    value = float(estimator.form.value(totals))
    without = estimator.form.value(totals - own)
    moved = np.where(np.isnan(without), np.inf, np.abs(without - value))
    most = int(np.argmax(moved))
    order = np.argsort(-estimator.form.errors(own)[1], kind="stable")
    rest = {k: float(estimator.form.value(own[order[k:]].sum(axis=0))) for k in top}
    return WhaleInfluence(
        value=value,
        user=int(state.keys[most]),
        without_one=float(without[most]),
        lowest=float(np.nanmin(without)),
        highest=float(np.nanmax(without)),
        without_top=rest,
    )


def crossed_intervals(intervals: dict[str, Interval]) -> AuditFinding:
    """Check that intervals of estimators of one value do not exclude each other.

    Two disjoint intervals cannot both hold the truth: a model, a propensity or a cut is wrong,
    or an interval is too narrow. Estimators that are biased on purpose (cut weights, a model
    alone) will show up here where their bias exceeds the noise.

    Parameters
    ----------
    intervals : estimator -> interval; those without bounds say nothing.

    Examples
    --------
    >>> a, b = (Interval(x, x - 1, x + 1, "", 9, "users") for x in (0.0, 5.0))
    >>> crossed_intervals({"ips": a, "dm": b}).detail
    'ips ends at 1, before dm begins at 4'
    """
    known = [
        (name, i.low, i.high)
        for name, i in intervals.items()
        if i.low is not None and i.high is not None
    ]
    if len(known) < 2:
        return AuditFinding("intervals_meet", None, None, "fewer than two intervals to compare")
    first = min(known, key=lambda one: one[2])
    last = max(known, key=lambda one: one[1])
    gap = last[1] - first[2]
    if gap > 0.0:
        detail = f"{first[0]} ends at {first[2]:g}, before {last[0]} begins at {last[1]:g}"
        return AuditFinding("intervals_meet", False, gap, detail)
    return AuditFinding("intervals_meet", True, gap, "every two intervals share a value")
