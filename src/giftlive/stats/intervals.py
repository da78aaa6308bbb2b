"""A 95 % interval for a mean, a paired difference, a ratio, a share, and by influence.

Every function returns an :class:`Interval`, whose ``status`` says whether there is a number at
all. The mean, the difference and the ratio share one formula, the delta method on clusters::

    v   = Σ_g num_g / Σ_g den_g                       g runs over the G clusters
    e_g = num_g - v · den_g                           what cluster g adds to the error
    se² = G/(G-1) · Σ_g e_g² / (Σ_g den_g)²
    v ± t(G-1) · se                                   t: Student's quantile

Assumption: clusters are independent. When they are not (users who compete for the same seats)
the interval is too narrow. At heavy tails the normal limit is far away; ``print_rule`` decides.

The ``*_replications`` forms take one replication per row and return arrays; they exist so that
coverage can be measured over thousands of replications.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from giftlive.errors import InputError
from giftlive.stats.cluster_errors import (
    LARGEST,
    LARGEST_RATIO,
    ROUNDING,
    columns_per_cluster,
    per_cluster,
    ratio_errors,
    same_length,
    terms_per_cluster,
    unit_of,
    without_rounding,
)
from giftlive.types import Floats, Ints

Status = Literal["ok", "not_enough_data", "undefined"]


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval, or the reason why there is none.

    Attributes
    ----------
    value : the estimate; ``None`` exactly when ``status`` is not "ok".
    low, high : its bounds; ``None`` without a value, and where the print rule withholds them.
    method : how the interval was made. n, n_unit : how many independent units stand behind it.
    reason : in words, why something is missing ("" when nothing is).
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


def withheld(interval: Interval, reason: str) -> Interval:
    """Return the estimate without its bounds, and why they are not printed."""
    return replace(interval, low=None, high=None, reason=reason)


def student_quantile(degrees: int, level: float) -> float:
    """Return the two-sided Student quantile: P(|T| <= result) = ``level``.

    Examples
    --------
    >>> round(student_quantile(10, 0.95), 3)
    2.228
    """
    return float(special.stdtrit(degrees, 0.5 + checked_level(level) / 2.0))


def checked_level(level: float) -> float:
    """Return ``level`` when it is a share strictly between 0 and 1, else refuse it."""
    if not 0.0 < level < 1.0:
        raise InputError(f"level {level:g}", "level", "a number strictly between 0 and 1")
    return level


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
    same_length("a, b", a, b)
    with np.errstate(over="ignore", invalid="ignore"):  # what is no number gets a status below
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
    num, den = terms_per_cluster(num, den, cluster)
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
    same_length("num_a, den_a, num_b, den_b", num_a, den_a, num_b, den_b)
    problem = undefined_ratio(num_a, den_a, method, n_unit)
    problem = problem or undefined_ratio(num_b, den_b, method, n_unit)
    if problem is not None:
        return problem
    value_a, error_a = ratio_errors(num_a, den_a)
    value_b, error_b = ratio_errors(num_b, den_b)
    return _around(float(value_a - value_b), error_a - error_b, level, method, n_unit)


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
    z = float(special.ndtri(0.5 + checked_level(level) / 2.0))
    if n == 0:
        return no_interval("not_enough_data", "no trials", "wilson", 0, n_unit)
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
    same_length("low, high", low, high)
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
    num, den = columns_per_cluster("ratio_replications", num, den, cluster)
    value, error = ratio_errors(num, den)
    return _replicated(value, error, level)


def influence_t(
    value: float,
    psi: Floats,
    cluster: Ints | None = None,
    level: float = 0.95,
    n_unit: str = "clusters",
    method: str = "influence_t",
) -> Interval:
    """Turn a statistic's influence values into Student's interval, clustered by ``cluster``.

    With row weights w the statistic is T(w) = T(1) + Σ_i (w_i - 1) ψ_i + o(.), the von Mises
    expansion; its error is therefore a sum over the G clusters, ψ_g the sum of a cluster's ψ_i::

        se² = G/(G-1) · Σ_g ψ_g²            value ± t(G-1) · se

    Assumption: clusters are independent and the statistic is smooth enough for the expansion
    (a quantile needs a density, a maximum has none). Influence values that are nothing but
    rounding next to ``value`` give width exactly 0.

    Parameters
    ----------
    value : the statistic on the sample, T(1).
    psi : [n] influence of every row; Σ ψ = 0 for statistics that ignore the scale of w.
    cluster : [n] id of the independent unit (user) of every row; ``None``: each row its own.
    method : how the influence values were made, when the name should say more.

    Returns
    -------
    Interval
        ``undefined`` when ``value`` or an influence value is not finite; ``not_enough_data``
        below two clusters.

    References
    ----------
    Hampel (1974), "The influence curve and its role in robust estimation"; Deville (1999),
    "Variance estimation for complex statistics and estimators: linearization and residuals".

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> i = influence_t(2.0, (x - 2.0) / 3)  # the mean: student_t again
    >>> i.value, round(i.width, 3)
    (2.0, 4.968)
    """
    psi = np.asarray(psi, dtype=np.float64)
    if cluster is not None:
        same_length("psi, cluster", psi, cluster)
        psi = per_cluster(cluster, psi)[0]
    problem = undefined_influence(value, psi, method, n_unit)
    if problem is not None:
        return problem
    return _around(float(value), without_rounding(value, psi), level, method, n_unit)


def influence_replications(
    value: Floats, psi: Floats, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Compute :func:`influence_t` for R replications at once.

    Parameters
    ----------
    value : [R]. psi : [R, G] influence of every cluster, G >= 2.

    Returns
    -------
    value, low, high : [R]; bounds are nan where ``value`` or an influence value is not finite
        (or an influence is beyond 1e150).
    """
    value, psi = np.asarray(value, dtype=np.float64), np.asarray(psi, dtype=np.float64)
    if psi.ndim != 2 or psi.shape[1] < 2 or len(value) != len(psi):
        raise InputError(f"shapes {value.shape}, {psi.shape}", "value, psi", "[R], [R, G >= 2]")
    defined = np.isfinite(value) & (np.abs(psi) <= LARGEST).all(axis=1)
    error = without_rounding(value, np.where(defined[:, None], psi, np.nan))
    return _replicated(value, error, level)


