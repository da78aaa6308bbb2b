"""Clicks, skips, gifts, comments and likes of one chunk of decisions, as the log shows them."""

from __future__ import annotations

import numpy as np

from giftlive.types import Ints
from giftlive.world.entities import World
from giftlive.world.history import history_seed
from giftlive.world.recorder.marks import ENTRY, LEAVING, OWN, Gifts, press_times
from giftlive.world.recorder.tables import Table, event_columns
from giftlive.world.social import acts
from giftlive.world.state import Log


def click_table(world: World, log: Log, clicks: Ints) -> Table:
    """Return the click rows that are not lost."""
    return event_columns(world, log, clicks, log.ts[clicks]) | {
        "watch_live_time": log.watch_ms[clicks].astype(np.int64)
    }


def gift_table(world: World, log: Log, gifts: Gifts) -> tuple[Ints, Table]:
    """Return (times before the grid, rows) of the gifts that arrived, in no order.

    One row per viewing holds its total, or one per press; the presses of an entry-stamped gift
    all carry the entry, those of a lagged one the moment of leaving. Where records arrive late
    each row says when (``known_ts``): data pulled at T are the rows known by T.
    """
    recorded = np.flatnonzero(gifts.recorded)
    which, number = recorded, np.zeros(len(recorded), dtype=np.int64)
    total = np.rint(log.amount[gifts.row]).astype(np.int64)
    price = total[which]
    if not world.scenario.recorder.viewing_totals:
        which = np.repeat(recorded, gifts.presses[recorded])
        first = np.cumsum(gifts.presses[recorded]) - gifts.presses[recorded]
        number = np.arange(len(which)) - np.repeat(first, gifts.presses[recorded])
        price = pressed(total[which], gifts.presses[which], number)
    row, stamp = gifts.row[which], gifts.stamp[which]
    own = press_times(world, log, gifts, which, number)
    leaving = log.ts[row] + log.watch_ms[row]
    ts = np.select([stamp == ENTRY, stamp == OWN, stamp == LEAVING], [log.ts[row], own, leaving])
    table = event_columns(world, log, row, ts) | {"gift_price": price}
    if world.scenario.recorder.arrival_lag != "none":
        table["known_ts"] = np.maximum(gifts.arrival[which], ts)
    return ts, table


def pressed(total: Ints, presses: Ints, number: Ints) -> Ints:
    """Return the money of press ``number`` when a total is spread over presses, whole numbers.

    Examples
    --------
    >>> pressed(np.array([10, 10, 10]), np.array([3, 3, 3]), np.arange(3)).tolist()
    [4, 3, 3]
    """
    return total // presses + (number < total % presses)


def act_tables(world: World, log: Log, rows: Ints) -> dict[str, tuple[Ints, Table]]:
    """Return (times, rows) of the comments and the likes in the viewings ``rows``."""
    tables = {}
    for what in ("comment", "like"):
        found = acts(world, log, history_seed(world), what)
        which = rows[found.happened[rows]]
        ts = log.ts[which] + found.delay_ms[which]
        tables[what] = ts, event_columns(world, log, which, ts)
    return tables
