"""Models that never saw the user they speak about: q and balanced weights, cross-fitted.

Users are dealt into folds; the model for a fold is fitted on all the others. So an estimator's
model and its rewards are independent, its interval honest, and DR unbiased to first order.

Any learner does: it comes as a function that fits and returns a function that predicts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from giftlive.errors import InputError
from giftlive.rng import stream
from giftlive.types import Floats, Ints

Predict = Callable[[Floats], Floats]
"""Maps contexts [k, d] to modelled rewards of all candidates [k, m]."""

Fit = Callable[[Floats, Ints, Floats, Floats], Predict]
"""Maps contexts [k, d], actions [k], rewards [k] and row weights [k] to a prediction."""

Classify = Callable[[Floats, Ints, Ints], Callable[[Floats, Ints], Floats]]
"""Maps contexts, actions and labels to a function of contexts and actions: P(label 1), [k]."""

_LARGEST_SHARE = 1.0 - 1e-9


def user_folds(user: Ints, folds: int = 3, seed: int = 0) -> Ints:
    """Deal users into ``folds`` of equal size (up to 1); all rows of a user are in one fold.

    Returns
    -------
    Ints
        [n] fold of every row, 0 to folds - 1.

    Examples
    --------
    >>> f = user_folds(np.array([5, 5, 6, 7]), folds=3)
    >>> bool(f[0] == f[1]), sorted(set(f.tolist()))
    (True, [0, 1, 2])
    """
    keys, index = np.unique(user, return_inverse=True)
    if not 2 <= folds <= len(keys):
        what = f"{folds} folds of {len(keys)} users"
        raise InputError(what, "folds", "at least 2 folds and a user for each")
    dealt = stream(seed, "ope folds").permutation(np.arange(len(keys)) % folds)
    fold: Ints = dealt[index]
    return fold


def cross_fitted_q(
    fit: Fit,
    context: Floats,
    action: Ints,
    reward: Floats,
    user: Ints,
    weight: Floats | None = None,
    folds: int = 3,
    seed: int = 0,
) -> Floats:
    """Model the reward of every candidate, each user's from the other users' rows.

    Parameters
    ----------
    fit : see ``Fit``. context : [n, d]. action : [n]. reward : [n]. user : [n].
    weight : [n] of the rows in the fit: ``mrdr_weights`` for MRDR; None: 1.

    Returns
    -------
    Floats
        [n, m] modelled rewards, for the estimators' ``q``.

    Examples
    --------
    >>> def fit(context, action, reward, weight):
    ...     means = np.bincount(action, reward, 2) / np.bincount(action, minlength=2)
    ...     return lambda context: np.tile(means, (len(context), 1))
    >>> cross_fitted_q(fit, np.zeros((4, 1)), np.array([0, 1, 0, 1]),
    ...                np.array([1.0, 5.0, 3.0, 7.0]), np.array([8, 8, 9, 9]), folds=2).tolist()
    [[3.0, 7.0], [3.0, 7.0], [1.0, 5.0], [1.0, 5.0]]
    """
    n = len(reward)
    w = np.ones(n) if weight is None else weight
    for name, column in {"context": context, "action": action, "user": user, "weight": w}.items():
        if len(column) != n:
            raise InputError(f"{len(column)} rows", name, f"{n}, as many as rewards")
    fold = user_folds(user, folds, seed)
    q: Floats | None = None
    for k in range(folds):
        here, rest = fold == k, fold != k
        predict = fit(context[rest], action[rest], reward[rest], w[rest])
        found = np.asarray(predict(context[here]), dtype=np.float64)
        if q is None:
            q = np.full((n, found.shape[1]), np.nan)
        q[here] = found
    assert q is not None
    if not np.isfinite(q).all():
        raise InputError("a prediction that is not finite", "cross_fitted_q", "finite numbers")
    return q


def balanced_weights(
    classify: Classify,
    context: Floats,
    action: Ints,
    target: Floats,
    user: Ints,
    folds: int = 3,
    seed: int = 0,
) -> Floats:
    """Estimate importance weights without propensities, by telling target from logged actions.

    A classifier learns whether (context, action) comes from the log (label 0) or has its action
    drawn from the target policy (label 1); its odds are the weight. Assumption: it is calibrated;
    its errors are a bias no interval shows. A named option, never a silent stand-in for logged
    propensities.

    Parameters
    ----------
    classify : see ``Classify``. context : [n, d]. action : [n]. target : [n, m]. user : [n].

    Returns
    -------
    Floats
        [n] weights of the logged actions, for ``balanced_weight``.

    References
    ----------
    Sondhi, Arbour, Dimmery (2020), "Balanced off-policy evaluation in general action spaces".
    """
    draw = stream(seed, "balanced weights").random((len(action), 1))
    edges = target.cumsum(axis=1)
    drawn = (edges <= draw * edges[:, -1:]).sum(axis=1).clip(0, target.shape[1] - 1)
    fold = user_folds(user, folds, seed)
    weight = np.empty(len(action))
    for k in range(folds):
        here, rest = fold == k, fold != k
        both = np.concatenate([context[rest], context[rest]])
        actions = np.concatenate([action[rest], drawn[rest]])
        label = np.repeat(np.array([0, 1]), int(rest.sum()))
        share = np.asarray(classify(both, actions, label)(context[here], action[here]))
        if not ((share >= 0.0) & (share <= 1.0)).all():
            raise InputError("a share outside [0, 1]", "balanced_weights", "probabilities")
        share = np.minimum(share, _LARGEST_SHARE)
        weight[here] = share / (1.0 - share)
    return weight
