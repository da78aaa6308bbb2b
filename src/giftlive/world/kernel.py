"""The story of a world, tick by tick, compiled.

0. the tick of the earliest decision due; ticks without one are skipped
1. rooms open and close by schedule, unless their streamer stays off air; viewers who left since
   give back their seats
2. arrivals: everybody whose next decision falls in the tick, in order of (time, user)
3. candidates: live rooms retrieved per user, with the seats left
4. the platform or a policy decides
5. response: refused, skipped, or a viewing that may hold a gift
6. state: occupancy, purses, fatigue, satisfaction, income, the user's next decision
7. a row of the log

A user who decides again within the tick is in the tick's next batch. A seat left within a tick
is free from the next tick on, so that seats are never exceeded at any instant.

The steps are inlined: called, each would count the references of all the state's arrays, in
every batch.
"""

from __future__ import annotations

import math

from numba import njit

from giftlive.rng import normal, uniform
from giftlive.types import UNLIMITED_SEATS
from giftlive.world.arrivals import exposures_of, visit_after
from giftlive.world.candidates import close_room, open_room, retrieve
from giftlive.world.habits import (
    again_in,
    comes,
    fatigue_at,
    joy_of,
    leaves,
    purse_at,
    remember_room,
    satiety_at,
)
from giftlive.world.heap import pop, push
from giftlive.world.law import draw, expected_amount, odds_in_state
from giftlive.world.platform import platform_decide
from giftlive.world.purposes import BACKGROUND, SKIP
from giftlive.world.state import (
    CLICKED,
    DAY,
    DUE,
    LEAVING,
    NOTHING,
    REFUSED,
    ROWS,
    SCHEDULE,
    SKIPPED,
)
from giftlive.world.supply import close_days, comes_on_air, day_of

_BACKGROUND_MS = 600_000
_SKIP_SIGMA = 0.6
_MIN_SKIP_MS = 500
_MS_PER_HOUR = 3_600_000.0


@njit(cache=True)
def begin(scene, state, span):  # type: ignore[no-untyped-def]
    """Put every user's first potential visit into the calendar."""
    for user in range(state.visit.size):
        _await_visit(scene, state, span, user, span.start_ms)


@njit(cache=True)
def finish(scene, state, span):  # type: ignore[no-untyped-def]
    """Follow the schedule to the window's end, where no decision is left to ask for it."""
    _follow_schedule(scene, state, span, span.end_ms - 1)


@njit(cache=True)
def form_batch(scene, state, batch, span):  # type: ignore[no-untyped-def]
    """Take steps 0 to 3: fill ``batch``, return its number of rows (0: the window is over)."""
    if state.cursor[DUE] == 0:
        return 0
    now = state.due_ts[0] // scene.rhythm.tick_ms * scene.rhythm.tick_ms
    _follow_schedule(scene, state, span, now)
    _free_seats(state, now)
    n = _arrive(state, batch, now + scene.rhythm.tick_ms)
    retrieve(scene, state.live, batch, n, span.seed)
    _count_seats(scene, state, batch, n, span)
    return n


@njit(cache=True)
def respond(scene, state, batch, n, span, log):  # type: ignore[no-untyped-def]
    """Take steps 5 to 7 for the first ``n`` rows, in order; ``log`` has room for them."""
    first = state.cursor[ROWS]
    for i in range(n):
        row, j = first + i, batch.choice[i]
        log.ts[row], log.user[row] = batch.ts[i], batch.user[i]
        log.visit[row], log.slot[row] = batch.visit[i], batch.slot[i]
        log.room[row] = batch.rooms[i, j] if j >= 0 else -1
        log.propensity[row] = batch.chances[i, j] if j >= 0 else 0.0
    _respond_rows(scene, state, span, log, first, first + n)
    _remember(scene, state, span, log, first, first + n)
    _decide_next(scene, state, span, log, first, first + n)
    state.cursor[ROWS] = first + n


@njit(cache=True)
def let_pass(scene, state, batch, n, span):  # type: ignore[no-untyped-def]
    """Answer nothing: every row's user goes on to the very next potential visit."""
    for i in range(n):
        _await_visit(scene, state, span, batch.user[i], batch.ts[i])


@njit(cache=True)
def run_platform(scene, state, batch, span, log):  # type: ignore[no-untyped-def]
    """Run the platform's own ranking until the window ends or ``log`` is full.

    Returns True at the end of the window. The log is full when another batch might not fit.
    """
    while state.cursor[ROWS] + batch.ts.size <= log.ts.size:
        n = form_batch(scene, state, batch, span)
        if n == 0:
            return True
        platform_decide(scene, batch, n, span.seed)
        respond(scene, state, batch, n, span, log)
    return False


