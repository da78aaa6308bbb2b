"""What a room's expected value is worth to the platform: linear, or with falling returns.

``g(V)`` is the return on the *expected* value V of one room; every kind is increasing, concave and
has g(0) = 0 and g'(0) = 1, so that near nothing all agree with the linear return. ``B`` is the
scale at which returns fall. The dual bound needs the conjugate g*(p) = sup_V g(V) - p V.

============  ======================  ===============  =======================  ==================
kind          g(V)                    g'(V)            g*(p) for p <= 1         V at which g' = p
============  ======================  ===============  =======================  ==================
linear        V                       1                0 at p = 1, else inf     –
log           B log(1 + V/B)          1 / (1 + V/B)    B (p - 1 - log p)        B (1/p - 1)
saturating    B (1 - exp(-V/B))       exp(-V/B)        B (1 - p) + B p log p    -B log p
sqrt          2B (sqrt(1 + V/B) - 1)  (1 + V/B)^-1/2   B (1 - p)^2 / p          B (1/p^2 - 1)
============  ======================  ===============  =======================  ==================

For p >= 1 every g*(p) is 0: the best V is 0. Returns on *realised* revenue are another quantity:
under heavy tails E g(revenue) is far below g(E revenue), and nothing here computes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit

from giftlive.errors import InputError
from giftlive.types import Floats

Kind = Literal["linear", "log", "saturating", "sqrt"]
_LEAST_SLOPE = 1e-100  # a room so full that nothing more counts keeps a scale above 0
CODES: dict[str, int] = {"linear": 0, "log": 1, "saturating": 2, "sqrt": 3}


@dataclass(frozen=True)
class Returns:
    """A return g with its scale.

    Attributes
    ----------
    kind : ``linear``, ``log``, ``saturating`` or ``sqrt``; formulas in the module.
    scale : B > 0 in the unit of the values, one for all rooms or [S]; linear returns ignore it.

    Raises
    ------
    InputError
        When the kind is unknown or the scale is not a positive number.

    Examples
    --------
    >>> half_marginal = Returns("log", 100.0)
    >>> half_marginal.slope(np.array([0.0, 100.0])).tolist()
    [1.0, 0.5]
    """

    kind: Kind = "linear"
    scale: float | Floats = 1.0

    def __post_init__(self) -> None:
        if self.kind not in CODES:
            raise InputError(f"{self.kind!r}", "Returns.kind", ", ".join(CODES))
        scale = np.asarray(self.scale, dtype=np.float64)
        if scale.ndim > 1 or not (np.isfinite(scale) & (scale > 0.0)).all():
            raise InputError("not a positive number per room", "Returns.scale", "B > 0")

    @property
    def code(self) -> int:
        """The kind as the compiled kernels know it."""
        return CODES[self.kind]

    def value(self, money: Floats) -> Floats:
        """Return g(V) [S] of the expected value ``money`` [S] >= 0 of each room."""
        ratio = money / self.scale
        if self.kind == "log":
            return np.asarray(self.scale * np.log1p(ratio))
        if self.kind == "saturating":
            return np.asarray(-self.scale * np.expm1(-ratio))
        if self.kind == "sqrt":
            return np.asarray(2.0 * self.scale * (np.sqrt(1.0 + ratio) - 1.0))
        return np.asarray(money, dtype=np.float64)

    def slope(self, money: Floats) -> Floats:
        """Return g'(V) [S], the worth of one more unit of value, in (0, 1]."""
        ratio = money / self.scale
        if self.kind == "log":
            return np.asarray(1.0 / (1.0 + ratio))
        if self.kind == "saturating":
            return np.exp(-ratio)
        if self.kind == "sqrt":
            return np.asarray(1.0 / np.sqrt(1.0 + ratio))
        return np.ones_like(ratio)

    def conjugate(self, price: Floats) -> Floats:
        """Return g*(p) = sup over V >= 0 of g(V) - p V [S]; infinite where that is unbounded."""
        p = np.minimum(price, 1.0)
        if self.kind == "linear":
            return np.where(price >= 1.0, 0.0, np.inf)
        log = np.log(np.maximum(p, np.finfo(np.float64).tiny))
        if self.kind == "saturating":
            return np.asarray(self.scale * (1.0 - p + p * log))
        rising = p - 1.0 - log if self.kind == "log" else (1.0 - p) ** 2 / np.maximum(p, 1e-300)
        return np.where(p > 0.0, self.scale * rising, np.inf)

    def at_slope(self, price: Floats) -> Floats:
        """Return the V >= 0 [S] at which g'(V) = p, for p in (0, 1]; 0 for linear returns."""
        p = np.clip(price, _LEAST_SLOPE, 1.0)
        if self.kind == "log":
            return np.asarray(self.scale * (1.0 / p - 1.0))
        if self.kind == "saturating":
            return np.asarray(-self.scale * np.log(p))
        if self.kind == "sqrt":
            return np.asarray(self.scale * (1.0 / p**2 - 1.0))
        return np.zeros_like(p)

    def after(self, money: Floats, share: float) -> tuple[Floats, Returns]:
        """Return weights w [S] and returns h for what is still to come after ``money`` [S].

        With V' the value of a full day of weighted values w v, of which the part ``share`` is still
        to come, h'(V') w = g'(money + share V): prices of a sample of a whole day are prices of
        the rest of today. w = g'(money); linear returns stay as they are.

        Examples
        --------
        >>> weight, rest = Returns("log", 10.0).after(np.array([10.0]), 0.5)
        >>> ahead = Returns("log", 10.0).slope(np.array([10.0 + 0.5 * 40.0]))
        >>> bool(np.isclose(weight * rest.slope(weight * 40.0), ahead).all())
        True
        """
        weight = np.maximum(self.slope(money), _LEAST_SLOPE)
        if self.kind == "linear":
            return weight, self
        if self.kind == "saturating":
            return weight, Returns(self.kind, weight * self.scale / share)
        return weight, Returns(self.kind, weight * (self.scale + money) / share)


@njit(cache=True)
def slope_at(code: int, money: float, scale: float) -> float:
    """Return g'(V) of one room, as ``Returns.slope``."""
    ratio = money / scale
    if code == 1:
        return 1.0 / (1.0 + ratio)
    if code == 2:
        return math.exp(-ratio)
    if code == 3:
        return 1.0 / math.sqrt(1.0 + ratio)
    return 1.0


@njit(cache=True)
def value_at(code: int, money: float, scale: float) -> float:
    """Return g(V) of one room, as ``Returns.value``."""
    ratio = money / scale
    if code == 1:
        return scale * math.log1p(ratio)
    if code == 2:
        return -scale * math.expm1(-ratio)
    if code == 3:
        return 2.0 * scale * (math.sqrt(1.0 + ratio) - 1.0)
    return money
