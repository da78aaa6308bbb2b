"""Comments and likes: keyed functions of a viewing, with a time inside it.

A viewing of at least ten seconds holds a comment with
logit P = base + generosity coefficient * b_u, and likewise a like, at a uniform time in it.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numba import njit

from giftlive.rng import uniform
from giftlive.types import Bools, Ints
from giftlive.world.entities import World
from giftlive.world.purposes import COMMENT, COMMENT_TIME, LIKE, LIKE_TIME
from giftlive.world.state import CLICKED, Log

MIN_WATCH_MS = 10_000
"""A shorter viewing holds neither."""


class Acts(NamedTuple):
    """[n] per row of a log: whether it holds the act, and ms from the entry to it (-1: none)."""

    happened: Bools
    delay_ms: Ints


def acts(world: World, log: Log, seed: int, what: Literal["comment", "like"]) -> Acts:
    """Return the comments or the likes of a log's rows.

    ``seed`` is that of the log's own draws (``Span.seed``). Rows are keyed one by one, so a log
    cut into pieces has the same acts.
    """
    commenting = what == "comment"
    purpose, time = (COMMENT, COMMENT_TIME) if commenting else (LIKE, LIKE_TIME)
    talk = world.scene.talk
    base = talk.comment_base if commenting else talk.like_base
    happened, delay = _acts(world.scene, log, seed, purpose, time, base)
    return Acts(happened, delay)


@njit(inline="always")
def happens(base, leaning, watch_ms, purpose, key):  # type: ignore[no-untyped-def]
    """Return whether a viewing holds a comment (or a like); ``key`` = (seed, user, visit, slot)."""
    seed, user, visit, slot = key
    if watch_ms < MIN_WATCH_MS:
        return False
    return uniform(seed, purpose, user, visit, slot) < 1.0 / (1.0 + math.exp(-base - leaning))


@njit(cache=True)
def _acts(scene, log, seed, purpose, time, base):  # type: ignore[no-untyped-def]
    n, talk, generosity = log.ts.size, scene.talk, scene.users.generosity
    happened, delay = np.zeros(n, dtype=np.bool_), np.full(n, -1, dtype=np.int64)
    for i in range(n):
        if log.status[i] != CLICKED:
            continue
        user, visit, slot, watch = log.user[i], log.visit[i], log.slot[i], log.watch_ms[i]
        leaning = talk.generosity * generosity[user]
        if happens(base, leaning, watch, purpose, (seed, user, visit, slot)):
            happened[i] = True
            delay[i] = int(watch * uniform(seed, time, user, visit, slot))
    return happened, delay
