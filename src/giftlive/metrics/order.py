"""One ordering of rows by a score, prepared once, and the sums along it.

Sorting is the expensive part of every ranking metric and does not depend on the row weights, so
a bootstrap sorts once and evaluates many weight vectors. Tied rows form one block; every curve
is linear inside a block, which is the expectation over random orders of the tied rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import InputError, UsageError
from giftlive.types import Bools, Floats, Ints

UNDEFINED = float("nan")
"""What a metric returns where it has no value; the caller reports the reason."""


def column(values: ArrayLike | Ranked, name: str, size: int | None = None) -> Floats:
    """Return ``values`` as a finite float vector, of length ``size`` if given.

    Raises
    ------
    UsageError
        The shape is not [n].
    InputError
        A value is NaN or infinite.
    """
    x = values.values if isinstance(values, Ranked) else np.asarray(values, dtype=np.float64)
    _checked_shape(x.shape, name, size)
    if not isinstance(values, Ranked) and not np.isfinite(x).all():
        bad = int(np.flatnonzero(~np.isfinite(x))[0])
        raise InputError(f"{x[bad]} in row {bad}", f"argument {name}", "finite numbers")
    return x


def _checked_shape(shape: tuple[int, ...], name: str, size: int | None) -> None:
    if len(shape) != 1 or (size is not None and shape[0] != size):
        wanted = "a vector [n]" if size is None else f"a vector of {size} rows"
        raise UsageError(f"shape {shape}", f"argument {name}", wanted, "pass matching columns")


def not_negative(values: ArrayLike, name: str, size: int | None = None) -> Floats:
    """Return ``values`` as a column of numbers >= 0."""
    x = column(values, name, size)
    if (x < 0.0).any():
        raise InputError(f"a value of {x.min()}", f"argument {name}", "numbers >= 0")
    return x


def whole_numbers(values: ArrayLike, name: str, size: int | None = None) -> Ints:
    """Return ids, days or times as a vector of whole numbers [n]."""
    x = np.asarray(values)
    if x.size == 0:
        x = x.astype(np.int64)
    if x.dtype.kind not in "iu":
        raise UsageError(f"values of type {x.dtype}", f"argument {name}", "whole numbers")
    _checked_shape(x.shape, name, size)
    return x.astype(np.int64)


def flags(values: ArrayLike, name: str, size: int | None = None) -> Bools:
    """Return ``values`` as a vector of True and False [n]."""
    x = np.asarray(values)
    if x.size == 0:
        x = x.astype(np.bool_)
    if x.dtype != np.bool_:
        raise UsageError(f"values of type {x.dtype}", f"argument {name}", "True and False")
    _checked_shape(x.shape, name, size)
    return x


def row_weights(weights: ArrayLike | None, size: int) -> Floats:
    """Return row weights as floats >= 0, ones when ``weights`` is None."""
    if weights is None:
        return np.ones(size)
    w = column(weights, "weights", size)
    if (w < 0.0).any():
        raise UsageError(f"a weight of {w.min()}", "argument weights", "weights >= 0")
    return w


def share(part: float, whole: float) -> float:
    """Return ``part / whole``, undefined (nan) where ``whole`` is not positive."""
    return float(part / whole) if whole > 0.0 else UNDEFINED


def checked_fraction(fraction: float) -> float:
    """Return ``fraction`` if it lies in (0, 1]."""
    if not 0.0 < fraction <= 1.0:
        raise UsageError(
            f"fraction {fraction}", "argument fraction", "0 < fraction <= 1", "1 % is 0.01"
        )
    return fraction


def mean(values: Floats | Bools, weights: Floats) -> float:
    """Return Σ w·x / Σ w, undefined (nan) without weight."""
    return share(float(np.sum(weights * values)), float(weights.sum()))


@dataclass(frozen=True, slots=True)
class Bins:
    """Equal-mass bins along a score, lowest first (a table in three columns).

    Attributes
    ----------
    weight : [b] weight in each bin. predicted, actual : [b] weighted sums in each bin.
    """

    weight: Floats
    predicted: Floats
    actual: Floats


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows from the highest score to the lowest, tied rows in one block.

    Attributes
    ----------
    order : [n] row numbers, highest score first. starts : [g] first position of every block.

    Examples
    --------
    >>> Ranking.by([1.0, 3.0, 3.0]).starts.tolist()
    [0, 2]
    """

    order: Ints
    starts: Ints

    @classmethod
    def by(cls, score: ArrayLike | Ranked) -> Ranking:
        """Sort the rows by ``score``, highest first; a prepared score is not sorted again."""
        if isinstance(score, Ranked):
            return score.ranking
        s = column(score, "score")
        order = np.argsort(-s, kind="stable")
        new_block = np.flatnonzero(np.diff(s[order]) != 0.0) + 1
        starts = np.concatenate([np.zeros(min(len(s), 1), np.int64), new_block])
        return cls(order.astype(np.int64), starts.astype(np.int64))

    def blocks(self, values: Floats) -> Floats:
        """Return [g] the sum of row ``values`` in every block."""
        if len(self.starts) == len(self.order):
            return values[self.order]
        return np.add.reduceat(values[self.order], self.starts)

    def curve(self, values: Floats) -> Floats:
        """Return [g + 1] the running sum of ``values`` after every block, starting at 0."""
        return np.concatenate([[0.0], np.cumsum(self.blocks(values))])

    def per_row(self, block_values: Floats) -> Floats:
        """Return [n] the value of each row's block, in the original row order."""
        sizes = np.diff(np.append(self.starts, len(self.order)))
        rows = np.empty(len(self.order))
        rows[self.order] = np.repeat(block_values, sizes)
        return rows

    def share_within(self, limit: float, weights: Floats) -> Floats:
        """Return [n] the probability that each row lies in the first ``limit`` units of weight."""
        mass = self.blocks(weights)
        before = np.cumsum(mass) - mass
        room = np.clip(limit - before, 0.0, mass)
        return self.per_row(np.divide(room, mass, out=np.zeros_like(mass), where=mass > 0.0))


