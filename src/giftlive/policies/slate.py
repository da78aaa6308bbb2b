"""Several rooms at once: a slate filled place by place, no room twice, not all of one kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from giftlive.errors import ConfigError, InputError
from giftlive.policies.base import Policy
from giftlive.policies.greedy import Greedy
from giftlive.policies.limits import Limit, limits_of, masked
from giftlive.types import Bools, DecisionBatch, Decisions, Feedback, Floats, Ints


@dataclass(frozen=True)
class Slates:
    """The slates of a batch.

    Attributes
    ----------
    columns : [n, k] column in each place, -1 where nothing was left to show.
    conditional : [n, k, m] probability of each column in each place, given the places before.
    propensity : [n] of the slate: product over its filled places; 0 for an empty one.
    """

    columns: Ints
    conditional: Floats
    propensity: Floats

    @property
    def first(self) -> Decisions:
        """The first place alone, as a single choice."""
        return Decisions(self.columns[:, 0].copy(), self.conditional[:, 0].copy())


@dataclass(frozen=True)
class Slate:
    """Fill ``places`` by asking ``policy`` again without the rooms already placed.

    Diversity: at most ``per_group`` rooms of one group (category, guild) in a slate. Propensities
    are exact: each place conditional on those before it, the slate their product;
    ``marginals`` gives that of each place whatever stands before it. As a policy, ``decide``
    answers with the first place. Seats taken by other rows of the batch are the policy's matter.

    Attributes
    ----------
    policy : fills one place. places : k >= 1. groups : [S] group by dense streamer; None: none.
    per_group : >= 1.
    """

    policy: Policy[Any] = field(default_factory=Greedy)
    places: int = 3
    groups: Ints | None = None
    per_group: int = 1
    name: str = "slate"

    def __post_init__(self) -> None:
        for option in ("places", "per_group"):
            if getattr(self, option) < 1:
                raise ConfigError(f"{getattr(self, option)}", f"slate.{option}", ">= 1")

    def init(self, seats: Ints, /) -> Any:
        """Return the state of the policy."""
        return self.policy.init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        """Return the first place of every slate."""
        return self.policy.decide(state, batch, rng)

    def limits(self, state: Any, batch: DecisionBatch, /) -> tuple[Limit, ...]:
        """Return the limits of the policy."""
        return limits_of(self.policy, state, batch)

    def decide_slates(
        self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /
    ) -> Slates:
        """Fill the slates place by place."""
        n, m = batch.values.shape
        columns = np.full((n, self.places), -1, dtype=np.int64)
        conditional, product = np.zeros((n, self.places, m)), np.ones(n)
        for place in range(self.places):
            keep = self._open(batch, columns[:, :place])
            answer = self.policy.decide(state, masked(batch, keep), rng)
            columns[:, place], conditional[:, place] = answer.choice, answer.propensities
            filled = np.flatnonzero(answer.choice >= 0)
            product[filled] *= answer.propensities[filled, answer.choice[filled]]
        return Slates(columns, conditional, np.where(columns[:, 0] >= 0, product, 0.0))

    def marginals(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Floats:
        """Return [n, k, m] the probability of each column in each place, by all earlier places.

        Exact by enumeration: m^(k-1) askings, for a policy whose propensities in a row do not
        depend on what it drew in the rows before. ``rng`` is used up by the askings, not for them.
        """
        n, m = batch.values.shape
        found = np.zeros((n, self.places, m))
        self._enumerate(state, batch, rng, np.zeros((n, 0), dtype=np.int64), np.ones(n), found)
        return found

    def update(self, state: Any, feedback: Feedback, /) -> Any:
        """Return the state of the policy."""
        return self.policy.update(state, feedback)

    def _enumerate(
        self,
        state: Any,
        batch: DecisionBatch,
        rng: np.random.Generator,
        before: Ints,
        weight: Floats,
        found: Floats,
    ) -> None:
        place = before.shape[1]
        answer = self.policy.decide(state, masked(batch, self._open(batch, before)), rng)
        chances = weight[:, None] * answer.propensities
        found[:, place] += chances
        if place + 1 == self.places:
            return
        for column in np.flatnonzero((chances > 0.0).any(axis=0)):
            following = np.column_stack([before, np.full(len(batch), column)])
            self._enumerate(state, batch, rng, following, chances[:, column], found)

    def _open(self, batch: DecisionBatch, placed: Ints) -> Bools:
        """Return [n, m] which columns may still be placed."""
        keep = batch.available
        group = self._groups(batch)
        rows = np.arange(len(batch))
        used = np.zeros(keep.shape, dtype=np.int64)
        for column in placed.T:
            filled = column >= 0
            keep[rows[filled], column[filled]] = False
            used += (group == group[rows, column.clip(0)][:, None]) & filled[:, None]
        return keep if self.groups is None else keep & (used < self.per_group)

    def _groups(self, batch: DecisionBatch) -> Ints:
        streamers = batch.observation.streamers
        if self.groups is None:
            return streamers
        if streamers.max(initial=-1) >= len(self.groups):
            raise InputError(
                f"streamer {streamers.max()}, {len(self.groups)} entries", "slate.groups", "all"
            )
        return self.groups[streamers]
