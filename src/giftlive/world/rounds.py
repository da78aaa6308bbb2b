"""Rounds mode: no clock. Each round B users are assigned at once and rooms start empty.

The historical simulators worked this way. Big donors already in a room shrink later amounts,
A / (1 + gamma N_big), or enter the gift logit; users of a round are taken in batch order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from giftlive.errors import UsageError
from giftlive.rng import derive, stream
from giftlive.types import UNLIMITED_SEATS, Decisions, Feedback, Ints, Observation
from giftlive.world.arena import Arena, accept
from giftlive.world.demand import observed
from giftlive.world.entities import World
from giftlive.world.law import draw, expected_amount, odds_of
from giftlive.world.outcome import Outcome, outcome_of
from giftlive.world.state import CLICKED, NOTHING, SKIPPED, Batch, Log, filled, new_batch, new_log


@dataclass
class RoundsArena:
    """A rounds world with a policy in the loop: the interface of ``Arena``, a batch per round.

    ``seed`` names the users of every round and all draws; ``visit`` is the round.
    """

    world: World
    seed: int
    day: int | None = None
    _seed: int = field(init=False, repr=False)
    _round: int = field(init=False, default=0, repr=False)
    _batch: Batch = field(init=False, repr=False)
    _log: Log = field(init=False, repr=False)
    _donors: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sizes, many = self.world.scenario.rounds, len(self.world.streamer_ids)
        self._seed = derive(self.seed, "rounds", self.world.seed, self.day or 0)
        self._batch = new_batch(self._per_round, many)
        self._log = new_log(sizes.rounds * self._per_round)
        self._donors = np.zeros(many, dtype=np.int64)

    @property
    def seats(self) -> Ints:
        """Seats of every room: without limit."""
        return np.full(len(self._donors), UNLIMITED_SEATS, dtype=np.int64)

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
        gamma = self.world.scenario.externality.donor_gamma
        _respond_round(
            self.world.scene, self._batch, self._donors, gamma, self._seed, self._log, first
        )
        feedback = self._feedback(first, first + n)
        self._round += 1
        return feedback, self._open_round()

    def outcome(self) -> Outcome:
        """Return the truth about every decision so far; seats are not a resource here."""
        log = filled(self._log, self._round * self._per_round)
        return outcome_of(log, self.world.room_streamer, len(self._donors), 0, 0)

    @property
    def _per_round(self) -> int:
        return min(self.world.scenario.rounds.users_per_round, len(self.world.user_ids))

    def _open_round(self) -> Observation | None:
        if self._round == self.world.scenario.rounds.rounds:
            return None
        n, batch = self._per_round, self._batch
        everyone = len(self.world.user_ids)
        rng = stream(self._seed, "users of round", self._round)
        batch.user[:] = rng.choice(everyone, n, replace=False)
        batch.ts[:] = self.world.origin_ms + self._round * self.world.scene.rhythm.tick_ms
        batch.visit[:], batch.slot[:] = self._round, 0
        batch.rooms[:] = batch.streamers[:] = np.arange(len(self._donors))
        batch.seats_left[:] = UNLIMITED_SEATS
        self._donors[:] = 0
        return observed(batch, n)

    def _feedback(self, first: int, last: int) -> Feedback:
        status, room = self._log.status[first:last], self._log.room[first:last]
        viewers = np.bincount(room[status == CLICKED], minlength=len(self._donors))
        return Feedback(
            ts=int(self._log.ts[first]) + self.world.scene.rhythm.tick_ms,
            user=self._log.user[first:last].copy(),
            room=room.copy(),
            admitted=status != NOTHING,
            clicked=status == CLICKED,
            amount=self._log.amount[first:last].copy(),
            occupancy=viewers.astype(np.int64),
            seats=self.seats,
        )


def make_arena(world: World, seed: int, day: int | None = None) -> Arena | RoundsArena:
    """Return the arena of the world's mode, clocked or rounds."""
    arena = RoundsArena if world.scenario.mode == "rounds" else Arena
    return arena(world, seed, day)


@njit(cache=True)
def _respond_round(scene, batch, donors, gamma, seed, log, first):  # type: ignore[no-untyped-def]
    for i in range(batch.ts.size):
        row, j, user, visit = first + i, batch.choice[i], batch.user[i], batch.visit[i]
        log.ts[row], log.user[row], log.visit[row], log.slot[row] = batch.ts[i], user, visit, 0
        log.watch_ms[row], log.delay_ms[row], log.room[row] = 0, -1, -1
        log.amount[row] = log.expected[row] = log.propensity[row] = 0.0
        log.status[row] = NOTHING
        if j < 0:
            continue
        streamer = batch.streamers[i, j]
        present = float(donors[streamer])
        odds = odds_of(scene.users, scene.streamers, scene.law, user, streamer, present, 0)
        share = 1.0 / (1.0 + gamma * present)
        drawn = draw(scene.law, odds, scene.law.cap, seed, user, visit, 0)
        log.room[row], log.propensity[row] = batch.rooms[i, j], batch.chances[i, j]
        log.status[row] = CLICKED if drawn.clicked else SKIPPED
        log.watch_ms[row] = int(drawn.watch * 1000.0)
        log.amount[row] = drawn.amount * share
        log.expected[row] = expected_amount(scene.law, odds, scene.law.cap) * share
        donors[streamer] += 1 if scene.users.whale[user] else 0
