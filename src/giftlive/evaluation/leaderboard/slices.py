"""The leaderboard within parts of the test rows: who was known, who spends, which day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from giftlive import metrics
from giftlive.evaluation.leaderboard.predictions import Predictions, TestSet, within
from giftlive.evaluation.leaderboard.scores import bare, interval
from giftlive.metrics import influence
from giftlive.stats.intervals import Interval
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Bools, Floats

COUNTS = ("pair_gift_count", "user_gift_count", "streamer_gift_count")
"""What was given before, by the pair, by the user, to the streamer: warm where above 0."""

WHALE_PERCENTILE = 99.0
"""A whale gave more on the first origin's training days than this percentile of its users."""


@dataclass(frozen=True)
class Cut:
    """One model within one slice.

    Attributes
    ----------
    slice : its name. rows, amount : its share of the rows and of the amount. capture : revenue
    capture at 1 % within it. level : Σ predicted / Σ actual within it.
    """

    model: str
    slice: str
    rows: float
    amount: float
    capture: Interval
    level: float


def labels_of(matrix: Matrix, test: TestSet, first: Fold) -> dict[str, Bools]:
    """Return [n] which test rows are in each slice.

    Parameters
    ----------
    first : the first origin: whales are those of its training days, before every test day.
    """
    found: dict[str, Bools] = {}
    for name in (c for c in COUNTS if c in matrix.names):
        who = name.split("_", maxsplit=1)[0]
        warm = matrix.column(name)[test.rows] > 0.0
        found |= {f"{who} with a gift": warm, f"{who} without a gift": ~warm}
    whale = np.isin(test.user, _whales(matrix, first))
    found |= {"whales": whale, "everyone else": ~whale}
    day = matrix.day[test.rows]
    return found | {f"day {d + 1}": day == value for d, value in enumerate(np.unique(day))}


def _whales(matrix: Matrix, first: Fold) -> Floats:
    rows = within(matrix.day, first.train)
    users, index = np.unique(matrix.user[rows], return_inverse=True)
    past = np.bincount(index, matrix.y[rows], len(users)).astype(np.float64)
    return np.asarray(users[metrics.above_percentile(past, WHALE_PERCENTILE)])


def cuts(
    test: TestSet, predictions: Sequence[Predictions], labels: Mapping[str, Bools]
) -> Iterator[Cut]:
    """Yield every model within every slice that holds rows, and money to be captured."""
    total = float(test.y.sum())
    for name, inside in labels.items():
        y = test.y[inside]
        if not y.sum() > 0.0:
            continue
        part = TestSet(test.rows[inside], y, test.user[inside], test.fold[inside])
        for p in predictions:
            guess = p.amount[inside]
            yield Cut(
                model=p.name,
                slice=name,
                rows=float(inside.mean()),
                amount=float(y.sum()) / total,
                capture=_capture(part, guess),
                level=float(guess.sum() / y.sum()),
            )


def _capture(part: TestSet, guess: Floats) -> Interval:
    found = influence.revenue_capture(part.y, guess, 0.01)
    if len(np.unique(part.user)) < 2:
        return bare(found.value, 1, "the rows of one user")
    return interval(part, "revenue_capture_1pct", found)
