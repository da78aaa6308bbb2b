"""Rounds mode: no clock. Each round B users are assigned at once and rooms start empty.

The historical simulators worked this way. Big donors already in a room shrink later amounts,
A / (1 + gamma N_big), or enter the gift logit; users of a round are taken in batch order. With
``tiers`` a room has seats, which viewers above them crowd, or which are refused when taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from giftlive.errors import UsageError
from giftlive.rng import derive, stream
from giftlive.types import UNLIMITED_SEATS, Decisions, Feedback, Ints, Observation
from giftlive.world.arena import Arena, accept
from giftlive.world.demand import observed
from giftlive.world.entities import World
from giftlive.world.outcome import Outcome, outcome_of
from giftlive.world.rounds_story import Present, Rules, empty_rooms, nobody, play_rows, rules_of
from giftlive.world.state import CLICKED, NOTHING, REFUSED, Batch, Log, filled, new_batch, new_log


@dataclass
class RoundsArena:
    """A rounds world with a policy in the loop: the interface of ``Arena``, a batch per round.

    ``seed`` names the users of every round and all draws; ``visit`` is the round.
    """

    world: World
    seed: int
    day: int | None = None
    _rules: Rules = field(init=False, repr=False)
    _round: int = field(init=False, default=0, repr=False)
    _batch: Batch = field(init=False, repr=False)
    _log: Log = field(init=False, repr=False)
    _present: Present = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sizes, many = self.world.scenario.rounds, len(self.world.streamer_ids)
        self._rules = rules_of(self.world, rounds_seed(self.world, self.seed, self.day))
        self._batch = new_batch(self._per_round, many)
        self._log = new_log(sizes.rounds * self._per_round)
        self._present = nobody(many)

    @property
    def seats(self) -> Ints:
        """Seats of every room; without ``tiers`` there is no limit."""
        return self.world.scene.rooms.seats.copy()

    def reset(self) -> Observation | None:
        """Start over and return the first round."""
        self._round = 0
        return self._open_round()

    def step(self, decisions: Decisions) -> tuple[Feedback, Observation | None]:
        """Carry out the assignments of a round; return what was observed and the next round."""
        if self._round == self.world.scenario.rounds.rounds:
            raise UsageError("the rounds are over", "step", "a call of reset first")
        n, first = self._per_round, self._round * self._per_round
        accept(self._batch, decisions, n)
        _decided(self._batch, self._log, first)
        play_rows(self.world.scene, self._rules, self._present, self._log, first, first + n)
        feedback = self._feedback(first, first + n)
        self._round += 1
        return feedback, self._open_round()

    def outcome(self) -> Outcome:
        """Return the truth about every decision so far; seat time is not a resource here."""
        log = filled(self._log, self._round * self._per_round)
        return outcome_of(log, self.world.room_streamer, len(self.world.streamer_ids), 0, 0)

    @property
    def _per_round(self) -> int:
        return users_per_round(self.world)

    def _open_round(self) -> Observation | None:
        if self._round == self.world.scenario.rounds.rounds:
            return None
        n, batch = self._per_round, self._batch
        batch.user[:] = users_of_round(self.world, self._rules.seed, self._round)
        batch.ts[:] = self.world.origin_ms + self._round * self.world.scene.rhythm.tick_ms
        batch.visit[:], batch.slot[:] = self._round, 0
        batch.rooms[:] = batch.streamers[:] = np.arange(batch.rooms.shape[1])
        batch.seats_left[:] = self._rules.seats if self._rules.hard else UNLIMITED_SEATS
        empty_rooms(self._present)
        return observed(batch, n)

    def _feedback(self, first: int, last: int) -> Feedback:
        status, room = self._log.status[first:last], self._log.room[first:last]
        return Feedback(
            ts=int(self._log.ts[first]) + self.world.scene.rhythm.tick_ms,
            user=self._log.user[first:last].copy(),
            room=room.copy(),
            admitted=(status != NOTHING) & (status != REFUSED),
            clicked=status == CLICKED,
            amount=self._log.amount[first:last].copy(),
            occupancy=self._present.viewers.copy(),
            seats=self.seats,
        )


def make_arena(world: World, seed: int, day: int | None = None) -> Arena | RoundsArena:
    """Return the arena of the world's mode, clocked or rounds."""
    arena = RoundsArena if world.scenario.mode == "rounds" else Arena
    return arena(world, seed, day)


def rounds_seed(world: World, seed: int, day: int | None = None) -> int:
    """Return the seed of the keyed draws of a run of rounds."""
    return derive(seed, "rounds", world.seed, day or 0)


def users_per_round(world: World) -> int:
    """Return how many users a round brings: not more than there are."""
    return min(world.scenario.rounds.users_per_round, len(world.user_ids))


def users_of_round(world: World, run_seed: int, index: int) -> Ints:
    """Return the distinct users of a round in batch order, from the round's own stream."""
    rng = stream(run_seed, "users of round", index)
    return rng.choice(len(world.user_ids), users_per_round(world), replace=False)


def _decided(batch: Batch, log: Log, first: int) -> None:
    """Write who decided what into the rows of the log from ``first`` on."""
    rows, every = slice(first, first + len(batch.ts)), np.arange(len(batch.ts))
    log.ts[rows], log.user[rows] = batch.ts, batch.user
    log.visit[rows], log.slot[rows] = batch.visit, batch.slot
    column, shown = np.maximum(batch.choice, 0), batch.choice >= 0
    log.room[rows] = np.where(shown, batch.rooms[every, column], -1)
    log.propensity[rows] = np.where(shown, batch.chances[every, column], 0.0)
