"""Rooms and profiles as the log shows them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from giftlive.clock import local_day, zone
from giftlive.types import Bools, Ints
from giftlive.world.entities import Profile, World
from giftlive.world.recorder.survey import Survey
from giftlive.world.recorder.tables import Table, end_of_log, on_grid
from giftlive.world.schedule import planned_ends

_ROOMS_AT_A_TIME = 1 << 19


def room_tables(world: World, found: Survey, opened: Bools) -> Iterator[Table]:
    """Yield the rooms of kept streamers that opened, some at a time, in order of their start."""
    rooms, keeps = world.scene.rooms, found.keeps_streamer()
    inside = np.flatnonzero(rooms.start < end_of_log(world))
    ends = rooms.end
    if not world.scenario.recorder.censored_rooms:
        ends = planned_ends(world)
    for first in range(0, max(len(inside), 1), _ROOMS_AT_A_TIME):
        part = inside[first : first + _ROOMS_AT_A_TIME]
        which = part[keeps[rooms.streamer[part]] & opened[part]]
        yield _rooms(world, which, ends[which])


def _rooms(world: World, which: Ints, end: Ints) -> Table:
    rooms = world.scene.rooms
    return {
        "p_date": _dates(world, rooms.start[which]),
        "live_id": world.live_ids[which],
        "streamer_id": world.streamer_ids[rooms.streamer[which]],
        "live_type": rooms.kind[which],
        "start_timestamp": on_grid(world, rooms.start[which]),
        "end_timestamp": -on_grid(world, -end),
        "live_content_category": world.scene.streamers.category[rooms.streamer[which]],
        "live_name_id": rooms.title[which],
    }


def censored_rooms(world: World, found: Survey, opened: Bools) -> Table:
    """Return the rooms that outlast the window, with the ends they would have had."""
    rooms, ends = world.scene.rooms, planned_ends(world)
    kept = found.keeps_streamer()[rooms.streamer] & (rooms.start < end_of_log(world))
    kept[: len(opened)] &= opened
    which = np.flatnonzero(kept & (ends > rooms.end))
    return {"live_id": world.live_ids[which], "planned_end_ts": ends[which]}


def _dates(world: World, ts: Ints) -> Ints:
    """Return local dates as numbers, 20250505."""
    day = local_day(ts, zone(world.scenario.calendar.tz))
    if not len(day):
        return day
    first = int(day.min())
    every = np.datetime64(first, "D") + np.arange(int(day.max()) - first + 1)
    number = np.char.replace(every.astype(str), "-", "").astype(np.int64)
    return number[day - first]


def profile_tables(world: World, found: Survey) -> dict[str, Table]:
    """Return the profiles; with ``snapshot`` their counts include the window's viewings."""
    user, streamer = dict(world.user_profile), dict(world.streamer_profile)
    if world.scenario.recorder.snapshot:
        _grow(user, "accu_watch_live_cnt", found.user_views)
        _grow(user, "accu_watch_live_duration", found.user_watch_ms)
        _grow(streamer, "accu_play_cnt", found.streamer_views)
        _grow(streamer, "accu_play_duration", found.streamer_watch_ms)
    return {
        "user": _profiles("user_id", world.user_ids, user, found.users),
        "streamer": _profiles("streamer_id", world.streamer_ids, streamer, found.streamers),
    }


def _grow(profile: Profile, name: str, window: Ints) -> None:
    profile[name] = profile[name] + window


def _profiles(key: str, ids: Ints, profile: Profile, which: Ints) -> Table:
    which = which[np.argsort(ids[which])]
    return {key: ids[which]} | {name: column[which] for name, column in profile.items()}
