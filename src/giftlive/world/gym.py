"""An evening of a clocked world as a Gymnasium environment: one decision a step.

The arena forms the same batches as ``Arena`` does and answers them row by row: the law takes the
rows of a batch one after another, so a decision can be carried out, and rewarded, before the
next is taken. What the agent sees of a batch was fixed when the batch was formed, as in
``Arena``: ``seats_left`` does not yet know of the choices made since. Equal choices on equal
evenings give equal outcomes, bit for bit, here and there.

Needs the extra ``gym``; nothing else in the package imports this module.
"""

from __future__ import annotations

from operator import index
from typing import Any, Literal, get_args

import numpy as np
from numba import njit

from giftlive.clock import MS_PER_DAY
from giftlive.errors import UsageError, install_hint
from giftlive.types import UNLIMITED_SEATS
from giftlive.world.demand import arena_seed
from giftlive.world.entities import World
from giftlive.world.habits import again_in, fatigue_at, purse_at, satiety_at
from giftlive.world.kernel import begin, form_batch, present, respond
from giftlive.world.state import (
    CLICKED,
    REFUSED,
    ROWS,
    Batch,
    Span,
    State,
    day_span,
    new_batch,
    new_log,
    new_state,
)

try:
    import gymnasium
    from gymnasium import spaces
except ImportError as error:
    raise UsageError(
        "gymnasium is not installed", "giftlive.world.gym", hint=install_hint("gym")
    ) from error

Reward = Literal["expected", "realised"]
Seen = dict[str, Any]
Extra = dict[str, Any]


class GiftLiveEnv(gymnasium.Env[Seen, np.int64]):
    """One evening an episode, one decision a step: which of ``m`` rooms a user is shown.

    Parameters
    ----------
    world : a clocked world. day : local day; None = the first after the history.
    reward : ``expected`` = exact E[amount | shown, state], 0 when refused (the same mean as the
        realised amount, far less variance); ``realised`` = the amount of the viewing, all of it
        at the step of its decision, however late in the viewing it comes.

    Notes
    -----
    Action: a column of the candidates. A column without a room (``mask`` 0) shows nothing.

    Observation, all of it observable to a platform: ``user`` and ``slot`` (its place in the
    visit); ``second`` since local midnight of the evening; ``streamers``, ``rooms`` [m] dense,
    -1 = padding; ``seats_left`` [m]; ``mask`` [m]. After the last decision: an empty one.

    ``info`` of a step tells what came of the decision and the truth about it: ``amount``,
    ``expected``, ``watch_ms``, ``clicked``, ``refused``; and of the next one: ``evening`` (the
    arena's seed), ``ts``, ``decisions`` so far, the ``occupancy`` and ``whales`` [m] of the
    candidates (``truth.RoomState``), ``fatigue``, ``satiety`` and ``purse`` of the user
    (``UserState``). A learner that reads ``info`` is an oracle.

    ``reset(seed=s)`` names a whole sequence of evenings: each reset without a seed plays the
    next. ``reset(options={"evening": e})`` plays evening ``e``, that of ``Arena(world, e)``.

    Examples
    --------
    >>> from giftlive.world import build_world, load_scenario
    >>> world = build_world(load_scenario("scarce", "tiny", {"calendar.history_days": "1"}), 1)
    >>> env = GiftLiveEnv(world)
    >>> seen, info = env.reset(seed=1)
    >>> seen, reward, terminated, truncated, info = env.step(0)
    >>> reward == info["expected"] > 0.0
    True
    """

    def __init__(self, world: World, reward: Reward = "expected", day: int | None = None) -> None:
        if world.scenario.mode != "clocked":
            raise UsageError(
                "a rounds world assigns a whole round at once", "world", "a clocked scenario"
            )
        if reward not in get_args(Reward):
            raise UsageError(f"no reward {reward!r}", "reward", " or ".join(get_args(Reward)))
        self.world, self.reward = world, reward
        self.day = world.arena_day if day is None else day
        self.action_space = spaces.Discrete(world.scene.choices.total)
        self.observation_space = _space(world)
        self._evening = 0
        self._span: Span = day_span(world, 0, self.day)
        self._batch: Batch = new_batch(len(world.user_ids), world.scene.choices.total)
        self._log = new_log(1)
        self._state: State = new_state(world, self._span)
        self._row, self._waiting, self._decisions = 0, 0, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Seen, Extra]:
        """Start the next evening, or the one that ``seed`` or ``options`` name."""
        super().reset(seed=seed)
        evening = (options or {}).get("evening")
        if evening is None:
            evening = self.np_random.integers(1 << 62)
        self._evening = _whole("evening", evening)
        seed_of_day = arena_seed(self.world, self._evening, self.day)
        self._span = day_span(self.world, seed_of_day, self.day)
        self._state = new_state(self.world, self._span)
        begin(self.world.scene, self._state, self._span)
        self._decisions = 0
        self._form()
        return self._seen(), self._info()

    def step(self, action: np.int64) -> tuple[Seen, float, bool, bool, Extra]:
        """Show one user the room in column ``action``; the reward is that of this decision."""
        if self._row >= self._waiting:
            raise UsageError("no decision is waiting", "step", "a call of reset first")
        i, column = self._row, _whole("action", action)
        if not 0 <= column < self._batch.rooms.shape[1]:
            raise UsageError(f"action {column}", "step", f"0 … {self._batch.rooms.shape[1] - 1}")
        self._batch.choice[i] = column if self._batch.rooms[i, column] >= 0 else -1
        one = Batch._make(buffer[i : i + 1] for buffer in self._batch)
        self._state.cursor[ROWS] = 0
        respond(self.world.scene, self._state, one, 1, self._span, self._log)
        came = self._came()
        self._row += 1
        self._decisions += 1
        if self._row == self._waiting:
            self._form()
        reward = came["expected"] if self.reward == "expected" else came["amount"]
        return self._seen(), reward, self._waiting == 0, False, {**came, **self._info()}

    def _form(self) -> None:
        """Form the next batch; none when the evening is over."""
        scene, state, batch = self.world.scene, self._state, self._batch
        self._waiting, self._row = form_batch(scene, state, batch, self._span), 0

    def _seen(self) -> Seen:
        """Return the observation of the waiting decision, an empty one after the last."""
        i, batch, m = self._row, self._batch, self._batch.rooms.shape[1]
        over = self._waiting == 0
        nobody = np.full(m, -1, dtype=np.int64)
        rooms = nobody if over else batch.rooms[i].copy()
        second = 0.0 if over else (int(batch.ts[i]) - self._span.start_ms) / 1000.0
        return {
            "user": np.int64(0 if over else batch.user[i]),
            "slot": np.array([0 if over else batch.slot[i]]),
            "second": np.array([second]),
            "streamers": nobody if over else batch.streamers[i].copy(),
            "rooms": rooms,
            "seats_left": np.zeros_like(rooms) if over else batch.seats_left[i].copy(),
            "mask": (rooms >= 0).astype(np.int8),
        }

    def _info(self) -> Extra:
        """Return what only the author of the world knows about the waiting decision."""
        i, batch, span = self._row, self._batch, self._span
        over = self._waiting == 0
        rooms = np.full(batch.rooms.shape[1], -1) if over else batch.rooms[i]
        user, ts = (0, span.end_ms) if over else (int(batch.user[i]), int(batch.ts[i]))
        occupancy, whales, fatigue, satiety, again, purse = _met(
            self.world.scene, self._state, span, user, ts, rooms
        )
        return {
            "evening": self._evening,
            "ts": ts,
            "decisions": self._decisions,
            "occupancy": occupancy,
            "whales": whales,
            "fatigue": fatigue,
            "satiety": satiety,
            "again": again,
            "purse": purse,
        }

    def _came(self) -> Extra:
        """Return what came of the decision just carried out."""
        log, status = self._log, self._log.status[0]
        return {
            "amount": float(log.amount[0]),
            "expected": float(log.expected[0]),
            "watch_ms": int(log.watch_ms[0]),
            "clicked": bool(status == CLICKED),
            "refused": bool(status == REFUSED),
        }


