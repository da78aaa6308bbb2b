"""How events change the running state of their keys, compiled: one pass per group of keys.

A pass takes a stretch of events and probes in time order. The groups do not depend on each other
(a taste only on the category that its room has), so that each can be gone through alone, with few
arrays, and with lookups that overlap.

- A decayed sum is held as of its last event: S ← S·2^(-(t - t_last)/h) + x; t_last is the time of
  the last entry or of the last gift. A sum only shrinks between events: nothing can overflow.
- A sum of today carries the epoch (a count of local days) it belongs to; another day's is zero.
- A sliding window is kept by two pointers over a ring of the streamers' events of the last hour.
- What was known before the local day began is the whole minus today.

The sweep and the service call the same compiled functions.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from giftlive.tables.features.reading import read_gifts, read_visits
from giftlive.tables.features.records import (
    ANONYMOUS,
    COMMENT,
    ENTRY,
    GIFT,
    HEAD,
    LIKE,
    PROBE,
    SUCCESSES,
    SUCCESSES_SQUARED,
    TAIL_10M,
    TAIL_60M,
    TRIALS,
    TRIALS_SQUARED,
    VALUE,
    VIEWING,
)
from giftlive.tables.features.state import HALF_LIVES_MS, HEAT_MS

_1H, _1D, _7D = (float(ms) for ms in HALF_LIVES_MS.values())
_10M, _60M = HEAT_MS.values()


@njit(cache=True)
def merge(times, heads, ends, kinds, sources):  # type: ignore[no-untyped-def]
    """Put probes and events in time order, those of one millisecond in the order of KINDS.

    Parameters
    ----------
    times : [n] one kind after the other, each in time order. heads, ends : [7] where each kind
        begins (moved on to its end) and ends.
    kinds, sources : [n] results: what comes, and its place in ``times``.
    """
    for k in range(times.size):
        kind = -1
        for j in range(heads.size):
            if heads[j] < ends[j] and (kind < 0 or times[heads[j]] < times[heads[kind]]):
                kind = j
        kinds[k], sources[k] = kind, heads[kind]
        heads[kind] += 1


@njit(inline="always")
def _enter(row, moments, ts):  # type: ignore[no-untyped-def]
    n, age = row.click_count, float(row.last_click_ts - ts)
    row.click_1h = row.click_1h * np.exp2(age / _1H) + 1.0
    row.click_1d = row.click_1d * np.exp2(age / _1D) + 1.0
    row.click_7d = row.click_7d * np.exp2(age / _7D) + 1.0
    row.click_count, row.last_click_ts = n + 1, ts
    row.click_today += 1
    moments[TRIALS] += 1
    moments[TRIALS_SQUARED] += 2 * n + 1


@njit(inline="always")
def _begin_day(row, epoch):  # type: ignore[no-untyped-def]
    if row.epoch != epoch:
        row.epoch, row.click_today, row.watch_ms_today = epoch, 0, 0


@njit(inline="always")
def _receive(row, moments, ts, amount, epoch):  # type: ignore[no-untyped-def]
    if row.epoch != epoch:
        row.epoch, row.gift_today = epoch, 0
    g, age = row.gift_count, float(row.last_gift_ts - ts)
    row.gift_1h = row.gift_1h * np.exp2(age / _1H) + amount
    row.gift_1d = row.gift_1d * np.exp2(age / _1D) + amount
    row.gift_7d = row.gift_7d * np.exp2(age / _7D) + amount
    row.gift_count, row.last_gift_ts = g + 1, ts
    row.gift_sum += amount
    row.gift_today += amount
    moments[SUCCESSES] += 1
    moments[SUCCESSES_SQUARED] += 2 * g + 1
    moments[VALUE] += amount


@njit(inline="always")
def _note(row, moments, kind, ts, x, epoch):  # type: ignore[no-untyped-def]
    if kind == COMMENT:
        row.comment_count += 1
    elif kind == LIKE:
        row.like_count += 1
    else:
        _receive(row, moments, ts, x, epoch)


@njit(cache=True)
def pass_actor(rows, gifts, gift_size, moments, epoch, story, at, ints, doubles):  # type: ignore[no-untyped-def]
    """Go through a stretch for an actor whose keys are in rows ``at`` [n] (-1: none).

    ``ints`` and ``doubles`` hold the actor's columns of the probes, in the order of ACTOR_INTS and
    ACTOR_DOUBLES, filled with what a key without history has. There is room in ``gifts``.
    """
    for k in range(at.size):
        if at[k] < 0:
            continue
        kind, ts, row = story.kind[k], story.ts[k], rows[at[k]]
        if kind == PROBE:
            read_visits(row, ts, epoch, ints, doubles, story.column[k])
            if row.gifts > 0:
                read_gifts(gifts[row.gifts], ts, epoch, ints, doubles, story.column[k])
        elif kind == ENTRY:
            _begin_day(row, epoch)
            _enter(row, moments, ts)
        elif kind == VIEWING:
            _begin_day(row, epoch)
            row.watch_ms += story.x[k]
            row.watch_ms_today += story.x[k]
        else:
            if row.gifts == 0:
                row.gifts = gift_size[0]
                gift_size[0] += 1
            _note(gifts[row.gifts], moments, kind, ts, story.x[k], epoch)


@njit(cache=True)
def pass_room(rows, story, at, ints):  # type: ignore[no-untyped-def]
    """Go through a stretch for rooms: sums, and the category of each event's room."""
    for k in range(at.size):
        if at[k] < 0:
            continue
        kind, row = story.kind[k], rows[at[k]]
        if kind == PROBE:
            i = story.column[k]
            ints[0, i], ints[1, i], ints[2, i] = row.click_count, row.gift_count, row.gift_sum
            ints[3, i], ints[4, i] = row.comment_count, row.like_count
            continue
        story.category[k] = row.category - 1
        if kind == ENTRY:
            row.click_count += 1
        elif kind in (GIFT, ANONYMOUS):
            row.gift_count += 1
            row.gift_sum += story.x[k]
        elif kind == COMMENT:
            row.comment_count += 1
        elif kind == LIKE:
            row.like_count += 1