def undefined_ratio(num: Floats, den: Floats, method: str, n_unit: str) -> Interval | None:
    """Say why Σ num / Σ den [G] has no interval, or return ``None`` when it has one."""
    n = len(num)
    bad = n - int(((np.abs(num) <= LARGEST) & (np.abs(den) <= LARGEST)).sum())  # nan is not <=
    if bad:
        reason = f"{bad} of {n} {n_unit} are not finite (or beyond {LARGEST:g})"
        return no_interval("undefined", reason, method, n, n_unit)
    if n < 2:
        reason = f"{n} {n_unit}: an interval needs at least 2"
        return no_interval("not_enough_data", reason, method, n, n_unit)
    if abs(float(den.sum())) <= ROUNDING * float(np.abs(den).sum()):
        return no_interval("undefined", "the denominator sums to 0", method, n, n_unit)
    if float(np.abs(num).sum()) / LARGEST_RATIO > abs(float(den.sum())):
        reason = f"the ratio is beyond {LARGEST_RATIO:g}: the denominator is too near 0"
        return no_interval("undefined", reason, method, n, n_unit)
    return None


def undefined_influence(value: float, psi: Floats, method: str, n_unit: str) -> Interval | None:
    """Say why influence values [G] give no interval, or return ``None`` when they do."""
    problem = undefined_ratio(psi, np.ones_like(psi), method, n_unit)
    if problem is None and not np.isfinite(value):
        reason = "the statistic is undefined on the sample itself"
        return no_interval("undefined", reason, method, len(psi), n_unit)
    return problem


def _delta(num: Floats, den: Floats, level: float, method: str, n_unit: str) -> Interval:
    problem = undefined_ratio(num, den, method, n_unit)
    if problem is not None:
        return problem
    value, error = ratio_errors(num, den)
    return _around(float(value), error, level, method, n_unit)


def _around(value: float, error: Floats, level: float, method: str, n_unit: str) -> Interval:
    n = len(error)
    unit = unit_of(error)
    error = error / unit
    se = float(unit * np.sqrt(n / (n - 1) * np.dot(error, error)))
    half = student_quantile(n - 1, level) * se
    return Interval(value, value - half, value + half, method, n, n_unit)


def _replicated(value: Floats, error: Floats, level: float) -> tuple[Floats, Floats, Floats]:
    clusters = error.shape[1]
    unit = unit_of(error)
    error = error / unit[:, None]
    se = unit * np.sqrt(np.einsum("rg,rg->r", error, error) * clusters / (clusters - 1))
    half = student_quantile(clusters - 1, level) * se
    return value, value - half, value + half
