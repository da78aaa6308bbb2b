"""What befalls each click and each gift on its way into the log.

Every defect has its own keyed draw per viewing, ``uniform(seed, PURPOSE, user, visit, slot)`` (of
orphans one per user and room),
compared with its own coefficient. So switching one off removes exactly it: no other defect, and
no other row, can notice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from giftlive.clock import MS_PER_DAY
from giftlive.rng import derive, uniform
from giftlive.types import Bools, Floats, Ints
from giftlive.world.entities import World
from giftlive.world.purposes import ARRIVAL, ORPHAN, OUTAGE, PRESS_TIME, PRESSES, STAMP
from giftlive.world.recorder.tables import end_of_log
from giftlive.world.state import CLICKED, Log

ENTRY, OWN, LEAVING = 0, 1, 2
"""Which time a gift's row carries: the entry's, the gift's own, or that of leaving the room."""


class Gifts(NamedTuple):
    """The viewings with a gift, [n] each, ``row`` of the log.

    ``given`` : latent ms of the gift. ``presses`` : in how many presses it was sent. ``stamp`` :
    ENTRY, OWN or LEAVING. ``orphan`` : the clicks of this user in this room are lost.
    ``arrival`` : ms at which the platform has the record. ``recorded`` : it has it before the log
    ends.
    """

    row: Ints
    given: Ints
    presses: Ints
    stamp: Ints
    orphan: Bools
    arrival: Ints
    recorded: Bools


def gifts_of(world: World, log: Log, rows: Ints) -> Gifts:
    """Return what the recorder does to the gifts among the viewings ``rows``."""
    recorder = world.scenario.recorder
    row = rows[log.amount[rows] > 0]
    given = log.ts[row] + log.delay_ms[row]
    leaving = log.ts[row] + log.watch_ms[row]
    known = leaving if recorder.viewing_totals else given
    arrival = known + _lag_ms(world, log, row)
    u = keyed(world, log, row, STAMP)
    stamp = np.where(u < recorder.entry_stamped, ENTRY, OWN)
    return Gifts(
        row=row,
        given=given,
        presses=_presses(world, log, row),
        stamp=np.where(u >= 1.0 - recorder.lagged, LEAVING, stamp),
        orphan=_orphaned(world, log, row),
        arrival=arrival,
        recorded=arrival <= end_of_log(world),
    )


def _orphaned(world: World, log: Log, row: Ints) -> Bools:
    """Return which gifts lose their clicks: one draw for all viewings of a user in a room."""
    user, room = log.user[row], log.room[row]
    draws = _draws(recorder_seed(world), ORPHAN, user, room, np.zeros_like(room))
    return np.asarray(draws < world.scenario.recorder.orphans)


def lost_visits(world: World, log: Log) -> Ints:
    """Return the keys (``visit_keys``) of the gifts of a log whose clicks are lost."""
    row = np.flatnonzero(log.amount > 0)
    return visit_keys(world, log, row[_orphaned(world, log, row)])


def visit_keys(world: World, log: Log, rows: Ints) -> Ints:
    """Return one number for each (user, room)."""
    return log.user[rows] * len(world.live_ids) + log.room[rows]


def seen_clicks(world: World, log: Log, rows: Ints, lost: Ints) -> Ints:
    """Return the viewings among ``rows`` whose click row is not lost.

    ``lost`` : sorted keys of the users and rooms all of whose clicks are.
    """
    keys = visit_keys(world, log, rows)
    at = np.searchsorted(lost, keys)
    gone = at < len(lost)
    gone[gone] = lost[at[gone]] == keys[gone]
    return rows[~gone & ~_outage(world, log, rows)]


def viewings(log: Log) -> Ints:
    """Return the rows of a log that are viewings."""
    return np.flatnonzero(log.status == CLICKED)


def keyed(world: World, log: Log, rows: Ints, purpose: int) -> Floats:
    """Return the recorder's own uniform draws for rows of a log, keyed by the decision."""
    seed = recorder_seed(world)
    draws: Floats = _draws(seed, purpose, log.user[rows], log.visit[rows], log.slot[rows])
    return draws


def recorder_seed(world: World) -> int:
    """Return the seed of the recorder's draws, apart from the history's."""
    return derive(world.seed, "recorder")


@njit(cache=True)
def _draws(seed, purpose, user, visit, slot):  # type: ignore[no-untyped-def]
    out = np.empty(user.size)
    for i in range(user.size):
        out[i] = uniform(seed, purpose, user[i], visit[i], slot[i])
    return out


def _outage(world: World, log: Log, rows: Ints) -> Bools:
    """Return which viewings without a gift fell to an outage."""
    recorder = world.scenario.recorder
    draws = keyed(world, log, rows, OUTAGE)
    day = (log.ts[rows] - world.origin_ms) // MS_PER_DAY
    lost = np.zeros(len(rows), dtype=bool)
    for outage, share in zip(recorder.outage_days, recorder.outage_drop, strict=True):
        lost |= (day == outage) & (draws < share)
    return lost & (log.amount[rows] == 0)


def _lag_ms(world: World, log: Log, rows: Ints) -> Ints:
    """Return how late the records of gifts arrive: exponential with the law's mean."""
    recorder = world.scenario.recorder
    fast, slow = recorder.fast_seconds, recorder.slow_seconds
    by_amount = np.minimum(slow, fast * log.amount[rows] ** recorder.lag_power)
    none = np.zeros(len(rows))
    laws = {"none": none, "fast": none + fast, "slow": none + slow, "amount": by_amount}
    seconds = -laws[recorder.arrival_lag] * np.log(keyed(world, log, rows, ARRIVAL))
    return (seconds * 1000.0).astype(np.int64)


def _presses(world: World, log: Log, rows: Ints) -> Ints:
    """Return in how many presses each gift was sent: geometric, at most one per unit of money."""
    mean = world.scenario.recorder.presses
    if mean == 1.0:
        return np.ones(len(rows), dtype=np.int64)
    tries = np.log(keyed(world, log, rows, PRESSES)) / np.log(1.0 - 1.0 / mean)
    most = np.maximum(np.rint(log.amount[rows]), 1.0)
    return np.minimum(1.0 + np.floor(tries), most).astype(np.int64)


def press_times(world: World, log: Log, gifts: Gifts, which: Ints, number: Ints) -> Ints:
    """Return when press ``number`` [k] of the gifts ``which`` [k] came, in ms.

    Press 0 comes at the gift's latent time, the others at any time from then until the viewer
    leaves, each with its own draw.
    """
    seed, row = recorder_seed(world), gifts.row[which]
    u = _press_draws(seed, log.user[row], log.visit[row], log.slot[row], number)
    left = log.watch_ms[row] - log.delay_ms[row]
    return gifts.given[which] + np.where(number == 0, 0, u * left).astype(np.int64)


@njit(cache=True)
def _press_draws(seed, user, visit, slot, number):  # type: ignore[no-untyped-def]
    out = np.empty(user.size)
    for i in range(user.size):
        word = visit[i] * 65_536 + number[i]
        out[i] = uniform(seed, PRESS_TIME, user[i], word, slot[i])
    return out
