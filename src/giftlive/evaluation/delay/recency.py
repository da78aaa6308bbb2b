"""Bias by age: whether what a model says about the newest rows is as right as about old ones.

A row of age e at the cut has had e seconds to show its gift. A model that takes "not yet" for
"never" says too little about whatever marks young rows. With the labels that came later,

    bias of a band of ages = Σ (p_i − y_i) / n over its rows

is flat over ages where a treatment is right, and falls towards the young where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from giftlive.errors import UsageError
from giftlive.stats.cluster_errors import per_cluster
from giftlive.stats.intervals import Interval, no_interval, ratio_delta, ratio_difference
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class AgeBand:
    """Rows whose age is in [youngest, oldest) seconds, and the bias of what is said of them.

    Attributes
    ----------
    rows : in the band. bias : mean of p − y, clustered by user. rate : mean of y.
    """

    youngest: float
    oldest: float
    rows: int
    bias: Interval
    rate: float


def bias_by_age(
    p: Floats, y: Floats, age: Floats, user: Ints, edges: Sequence[float]
) -> tuple[AgeBand, ...]:
    """Estimate the bias in every band of ages between two edges; empty bands are left out.

    Parameters
    ----------
    p : [n] predictions of a model fitted at the cut. y : [n] final labels (or true chances), known
        only later. age : [n] seconds at the cut. user : [n]. edges : ascending, in seconds.
    """
    bands = []
    for young, old in _bands(edges):
        rows = (age >= young) & (age < old)
        if rows.any():
            error = p[rows] - y[rows]
            bias = ratio_delta(error, np.ones(len(error)), user[rows], n_unit="users")
            bands.append(AgeBand(young, old, int(rows.sum()), bias, float(y[rows].mean())))
    return tuple(bands)


def tilt(p: Floats, y: Floats, age: Floats, user: Ints, split: float) -> Interval:
    """Estimate the bias of rows younger than ``split`` minus that of older ones, in shares of y.

    Relative to the rate of all rows, so that −0.5 means: of a young row the model says half of
    the base rate too little, compared to an old one. 0 inside the interval: flat.

    Raises
    ------
    UsageError
        No row is younger, or none older.
    """
    young = age < split
    if not (young.any() and (~young).any()):
        raise UsageError(f"split at {split:g} s", "argument split", "rows on both sides")
    if not y.sum() > 0.0:
        groups = len(np.unique(user))
        return no_interval("not_enough_data", "no gift", "ratio_difference", groups, "users")
    error = np.asarray((p - y) / y.mean(), dtype=np.float64)
    new, old = young.astype(np.float64), (~young).astype(np.float64)
    sums = per_cluster(user, error * new, new, error * old, old)
    return ratio_difference(sums[0], sums[1], sums[2], sums[3], n_unit="users")


def _bands(edges: Sequence[float]) -> list[tuple[float, float]]:
    if len(edges) < 2 or not (np.diff(edges) > 0.0).all():
        raise UsageError(f"edges {list(edges)}", "argument edges", "two or more, ascending")
    return list(pairwise(edges))
