"""A 95 % interval for a mean, a paired difference, a ratio and a share.

Every function returns an :class:`Interval`, whose ``status`` says whether there is a number at
all. The mean, the difference and the ratio share one formula, the delta method on clusters::

    v   = Σ_g num_g / Σ_g den_g                       g runs over the G clusters
    e_g = num_g - v · den_g                           what cluster g adds to the error
    se² = G/(G-1) · Σ_g e_g² / (Σ_g den_g)²
    v ± t(G-1) · se                                   t: Student's quantile

Assumption: clusters are independent. When they are not (users who compete for the same seats)
the interval is too narrow. At heavy tails the normal limit is far away; ``print_rule`` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from giftlive.errors import InputError
from giftlive.types import Floats, Ints

Status = Literal["ok", "not_enough_data", "undefined"]

_ROUNDING = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval, or the reason why there is none.

    Attributes
    ----------
    value, low, high : the estimate and its bounds; ``None`` exactly when ``status`` is not "ok".
    method : how the interval was made. n, n_unit : how many independent units stand behind it.
    reason : in words, why there is no number ("" when there is one).
    """

    value: float | None
    low: float | None
    high: float | None
    method: str
    n: int
    n_unit: str
    status: Status = "ok"
    reason: str = ""

    @property
    def width(self) -> float | None:
        """Return ``high - low``, or ``None`` without an interval."""
        return None if self.low is None or self.high is None else self.high - self.low


def no_interval(status: Status, reason: str, method: str, n: int, n_unit: str) -> Interval:
    """Return the interval that says why there is none."""
    return Interval(None, None, None, method, n, n_unit, status, reason)


def student_quantile(degrees: int, level: float) -> float:
    """Return the two-sided Student quantile: P(|T| <= result) = ``level``.

    Examples
    --------
    >>> round(student_quantile(10, 0.95), 3)
    2.228
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"level {level:g}", "level", "a number strictly between 0 and 1")
    return float(special.stdtrit(degrees, 0.5 + level / 2.0))


def student_t(x: Floats, level: float = 0.95, n_unit: str = "values") -> Interval:
    """Estimate the mean of independent values, with Student's interval.

    Parameters
    ----------
    x : [n] independent draws, finite.
    level : share of samples whose interval should contain the mean.

    Returns
    -------
    Interval
        ``not_enough_data`` for n < 2, ``undefined`` when a value is not finite.

    Examples
    --------
    >>> mean = student_t(np.array([1.0, 2.0, 3.0]))
    >>> mean.value, round(mean.width, 3)
    (2.0, 4.968)
    """
    x = np.asarray(x, dtype=np.float64)
    return _delta(x, np.ones_like(x), level, "student_t", n_unit)


def paired_t(a: Floats, b: Floats, level: float = 0.95, n_unit: str = "pairs") -> Interval:
    """Estimate the mean of ``a - b`` over pairs, with Student's interval.

    Parameters
    ----------
    a, b : [n] two measurements of the same n independent units.

    Examples
    --------
    >>> same = np.array([0.1, 0.2, 0.3])
    >>> paired_t(same, same).value, paired_t(same, same).width
    (0.0, 0.0)
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    _same_length("a, b", a, b)
    difference = a - b
    return _delta(difference, np.ones_like(difference), level, "paired_t", n_unit)


def ratio_delta(
    num: Floats,
    den: Floats,
    cluster: Ints | None = None,
    level: float = 0.95,
    n_unit: str = "clusters",
) -> Interval:
    """Estimate Σ num / Σ den with a delta-method interval clustered by ``cluster``.

    Parameters
    ----------
    num, den : [n] terms of the numerator and of the denominator.
    cluster : [n] id of the independent unit (user) of every row; ``None``: each row its own.

    Returns
    -------
    Interval
        Width exactly 0 when num / den is constant; ``undefined`` when Σ den = 0;
        ``not_enough_data`` below two clusters.

    Examples
    --------
    >>> r = ratio_delta(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]))
    >>> r.value, r.width
    (2.0, 0.0)
    """
    num, den = np.asarray(num, dtype=np.float64), np.asarray(den, dtype=np.float64)
    _same_length("num, den", num, den)
    if cluster is not None:
        _same_length("num, cluster", num, cluster)
        num, den = _cluster_sums(cluster, num, den)
    return _delta(num, den, level, "ratio_delta", n_unit)


def ratio_difference(
    num_a: Floats,
    den_a: Floats,
    num_b: Floats,
    den_b: Floats,
    level: float = 0.95,
    n_unit: str = "clusters",
) -> Interval:
    """Estimate Σ num_a / Σ den_a - Σ num_b / Σ den_b, paired within clusters.

    What cluster g adds to the error is e_g(a) / Σ den_a - e_g(b) / Σ den_b, so that whatever
    moves both ratios together cancels; two identical ratios differ by exactly 0 ± 0.

    Parameters
    ----------
    num_a, den_a, num_b, den_b : [G] sums per cluster, the same cluster in the same position.
    """
    method = "ratio_difference"
    _same_length("num_a, den_a, num_b, den_b", num_a, den_a, num_b, den_b)
    problem = _undefined(num_a, den_a, method, n_unit) or _undefined(num_b, den_b, method, n_unit)
    if problem is not None:
        return problem
    value_a, error_a = _ratio_and_errors(num_a, den_a)
    value_b, error_b = _ratio_and_errors(num_b, den_b)
    return _around(value_a - value_b, error_a - error_b, level, method, n_unit)


