"""Ranking and calibration metrics with their influence values (see ``giftlive.stats.influence``).

Each function returns the number of its namesake in ``giftlive.metrics`` together with ψ [n], the
derivative of that number with respect to the weight of each row, from one sort and a few running
sums. Ties stand in one block, in the metric and in its derivative alike. A prepared ``Ranked``
is not sorted again, and a column that already stands in order costs one pass.

Where a border cuts the ranking (the top k %, the edge of a bin) the derivative contains the
mean outcome *at* the border, which rows can only give *near* it: ``_mean_at`` says how near.

``ndcg`` at a fixed number of places is left out on purpose: it depends on as many rows however
long the log, so it has no normal limit and no honest interval of this kind.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from giftlive.metrics.occurrence import CLIP, reliability
from giftlive.metrics.order import Ranked, Ranking, checked_fraction, column
from giftlive.stats import influence
from giftlive.stats.influence import Linearised, undefined
from giftlive.stats.intervals import Interval, influence_t
from giftlive.types import Floats, Ints

_FOLD = (2.0 / np.pi) ** 0.5
"""Mean size of a standard normal number."""


def revenue_capture(y: ArrayLike, score: ArrayLike | Ranked, fraction: float) -> Linearised:
    """Estimate the share C of Σ amount held by the top ``fraction`` f of rows by ``score``.

    With in_i the part of row i inside the top and c the mean amount at its border::

        ψ_i = [ in_i·(y_i − c) + f·c − C·y_i ] / Σy

    A row that gains weight brings its own amount, and moves the border: from inside it pushes
    1 − f of a row out, from outside it draws f of a row in.

    Parameters
    ----------
    y : [n] amounts >= 0. score : [n], or prepared. fraction : in (0, 1].

    Returns
    -------
    Linearised
        nan if there are no rows or no amount.

    Examples
    --------
    >>> found = revenue_capture([0.0, 5.0, 15.0, 0.0], [1.0, 2.0, 3.0, 0.5], 0.25)
    >>> found.value, found.influence.tolist()
    (0.75, [0.125, -0.0625, -0.1875, 0.125])
    """
    checked_fraction(fraction)
    ranking = Ranking.by(score)
    n = len(ranking.order)
    amount = column(y, "y", n)
    mass, money = _mass(ranking), ranking.curve(amount)
    if not money[-1] > 0.0:
        return undefined(n)
    border = fraction * n
    value = float(np.interp(border, mass, money) / money[-1])
    inside = ranking.share_within(border, np.ones(n))
    c = float(_mean_at(np.array([border]), mass, money)[0])
    psi = inside * (amount - c) + fraction * c - value * amount
    return Linearised(value, psi / money[-1])


def calibration_ratio(y: ArrayLike, predicted: ArrayLike) -> Linearised:
    """Estimate R = Σ predicted / Σ actual, ψ_i = (predicted_i − R·actual_i) / Σ actual.

    Examples
    --------
    >>> calibration_ratio([0.0, 10.0], [4.0, 8.0]).value
    1.2
    """
    amount = column(y, "y")
    return influence.ratio(column(predicted, "predicted", len(amount)), amount)


def calibration_at(y: ArrayLike, predicted: ArrayLike | Ranked, fraction: float) -> Linearised:
    """Estimate R = Σ predicted / Σ actual among the top ``fraction`` f by prediction.

    With in_i the part of row i inside, q the prediction and c the mean amount at the border::

        ψ_i = [ in_i·(predicted_i − R·y_i) + (f − in_i)·(q − R·c) ] / Σ in·y

    Undefined (nan) when the top holds no actual amount.
    """
    checked_fraction(fraction)
    ranking = Ranking.by(predicted)
    n = len(ranking.order)
    guess, amount = column(predicted, "predicted"), column(y, "y", n)
    mass, border = _mass(ranking), np.array([fraction * n])
    inside = ranking.share_within(fraction * n, np.ones(n))
    held = float(np.sum(inside * amount))
    if not held > 0.0:
        return undefined(n)
    value = float(np.sum(inside * guess)) / held
    last = ranking.starts[np.searchsorted(mass, border)[0] - 1]
    q = float(guess[ranking.order[last]])
    c = float(_mean_at(border, mass, ranking.curve(amount))[0])
    psi = inside * (guess - value * amount) + (fraction - inside) * (q - value * c)
    return Linearised(value, psi / held)


def pr_auc(y: ArrayLike, score: ArrayLike | Ranked) -> Linearised:
    """Estimate average precision, AP = Σ_b h_b·H_b/M_b / P.

    b runs over distinct scores, highest first; h_b gifts in block b, H_b gifts and M_b rows down
    to its end, P all gifts. With z_i = 1 for a gift and b(i) the block of row i::

        ψ_i = [ z_i·(H/M)_b(i) − AP·z_i + Σ_{b ≥ b(i)} h_b·(z_i − H_b/M_b) / M_b ] / P

    A row changes the precision of every gift at or below its own rank, its own block included.
    Undefined (nan) without a gift.

    Examples
    --------
    >>> pr_auc([1.0, 0.0, 1.0], [0.9, 0.8, 0.7]).value
    0.8333333333333333
    """
    ranking = Ranking.by(score)
    z = _occurred(y, len(ranking.order))
    hits, mass = ranking.curve(z), _mass(ranking)[1:]
    total = hits[-1]
    if not total > 0.0:
        return undefined(len(z))
    precision, new = hits[1:] / mass, np.diff(hits)
    value = float(np.sum(new * precision) / total)
    gain, loss = (_from_here_down(new * v / mass) for v in (np.ones_like(mass), precision))
    psi = z * (ranking.per_row(precision + gain) - value) - ranking.per_row(loss)
    return Linearised(value, psi / total)


def roc_auc(y: ArrayLike, score: ArrayLike | Ranked) -> Linearised:
    """Estimate A = P(score of a gift > score of a non-gift) + half of P(equal).

    For one of P gifts ψ_i = (share of the N non-gifts below it − A)/P, for a non-gift
    ψ_i = (share of gifts above it − A)/N, ties by halves. Undefined (nan) unless both occur.
    Reference: DeLong, DeLong, Clarke-Pearson (1988), equations 2 and 3.

    Examples
    --------
    >>> roc_auc([1.0, 0.0, 1.0], [0.9, 0.8, 0.7]).value
    0.5
    """
    ranking = Ranking.by(score)
    z = _occurred(y, len(ranking.order))
    gifts = float(z.sum())
    others = len(z) - gifts
    if not (gifts > 0.0 and others > 0.0):
        return undefined(len(z))
    below = 0.5 - 0.5 * _above_minus_below(ranking, 1.0 - z) / others
    above = 0.5 + 0.5 * _above_minus_below(ranking, z) / gifts
    value = float(np.sum(z * below) / gifts)
    return Linearised(value, np.where(z > 0.0, (below - value) / gifts, (above - value) / others))


def log_loss(y: ArrayLike, p: ArrayLike) -> Linearised:
    """Estimate the mean of −log(probability given to what happened), ψ_i = (loss_i − mean) / n.

    Probabilities are kept 1e-15 away from 0 and 1. Undefined (nan) without rows.

    Examples
    --------
    >>> round(log_loss([1.0, 0.0], [0.5, 0.5]).value, 6)
    0.693147
    """
    z = _occurred(y, len(column(p, "p")))
    q = np.clip(column(p, "p"), CLIP, 1.0 - CLIP)
    return influence.mean(-np.where(z > 0.0, np.log(q), np.log1p(-q)))


def ece(y: ArrayLike, p: ArrayLike | Ranked, bins: int = 15) -> Linearised:
    """Estimate the expected calibration error E over ``bins`` of equal mass.

    With e_i = p_i − z_i the error of row i, s_b the sign of the summed error of bin b, in_ib the
    part of row i inside it, and for border j at the fraction t_j of the rows, between the bins
    j and j + 1 (highest first), in_ij the part of row i above it and ē_j the mean error there::

        ψ_i = [ Σ_b s_b·in_ib·e_i + Σ_j (s_j − s_{j+1})·(t_j − in_ij)·ē_j − E ] / n

    Assumption: no bin is in balance. Where the error of a bin is small against its noise, E is
    biased upward by noise of order sqrt(rate·bins/n), and an interval around E misses the truth:
    take ``debiased_ece``.
    Undefined (nan) without rows.
    """
    ranked = p if isinstance(p, Ranked) else Ranked.of(p)
    n = len(ranked.values)
    z = _occurred(y, n)
    if not n:
        return undefined(n)
    table = reliability(y, ranked, bins)
    gap = (table.predicted - table.actual)[::-1]
    side, value = np.sign(gap), float(np.sum(np.abs(gap)) / table.weight.sum())
    ranking, error = ranked.ranking, ranked.values - z
    mass, borders = _mass(ranking), np.linspace(0.0, float(n), bins + 1)
    near = _mean_at(borders[1:-1], mass, ranking.curve(error))
    push = -np.diff(side) * near
    drawn = float(np.sum(push * borders[1:-1])) / n
    pushed = np.append(_from_here_down(push), 0.0)
    psi = error * _averaged(ranking, side) + drawn - _averaged(ranking, pushed) - value
    return Linearised(value, psi / n)


def debiased_ece(
    y: ArrayLike,
    p: ArrayLike | Ranked,
    cluster: Ints,
    bins: int = 15,
    level: float = 0.95,
    n_unit: str = "clusters",
) -> Interval:
    """Estimate the expected calibration error without the part that noise adds to it.

    With d_b the size of the summed error of bin b over n, and s_b its clustered standard error
    (at least that of independent rows, Σ_b p·(1 − p)), d_b is a draw of |N(μ_b, s_b)|::

        E  = Σ_b μ_b,  μ_b solves  mean |N(μ_b, s_b)| = d_b  (0 where no μ_b is small enough)
        E ± t(G − 1)·se,  se from the influence values of ``ece``

    The interval begins at 0 where the data do not contradict perfect calibration: where Σ_b d_b
    stays below its mean under calibration, Σ_b s_b·sqrt(2/π), plus 1.96 standard deviations.
    Assumption: bins are nearly independent, and large enough for the errors to be normal.

    Parameters
    ----------
    y : [n] positive = a gift. p : [n] probabilities, or prepared. cluster : [n] user of each row.

    Returns
    -------
    Interval
        Without a number below two clusters, and so without rows.
    """
    ranked = p if isinstance(p, Ranked) else Ranked.of(p)
    raw, method = ece(y, ranked, bins), "influence_t(debiased)"
    plain = influence_t(raw.value, raw.influence, cluster, level, n_unit, method)
    if plain.high is None:
        return plain
    z = _occurred(y, len(raw.influence))
    found, noise = _bin_errors(z, ranked, cluster, bins, plain.n)
    value = float(np.sum(_unfolded(found, noise)))
    floor, spread = float(noise.sum()) * _FOLD, float(np.sqrt(np.sum(noise**2) * (1 - _FOLD**2)))
    half = plain.high - raw.value
    calm = raw.value <= floor + float(special.ndtri(0.5 + level / 2.0)) * spread
    return replace(plain, value=value, low=0.0 if calm else value - half, high=value + half)


def _bin_errors(
    z: Floats, ranked: Ranked, cluster: Ints, bins: int, clusters: int
) -> tuple[Floats, Floats]:
    """Return [b] the size of every bin's error over n, and its clustered standard error."""
    n, error = len(z), ranked.values - z
    found, noise = np.empty(bins), np.empty(bins)
    index = np.unique(np.asarray(cluster), return_inverse=True)[1]
    for b, bin_only in enumerate(np.eye(bins)):
        inside = _averaged(ranked.ranking, bin_only)
        total = float(np.sum(inside * error))
        apart = np.bincount(index, inside * (error - total * bins / n), clusters)
        least = float(np.sum(inside * ranked.values * (1.0 - ranked.values)))
        variance = clusters / (clusters - 1) * float(np.dot(apart, apart))
        found[b], noise[b] = abs(total) / n, max(variance, least) ** 0.5 / n
    return found, noise


