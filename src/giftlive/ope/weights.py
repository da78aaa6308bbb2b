"""What is done to importance weights: shapes that tame them, and weights of other kinds.

A shape maps w >= 0 to a smaller weight and trades variance for bias::

    clip(c)          min(w, c)
    switch(t)        w where w <= t, else 0: the model answers there
    shrink(l)        l w / (w² + l)                      DRos, optimistic shrinkage
    sub_gaussian(l)  w / (1 - l + l w), 0 <= l <= 1

References: Bottou et al. (2013) for clipping; Wang, Agarwal, Dudík (2017), eq. 8 for switching;
Su, Dimakopoulou, Krishnamurthy, Dudík (2020), section 4 for shrinkage; Metelli, Russo, Restelli
(2021), eq. 6 for the sub-Gaussian weights; Farajtabar, Chow, Ghavamzadeh (2018), eq. 9 for MRDR;
Saito, Joachims (2022), eq. 6 for the marginal weights; Saito, Ren, Joachims (2023) for clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from giftlive.errors import InputError
from giftlive.types import Floats, Ints

Shape = Callable[[Floats], Floats]


def clip(limit: float) -> Shape:
    """Return min(w, limit), ``limit`` > 0."""
    _positive(limit, "limit", "clip")
    return lambda w: np.minimum(w, limit)


def switch(threshold: float) -> Shape:
    """Return w where it is at most ``threshold`` > 0, else 0."""
    _positive(threshold, "threshold", "switch")
    return lambda w: np.where(w <= threshold, w, 0.0)


def shrink(strength: float) -> Shape:
    """Return strength · w / (w² + strength), ``strength`` > 0; w itself at infinity."""
    _positive(strength, "strength", "shrink")
    if np.isinf(strength):
        return lambda w: w
    return lambda w: strength * w / (w * w + strength)


def sub_gaussian(mix: float) -> Shape:
    """Return w / (1 - mix + mix · w), ``mix`` in [0, 1): w at 0, towards 1 as mix rises."""
    if not 0.0 <= mix < 1.0:
        raise InputError(f"mix {mix:g}", "sub_gaussian", "a number in [0, 1)")
    return lambda w: w / (1.0 - mix + mix * w)


def mrdr_weights(propensity: Floats, target_of_action: Floats) -> Floats:
    """Return the regression weights under which DR's variance is least (MRDR).

    ``π(a) (1 - p(a)) / p(a)²`` of the logged action: pass them to the fit of q, then use DR.

    Parameters
    ----------
    propensity : [n] in (0, 1]. target_of_action : [n] target probability of the logged action.

    Examples
    --------
    >>> mrdr_weights(np.array([0.5, 1.0]), np.array([0.25, 1.0])).tolist()
    [0.5, 0.0]
    """
    return target_of_action * (1.0 - propensity) / propensity**2


def mean_propensity(by_logger: Floats, logger: Ints) -> Floats:
    """Return the probability of each logged action under a logging policy drawn at random.

    ``Σ_k (n_k / n) p_k(a | x)``: with several logging policies the log was made by their
    mixture, and balanced weights divide by its probability, which is 0 only where all are.

    Parameters
    ----------
    by_logger : [n, L] probability of the row's action under every logging policy.
    logger : [n] which of them made the row.

    Examples
    --------
    >>> mean_propensity(np.array([[0.5, 0.1], [0.3, 0.7]]), np.array([0, 1])).tolist()
    [0.3, 0.5]
    """
    loggers = by_logger.shape[1] if by_logger.ndim == 2 else 0
    if len(by_logger) != len(logger) or not np.isin(logger, np.arange(loggers)).all():
        what = f"shape {by_logger.shape}, {len(logger)} rows of `logger`"
        raise InputError(what, "mean_propensity", "[n, L] and numbers from 0 to L - 1")
    share = np.bincount(logger, minlength=loggers) / max(len(logger), 1)
    mixed: Floats = by_logger @ share
    return mixed


def category_weight(target: Floats, propensities: Floats, action: Ints, category: Ints) -> Floats:
    """Return the weight of the logged action's category: target mass over logging mass of it.

    MIPS where the reward depends on an action through its category alone; OffCEM adds a model
    for what a category hides. Needs overlap of categories only, not of actions.

    Parameters
    ----------
    target, propensities : [n, m]. action : [n]. category : [m] or [n, m] of every candidate.

    Examples
    --------
    >>> category_weight(np.array([[0.5, 0.3, 0.2]]), np.array([[0.4, 0.0, 0.6]]), np.array([0]),
    ...                 np.array([7, 7, 8])).tolist()
    [2.0]
    """
    of_row = np.broadcast_to(category, target.shape)
    same = of_row == np.take_along_axis(of_row, action[:, None], axis=1)
    logged = propensities.sum(axis=1, where=same)
    return target.sum(axis=1, where=same) / _shown(logged)


def embedding_weight(
    target: Floats, propensities: Floats, embedding: Ints, chances: Sequence[Floats]
) -> Floats:
    """Return the weight of the observed embedding, whose dimensions are drawn given the action.

    ``Π_d [Σ_a π(a) c_d(a, e_d)] / [Σ_a p(a) c_d(a, e_d)]`` with c_d the chance of e_d given a.
    Exact for one dimension; with more it treats them as independent given the context.

    Parameters
    ----------
    target, propensities : [n, m]. embedding : [n, D] observed categories.
    chances : D tables [m, E_d], rows sum to 1.
    """
    weight = np.ones(len(target))
    for d, table in enumerate(chances):
        seen = table[:, embedding[:, d]].T
        logged = np.einsum("nm,nm->n", propensities, seen)
        weight *= np.einsum("nm,nm->n", target, seen) / _shown(logged)
    return weight


def _shown(logged: Floats) -> Floats:
    bad = np.flatnonzero(~(logged > 0.0))
    if len(bad):
        raise InputError(
            f"logging probability {logged[bad[0]]:g} of what was logged ({len(bad):,} such rows)",
            f"row {bad[0]}",
            "above 0: it was shown",
        )
    return logged


def _positive(number: float, name: str, where: str) -> None:
    if not number > 0.0:
        raise InputError(f"{name} {number:g}", where, "a number above 0")
