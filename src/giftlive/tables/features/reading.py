"""What a probe reads from the running state, compiled; reading changes nothing."""

from __future__ import annotations

import numpy as np
from numba import njit

from giftlive.tables.features.records import PROBE
from giftlive.tables.features.state import HALF_LIVES_MS

_1H, _1D, _7D = (float(ms) for ms in HALF_LIVES_MS.values())


@njit(inline="always")
def read_visits(row, ts, epoch, ints, doubles, i):  # type: ignore[no-untyped-def]
    """Write entries and viewings into column ``i``, in the order of ACTOR_INTS."""
    if row.click_count > 0:
        age = float(row.last_click_ts - ts)
        ints[0, i], ints[6, i] = row.click_count, row.last_click_ts
        doubles[0, i] = row.click_1h * np.exp2(age / _1H)
        doubles[1, i] = row.click_1d * np.exp2(age / _1D)
        doubles[2, i] = row.click_7d * np.exp2(age / _7D)
    ints[1, i] = row.watch_ms
    if row.epoch == epoch:
        ints[8, i], ints[9, i] = row.click_today, row.watch_ms_today


@njit(inline="always")
def read_gifts(row, ts, epoch, ints, doubles, i):  # type: ignore[no-untyped-def]
    """Write gifts, comments and likes into column ``i``, in the order of ACTOR_INTS."""
    ints[4, i], ints[5, i] = row.comment_count, row.like_count
    if row.gift_count > 0:
        age = float(row.last_gift_ts - ts)
        ints[2, i], ints[3, i], ints[7, i] = row.gift_count, row.gift_sum, row.last_gift_ts
        doubles[3, i] = row.gift_1h * np.exp2(age / _1H)
        doubles[4, i] = row.gift_1d * np.exp2(age / _1D)
        doubles[5, i] = row.gift_7d * np.exp2(age / _7D)
        if row.epoch == epoch:
            ints[10, i] = row.gift_today


@njit(cache=True)
def read_day(rows, shown, epoch, story, at, ints):  # type: ignore[no-untyped-def]
    """Write times entered and times shown in vain, as known when the day began: all minus today."""
    for k in range(at.size):
        if story.kind[k] == PROBE and at[k] >= 0:
            i, row, passed = story.column[k], rows[at[k]], shown[at[k]]
            ints[0, i], ints[1, i] = row.click_count, passed.negative_count
            if row.epoch == epoch:
                ints[0, i] -= row.click_today
            if passed.epoch == epoch:
                ints[1, i] -= passed.negative_today


@njit(cache=True)
def read_efficiency(efficiency, story, at, out):  # type: ignore[no-untyped-def]
    """Write the share that each streamer had when the day began; one unknown then has none."""
    for k in range(at.size):
        if story.kind[k] == PROBE and 0 <= at[k] < efficiency.size:
            out[story.column[k]] = efficiency[at[k]]
