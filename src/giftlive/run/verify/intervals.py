"""Intervals computed again by method: the range in which each printed bound must lie.

Three kinds. A *closed form* is computed by another formula, to 1e-9. A *resampled* interval is
compared with multinomial resamples of its own, whose draws differ: bounds within 30 % of the
width, three to five standard errors of two percentiles from a few hundred resamples. A
*linearised* interval rests on influence values ψ_g, whose sums over 200 groups of clusters drawn
at random are measured here by weighing one group after the other up and down::

    ψ_B = [T(1 + h 1_B) - T(1 - h 1_B)] / 2h;     se² = B/(B-1) Σ ψ_B²,     Σ ψ_B³

a delete-a-group jackknife in small steps (Quenouille 1956): no influence function is written down
twice, and the user who dominates is in one group alone. 200 groups know a light-tailed standard
error to 5 %: standard error and skewness may both differ by ``Clustered.slack``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from giftlive.rng import stream
from giftlive.run.verify.recomputed import (
    Clustered,
    Debiased,
    Given,
    Ordered,
    Recomputed,
    RowQuantile,
    Tail,
    Trials,
    place,
    ratio_basis,
)
from giftlive.types import Floats

EXACT = 1e-9
RESAMPLED = 0.30
_RESAMPLES, _GROUPS, _CHUNK = 400, 200, 50

Range = tuple[float, float]
Bounds = tuple[Range, Range]


class NoOtherFormError(Exception):
    """No independent form of this method is known for what the rows hold."""


def bounds(printed: Mapping[str, Any], found: Recomputed) -> tuple[Bounds, bool]:
    """Return where the low and the high of ``printed`` must lie, and whether that is exact.

    Raises
    ------
    NoOtherFormError
        No form of the method is known here, or the rows are not of the kind it needs.
    """
    method = str(printed["method"])
    for name, (form, exact) in _FORMS.items():
        if re.fullmatch(name, method):
            if found.value is None:
                break
            return form(printed, found), exact
    raise NoOtherFormError(f"no independent form of the interval {method!r}")


def _basis(found: Recomputed, kind: type[Any]) -> Any:
    if not isinstance(found.basis, kind):
        raise NoOtherFormError(f"the kept rows give no {kind.__name__.lower()} form")
    return found.basis


def _exactly(low: float, high: float, scale: float) -> Bounds:
    slack = EXACT * max(abs(low), abs(high), scale) + 1e-12
    return (low - slack, low + slack), (high - slack, high + slack)


def _kept(_: Mapping[str, Any], found: Recomputed) -> Bounds:
    """Return the bounds that were kept with the value of a single log."""
    given = _basis(found, Given)
    return _exactly(given.low, given.high, found.scale)


def _delta(printed: Mapping[str, Any], found: Recomputed) -> Bounds:
    assert found.value is not None
    if isinstance(found.basis, Given):
        return _kept(printed, found)
    half = _delta_half(_basis(found, Clustered))
    return _exactly(found.value - half, found.value + half, found.scale)


def _delta_half(basis: Clustered) -> float:
    """Return the half-width from the pseudo-values (num - v den) / mean den, whose mean is 0."""
    num, den = _terms(basis)
    pseudo = (num - num.sum() / den.sum() * den) / den.mean()
    return float(stats.t.ppf(0.975, basis.size - 1) * stats.sem(pseudo))


def _terms(basis: Clustered) -> tuple[Floats, Floats]:
    if basis.num is None or basis.den is None:
        raise NoOtherFormError("the statistic is no ratio of kept sums")
    return basis.num, basis.den


def _known(_: Mapping[str, Any], found: Recomputed) -> Bounds:
    """Return the number itself: a number without error is its own interval."""
    assert found.value is not None
    return _exactly(found.value, found.value, found.scale)


def _wilson(_: Mapping[str, Any], found: Recomputed) -> Bounds:
    basis: Trials = _basis(found, Trials)
    ends = stats.binomtest(basis.hits, basis.n).proportion_ci(0.95, method="wilson")
    return _exactly(float(ends.low), float(ends.high), 1.0)


def _order_statistics(_: Mapping[str, Any], found: Recomputed) -> Bounds:
    basis: Ordered = _basis(found, Ordered)
    n = len(basis.x)
    level = stats.binomtest(place(basis.percent, n) + 1, n).proportion_ci(0.95, method="wilson")
    low, high = np.quantile(basis.x, [level.low, level.high], method="inverted_cdf")
    return _exactly(float(low), float(high), found.scale)


def _hill(_: Mapping[str, Any], found: Recomputed) -> Bounds:
    """K divided by the estimate is Gamma(k) distributed around k divided by the index."""
    basis: Tail = _basis(found, Tail)
    assert found.value is not None
    low, high = (found.value * stats.gamma(basis.k).ppf(q) / basis.k for q in (0.025, 0.975))
    return _exactly(float(low), float(high), found.scale)


def _percentiles(_: Mapping[str, Any], found: Recomputed) -> Bounds:
    basis: Clustered = _basis(found, Clustered)
    draws = _resampled(basis)
    low, high = np.quantile(draws[np.isfinite(draws)], [0.025, 0.975])
    slack = RESAMPLED * float(high - low) + 1e-12
    return (low - slack, low + slack), (high - slack, high + slack)


def _woodruff(_: Mapping[str, Any], found: Recomputed) -> Bounds:
    """Read the quantile at levels shifted by the half-widths of F(q-) and of F(q)."""
    basis: RowQuantile = _basis(found, RowQuantile)
    short, over = (_delta_half(ratio_basis(x, basis.rows)) for x in (basis.under, basis.within))
    level, top = basis.percent / 100, len(basis.x) - 1
    ends = []
    for p in (level - short, level + over):
        near = np.clip(np.array([p * (1 - EXACT), p * (1 + EXACT)]), 0.0, 1.0)
        at = np.minimum(np.searchsorted(basis.upto * (1 + 1e-12), near), top)
        ends.append((float(basis.x[at[0]]), float(basis.x[at[1]])))
    return ends[0], ends[1]


def _linearised(printed: Mapping[str, Any], found: Recomputed) -> Bounds:
    basis: Clustered = _basis(found, Clustered)
    assert found.value is not None
    if basis.num is not None:
        half, slack = _delta_half(basis), EXACT
    else:
        half, slack = _nudged(basis)[0] * float(stats.t.ppf(0.975, basis.size - 1)), basis.slack
    scale = re.sub(r"^influence_t\(?|\)$", "", str(printed["method"])) or "plain"
    near, far = (_around(found.value, half * (1 + s), scale) for s in (-slack, slack))
    floor = 1e-12 + EXACT * max(abs(found.value), found.scale)
    return (far[0] - floor, near[0] + floor), (near[1] - floor, far[1] + floor)


def _debiased(_: Mapping[str, Any], found: Recomputed) -> Bounds:
    """Put the half-width of the raw sum around the value; 0 where noise alone explains it."""
    basis: Debiased = _basis(found, Debiased)
    assert found.value is not None
    half = _nudged(basis.raw)[0] * float(stats.t.ppf(0.975, basis.raw.size - 1))
    reach = basis.raw.slack * half + 1e-12
    low = 0.0 if basis.calm else found.value - half
    around_low = 1e-12 if basis.calm else reach
    high = found.value + half
    return (low - around_low, low + around_low), (high - reach, high + reach)


def _skewed(_: Mapping[str, Any], found: Recomputed) -> Bounds:
    """Solve Hall's cubic of the studentised error, g(T) = ±t, by bisection (Hall 1992)."""
    basis: Clustered = _basis(found, Clustered)
    assert found.value is not None
    quantile = float(stats.t.ppf(0.975, basis.size - 1))
    if basis.num is None:
        centre, slope, slack = found.value, 0.0, basis.slack
        error, skew = _nudged(basis)
    else:
        num, den = _terms(basis)
        centre, error, slack = float(num.sum() / den.sum()), _delta_half(basis) / quantile, EXACT
        residual = num - centre * den
        unit = residual / (float(np.linalg.norm(residual)) or 1.0)
        skew, slope = float(np.sum(unit**3)), float(unit @ den / den.sum())
    floor = EXACT * max(abs(centre), found.scale) + 1e-12
    low, high = (
        [
            centre - error * _hall(sign * quantile * (1 + wider), skew * (1 + heavier), slope)
            for wider in (-slack, slack)
            for heavier in (-slack, slack)
        ]
        for sign in (1.0, -1.0)
    )
    return (min(low) - floor, max(low) + floor), (min(high) - floor, max(high) + floor)


