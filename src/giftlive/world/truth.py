"""What only the author of a world can know: exact expectations, and responses to any choice.

Rooms are taken as nobody else would find them: no crowding, no other whale, a free seat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from giftlive.errors import UsageError
from giftlive.types import Bools, Floats, Ints
from giftlive.world.entities import World
from giftlive.world.law import draw, expected_amount, expected_seconds, odds_of

_AMOUNT, _SECONDS, _CLICK = 0, 1, 2


@dataclass(frozen=True)
class Responses:
    """[n] each: clicked, ms watched (0 unless clicked), amount given, ms from entry to the gift.

    ``delay_ms`` is -1 where no gift happened.
    """

    clicked: Bools
    watch_ms: Ints
    amount: Floats
    delay_ms: Ints


def true_value(world: World, user: ArrayLike, room: ArrayLike, ts: ArrayLike) -> Floats:
    """Return the exact E[gift amount | shown and admitted] of users in rooms.

    P(click) P(latent gift) sum over bounce and stay of P(component) H(mu, time left), with H
    from the law's table (relative error < 5e-4). The draws of ``Arena`` have this mean.

    Parameters
    ----------
    user, room, ts : dense user, dense room (-1: padding, worth 0) and ms UTC; broadcast.

    Returns
    -------
    Amounts in platform units, of the broadcast shape; 0 where the room is closed at ``ts``.
    """
    return _evaluated(world, user, room, ts, _AMOUNT)


def true_seat_seconds(world: World, user: ArrayLike, room: ArrayLike, ts: ArrayLike) -> Floats:
    """Return the exact E[seconds a seat is held | shown and admitted]; see ``true_value``."""
    return _evaluated(world, user, room, ts, _SECONDS)


def true_click_probability(world: World, user: ArrayLike, room: ArrayLike, ts: ArrayLike) -> Floats:
    """Return the exact P(click | shown and admitted); see ``true_value``."""
    return _evaluated(world, user, room, ts, _CLICK)


def respond(world: World, user: Ints, room: Ints, ts: Ints, seed: int) -> Responses:
    """Draw the response of every row [n]; row i is keyed by (seed, user, i).

    The same row shown another room meets the same luck (common random numbers).
    """
    users, rooms, times = _checked(world, user, room, ts)
    if np.any(rooms < 0):
        raise UsageError("a response needs a room", "room", "dense room indices >= 0")
    clicked, watch, amount, delay = _responses(world.scene, users, rooms, times, seed)
    return Responses(clicked, watch, amount, delay)


def _evaluated(world: World, user: ArrayLike, room: ArrayLike, ts: ArrayLike, what: int) -> Floats:
    arrays = np.broadcast_arrays(user, room, ts)
    users, rooms, times = _checked(world, *(a.ravel() for a in arrays))
    values: Floats = _expectations(world.scene, users, rooms, times, what)
    return values.reshape(arrays[0].shape)


def _checked(world: World, user: Any, room: Any, ts: Any) -> tuple[Ints, Ints, Ints]:
    users, rooms, times = (np.ascontiguousarray(a, dtype=np.int64) for a in (user, room, ts))
    if users.size and not (users.min() >= 0 and users.max() < len(world.user_ids)):
        raise UsageError("no such user", "user", f"0 … {len(world.user_ids) - 1}")
    if rooms.size and not (rooms.min() >= -1 and rooms.max() < len(world.live_ids)):
        raise UsageError("no such room", "room", f"-1 … {len(world.live_ids) - 1}")
    return users, rooms, times


@njit(inline="always")
def _seconds_left(rooms, room, ts):  # type: ignore[no-untyped-def]
    """Return the seconds until a room ends, 0 where it is not open (or padding)."""
    if room < 0 or ts < rooms.start[room] or ts >= rooms.end[room]:
        return 0.0
    return (rooms.end[room] - ts) / 1000.0


@njit(inline="always")
def _undisturbed(users, streamers, law, user, streamer):  # type: ignore[no-untyped-def]
    """Return the odds in an empty room with a free seat."""
    whale = 1 if users.whale[user] else 0
    return odds_of(users, streamers, law, user, streamer, 0.0, whale)


@njit(cache=True)
def _expectations(scene, user, room, ts, what):  # type: ignore[no-untyped-def]
    users, streamers, law, rooms = scene.users, scene.streamers, scene.law, scene.rooms
    out = np.zeros(user.size)
    for i in range(user.size):
        left = _seconds_left(rooms, room[i], ts[i])
        if left == 0.0:
            continue
        odds = _undisturbed(users, streamers, law, user[i], rooms.streamer[room[i]])
        if what == _AMOUNT:
            out[i] = expected_amount(law, odds, left)
        elif what == _SECONDS:
            out[i] = expected_seconds(law, odds, left)
        else:
            out[i] = odds.click
    return out


@njit(cache=True)
def _responses(scene, user, room, ts, seed):  # type: ignore[no-untyped-def]
    users, streamers, law, rooms = scene.users, scene.streamers, scene.law, scene.rooms
    clicked = np.zeros(user.size, dtype=np.bool_)
    watch, delay = np.zeros(user.size, dtype=np.int64), np.full(user.size, -1, dtype=np.int64)
    amount = np.zeros(user.size)
    for i in range(user.size):
        left = _seconds_left(rooms, room[i], ts[i])
        if left == 0.0:
            continue
        odds = _undisturbed(users, streamers, law, user[i], rooms.streamer[room[i]])
        drawn = draw(law, odds, left, seed, user[i], i, 0)
        clicked[i], amount[i] = drawn.clicked, drawn.amount
        if drawn.clicked:
            watch[i] = max(1, int(drawn.watch * 1000.0))
        if drawn.amount > 0.0:
            delay[i] = int(drawn.delay * 1000.0)
    return clicked, watch, amount, delay