def proportion(successes: int, n: int, level: float = 0.95, n_unit: str = "trials") -> Interval:
    """Estimate a share with Wilson's score interval, which stays inside [0, 1].

    Examples
    --------
    >>> p = proportion(8, 10)
    >>> p.value, round(p.low, 4), round(p.high, 4)
    (0.8, 0.4902, 0.9433)
    """
    if not 0 <= successes <= n:
        raise InputError(f"{successes} of {n}", "successes", "0 <= successes <= n")
    if n == 0:
        return no_interval("not_enough_data", "no trials", "wilson", 0, n_unit)
    z = float(special.ndtri(0.5 + level / 2.0))
    p, shrink = successes / n, 1.0 + z * z / n
    centre = (p + z * z / (2 * n)) / shrink
    half = z / shrink * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Interval(p, low, high, "wilson", n, n_unit)


def coverage(truth: float, low: Floats, high: Floats) -> Interval:
    """Estimate how often an interval contains the truth, with Wilson's interval.

    Parameters
    ----------
    truth : the number being estimated.
    low, high : [R] bounds in R independent replications; a replication whose bounds are not
        finite has no interval and counts as a miss.
    """
    _same_length("low, high", low, high)
    hits = (np.asarray(low) <= truth) & (truth <= np.asarray(high))
    return proportion(int(hits.sum()), len(hits), n_unit="replications")


def ratio_replications(
    num: Floats, den: Floats, cluster: Ints | None = None, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Compute :func:`ratio_delta` for R replications at once.

    Parameters
    ----------
    num, den : [R, n] terms; one replication per row, Σ den != 0 in each.
    cluster : [n] id of every column's unit, the same in all replications.

    Returns
    -------
    value, low, high : [R].
    """
    num, den = np.asarray(num, dtype=np.float64), np.asarray(den, dtype=np.float64)
    if cluster is not None:
        order = np.argsort(cluster, kind="stable")
        starts = np.unique(np.asarray(cluster)[order], return_index=True)[1]
        num = np.add.reduceat(num[:, order], starts, axis=1)
        den = np.add.reduceat(den[:, order], starts, axis=1)
    clusters, total = num.shape[1], den.sum(axis=1)
    if clusters < 2 or not np.all(total):
        raise InputError(
            f"{clusters} clusters, smallest |sum of den| {np.abs(total).min(initial=0):g}",
            "ratio_replications",
            "at least 2 clusters and a denominator that is not 0 in every replication",
        )
    value = num.sum(axis=1) / total
    error = num - value[:, None] * den
    squares = np.einsum("rg,rg->r", error, error)
    half = np.sqrt(squares * clusters / (clusters - 1)) / np.abs(total)
    half = half * student_quantile(clusters - 1, level)
    return value, value - half, value + half


def _delta(num: Floats, den: Floats, level: float, method: str, n_unit: str) -> Interval:
    problem = _undefined(num, den, method, n_unit)
    if problem is not None:
        return problem
    value, error = _ratio_and_errors(num, den)
    return _around(value, error, level, method, n_unit)


def _undefined(num: Floats, den: Floats, method: str, n_unit: str) -> Interval | None:
    n = len(num)
    bad = n - int((np.isfinite(num) & np.isfinite(den)).sum())
    if bad:
        reason = f"{bad} of {n} {n_unit} are not finite"
        return no_interval("undefined", reason, method, n, n_unit)
    if n < 2:
        reason = f"{n} {n_unit}: an interval needs at least 2"
        return no_interval("not_enough_data", reason, method, n, n_unit)
    if float(den.sum()) == 0.0:
        return no_interval("undefined", "the denominator sums to 0", method, n, n_unit)
    return None


def _ratio_and_errors(num: Floats, den: Floats) -> tuple[float, Floats]:
    """Return the ratio and e_g / Σ den; errors that are all rounding are exactly 0."""
    total = float(den.sum())
    value = float(num.sum()) / total
    predicted = value * den
    error = num - predicted
    if np.all(np.abs(error) <= _ROUNDING * (np.abs(num) + np.abs(predicted))):
        error = np.zeros_like(error)
    return value, error / total


def _around(value: float, error: Floats, level: float, method: str, n_unit: str) -> Interval:
    n = len(error)
    se = float(np.sqrt(n / (n - 1) * np.dot(error, error)))
    half = student_quantile(n - 1, level) * se
    return Interval(value, value - half, value + half, method, n, n_unit)


def _cluster_sums(cluster: Ints, num: Floats, den: Floats) -> tuple[Floats, Floats]:
    keys, index = np.unique(np.asarray(cluster), return_inverse=True)
    sums = np.zeros((2, len(keys)))
    np.add.at(sums[0], index, num)
    np.add.at(sums[1], index, den)
    return sums[0], sums[1]


def _same_length(names: str, *arrays: Floats | Ints) -> None:
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) > 1 or any(len(s) != 1 for s in shapes):
        raise InputError(f"shapes {sorted(shapes)}", names, "one-dimensional, of one length")
