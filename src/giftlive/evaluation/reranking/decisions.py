"""Test decisions of a log with their candidates, what they look like and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.evaluation.ceiling import dense
from giftlive.evaluation.leaderboard.predictions import within
from giftlive.evaluation.world_logs import Written
from giftlive.tables.candidates import CandidateOptions, build_decisions, load_decisions
from giftlive.tables.matrix import Matrix
from giftlive.tables.probe import features_at
from giftlive.tables.splits import Fold
from giftlive.types import Bools, Floats, Ints
from giftlive.world.ceiling import value_of_click
from giftlive.world.truth import true_value


@dataclass(frozen=True)
class Listed:
    """Decisions [n] with candidates [m], padded at the end.

    Attributes
    ----------
    X : [k, p] features of the candidates, one row per True of ``available`` in its order.
    available : [n, m]. gifts : [n, m] amount that followed, on the room that was entered.
    entered, shown : [n, m] E[amount] if the room is entered, and if it is shown.
    fold : [n] origin whose test days hold the decision.
    """

    X: Floats
    available: Bools
    gifts: Floats
    entered: Floats
    shown: Floats
    fold: Ints

    def spread(self, values: Floats) -> Floats:
        """Return [n, m] what is known of each candidate, 0 where there is none."""
        table = np.zeros(self.available.shape)
        table[self.available] = values
        return table

    def of(self, rows: Ints) -> Floats:
        """Return the features of the candidates of ``rows``, in the order of ``available``."""
        owner = np.nonzero(self.available)[0]
        return self.X[np.isin(owner, rows)]


def listed(
    made: Written, matrix: Matrix, folds: Sequence[Fold], wanted: int, memory_limit: str
) -> Listed:
    """Return about ``wanted`` test decisions, drawn alike, with what is known of every candidate.

    Candidates are those of the tables: what several rules of retrieval bring of the rooms live at
    the moment, the room that was entered, and those that were skipped beside it. Their features
    are as known strictly before the decision.
    """
    test = np.zeros(len(matrix), dtype=np.bool_)
    for origin in folds:
        test |= within(matrix.day, origin.test)
    share = min(1.0, wanted / max(int(test.sum()), 1))
    file = made.folder / "decisions.parquet"
    options = CandidateOptions(share=share, memory_limit=memory_limit, threads=1)
    build_decisions(made.store, made.folder / "tables", file, options)
    sets = load_decisions(file)
    day, fold = _days(matrix, sets.user_id, sets.ts), np.full(len(sets), -1, dtype=np.int64)
    for k, origin in enumerate(folds):
        fold[within(day, origin.test)] = k
    kept = np.flatnonzero(fold >= 0)
    available = sets.available[kept]
    row, column = np.nonzero(available)
    user, ts = sets.user_id[kept][row], sets.ts[kept][row]
    live, streamer = (ids[kept][row, column] for ids in (sets.live_id, sets.streamer_id))
    X = features_at(made.store, user, streamer, ts, matrix.names, lives=live)
    world = made.world
    who, room = dense(world.user_ids, user), dense(world.live_ids, live)
    values = [np.zeros(available.shape) for _ in range(2)]
    for table, law in zip(values, (value_of_click, true_value), strict=True):
        table[available] = law(world, who, room, ts)
    return Listed(X, available, sets.value[kept], values[0], values[1], fold[kept])


def _days(matrix: Matrix, user: Ints, ts: Ints) -> Ints:
    """Return the local day of each decision, -1 where it is no matured row of the matrix."""
    keys = np.concatenate([np.column_stack([matrix.user, matrix.ts]), np.column_stack([user, ts])])
    index = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    day = np.full(int(index.max(initial=-1)) + 1, -1, dtype=np.int64)
    day[index[: len(matrix)]] = matrix.day
    return day[index[len(matrix) :]]
