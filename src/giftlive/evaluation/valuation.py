"""From a platform's logs to a value and a seat time for every user and streamer tonight.

A value model is fitted on the history's labelled rows (E[amount | clicked]), evaluated at
every pair as of the evening's start, and multiplied by P(clicked | shown). A ``Scorer`` is
distilled from that table; decisions use the Scorer, and what the distillation lost is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.logs.store import Store
from giftlive.models.base import FittedModel
from giftlive.models.distillation import DistillationLoss, distil
from giftlive.models.registry import make
from giftlive.models.scorer import Scorer
from giftlive.models.signals import RankOneRate, fit_rank_one
from giftlive.rng import stream
from giftlive.tables.matrix import load_matrix, read_dictionary
from giftlive.tables.probe import features_at
from giftlive.types import Floats, Ints

_DISTILLATION_PAIRS = 60_000
"""Pairs the Scorer learns from; more change its loss in the third digit and cost seconds."""

_OF_ROOMS = frozenset({"room", "room_profile", "taste"})

_EXPOSURES = """
select {key} as id, count(*) as shown, sum(clicked) as clicks, sum(watch_ms) as watch_ms
from (
  select {key}, 1 as clicked, watch_ms from click
  union all
  select {key}, 0 as clicked, 0 as watch_ms from negative
) exposures
group by {key}
order by {key}
"""


@dataclass(frozen=True)
class Valuation:
    """Estimates for every pair, rows and columns in the world's dense order.

    Attributes
    ----------
    values : [U, S] estimated E[amount | shown] through the Scorer.
    teacher : [U, S] the same by the full model.
    gift_probability : [U, S] estimated P(gift | shown) by the full model.
    seat_seconds : [U, S] estimated E[watch seconds | shown].
    loss : what the distillation lost. card : the model card of the teacher.
    model, scorer : the teacher and what was distilled from it.
    """

    values: Floats
    teacher: Floats
    gift_probability: Floats
    seat_seconds: Floats
    loss: DistillationLoss
    card: dict[str, Any]
    model: FittedModel
    scorer: Scorer


def estimate_values(
    store: Store, tables: Path, users: Ints, streamers: Ints, as_of_ms: int, name: str
) -> Valuation:
    """Estimate value and seat time of every pair as of ``as_of_ms``, from the logs alone.

    Parameters
    ----------
    users : [U] public ids in the order of the result's rows. streamers : [S] in that of its
        columns. Ids the logs have never seen get the population's estimate.
    name : of the value model in the registry; one that estimates E[amount].
    """
    matrix = load_matrix(tables, known_before_rooms(tables))
    model = make(name).fit(matrix.X, matrix.y, matrix.user, names=matrix.names)
    clicks, seconds = exposure_signals(store, users, streamers)
    X = _grid(store, users, streamers, as_of_ms, matrix.names)
    shape = len(users), len(streamers)
    enter = clicks.table()
    teacher = model.predict(X).reshape(shape) * enter
    scorer, loss, values = _distilled(X, matrix.names, teacher)
    return Valuation(
        values=values,
        teacher=teacher,
        gift_probability=model.predict_proba(X).reshape(shape) * enter,
        seat_seconds=seconds.table(),
        loss=loss,
        card=model.card() | {"scorer_dimension": scorer.width},
        model=model,
        scorer=scorer,
    )


def known_before_rooms(tables: Path) -> tuple[str, ...]:
    """Return the features that exist before tonight's rooms do.

    A model that learnt from the state of a room would take every room of tonight for an empty
    one; so what belongs to a room, or to a user's taste in its category, stays out.
    """
    declared = read_dictionary(tables)["features"]
    return tuple(f["name"] for f in declared if f["group"] not in _OF_ROOMS)


def exposure_signals(store: Store, users: Ints, streamers: Ints) -> tuple[RankOneRate, RankOneRate]:
    """Return P(clicked | shown) and E[watch seconds | shown] as rank-one tables."""
    con = store.connect()
    try:
        by_user = con.execute(_EXPOSURES.format(key="user_id")).fetchnumpy()
        by_streamer = con.execute(_EXPOSURES.format(key="streamer_id")).fetchnumpy()
    finally:
        con.close()
    u, s = (_aligned(by_user, users), _aligned(by_streamer, streamers))
    shown_u, shown_s = u["shown"].astype(np.int64), s["shown"].astype(np.int64)
    click = fit_rank_one(shown_u, u["clicks"], shown_s, s["clicks"], upper=1.0)
    watch = fit_rank_one(shown_u, u["watch_ms"] / 1e3, shown_s, s["watch_ms"] / 1e3)
    return click, watch


def _aligned(rows: dict[str, Any], ids: Ints) -> dict[str, Floats]:
    """Return the columns of ``rows`` in the order of ``ids``, 0 where an id has no row."""
    known = np.asarray(rows["id"], dtype=np.int64)
    at = np.clip(np.searchsorted(known, ids), 0, max(len(known) - 1, 0))
    found = known[at] == ids if len(known) else np.zeros(len(ids), dtype=bool)
    return {
        name: np.where(found, np.asarray(rows[name], dtype=np.float64)[at], 0.0)
        for name in ("shown", "clicks", "watch_ms")
    }


def _grid(
    store: Store, users: Ints, streamers: Ints, as_of_ms: int, names: tuple[str, ...]
) -> Floats:
    """Return the features of every pair, users outermost."""
    pairs = np.repeat(users, len(streamers)), np.tile(streamers, len(users))
    return features_at(store, *pairs, as_of_ms, names)


def _columns(names: tuple[str, ...], *prefixes: str) -> list[int]:
    return [j for j, name in enumerate(names) if name.startswith(prefixes)]


def _distilled(
    X: Floats, names: tuple[str, ...], teacher: Floats
) -> tuple[Scorer, DistillationLoss, Floats]:
    users, streamers = teacher.shape
    by_user, by_room = _columns(names, "user_"), _columns(names, "streamer_")
    context = X[:, _columns(names, "pair_")]
    learn = stream(0, "distillation sample").permutation(teacher.size)[:_DISTILLATION_PAIRS]
    scorer, loss = distil(
        teacher.ravel()[learn], X[learn][:, by_user], X[learn][:, by_room], context[learn]
    )
    u = scorer.user_vectors(X[::streamers][:, by_user])
    r = scorer.room_vectors(X[:streamers][:, by_room])
    terms = scorer.context_terms(context).reshape(teacher.shape)
    rooms = np.tile(np.arange(streamers), (users, 1))
    return scorer, loss, scorer.score_rooms(u, r, rooms, terms)
