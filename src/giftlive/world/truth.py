"""What only the author of a world can know: exact expectations, and responses to any choice.

A room is taken as a ``RoomState`` describes it, a user as a ``UserState`` does; unless said, the
room as nobody else would find it (no crowding, no other whale, a free seat), the user rested and
with a full purse.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from giftlive.errors import UsageError
from giftlive.types import UNLIMITED_SEATS, Bools, Floats, Ints
from giftlive.world.entities import World
from giftlive.world.law import draw, expected_amount, held_seconds, mean_seconds, odds_in_state

_AMOUNT, _SECONDS, _CLICK = 0, 1, 2


@dataclass(frozen=True)
class RoomState:
    """What a user finds in a room at the moment of the decision; counts, broadcast.

    Attributes
    ----------
    occupancy : viewers present, strangers included; they crowd, or hold hard seats.
    whales : other whales present; in a rounds world the big donors of the round so far.

    Examples
    --------
    >>> from giftlive.world import build_world, load_scenario
    >>> soft = {"seats.mode": "soft", "seats.alpha": "1.0"}
    >>> world = build_world(load_scenario("scarce", "tiny", soft), 1)
    >>> ts, seats = world.room_start[0], world.scene.rooms.seats[0]
    >>> twice_full = RoomState(occupancy=2 * seats)  # crowding 1: half the gifts
    >>> alone, crowded = true_value(world, 0, 0, ts), true_value(world, 0, 0, ts, state=twice_full)
    >>> round(float(crowded / alone), 9)
    0.5
    """

    occupancy: ArrayLike = 0
    whales: ArrayLike = 0


EMPTY = RoomState()
"""Nobody else is there."""


@dataclass(frozen=True)
class UserState:
    """What a user brings to the decision; broadcast.

    Attributes
    ----------
    fatigue : hours watched and not recovered from, >= 0.
    purse : the most that the user can still give in the period; None = the whole budget.
    satiety : 1 right after a viewing with a gift, falling to 0.
    again : 1 where the room is one of those that the user entered last, else 0.
    """

    fatigue: ArrayLike = 0.0
    purse: ArrayLike | None = None
    satiety: ArrayLike = 0.0
    again: ArrayLike = 0.0


RESTED = UserState()
"""No fatigue, no satiety, no room entered before, a full purse."""


@dataclass(frozen=True)
class Responses:
    """[n] each: clicked, ms watched (0 unless clicked), amount given, ms from entry to the gift.

    ``delay_ms`` is -1 where no gift happened.
    """

    clicked: Bools
    watch_ms: Ints
    amount: Floats
    delay_ms: Ints


def true_value(
    world: World,
    user: ArrayLike,
    room: ArrayLike,
    ts: ArrayLike,
    *,
    state: RoomState = EMPTY,
    viewer: UserState = RESTED,
) -> Floats:
    """Return the exact E[gift amount | shown, state] of users in rooms.

    P(click) P(latent gift) sum over bounce, stay, settle of P(component) H(mu, time left), with H
    from the law's table: relative error < 3e-4, and < 5e-5 where the room outlasts the watch cap;
    a closed form, with rounding error only, for continuous amounts and for price tiers. Less than
    one second before its end, when it is no candidate any more, a room counts as one second long.
    The draws of an arena have this mean: ``Outcome.expected_amount`` is it at the states that the
    decisions met (tested in every preset, to the last bits).

    Parameters
    ----------
    user, room, ts : dense user, dense room (-1: padding, worth 0) and ms UTC; broadcast.
    state, viewer : what the user finds in the room and brings along; broadcast with the others.

    Returns
    -------
    Amounts in platform units, of the broadcast shape; 0 where the room is closed at ``ts``, or
    its hard seats are taken.
    """
    return _evaluated(world, (user, room, ts), state, viewer, _AMOUNT)


def true_seat_seconds(
    world: World,
    user: ArrayLike,
    room: ArrayLike,
    ts: ArrayLike,
    *,
    state: RoomState = EMPTY,
    viewer: UserState = RESTED,
) -> Floats:
    """Return the exact E[seconds a seat is held | shown, state]; see ``true_value``.

    The mean of a log-normal held between floor and cap, in closed form: relative error < 1e-11.
    """
    return _evaluated(world, (user, room, ts), state, viewer, _SECONDS)


def true_click_probability(
    world: World,
    user: ArrayLike,
    room: ArrayLike,
    ts: ArrayLike,
    *,
    state: RoomState = EMPTY,
    viewer: UserState = RESTED,
) -> Floats:
    """Return the exact P(click | shown, state of the room); see ``true_value``."""
    return _evaluated(world, (user, room, ts), state, viewer, _CLICK)


def respond(
    world: World,
    user: Ints,
    room: Ints,
    ts: Ints,
    seed: int,
    *,
    state: RoomState = EMPTY,
    viewer: UserState = RESTED,
) -> Responses:
    """Draw the response of every row [n]; row i is keyed by (seed, user, i).

    The same row shown another room meets the same luck (common random numbers).
    """
    asked = _asked(world, np.broadcast_arrays(user, room, ts), state, viewer)
    if np.any(asked.room < 0):
        raise UsageError("a response needs a room", "room", "dense room indices >= 0")
    clicked, watch, amount, delay = _responses(world.scene, asked, seed)
    return Responses(clicked, watch, amount * asked.share, delay)


class _Asked(NamedTuple):
    """[n] rows as the compiled loops take them.

    ``share`` is the factor of the amount, ``admitted`` whether there is a seat.
    """

    user: Ints
    room: Ints
    ts: Ints
    crowding: Floats
    whales: Ints
    fatigue: Floats
    satiety: Floats
    again: Floats
    purse: Floats
    share: Floats
    admitted: Bools


def _evaluated(
    world: World,
    where: tuple[ArrayLike, ArrayLike, ArrayLike],
    state: RoomState,
    viewer: UserState,
    what: int,
) -> Floats:
    purse = 0.0 if viewer.purse is None else viewer.purse
    brought = (viewer.fatigue, viewer.satiety, viewer.again, purse)
    shaping = (*where, state.occupancy, state.whales, *brought)
    shape = np.broadcast_shapes(*(np.shape(a) for a in shaping))
    asked = _asked(world, [np.broadcast_to(a, shape) for a in where], state, viewer)
    values = np.zeros(len(asked.user))
    _expectations(world.scene, asked, what, values)
    if what == _AMOUNT:
        values *= asked.share
    return values.reshape(shape)


def _asked(world: World, where: Any, state: RoomState, viewer: UserState) -> _Asked:
    """Return the rows of a question, states spread over the shape of ``where``, all checked."""
    shape = where[0].shape
    users, rooms, times = _checked(world, *(a.ravel() for a in where))
    whole = viewer.purse is None
    budget = world.scene.users.budget[users].reshape(shape) if whole else viewer.purse

    def spread(value: Any, kind: type) -> Any:
        return np.ascontiguousarray(np.broadcast_to(value, shape).ravel(), dtype=kind)

    present, others = spread(state.occupancy, np.int64), spread(state.whales, np.int64)
    fatigue, satiety = (spread(a, np.float64) for a in (viewer.fatigue, viewer.satiety))
    again = spread(viewer.again, np.float64)
    purse = spread(budget, np.float64)
    states = (("state", present), ("state", others))
    moods = (("viewer", fatigue), ("viewer", satiety), ("viewer", again))
    for name, column in (*states, *moods):
        if column.min(initial=0) < 0:
            raise UsageError("a negative number of people or hours", name, ">= 0")
    crowding, whales, share, admitted = _met(world, rooms, present, others)
    met = (crowding, whales, fatigue, satiety, again, purse, share, admitted)
    return _Asked(users, rooms, times, *met)


def _met(
    world: World, room: Ints, present: Ints, others: Ints
) -> tuple[Floats, Ints, Floats, Bools]:
    """Return crowding, whales, factor of the amount and free seat; see ``kernel``, ``rounds``."""
    seats = world.scene.rooms.seats[room]
    crowding = np.maximum(0.0, (present - seats).astype(np.float64)) / seats
    admitted = ~(world.scene.seating.hard & (present >= seats))
    if world.scenario.mode != "rounds":
        return crowding, others, np.ones(len(room)), admitted
    donors = others.astype(np.float64)
    gamma = world.scenario.externality.donor_gamma
    crowding = np.where(seats < UNLIMITED_SEATS, crowding, donors)
    return crowding, np.zeros_like(others), 1.0 / (1.0 + gamma * donors), admitted


def _checked(world: World, user: Any, room: Any, ts: Any) -> tuple[Ints, Ints, Ints]:
    users, rooms, times = (np.ascontiguousarray(a, dtype=np.int64) for a in (user, room, ts))
    if users.size and not (users.min() >= 0 and users.max() < len(world.user_ids)):
        raise UsageError("no such user", "user", f"0 … {len(world.user_ids) - 1}")
    if rooms.size and not (rooms.min() >= -1 and rooms.max() < len(world.live_ids)):
        raise UsageError("no such room", "room", f"-1 … {len(world.live_ids) - 1}")
    return users, rooms, times


@njit(inline="always")
def _seconds_left(rooms, room, ts, admitted):  # type: ignore[no-untyped-def]
    """Return the seconds until a room ends, 0 where it is not open, full, or padding."""
    if room < 0 or not admitted or ts < rooms.start[room] or ts >= rooms.end[room]:
        return 0.0
    return (rooms.end[room] - ts) / 1000.0


@njit(inline="always")
def _odds_asked(scene, asked, i):  # type: ignore[no-untyped-def]
    """Return the ``Odds`` of row ``i`` at the states it asks for."""
    user, streamer = asked.user[i], scene.rooms.streamer[asked.room[i]]
    beside = asked.whales[i] + (1 if scene.users.whale[user] else 0)
    crowding, fatigue, satiety = asked.crowding[i], asked.fatigue[i], asked.satiety[i]
    again, purse = asked.again[i], asked.purse[i]
    users, streamers, law = scene.users, scene.streamers, scene.law
    return odds_in_state(
        users, streamers, law, user, streamer, crowding, beside, fatigue, satiety, again, purse
    )


@njit(cache=True)
def _expectations(scene, asked, what, out):  # type: ignore[no-untyped-def]
    """Write the expectation ``what`` of every row into ``out``, zeros so far."""
    law, rooms = scene.law, scene.rooms
    user, room, ts, admitted = asked.user, asked.room, asked.ts, asked.admitted
    before, held = 0.0, (0.0, 0.0, 0.0)
    for i in range(user.size):
        left = _seconds_left(rooms, room[i], ts[i], admitted[i])
        if left == 0.0:
            continue
        odds = _odds_asked(scene, asked, i)
        if what == _AMOUNT:
            out[i] = expected_amount(law, odds, left)
        elif what == _SECONDS:
            if left != before:  # rooms of a round all end at once
                before, held = left, held_seconds(law, left)
            out[i] = mean_seconds(odds, held[0], held[1], held[2])
        else:
            out[i] = odds.click


def compiled() -> bool:
    """Return whether an earlier run has left compiled code of the law here, of whatever version."""
    folder = Path(_expectations.stats.cache_path)
    return any(folder.glob("*._expectations-*.nbi"))


@njit(cache=True)
def _responses(scene, asked, seed):  # type: ignore[no-untyped-def]
    law, rooms = scene.law, scene.rooms
    user, room, ts, admitted = asked.user, asked.room, asked.ts, asked.admitted
    clicked = np.zeros(user.size, dtype=np.bool_)
    watch, delay = np.zeros(user.size, dtype=np.int64), np.full(user.size, -1, dtype=np.int64)
    amount = np.zeros(user.size)
    for i in range(user.size):
        left = _seconds_left(rooms, room[i], ts[i], admitted[i])
        if left == 0.0:
            continue
        odds = _odds_asked(scene, asked, i)
        drawn = draw(law, odds, left, seed, user[i], i, 0)
        clicked[i], amount[i] = drawn.clicked, drawn.amount
        if drawn.clicked:
            watch[i] = max(1, int(drawn.watch * 1000.0))
        if drawn.amount > 0.0:
            delay[i] = int(drawn.delay * 1000.0)
    return clicked, watch, amount, delay
