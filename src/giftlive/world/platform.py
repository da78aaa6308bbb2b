"""The platform's own ranking: a softmax over popularity, loyalty and a glimpse of taste.

It is part of the truth (it makes the logs), not a policy under study; it may read latents.
Full rooms are not shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from giftlive.rng import uniform
from giftlive.types import Decisions, Observation
from giftlive.world.entities import Scene
from giftlive.world.law import dot, loyal_to
from giftlive.world.purposes import PLATFORM
from giftlive.world.state import Batch


@dataclass(frozen=True)
class PlatformRanking:
    """The platform as a ``Decide``: what made the logs, put in a policy's place."""

    scene: Scene
    seed: int

    def __call__(self, observation: Observation) -> Decisions:
        """Choose one candidate for every row, by the keyed draws of ``seed``."""
        batch = Batch(
            ts=observation.ts,
            user=observation.user,
            visit=observation.visit,
            slot=observation.slot,
            rooms=observation.rooms,
            streamers=observation.streamers,
            seats_left=observation.seats_left,
            choice=np.zeros(len(observation), dtype=np.int64),
            chances=np.zeros(observation.rooms.shape),
        )
        platform_decide(self.scene, batch, len(observation), self.seed)
        return Decisions(batch.choice, batch.chances)


@njit(cache=True)
def platform_row(scene, user, streamers, seats_left, chances):  # type: ignore[no-untyped-def]
    """Write the probability of each candidate of one decision into ``chances``."""
    choices, scale = scene.choices, scene.law.match_scale
    taste, homes, devotion = scene.users.taste, scene.users.homes, scene.users.devotion
    style, quality = scene.streamers.taste, scene.streamers.quality
    log_popularity = scene.streamers.log_popularity
    top = -math.inf
    for j in range(streamers.size):
        s = streamers[j]
        if s < 0 or seats_left[j] <= 0:
            chances[j] = -math.inf
            continue
        score = choices.match * scale * dot(taste, user, style, s)
        score += choices.loyal * devotion[user] * loyal_to(homes, scene.law.home_decay, user, s)
        chances[j] = score + choices.popularity * log_popularity[s] + choices.quality * quality[s]
        top = max(top, chances[j])
    total = 0.0
    for j in range(streamers.size):
        chances[j] = math.exp(chances[j] - top) if chances[j] > -math.inf else 0.0
        total += chances[j]
    if total > 0.0:
        chances /= total


@njit(cache=True)
def platform_decide(scene, batch, n, seed):  # type: ignore[no-untyped-def]
    """Fill ``batch.choice`` and ``batch.chances`` of the first ``n`` rows."""
    for i in range(n):
        user, chances = batch.user[i], batch.chances[i]
        platform_row(scene, user, batch.streamers[i], batch.seats_left[i], chances)
        u = uniform(seed, PLATFORM, user, batch.visit[i], batch.slot[i])
        batch.choice[i] = -1
        for j in range(chances.size):
            if chances[j] > 0.0:
                batch.choice[i] = j
                u -= chances[j]
                if u < 0.0:
                    break


@njit(cache=True)
def platform_chances(scene, user, streamers):  # type: ignore[no-untyped-def]
    """Return the probabilities [n, m] with which the platform would show free rooms."""
    chances = np.zeros(streamers.shape)
    free = np.ones(streamers.shape[1], dtype=np.int64)
    for i in range(user.size):
        platform_row(scene, user[i], streamers[i], free, chances[i])
    return chances
