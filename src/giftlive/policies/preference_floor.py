"""A user's own room is not taken from him: while it is live it keeps its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import Policy, reasons_of
from giftlive.policies.choice import refuse_nan
from giftlive.policies.greedy import Greedy
from giftlive.policies.limits import Limit, first_nan, limits_of, without
from giftlive.policies.signals import ShareOfValue, Signal, numbers
from giftlive.types import DecisionBatch, Decisions, Feedback, Floats, Ints

HOME = "home_room"
"""Code of a row in which the home room kept its place."""


@dataclass(frozen=True)
class PreferenceFloor:
    """Show the live home room in a visit's first ``slots``; elsewhere ``policy`` decides.

    The home room of a user is the candidate of largest past exclusivity (share of his gifts and
    watching on this streamer), if that is at least ``threshold``; ties to the lower room. Whatever
    the policy explores, it explores in the remaining slots. ``foregone`` is the cost.

    Attributes
    ----------
    policy : decides the other rows, with the seats the home rooms leave. exclusivity : signal in
        [0, 1]; by default nobody has a home. threshold : τ in (0, 1]. slots : >= 1.
    respect_seats : a full home room keeps no place.
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    exclusivity: Signal = field(default_factory=lambda: ShareOfValue(0.0))
    threshold: float = 0.5
    slots: int = 1
    respect_seats: bool = False
    name: str = "preference_floor"

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= 1.0:
            raise ConfigError(f"{self.threshold}", "preference_floor.threshold", "in (0, 1]")
        if self.slots < 1:
            raise ConfigError(f"{self.slots}", "preference_floor.slots", ">= 1")

    def init(self, seats: Ints, /) -> Any:
        """Return the state of the policy."""
        return self.policy.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Keep the home rooms' places and let the policy decide the rest."""
        refuse_nan(first_nan(batch))
        home = self.home(batch)
        kept = home >= 0
        answer = self.policy.decide(state, without(batch, kept, home), rng)
        chances, rows = answer.propensities.copy(), np.flatnonzero(kept)
        chances[rows, home[rows]] = 1.0
        reason = reasons_of(answer)
        reason[kept] = HOME
        return Decisions(np.where(kept, home, answer.choice), chances, answer.charges, reason)

    def limits(self, state: Any, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the limits of the policy; a home room that keeps its place uses nothing."""
        found = limits_of(self.policy, state, batch)
        if not found:
            return ()
        home = self.home(batch)
        return tuple(limit.sparing(home >= 0, home) for limit in found)

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state of the policy."""
        return self.policy.update(state, feedback)

    def home(self, batch: DecisionBatch) -> Ints:
        """Return [n] the column of the home room that keeps this slot, -1 if none does."""
        seen, n = batch.observation, len(batch)
        if batch.values.shape[1] == 0:
            return np.full(n, -1, dtype=np.int64)
        bond = numbers(self.exclusivity, batch, "preference_floor.exclusivity", least=0.0)
        can = batch.available & (seen.slot < self.slots)[:, None] & (bond >= self.threshold)
        order = np.lexsort((seen.rooms, np.where(can, -bond, np.inf)), axis=1)
        if not self.respect_seats:
            first = order[:, 0]
            return np.where(can[np.arange(n), first], first, -1)
        return _seated(order, can, seen.rooms, seen.seats_left)

    def foregone(self, batch: DecisionBatch) -> Floats:
        """Return [n] largest value among the candidates less the home room's, 0 without a home."""
        home = self.home(batch)
        best = np.where(batch.available, batch.values, -np.inf).max(axis=1, initial=-np.inf)
        cost, rows = np.zeros(len(batch)), np.flatnonzero(home >= 0)
        cost[rows] = best[rows] - batch.values[rows, home[rows]]
        return cost


def _seated(order: Ints, can: Any, rooms: Ints, seats_left: Ints) -> Ints:
    """Return the first of each row's candidates that can and has a seat left, in batch order."""
    taken = np.zeros(int(rooms.max(initial=0)) + 1, dtype=np.int64)
    home = np.full(len(order), -1, dtype=np.int64)
    for i, columns in enumerate(order):
        for j in columns:
            if can[i, j] and seats_left[i, j] > taken[rooms[i, j]]:
                home[i] = j
                taken[rooms[i, j]] += 1
                break
    return home