def _unfolded(found: Floats, noise: Floats) -> Floats:
    """Return the mean μ >= 0 of the normal whose absolute value has the mean ``found``."""
    low, high = np.zeros_like(found), found.copy()  # mean |N(μ, s)| lies above μ
    for _ in range(60):
        middle = (low + high) / 2.0
        u = np.divide(middle, noise, out=np.full_like(middle, 40.0), where=noise > 0.0)
        u = np.minimum(u, 40.0)
        mean = noise * _FOLD * np.exp(-u * u / 2.0) + middle * special.erf(u / 2.0**0.5)
        low, high = np.where(mean < found, middle, low), np.where(mean < found, high, middle)
    return high


def normalised_gini(y: ArrayLike | Ranked, score: ArrayLike | Ranked) -> Linearised:
    """Estimate Γ = C(score) / C(y), C(s) = ½ Σ_ij sign(s_i − s_j)·(y_i − y_j).

    With c_i(s) = Σ_j sign(s_i − s_j)·(y_i − y_j), ψ_i = [c_i(score) − Γ·c_i(y)] / C(y).
    Undefined (nan) when ``y`` is constant or sums to 0.

    Examples
    --------
    >>> normalised_gini([0.0, 1.0, 9.0], [0.1, 0.2, 0.3]).value
    1.0
    """
    found = Ranking.by(score)
    amount = column(y, "y", len(found.order))
    own, best = (_concentration(amount, r) for r in (found, Ranking.by(y)))
    whole = float(best.sum()) / 2.0
    if not whole > 0.0:
        return undefined(len(amount))
    value = float(own.sum()) / 2.0 / whole
    return Linearised(value, (own - value * best) / whole)