@njit(cache=True)
def pass_taste(rows, story, at, ints):  # type: ignore[no-untyped-def]
    """Go through a stretch for tastes (user, category)."""
    for k in range(at.size):
        if at[k] < 0:
            continue
        kind, row = story.kind[k], rows[at[k]]
        if kind == PROBE:
            i = story.column[k]
            ints[0, i], ints[1, i], ints[2, i] = row.click_count, row.watch_ms, row.gift_sum
        elif kind == ENTRY:
            row.click_count += 1
        elif kind == VIEWING:
            row.watch_ms += story.x[k]
        elif kind == GIFT:
            row.gift_sum += story.x[k]


@njit(inline="always")
def _cool(heat, ring, clock, ts):  # type: ignore[no-untyped-def]
    """Let go of what is older than the windows of a probe at ``ts``."""
    mask = ring.size - 1
    while clock[TAIL_10M] < clock[HEAD] and ring[clock[TAIL_10M] & mask].ts < ts - _10M:
        old = ring[clock[TAIL_10M] & mask]
        heat[old.streamer].click_10m -= old.clicks
        heat[old.streamer].gift_10m -= old.amount
        clock[TAIL_10M] += 1
    while clock[TAIL_60M] < clock[HEAD] and ring[clock[TAIL_60M] & mask].ts < ts - _60M:
        old = ring[clock[TAIL_60M] & mask]
        heat[old.streamer].click_60m -= old.clicks
        heat[old.streamer].gift_60m -= old.amount
        clock[TAIL_60M] += 1


@njit(cache=True)
def pass_heat(heat, ring, clock, story, at, ints):  # type: ignore[no-untyped-def]
    """Go through a stretch for the sliding windows of streamers; the ring has room for all."""
    for k in range(at.size):
        kind = story.kind[k]
        if at[k] < 0 or kind in (VIEWING, COMMENT, LIKE):
            continue
        _cool(heat, ring, clock, story.ts[k])
        hot, i = heat[at[k]], story.column[k]
        if kind == PROBE:
            ints[0, i], ints[1, i] = hot.click_10m, hot.click_60m
            ints[2, i], ints[3, i] = hot.gift_10m, hot.gift_60m
            continue
        clicks, amount = (1, 0) if kind == ENTRY else (0, story.x[k])
        new = ring[clock[HEAD] & (ring.size - 1)]
        new.ts, new.streamer, new.clicks, new.amount = story.ts[k], at[k], clicks, amount
        clock[HEAD] += 1
        hot.click_10m += clicks
        hot.click_60m += clicks
        hot.gift_10m += amount
        hot.gift_60m += amount


@njit(cache=True)
def tell_negatives(shown, at, counts, epoch):  # type: ignore[no-untyped-def]
    """Add ``counts`` [n] of times shown and not entered to rows ``at`` [n]."""
    for i in range(at.size):
        row = shown[at[i]]
        if row.epoch != epoch:
            row.epoch, row.negative_today = epoch, 0
        row.negative_count += counts[i]
        row.negative_today += counts[i]


@njit(cache=True)
def tell_categories(rows, at, categories):  # type: ignore[no-untyped-def]
    """Give rooms in rows ``at`` [n] their category.

    Returns the first place where a room in use would change its own, -1 if none would.
    """
    for i in range(at.size):
        row = rows[at[i]]
        if row.category != categories[i] + 1:
            if row.click_count + row.gift_count > 0:
                return i
            row.category = categories[i] + 1
    return -1
