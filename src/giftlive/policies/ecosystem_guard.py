"""A ceiling on concentration and a floor under coverage, each with a price that learns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from giftlive.errors import ConfigError, InputError
from giftlive.policies.base import Policy, at_rooms, require_rooms
from giftlive.policies.choice import refuse_nan
from giftlive.policies.concentration import gini_slope
from giftlive.policies.greedy import Greedy
from giftlive.policies.limits import Limit, first_nan, limits_of
from giftlive.policies.turns import Shown, heard
from giftlive.stats.heavy_tails import gini
from giftlive.types import Bools, DecisionBatch, Decisions, Feedback, Floats, Ints

_COVERED = 0.5
_DEAREST = 100.0


@dataclass(frozen=True)
class GuardState:
    """The state of the policy, the fading exposures, and the two prices, >= 0.

    Attributes
    ----------
    gini_price, tail_price : in units of the mean value of a candidate.
    """

    inner: Any
    shown: Shown
    gini_price: float
    tail_price: float


@dataclass(frozen=True)
class EcosystemGuard:
    """Let ``policy`` see values less the price of concentration, plus that of coverage.

    With x_s the exposure of room s, fading with ``half_life_hours``, and unit the mean value of the
    batch's candidates, the policy sees ::

        v_s - unit · γ · ((2 rank_s - S - 1)/S - G) + unit · τ · 1{s in the tail, not covered}.

    The bracket is the slope of the Gini index G in x_s. After each batch of n showings the prices
    take a step of dual ascent: γ rises by rate · (n/S) · (G - ceiling), τ by rate · (n/S) ·
    (floor - coverage), neither below 0. Coverage is the share of tail rooms with at least half an
    exposure left. Where both hold, both prices fall to 0 and the policy is on its own. It steers:
    a bound that no choice of candidates can meet is missed, at a price of at most 100 units.
    G is over all rooms of the evening, those not yet live included.

    Attributes
    ----------
    policy : decides. gini_ceiling : in [0, 1]; 1: none. coverage_floor : in [0, 1]; 0: none.
    tail : [S] rooms that count for coverage; None: all. rate : of both prices, >= 0.
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    gini_ceiling: float = 0.6
    coverage_floor: float = 0.3
    tail: Bools | None = None
    rate: float = 1.0
    half_life_hours: float = 24.0
    name: str = "ecosystem_guard"

    def __post_init__(self) -> None:
        for option in ("gini_ceiling", "coverage_floor"):
            if not 0.0 <= getattr(self, option) <= 1.0:
                raise ConfigError(
                    f"{getattr(self, option)}", f"ecosystem_guard.{option}", "in [0, 1]"
                )
        if not 0.0 <= self.rate < np.inf:
            raise ConfigError(f"{self.rate}", "ecosystem_guard.rate", ">= 0")
        if not self.half_life_hours > 0.0:
            raise ConfigError(f"{self.half_life_hours}", "ecosystem_guard.half_life_hours", "> 0")

    def init(self, seats: Ints, /) -> GuardState:
        """Return rooms never shown, and prices of 0."""
        if self.tail is not None and len(self.tail) != len(seats):
            raise InputError(
                f"{len(self.tail)} entries", "ecosystem_guard.tail", f"{len(seats)}, one per room"
            )
        return GuardState(self.policy.init(seats), Shown(np.zeros(len(seats))), 0.0, 0.0)

    def decide(
        self, state: GuardState, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Decisions:
        """Decide by the priced values; what was charged comes on top of the policy's charges."""
        refuse_nan(first_nan(batch))
        require_rooms(batch, len(state.shown.exposure))
        charges = self._charges(state, batch)
        answer = self.policy.decide(state.inner, batch.priced(charges), rng)
        inner = 0.0 if answer.charges is None else answer.charges
        return replace(answer, charges=charges + inner)

    def limits(self, state: GuardState, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the limits of the policy."""
        return limits_of(self.policy, state.inner, batch)

    def update(self, state: GuardState, feedback: Feedback, /) -> GuardState:
        """Return the exposures with what was shown, and the prices one step on."""
        shown = heard(state.shown, feedback, self.half_life_hours)
        step = self.rate * float((feedback.room >= 0).sum()) / max(len(shown.exposure), 1)
        unequal = gini(shown.exposure) if shown.exposure.sum() > 0.0 else 0.0
        covered = self._counts & ~self._uncovered(shown.exposure)
        members = float(np.broadcast_to(self._counts, covered.shape).sum())
        coverage = float(covered.sum()) / members if members else 1.0
        return GuardState(
            self.policy.update(state.inner, feedback),
            shown,
            _moved(state.gini_price, step * (unequal - self.gini_ceiling)),
            _moved(state.tail_price, step * (self.coverage_floor - coverage)),
        )

    @property
    def _counts(self) -> Bools:
        return np.ones(1, dtype=np.bool_) if self.tail is None else self.tail

    def _uncovered(self, exposure: Floats) -> Bools:
        return self._counts & (exposure < _COVERED)

    def _charges(self, state: GuardState, batch: DecisionBatch) -> Floats:
        there, exposure = batch.available, state.shown.exposure
        if not there.any() or (state.gini_price == 0.0 and state.tail_price == 0.0):
            return np.zeros(batch.values.shape)
        by_room = state.gini_price * gini_slope(exposure)
        by_room -= state.tail_price * self._uncovered(exposure)
        unit = float(np.abs(batch.values[there]).mean())
        return np.where(there, unit * at_rooms(by_room, batch), 0.0)


def _moved(price: float, step: float) -> float:
    return min(max(price + step, 0.0), _DEAREST)
