"""A world with any policy in the loop."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from giftlive.clock import MS_PER_HOUR
from giftlive.errors import UsageError
from giftlive.types import (
    UNLIMITED_SEATS,
    Bools,
    Decide,
    Decisions,
    Feedback,
    Floats,
    Ints,
    Observation,
)
from giftlive.world.demand import arena_seed, observed
from giftlive.world.entities import World
from giftlive.world.kernel import begin, form_batch, respond
from giftlive.world.outcome import Outcome, outcome_of
from giftlive.world.platform import PlatformRanking
from giftlive.world.state import (
    CLICKED,
    NOTHING,
    REFUSED,
    ROWS,
    Batch,
    Log,
    Span,
    State,
    day_span,
    filled,
    joined,
    new_batch,
    new_log,
    new_state,
)
from giftlive.world.supply import return_chance


@dataclass
class Arena:
    """One local day of a clocked world, decision batch by decision batch.

    Potential visits and every draw are keyed by (seed, user, visit, slot): two policies that
    decide alike see the same day, and one other decision changes nothing it does not touch.

    Parameters
    ----------
    world : the world. seed : names the day's draws. day : None = the first after the history.

    Examples
    --------
    >>> from giftlive.world import build_world, load_scenario
    >>> arena = Arena(build_world(load_scenario("scarce", "tiny"), 1), seed=1)
    >>> first = arena.reset()
    >>> first.rooms.shape[1]
    50
    """

    world: World
    seed: int
    day: int | None = None
    _span: Span = field(init=False, repr=False)
    _state: State = field(init=False, repr=False)
    _batch: Batch = field(init=False, repr=False)
    _log: Log = field(init=False, repr=False)
    _waiting: int = field(init=False, default=0, repr=False)

    def __post_init__(self) -> None:
        day = self.world.arena_day if self.day is None else self.day
        self._span = day_span(self.world, arena_seed(self.world, self.seed, day), day)
        self._batch = new_batch(len(self.world.user_ids), self.world.scene.choices.total)
        self._log = new_log(4 * len(self.world.user_ids))
        self._state = new_state(self.world, self._span)

    @property
    def platform(self) -> Decide:
        """The platform's own ranking, in a policy's place."""
        return PlatformRanking(self.world.scene, self._span.seed)

    @property
    def seats(self) -> Ints:
        """Seats of the day's rooms, as in ``Feedback.seats``."""
        return self.world.scene.rooms.seats[: len(self._state.occupancy)].copy()

    @property
    def streamer_return(self) -> Floats:
        """P(streams again tomorrow) [S], after the day so far; 1 for streamers not on air."""
        state = self._state
        on_air = np.flatnonzero(state.on_air)
        return return_chance(self.world, state.exposure, state.income, on_air)

    @property
    def users_gone(self) -> Bools:
        """[U] True for users who left for good during the day."""
        return self._state.gone.copy()

    def reset(self) -> Observation | None:
        """Start the day over and return its first batch (None: nobody comes)."""
        self._state = new_state(self.world, self._span)
        begin(self.world.scene, self._state, self._span)
        return self._next()

    def step(self, decisions: Decisions) -> tuple[Feedback, Observation | None]:
        """Carry out the decisions of the last batch; return what was observed and the next batch.

        Raises
        ------
        UsageError
            A choice is not a candidate, or its propensity is not in (0, 1].
        """
        n = self._waiting
        if n == 0:
            raise UsageError("no batch is waiting", "step", "an observation from reset or step")
        accept(self._batch, decisions, n)
        first = int(self._state.cursor[ROWS])
        if first + n > len(self._log.ts):
            self._log = joined([self._log, new_log(len(self._log.ts) + n)])
        respond(self.world.scene, self._state, self._batch, n, self._span, self._log)
        return self._feedback(first, first + n), self._next()

    def outcome(self) -> Outcome:
        """Return the truth about every decision so far."""
        rooms = self.world.scene.rooms
        log = filled(self._log, int(self._state.cursor[ROWS]))
        streamers = len(self.world.streamer_ids)
        return outcome_of(log, rooms.streamer, streamers, self._offered(), self._closing())

    def _next(self) -> Observation | None:
        self._waiting = form_batch(self.world.scene, self._state, self._batch, self._span)
        return observed(self._batch, self._waiting) if self._waiting else None

    def _feedback(self, first: int, last: int) -> Feedback:
        log, tick = self._log, self.world.scene.rhythm.tick_ms
        status = log.status[first:last]
        return Feedback(
            ts=int(log.ts[first]) // tick * tick + tick,
            user=log.user[first:last].copy(),
            room=log.room[first:last].copy(),
            admitted=(status != NOTHING) & (status != REFUSED),
            clicked=status == CLICKED,
            amount=log.amount[first:last].copy(),
            occupancy=self._state.occupancy.copy(),
            seats=self.seats,
            reward_ts=log.ts[first:last] + log.watch_ms[first:last],
        )

    def _closing(self) -> int:
        open_hours = np.flatnonzero(np.diff(self.world.scene.rhythm.diurnal))
        return self._span.start_ms + (int(open_hours[-1]) + 1) * MS_PER_HOUR

    def _offered(self) -> int:
        rooms, many = self.world.scene.rooms, len(self._state.occupancy)
        open_hours = np.flatnonzero(np.diff(self.world.scene.rhythm.diurnal))
        opening = self._span.start_ms + int(open_hours[0]) * MS_PER_HOUR
        start = np.maximum(rooms.start[:many], opening)
        length = np.maximum(np.minimum(rooms.end[:many], self._closing()) - start, 0)
        limited = rooms.seats[:many] < UNLIMITED_SEATS
        return int(np.sum((rooms.seats[:many] * length)[limited]))


def accept(batch: Batch, decisions: Decisions, n: int) -> None:
    """Write the decisions into the first ``n`` rows of a batch, or say which one is not valid."""
    choice = np.asarray(decisions.choice, dtype=np.int64)
    chances = np.asarray(decisions.propensities, dtype=np.float64)
    width = batch.rooms.shape[1]
    if choice.shape != (n,) or chances.shape != (n, width):
        raise UsageError(
            f"choice {choice.shape}, propensities {chances.shape}",
            "decisions",
            f"shapes ({n},) and ({n}, {width})",
            "step answers exactly the last observation",
        )
    rows = np.arange(n)
    shown = choice >= 0
    inside = (choice >= -1) & (choice < width)
    column = np.where(inside & shown, choice, 0)
    chance = chances[rows, column]
    valid = inside & (~shown | ((batch.rooms[rows, column] >= 0) & (chance > 0) & (chance <= 1)))
    if not valid.all():
        row = int(np.argmin(valid))
        raise UsageError(
            f"choice {choice[row]} with propensity {chance[row]:g}",
            f"decisions, row {row}",
            "-1, or a column with a candidate chosen with a propensity in (0, 1]",
        )
    batch.choice[:n] = choice
    batch.chances[:n] = chances
