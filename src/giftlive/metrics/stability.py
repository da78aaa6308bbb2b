"""Whether a number holds from day to day, and whether a score keeps its distribution.

Values per day or per origin come from ``slices.by_slice``; here they become one number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import UsageError
from giftlive.metrics.order import UNDEFINED, column, mean, row_weights
from giftlive.types import Floats

PSI_FLOOR = 1e-4
"""A bin holds at least this share in the logarithm of the PSI."""


def coefficient_of_variation(values: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Estimate the standard deviation of the values divided by the size of their mean.

    sd = root of Σ w (x − mean)² / (Σ w − 1); the denominator is |Σ w x / Σ w|. Meaningful for
    quantities with a zero of their own and one sign: the CV of a correlation says nothing.

    Parameters
    ----------
    values : [d] one per day or origin, those without a value left out (and counted) before.

    Returns
    -------
    float >= 0; nan when Σ w <= 1, when the mean is 0 or when the values have both signs.

    Examples
    --------
    >>> coefficient_of_variation([1.0, 2.0, 3.0])
    0.5
    """
    x = column(values, "values")
    w = row_weights(weights, len(x))
    total, present = float(w.sum()), x[w > 0.0]
    if total <= 1.0 or present.min() < 0.0 < present.max():
        return UNDEFINED
    level = mean(x, w)
    spread = float(np.sum(w * (x - level) ** 2)) / (total - 1.0)
    return spread**0.5 / abs(level) if level != 0.0 else UNDEFINED


@dataclass(frozen=True, slots=True)
class Drift:
    """The population stability index of a score and what it is made of.

    Attributes
    ----------
    psi : Σ of ``terms``. top : the term of the top 1 % of the reference.
    borders : [b − 1] inner borders; a bin is (border, next border], the last one the top 1 %.
    reference, current : [b] shares as observed. terms : [b].
    floored : bins that were empty, or almost, in one of the two and entered with the floor.
    """

    psi: float
    top: float
    borders: Floats
    reference: Floats
    current: Floats
    terms: Floats
    floored: int


def score_drift(
    reference: ArrayLike,
    current: ArrayLike,
    bins: int = 10,
    top: float = 0.01,
    reference_weights: ArrayLike | None = None,
    current_weights: ArrayLike | None = None,
) -> Drift:
    """Estimate the population stability index of a score, *its top 1 % included*.

    Σ_b (c_b − r_b)·ln(c_b / r_b) with r_b, c_b the shares of the reference and of the current
    scores in bin b: the sum of both Kullback-Leibler divergences. The lower 99 % of the reference
    is cut into ``bins`` bins at its quantiles, the top 1 %, where the money is and which ten equal
    bins never see, is a bin of its own; ``Drift.top`` is its term.

    Ties: a value is never divided, equal borders are one border, so a score with few values has
    fewer bins. Empty bins: a share below 1e-4 enters as 1e-4 in the term of its bin (a logarithm
    of 0 has no value); a bin that is below it in both adds 0. ``floored`` counts them.

    Without any drift the index is about (bins − 1)·(1/n + 1/m) for n and m independent rows, not 0.

    Parameters
    ----------
    reference : [n] and current : [m] scores. top : share of the separate bin, in (0, 1).

    Returns
    -------
    Drift
        all nan without weight on one of the sides.

    Examples
    --------
    >>> score_drift([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], bins=2).psi
    0.0
    """
    if bins < 1 or not 0.0 < top < 1.0:
        raise UsageError(f"{bins} bins, top {top}", "score_drift", "bins >= 1 and 0 < top < 1")
    old, new = column(reference, "reference"), column(current, "current")
    v, w = row_weights(reference_weights, len(old)), row_weights(current_weights, len(new))
    if not min(v.sum(), w.sum()) > 0.0:
        nothing = np.full(1, UNDEFINED)
        return Drift(UNDEFINED, UNDEFINED, np.zeros(0), nothing, nothing, nothing, 0)
    at = np.append(np.arange(1, bins) / bins * (1.0 - top), 1.0 - top)
    cuts = np.quantile(old, at, method="inverted_cdf", weights=v)
    borders = np.append(np.unique(cuts[cuts < cuts[-1]]), cuts[-1])
    was, now = _shares(old, v, borders), _shares(new, w, borders)
    low, high = np.maximum(was, PSI_FLOOR), np.maximum(now, PSI_FLOOR)
    terms = (high - low) * np.log(high / low)
    floored = int(np.count_nonzero((was < PSI_FLOOR) | (now < PSI_FLOOR)))
    return Drift(float(terms.sum()), float(terms[-1]), borders, was, now, terms, floored)


def _shares(score: Floats, weights: Floats, borders: Floats) -> Floats:
    """Return the share of the weight in (−∞, first], (first, second], …, (last, ∞)."""
    bin_of = np.searchsorted(borders, score, side="left")
    held = np.bincount(bin_of, weights, minlength=len(borders) + 1)
    return held / held.sum()