@njit(cache=True)
def _met(scene, state, span, user, ts, candidates):  # type: ignore[no-untyped-def]
    """Return the states of the candidates [m] and of the user, as ``kernel`` will find them."""
    seats, viewers = scene.rooms.seats, state.occupancy
    occupancy, whales = np.zeros_like(candidates), np.zeros_like(candidates)
    again = np.zeros(candidates.size)
    for j in range(candidates.size):
        room = candidates[j]
        if room >= 0:
            occupancy[j] = present(scene.seating, seats[room], viewers[room], span.seed, room, ts)
            whales[j] = state.whales[room]
            again[j] = again_in(state.recent, user, room)
    fatigue = fatigue_at(state.fatigue, state.rested_ms, scene.habits, user, ts)
    budget, since = scene.users.budget, ts - span.start_ms
    purse = purse_at(state.purse, state.period, budget, scene.habits, user, since)
    satiety = satiety_at(state.gift_ms, scene.habits, user, ts)
    return occupancy, whales, fatigue, satiety, again, purse


def _whole(name: str, value: Any) -> int:
    """Return a whole number as it is; anything else is a mistake, not a number to round."""
    try:
        return index(value)
    except TypeError:
        raise UsageError(f"{value!r}", name, "a whole number") from None


def _space(world: World) -> spaces.Dict:
    """Return the space of observations."""
    m = world.scene.choices.total

    def counts(low: int, high: int, size: int = m) -> spaces.Box:
        return spaces.Box(low, high, (size,), np.int64)

    return spaces.Dict(
        {
            "user": spaces.Discrete(len(world.user_ids)),
            "slot": counts(0, 1 << 32, 1),
            "second": spaces.Box(0.0, MS_PER_DAY / 1000.0, (1,), np.float64),
            "streamers": counts(-1, len(world.streamer_ids) - 1),
            "rooms": counts(-1, len(world.live_ids) - 1),
            "seats_left": counts(0, UNLIMITED_SEATS),
            "mask": spaces.MultiBinary(m),
        }
    )


gymnasium.register("giftlive/Evening-v0", entry_point="giftlive.world.gym:GiftLiveEnv")
