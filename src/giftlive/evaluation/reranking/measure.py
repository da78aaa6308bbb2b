"""What re-ranking a recalled list changes, at every length of the list, on one log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from giftlive import metrics
from giftlive.evaluation.behavioural.measure import Number, finite
from giftlive.evaluation.leaderboard.predictions import within
from giftlive.evaluation.reranking.decisions import Listed
from giftlive.evaluation.reranking.lists import moved, reranked
from giftlive.models.registry import make
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats

NDCG, CAPTURE, FIRST, SLATE = "NDCG@10", "capture@1 %", "first room", "slate of 3"
REALISED_NDCG, REALISED_CAPTURE = "realised NDCG@10", "realised capture@1 %"
METRICS = (NDCG, CAPTURE, FIRST, SLATE, REALISED_NDCG, REALISED_CAPTURE)
DIRECT, STAGED_ALONE, PERFECT = "direct", "stage 2 alone", "re-ranked by the truth"
"""The list as recalled, without any recall, and the best that any re-ranking could do."""
SLATE_ROOMS, PLACES = 3, 10


def by_staged(length: int) -> str:
    """Return the name of the list whose first ``length`` rooms stage 2 has put in order."""
    return f"re-ranked {length}"


def by_truth(length: int) -> str:
    """Return the name of the list whose first ``length`` rooms are in their true order."""
    return f"{PERFECT} {length}"


def measured(
    matrix: Matrix,
    folds: Sequence[Fold],
    listed: Listed,
    direct: str,
    staged: str,
    lengths: Sequence[int],
    asked: int,
) -> Iterator[Number]:
    """Yield every number of one log.

    Parameters
    ----------
    direct, staged : names in the registry, trained on the sessions of each origin's training days.
    lengths : of the list. asked : the length that the checks are about.
    """
    one, two = (_scores(matrix, folds, listed, name) for name in (direct, staged))
    for name, score in {DIRECT: one, STAGED_ALONE: two}.items():
        yield from _scored(name, score, listed)
    for length in sorted({*lengths, asked}):
        again = reranked(one, two, listed.available, length)
        yield from _scored(by_staged(length), again, listed)
        best = reranked(one, listed.entered, listed.available, length)
        yield from _scored(by_truth(length), best, listed)
        changed = moved(one, again, listed.available)
        yield Number("lists", by_staged(length), "reordered", float(changed.mean()))
        if length == asked:
            yield Number("reordered", "asked", "share", float(changed.mean()))
    same = reranked(one, one, listed.available, asked)
    yield Number("a_a", DIRECT, "differs", float(not np.array_equal(same, one)))
    yield from _references(matrix, one, listed, asked)
    yield Number("lists", "decisions", "count", float(len(listed.fold)))
    yield Number("lists", "candidates", "mean", float(listed.available.sum(axis=1).mean()))
    gave = listed.gifts.max(axis=1, initial=0.0) > 0.0
    yield Number("lists", "decisions with a gift", "count", float(gave.sum()))


def _scores(matrix: Matrix, folds: Sequence[Fold], listed: Listed, name: str) -> Floats:
    """Return [n, m] the expected amounts of the candidates by the model called ``name``."""
    table = np.zeros(listed.available.shape)
    for k, fold in enumerate(folds):
        train = np.flatnonzero(within(matrix.day, fold.train))
        fitted = make(name).fit(
            matrix.X[train], matrix.y[train], matrix.user[train], names=matrix.names
        )
        rows = np.flatnonzero(listed.fold == k)
        here = np.zeros(listed.available.shape, dtype=np.bool_)
        here[rows] = listed.available[rows]
        table[here] = fitted.predict(listed.of(rows)) if len(rows) else 0.0
    return table


def _references(matrix: Matrix, direct: Floats, listed: Listed, asked: int) -> Iterator[Number]:
    """Yield NDCG of the list ordered by two past sums: what the check ``movable`` asks."""
    for name in ("pair_gift_sum", "streamer_gift_sum"):
        score = listed.spread(listed.X[:, matrix.names.index(name)])
        again = reranked(direct, score, listed.available, asked)
        value = metrics.decision_ndcg(listed.entered, again, listed.available, PLACES)
        yield Number("movable", name, NDCG, finite(value))


def _scored(row: str, score: Floats, listed: Listed) -> Iterator[Number]:
    for name, value in scores(score, listed).items():
        yield Number("list", row, name, value)


def scores(score: Floats, listed: Listed) -> dict[str, float | None]:
    """Return every metric of one order of the candidates.

    NDCG and capture have the expected amount of an entry as their gain; the first room and the
    slate are worth what is expected of showing them, entered or not, per decision. Realised ones
    know gifts in the room that was entered alone.
    """
    live = listed.available
    flat = score[live]
    first = metrics.top_choice(score, live)
    top = _top(score, live)
    return {
        NDCG: finite(metrics.decision_ndcg(listed.entered, score, live, PLACES)),
        CAPTURE: finite(metrics.revenue_capture(listed.entered[live], flat, 0.01)),
        FIRST: float((first * listed.shown).sum(axis=1).mean()),
        SLATE: float((top * listed.shown).sum(axis=1).mean()),
        REALISED_NDCG: finite(metrics.decision_ndcg(listed.gifts, score, live, PLACES)),
        REALISED_CAPTURE: finite(metrics.revenue_capture(listed.gifts[live], flat, 0.01)),
    }


def _top(score: Floats, available: np.ndarray) -> Floats:
    """Return [n, m] 1 for the rooms of the slate; ties at its border share what is left."""
    key = np.where(available, score, -np.inf)
    cut = -np.sort(-key, axis=1)[:, min(SLATE_ROOMS, key.shape[1]) - 1][:, None]
    above, at = available & (key > cut), available & (key == cut)
    left = np.maximum(SLATE_ROOMS - above.sum(axis=1, keepdims=True), 0)
    part = np.minimum(left / np.maximum(at.sum(axis=1, keepdims=True), 1), 1.0)
    return above + at * part
