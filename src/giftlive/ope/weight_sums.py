"""What the verdict needs of the weights of a log, as a mergeable state.

Exact sums per user, and the largest weights: the tail of n weights is its √n largest, so that
4,097 of them are the whole tail of logs of up to 16 million decisions, and a shorter tail beyond.
Chunks and workers combine to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError
from giftlive.ope.estimators import importance
from giftlive.ope.forms import SQUARE_UNIT
from giftlive.ope.log import Interactions
from giftlive.stats.cluster_sums import ClusterSums, cluster_sums
from giftlive.stats.cluster_sums import merge as merge_sums
from giftlive.types import Floats

_KEPT = 4_097

ROWS, WEIGHT, SQUARES, CENTRED, LOST, POSITIVE, EARNED = range(7)
"""Columns: decisions, w, w² / SQUARE_UNIT, w - supported mass, lost mass, 1[w > 0], w r."""


@dataclass(frozen=True, eq=False)
class WeightSums:
    """A state of :func:`weight_sums`.

    Attributes
    ----------
    sums : [G, 7] per user, columns as above. largest : the largest weights, ascending.
    support_seen : whether the log showed what lies outside the logging policy's support.
    mean_one : whether these weights average 1 where propensities are true.
    """

    sums: ClusterSums
    largest: Floats
    support_seen: bool
    mean_one: bool

    def merge(self, other: WeightSums) -> WeightSums:
        """Return the state of both logs together, to the bit."""
        if self.mean_one != other.mean_one:
            raise InputError("weights of two kinds", "WeightSums", "states of the same weights")
        return WeightSums(
            merge_sums(self.sums, other.sums),
            _top(np.concatenate([self.largest, other.largest])),
            self.support_seen and other.support_seen,
            self.mean_one,
        )


def weight_sums(
    log: Interactions,
    weigh: Callable[[Interactions], Floats] = importance,
    by_action: bool = True,
    mean_one: bool = True,
) -> WeightSums:
    """Return the state of one chunk; see ``diagnostics.diagnose`` for the parameters.

    Examples
    --------
    >>> log = Interactions(
    ...     user=np.array([1, 2]), action=np.array([0, 1]), propensity=np.array([0.5, 0.25]),
    ...     reward=np.array([1.0, 1.0]), target=np.array([[1.0, 0.0], [0.5, 0.5]]))
    >>> state = weight_sums(log)
    >>> state.merge(state).sums.values[:, WEIGHT].tolist(), state.largest.tolist()
    ([4.0, 4.0], [2.0, 2.0])
    """
    weight = weigh(log)
    lost = log.lost if by_action else log.nothing
    columns = (
        *(log.ones, weight, weight * weight / SQUARE_UNIT, weight - (1.0 - lost), lost),
        *((weight > 0.0).astype(np.float64), weight * log.reward),
    )
    return WeightSums(
        cluster_sums(log.user, np.column_stack(columns)),
        _top(weight),
        by_action and log.unsupported is not None,
        mean_one,
    )


def _top(weight: Floats) -> Floats:
    kept = weight if len(weight) <= _KEPT else np.partition(weight, -_KEPT)[-_KEPT:]
    return np.sort(kept)
