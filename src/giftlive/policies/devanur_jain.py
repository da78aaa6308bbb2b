"""Concave returns against an adversary: the discount that guarantees a share of the best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit

from giftlive.policies.concave import KINDS, ConcaveKind, Earned, add, check_kind, serve
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints

_GRID, _STEPS, _DEPTH, _HALVINGS = 1024, 15_000, 30.0, 48


@dataclass(frozen=True)
class DevanurJain:
    """Show the candidate of largest v_s f(V_s/B): f falls a little sooner than the slope of g.

    Choosing by the slope g'(V) regrets early users when better ones come later in bad order.
    Devanur and Jain (2012) choose by a price f(V) that a dual solution can pay for: with
    u*(p) the V at which g' = p, f solves ::

        f'(u) = (f(u) - g'(u) / F) / u*(f(u)),    f(0) = g'(0),

    and the largest F for which f stays below g'/F is the ratio: whatever the order of arrivals,
    Σ g_s(V_s) >= F · optimum, *if* single values are small beside B. For g = min(V, B) this is the
    rule f = (1 - e^(u/B - 1)) / (1 - 1/e) of Mehta et al. with F = 1 - 1/e. Large bids (whales)
    void the guarantee, and there is none with seats.

    Attributes
    ----------
    kind, scale, respect_seats : as in ``Concave``.

    References
    ----------
    N. R. Devanur, K. Jain, Online matching with concave returns, STOC 2012, section 3.
    """

    kind: ConcaveKind = "log"
    scale: float = 100.0
    respect_seats: bool = False
    name: str = "devanur_jain"

    def __post_init__(self) -> None:
        check_kind(self.kind, self.scale, "devanur_jain")

    @property
    def ratio(self) -> float:
        """The guaranteed share F of the best, for small bids."""
        return _discount(self.kind)[0]

    def init(self, seats: Ints, /) -> Earned:
        """Return rooms that were given nothing yet."""
        return Earned(np.zeros(len(seats)))

    def decide(self, state: Earned, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Choose by the discounted value in batch order, counting the rows before."""
        factors = _discount(self.kind)[1]
        return serve(batch, state, KINDS[self.kind], self.scale, self.respect_seats, factors)

    def update(self, state: Earned, feedback: Feedback, /) -> Earned:
        """Return the state with the values of the admitted added to their rooms."""
        return add(state, feedback, self.name)


@lru_cache(maxsize=len(KINDS))
def _discount(kind: str) -> tuple[float, Floats]:
    """Return F and f on the grid V/B = k / (K - k), k = 0 … K - 1."""
    if kind == "linear":
        return 1.0, np.ones(_GRID)
    low, high = 0.5, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if _path(KINDS[kind], middle, _STEPS, _DEPTH)[0]:
            low = middle
        else:
            high = middle
    _, earned = _path(KINDS[kind], low, _STEPS, _DEPTH)
    share = np.arange(_GRID) / _GRID
    prices = np.exp(-np.linspace(0.0, _DEPTH, _STEPS + 1))
    table = np.interp(share / (1.0 - share), earned, prices)
    table.flags.writeable = False
    return low, table


@njit(cache=True)
def _path(kind: int, ratio: float, steps: int, depth: float) -> tuple[bool, Floats]:
    """Follow u as a function of w = -log f by Runge-Kutta; False once f exceeds g'/F."""
    u, h = np.zeros(steps + 1), depth / steps
    for k in range(steps):
        w = k * h
        a = _rise(kind, ratio, w, u[k])
        b = _rise(kind, ratio, w + h / 2.0, u[k] + h / 2.0 * a)
        c = _rise(kind, ratio, w + h / 2.0, u[k] + h / 2.0 * b)
        d = _rise(kind, ratio, w + h, u[k] + h * c)
        if min(a, b, c, d) < 0.0:
            return False, u
        u[k + 1] = u[k] + h / 6.0 * (a + 2.0 * b + 2.0 * c + d)
    return True, u


@njit(cache=True)
def _rise(kind: int, ratio: float, w: float, u: float) -> float:
    """Return du/dw = f u*(f) / (g'(u)/F - f); -1 where f is not below g'/F."""
    price = math.exp(-w)
    if kind == 1:
        slope, at = 1.0 / (1.0 + u), 1.0 / price - 1.0
    elif kind == 2:
        slope, at = math.exp(-u), w
    else:
        slope, at = 1.0 / math.sqrt(1.0 + u), 1.0 / (price * price) - 1.0
    room = slope / ratio - price
    return price * at / room if room > 0.0 else -1.0
