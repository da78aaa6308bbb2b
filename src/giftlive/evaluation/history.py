"""How heavy the tail of a source is, read from its history and never from its test days."""

from __future__ import annotations

import numpy as np

from giftlive.logs.source import Source
from giftlive.stats.coverage_table import measured_this_uneven
from giftlive.stats.print_rule import UNMEASURED
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats

_LADDER = ("count", "capped", "full")


def history_totals(matrix: Matrix, fold: Fold) -> Floats:
    """Return the total of every user on the first fold's training days, zeros included."""
    rows = (matrix.day >= fold.train[0]) & (matrix.day < fold.train[1])
    _, index = np.unique(matrix.user[rows], return_inverse=True)
    return np.bincount(index, matrix.y[rows]).astype(np.float64)


def tail_of(source: Source, matrix: Matrix, fold: Fold) -> str:
    """Return the measured tail that stands for a source's amounts on the days after ``fold``."""
    return money_tail(source.live_platform, matrix.unit, history_totals(matrix, fold))


def money_tail(live_platform: bool, unit: str, totals: Floats) -> str:
    """Return the tail of the coverage table that stands for a source's amounts.

    The lightest one whose users are at least as uneven as those of the source's history, in
    variation and in skewness. Sessions of a live platform are ``full`` at least, whatever a history
    too short for a whale says; where every row is a gift, ``gift`` is the only one measured.

    Parameters
    ----------
    live_platform, unit : of the source, and of its rows. totals : [G] what each user gave in the
        history.
    """
    tails = ("gift",) if unit == "gift" else _LADDER[2:] if live_platform else _LADDER
    fitting = (tail for tail in tails if measured_this_uneven(tail, totals))
    return next(fitting, UNMEASURED)
