"""What happened to every row, in the units a network learns in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import InputError, UsageError
from giftlive.types import Bools, Floats


@dataclass(frozen=True)
class LogScale:
    """Standardised logarithms, z = (log x − centre) / spread, and the range they were learnt on."""

    centre: float
    spread: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, x: Floats) -> LogScale:
        """Learn from positive numbers; none at all, or all equal, give a spread of 1."""
        if not len(x):
            return cls(0.0, 1.0, 0.0, 0.0)
        logs = np.log(x)
        spread = float(logs.std())
        return cls(
            float(logs.mean()),
            spread if spread > 1e-9 else 1.0,
            float(logs.min()),
            float(logs.max()),
        )

    def standard(self, x: Floats) -> Floats:
        """Return z of positive numbers."""
        return (np.log(x) - self.centre) / self.spread

    def mean(self, z: Floats, sd: Floats | float) -> Floats:
        """Return E[x] where z is normal with this mean and s.d.: exp(m + v / 2).

        The mean of the logarithm is kept in the range of the training rows: a network does not
        know what lies outside it, and an exponent makes any mistake there a fortune.
        """
        m = np.clip(self.centre + self.spread * z, self.lowest, self.highest)
        return np.exp(m + 0.5 * np.square(self.spread * sd))


@dataclass(frozen=True)
class Outcomes:
    """Labels of n rows.

    Attributes
    ----------
    clicked : entered the room. watched : entered, and for how long is known.
    gifted : amount > 0. watch, amount : standardised logarithms, 0 where there is none.
    watch_scale, amount_scale : of seconds + 1, and of amounts in units of the smallest gift.
    unit : the smallest gift, in the source's unit.
    """

    clicked: Bools
    watched: Bools
    gifted: Bools
    watch: Floats
    amount: Floats
    watch_scale: LogScale
    amount_scale: LogScale
    unit: float

    def __len__(self) -> int:
        return len(self.gifted)


def outcomes(y: Floats, clicked: ArrayLike | None, watch_seconds: ArrayLike | None) -> Outcomes:
    """Return the labels of rows with amounts ``y`` [n].

    Parameters
    ----------
    clicked : [n] whether the shown room was entered; None = every row was.
    watch_seconds : [n] of the viewing, NaN where unknown; None = unknown everywhere.

    Raises
    ------
    UsageError
        Unequal lengths.
    InputError
        A gift in a room that was not entered, or a negative watch time.
    """
    n = len(y)
    entered = np.ones(n, dtype=np.bool_) if clicked is None else np.asarray(clicked, dtype=np.bool_)
    seconds = np.full(n, np.nan)
    if watch_seconds is not None:
        seconds = np.asarray(watch_seconds, dtype=np.float64)
    if entered.shape != y.shape or seconds.shape != y.shape:
        raise UsageError(
            f"shapes {y.shape}, {entered.shape}, {seconds.shape}",
            "arguments y, clicked, watch_seconds",
            "[n] each",
        )
    gifted = y > 0.0
    if bool((gifted & ~entered).any()):
        lost = int((gifted & ~entered).sum())
        raise InputError(f"{lost} gifts in rooms not entered", "argument clicked", "none")
    watched = entered & np.isfinite(seconds)
    if bool((seconds[watched] < 0.0).any()):
        raise InputError("a negative watch time", "argument watch_seconds", "seconds >= 0")
    unit = float(y[gifted].min()) if gifted.any() else 1.0
    watch_scale = LogScale.of(1.0 + seconds[watched])
    amount_scale = LogScale.of(y[gifted] / unit)
    watch, amount = np.zeros(n), np.zeros(n)
    watch[watched] = watch_scale.standard(1.0 + seconds[watched])
    amount[gifted] = amount_scale.standard(y[gifted] / unit)
    return Outcomes(entered, watched, gifted, watch, amount, watch_scale, amount_scale, unit)
