"""One metric within each labelled part of the rows, with n and a status.

A label is anything with an order: a local day, an hour, a whale flag, "with" or "without" history
of the pair, the user or the streamer. Here ``nan`` ends: a slice without a value says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from giftlive.errors import UsageError
from giftlive.metrics.order import not_negative, row_weights
from giftlive.stats.intervals import Status

WITH_HISTORY, WITHOUT_HISTORY = "with history", "without history"


@dataclass(frozen=True, slots=True)
class Slice:
    """A metric within one slice.

    Attributes
    ----------
    label : as given. n : rows of the slice with weight. weight : their sum.
    value : ``None`` exactly when ``status`` is not "ok". reason : in words ("" when "ok").
    """

    label: int | float | str | bool
    n: int
    weight: float
    value: float | None
    status: Status = "ok"
    reason: str = ""


def by_slice(
    metric: Callable[..., float],
    labels: ArrayLike,
    *columns: ArrayLike,
    weights: ArrayLike | None = None,
    minimum: int = 1,
) -> tuple[Slice, ...]:
    """Evaluate a metric within every slice, ascending by label.

    Parameters
    ----------
    metric : called as ``metric(*columns, weights=...)`` with the rows of one slice.
    labels : [n] slice of each row. columns : each [n], what the metric takes.
    weights : [n] >= 0. minimum : rows with weight below which no value is given.

    Returns
    -------
    one ``Slice`` per distinct label: "not_enough_data" below ``minimum`` rows, "undefined" where
    the metric has no value on the slice.

    Examples
    --------
    >>> from giftlive.metrics.amounts import rmse
    >>> [(s.label, s.n, s.value) for s in by_slice(rmse, ["b", "a", "b"], [1, 2, 3], [1, 0, 3])]
    [('a', 1, 2.0), ('b', 2, 0.0)]
    """
    label = np.asarray(labels)
    rows = [np.asarray(c) for c in columns]
    if label.ndim != 1 or any(c.shape[:1] != label.shape for c in rows):
        shapes = ", ".join(str(c.shape) for c in (label, *rows))
        raise UsageError(f"shapes {shapes}", "labels and columns", "as many rows in each")
    w = row_weights(weights, len(label))
    found = []
    for name, index in _groups(label):
        inside = w[index]
        n, weight = int(np.count_nonzero(inside)), float(inside.sum())
        if n < minimum:
            reason = f"{n} rows, need {minimum}"
            found.append(Slice(name, n, weight, None, "not_enough_data", reason))
            continue
        value = float(metric(*(c[index] for c in rows), weights=inside))
        found.append(_valued(name, n, weight, value))
    return tuple(found)


def history(count: ArrayLike) -> NDArray[np.str_]:
    """Return [n] the label with or without history, from a count of past events >= 0.

    Examples
    --------
    >>> history([0, 3]).tolist()
    ['without history', 'with history']
    """
    return np.where(not_negative(count, "count") > 0.0, WITH_HISTORY, WITHOUT_HISTORY)


def _groups(label: NDArray[np.generic]) -> list[tuple[int | float | str | bool, NDArray[np.intp]]]:
    names, index = np.unique(label, return_inverse=True)
    order = np.argsort(index, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(index, minlength=len(names)))[:-1])
    # numpy splits nothing into one empty part: there are then fewer names than parts
    return [(name.item(), part) for name, part in zip(names, parts, strict=False)]


def _valued(name: int | float | str | bool, n: int, weight: float, value: float) -> Slice:
    if np.isfinite(value):
        return Slice(name, n, weight, value)
    return Slice(name, n, weight, None, "undefined", f"no value on {n} rows")
