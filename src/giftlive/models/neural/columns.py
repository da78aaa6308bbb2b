"""From features and ids to what a network reads: standardised numbers and rows of embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.models.base import UNKNOWN, known
from giftlive.types import Bools, Floats, Ints

IDS = {"user": "user_id", "room": "streamer_id"}
"""Tower -> the column that is read as an id, never as a number."""

TOWERS: dict[str, tuple[str, ...]] = {"user": ("user_",), "room": ("streamer_", "room_")}
"""Tower -> how the names of its features begin; every other feature is read beside the towers."""

CHUNK = 1 << 16
"""Rows that are looked at together."""

WIDEST = 6.0
"""Standardised features are cut at this many standard deviations."""


def chunks(n: int, size: int = CHUNK) -> Iterator[slice]:
    """Yield slices that cover ``n`` rows in order."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


@dataclass(frozen=True)
class IdTable:
    """Ids with a row of their own in an embedding; all others share row 0, the unknown."""

    ids: Ints

    @classmethod
    def of(cls, column: Floats, least_rows: int) -> IdTable:
        """Keep the ids that ``least_rows`` training rows or more are about."""
        told = column[~(np.isnan(column) | (column == UNKNOWN))].astype(np.int64)
        ids, rows = np.unique(told, return_counts=True)
        return cls(ids[rows >= least_rows])

    def __len__(self) -> int:
        return len(self.ids) + 1

    def rows(self, column: Floats) -> Ints:
        """Return [n] the embedding row of each id: 0 where it is unknown, unseen or rare.

        Examples
        --------
        >>> IdTable(np.array([7, 9])).rows(np.array([9.0, 8.0, -1.0, np.nan])).tolist()
        [2, 0, 0, 0]
        """
        if not len(self.ids):
            return np.zeros(len(column), dtype=np.int64)
        wanted = np.where(np.isnan(column), UNKNOWN, column).astype(np.int64)
        at = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return np.where(self.ids[at] == wanted, at + 1, 0)


@dataclass(frozen=True)
class Scaling:
    """How one group of features becomes standardised columns; all numbers from training rows.

    Attributes
    ----------
    at : [k] where the features are in X. long : [k] read as log(1 + x): counts and sums.
    gappy : [k] unknown in some rows, not in all: filled with the mean, with an indicator beside it.
    centre, spread : [k] mean and standard deviation of the known values after the logarithm; the
        spread of a feature that never varied is infinite, so that its column is 0 for ever.
    """

    at: Ints
    long: Bools
    gappy: Bools
    centre: Floats
    spread: Floats

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return len(self.at) + int(self.gappy.sum())

    def columns(self, X: Floats) -> Floats:
        """Return [n, width] for features X [n, p], NaN where unknown."""
        values = X[:, self.at]
        absent = np.isnan(values)
        values = np.where(absent, 0.0, values)
        values = np.where(self.long, np.log1p(np.maximum(values, 0.0)), values)
        standard = np.clip((values - self.centre) / self.spread, -WIDEST, WIDEST)
        standard[absent] = 0.0
        return np.hstack([standard, absent[:, self.gappy].astype(np.float64)])


def scaling(X: Floats, at: Ints, long_tail: float = 10.0) -> Scaling:
    """Learn a scaling from training rows, a chunk at a time.

    A feature is long-tailed where it is never negative and somewhere above ``long_tail``. The
    mean is that of the known values, as in :class:`giftlive.models.ridge.Design`.
    """
    lowest, highest = np.full(len(at), np.inf), np.full(len(at), -np.inf)
    told, sums, squares = np.zeros(len(at)), np.zeros((2, len(at))), np.zeros((2, len(at)))
    for rows in chunks(len(X)):
        values = known(X[rows][:, at])
        present = ~np.isnan(values)
        lowest = np.minimum(lowest, np.where(present, values, np.inf).min(axis=0))
        highest = np.maximum(highest, np.where(present, values, -np.inf).max(axis=0))
        told += present.sum(axis=0)
        values = np.where(present, values, 0.0)
        for kind, x in enumerate((values, np.log1p(np.maximum(values, 0.0)))):
            sums[kind] += x.sum(axis=0)
            squares[kind] += (x * x).sum(axis=0)
    long = (lowest >= 0.0) & (highest > long_tail)
    count = np.maximum(told, 1.0)
    total, square = (np.where(long, both[1], both[0]) for both in (sums, squares))
    centre = total / count
    variance = square / count - centre**2
    # A constant feature says nothing, but weights on it were drawn at random and never learnt.
    enough = variance > 1e-12 * np.maximum(centre**2, 1e-12)
    spread = np.where(enough, np.sqrt(np.where(enough, variance, 1.0)), np.inf)
    return Scaling(at, long, np.asarray((told > 0) & (told < len(X))), centre, spread)


@dataclass(frozen=True)
class Block:
    """Rows as a network reads them: tower -> numbers [n, k] and embedding rows [n]."""

    numbers: dict[str, Floats]
    ids: dict[str, Ints]


@dataclass(frozen=True)
class Inputs:
    """How features become a :class:`Block`: a scaling per tower and one for the rest, the ids."""

    scalings: dict[str, Scaling]
    id_at: dict[str, int]
    tables: dict[str, IdTable]
    features: int

    @classmethod
    def of(cls, X: Floats, names: Sequence[str], least_rows: int) -> Inputs:
        """Learn from training rows; features are taken by name, so their order is of no effect."""
        ordered = sorted(range(len(names)), key=lambda j: names[j])
        at: dict[str, list[int]] = {"user": [], "room": [], "rest": []}
        for j in ordered:
            if names[j] not in IDS.values():
                at[_tower(names[j])].append(j)
        id_at = {tower: names.index(name) for tower, name in IDS.items() if name in names}
        return cls(
            {tower: scaling(X, np.array(c, dtype=np.int64)) for tower, c in at.items()},
            id_at,
            {tower: IdTable.of(np.asarray(X[:, j]), least_rows) for tower, j in id_at.items()},
            len(names),
        )

    def block(self, X: Floats) -> Block:
        """Return rows ``X`` [n, p] as the network reads them; NaN or -1 is unknown."""
        features = known(X, self.features)
        return Block(
            {tower: scale.columns(features) for tower, scale in self.scalings.items()},
            {tower: self.tables[tower].rows(features[:, j]) for tower, j in self.id_at.items()},
        )


def _tower(name: str) -> str:
    return next((tower for tower, starts in TOWERS.items() if name.startswith(starts)), "rest")
