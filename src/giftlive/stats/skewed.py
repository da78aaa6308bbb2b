"""Student's interval for a mean or a ratio with the skewness taken out.

Amounts are skewed: the estimate and its standard error rise together, so the studentised error T
leans to the left, and a symmetric interval misses high truths far more often than low ones. To
second order (Edgeworth) its law is known; a cubic of T that is *monotone* and normal to that
order (Hall 1992) is inverted to give the bounds. With cluster errors e_g and V their mean
square::

    γ = mean(e³) / V^1.5                        skewness of the errors
    κ = mean(e · den) / (√V · mean(den))        how the denominator moves with them; 0 for a mean
    a = γ/3 - κ,  b = γ/6

    g(T) = T + a T²/√G + a² T³/(3G) + b/√G      close to Student's t with G - 1 degrees
    value - se · g⁻¹(t),   value - se · g⁻¹(-t)

The coverage error falls from G^-1/2 per side to G^-1. For a ratio, κ is the part Hall's formula
for a mean lacks: the standard error is taken at the estimated ratio, which moves with den.

What it cannot do: at gift tails the sample that lacks its whale has no skewness to show either.
The correction helps between the light tails and there; ``print_rule`` still decides.

References
----------
Hall (1992), "On the removal of skewness by transformation", JRSS-B 54, 221-228; Hall (1992),
"The Bootstrap and Edgeworth Expansion", section 3.9.
"""

from __future__ import annotations

import numpy as np

from giftlive.errors import InputError
from giftlive.stats.cluster_errors import (
    LARGEST,
    columns_per_cluster,
    ratio_errors,
    terms_per_cluster,
    unit_of,
    without_rounding,
)
from giftlive.stats.intervals import (
    Interval,
    student_quantile,
    undefined_influence,
    undefined_ratio,
)
from giftlive.types import Floats, Ints

_METHOD = "skew_t"


def skew_t(
    num: Floats,
    den: Floats | None = None,
    cluster: Ints | None = None,
    level: float = 0.95,
    n_unit: str = "clusters",
) -> Interval:
    """Estimate Σ num / Σ den with a second-order correct interval clustered by ``cluster``.

    Parameters
    ----------
    num, den : [n] terms of the numerator and of the denominator; ``den`` None: the mean of num.
    cluster : [n] id of the independent unit (user) of every row; ``None``: each row its own.

    Returns
    -------
    Interval
        Contains the estimate; longer on the side of the heavy tail. Width exactly 0 when
        num / den is constant; ``undefined`` when Σ den = 0; ``not_enough_data`` below two
        clusters.

    Examples
    --------
    >>> i = skew_t(np.array([0.0, 0.0, 0.0, 0.0, 1.0, 5.0]))
    >>> i.value, round(i.low, 2), round(i.high, 2)
    (1.0, -0.4, 8.04)
    """
    num, den = terms_per_cluster(num, den, cluster)
    problem = undefined_ratio(num, den, _METHOD, n_unit)
    if problem is not None:
        return problem
    value, error = ratio_errors(num, den)
    low, high = _bounds(value, error, _denominator_slope(error, den), level)
    return Interval(float(value), float(low), float(high), _METHOD, len(num), n_unit)


def skew_t_of(
    value: float, psi_per_cluster: Floats, level: float = 0.95, n_unit: str = "clusters"
) -> Interval:
    """Correct the interval of any statistic by the skewness of its influence values.

    The statistic is treated as the mean of its influence values (κ = 0): what is left is the
    curvature of the statistic itself, which a first-order expansion cannot see.

    Parameters
    ----------
    value : the statistic on the sample.
    psi_per_cluster : [G] influence values summed per cluster (``cluster_errors.per_cluster``).

    Returns
    -------
    Interval
        As :func:`skew_t`; ``undefined`` when something is not finite.
    """
    psi = np.asarray(psi_per_cluster, dtype=np.float64)
    problem = undefined_influence(value, psi, _METHOD, n_unit)
    if problem is not None:
        return problem
    psi = without_rounding(value, psi)
    low, high = _bounds(np.asarray(value), psi, np.zeros(()), level)
    return Interval(float(value), float(low), float(high), _METHOD, len(psi), n_unit)


def skew_t_replications(
    num: Floats, den: Floats | None = None, cluster: Ints | None = None, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Compute :func:`skew_t` for R replications [R, n] at once.

    Returns
    -------
    value, low, high : [R].
    """
    num, den = columns_per_cluster("skew_t_replications", num, den, cluster)
    value, error = ratio_errors(num, den)
    return value, *_bounds(value, error, _denominator_slope(error, den), level)


def skew_t_of_replications(
    value: Floats, psi: Floats, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Compute :func:`skew_t_of` for R replications at once.

    Parameters
    ----------
    value : [R]. psi : [R, G] influence of every cluster, G >= 2.

    Returns
    -------
    value, low, high : [R]; bounds are nan where something is not finite.
    """
    value, psi = np.asarray(value, dtype=np.float64), np.asarray(psi, dtype=np.float64)
    if psi.ndim != 2 or psi.shape[1] < 2 or len(value) != len(psi):
        raise InputError(f"shapes {value.shape}, {psi.shape}", "value, psi", "[R], [R, G >= 2]")
    defined = np.isfinite(value) & (np.abs(psi) <= LARGEST).all(axis=1)
    error = without_rounding(value, np.where(defined[:, None], psi, np.nan))
    return value, *_bounds(value, error, np.zeros(len(value)), level)


def _bounds(value: Floats, error: Floats, slope: Floats, level: float) -> tuple[Floats, Floats]:
    """Return both bounds from errors [..., G] that sum to the error of ``value``."""
    clusters, unit = error.shape[-1], unit_of(error)
    error = error / unit[..., None]
    square = np.square(error).mean(axis=-1)
    deviation = np.sqrt(square)
    scale = np.where(deviation > 0.0, deviation, 1.0)
    skew = np.power(error / scale[..., None], 3).mean(axis=-1)
    se = unit * (deviation * clusters / np.sqrt(clusters - 1))
    a, b, t = skew / 3.0 - slope, skew / 6.0, student_quantile(clusters - 1, level)
    root = np.sqrt(clusters)
    return value - se * _inverse(t, a, b, root), value - se * _inverse(-t, a, b, root)


def _inverse(y: float, a: Floats, b: Floats, root: float) -> Floats:
    """Return g⁻¹(y) = (√G/a) · (∛(1 + 3a w/√G) - 1), w = y - b/√G, without dividing by a.

    ∛c - 1 = (c - 1) / (∛c² + ∛c + 1), whose divisor never falls below 3/4: the result is
    monotone in y for every skewness, so that bounds cannot cross.
    """
    w = y - b / root
    q = np.cbrt(1.0 + 3.0 * a * w / root)
    return 3.0 * w / (q * q + q + 1.0)


def _denominator_slope(error: Floats, den: Floats) -> Floats:
    """Return κ = mean(e · den) / (√mean(e²) · mean(den)); 0 where the errors are 0."""
    error, den = (x / unit_of(x)[..., None] for x in (error, den))
    deviation = np.sqrt(np.square(error).mean(axis=-1))
    scale = np.where(deviation > 0.0, deviation, 1.0)
    return (error * den).mean(axis=-1) / (scale * den.mean(axis=-1))
