"""The probability that each of several uncertain values is the largest, and a draw from it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from scipy import special

from giftlive.policies.choice import open_seats, pick, refuse_nan, seat_counter, take_seat
from giftlive.types import DecisionBatch, Decisions, Floats, Ints

_REACH, _NODES = 6.0, 64
_LOWEST, _SURE = -37.5, 9.5  # standard normal: Φ is 0 and 1 beyond them, as far as anyone can tell
_NEVER = -700.0  # the logarithm of a chance of 0
_PER_UNIT = 64
_Z = np.linspace(_LOWEST, _SURE, round((_SURE - _LOWEST) * _PER_UNIT) + 1)
_LOG_PHI = special.log_ndtr(_Z)
_SLOPE = np.exp(-0.5 * _Z**2 - 0.5 * math.log(2.0 * math.pi) - _LOG_PHI) / _PER_UNIT


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
    middle, many = _end(mean[head], sd[head], gamma, _REACH), len(rivals)
    centre, scale = np.empty(many), np.empty(many)
    for r, k in enumerate(rivals):
        centre[r], scale[r] = _standard(mean[k], sd[k], gamma)
    before, rise, shares = np.full(many, _NEVER), np.empty(many), np.zeros(many)
    below = 0.0
    for node in range(2 * _NODES + 1 if top > middle else _NODES + 1):
        if node <= _NODES:
            t = _end(mean[head], sd[head], gamma, _REACH * (2.0 * node / _NODES - 1.0))
        else:
            t = middle + (top - middle) * (node - _NODES) / _NODES
        x = np.cbrt(max(t, 0.0)) if gamma else t
        total, risen = 0.0, 0.0
        for r in range(many):
            if scale[r] > 0.0:
                log_f = _log_phi((x - centre[r]) * scale[r])
            else:
                log_f = 0.0 if t >= centre[r] else _NEVER
            rise[r] = log_f - before[r]
            before[r] = log_f
            total += log_f
            risen += rise[r]
        under = math.exp(total)
        gained = under - below
        if risen > 0.0 and gained > 0.0:
            for r in range(many):
                shares[r] += gained * rise[r] / risen
        below = under
    for r, k in enumerate(rivals):
        chances[k] = shares[r]


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
def _standard(mean: float, sd: float, gamma: bool) -> tuple[float, float]:
    """Return centre and scale: (x - centre) * scale is standard normal for a value x.

    For Gamma values x is the value's cube root. A known value has scale 0.
    """
    if sd <= 0.0 or (gamma and mean <= 0.0):
        return mean, 0.0
    if not gamma:
        return mean, 1.0 / sd
    third, root = sd / (3.0 * mean), np.cbrt(mean)
    return root * (1.0 - third * third), 1.0 / (root * third)


@njit(cache=True)
def _log_phi(z: float) -> float:
    """Return log Φ(z) to 1e-10: cubic between nodes at which value and slope are known."""
    if z >= _SURE:
        return 0.0
    if z <= _LOWEST:
        return _NEVER
    at = (z - _LOWEST) * _PER_UNIT
    k = int(at)
    u = at - k
    rise = _LOG_PHI[k + 1] - _LOG_PHI[k]
    bend = (_SLOPE[k] + _SLOPE[k + 1]) - 2.0 * rise
    curve = 3.0 * rise - 2.0 * _SLOPE[k] - _SLOPE[k + 1] + u * bend
    return max(_LOG_PHI[k] + u * (_SLOPE[k] + u * curve), _NEVER)


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
