"""What changes as a world runs: live rooms, who decides when, who holds a seat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from giftlive.clock import MS_PER_DAY
from giftlive.errors import UsageError
from giftlive.types import Bools, Floats, Ints
from giftlive.world.candidates import Live, no_rooms
from giftlive.world.entities import World

RECENT_ROOMS = 4
"""How many rooms a user remembers having entered."""

SCHEDULE, DUE, LEAVING, ROWS, DAY = 0, 1, 2, 3, 4
"""Places in ``State.cursor``: schedule events done, sizes of two heaps, rows logged, the day."""

NOTHING, REFUSED, SKIPPED, CLICKED = 0, 1, 2, 3
"""What came of a decision (``Log.status``)."""

_MIN_STEP_MS = 500


class Span(NamedTuple):
    """The keyed draws' seed and the half-open window [start_ms, end_ms) of decisions."""

    seed: int
    start_ms: int
    end_ms: int


class State(NamedTuple):
    """Arrays that the kernel writes.

    ``schedule_*`` : openings (room >= 0) and closings (~room) in time order. ``due_*`` [U] : a
    heap of next decisions. ``leave_*`` : a heap of seats to free (2 room + whale).
    ``visit slot left operational`` [U]; ``satisfaction``, ``fatigue`` as of the end ``rested_ms``
    of the last decision, ``gift_ms`` at which the viewing of the last gift ended (-1: none),
    ``purse`` of the ``period``, ``recent`` [U, 4] the rooms entered last (-1: none), ``gone`` for
    good [U]. ``exposure income`` of the day, ``on_air`` on it and the chance ``back`` of the next
    [S].
    ``occupancy whales opened`` [rooms of the window].
    """

    cursor: Ints
    live: Live
    schedule_ts: Ints
    schedule_room: Ints
    due_ts: Ints
    due_user: Ints
    leave_ts: Ints
    leave_room: Ints
    visit: Ints
    slot: Ints
    left: Ints
    operational: Floats
    satisfaction: Floats
    fatigue: Floats
    rested_ms: Ints
    gift_ms: Ints
    recent: Ints
    purse: Floats
    period: Ints
    gone: Bools
    exposure: Ints
    income: Floats
    on_air: Bools
    back: Floats
    opened: Bools
    occupancy: Ints
    whales: Ints


class Batch(NamedTuple):
    """Rows [n] of the decisions of one batch and their candidates [n, m]; buffers of size U."""

    ts: Ints
    user: Ints
    visit: Ints
    slot: Ints
    rooms: Ints
    streamers: Ints
    seats_left: Ints
    choice: Ints
    chances: Floats


class Log(NamedTuple):
    """One row per decision taken: the truth, from which a recorder or an outcome is made.

    ``expected`` is E[amount | shown, admitted, state at that time], 0 when refused; ``delay_ms``
    the latent time of a gift since the entry, -1 without one.
    """

    ts: Ints
    user: Ints
    visit: Ints
    slot: Ints
    room: Ints
    status: Ints
    watch_ms: Ints
    delay_ms: Ints
    amount: Floats
    expected: Floats
    propensity: Floats


def history_span(world: World, seed: int) -> Span:
    """Return the window of the platform's history."""
    end = world.origin_ms + world.scenario.calendar.history_days * MS_PER_DAY
    return Span(seed, world.origin_ms, end)


def day_span(world: World, seed: int, day: int) -> Span:
    """Return the window of one local day."""
    if not 0 <= day <= world.arena_day:
        raise UsageError(f"no rooms are scheduled on day {day}", "day", f"0 … {world.arena_day}")
    start = world.origin_ms + day * MS_PER_DAY
    return Span(seed, start, start + MS_PER_DAY)


def new_state(world: World, span: Span) -> State:
    """Return the state before the first decision of a window: nobody live, nobody watching."""
    users, streamers = world.scenario.users, world.scenario.streamers
    rooms = world.scene.rooms
    inside = np.flatnonzero((rooms.start < span.end_ms) & (rooms.end > span.start_ms))
    schedule_ts, schedule_room = _schedule(inside, rooms.start[inside], rooms.end[inside])
    seats = users * (world.scenario.calendar.tick_ms // _MIN_STEP_MS + 2)
    many = int(inside.max()) + 1 if len(inside) else 0
    return State(
        cursor=np.zeros(5, dtype=np.int64),
        live=no_rooms(streamers),
        schedule_ts=schedule_ts,
        schedule_room=schedule_room,
        due_ts=np.zeros(users, dtype=np.int64),
        due_user=np.zeros(users, dtype=np.int64),
        leave_ts=np.zeros(seats, dtype=np.int64),
        leave_room=np.zeros(seats, dtype=np.int64),
        visit=np.full(users, -1, dtype=np.int64),
        slot=np.zeros(users, dtype=np.int64),
        left=np.zeros(users, dtype=np.int64),
        operational=np.zeros(users),
        satisfaction=np.ones(users),
        fatigue=np.zeros(users),
        rested_ms=np.full(users, span.start_ms, dtype=np.int64),
        gift_ms=np.full(users, -1, dtype=np.int64),
        recent=np.full((users, RECENT_ROOMS), -1, dtype=np.int64),
        purse=world.scene.users.budget.copy(),
        period=np.zeros(users, dtype=np.int64),
        gone=np.zeros(users, dtype=np.bool_),
        exposure=np.zeros(streamers, dtype=np.int64),
        income=np.zeros(streamers),
        on_air=np.zeros(streamers, dtype=np.bool_),
        back=np.ones(streamers),
        opened=np.zeros(many, dtype=np.bool_),
        occupancy=np.zeros(many, dtype=np.int64),
        whales=np.zeros(many, dtype=np.int64),
    )


def _schedule(rooms: Ints, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Return events in time order, closings before openings of the same ms."""
    ts = np.concatenate([end, start])
    what = np.concatenate([~rooms, rooms])
    order = np.lexsort((what, what >= 0, ts))
    return ts[order], what[order]


def new_batch(users: int, candidates: int) -> Batch:
    """Return buffers for the largest possible batch: every user once."""

    def column(width: int | None = None) -> Ints:
        return np.zeros(users if width is None else (users, width), dtype=np.int64)

    return Batch(
        ts=column(),
        user=column(),
        visit=column(),
        slot=column(),
        rooms=column(candidates),
        streamers=column(candidates),
        seats_left=column(candidates),
        choice=column(),
        chances=np.zeros((users, candidates)),
    )


_FLOATS = ("amount", "expected", "propensity")


def new_log(rows: int) -> Log:
    """Return an empty log with room for ``rows`` decisions."""
    return log_of(np.zeros(rows, np.float64 if c in _FLOATS else np.int64) for c in Log._fields)


def filled(log: Log, rows: int) -> Log:
    """Return a copy of the first ``rows`` rows."""
    return log_of(column[:rows].copy() for column in log)


def joined(parts: list[Log]) -> Log:
    """Return the rows of several logs, one after another."""
    return log_of(np.concatenate(columns) for columns in zip(*parts, strict=True))


def by_time(log: Log) -> Log:
    """Return the rows in order of (time, user); ticks with several batches are not."""
    order = np.lexsort((log.user, log.ts))
    return log_of(column[order] for column in log)


def log_of(columns: Iterable[Any]) -> Log:
    """Return a log of these columns, in the order of its fields."""
    return Log(*columns)
