"""How the expected stay of a viewer is spread over the time after the decision."""

from __future__ import annotations

import numpy as np
from numba import njit

from giftlive.types import Floats, Ints
from giftlive.world.entities import World
from giftlive.world.law import expected_seconds, held_seconds, mean_seconds, odds_of


def true_stay(world: World, user: Ints, room: Ints, ts: Ints, within: Floats) -> Floats:
    """Return the exact E[seconds a seat is held in the first ``within`` seconds | shown].

    Parameters
    ----------
    user, ts : [n] dense user and ms UTC. room : [n, m] dense room, -1 = padding.
    within : [n, K] seconds from the decision, > 0; +inf = the whole stay.

    Returns
    -------
    [n, m, K]; 0 at padding and where the room is closed. With K = 1 and +inf it equals
    ``true_seat_seconds``.
    """
    return _within(world.scene, user, room, ts, np.asarray(within, dtype=np.float64))


@njit(cache=True)
def _within(scene, user, room, ts, within):  # type: ignore[no-untyped-def]
    n, m = room.shape
    law = scene.law
    out = np.zeros((n, m, within.shape[1]))
    held = np.empty((within.shape[1], 3))
    for i in range(n):
        for k in range(within.shape[1]):  # the watch law is the same in every room
            held[k, 0], held[k, 1], held[k, 2] = held_seconds(law, within[i, k])
        whale = 1 if scene.users.whale[user[i]] else 0
        for j in range(m):
            r = room[i, j]
            if r < 0 or not scene.rooms.start[r] <= ts[i] < scene.rooms.end[r]:
                continue
            streamer = scene.rooms.streamer[r]
            odds = odds_of(scene.users, scene.streamers, law, user[i], streamer, 0.0, whale)
            left = (scene.rooms.end[r] - ts[i]) / 1000.0
            for k in range(within.shape[1]):
                if left < law.cap and left < within[i, k]:
                    mean = expected_seconds(law, odds, left)
                else:
                    mean = mean_seconds(odds, held[k, 0], held[k, 1], held[k, 2])
                out[i, j, k] = min(mean, odds.click * within[i, k])
    return out
