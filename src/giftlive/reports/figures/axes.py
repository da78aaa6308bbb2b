"""Axes: the range of the data with a margin, and ticks that are plain round numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.evaluation.results import Scale
from giftlive.reports.numbers import tick
from giftlive.types import Floats

_MOST_LOG_TICKS = 8
_MOST_NAMES = 16


@dataclass(frozen=True)
class Axis:
    """One axis: ``low`` and ``high`` in data units, ``ticks`` as (position, text)."""

    label: str
    scale: Scale
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def fraction(self, value: float) -> float:
        """Return where ``value`` lies on the axis, 0 at its low end and 1 at its high end."""
        if self.scale == "log":
            span = math.log(self.high / self.low)
            return math.log(max(value, self.low) / self.low) / span
        return (value - self.low) / (self.high - self.low)


def linear_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return multiples of 1, 2, 2.5 or 5 times a power of ten between ``low`` and ``high``.

    Examples
    --------
    >>> linear_ticks(0.0, 1.03)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * m for m in (1, 2, 2.5, 5, 10, 20) if span / (power * m) <= most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    places = max(0, 1 - math.floor(math.log10(step)))
    return [round(k * step, places) + 0.0 for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten in the range; 1, 2, 5 times them where the range is short."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    stride = max(1, math.ceil((last - first) / _MOST_LOG_TICKS))
    decades = [10.0**k for k in range(first, last + 1, stride)]
    if last - first <= 2:
        decades = [m * 10.0**k for k in range(first, last + 1) for m in (1, 2, 5)]
    return [float(f"{t:.12g}") for t in decades if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)]


def numeric_axis(label: str, scale: Scale, values: Floats, from_zero: bool = False) -> Axis:
    """Return an axis over the finite ``values``; on a log axis only the positive ones count."""
    shown = values[np.isfinite(values) & ((values > 0) | (scale != "log"))]
    low, high = (float(shown.min()), float(shown.max())) if len(shown) else (1.0, 10.0)
    if scale == "log":
        low, high = (low / 1.25, high * 1.25) if high > low else (low / 3, high * 3)
        return Axis(label, scale, low, high, _labelled(log_ticks(low, high)))
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    low = low if from_zero and low == 0 else low - margin
    high = high if from_zero and high == 0 and low < 0 else high + margin
    return Axis(label, "linear", low, high, _labelled(linear_ticks(low, high)))


def _labelled(positions: Sequence[float]) -> tuple[tuple[float, str], ...]:
    return tuple((position, tick(position)) for position in positions)


def category_axis(label: str, names: Sequence[str], every: bool = True) -> Axis:
    """Return an axis with one unit of room per category, the first at position 0.

    Where a name for ``every`` category would not fit, every k-th is named and the first always.
    """
    stride = 1 if every else -(-len(names) // _MOST_NAMES)
    ticks = tuple((float(k), name) for k, name in enumerate(names) if k % stride == 0)
    return Axis(label, "category", -0.5, max(len(names), 1) - 0.5, ticks)
