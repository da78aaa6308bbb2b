"""Who goes on air: a streamer whom nobody watched or paid may stay off for a day.

After a day with a room on air, exposed n times and earning y, a streamer is back on the next
with probability 1 - weight / (1 + n / e + y / i). The chance stays as it is over days off air,
and every day has its own keyed draw, so nobody is lost for good by one bad evening.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from giftlive.clock import MS_PER_DAY
from giftlive.rng import uniform
from giftlive.types import Floats, Ints
from giftlive.world.entities import World
from giftlive.world.purposes import SUPPLY
from giftlive.world.state import DAY


def return_chance(world: World, exposure: Ints, income: Floats, on_air: Ints) -> Floats:
    """Return P(streams on the next day) [S] of the streamers ``on_air`` (dense), 1 for others.

    ``exposure`` and ``income`` [S] are those of the day that ends.
    """
    supply = world.scenario.supply
    chance = np.ones(len(exposure))
    luck = 1.0 + exposure[on_air] / supply.exposure + income[on_air] / supply.income
    chance[on_air] = 1.0 - supply.weight / luck
    return chance


@njit(inline="always")
def comes_on_air(back, streamer, span, ts):  # type: ignore[no-untyped-def]
    """Return whether a room scheduled at ``ts`` opens; one draw per streamer and day."""
    return uniform(span.seed, SUPPLY, streamer, day_of(span, ts), 0) < back[streamer]


@njit(inline="always")
def day_of(span, ts):  # type: ignore[no-untyped-def]
    """Return the day of the window, 0 before it."""
    return max(0, (ts - span.start_ms) // MS_PER_DAY)


@njit(cache=True)
def close_days(scene, state, span, ts):  # type: ignore[no-untyped-def]
    """End every day of the window before that of ``ts``: tomorrow's chances follow from today."""
    habits, back, exposure, income = scene.habits, state.back, state.exposure, state.income
    while state.cursor[DAY] < day_of(span, ts):
        for s in range(back.size):
            if state.on_air[s]:
                luck = 1.0 + exposure[s] / habits.supply_exposure + income[s] / habits.supply_income
                back[s] = 1.0 - habits.supply_weight / luck
            state.on_air[s] = state.live.room[s] >= 0
            exposure[s], income[s] = 0, 0.0
        state.cursor[DAY] += 1