def _hall(y: float, skew: float, slope: float) -> float:
    """Return T with T + a T² + a² T³ / 3 + b = y, a = skew / 3 - slope and b = skew / 6."""
    a, b = skew / 3 - slope, skew / 6
    root = optimize.brentq(
        lambda x: x + a * x**2 + a * a * x**3 / 3 + b - y, -1e9, 1e9, xtol=1e-14, maxiter=999
    )
    return float(root)


def _around(value: float, half: float, scale: str) -> Range:
    """Return the interval that is symmetric on ``scale``: plain, log or logit."""
    if scale == "plain":
        return value - half, value + half
    if scale == "log":
        low, high = np.exp(np.log(value) + np.array([-1.0, 1.0]) * half / value)
    else:
        step = np.array([-1.0, 1.0]) * half / (value * (1.0 - value))
        low, high = special.expit(special.logit(value) + step)
    return float(low), float(high)


def _nudged(basis: Clustered) -> tuple[float, float]:
    """Return the standard error and Σ ψ³ / (Σ ψ²)^1.5 of a statistic, from nudged groups."""
    groups = min(basis.size, _GROUPS)
    group_of = stream(0, "verify groups", basis.size).permutation(basis.size) % groups
    parts = []
    for first in range(0, groups, _CHUNK):
        step = basis.step * (group_of == np.arange(first, min(first + _CHUNK, groups))[:, None])
        parts.append((basis.at(1.0 + step) - basis.at(1.0 - step)) / (2.0 * basis.step))
    slopes = np.concatenate(parts)
    length = float(np.linalg.norm(slopes))
    skew = float(np.sum((slopes / length) ** 3)) if length else 0.0
    return length * float(np.sqrt(groups / (groups - 1))), skew


