"""The long term from what is known early: a surrogate index, weighted to the target policy.

What a policy earns in months is not in a log of last week. Where short-term outcomes S (gifts,
watching, returns of the first days) carry all of a decision's effect on the long-term outcome Y,

    index(s) = E[Y | S = s]      from history, where both are known
    value    = Σ w index(S) / Σ w     over the log, w = π(a|x) / p(a|x)

is the long-term value of the target. The index here is linear, β'(1, s), by least squares, so that
the error of both samples is known in closed form.

Assumptions: *surrogacy*, Y is independent of the action given S: an effect that bypasses S is lost
entirely; *comparability*, E[Y | S] is the same in the history as in the log. Neither can be tested
from these samples; a history with an earlier experiment tests the first.

Reference: Athey, Chetty, Imbens, Kang (2019), "The surrogate index: combining short-term proxies to
estimate long-term treatment effects more rapidly and precisely".
"""

from __future__ import annotations

import numpy as np

from giftlive.errors import InputError
from giftlive.stats.intervals import Interval, influence_t, no_interval
from giftlive.types import Floats, Ints

_METHOD = "surrogate_index"
_SINGULAR = 1e-10  # smallest over largest singular value below which surrogates are collinear


def surrogate_value(
    history: Floats,
    outcome: Floats,
    surrogates: Floats,
    weight: Floats,
    *,
    history_user: Ints | None = None,
    user: Ints | None = None,
    level: float = 0.95,
) -> Interval:
    """Estimate the long-term value of a target policy, per decision.

    Both samples' errors are in the interval, by the influence of every row on the value::

        log:      w_i (β'z_i - value) / Σ w        history:   m'(Z'Z)⁻¹ z_h (y_h - β'z_h)

    with z = (1, s) and m the weighted mean of z. A user of both samples is one cluster.

    Parameters
    ----------
    history : [h, d] surrogates of earlier decisions. outcome : [h] their long-term outcome.
    surrogates : [n, d] of the decisions in the log. weight : [n] importance weights, >= 0.
    history_user, user : [h], [n] the independent unit of every row, the same ids in both; both
        or neither.

    Returns
    -------
    Interval
        ``undefined`` where no weight is or surrogates are collinear in the history.

    Raises
    ------
    InputError
        Shapes that do not fit, a value that is not finite, a negative weight.

    Examples
    --------
    >>> past = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> found = surrogate_value(past, 5.0 + 10.0 * past[:, 0], np.array([[1.0], [2.0]]), np.ones(2))
    >>> round(found.value, 9)
    20.0
    """
    _check(history, outcome, surrogates, weight)
    known = np.column_stack([np.ones(len(history)), history])
    new = np.column_stack([np.ones(len(surrogates)), surrogates])
    total, many = float(weight.sum()), len(history) + len(surrogates)
    if not total > 0.0:
        return no_interval("undefined", "no weight is above 0", _METHOD, many, "users")
    sizes = np.linalg.svd(known, compute_uv=False)
    if len(known) <= known.shape[1] or sizes[-1] <= _SINGULAR * sizes[0]:
        reason = "the history does not tell the surrogates apart"
        return no_interval("undefined", reason, _METHOD, many, "users")
    inverse = np.linalg.inv(known.T @ known)
    beta = inverse @ (known.T @ outcome)
    mean = weight @ new / total
    value = float(mean @ beta)
    psi = np.concatenate(
        [weight * (new @ beta - value) / total, (known @ inverse @ mean) * (outcome - known @ beta)]
    )
    return influence_t(value, psi, _clusters(history_user, user, many), level, "users", _METHOD)


def _clusters(history_user: Ints | None, user: Ints | None, many: int) -> Ints:
    if history_user is None and user is None:
        return np.arange(many)
    if history_user is None or user is None:
        raise InputError("users of one sample", "history_user, user", "both or neither")
    found = np.concatenate([user, history_user])
    if len(found) != many:
        raise InputError(f"{len(found)} users", "history_user, user", f"{many}, one per row")
    return found


def _check(history: Floats, outcome: Floats, surrogates: Floats, weight: Floats) -> None:
    if history.ndim != 2 or surrogates.ndim != 2 or history.shape[1] != surrogates.shape[1]:
        raise InputError(
            f"{history.shape} and {surrogates.shape}", "history, surrogates",
            "[h, d] and [n, d], the same d",
        )  # fmt: skip
    if outcome.shape != (len(history),) or weight.shape != (len(surrogates),):
        raise InputError(
            f"{outcome.shape} and {weight.shape}", "outcome, weight",
            f"({len(history)},) and ({len(surrogates)},)",
        )  # fmt: skip
    for name, values in (("history", history), ("outcome", outcome), ("surrogates", surrogates)):
        if not np.isfinite(values).all():
            raise InputError("a value that is not finite", name, "finite numbers")
    if not (np.isfinite(weight) & (weight >= 0.0)).all():
        raise InputError("a weight below 0 or not finite", "weight", "numbers >= 0")
