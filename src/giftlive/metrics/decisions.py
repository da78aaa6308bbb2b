"""How good a choice is among the rooms that were live when it was made.

A score that ranks a week of sessions well may still pick the wrong room of those open at the
moment: the pooled ranking also compares users and hours, a decision never does. Rows are
decisions, columns are candidates; ``available`` is False at the padding and for rooms that were
not live, and what stands there is never read.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import InputError, UsageError
from giftlive.metrics.order import mean, row_weights, share
from giftlive.types import Bools, Floats, Ints

_SUM_TOLERANCE = 1e-9


def top_choice(score: ArrayLike, available: ArrayLike) -> Floats:
    """Return [n, m] the probabilities of choosing the highest score, ties equally likely.

    Rows without a room are all 0.

    Examples
    --------
    >>> top_choice([[2.0, 2.0, 9.0]], [[True, True, False]]).tolist()
    [[0.5, 0.5, 0.0]]
    """
    live = _available(available)
    s = np.where(live, _table(score, "score", live), -np.inf)
    best = live & (s == s.max(axis=1, keepdims=True, initial=-np.inf))
    return best / np.maximum(best.sum(axis=1, keepdims=True), 1)


def decision_regret(
    value: ArrayLike,
    probability: ArrayLike,
    available: ArrayLike,
    weights: ArrayLike | None = None,
) -> float:
    """Estimate the mean value lost per decision against the best room live at that moment.

    Σ_i w_i (max_j v_ij − Σ_j p_ij v_ij) / Σ_i w_i over the live rooms j of decision i. Nothing
    shown is worth 0, so a row of probabilities may sum to less than 1.

    Parameters
    ----------
    value : [n, m] expected amount of every candidate (the truth in a world). Realised amounts
        make the best room look better than anybody could have known.
    probability : [n, m] of the policy's choice; for a score, :func:`top_choice`.
    available : [n, m] True for rooms live at decision time. weights : [n] >= 0.

    Returns
    -------
    float, in units of value; nan without a decision that had a room (those without one are not
    counted).

    Raises
    ------
    InputError
        Probability on a room that is not live, below 0, or more than 1 in a row.

    Examples
    --------
    >>> live = [[True, True, False]]
    >>> decision_regret([[1.0, 4.0, 9.0]], top_choice([[2.0, 2.0, 9.0]], live), live)
    1.5
    """
    best, got, w = _best_and_chosen(value, probability, available, weights)
    return mean(best - got, w)


def decision_regret_share(
    value: ArrayLike,
    probability: ArrayLike,
    available: ArrayLike,
    weights: ArrayLike | None = None,
) -> float:
    """Estimate the share of the best possible value that the choices lose.

    Σ w (max_j v − Σ_j p v) / Σ w max_j v: a ratio of sums, dominated by the decisions where
    much could be had. nan when nothing could be had. Arguments as in :func:`decision_regret`.

    Examples
    --------
    >>> live = [[True, True, False]]
    >>> decision_regret_share([[1.0, 4.0, 9.0]], top_choice([[2.0, 2.0, 9.0]], live), live)
    0.375
    """
    best, got, w = _best_and_chosen(value, probability, available, weights)
    return share(float(np.sum(w * (best - got))), float(np.sum(w * best)))


def decision_ndcg(
    value: ArrayLike,
    score: ArrayLike,
    available: ArrayLike,
    n: int | None = None,
    weights: ArrayLike | None = None,
) -> float:
    """Estimate the mean over decisions of the nDCG among the rooms live at that moment.

    Per decision Σ_j v_j·discount(place of j) / the same in the order of v, with discount
    1 / log2(1 + place) up to place ``n`` and 0 after it; tied rooms share their mean discount.

    Parameters
    ----------
    value : [n, m] >= 0, the gain itself. score, available : [n, m]. n : places; default all.

    Returns
    -------
    float in [0, 1]; nan when no decision has a live room worth more than 0 (decisions without
    one have no order to find and are not counted).

    Examples
    --------
    >>> decision_ndcg([[3.0, 2.0, 7.0]], [[0.9, 0.8, 1.0]], [[True, True, False]])
    1.0
    """
    live = _available(available)
    gain = np.where(live, _table(value, "value", live), 0.0)
    if (gain < 0.0).any():
        raise InputError(f"a value of {gain.min()}", "argument value", "values >= 0")
    w = row_weights(weights, len(gain))
    places = live.shape[1] if n is None else n
    found = _discounted(gain, _table(score, "score", live), live, places)
    best = _discounted(gain, gain, live, places)
    counted = best > 0.0
    ratio = np.divide(found, best, out=np.zeros_like(best), where=counted)
    return mean(ratio, w * counted)


def _discounted(gain: Floats, score: Floats, live: Bools, places: int) -> Floats:
    """Return [n] Σ gain·discount in the order of ``score``, ties at their mean discount."""
    if places < 1:
        raise UsageError(f"{places} places", "argument n", "at least 1")
    n, m = gain.shape
    key = np.where(live, -score, np.inf)
    order = np.argsort(key, axis=1, kind="stable")
    placed = np.take_along_axis(key, order, axis=1)
    new = np.ones((n, m), dtype=np.bool_)
    new[:, 1:] = placed[:, 1:] != placed[:, :-1]
    rank = np.arange(1, m + 1)
    discount = np.where(rank <= places, 1.0 / np.log2(1.0 + rank), 0.0)
    tie: Ints = np.cumsum(new.ravel()) - 1
    shared = np.bincount(tie, np.tile(discount, n)) / np.maximum(np.bincount(tie), 1)
    return np.sum(np.take_along_axis(gain, order, axis=1) * shared[tie].reshape(n, m), axis=1)


def _best_and_chosen(
    value: ArrayLike, probability: ArrayLike, available: ArrayLike, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return [n] the best value, the expected value of the choice, and the weight (0 = no room)."""
    live = _available(available)
    v, p = _table(value, "value", live), _table(probability, "probability", live)
    given = np.asarray(probability, dtype=np.float64)
    if (given[~live] != 0.0).any():
        rule = "0 where available is False"
        raise InputError("probability on a room that is not live", "argument probability", rule)
    if (p < 0.0).any() or (p.sum(axis=1) > 1.0 + _SUM_TOLERANCE).any():
        rule = "numbers >= 0 whose rows sum to at most 1"
        raise InputError("rows that are not probabilities", "argument probability", rule)
    any_live = live.any(axis=1)
    best = np.where(live, v, -np.inf).max(axis=1, initial=-np.inf)
    w = row_weights(weights, len(live)) * any_live
    return np.where(any_live, best, 0.0), np.sum(p * v, axis=1), w


def _available(available: ArrayLike) -> Bools:
    live = np.asarray(available)
    if live.ndim != 2 or live.dtype != np.bool_:
        what = f"shape {live.shape} of type {live.dtype}"
        raise UsageError(what, "argument available", "True and False of shape [n, m]")
    return live


def _table(values: ArrayLike, name: str, live: Bools) -> Floats:
    """Return ``values`` [n, m], 0 where there is no room, finite where there is one."""
    x = np.asarray(values, dtype=np.float64)
    if x.shape != live.shape:
        raise UsageError(f"shape {x.shape}", f"argument {name}", f"shape {live.shape}")
    if not np.isfinite(x[live]).all():
        row = int(np.flatnonzero((live & ~np.isfinite(x)).any(axis=1))[0])
        raise InputError(f"a value that is not finite in row {row}", f"argument {name}", "numbers")
    return np.where(live, x, 0.0)
