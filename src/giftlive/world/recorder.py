"""What a platform's log shows of a world, in KuaiLive's columns, and what it hides.

Defects, each with a switch in the scenario: gifts that carry the time of their entry; gifts
whose click row is lost; days that lose clicks without a gift; a coarse grid of timestamps;
users kept only with at least one of every behaviour; profiles as of the last day.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from giftlive.clock import MS_PER_DAY, local_day, zone
from giftlive.rng import derive, stream
from giftlive.types import Bools, Floats, Ints
from giftlive.world.entities import Profile, World
from giftlive.world.state import CLICKED, SKIPPED, Log
from giftlive.world.truth import true_click_probability

Table = dict[str, NDArray[Any]]

ENTRY, ORPHAN, LAG = 0, 1, 2
"""What the recorder made of a gift: stamped with its entry, without a click row, or late."""

_SOCIAL_SECONDS = 10_000
_TITLE_SPREAD = 0.1


class Recording(NamedTuple):
    """Public tables by file name, truth tables by file name, and how many users qualified."""

    tables: dict[str, Table]
    truth: dict[str, Table]
    kept_users: Ints
    qualified: int


def record(world: World, log: Log) -> Recording:
    """Return the tables of a history, after selection and defects."""
    social = {name: _social(world, log, name) for name in ("comment", "like")}
    users, qualified = _select(world, log, social)
    mine = np.zeros(len(world.user_ids), dtype=bool)
    mine[users] = True
    rows = mine[log.user]
    clicked = rows & (log.status == CLICKED)
    streamers = np.unique(world.room_streamer[log.room[clicked]])
    gifts = np.flatnonzero(clicked & (log.amount > 0))
    defects = _defects(world, len(gifts))
    visible = clicked & ~_lost(world, log, clicked)
    visible[gifts[defects == ORPHAN]] = False
    visible_rows = np.flatnonzero(visible)
    moments = {
        name: _moments(world, log, rows & happened, name) for name, happened in social.items()
    }
    tables = {
        "click": _events(world, log, visible_rows, log.ts[visible_rows])
        | {"watch_live_time": log.watch_ms[visible_rows].astype(np.int64)},
        "gift": _gift_table(world, log, gifts, defects),
        **{name: _events(world, log, *found) for name, found in moments.items()},
        "negative": _negatives(
            world, log, np.flatnonzero(rows & (log.status == SKIPPED)), streamers
        ),
        "room": _rooms(world, streamers),
        "user": _users(world, log, users, visible_rows),
        "streamer": _streamers(world, log, streamers, visible_rows),
    }
    truth = {
        "gifts": _true_gifts(world, log, gifts, defects),
        "clicks": _true_clicks(world, log, visible_rows),
        "users": _latents(world.user_ids, world.scene.users._asdict(), users),
        "streamers": _latents(world.streamer_ids, world.scene.streamers._asdict(), streamers),
    }
    return Recording(tables, truth, users, qualified)


def title_embeddings(world: World) -> NDArray[np.float32]:
    """Return the vectors of the distinct titles, [titles, dim]."""
    count = int(world.scene.rooms.title.max()) + 1
    rng = stream(world.seed, "title embeddings")
    shape = count, world.scenario.recorder.title_dim
    return (_TITLE_SPREAD * rng.standard_normal(shape)).astype(np.float32)


def _select(world: World, log: Log, social: dict[str, Bools]) -> tuple[Ints, int]:
    """Return the users kept (the first ones that qualify) and how many qualified."""
    everyone = np.arange(len(world.user_ids))
    if not world.scenario.recorder.select_active:
        return everyone, len(everyone)
    behaviours = (log.status == CLICKED, log.status == SKIPPED, log.amount > 0, *social.values())
    active = np.ones(len(everyone), dtype=bool)
    for happened in behaviours:
        active &= np.bincount(log.user[happened], minlength=len(everyone)) > 0
    qualified = np.flatnonzero(active)
    return qualified[: world.scenario.kept_users], len(qualified)


def _social(world: World, log: Log, what: str) -> Bools:
    """Return which viewings hold a comment or a like: longer ones, by generous users."""
    law = world.scenario.social
    base = law.comment_base if what == "comment" else law.like_base
    score = base + law.generosity * world.scene.users.generosity[log.user]
    chance = 1.0 / (1.0 + np.exp(-score))
    drawn = stream(world.seed, "social", what).random(len(score)) < chance
    return drawn & (log.status == CLICKED) & (log.watch_ms >= _SOCIAL_SECONDS)


def _moments(world: World, log: Log, happened: Bools, what: str) -> tuple[Ints, Ints]:
    """Return (rows, times within their viewings), in order of time."""
    rows = np.flatnonzero(happened)
    share = stream(world.seed, "moment", what).random(len(happened))[rows]
    ts = log.ts[rows] + (share * log.watch_ms[rows]).astype(np.int64)
    order = np.lexsort((rows, ts))
    return rows[order], ts[order]


def _lost(world: World, log: Log, clicked: Bools) -> Bools:
    """Return the clicks without a gift that fell to an outage."""
    recorder = world.scenario.recorder
    draws = stream(world.seed, "outage").random(len(log.ts))
    day = (log.ts - world.origin_ms) // MS_PER_DAY
    lost = np.zeros(len(draws), dtype=bool)
    for outage, share in zip(recorder.outage_days, recorder.outage_drop, strict=True):
        lost |= (day == outage) & (draws < share)
    return lost & clicked & (log.amount == 0)


def _defects(world: World, count: int) -> Ints:
    recorder = world.scenario.recorder
    draws = stream(world.seed, "gift defects").random(count)
    edges = [recorder.entry_stamped, recorder.entry_stamped + recorder.orphans]
    return np.searchsorted(edges, draws, side="right")


def _on_grid(world: World, ts: Ints) -> Ints:
    grid = world.scenario.recorder.grid_ms
    return ts // grid * grid


def _events(world: World, log: Log, rows: Ints, ts: Ints) -> Table:
    room = log.room[rows]
    return {
        "user_id": world.user_ids[log.user[rows]],
        "live_id": world.live_ids[room],
        "streamer_id": world.streamer_ids[world.room_streamer[room]],
        "timestamp": _on_grid(world, ts),
    }


def _negatives(world: World, log: Log, rows: Ints, streamers: Ints) -> Table:
    """Return the skips of kept streamers' rooms."""
    kept = np.zeros(len(world.streamer_ids), dtype=bool)
    kept[streamers] = True
    rows = rows[kept[world.room_streamer[log.room[rows]]]]
    return _events(world, log, rows, log.ts[rows])


