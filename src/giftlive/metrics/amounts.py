"""Whether the predicted amounts are right: errors and levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import InputError
from giftlive.metrics.order import (
    Bins,
    Ranking,
    checked_fraction,
    column,
    equal_mass_bins,
    row_weights,
    share,
)
from giftlive.types import Floats


def _triple(
    y: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    amount = column(y, "y")
    return amount, column(predicted, "predicted", len(amount)), row_weights(weights, len(amount))


def mae_log(y: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the mean of |log(1 + amount) − log(1 + prediction)|.

    Its optimum is a conditional median of the log amount, not the expected amount: a model that
    predicts 0 everywhere scores well when gifts are rare.

    Raises
    ------
    InputError
        An amount or a prediction is −1 or less.

    Examples
    --------
    >>> mae_log([0.0, 0.0], [0.0, 0.0])
    0.0
    """
    amount, guess, w = _triple(y, predicted, weights)
    if len(amount) and min(amount.min(), guess.min()) <= -1.0:
        raise InputError("an amount of -1 or less", "arguments y, predicted", "amounts >= 0")
    gap = np.abs(np.log1p(amount) - np.log1p(guess))
    return share(float(np.sum(w * gap)), float(w.sum()))


def rmse(y: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the root of the mean squared error, in amount units.

    Examples
    --------
    >>> rmse([0.0, 2.0], [1.0, 1.0])
    1.0
    """
    amount, guess, w = _triple(y, predicted, weights)
    return share(float(np.sum(w * (amount - guess) ** 2)), float(w.sum())) ** 0.5


def calibration_ratio(
    y: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Estimate Σ predicted / Σ actual; above 1 the model promises too much.

    Undefined (nan) when the actual sum is 0.

    Examples
    --------
    >>> calibration_ratio([0.0, 10.0], [4.0, 8.0])
    1.2
    """
    amount, guess, w = _triple(y, predicted, weights)
    return share(float(np.sum(w * guess)), float(np.sum(w * amount)))


def calibration_at(
    y: ArrayLike, predicted: ArrayLike, fraction: float, weights: ArrayLike | None = None
) -> float:
    """Estimate Σ predicted / Σ actual among the top ``fraction`` of rows by prediction.

    Above 1 by the winner's curse even where the whole is in balance. Undefined (nan) when the
    top holds no actual amount.
    """
    checked_fraction(fraction)
    amount, guess, w = _triple(y, predicted, weights)
    inside = w * Ranking.by(guess).share_within(fraction * float(w.sum()), w)
    return share(float(np.sum(inside * guess)), float(np.sum(inside * amount)))


def calibration_by_decile(
    y: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None, bins: int = 10
) -> Bins:
    """Return predicted and actual sums in ``bins`` of equal weight, lowest prediction first."""
    amount, guess, w = _triple(y, predicted, weights)
    return equal_mass_bins(guess, amount, w, bins)
