"""A part of a plan: some state columns, what to stage for them, and how they reach the probe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

Stage = tuple[str, str]
"""A table's name and the SELECT that fills it."""

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Piece:
    """Columns of those probes that have them: a table to stage, ordered by ``sample_id``.

    Attributes
    ----------
    name : of the table. select : ``sample_id`` and columns, a row for some of the probes.
    absent : by column, the value of every other probe; its type is the column's.
    """

    name: str
    select: str
    absent: Mapping[str, int | float]


@dataclass(frozen=True)
class Part:
    """SQL that brings a few columns to the probe, which is called ``p``.

    Attributes
    ----------
    stages : what to stage, in order. joins : left joins of staged tables to ``p``.
    columns : SQL of each column over ``p`` and the joined tables.
    slice : parts of one name reach the probe together.
    pieces, derived : the same columns without a join: derived from the columns of the pieces and
        of the probe. Empty where the joins are small.
    """

    stages: tuple[Stage, ...]
    joins: str
    columns: dict[str, str]
    slice: str = ""
    pieces: tuple[Piece, ...] = ()
    derived: Callable[[Columns], Columns] = field(default=dict)