@dataclass(frozen=True, slots=True)
class Ranked:
    """A column that was checked and sorted once; every metric takes it in place of the column.

    Examples
    --------
    >>> Ranked.of([1.0, 3.0, 2.0]).ranking.order.tolist()
    [1, 2, 0]
    """

    values: Floats
    ranking: Ranking

    @classmethod
    def of(cls, values: ArrayLike) -> Ranked:
        """Check and sort ``values`` [n]."""
        return cls(column(values, "values"), Ranking.by(values))


def equal_mass_bins(predicted: Floats | Ranked, actual: Floats, weights: Floats, bins: int) -> Bins:
    """Cut the rows, ordered by ``predicted``, into ``bins`` of equal weight, lowest first.

    A tie that crosses a border is divided in proportion, so the table does not depend on the
    order of the rows.
    """
    if bins < 1:
        raise UsageError(f"{bins} bins", "argument bins", "at least 1")
    ranking, promised = Ranking.by(predicted), column(predicted, "predicted")
    mass = ranking.curve(weights)
    borders = np.linspace(0.0, mass[-1], bins + 1)

    def lowest_first(values: Floats) -> Floats:
        return np.diff(np.interp(borders, mass, ranking.curve(weights * values)))[::-1]

    return Bins(np.diff(borders), lowest_first(promised), lowest_first(actual))


def equal_mass_rows(
    predicted: Floats | Ranked, weights: Floats, bins: int
) -> Iterator[tuple[Ints, Floats]]:
    """Yield the rows of each bin of :func:`equal_mass_bins`, lowest first, and their weight there.

    A row of a tie that crosses a border is in both bins, with a part of its weight in each.
    """
    if bins < 1:
        raise UsageError(f"{bins} bins", "argument bins", "at least 1")
    ranking = Ranking.by(predicted)
    upto = ranking.curve(weights)
    ends = np.append(ranking.starts, len(ranking.order))
    borders = np.linspace(0.0, upto[-1], bins + 1)
    for low, high in zip(borders[-2::-1], borders[:0:-1], strict=True):
        first, last = np.searchsorted(upto, [low, high])
        first = max(int(first) - 1, 0)
        mass = np.diff(upto[first : last + 1])
        inside = np.minimum(upto[first + 1 : last + 1], high) - np.maximum(upto[first:last], low)
        part = np.divide(inside, mass, out=np.zeros_like(mass), where=mass > 0.0)
        rows = ranking.order[ends[first] : ends[last]]
        sizes = np.diff(ends[first : last + 1])
        yield rows, weights[rows] * np.repeat(np.clip(part, 0.0, 1.0), sizes)
