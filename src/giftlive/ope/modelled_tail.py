"""What a capped reward leaves out, modelled: how often the cap is passed, and by how much.

For a cap c and reward r, with importance weights w::

    E_π[(r - c)+]  ~  (Σ w 1[r > c] / Σ w) · m,    m = σ / (1 - ξ)

The first factor is estimated like any count. The second is the mean of a generalised Pareto law
fitted to the excesses r - c of the log, unweighted: *how far* a gift passes the cap is taken not to
depend on the policy, only *how often* one does. ξ is the shape; from 1 on the mean is infinite and
there is no number. Where the excesses are no more spread than exponential ones, m is their mean.
It is a model, so it stands apart from the capped value and has no interval.

Reference: Coles (2001), "An Introduction to Statistical Modeling of Extreme Values", section 4.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums, merge, no_sums
from giftlive.stats.exceedances import fit_exceedances
from giftlive.stats.intervals import Status
from giftlive.types import Floats

FEWEST = 30
"""Rewards above the cap below which no law is fitted."""


@dataclass(frozen=True, eq=False)
class TailSums:
    """A mergeable state: exact sums of w 1[r > c] and w, and every reward above the cap.

    Attributes
    ----------
    cap : c. sums : one key. above : the rewards above c, ascending.
    """

    cap: float
    sums: ClusterSums
    above: Floats

    def merge(self, other: TailSums) -> TailSums:
        """Return the state of both logs together, to the bit."""
        if self.cap != other.cap:
            raise InputError(f"caps {self.cap:g} and {other.cap:g}", "TailSums", "one cap")
        both = np.sort(np.concatenate([self.above, other.above]))
        return TailSums(self.cap, merge(self.sums, other.sums), both)


@dataclass(frozen=True)
class ModelledTail:
    """The part of the target's value above the cap.

    Attributes
    ----------
    value : E_π[(r - c)+] per decision; None where ``status`` is not ok. share_above : P_π(r > c).
    mean_excess : m. shape : ξ, None where the excesses are not heavy. gifts : behind the fit.
    """

    value: float | None
    share_above: float | None
    mean_excess: float | None
    shape: float | None
    gifts: int
    status: Status = "ok"
    reason: str = ""


def no_tail(cap: float) -> TailSums:
    """Return the state that has seen nothing."""
    return TailSums(cap, no_sums(2), np.zeros(0))


def tail_sums(weight: Floats, reward: Floats, cap: float) -> TailSums:
    """Return the state of one chunk: weights [n] and uncapped rewards [n]."""
    above = reward > cap
    terms = np.column_stack([weight * above, weight])
    key = np.zeros(len(weight), dtype=np.int64)
    return TailSums(cap, cluster_sums(key, terms), np.sort(reward[above]))


def modelled_tail(state: TailSums) -> ModelledTail:
    """Estimate the target's value above the cap.

    Examples
    --------
    >>> reward = np.concatenate([np.zeros(900), 10.0 + np.linspace(0.0, 8.0, 101)[1:]])
    >>> found = modelled_tail(tail_sums(np.ones(1_000), reward, 10.0))
    >>> found.share_above, round(found.mean_excess, 2), round(found.value, 3), found.shape
    (0.1, 4.04, 0.404, None)
    """
    n = len(state.above)
    passed, weight = state.sums.values.sum(axis=0)
    if n < FEWEST or weight <= 0.0:
        reason = f"{n} rewards above the cap, need {FEWEST}"
        reason = reason if weight > 0.0 else "no decision carries weight under the target"
        return ModelledTail(None, None, None, None, n, "not_enough_data", reason)
    share = float(passed / weight)
    law = fit_exceedances(np.concatenate([[state.cap], state.above]), n)
    if law.shape is None:
        mean = float(state.above.mean()) - state.cap
        return ModelledTail(share * mean, share, mean, None, n)
    if law.shape >= 1.0:
        reason = f"the excesses have shape {law.shape:.2f}: from 1 on their mean is infinite"
        return ModelledTail(None, share, None, law.shape, n, "undefined", reason)
    mean = law.scale / (1.0 - law.shape)
    return ModelledTail(share * mean, share, mean, law.shape, n)
