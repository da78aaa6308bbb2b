"""Estimators and intervals made for heavy tails, on many logs of one experiment at once.

With w the importance weights, r the reward, q(·) a model of it::

    dm              Σ q(π) / n                            no weights, the model's bias
    clipped_ips     Σ min(w, CLIP) r / n                  biased towards 0
    switch_dr       q(π) + w 1[w <= CLIP] (r - q(a))      the model where weights are large
    assisted_snips  Σ w 1[r > 0] m / Σ w                  m: modelled reward of a gift; for money
    lse             -log(mean exp(-l w r)) / l            l = SOFTNESS over the reward's scale
    ips_bernstein, ips_betting                            IPS with intervals that hold at every n

The last two need a largest reward, so full value has none; betting's may be read at any time. The
largest weight is that of the two policies over all contexts: known before a log is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.stats.bernstein import bernstein_replications
from giftlive.stats.betting import betting_replications
from giftlive.stats.intervals import ratio_replications
from giftlive.types import Floats

CLIP, SOFTNESS = 10.0, 0.01
"""Fixed before any run."""

ALWAYS_VALID = {"ips_bernstein": "empirical_bernstein", "ips_betting": "betting"}
"""Name -> method of the interval."""

Bounds = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, eq=False)
class Weighted:
    """R logs of n decisions under one target and one reward.

    Attributes
    ----------
    weight, reward : [R, n]. q : [R, n] modelled reward of the action. answer : [R, n] q(π).
    chance : [R, n] modelled probability of a gift; None where the reward is a count. scale : > 0,
        of the reward. most : largest weight times largest reward, infinite where there is none.
    """

    weight: Floats
    reward: Floats
    q: Floats
    answer: Floats
    chance: Floats | None
    scale: float
    most: float


def tail_bounds(logs: Weighted) -> dict[str, Bounds]:
    """Compute estimate, low and high [R] of every estimator that has one for this reward.

    Examples
    --------
    >>> logs = Weighted(np.array([[0.0, 20.0]]), np.array([[1.0, 1.0]]), np.array([[0.5, 0.5]]),
    ...                 np.array([[0.5, 0.5]]), None, 1.0, 20.0)
    >>> found = tail_bounds(logs)
    >>> [float(found[name][0][0]) for name in ("dm", "clipped_ips", "switch_dr")]
    [0.5, 5.0, 0.5]
    """
    w, r, ones = logs.weight, logs.reward, np.ones_like(logs.weight)
    found = {
        "dm": ratio_replications(logs.answer, ones),
        "clipped_ips": ratio_replications(np.minimum(w, CLIP) * r, ones),
        "switch_dr": ratio_replications(logs.answer + w * (w <= CLIP) * (r - logs.q), ones),
        "lse": _soft(w * r, SOFTNESS / logs.scale),
    }
    if logs.chance is not None:
        given = np.divide(logs.q, logs.chance, out=np.zeros_like(r), where=logs.chance > 0.0)
        found["assisted_snips"] = ratio_replications(w * (r > 0.0) * given, w)
    if np.isfinite(logs.most):
        earned = np.minimum(w * r, logs.most)  # rounding
        found["ips_bernstein"] = bernstein_replications(earned, 0.0, logs.most)
        found["ips_betting"] = betting_replications(earned, 0.0, logs.most)
    return found


def _soft(x: Floats, scale: float) -> Bounds:
    """Return the soft mean of x, its interval that of the mean of exponentials over the slope."""
    share, low, high = ratio_replications(np.exp(-scale * x), np.ones_like(x))
    value, half = -np.log(share) / scale, (high - low) / 2.0 / (scale * share)
    return value, value - half, value + half
