"""The published leak, built on purpose: sums over the whole period, the label in them.

Nothing else in this package may look at a row's own label or at what comes after it. This module
does, so that its effect can be measured; what it returns must never train a model that is served.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive.tables.matrix import Matrix
from giftlive.types import Floats, Ints

LEAKED = ("pair", "user", "streamer")
"""Whose whole-period sums and counts are added."""


def with_leak(matrix: Matrix) -> Matrix:
    """Return ``matrix`` with six more columns: amount and gifts of pair, user, streamer, all days.

    For every row they contain the row's own label and all later ones.

    Examples
    --------
    >>> zero = np.zeros(3, dtype=np.int64)
    >>> plain = Matrix(
    ...     np.zeros((3, 1)), np.array([0.0, 5.0, 2.0]), zero, np.array([1, 1, 2]), zero, zero,
    ...     zero, zero, ("x",), "click",
    ... )
    >>> with_leak(plain).column("leaked_user_amount").tolist()
    [5.0, 5.0, 2.0]
    """
    pair = np.unique(np.column_stack([matrix.user, matrix.streamer]), axis=0, return_inverse=True)
    groups = dict(zip(LEAKED, (pair[1].reshape(-1), matrix.user, matrix.streamer), strict=True))
    columns, names = [], []
    for who, ids in groups.items():
        for what, label in (("amount", matrix.y), ("gifts", (matrix.y > 0.0).astype(np.float64))):
            columns.append(_whole_period(ids, label))
            names.append(f"leaked_{who}_{what}")
    X = np.column_stack([matrix.X, *columns])
    return replace(matrix, X=X, names=(*matrix.names, *names))


def _whole_period(ids: Ints, label: Floats) -> Floats:
    """Return [n] the sum of ``label`` over all rows of each row's group, itself included."""
    _, index = np.unique(ids, return_inverse=True)
    return np.bincount(index, label).astype(np.float64)[index]
