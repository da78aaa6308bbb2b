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
    return _evaluated(world, user, room, ts, _values)


def true_seat_seconds(world: World, user: ArrayLike, room: ArrayLike, ts: ArrayLike) -> Floats:
    """Return the exact E[seconds a seat is held | shown and admitted]; see ``true_value``."""
    return _evaluated(world, user, room, ts, _seconds)


def true_click_probability(world: World, user: ArrayLike, room: ArrayLike, ts: ArrayLike) -> Floats:
    """Return the exact P(click | shown and admitted); see ``true_value``."""
    return _evaluated(world, user, room, ts, _clicks)


def respond(world: World, user: Ints, room: Ints, ts: Ints, seed: int) -> Responses:
    """Draw the response of every row [n]; row i is keyed by (seed, user, i).

    The same row shown another room meets the same luck (common random numbers).
    """
    users, rooms, times = _checked(world, user, room, ts)
    if np.any(rooms < 0):
        raise UsageError("a response needs a room", "room", "dense room indices >= 0")
    clicked, watch, amount, delay = _responses(world.scene, users, rooms, times, seed)
    return Responses(clicked, watch, amount, delay)


def _evaluated(
    world: World, user: ArrayLike, room: ArrayLike, ts: ArrayLike, kernel: Any
) -> Floats:
    arrays = np.broadcast_arrays(user, room, ts)
    users, rooms, times = _checked(world, *(a.ravel() for a in arrays))
    return kernel(world.scene, users, rooms, times).reshape(arrays[0].shape)


def _checked(world: World, user: Any, room: Any, ts: Any) -> tuple[Ints, Ints, Ints]:
    users, rooms, times = (np.ascontiguousarray(a, dtype=np.int64) for a in (user, room, ts))
    if users.size and not (users.min() >= 0 and users.max() < len(world.user_ids)):
        raise UsageError("no such user", "user", f"0 … {len(world.user_ids) - 1}")
    if rooms.size and not (rooms.min() >= -1 and rooms.max() < len(world.live_ids)):
        raise UsageError("no such room", "room", f"-1 … {len(world.live_ids) - 1}")
    return users, rooms, times


@njit(inline="always")
def _pair(scene, user, room, ts):  # type: ignore[no-untyped-def]
    """Return the odds in an empty room and the seconds until it ends (0: not open)."""
    streamer = scene.rooms.streamer[room]
    whale = 1 if scene.users.whale[user] else 0
    odds = odds_of(scene.users, scene.streamers, scene.law, user, streamer, 0.0, whale)
    is_open = scene.rooms.start[room] <= ts < scene.rooms.end[room]
    return odds, (scene.rooms.end[room] - ts) / 1000.0 if is_open else 0.0


@njit(cache=True)
def _values(scene, user, room, ts):  # type: ignore[no-untyped-def]
    out = np.zeros(user.size)
    for i in range(user.size):
        if room[i] >= 0:
            odds, left = _pair(scene, user[i], room[i], ts[i])
            out[i] = expected_amount(scene.law, odds, left) if left > 0.0 else 0.0
    return out


@njit(cache=True)
def _seconds(scene, user, room, ts):  # type: ignore[no-untyped-def]
    out = np.zeros(user.size)
    for i in range(user.size):
        if room[i] >= 0:
            odds, left = _pair(scene, user[i], room[i], ts[i])
            out[i] = expected_seconds(scene.law, odds, left) if left > 0.0 else 0.0
    return out


@njit(cache=True)
def _clicks(scene, user, room, ts):  # type: ignore[no-untyped-def]
    out = np.zeros(user.size)
    for i in range(user.size):
        if room[i] >= 0:
            odds, left = _pair(scene, user[i], room[i], ts[i])
            out[i] = odds.click if left > 0.0 else 0.0
    return out


@njit(cache=True)
def _responses(scene, user, room, ts, seed):  # type: ignore[no-untyped-def]
    clicked = np.zeros(user.size, dtype=np.bool_)
    watch, delay = np.zeros(user.size, dtype=np.int64), np.full(user.size, -1, dtype=np.int64)
    amount = np.zeros(user.size)
    for i in range(user.size):
        odds, left = _pair(scene, user[i], room[i], ts[i])
        if left <= 0.0:
            continue
        drawn = draw(scene.law, odds, left, seed, user[i], i, 0)
        clicked[i], amount[i] = drawn.clicked, drawn.amount
        if drawn.clicked:
            watch[i] = max(1, int(drawn.watch * 1000.0))
        if drawn.amount > 0.0:
            delay[i] = int(drawn.delay * 1000.0)
    return clicked, watch, amount, delay
