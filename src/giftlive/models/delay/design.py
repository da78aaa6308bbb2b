"""Columns of a linear predictor: an intercept and standardised features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.errors import UsageError
from giftlive.models.base import chunks
from giftlive.types import Floats


@dataclass(frozen=True)
class Design:
    """Centre and spread of every feature as they were in training.

    A penalty on the slopes then means the same for every feature, and the intercept is the level
    of an average row. A constant feature gets slope 0 through a column of zeros and a penalty.
    """

    centre: Floats
    spread: Floats

    @classmethod
    def of(cls, X: Floats) -> Design:
        """Measure features [n, p]."""
        varies = np.ptp(X, axis=0) > 0.0 if len(X) else np.zeros(X.shape[1], dtype=bool)
        return cls(X.mean(axis=0), np.where(varies, X.std(axis=0), 1.0))

    @property
    def width(self) -> int:
        """Return the number of columns, the intercept included."""
        return len(self.centre) + 1

    def __call__(self, X: Floats) -> Floats:
        """Return [n, p + 1]: ones, then the features in training units."""
        if X.ndim != 2 or X.shape[1] != len(self.centre):
            wanted = f"[n, {len(self.centre)}], as in training"
            raise UsageError(f"shape {X.shape}", "argument X", wanted)
        columns = np.ones((len(X), self.width))
        columns[:, 1:] = (X - self.centre) / self.spread
        return columns

    def raw(self) -> Floats:
        """Return M [p + 1, p + 1] with raw coefficients = M · standardised coefficients."""
        matrix = np.diag(np.append(1.0, 1.0 / self.spread))
        matrix[0, 1:] = -self.centre / self.spread
        return matrix


def gram(columns: Floats, weight: Floats) -> Floats:
    """Return Σ_i w_i·c_i c_iᵀ [k, k] of columns [n, k], without a weighted copy of all of them.

    Examples
    --------
    >>> gram(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, 3.0])).tolist()
    [[1.0, 2.0], [2.0, 7.0]]
    """
    total = np.zeros((columns.shape[1], columns.shape[1]))
    for part in chunks(len(columns)):
        total += (columns[part] * weight[part, None]).T @ columns[part]
    return total


def ridge(width: int, penalty: float) -> Floats:
    """Return the diagonal [width] of a penalty ½·penalty·Σ slope², none on the intercept.

    Examples
    --------
    >>> ridge(3, 2.0).tolist()
    [0.0, 2.0, 2.0]
    """
    if not penalty >= 0.0:
        raise UsageError(f"penalty {penalty:g}", "argument penalty", "a number >= 0")
    return np.append(0.0, np.full(width - 1, penalty))
