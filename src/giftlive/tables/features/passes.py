"""A stretch of events and probes, told to every group and answered: one place for all passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.tables.features.ledger import Ledger, Tally
from giftlive.tables.features.reading import read_day, read_efficiency
from giftlive.tables.features.records import (
    ACTOR_DOUBLES,
    ACTOR_INTS,
    ANONYMOUS,
    DOUBLE_COLUMNS,
    GIFT,
    INT_COLUMNS,
    LAST_COLUMNS,
    PROBE,
    VIEWING,
    Story,
)
from giftlive.tables.features.state import ACTORS
from giftlive.tables.features.tally import pass_actor, pass_heat, pass_room, pass_taste
from giftlive.types import Floats, Ints

_N, _D = len(ACTOR_INTS), len(ACTOR_DOUBLES)
_HEAT, _DAY, _ROOM, _TASTE = (
    INT_COLUMNS.index(f"{name}")
    for name in (
        "streamer_click_10m",
        "user_entered_count",
        "room_click_count",
        "taste_click_count",
    )
)


def story_of(kinds: NDArray[np.int8], sources: Ints, columns: Sequence[Ints]) -> Story:
    """Return what happens in time order.

    Parameters
    ----------
    kinds : [n]. sources : [n] places in ``columns``: ts, user_id, streamer_id, live_id and x,
        which is the amount, the watch_ms, or the category of a probe's room.
    """
    ts, user, streamer, live, x = (column[sources] for column in columns)
    asks = kinds == PROBE
    return Story(
        kind=kinds,
        ts=ts,
        user_id=np.where(kinds == ANONYMOUS, -1, user),
        streamer_id=streamer,
        live_id=live,
        x=x,
        category=np.where(asks, x, -1),
        column=np.cumsum(asks) - 1,
    )


def go_through(tally: Tally, epoch: int, story: Story) -> dict[str, NDArray[Any]]:
    """Tell the events of a story and return the state columns of its probes."""
    n, adds = int((story.kind == PROBE).sum()), story.kind != PROBE
    ints = np.zeros((len(INT_COLUMNS), n), dtype=np.int64)
    doubles = np.zeros((len(DOUBLE_COLUMNS), n))
    ints[LAST_COLUMNS, :], doubles[-1] = -1, -1.0
    whole = np.zeros(len(story.kind), dtype=np.int64)
    at = tally.room.rows_of(story.live_id, whole, adds)
    pass_room(tally.room.rows, story, at, ints[_ROOM:_TASTE])
    tasting = np.where(story.kind <= GIFT, story.user_id, -1)
    at = tally.taste.rows_of(tasting, story.category, adds)
    pass_taste(tally.taste.rows, story, at, ints[_TASTE:])
    keys = ((story.user_id, story.streamer_id), (story.user_id, whole), (story.streamer_id, whole))
    for g, (actor, (a, b)) in enumerate(zip(ACTORS, keys, strict=True)):
        ledger: Ledger = getattr(tally, actor)
        at = ledger.book.rows_of(a, b, adds)
        own = ints[g * _N : (g + 1) * _N], doubles[g * _D : (g + 1) * _D]
        _pass_actor(ledger, epoch, story, at, *own)
        if actor != "pair":
            day = _DAY + 2 * (g - 1)
            read_day(ledger.book.rows, ledger.shown_rows(), epoch, story, at, ints[day : day + 2])
    _pass_heat(tally, story, at, ints[_HEAT:_DAY])
    read_efficiency(tally.efficiency, story, at, doubles[-1])
    return dict(zip((*INT_COLUMNS, *DOUBLE_COLUMNS), (*ints, *doubles), strict=True))


def _pass_actor(
    ledger: Ledger, epoch: int, story: Story, at: Ints, ints: Ints, doubles: Floats
) -> None:
    ledger.make_room_for_gifts(int((story.kind > VIEWING).sum()))
    pass_actor(
        *(ledger.book.rows, ledger.gifts, ledger.gift_size, ledger.moments),
        *(epoch, story, at, ints, doubles),
    )


def _pass_heat(tally: Tally, story: Story, at: Ints, ints: Ints) -> None:
    tally.make_room_for_recent(len(at))
    pass_heat(tally.heat_rows(), tally.ring, tally.clock, story, at, ints)
