"""Which rooms a user could be shown: live homes first, then popular rooms, then any.

Live rooms are kept as a list (for uniform draws) and as a binary indexed tree of integer
popularity (for draws in proportion to it, exact under any order of openings and closings).
Draws are keyed, and the live set follows the schedule alone: candidates are exogenous.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.rng import bits, uniform
from giftlive.types import Ints
from giftlive.world.purposes import CANDIDATE

MIN_LEFT_MS = 1_000
"""A room that ends sooner is not offered."""


class Live(NamedTuple):
    """Live rooms: ``room`` [S] of each streamer (-1: none), ``place`` [S] in ``listed`` [S].

    ``tree`` [S + 1] sums popularity; ``total`` = [number live, their popularity];
    ``seen`` [S] and ``stamp`` [1] keep candidates of one decision distinct.
    """

    room: Ints
    place: Ints
    listed: Ints
    tree: Ints
    total: Ints
    seen: Ints
    stamp: Ints


def no_rooms(streamers: int) -> Live:
    """Return the state in which nobody is live."""
    return Live(
        room=np.full(streamers, -1, dtype=np.int64),
        place=np.full(streamers, -1, dtype=np.int64),
        listed=np.zeros(streamers, dtype=np.int64),
        tree=np.zeros(streamers + 1, dtype=np.int64),
        total=np.zeros(2, dtype=np.int64),
        seen=np.zeros(streamers, dtype=np.int64),
        stamp=np.zeros(1, dtype=np.int64),
    )


@njit(cache=True)
def _add(live, streamer, weight):  # type: ignore[no-untyped-def]
    k = streamer + 1
    while k < live.tree.size:
        live.tree[k] += weight
        k += k & -k
    live.total[1] += weight


@njit(cache=True)
def open_room(live, streamer, room, weight):  # type: ignore[no-untyped-def]
    """Put a streamer's room on air; ``weight`` is the streamer's popularity.

    A streamer who is live already stays in that room: ``listed`` has one place for each.
    """
    if live.place[streamer] >= 0:
        return
    live.room[streamer] = room
    live.place[streamer] = live.total[0]
    live.listed[live.total[0]] = streamer
    live.total[0] += 1
    _add(live, streamer, weight)


@njit(cache=True)
def close_room(live, streamer, weight):  # type: ignore[no-untyped-def]
    """Take a streamer's room off air; the last of the list fills its place."""
    if live.place[streamer] < 0:
        return
    live.total[0] -= 1
    last = live.listed[live.total[0]]
    live.listed[live.place[streamer]] = last
    live.place[last] = live.place[streamer]
    live.place[streamer] = -1
    live.room[streamer] = -1
    _add(live, streamer, -weight)


@njit(cache=True)
def _popular(tree, target):  # type: ignore[no-untyped-def]
    """Return the streamer at ``target`` of the cumulative popularity, 0 <= target < total."""
    k, step = 0, 1
    while step * 2 < tree.size:
        step *= 2
    while step > 0:
        if k + step < tree.size and tree[k + step] <= target:
            k += step
            target -= tree[k]
        step //= 2
    return k


@njit(cache=True)
def _first_sight(seen, stamp, streamer):  # type: ignore[no-untyped-def]
    """Return whether this decision has not met the streamer yet, and remember it."""
    new = seen[streamer] != stamp
    seen[streamer] = stamp
    return new


@njit(inline="always")
def retrieve(scene, live, batch, n, seed):  # type: ignore[no-untyped-def]
    """Fill the first ``n`` rows of candidates, each padded with -1; keyed by the decision."""
    homes, popular, end = scene.users.homes, scene.choices.popular, scene.rooms.end
    for i in range(n):
        key = (seed, batch.user[i], batch.visit[i], batch.slot[i])
        _retrieve_row(homes, popular, end, live, key, batch.ts[i], batch.rooms, batch.streamers, i)


@njit(inline="always")
def _retrieve_row(homes, popular, end, live, key, ts, rooms, streamers, i):  # type: ignore[no-untyped-def]
    seed, user, visit, slot = key
    room, listed, tree, seen = live.room, live.listed, live.tree, live.seen
    many, weight = live.total[0], live.total[1]
    live.stamp[0] += 1
    stamp, limit, n = live.stamp[0], rooms.shape[1], 0
    everybody = many <= limit
    draws = homes.shape[1] + (many if everybody else 2 * limit)
    for k in range(draws):
        if n == limit:
            break
        draw = k - homes.shape[1]
        if draw < 0:
            streamer = homes[user, k]
        elif everybody:
            streamer = listed[draw]
        elif draw < popular:
            word = bits(seed, CANDIDATE + draw, user, visit, slot) >> np.uint64(1)
            streamer = _popular(tree, np.int64(word) % weight)
        else:
            u = uniform(seed, CANDIDATE + draw, user, visit, slot)
            streamer = listed[int(u * many)]
        if streamer < 0 or room[streamer] < 0 or not _first_sight(seen, stamp, streamer):
            continue
        if end[room[streamer]] >= ts + MIN_LEFT_MS:
            rooms[i, n], streamers[i, n] = room[streamer], streamer
            n += 1
    rooms[i, n:] = -1
    streamers[i, n:] = -1
