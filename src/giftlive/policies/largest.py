"""The probability that each of several uncertain values is the largest, and a draw from it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from giftlive.policies.choice import open_seats, pick, refuse_nan, seat_counter, take_seat
from giftlive.types import DecisionBatch, Decisions, Floats, Ints

_REACH, _NODES, _LOWEST = 6.0, 64, -700.0
_SURE = 9.5  # standard normal: from 8.3 on its distribution function is 1 in floating point


def draw_largest(
    batch: DecisionBatch,
    mean: Floats,
    sd: Floats,
    uniforms: Floats,
    *,
    gamma: bool,
    guard: bool,
    floor: float,
) -> Decisions:
    """Draw one open column by the chance that its uncertain value is the largest of the open ones.

    This is Thompson sampling with the propensity known: instead of drawing every value and showing
    the largest, the chance of each to be it is computed, and the room drawn from those. They are
    the exact propensities of what is done, whatever the quadrature leaves of the integral
    P(X_j = max) = ∫ Π_k F_k d log F_j.

    Parameters
    ----------
    mean, sd : [n, m] of the independent values; sd = 0 is a known value.
    uniforms : [n] in [0, 1). gamma : Gamma instead of normal values, by Wilson and Hilferty's cube
        root; a mean not above 0 is then known. guard, floor : as ``choice.draw``.
    """
    seen = batch.observation
    choice, chances, bad = _draw(
        mean, sd, seen.rooms, seen.seats_left, uniforms, gamma, guard, floor
    )
    refuse_nan(bad)
    return Decisions(choice, chances)


@njit(cache=True)
def largest(mean: Floats, sd: Floats, gamma: bool) -> Floats:
    """Return [m] P(X_j is the largest) of independent normal or Gamma values.

    Between neighbouring nodes of a grid the rise of Π F_k is shared in proportion to the rises of
    the log F_k, which keeps the shares >= 0 and their sum 1. The first half of the grid follows
    the value whose lower end is highest, the second runs on to the highest end.
    """
    m = mean.shape[0]
    chances, head = np.zeros(m), 0
    for k in range(1, m):
        low, held = _end(mean[k], sd[k], gamma, -_REACH), _end(mean[head], sd[head], gamma, -_REACH)
        if low > held or (low == held and (mean[k], sd[k]) > (mean[head], sd[head])):
            head = k
    top = _end(mean[head], sd[head], gamma, _REACH)
    for k in range(m):
        top = max(top, _end(mean[k], sd[k], gamma, _REACH))
    bottom = _end(mean[head], sd[head], gamma, -_REACH)
    rivals = np.empty(m, np.int64)
    count = 0
    for k in range(m):
        if _end(mean[k], sd[k], gamma, _REACH) >= bottom:
            rivals[count] = k
            count += 1
    _share_out(mean, sd, gamma, rivals[:count], head, top, chances)
    return chances / chances.sum()


@njit(cache=True)
def _share_out(
    mean: Floats, sd: Floats, gamma: bool, rivals: Ints, head: int, top: float, chances: Floats
) -> None:
    middle = _end(mean[head], sd[head], gamma, _REACH)
    before, rise, sure = np.empty(len(rivals)), np.empty(len(rivals)), np.empty(len(rivals))
    for r, k in enumerate(rivals):
        sure[r] = _sure(mean[k], sd[k], gamma)
    below = -1.0
    for node in range(2 * _NODES + 1 if top > middle else _NODES + 1):
        if node <= _NODES:
            t = _end(mean[head], sd[head], gamma, _REACH * (2.0 * node / _NODES - 1.0))
        else:
            t = middle + (top - middle) * (node - _NODES) / _NODES
        total, risen = 0.0, 0.0
        for r, k in enumerate(rivals):
            log_f = 0.0 if t >= sure[r] else _log_cdf(t, mean[k], sd[k], gamma)
            rise[r] = log_f - before[r] if below >= 0.0 else log_f - _LOWEST
            before[r] = log_f
            total += log_f
            risen += rise[r]
        under = math.exp(total)
        gained = under - max(below, 0.0)
        if risen > 0.0 and gained > 0.0:
            for r, k in enumerate(rivals):
                chances[k] += gained * rise[r] / risen
        below = under


@njit(cache=True)
def _end(mean: float, sd: float, gamma: bool, z: float) -> float:
    """Return the quantile of a value at the standard normal ``z``."""
    if sd <= 0.0 or (gamma and mean <= 0.0):
        return mean
    if not gamma:
        return mean + z * sd
    third = sd / (3.0 * mean)
    return mean * max(0.0, 1.0 - third * third + z * third) ** 3


@njit(cache=True)
def _sure(mean: float, sd: float, gamma: bool) -> float:
    """Return a value from which on ``_log_cdf`` is 0 to the bit; infinite where it is cheap."""
    if sd <= 1e-9 * abs(mean) or (gamma and mean <= 0.0):
        return math.inf
    return _end(mean, sd, gamma, _SURE)


@njit(cache=True)
def _log_cdf(t: float, mean: float, sd: float, gamma: bool) -> float:
    if sd <= 0.0 or (gamma and mean <= 0.0):
        return 0.0 if t >= mean else _LOWEST
    if gamma:
        third = sd / (3.0 * mean)
        z = ((max(t, 0.0) / mean) ** (1.0 / 3.0) - 1.0 + third * third) / third
    else:
        z = (t - mean) / sd
    return max(math.log(max(0.5 * math.erfc(-z / math.sqrt(2.0)), 1e-304)), _LOWEST)


@njit(cache=True)
def _draw(
    mean: Floats,
    sd: Floats,
    rooms: Ints,
    seats_left: Ints,
    uniforms: Floats,
    gamma: bool,
    guard: bool,
    floor: float,
) -> tuple[Ints, Floats, int]:
    n, m = rooms.shape
    choice, chances = np.full(n, -1, np.int64), np.zeros((n, m))
    taken = seat_counter(rooms, seats_left, guard)
    opened = np.empty(m, np.int64)
    for i in range(n):
        count = 0
        for j in range(m):
            if rooms[i, j] >= 0 and open_seats(rooms[i, j], seats_left[i, j], taken, guard):
                if not (np.isfinite(mean[i, j]) and np.isfinite(sd[i, j])):
                    return choice, chances, i
                opened[count] = j
                count += 1
        if count > 0:
            mine = opened[:count]
            share = largest(mean[i][mine], sd[i][mine], gamma)
            for r in range(count):
                chances[i, mine[r]] = (1.0 - floor) * share[r] + floor / count
            choice[i] = pick(chances[i], mine, uniforms[i])
            take_seat(rooms[i, choice[i]], taken)
    return choice, chances, -1
