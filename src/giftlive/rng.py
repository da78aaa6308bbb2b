"""Randomness by name, not by order.

Two kinds, neither of which has a state that one caller could advance for another:

- **streams**: ``stream(seed, "policy", 3)`` is a NumPy generator that depends only on its name;
- **keyed draws**: ``uniform(seed, purpose, a, b, c)`` is a pure function of its key, compiled,
  so that changing one decision of a world leaves every unaffected draw as it was.

The keyed draws chain the 64-bit finaliser of SplitMix64 (Steele, Lea, Flood 2014), one
round per word of the key; equal keys give equal bits on every machine.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numba import njit

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator that belongs to ``names`` under ``seed``.

    Examples
    --------
    >>> bool(stream(1, "a").random() == stream(1, "a").random() != stream(1, "b").random())
    True
    """
    digest = hashlib.blake2b(repr((int(seed), names)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def derive(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed that depends only on ``seed`` and ``names``."""
    digest = hashlib.blake2b(repr((int(seed), names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


@njit(inline="always")
def _mix(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)


@njit
def bits(seed: int, purpose: int, a: int, b: int, c: int) -> np.uint64:
    """Return 64 bits that are a pure function of the five words of the key."""
    h = _mix(np.uint64(seed) + _GAMMA)
    h = _mix(h + np.uint64(purpose) * _GAMMA + _GAMMA)
    h = _mix(h + np.uint64(a) * _GAMMA + _GAMMA)
    h = _mix(h + np.uint64(b) * _GAMMA + _GAMMA)
    return _mix(h + np.uint64(c) * _GAMMA + _GAMMA)


@njit
def uniform(seed: int, purpose: int, a: int, b: int, c: int) -> float:
    """Return a uniform draw in the open interval (0, 1), keyed."""
    return (float(bits(seed, purpose, a, b, c) >> _S11) + 0.5) * (1.0 / 9007199254740992.0)


@njit
def normal_quantile(p: float) -> float:
    """Return the standard normal quantile of ``p`` in (0, 1).

    Acklam's rational approximation followed by one Halley step: as exact as ``p`` itself (the
    upper tail loses digits where 1 - p does).
    """
    if p < 0.02425:
        q = math.sqrt(-2.0 * math.log(p))
        x = _tail(q)
    elif p > 0.97575:
        q = math.sqrt(-2.0 * math.log(1.0 - p))
        x = -_tail(q)
    else:
        x = _centre(p - 0.5)
    e = 0.5 * math.erfc(-x / math.sqrt(2.0)) - p
    u = e * math.sqrt(2.0 * math.pi) * math.exp(0.5 * x * x)
    return x - u / (1.0 + 0.5 * x * u)


@njit(inline="always")
def _tail(q: float) -> float:
    c = -7.784894002430293e-03 * q - 3.223964580411365e-01
    c = (c * q - 2.400758277161838) * q - 2.549732539343734
    c = (c * q + 4.374664141464968) * q + 2.938163982698783
    d = 7.784695709041462e-03 * q + 3.224671290700398e-01
    d = (d * q + 2.445134137142996) * q + 3.754408661907416
    return c / (d * q + 1.0)


@njit(inline="always")
def _centre(q: float) -> float:
    r = q * q
    a = -3.969683028665376e01 * r + 2.209460984245205e02
    a = (a * r - 2.759285104469687e02) * r + 1.383577518672690e02
    a = (a * r - 3.066479806614716e01) * r + 2.506628277459239
    b = -5.447609879822406e01 * r + 1.615858368580409e02
    b = (b * r - 1.556989798598866e02) * r + 6.680131188771972e01
    b = (b * r - 1.328068155288572e01) * r + 1.0
    return a * q / b


@njit
def normal(seed: int, purpose: int, a: int, b: int, c: int) -> float:
    """Return a standard normal draw, keyed."""
    return normal_quantile(uniform(seed, purpose, a, b, c))