def _gift_ts(world: World, log: Log, gifts: Ints, defects: Ints) -> Ints:
    delay = np.maximum(log.delay_ms[gifts], world.scenario.recorder.grid_ms)
    return log.ts[gifts] + np.where(defects == ENTRY, 0, delay)


def _gift_table(world: World, log: Log, gifts: Ints, defects: Ints) -> Table:
    ts = _gift_ts(world, log, gifts, defects)
    order = np.lexsort((gifts, ts))
    gifts, ts = gifts[order], ts[order]
    price = np.rint(log.amount[gifts]).astype(np.int64)
    return _events(world, log, gifts, ts) | {"gift_price": price}


def _rooms(world: World, streamers: Ints) -> Table:
    rooms, tz = world.scene.rooms, zone(world.scenario.calendar.tz)
    kept = np.zeros(len(world.streamer_ids), dtype=bool)
    kept[streamers] = True
    end_of_log = world.origin_ms + world.arena_day * MS_PER_DAY
    which = np.flatnonzero(kept[rooms.streamer] & (rooms.start < end_of_log))
    days = np.datetime64("1970-01-01") + local_day(rooms.start[which], tz).astype("m8[D]")
    date = np.char.replace(days.astype("datetime64[D]").astype(str), "-", "")
    return {
        "p_date": date.astype(np.int64),
        "live_id": world.live_ids[which],
        "streamer_id": world.streamer_ids[rooms.streamer[which]],
        "live_type": rooms.kind[which],
        "start_timestamp": _on_grid(world, rooms.start[which]),
        "end_timestamp": -_on_grid(world, -rooms.end[which]),
        "live_content_category": world.scene.streamers.category[rooms.streamer[which]],
        "live_name_id": rooms.title[which],
    }


def _users(world: World, log: Log, users: Ints, clicks: Ints) -> Table:
    """Return the profiles with counts that include the window: a snapshot of the last day."""
    count = np.bincount(log.user[clicks], minlength=len(world.user_ids))
    watched = np.bincount(log.user[clicks], log.watch_ms[clicks], minlength=len(world.user_ids))
    profile = dict(world.user_profile)
    profile["accu_watch_live_cnt"] = profile["accu_watch_live_cnt"] + count
    grown = profile["accu_watch_live_duration"] + watched
    profile["accu_watch_live_duration"] = grown.astype(np.int64)
    return _profile_table("user_id", world.user_ids, profile, users)


def _streamers(world: World, log: Log, streamers: Ints, clicks: Ints) -> Table:
    who, many = world.room_streamer[log.room[clicks]], len(world.streamer_ids)
    profile = dict(world.streamer_profile)
    profile["accu_play_cnt"] = profile["accu_play_cnt"] + np.bincount(who, minlength=many)
    grown = profile["accu_play_duration"] + np.bincount(who, log.watch_ms[clicks], many)
    profile["accu_play_duration"] = grown.astype(np.int64)
    return _profile_table("streamer_id", world.streamer_ids, profile, streamers)


def _profile_table(key: str, ids: Ints, profile: Profile, which: Ints) -> Table:
    table = {key: ids[which]} | {name: column[which] for name, column in profile.items()}
    order = np.argsort(table[key])
    return {name: column[order] for name, column in table.items()}


def _true_gifts(world: World, log: Log, gifts: Ints, defects: Ints) -> Table:
    return _events(world, log, gifts, log.ts[gifts]) | {
        "gift_ts": log.ts[gifts] + log.delay_ms[gifts],
        "amount": np.rint(log.amount[gifts]).astype(np.int64),
        "defect": np.array(["entry", "orphan", "lag"])[defects],
    }


def _true_clicks(world: World, log: Log, clicks: Ints) -> Table:
    """Return E[amount | clicked] of every visible click, and the chance of the click."""
    arrays = log.user[clicks], log.room[clicks], log.ts[clicks]
    chance = true_click_probability(world, *arrays)
    return _events(world, log, clicks, log.ts[clicks]) | {
        "expected_amount": log.expected[clicks] / chance,
        "click_probability": chance,
    }


def _latents(ids: Ints, columns: dict[str, NDArray[Any]], which: Ints) -> Table:
    table: Table = {"id": ids[which]}
    for name, column in columns.items():
        if column.ndim == 1:
            table[name] = column[which]
        else:
            table |= {f"{name}_{k:02d}": column[which, k] for k in range(column.shape[1])}
    return table


def history_seed(world: World) -> int:
    """Return the seed of the history's keyed draws."""
    return derive(world.seed, "history")


def total_amount(amounts: Floats) -> int:
    """Return a sum of whole amounts as a whole number."""
    return int(np.rint(amounts).astype(np.int64).sum())
