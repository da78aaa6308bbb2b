"""Potential arrivals, and the seat time they would ask for: the exogenous side of a day."""

from __future__ import annotations

import numpy as np

from giftlive.clock import MS_PER_DAY
from giftlive.errors import UsageError
from giftlive.rng import derive
from giftlive.types import Observation
from giftlive.world.entities import World
from giftlive.world.kernel import begin, form_batch, let_pass
from giftlive.world.platform import platform_chances
from giftlive.world.state import Batch, day_span, new_batch, new_state
from giftlive.world.truth import true_seat_seconds


def arena_seed(world: World, seed: int, day: int) -> int:
    """Return the seed of the keyed draws of one evening."""
    return derive(seed, "evening", world.seed, day)


def potential_arrivals(world: World, seed: int, day: int | None = None) -> Observation:
    """Return every potential visit of a day with its candidates, in order of time.

    A policy meets a subset: a visit that starts while its user still watches is lost. The
    candidates of a visit do not depend on any policy, so a bound over potential arrivals bounds
    every policy. ``seats_left`` is what strangers leave of the seats in otherwise empty rooms.

    Raises
    ------
    UsageError
        A visit has more than one exposure: then later decisions depend on earlier ones.
    """
    if world.scenario.mode != "clocked" or world.scenario.visits.exposures > 1.0:
        raise UsageError(
            "arrivals are not exogenous in this scenario",
            "potential_arrivals",
            "clocked mode with visits.exposures = 1",
        )
    day = world.arena_day if day is None else day
    span = day_span(world, arena_seed(world, seed, day), day)
    state = new_state(world, span)
    batch = new_batch(len(world.user_ids), world.scene.choices.total)
    begin(world.scene, state, span)
    parts = []
    while n := form_batch(world.scene, state, batch, span):
        parts.append(observed(batch, n))
        let_pass(world.scene, state, batch, n, span)
    if not parts:
        return observed(batch, 0)
    fields = Observation.__slots__
    joined = (np.concatenate([getattr(part, name) for part in parts]) for name in fields)
    return Observation(*joined)


def observed(batch: Batch, n: int) -> Observation:
    """Return a copy of the first ``n`` rows as a platform would see them."""
    return Observation(
        ts=batch.ts[:n].copy(),
        user=batch.user[:n].copy(),
        visit=batch.visit[:n].copy(),
        slot=batch.slot[:n].copy(),
        rooms=batch.rooms[:n].copy(),
        streamers=batch.streamers[:n].copy(),
        seats_left=batch.seats_left[:n].copy(),
    )


def demanded_seconds(world: World) -> tuple[float, float]:
    """Return (expected seat-seconds asked for on the arena day, seconds an average seat is open).

    Every potential arrival is spread over its candidates by the platform's ranking.
    """
    arrivals = potential_arrivals(world, world.seed)
    chances = platform_chances(world.scene, arrivals.user, arrivals.streamers)
    seconds = true_seat_seconds(world, arrivals.user[:, None], arrivals.rooms, arrivals.ts[:, None])
    hours = sum(1 for weight in world.scenario.visits.diurnal if weight > 0)
    return float(np.sum(chances * seconds)), hours / 24 * MS_PER_DAY / 1000
