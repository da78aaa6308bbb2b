"""The evening on which policies are compared: a world, its logs' estimates, and its prices.

Everything a policy may use is derived from the logs that the world's recorder wrote before that
evening: values and seat times of every pair, and seat prices trained on the last logged evening.
The truth is used for two things only: to judge, and to play the ``oracle_*`` policies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.allocation import (
    Prices,
    Problem,
    stay_profile,
    time_buckets,
    train_prices,
)
from giftlive.clock import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE
from giftlive.evaluation.rollout import TableValuer, Valuer
from giftlive.evaluation.valuation import estimate_values
from giftlive.logs.store import Store
from giftlive.models.folder import save
from giftlive.rng import derive
from giftlive.types import Floats, Ints, Observation
from giftlive.world import Arena, World, build_world, load_scenario, potential_arrivals
from giftlive.world.stay import true_stay
from giftlive.world.truth import true_value

BUCKET_MS = 30 * MS_PER_MINUTE
_ARRAYS = ("values", "gift_probability", "seat_seconds", "duals", "spill")


@dataclass(frozen=True)
class ArrivalValuer:
    """The world's own expectation of every candidate, computed once for all potential arrivals.

    Attributes
    ----------
    keys : [n] ascending identity of each arrival. values, seat_seconds : [n, m] in that order.
    """

    keys: Ints
    values: Floats
    seat_seconds: Floats

    def __call__(self, observation: Observation, /) -> tuple[Floats, Floats]:
        """Return true values and true seat seconds [n, m] of arrivals seen before."""
        rows = np.searchsorted(self.keys, identity(observation))
        return self.values[rows], self.seat_seconds[rows]


def identity(observation: Observation) -> Ints:
    """Return [n] one number per (user, visit): visits are exogenous, so it names an arrival."""
    return (observation.user << 32) | observation.visit


@dataclass(frozen=True)
class Evening:
    """A world's arena day with what its logs let a platform estimate.

    Attributes
    ----------
    values, gift_probability, seat_seconds : [U, S] estimates (through the Scorer).
    prices : estimated price of a seat-second by room of tonight and bucket.
    loss : what the distillation into the Scorer lost. card : of the value model.
    cap : 95 % point of the logged gift amounts, at which capped rewards are cut.
    models : folder of the saved value model and its Scorer.
    """

    world: World
    preset: str
    values: Floats
    gift_probability: Floats
    seat_seconds: Floats
    prices: Prices
    loss: Mapping[str, float]
    card: Mapping[str, Any]
    cap: float = np.inf
    models: Path | None = None
    label: str = "calibrated world"
    unit: str = "platform unit"

    @cached_property
    def seats(self) -> Ints:
        """[R] hard seats of tonight's rooms."""
        return Arena(self.world, 0).seats

    @property
    def seats_tonight(self) -> int:
        """All seats of tonight's rooms together."""
        return int(self.seats.sum())

    @cached_property
    def estimated_valuer(self) -> Valuer:
        """Values and seat times as the platform estimates them."""
        return TableValuer(self.values, self.seat_seconds)

    @property
    def window(self) -> tuple[int, int]:
        """First and last ms in which visits begin."""
        return open_hours(self.world, self.world.arena_day)

    def arena(self, seed: int) -> Arena:
        """Return tonight's arena under ``seed``."""
        return Arena(self.world, seed)

    def arrivals(self, seed: int) -> Observation:
        """Return every potential decision of tonight under ``seed``, whatever the policy."""
        return potential_arrivals(self.world, seed)

    def true_valuer(self, problem: Problem, arrivals: Observation) -> Valuer:
        """Return the truth about ``arrivals``; only ``oracle_*`` policies may see it."""
        keys = identity(arrivals)
        order = np.argsort(keys)
        return ArrivalValuer(keys[order], problem.values[order], problem.seat_seconds[order])

    def true_problem(self, arrivals: Observation) -> Problem:
        """Return tonight's problem with true values and the exact spread of every stay."""
        start, end = self.window
        buckets = _buckets(start, end)
        bucket = time_buckets(arrivals.ts, start, BUCKET_MS, buckets)
        stay = true_stay(
            self.world, arrivals.user, arrivals.rooms, arrivals.ts, self._ends(arrivals.ts, bucket)
        )
        total = stay[:, :, -1]
        parts = np.diff(stay, axis=2, prepend=0.0)
        held = np.where(total > 0, total, 1.0)[:, :, None]
        return Problem(
            values=true_value(
                self.world, arrivals.user[:, None], arrivals.rooms, arrivals.ts[:, None]
            ),
            rooms=arrivals.rooms,
            seat_seconds=total,
            bucket=bucket,
            capacity=np.outer(self.seats, np.full(buckets, BUCKET_MS / 1000.0)),
            spill=parts / held,
            label="true",
        )

    def _ends(self, ts: Ints, bucket: Ints) -> Floats:
        """Return [n, K] seconds from each decision to the ends of its buckets, the last open."""
        depth = int(np.ceil(self.world.scenario.watch.cap_seconds * 1000 / BUCKET_MS)) + 1
        first = (self.window[0] + (bucket + 1) * BUCKET_MS - ts) / 1000.0
        ends = first[:, None] + np.arange(depth) * (BUCKET_MS / 1000.0)
        ends[:, -1] = np.inf
        return ends

    @cached_property
    def true_prices(self) -> Prices:
        """Prices an oracle would train: true values, the arrivals of another evening."""
        arrivals = self.arrivals(derive(self.world.seed, "another evening"))
        return train_prices(self.true_problem(arrivals), self.window[0], BUCKET_MS)

    def describe(self) -> dict[str, Any]:
        """Return what identifies this evening in a results file."""
        return {
            "preset": self.preset,
            "users": len(self.world.user_ids),
            "streamers": len(self.world.streamer_ids),
            "history_days": self.world.arena_day,
            "seats": self.seats_tonight,
            "load": self.world.scenario.seats.load,
            "value_model": self.card.get("name", ""),
        }