def spearman(a: ArrayLike | Ranked, b: ArrayLike | Ranked) -> Linearised:
    """Estimate the rank correlation ρ = Q_ab / sqrt(Q_aa·Q_bb), Q_ab = Σ_i r_i(a)·r_i(b).

    r_i(a) is the centred mid-rank. A row changes Q by its own product and by moving the rank of
    every other row by one half, up or down::

        q_k(a, b) = r_k(a)·r_k(b) + ½ Σ_i [sign(a_i − a_k)·r_i(b) + sign(b_i − b_k)·r_i(a)]
        ψ_k       = q_k(a, b)/sqrt(Q_aa·Q_bb) − ρ/2·[q_k(a, a)/Q_aa + q_k(b, b)/Q_bb]

    Undefined (nan) when either column is constant.

    Examples
    --------
    >>> spearman([1.0, 2.0, 3.0], [10.0, 100.0, 1000.0]).value
    1.0
    """
    n = len(column(a, "a"))
    column(b, "b", n)
    one, other = Ranking.by(a), Ranking.by(b)
    r, s = (-0.5 * _above_minus_below(ranking, np.ones(n)) for ranking in (one, other))
    q_rr, q_ss = float(np.dot(r, r)), float(np.dot(s, s))
    spread = (q_rr * q_ss) ** 0.5
    if not spread > 0.0:
        return undefined(n)
    value = float(np.dot(r, s)) / spread
    moved = 0.5 * (_above_minus_below(one, s) + _above_minus_below(other, r))
    psi = (r * s + moved) / spread
    for ranking, rank, q in ((one, r, q_rr), (other, s, q_ss)):
        psi -= value / 2.0 * (rank * rank + _above_minus_below(ranking, rank)) / q
    return Linearised(value, psi)


