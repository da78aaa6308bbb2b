"""What the contacts of a round do, compiled: the only place where the rounds story is told.

1. the room as it is now: viewers and big donors of this round only, for rooms empty each round
2. refused, where seats are hard and taken
3. crowding: viewers above the seats, or without seats the big donors present (gift logit)
4. the response of the law; a gift is shared, A / (1 + gamma big donors present)
5. the room's viewers and donors after it
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.types import UNLIMITED_SEATS, Ints
from giftlive.world.entities import World
from giftlive.world.law import draw, expected_amount, odds_of
from giftlive.world.state import CLICKED, NOTHING, REFUSED, SKIPPED


class Present(NamedTuple):
    """[S] of this round so far, per room: viewers, and the whales among them."""

    viewers: Ints
    donors: Ints


class Rules(NamedTuple):
    """What every contact of a run shares: seats [S] of rooms, hard or not, gamma, and the seed."""

    seats: Ints
    hard: bool
    gamma: float
    seed: int


def rules_of(world: World, seed: int) -> Rules:
    """Return the rules of a run of a world's rounds; its draws are keyed by ``seed``."""
    scene, gamma = world.scene, world.scenario.externality.donor_gamma
    return Rules(scene.rooms.seats, scene.seating.hard, gamma, seed)


def nobody(rooms: int) -> Present:
    """Return empty rooms."""
    return Present(np.zeros(rooms, dtype=np.int64), np.zeros(rooms, dtype=np.int64))


@njit(cache=True, nogil=True)
def empty_rooms(present):  # type: ignore[no-untyped-def]
    """Send everybody away: the next round begins."""
    present.viewers[:] = 0
    present.donors[:] = 0


@njit(cache=True, nogil=True)
def play_rows(scene, rules, present, log, first, last):  # type: ignore[no-untyped-def]
    """Write what came of the decisions in rows [first, last) of one round, one after another.

    ``log.room`` holds them (-1: nothing shown), the columns before it say who decided when. In
    rounds a room is its streamer's index.
    """
    users, streamers, law = scene.users, scene.streamers, scene.law
    for row in range(first, last):
        room = log.room[row]
        log.watch_ms[row], log.delay_ms[row], log.status[row] = 0, -1, NOTHING
        log.amount[row], log.expected[row] = 0.0, 0.0
        if room < 0:
            continue
        seats, viewers = rules.seats[room], present.viewers[room]
        if rules.hard and viewers >= seats:
            log.status[row] = REFUSED
            continue
        user, visit, donors = log.user[row], log.visit[row], float(present.donors[room])
        crowding = donors
        if seats < UNLIMITED_SEATS:
            crowding = max(0.0, float(viewers - seats)) / seats
        odds = odds_of(users, streamers, law, user, room, crowding, 0)
        share = 1.0 / (1.0 + rules.gamma * donors)
        drawn = draw(law, odds, law.cap, rules.seed, user, visit, 0)
        log.status[row] = CLICKED if drawn.clicked else SKIPPED
        log.watch_ms[row] = int(drawn.watch * 1000.0)
        log.amount[row] = drawn.amount * share
        log.expected[row] = expected_amount(law, odds, law.cap) * share
        present.viewers[room] += 1 if drawn.clicked else 0
        present.donors[room] += 1 if users.whale[user] else 0


@njit(cache=True, nogil=True)
def play_rounds(scene, rules, present, log, first, last, many):  # type: ignore[no-untyped-def]
    """Write what came of the decisions in rows [first, last), ``many`` rows a round."""
    for start in range(first, last, many):
        empty_rooms(present)
        play_rows(scene, rules, present, log, start, start + many)