def open_hours(world: World, day: int) -> tuple[int, int]:
    """Return the first and last ms of ``day`` in which visits begin."""
    hours = np.flatnonzero(np.diff(world.scene.rhythm.diurnal))
    start = world.origin_ms + day * MS_PER_DAY
    return start + int(hours[0]) * MS_PER_HOUR, start + (int(hours[-1]) + 1) * MS_PER_HOUR


def _buckets(start: int, end: int) -> int:
    return -(-(end - start) // BUCKET_MS)


def _room_of(world: World) -> Ints:
    """Return [S] tonight's room of every streamer."""
    rooms = np.flatnonzero(world.room_start >= world.origin_ms + world.arena_day * MS_PER_DAY)
    found = np.full(len(world.streamer_ids), -1, dtype=np.int64)
    found[world.room_streamer[rooms]] = rooms
    return found


def evening_world(preset: str, scale: str | None, overrides: Mapping[str, str], seed: int) -> World:
    """Return the world whose arena day is the evening."""
    return build_world(load_scenario(preset, scale=scale, overrides=dict(overrides)), seed)


def prepare_evening(
    history: Store, tables: Path, world: World, seed: int, folder: Path, value_model: str
) -> None:
    """Estimate values by ``value_model`` and prices from ``history``; write them into ``folder``.

    The fitted value model and its Scorer are saved under ``models/`` there.
    """
    start, _ = open_hours(world, world.arena_day)
    found = estimate_values(history, tables, world.user_ids, world.streamer_ids, start, value_model)
    for name, model in (("value", found.model), ("scorer", found.scorer)):
        save(model, folder / "models" / name)
    prices = yesterday_prices(history, world, found.values, found.seat_seconds, seed)
    np.savez(
        folder / "estimates.npz",
        values=found.values,
        gift_probability=found.gift_probability,
        seat_seconds=found.seat_seconds,
        duals=prices.duals,
        spill=prices.spill,
    )
    facts = {"loss": asdict(found.loss), "card": found.card, "cap": logged_cap(history)}
    (folder / "facts.json").write_text(json.dumps(facts, sort_keys=True), encoding="utf-8")


def open_evening(
    folder: Path, preset: str, scale: str | None, overrides: Mapping[str, str], seed: int
) -> Evening:
    """Return the evening that :func:`prepare_evening` wrote."""
    world = evening_world(preset, scale, overrides, seed)
    with np.load(folder / "estimates.npz") as stored:
        arrays = {name: stored[name] for name in _ARRAYS}
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    start, _ = open_hours(world, world.arena_day)
    return Evening(
        world=world,
        preset=preset,
        values=arrays["values"],
        gift_probability=arrays["gift_probability"],
        seat_seconds=arrays["seat_seconds"],
        prices=Prices(arrays["duals"], start, BUCKET_MS, arrays["spill"]),
        loss=facts["loss"],
        card=facts["card"],
        cap=float(facts["cap"]),
        models=folder / "models",
    )


def yesterday_prices(
    history: Store, world: World, values: Floats, seat_seconds: Floats, seed: int
) -> Prices:
    """Train seat prices on the last logged evening: its exposures are the arrivals.

    The log does not hold candidate sets, so every streamer live that evening is a candidate;
    seats are known to the platform. Stays are spread as the logged watch times were.
    """
    user, ts, watch = last_evening(history, world)
    start, end = open_hours(world, world.arena_day - 1)
    buckets = _buckets(start, end)
    room_of = _room_of(world)
    live = np.flatnonzero(room_of >= 0)
    seats = Arena(world, 0).seats
    rooms = np.tile(room_of[live], (len(user), 1))
    problem = Problem(
        values=values[np.ix_(user, live)],
        rooms=rooms,
        seat_seconds=seat_seconds[np.ix_(user, live)],
        bucket=time_buckets(ts, start, BUCKET_MS, buckets),
        capacity=np.outer(seats, np.full(buckets, BUCKET_MS / 1000.0)),
        spill=_spread(ts, watch, start, buckets),
        label="estimated",
    )
    return train_prices(problem, start, BUCKET_MS, seed=seed)


def _spread(ts: Ints, watch_seconds: Floats, start: int, buckets: int) -> Floats:
    depth = int(np.ceil(watch_seconds.max(initial=1.0) * 1000 / BUCKET_MS)) + 1
    return stay_profile(ts, watch_seconds, start, BUCKET_MS, depth, buckets)


def logged_cap(history: Store) -> float:
    """Return the 95 % point of the logged gift amounts."""
    con = history.connect()
    try:
        row = con.execute("select quantile_disc(amount, 0.95) from gift").fetchone()
    finally:
        con.close()
    return float(row[0])


def last_evening(history: Store, world: World) -> tuple[Ints, Ints, Floats]:
    """Return dense user [n] and ts [n] of the last logged evening, and all watch seconds."""
    start, end = open_hours(world, world.arena_day - 1)
    con = history.connect()
    try:
        shown = con.execute(
            "select user_id, ts from (select user_id, ts from click union all"
            " select user_id, ts from negative) e where ts >= ? and ts < ? order by ts, user_id",
            [start, end],
        ).fetchnumpy()
        watch = con.execute(
            "select watch_ms / 1000.0 as s from click where watch_ms > 0"
            " order by row_id limit 20000"
        ).fetchnumpy()
    finally:
        con.close()
    order = np.argsort(world.user_ids)
    at = np.searchsorted(world.user_ids[order], np.asarray(shown["user_id"], dtype=np.int64))
    return order[at], np.asarray(shown["ts"], dtype=np.int64), np.asarray(watch["s"], dtype=float)
