"""Features as small expressions over state columns, rendered as SQL and evaluated on arrays.

One declaration, two renderings: ``sql`` for the engines, ``of`` for arrays (the sweep, the
service). Both use the same IEEE operations in the same order, so they agree in every bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Columns = Mapping[str, Array]


class Expression(Protocol):
    """A value of each probe."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns it is made of."""

    def sql(self) -> str:
        """Return it as portable SQL over these columns."""

    def of(self, columns: Columns) -> Array:
        """Return it for ``n`` probes from columns of [n]."""


@dataclass(frozen=True)
class State:
    """The column itself, integers as integers."""

    column: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def sql(self) -> str:
        """Return the column's name."""
        return self.column

    def of(self, columns: Columns) -> Array:
        """Return the column."""
        return columns[self.column]


@dataclass(frozen=True)
class Seconds:
    """Milliseconds as seconds."""

    column: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The column of milliseconds."""
        return (self.column,)

    def sql(self) -> str:
        """Return column / 1000 in doubles."""
        return f"cast({self.column} as double) / 1000"

    def of(self, columns: Columns) -> Array:
        """Return column / 1000 in doubles."""
        return columns[self.column].astype(np.float64) / 1000


@dataclass(frozen=True)
class Since:
    """Seconds from the time in ``column`` until the probe; -1 where it never happened (-1)."""

    column: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The time, and the probe's as-of time."""
        return (self.column, "as_of_ts")

    def sql(self) -> str:
        """Return (as_of_ts - column) / 1000, or -1."""
        return (
            f"case when {self.column} >= 0 then cast(as_of_ts - {self.column} as double) / 1000"
            " else -1 end"
        )

    def of(self, columns: Columns) -> Array:
        """Return (as_of_ts - column) / 1000, or -1."""
        last = columns[self.column]
        seconds = (columns["as_of_ts"] - last).astype(np.float64) / 1000
        return np.where(last >= 0, seconds, -1.0)


@dataclass(frozen=True)
class Ratio:
    """top / bottom, and 0 where the bottom is 0."""

    top: str
    bottom: str

    @property
    def reads(self) -> tuple[str, ...]:
        """Numerator and denominator."""
        return (self.top, self.bottom)

    def sql(self) -> str:
        """Return the guarded quotient in doubles."""
        quotient = f"cast({self.top} as double) / {self.bottom}"
        return f"case when {self.bottom} > 0 then {quotient} else 0 end"

    def of(self, columns: Columns) -> Array:
        """Return the guarded quotient in doubles."""
        bottom = columns[self.bottom].astype(np.float64)
        top = columns[self.top].astype(np.float64)
        return np.divide(top, bottom, out=np.zeros(len(bottom)), where=bottom > 0)


@dataclass(frozen=True)
class Shrunk:
    """(successes + strength · rate) / (trials + strength): the posterior mean of a rate.

    ``trials`` may be a sum of columns, as exposures are clicks and negatives.
    """

    successes: str
    trials: tuple[str, ...]
    rate: str
    strength: str

    @property
    def reads(self) -> tuple[str, ...]:
        """Counts and prior."""
        return (self.successes, *self.trials, self.rate, self.strength)

    def sql(self) -> str:
        """Return the posterior mean in doubles."""
        top = f"cast({self.successes} as double) + {self.strength} * {self.rate}"
        bottom = f"cast({' + '.join(self.trials)} as double) + {self.strength}"
        return f"({top}) / ({bottom})"

    def of(self, columns: Columns) -> Array:
        """Return the posterior mean in doubles."""
        strength = columns[self.strength]
        top = columns[self.successes].astype(np.float64) + strength * columns[self.rate]
        trials = sum((columns[name] for name in self.trials[1:]), columns[self.trials[0]])
        return np.asarray(top / (trials.astype(np.float64) + strength))