def _occurred(y: ArrayLike | Ranked, size: int) -> Floats:
    return (column(y, "y", size) > 0.0).astype(np.float64)


def _mass(ranking: Ranking) -> Floats:
    """Return [g + 1] how many rows stand above the end of each block, starting at 0."""
    return np.append(ranking.starts, len(ranking.order)).astype(np.float64)


def _above_minus_below(ranking: Ranking, values: Floats) -> Floats:
    """Return [n] Σ_i sign(s_i − s_k)·values_i for every row k."""
    curve = ranking.curve(values)
    return ranking.per_row(curve[:-1] + curve[1:] - curve[-1])


def _concentration(amount: Floats, ranking: Ranking) -> Floats:
    """Return [n] Σ_j sign(s_i − s_j)·(y_i − y_j)."""
    ones = np.ones_like(amount)
    return _above_minus_below(ranking, amount) - amount * _above_minus_below(ranking, ones)


def _from_here_down(blocks: Floats) -> Floats:
    """Return [g] the sum over every block at or below each one."""
    return np.cumsum(blocks[::-1])[::-1]


def _averaged(ranking: Ranking, steps: Floats) -> Floats:
    """Return [n] the mean over each row's block of a function with equal ``steps`` along it."""
    mass = _mass(ranking)
    borders = np.linspace(0.0, mass[-1], len(steps) + 1)
    area = np.concatenate([[0.0], np.cumsum(steps * np.diff(borders))])
    return ranking.per_row(np.diff(np.interp(mass, borders, area)) / np.diff(mass))


def _mean_at(borders: Floats, mass: Floats, sums: Floats) -> Floats:
    """Return [b] the mean of a column at each border of a ranking, from its running ``sums``.

    A border inside a block of ties has the mean of that block, exactly. Otherwise the mean is
    taken over a window around it that reaches half-way to the nearer neighbouring border (or
    end). The window grows with n, so the variance of the mean vanishes; its bias does not, but
    it is of second order in the window (symmetric, so a slope cancels). Both matter little, since
    ψ holds this mean against single amounts, which are far larger: at 10,000 users a window 4
    times narrower or 2 times wider moves the standard error of a capture by 2 % at most on
    average.
    """
    edges = np.concatenate([[0.0], borders, mass[-1:]])
    gaps = np.diff(edges)
    half = np.minimum(gaps[:-1], gaps[1:]) / 2.0
    end = np.searchsorted(mass, borders)
    size = mass[end] - mass[end - 1]
    block = (sums[end] - sums[end - 1]) / size
    reached = np.interp(borders + half, mass, sums) - np.interp(borders - half, mass, sums)
    near = np.divide(reached, 2.0 * half, out=block.copy(), where=half > 0.0)
    return np.where((size > half) & (borders < mass[end]), block, near)
