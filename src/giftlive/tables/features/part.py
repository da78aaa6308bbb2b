"""A part of a plan: some state columns, what to stage for them, and how they reach the probe."""

from __future__ import annotations

from dataclasses import dataclass

Stage = tuple[str, str]
"""A table's name and the SELECT that fills it."""


@dataclass(frozen=True)
class Part:
    """SQL that brings a few columns to the probe, which is called ``p``.

    Attributes
    ----------
    stages : what to stage, in order. joins : left joins of staged tables to ``p``.
    columns : SQL of each column over ``p`` and the joined tables.
    group : parts of one group reach the probe together.
    """

    stages: tuple[Stage, ...]
    joins: str
    columns: dict[str, str]
    group: str = ""
