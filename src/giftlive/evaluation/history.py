"""How heavy the tail of a source is, read from its history and never from its test days."""

from __future__ import annotations

import numpy as np

from giftlive.stats.coverage_table import groups_for
from giftlive.stats.print_rule import UNMEASURED
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats

_LADDER = ("count", "capped", "full")
_LIVE = frozenset({"kuailive", "parquet"})


def history_totals(matrix: Matrix, fold: Fold) -> Floats:
    """Return the total of every user on the first fold's training days, zeros included."""
    rows = (matrix.day >= fold.train[0]) & (matrix.day < fold.train[1])
    _, index = np.unique(matrix.user[rows], return_inverse=True)
    return np.bincount(index, matrix.y[rows]).astype(np.float64)


def money_tail(kind: str, unit: str, totals: Floats) -> str:
    """Return the tail of the coverage table that stands for a source's amounts.

    The lightest one whose users are at least as uneven as those of the source's history, in
    variation and in skewness. Sessions of a live platform are ``full`` at least, whatever a history
    too short for a whale says; where every row is a gift, ``gift`` is the only one measured.

    Parameters
    ----------
    kind, unit : of the source and of its rows. totals : [G] what each user gave in the history.
    """
    mean = float(totals.mean()) if len(totals) else 0.0
    spread = float(totals.std()) if len(totals) else 0.0
    if not (mean > 0.0 and spread > 0.0):
        return UNMEASURED
    cv, skew = spread / mean, float(np.mean(((totals - mean) / spread) ** 3))
    for tail in _tails(kind, unit):
        known = [r for rows in groups_for("mean", "student_t", tail, 1.0) for r in rows]
        if known and cv <= max(r.cv for r in known) and skew <= max(r.skew for r in known):
            return tail
    return UNMEASURED


def _tails(kind: str, unit: str) -> tuple[str, ...]:
    if unit == "gift":
        return ("gift",)
    return _LADDER[2:] if kind in _LIVE else _LADDER