def _resampled(basis: Clustered) -> Floats:
    """Return the statistic on resamples of the clusters, drawn with replacement."""
    drawn = _drawn(basis.size)
    parts = range(0, _RESAMPLES, _CHUNK)
    return np.concatenate([basis.at(drawn[i : i + _CHUNK].astype(np.float64)) for i in parts])


@lru_cache(maxsize=4)
def _drawn(clusters: int) -> Any:
    """Return [R, G] how often each cluster was drawn; one resampling serves every statistic."""
    rng = stream(0, "verify resamples", clusters)
    rows = (rng.integers(0, clusters, clusters) for _ in range(_RESAMPLES))
    return np.stack([np.bincount(r, minlength=clusters).astype(np.uint16) for r in rows])


Form = Callable[[Mapping[str, Any], Recomputed], Bounds]

_FORMS: dict[str, tuple[Form, bool]] = {
    r"student_t|paired_t|ratio_delta|delta": (_delta, True),
    r"exact": (_known, True),
    r"empirical_bernstein|betting": (_kept, True),
    r"wilson": (_wilson, True),
    r"order_statistics": (_order_statistics, True),
    r"hill": (_hill, True),
    r"poisson_bootstrap.*": (_percentiles, False),
    r"woodruff": (_woodruff, True),
    r"influence_t\(debiased\)": (_debiased, False),
    r"influence_t|influence_t\((log|logit)\)": (_linearised, False),
    r"skew_t.*": (_skewed, False),
}
"""Pattern of a method's name -> its other form, and whether that form is exact."""
