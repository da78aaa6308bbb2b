"""When rooms open and close: at most one room of a streamer at a time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from giftlive.clock import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE
from giftlive.errors import ConfigError
from giftlive.rng import derive, stream
from giftlive.types import UNLIMITED_SEATS, Floats, Ints
from giftlive.world.entities import Rooms, Streamers, World
from giftlive.world.scenario import Scenario

MAX_TITLES = 50_000
_LONGEST_MS = 365.0 * MS_PER_DAY


class _Slots(NamedTuple):
    streamer: Ints
    start: Ints
    end: Ints


def draw_rooms(scenario: Scenario, seed: int, streamers: Streamers, origin_ms: int) -> Rooms:
    """Draw the rooms of the arena day (first) and of every day of the history.

    Rooms that would cross the end of the history or of the arena day end there: nothing is
    simulated beyond it, and a log that stops at midnight cannot tell. ``planned_ends`` can.
    """
    days = np.arange(scenario.calendar.history_days)
    edge = origin_ms + len(days) * MS_PER_DAY
    if scenario.mode == "rounds":
        everyone = np.arange(len(streamers.weight))
        spans = [_Slots(everyone, 0 * everyone + origin_ms, 0 * everyone + edge)]
    else:
        spans = [
            _cut(_span(scenario, seed, streamers, days[:1] + len(days), edge), edge + MS_PER_DAY),
            _cut(_span(scenario, seed, streamers, days, origin_ms), edge),
        ]
    slots = _Slots(*(np.concatenate(parts) for parts in zip(*spans, strict=True)))
    count = len(slots.streamer)
    if not count:
        raise ConfigError(
            "nobody goes on air",
            f"scenario {scenario.name}",
            "at least one room in the window",
            "raise stars.rooms_per_day or the scale, or take more days",
        )
    titles = min(MAX_TITLES, max(1, count // 4))
    return Rooms(
        *slots,
        seats=np.full(count, UNLIMITED_SEATS, dtype=np.int64),
        title=stream(seed, "room title").integers(titles, size=count),
        kind=1 + (stream(seed, "room kind").random(count) < 0.1).astype(np.int64),
    )


def planned_ends(world: World) -> Ints:
    """Return [R] when rooms of the history would have ended, had the window not cut them short.

    The rooms are drawn once more, from the same streams.
    """
    scenario, ends = world.scenario, world.room_end.copy()
    days = np.arange(scenario.calendar.history_days)
    root = world_seed(scenario, world.seed)
    planned = _span(scenario, root, world.scene.streamers, days, world.origin_ms).end
    ends[len(ends) - len(planned) :] = planned
    return ends


def world_seed(scenario: Scenario, seed: int) -> int:
    """Return the seed from which everything that a world consists of is drawn."""
    return derive(seed, "world", scenario.name)


def _cut(slots: _Slots, edge: int) -> _Slots:
    return slots._replace(end=np.minimum(slots.end, edge))


def _span(scenario: Scenario, seed: int, streamers: Streamers, days: Ints, first: int) -> _Slots:
    """Return the rooms that start on consecutive ``days``, the first beginning at ``first`` ms.

    A room ends a minute before its streamer's next one at the latest, but may outlast the days.
    """
    draw = _fixed if scenario.stars.fixed_hours else _free
    streamer, day, hour, hours = draw(scenario, seed, streamers, days)
    start = first + (day - days[0]) * MS_PER_DAY + (hour * MS_PER_HOUR).astype(np.int64)
    length = np.clip(hours * MS_PER_HOUR, MS_PER_MINUTE, _LONGEST_MS).astype(np.int64)
    window, many = len(days) * MS_PER_DAY, len(streamers.weight)
    start = np.maximum(start, first)
    order = np.lexsort((start, streamer))
    streamer, start, length = streamer[order], start[order], length[order]
    end = start + length
    follows = streamer[1:] == streamer[:-1]
    end[:-1][follows] = np.minimum(end[:-1], start[1:] - MS_PER_MINUTE)[follows]
    debut = first + (streamers.first_day - days[0]) * MS_PER_DAY
    kept = np.minimum(end, first + window) - start >= MS_PER_MINUTE
    kept &= start >= debut[streamer]
    streamer, start, end = streamer[kept], start[kept], end[kept]
    order = np.argsort((start - first) * many + streamer, kind="stable")
    return _Slots(streamer[order], start[order], end[order])


def _fixed(
    scenario: Scenario, seed: int, streamers: Streamers, days: Ints
) -> tuple[Ints, Ints, Floats, Floats]:
    """Give everybody one room a day, from the first to the last of ``fixed_hours``."""
    opens, closes = scenario.stars.fixed_hours[0], scenario.stars.fixed_hours[-1]
    everyone = np.arange(len(streamers.weight))
    streamer, day = np.tile(everyone, len(days)), np.repeat(days, len(everyone))
    return streamer, day, np.full(len(day), opens), np.full(len(day), closes - opens)


def _free(
    scenario: Scenario, seed: int, streamers: Streamers, days: Ints
) -> tuple[Ints, Ints, Floats, Floats]:
    """Draw a Poisson number of rooms around the streamer's own hour; popular ones last longer."""
    stars, visits = scenario.stars, scenario.visits
    count = len(streamers.weight)
    hourly = np.asarray(visits.diurnal) / sum(visits.diurnal)
    own_hour = stream(seed, "streamer hour").choice(24, size=count, p=hourly)
    fame = streamers.log_popularity - streamers.log_popularity.mean()
    often = np.exp(stars.rooms_popularity * fame)
    rate = stars.rooms_per_day * often / often.mean()
    rng = stream(seed, "rooms", int(days[0]), len(days))
    number = rng.poisson(np.broadcast_to(rate, (len(days), count)))
    day, streamer = (np.repeat(axis.ravel(), number.ravel()) for axis in _grid(days, count))
    hour = np.mod(own_hour[streamer] + 3.0 * rng.standard_normal(len(day)), 24.0)
    mu = math.log(stars.room_minutes / 60) - 0.5 * stars.room_sigma**2
    hours = rng.lognormal(mu, stars.room_sigma, len(day))
    longer = np.exp(stars.room_popularity * fame)
    return streamer, day, hour, hours * (longer / longer.mean())[streamer]


def _grid(days: Ints, count: int) -> tuple[Ints, Ints]:
    day, streamer = np.meshgrid(days, np.arange(count), indexing="ij")
    return day, streamer