@njit(inline="always")
def _count_seats(scene, state, batch, n, span):  # type: ignore[no-untyped-def]
    """Write the free seats of every candidate; ``UNLIMITED_SEATS`` where none is refused."""
    seating, seats, viewers = scene.seating, scene.rooms.seats, state.occupancy
    for i in range(n):
        for j in range(batch.rooms.shape[1]):
            room = batch.rooms[i, j]
            free = 0
            if room >= 0 and seating.hard:
                taken = present(seating, seats[room], viewers[room], span.seed, room, batch.ts[i])
                free = max(0, seats[room] - taken)
            elif room >= 0:
                free = UNLIMITED_SEATS
            batch.seats_left[i, j] = free


@njit(cache=True)
def present(seating, seats, viewers, seed, room, ts):  # type: ignore[no-untyped-def]
    """Return who is in a room at ``ts``: its ``viewers``, and strangers outside the sample.

    Strangers ask for a uniform number of mean ``background`` * seats, redrawn every ten minutes,
    and take what there is: of hard seats only those that no viewer holds.
    """
    if seating.background == 0.0 or seats >= UNLIMITED_SEATS:
        return viewers
    u = uniform(seed, BACKGROUND, room, ts // _BACKGROUND_MS, 0)
    asked = int(min(1.0, 2.0 * seating.background * u) * seats)
    return viewers + (min(asked, seats - viewers) if seating.hard else asked)


@njit(inline="always")
def _follow_schedule(scene, state, span, now):  # type: ignore[no-untyped-def]
    k, due, events = state.cursor[SCHEDULE], state.schedule_ts, state.schedule_room
    streamers, popularity = scene.rooms.streamer, scene.streamers.weight
    live, opened, back, weight = state.live, state.opened, state.back, scene.habits.supply_weight
    while k < due.size and due[k] <= now:
        opens, room = events[k] >= 0, max(events[k], ~events[k])
        moment = due[k] if opens else due[k] - 1  # a room that ends at midnight is yesterday's
        if day_of(span, moment) > state.cursor[DAY]:
            close_days(scene, state, span, moment)
        streamer = streamers[room]
        if opens and (weight == 0.0 or comes_on_air(back, streamer, span, due[k])):
            opened[room] = state.on_air[streamer] = True
            open_room(live, streamer, room, popularity[streamer])
        elif not opens and opened[room]:
            close_room(live, streamer, popularity[streamer])
        k += 1
    state.cursor[SCHEDULE] = k
    if day_of(span, now) > state.cursor[DAY]:
        close_days(scene, state, span, now)


@njit(inline="always")
def _free_seats(state, now):  # type: ignore[no-untyped-def]
    cursor, leave_ts, leave_room = state.cursor, state.leave_ts, state.leave_room
    occupancy, whales = state.occupancy, state.whales
    while cursor[LEAVING] > 0 and leave_ts[0] <= now:
        size = pop(leave_ts, leave_room, cursor[LEAVING])
        room, whale = leave_room[size] // 2, leave_room[size] % 2
        cursor[LEAVING] = size
        occupancy[room] -= 1
        whales[room] -= whale


@njit(inline="always")
def _arrive(state, batch, until):  # type: ignore[no-untyped-def]
    cursor, due_ts, due_user = state.cursor, state.due_ts, state.due_user
    visits, slots = state.visit, state.slot
    ts, users, visit, slot = batch.ts, batch.user, batch.visit, batch.slot
    n = 0
    while cursor[DUE] > 0 and due_ts[0] < until:
        size = pop(due_ts, due_user, cursor[DUE])
        cursor[DUE] = size
        user = due_user[size]
        ts[n], users[n] = due_ts[size], user
        visit[n], slot[n] = visits[user], slots[user]
        n += 1
    return n


@njit(inline="always")
def _respond_rows(scene, state, span, log, first, last):  # type: ignore[no-untyped-def]
    """Write the outcomes of decisions and take the seats of viewings, one after another."""
    users, streamers, law, rooms = scene.users, scene.streamers, scene.law, scene.rooms
    seating, occupancy = scene.seating, state.occupancy
    habits, tired, rested_ms = scene.habits, state.fatigue, state.rested_ms
    for row in range(first, last):
        ts, user, room = log.ts[row], log.user[row], log.room[row]
        log.watch_ms[row], log.delay_ms[row] = 0, -1
        log.amount[row], log.expected[row] = 0.0, 0.0
        log.status[row] = NOTHING
        if room < 0:
            continue
        streamer, seats = rooms.streamer[room], rooms.seats[room]
        state.exposure[streamer] += 1
        there = present(seating, seats, occupancy[room], span.seed, room, ts)
        if seating.hard and there >= seats:
            log.status[row] = REFUSED
            continue
        whale = 1 if users.whale[user] else 0
        whales = state.whales[room] + whale
        # crowding is 0 without a limit: nobody exceeds UNLIMITED_SEATS
        crowding = max(0.0, float(there - seats)) / seats
        fatigue = fatigue_at(tired, rested_ms, habits, user, ts)
        since = ts - span.start_ms
        purse = purse_at(state.purse, state.period, users.budget, habits, user, since)
        satiety = satiety_at(state.gift_ms, habits, user, ts)
        again = again_in(state.recent, user, room)
        odds = odds_in_state(
            users, streamers, law, user, streamer, crowding, whales, fatigue, satiety, again, purse
        )
        left = (rooms.end[room] - ts) / 1000.0
        log.expected[row] = expected_amount(law, odds, left)
        drawn = draw(law, odds, left, span.seed, user, log.visit[row], log.slot[row])
        log.status[row] = CLICKED if drawn.clicked else SKIPPED
        if drawn.clicked:
            log.watch_ms[row] = max(1, int(drawn.watch * 1000.0))
            log.amount[row] = drawn.amount
            if drawn.amount > 0.0:
                log.delay_ms[row] = int(drawn.delay * 1000.0)
                state.gift_ms[user] = ts + log.watch_ms[row]
            state.purse[user] -= drawn.amount
            if again == 0.0:
                remember_room(state.recent, user, room)
            state.income[streamer] += drawn.amount
            _take_seat(state, room, whale, ts + log.watch_ms[row])


@njit(inline="always")
def _remember(scene, state, span, log, first, last):  # type: ignore[no-untyped-def]
    """Add decisions to their users' satisfaction and fatigue."""
    habits, talk, generosity = scene.habits, scene.talk, scene.users.generosity
    tired, rested_ms, satisfaction = state.fatigue, state.rested_ms, state.satisfaction
    for row in range(first, last):
        ts, user, watch_ms = log.ts[row], log.user[row], log.watch_ms[row]
        joy = 0.0
        if log.status[row] == CLICKED:
            key = (span.seed, user, log.visit[row], log.slot[row])
            joy = joy_of(habits, talk, generosity[user], watch_ms, key)
        satisfaction[user] += habits.joy_rate * (joy - satisfaction[user])
        tired[user] = fatigue_at(tired, rested_ms, habits, user, ts) + watch_ms / _MS_PER_HOUR
        rested_ms[user] = ts + watch_ms


@njit(inline="always")
def _take_seat(state, room, whale, until):  # type: ignore[no-untyped-def]
    state.occupancy[room] += 1
    state.whales[room] += whale
    size = state.cursor[LEAVING]
    state.cursor[LEAVING] = push(state.leave_ts, state.leave_room, size, until, 2 * room + whale)


@njit(inline="always")
def _decide_next(scene, state, span, log, first, last):  # type: ignore[no-untyped-def]
    """Put the users' next decisions into the calendar: the next exposure, or the next visit."""
    skip_seconds, patience_ms = scene.rhythm.skip_seconds, scene.rhythm.patience_ms
    for row in range(first, last):
        user, free_ms = log.user[row], log.ts[row] + log.watch_ms[row]
        state.left[user] -= 1
        if patience_ms > 0:
            state.left[user] -= log.watch_ms[row] // patience_ms
        if state.left[user] <= 0:
            _await_visit(scene, state, span, user, free_ms)
            continue
        if log.status[row] != CLICKED:
            noise = _SKIP_SIGMA * normal(span.seed, SKIP, user, log.visit[row], log.slot[row])
            skip = skip_seconds * math.exp(noise - 0.5 * _SKIP_SIGMA**2)
            free_ms += max(_MIN_SKIP_MS, int(skip * 1000.0))
        if free_ms < span.end_ms:
            state.slot[user] += 1
            size = state.cursor[DUE]
            state.cursor[DUE] = push(state.due_ts, state.due_user, size, free_ms, user)


@njit(cache=True)
def _await_visit(scene, state, span, user, free_ms):  # type: ignore[no-untyped-def]
    """Queue the first potential visit from ``free_ms`` on; earlier ones, or unwanted, are lost."""
    habits, satisfaction = scene.habits, state.satisfaction[user]
    while True:
        visit, operational, ts = visit_after(
            scene, user, state.visit[user], state.operational[user], span.start_ms, span.seed
        )
        state.visit[user], state.operational[user] = visit, operational
        if ts >= span.end_ms:
            return
        if ts < free_ms:
            continue
        if leaves(habits, satisfaction, user, visit, span.seed):
            state.gone[user] = True
            return
        fatigue = fatigue_at(state.fatigue, state.rested_ms, habits, user, ts)
        if comes(habits, satisfaction, fatigue, user, visit, span.seed):
            break
    state.slot[user] = 0
    state.left[user] = exposures_of(scene, user, visit, span.seed)
    state.cursor[DUE] = push(state.due_ts, state.due_user, state.cursor[DUE], ts, user)
