"""One score from weighted aims: revenue, retention, diversity, Gini, overload."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from giftlive.errors import ConfigError
from giftlive.policies.base import at_rooms, explained
from giftlive.policies.choice import choose_best, refuse_nan
from giftlive.policies.concentration import gini_slope
from giftlive.policies.journal import Journal, pair_keys
from giftlive.policies.limits import first_nan
from giftlive.policies.signals import Signal, numbers
from giftlive.types import UNLIMITED_SEATS, DecisionBatch, Decisions, Feedback, Floats, Ints, Texts

AIMS = ("retention", "diversity", "gini", "overload", "signals")
"""Aims besides revenue, and the reason given where one of them changed the choice."""


@dataclass(frozen=True)
class Balance:
    """What the aims look at.

    Attributes
    ----------
    exposure : [S] times each room was shown. occupancy, seats : [S] as last reported.
    journal : how often each user was shown each room.
    """

    exposure: Floats
    occupancy: Ints
    seats: Ints
    journal: Journal


@dataclass(frozen=True)
class MultiObjective:
    """Show the largest w_r v + unit · (w_t retention + w_d diversity - w_g gini - w_o overload).

    Every aim besides revenue is near [0, 1] and worth ``unit`` money, the mean value of the batch's
    candidates, so that weights mean the same in any currency:

    retention
        the signal given; without one, the expected stay over the batch's longest.
    diversity
        1 / (1 + times this user was shown this room).
    gini
        slope of the exposure's Gini index in the room's exposure, in (-2, 1).
    overload
        share of the room's seats in use when last reported; 0 without a limit.

    ``signals`` adds any others (supply efficiency, overload risk, satisfaction) with weights of
    their own. Exposure and occupancy are those before the batch.

    Attributes
    ----------
    revenue, retention, diversity, gini, overload : weights, >= 0.
    retention_signal : of a user's coming back, in [0, 1]. signals : pairs (weight, signal).
    """

    revenue: float = 1.0
    retention: float = 0.1
    diversity: float = 0.1
    gini: float = 0.1
    overload: float = 0.1
    retention_signal: Signal | None = None
    signals: tuple[tuple[float, Signal], ...] = ()
    respect_seats: bool = True
    name: str = "multi_objective"

    def __post_init__(self) -> None:
        for option in ("revenue", "retention", "diversity", "gini", "overload"):
            if not 0.0 <= getattr(self, option) < np.inf:
                raise ConfigError(f"{getattr(self, option)}", f"multi_objective.{option}", ">= 0")
        for weight, _ in self.signals:
            if not np.isfinite(weight):
                raise ConfigError(f"{weight}", "multi_objective.signals", "finite weights")

    def init(self, seats: Ints, /) -> Balance:
        """Return rooms never shown."""
        nothing = np.zeros(len(seats), dtype=np.int64)
        return Balance(np.zeros(len(seats)), nothing, seats.copy(), Journal())

    def decide(
        self, state: Balance, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Choose by the weighted score; the reason is the aim that did most to change it."""
        refuse_nan(first_nan(batch))
        terms = self.terms(state, batch)
        scores = self.revenue * batch.values + sum(terms.values())
        decisions = choose_best(batch, scores, guard=self.respect_seats)
        return replace(
            explained(batch, scores, decisions), reason=_reasons(batch, decisions, terms)
        )

    def terms(self, state: Balance, batch: DecisionBatch) -> dict[str, Floats]:
        """Return what each aim besides revenue adds to each score, in money, [n, m] each."""
        there, seen = batch.available, batch.observation
        sizes = np.abs(batch.values[there])
        unit = float(sizes.mean()) if sizes.size else 0.0
        added = np.zeros(there.shape)
        for weight, signal in self.signals:
            added = added + weight * numbers(signal, batch, "multi_objective.signals")
        times = np.zeros(there.shape)
        if self.diversity > 0.0:
            times = state.journal.counts(pair_keys(seen.user[:, None], seen.rooms)).astype(float)
        aims = {
            "retention": self.retention * self._retention(batch),
            "diversity": self.diversity / (1.0 + times),
            "gini": -self.gini * at_rooms(gini_slope(state.exposure), batch),
            "overload": -self.overload * at_rooms(_fullness(state), batch),
            "signals": added,
        }
        return {name: np.where(there, unit * aim, 0.0) for name, aim in aims.items()}

    def update(self, state: Balance, feedback: Feedback, /) -> Balance:
        """Return the counts with what was shown, and the occupancy reported."""
        shown = feedback.room >= 0
        users, rooms = feedback.user[shown], feedback.room[shown]
        keys = pair_keys(users, rooms)
        return Balance(
            state.exposure + np.bincount(rooms, minlength=len(state.exposure)),
            feedback.occupancy,
            feedback.seats,
            state.journal.add(keys, np.full(len(keys), feedback.ts)),
        )

    def _retention(self, batch: DecisionBatch) -> Floats:
        if self.retention_signal is not None:
            return numbers(self.retention_signal, batch, "multi_objective.retention_signal")
        longest = float(batch.seat_seconds.max(initial=0.0))
        return batch.seat_seconds / longest if longest > 0.0 else batch.seat_seconds


def _fullness(state: Balance) -> Floats:
    limited = state.seats < UNLIMITED_SEATS
    return np.where(limited, np.minimum(state.occupancy / np.maximum(state.seats, 1), 1.0), 0.0)


def _reasons(batch: DecisionBatch, decisions: Decisions, terms: dict[str, Floats]) -> Texts:
    """Return [n] the aim whose lead of the chosen over the most valuable candidate is largest."""
    reason = np.full(len(batch), "", dtype=object)
    values = np.where(batch.available, batch.values, -np.inf)
    if values.shape[1] == 0:
        return reason
    rows, top = np.arange(len(batch)), values.argmax(axis=1)
    chosen = decisions.choice.clip(0)
    other = (decisions.choice >= 0) & (values[rows, chosen] < values[rows, top])
    leads = np.stack([terms[aim][rows, chosen] - terms[aim][rows, top] for aim in AIMS])
    best = leads.argmax(axis=0)
    changed = other & (leads[best, rows] > 0.0)
    reason[changed] = np.array(AIMS, dtype=object)[best[changed]]
    return reason
