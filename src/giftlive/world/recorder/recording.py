"""A history becomes tables: pieces of every table, each in its own order of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from giftlive.types import Bools, Ints
from giftlive.world.entities import World
from giftlive.world.recorder.entities import censored_rooms, profile_tables, room_tables
from giftlive.world.recorder.events import act_tables, click_table, gift_table
from giftlive.world.recorder.marks import gifts_of, seen_clicks, viewings
from giftlive.world.recorder.survey import Survey
from giftlive.world.recorder.tables import Chunks, Piece, Waiting, event_columns
from giftlive.world.recorder.truth import latents, true_decisions, true_gifts
from giftlive.world.state import SKIPPED, Log

_END = np.iinfo(np.int64).max


class _Kept(NamedTuple):
    """Who is in the log, [users] and [streamers], and the keys of the visits lost from it."""

    users: Bools
    streamers: Bools
    lost: Ints


def recorded(
    world: World, found: Survey, chunks: Chunks, opened: Bools, *, truth: bool = True
) -> Iterator[Piece]:
    """Yield what the log shows of a history and, with ``truth``, what it hides.

    Parameters
    ----------
    found : the survey of the same history. chunks : starts reading it. opened : [rooms] which
        rooms went on air.

    Yields
    ------
    (table, rows): the rows of one table follow each other through its pieces.
    """
    kept = _Kept(found.keeps_user(), found.keeps_streamer(), found.lost)
    waiting = {name: Waiting() for name in ("gift", "comment", "like")}
    last: Log | None = None
    for log in chunks():
        if last is not None:
            yield from _chunk(world, last, kept, waiting, _first_ms(log), truth)
        last = log
    if last is not None:
        yield from _chunk(world, last, kept, waiting, _END, truth)
    for table in room_tables(world, found, opened):
        yield "room", table
    yield from profile_tables(world, found).items()
    if truth:
        yield "truth/rooms", censored_rooms(world, found, opened)
        for name, table in latents(world, found).items():
            yield f"truth/{name}", table


def _first_ms(log: Log) -> int:
    return int(log.ts[0]) if len(log.ts) else 0


def _chunk(
    world: World,
    log: Log,
    kept: _Kept,
    waiting: dict[str, Waiting],
    next_ms: int,
    truth: bool,
) -> Iterator[Piece]:
    """Yield the pieces of one chunk; the next one begins at ``next_ms``."""
    rows = viewings(log)
    rows = rows[kept.users[log.user[rows]]]
    gifts = gifts_of(world, log, rows)
    clicks = seen_clicks(world, log, rows, kept.lost)
    skips = np.flatnonzero((log.status == SKIPPED) & kept.users[log.user])
    skips = skips[kept.streamers[world.room_streamer[log.room[skips]]]]
    yield "click", click_table(world, log, clicks)
    yield "negative", event_columns(world, log, skips, log.ts[skips])
    late = {"gift": gift_table(world, log, gifts), **act_tables(world, log, rows)}
    for name, (ts, table) in late.items():
        yield name, waiting[name].due(ts, table, next_ms)
    if truth:
        yield "truth/gifts", true_gifts(world, log, gifts)
        yield "truth/clicks", true_decisions(world, log, clicks)
        yield "truth/negatives", true_decisions(world, log, skips)
