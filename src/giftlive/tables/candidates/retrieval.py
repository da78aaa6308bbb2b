"""Candidates of a decision: what each reason brings, then a uniform draw among the rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.rng import derive, uniform
from giftlive.tables.candidates.live_set import FRESH, MANY, LiveSet, advance, nobody_live
from giftlive.tables.candidates.options import CandidateOptions
from giftlive.tables.candidates.past import Past, meet, no_past, visit
from giftlive.tables.candidates.popularity import (
    MINUTE,
    Popularity,
    nothing_popular,
    rank,
    slide,
)
from giftlive.tables.candidates.reasons import (
    CATEGORY,
    ENTERED,
    GIFTED,
    NEWCOMER,
    POPULAR,
    UNIFORM,
)
from giftlive.tables.candidates.rooms import Codes, RoomIndex
from giftlive.types import Ints

_RING = 16
_FEW = 4


class Quotas(NamedTuple):
    """The numbers of :class:`CandidateOptions` that the sweep needs."""

    gifted: int
    entered: int
    popular: int
    category: int
    newcomers: int
    uniform: int
    popular_ms: int
    refresh_ms: int
    newcomer_ms: int
    seed: int


class Events(NamedTuple):
    """Entries [e] and gifts [g] in order of the time at which they were known; codes, -1 none."""

    entry_ts: Ints
    entry_user: Codes
    entry_room: Codes
    entry_category: Codes
    entry_streamer: Codes
    gift_ts: Ints
    gift_user: Codes
    gift_streamer: Codes
    cursor: Ints


class Sweep(NamedTuple):
    """Everything known at the sweep's time.

    Attributes
    ----------
    stamp : [r] the last decision for which a room was taken. pool : [most live] scratch.
    decisions : [1] decisions so far.
    """

    live: LiveSet
    past: Past
    popularity: Popularity
    category: Codes
    stamp: Ints
    pool: Codes
    decisions: Ints


class Rows(NamedTuple):
    """Candidates of ``n`` decisions.

    Attributes
    ----------
    room : [n, m]. why : [n, m] bits. size : [n] candidates of each. certain : [n] of those, the
    ones that no draw brought: they come first. live : [n] rooms live at the time.
    """

    room: Codes
    why: Codes
    size: Ints
    certain: Ints
    live: Ints


def quotas_of(options: CandidateOptions, index: RoomIndex) -> Quotas:
    """Return the quotas; without a limit the uniform part takes every live room."""
    every = index.most_live()
    return Quotas(
        options.gifted,
        options.entered,
        options.popular,
        options.category,
        options.newcomers,
        every if options.uniform is None else options.uniform,
        options.popular_ms,
        options.refresh_ms,
        options.newcomer_ms,
        derive(options.seed, "candidates"),
    )


def start_sweep(index: RoomIndex, users: int, categories: int, options: CandidateOptions) -> Sweep:
    """Return the state before the first event."""
    live = nobody_live(index, max(1, _RING * options.newcomers))
    quota = max(options.popular, options.category)
    return Sweep(
        live,
        no_past(users + 1, categories, options.remembered),
        nothing_popular(len(index.live_id), categories, quota),
        index.category,
        np.zeros(len(index.live_id), dtype=np.int64),
        np.empty_like(live.listed),
        np.zeros(1, dtype=np.int64),
    )


def empty_rows(n: int, width: int) -> Rows:
    """Return room for the candidates of ``n`` decisions, at most ``width`` each."""
    none = np.full((n, width), -1, dtype=np.int32)
    sizes = (np.zeros(n, dtype=np.int64) for _ in range(3))
    return Rows(none, np.zeros_like(none), *sizes)


@njit(cache=True)
def catch_up(sweep, events, ts, quotas):  # type: ignore[no-untyped-def]
    """Let the sweep know everything that was known strictly before ``ts``, and who is live."""
    minute = ts - ts % quotas.refresh_ms
    if minute != sweep.popularity.cursor[MINUTE]:
        advance(sweep.live, minute, quotas.newcomer_ms)
        slide(sweep.popularity, events.entry_ts, events.entry_room, minute, quotas.popular_ms)
        rank(sweep.popularity, sweep.live.place, sweep.category, minute)
    advance(sweep.live, ts, quotas.newcomer_ms)
    past, cursor = sweep.past, events.cursor
    while cursor[0] < events.entry_ts.size and events.entry_ts[cursor[0]] < ts:
        k = cursor[0]
        user, streamer = events.entry_user[k], events.entry_streamer[k]
        cursor[0] += 1
        if user >= 0 and streamer >= 0:
            meet(past.entered[user], streamer)
        if user >= 0 and events.entry_category[k] >= 0:
            visit(past, user, events.entry_category[k])
    while cursor[1] < events.gift_ts.size and events.gift_ts[cursor[1]] < ts:
        user, streamer = events.gift_user[cursor[1]], events.gift_streamer[cursor[1]]
        cursor[1] += 1
        if user >= 0 and streamer >= 0:
            meet(past.gifted[user], streamer)


@njit(cache=True)
def retrieve(sweep, events, quotas, user, user_id, ts, rows):  # type: ignore[no-untyped-def]
    """Fill ``rows`` for decisions in order of time.

    ``user`` [n] is the code of ``user_id`` [n], -1 (the last row of the past, which stays empty)
    for nobody known; the draws are keyed by (user_id, ts).
    """
    for i in range(ts.size):
        catch_up(sweep, events, ts[i], quotas)
        sweep.decisions[0] += 1
        size = _reasons(sweep, quotas, user[i], ts[i], rows.room[i], rows.why[i])
        rows.live[i], rows.certain[i] = sweep.live.cursor[MANY], size
        rows.size[i] = _uniform(sweep, quotas, user_id[i], ts[i], rows.room[i], rows.why[i], size)


@njit(cache=True)
def _reasons(sweep, quotas, user, ts, room, why):  # type: ignore[no-untyped-def]
    """Return how many rooms the reasons brought together."""
    size, past, popularity = 0, sweep.past, sweep.popularity
    size = _homes(sweep, past.gifted[user], quotas.gifted, room, why, size, GIFTED)
    size = _homes(sweep, past.entered[user], quotas.entered, room, why, size, ENTERED)
    size = _popular(sweep, popularity, 0, quotas.popular, room, why, size, POPULAR)
    if past.favourite[user] >= 0:
        row = 1 + past.favourite[user]
        size = _popular(sweep, popularity, row, quotas.category, room, why, size, CATEGORY)
    return _newcomers(sweep, quotas, ts, room, why, size)


@njit(cache=True)
def _take(sweep, candidate, room, why, size, reason):  # type: ignore[no-untyped-def]
    """Add a room, or a reason to a room that is there; return the number of rooms."""
    if sweep.stamp[candidate] != sweep.decisions[0]:
        sweep.stamp[candidate] = sweep.decisions[0]
        room[size], why[size] = candidate, reason
        return size + 1
    k = 0
    while room[k] != candidate:
        k += 1
    why[k] |= reason
    return size


@njit(cache=True)
def _homes(sweep, streamers, quota, room, why, size, reason):  # type: ignore[no-untyped-def]
    taken = 0
    for streamer in streamers:
        if streamer < 0 or taken == quota:
            break
        candidate = sweep.live.head[streamer]
        while candidate >= 0 and taken < quota:
            size = _take(sweep, candidate, room, why, size, reason)
            candidate = sweep.live.before[candidate]
            taken += 1
    return size


@njit(cache=True)
def _popular(sweep, popularity, row, quota, room, why, size, reason):  # type: ignore[no-untyped-def]
    for k in range(min(quota, popularity.size[row])):
        candidate = popularity.top[row, k]
        if sweep.live.place[candidate] >= 0:
            size = _take(sweep, candidate, room, why, size, reason)
    return size


@njit(cache=True)
def _newcomers(sweep, quotas, ts, room, why, size):  # type: ignore[no-untyped-def]
    live, taken = sweep.live, 0
    last = live.cursor[FRESH]
    for k in range(min(last, live.fresh.size)):
        if taken == quotas.newcomers:
            break
        candidate = live.fresh[(last - 1 - k) % live.fresh.size]
        new = ts - live.debut[live.streamer[candidate]] < quotas.newcomer_ms
        if live.place[candidate] >= 0 and new:
            size = _take(sweep, candidate, room, why, size, NEWCOMER)
            taken += 1
    return size


@njit(cache=True)
def _uniform(sweep, quotas, user_id, ts, room, why, size):  # type: ignore[no-untyped-def]
    """Add a simple random sample, without replacement, of the live rooms not taken yet."""
    live, many = sweep.live, sweep.live.cursor[MANY]
    wanted = min(quotas.uniform, many - size)
    if many <= _FEW * (quotas.uniform + size):
        return _from_pool(sweep, quotas.seed, user_id, ts, wanted, room, why, size)
    draw, full = 0, size + wanted
    while size < full:
        k = _below(many, uniform(quotas.seed, draw, user_id, ts, 0))
        candidate = live.listed[k]
        draw += 1
        if sweep.stamp[candidate] != sweep.decisions[0]:
            sweep.stamp[candidate] = sweep.decisions[0]
            room[size], why[size] = candidate, UNIFORM
            size += 1
    return size


@njit(cache=True)
def _below(n, u):  # type: ignore[no-untyped-def]
    """Return a whole number below ``n`` from a uniform draw, which may round up to 1."""
    return min(int(u * n), n - 1)


@njit(cache=True)
def _from_pool(sweep, seed, user_id, ts, wanted, room, why, size):  # type: ignore[no-untyped-def]
    pool, rest = sweep.pool, 0
    for k in range(sweep.live.cursor[MANY]):
        candidate = sweep.live.listed[k]
        if sweep.stamp[candidate] != sweep.decisions[0]:
            pool[rest] = candidate
            rest += 1
    for k in range(wanted):
        if wanted < rest:
            pick = k + _below(rest - k, uniform(seed, k, user_id, ts, 0))
            pool[k], pool[pick] = pool[pick], pool[k]
        room[size], why[size] = pool[k], UNIFORM
        size += 1
    return size
