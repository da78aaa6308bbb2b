"""The policies that are judged from the log: as each would act on the evening's contexts.

A policy with a memory is played once through the evening's decisions in order of time, seats
without limit; what it shows in each is then its answer there. So every target is a fixed map from
context to probabilities, whose value is an exact expectation, whatever log is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from giftlive.allocation import Prices
from giftlive.clock import MS_PER_MINUTE
from giftlive.policies import (
    ByStreamer,
    Concave,
    DualPrice,
    Greedy,
    GreedyWithRules,
    Policy,
    WhaleTier,
)
from giftlive.rng import stream
from giftlive.types import UNLIMITED_SEATS, Bools, DecisionBatch, Floats, Ints, Observation

LINEUP = ("concave", "dual_price", "whale_tier", "cold_start")
"""Targets besides greedy: their names in tables."""

_WHALES, _PER_ROOM = 0.99, 2
_NEWCOMERS, _BONUS = 0.25, 0.25
_HOUR_PART_MS = 30 * MS_PER_MINUTE


@dataclass(frozen=True)
class Screened:
    """What the targets of one evening are made of.

    Attributes
    ----------
    values : [U, S] estimated. prices : of seats, estimated. seats : [R] of the evening's rooms.
    """

    values: Floats
    prices: Prices
    seats: Ints

    def policy(self, name: str, best: Floats) -> Policy[Any]:
        """Return the policy of the line-up called ``name``.

        Prices stay as trained, and nobody is left without a room: what differs from greedy is
        whom a room is shown to.

        Parameters
        ----------
        best : [n] largest value of each decision; sets the scale of returns and of the bonus.
        """
        made: dict[str, Callable[[], Policy[Any]]] = {
            "concave": lambda: Concave("log", scale=float(best.sum()) / len(self.seats)),
            "dual_price": lambda: DualPrice(self.prices, learning_rate=0.0, decline_below=None),
            "whale_tier": lambda: WhaleTier(_PER_ROOM, whales=self.whales, rest=Greedy()),
            "cold_start": lambda: GreedyWithRules(
                newcomer_bonus=float(np.quantile(best, _BONUS)),
                newcomers=ByStreamer(self.newcomers.astype(np.float64)),
                respect_seats=False,
            ),
        }
        return made[name]()

    @property
    def whales(self) -> Bools:
        """[U] the users to whom some room is worth most."""
        worth = self.values.max(axis=1)
        found: Bools = worth >= np.quantile(worth, _WHALES)
        return found

    @property
    def newcomers(self) -> Bools:
        """[S] the streamers of least estimated value, who get a bonus in ``cold_start``."""
        worth = self.values.mean(axis=0)
        found: Bools = worth <= np.quantile(worth, _NEWCOMERS)
        return found

    def answers(self, seen: Observation, values: Floats, seconds: Floats) -> dict[str, Floats]:
        """Return name -> [n, m] the probabilities of every target of the line-up."""
        free = replace(seen, seats_left=np.full(seen.rooms.shape, UNLIMITED_SEATS))
        batch = DecisionBatch(free, values, seconds)
        order = np.argsort(seen.ts, kind="stable")
        best = np.where(batch.available, values, 0.0).max(axis=1)
        parts = {"whale_tier": _parts(seen.ts[order])}  # whales meet within half an hour
        return {
            name: self._played(self.policy(name, best), batch, order, parts.get(name))
            for name in LINEUP
        }

    def _played(
        self, policy: Policy[Any], batch: DecisionBatch, order: Ints, parts: list[Ints] | None
    ) -> Floats:
        found, rng = np.zeros(batch.values.shape), stream(0, "screened targets")
        for part in parts or [np.arange(len(order))]:
            rows = order[part]
            asked = policy.decide(policy.init(self.seats), _rows(batch, rows), rng)
            found[rows] = asked.propensities
        total = found.sum(axis=1, keepdims=True)
        alike = batch.available / np.maximum(batch.available.sum(axis=1, keepdims=True), 1)
        return np.where(total > 0.0, found / np.where(total > 0.0, total, 1.0), alike)


def _parts(ts: Ints) -> list[Ints]:
    number = (ts - ts[0]) // _HOUR_PART_MS
    return np.split(np.arange(len(ts)), np.flatnonzero(np.diff(number)) + 1)


def _rows(batch: DecisionBatch, rows: Ints) -> DecisionBatch:
    seen = batch.observation
    fields = {name: getattr(seen, name)[rows] for name in Observation.__slots__}
    return DecisionBatch(Observation(**fields), batch.values[rows], batch.seat_seconds[rows])
