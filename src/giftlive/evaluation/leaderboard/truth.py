"""Rankings held against the expected values of the world that made the logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive import metrics
from giftlive.errors import UsageError
from giftlive.evaluation.ceiling import dense
from giftlive.evaluation.leaderboard.predictions import Predictions
from giftlive.logs.store import Store
from giftlive.tables.matrix import Matrix
from giftlive.types import Floats, Ints
from giftlive.world import World
from giftlive.world.ceiling import value_of_click
from giftlive.world.payoff import with_payoff


@dataclass(frozen=True)
class Truth:
    """What the world knows of every row of a matrix.

    Attributes
    ----------
    value : [n] E[amount of the row's clicks]. chance : [n] P(at least one of them brings a gift).
    clicks : [n] how many clicks are credited to the row.
    """

    value: Floats
    chance: Floats
    clicks: Ints

    @property
    def amount_if_gift(self) -> Floats:
        """Return [n] E[amount | a gift], 0 where none can come."""
        return np.divide(
            self.value, self.chance, out=np.zeros_like(self.value), where=self.chance > 0.0
        )

    def at(self, rows: Ints) -> Truth:
        """Return the truth of ``rows``."""
        return Truth(self.value[rows], self.chance[rows], self.clicks[rows])


def truth_of(world: World, store: Store, matrix: Matrix) -> Truth:
    """Return the truth of every row: the sum over the clicks of its session, each at its time.

    A click belongs to the latest row of its user and room that does not start after it, as the
    sessions of the tables do. Given that these clicks happened the expectation is exact where
    rooms are not crowded; a click that the recorder lost is in neither the row nor its truth.

    Raises
    ------
    UsageError
        The logs are not this world's.
    """
    user, live, ts = _clicks(store)
    row = _row_of(matrix, user, live, ts)
    known = row >= 0
    if not known.any():
        raise UsageError("no click belongs to a row", "truth", "the store of these tables")
    who, room = dense(world.user_ids, user[known]), dense(world.live_ids, live[known])
    value = value_of_click(world, who, room, ts[known])
    counting = with_payoff(world, np.ones(len(world.scene.law.prices)))
    chance = np.minimum(value_of_click(counting, who, room, ts[known]), 1.0 - 1e-12)
    n = len(matrix)
    none = np.bincount(row[known], np.log1p(-chance), n)
    return Truth(
        np.bincount(row[known], value, n).astype(np.float64),
        -np.expm1(none),
        np.bincount(row[known], minlength=n).astype(np.int64),
    )


def _clicks(store: Store) -> tuple[Ints, Ints, Ints]:
    con = store.connect()
    try:
        found = con.execute("select user_id, live_id, ts from click").fetchnumpy()
    finally:
        con.close()
    user, live, ts = (np.asarray(found[name], dtype=np.int64) for name in found)
    return user, live, ts


def _row_of(matrix: Matrix, user: Ints, live: Ints, ts: Ints) -> Ints:
    """Return [c] the row that each click belongs to, -1 where there is none."""
    n = len(matrix)
    who = np.unique(np.concatenate([matrix.user, user]), return_inverse=True)[1].reshape(-1)
    room = np.unique(np.concatenate([matrix.live, live]), return_inverse=True)[1].reshape(-1)
    pair = who.astype(np.int64) * (int(room.max()) + 1) + room
    when = np.concatenate([matrix.ts, ts])
    is_click = np.concatenate([np.zeros(n, np.int64), np.ones(len(ts), np.int64)])
    order = np.lexsort((is_click, when, pair))  # of one moment the row comes first
    last = np.maximum.accumulate(np.where(is_click[order] == 0, np.arange(len(order)), -1))
    found = np.full(len(order), -1, dtype=np.int64)
    there = last >= 0
    source = order[last[there]]
    same = pair[source] == pair[order[there]]
    found[order[there]] = np.where(same, source, -1)
    return found[n:]


def against_truth(truth: Truth, predictions: Sequence[Predictions]) -> dict[str, dict[str, float]]:
    """Return how every model orders expected amounts, by model and metric.

    ``share_of_latent_ceiling`` is its capture of expected revenue at 1 % over that of the order
    by the expected values themselves, which no observer can reach. ``level_error`` is Σ predicted
    over Σ expected.
    """
    value = truth.value
    money = metrics.Ranked.of(value)
    best = metrics.latent_ceiling(value, 0.01)
    found = {}
    for p in predictions:
        amount = metrics.Ranked.of(p.amount)
        capture = metrics.revenue_capture(value, p.amount, 0.01)
        found[p.name] = {
            "capture of expected revenue@1 %": capture,
            "share of the latent ceiling": capture / best,
            "norm. Gini": metrics.normalised_gini(money, amount),
            "Spearman": metrics.spearman(money, amount),
            "NDCG@100": metrics.ndcg(money, amount, 100),
            "Σ pred / Σ expected": float(p.amount.sum() / value.sum()),
        }
    return found
