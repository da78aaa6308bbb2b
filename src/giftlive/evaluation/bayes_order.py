"""The order by E[value | features] on the test rows of worlds, learnt from other worlds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from giftlive.evaluation.world_logs import Log
from giftlive.models.base import known
from giftlive.types import Floats
from giftlive.world.ceiling import BayesValue, bayes_value


@dataclass(frozen=True)
class Taught:
    """Rows of a world that teaches: features, nan where unknown, and expected amounts."""

    seen: Floats
    value: Floats

    @classmethod
    def by(cls, log: Log) -> Taught:
        """Return all rows of a log."""
        return cls(known(log.matrix.X), log.truth.value)


def bayes_orders(
    seen: Sequence[Floats], trained: Sequence[int], taught: Sequence[Taught]
) -> Iterator[BayesValue]:
    """Yield E[value | features] of the rows of every judged world, in their order.

    Parameters
    ----------
    seen : features [n, p] of each world's test rows, nan where unknown. trained : on how many rows
    its models were.

    Raises
    ------
    NotEnoughDataError
        The teachers hold fewer than 20 times the rows that a model trains on.
    """
    order = bayes_value(
        np.concatenate([t.seen for t in taught]),
        np.concatenate([t.value for t in taught]),
        np.repeat(np.arange(len(taught)), [len(t.value) for t in taught]),
        np.concatenate(list(seen)),
        max(trained),
    )
    ends = np.cumsum([len(x) for x in seen])
    for at in np.split(np.arange(ends[-1]), ends[:-1]):
        yield replace(order, value=order.value[at], halves=order.halves[:, at])
