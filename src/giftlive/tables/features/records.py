"""How the running state of every key lies in memory, and the order of the columns read from it.

Three actors (pair, user, streamer) keep one ``VISITS`` record per key and, only for keys that ever
got a gift, a comment or a like, one ``GIFTS`` record. Rooms and tastes keep a few sums. All
records are zero before their first event.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from giftlive.tables.features.state import ACTORS, DOUBLES, HISTORY
from giftlive.types import Ints

PROBE, ENTRY, VIEWING, GIFT, ANONYMOUS, COMMENT, LIKE = range(7)
KINDS = ("probe", "entry", "viewing", "gift", "gift_anonymous", "comment", "like")
"""What can happen, in the order in which things of one millisecond are told: probes first."""

_KEY = [("a", "i8"), ("b", "i8")]
VISITS = np.dtype(
    [
        *_KEY,
        *((name, "i8") for name in ("click_count", "watch_ms", "last_click_ts")),
        *((name, "f8") for name in ("click_1h", "click_1d", "click_7d")),
        *((name, "i8") for name in ("click_today", "watch_ms_today")),
        *(("epoch", "i4"), ("gifts", "i4")),
    ],
    align=True,
)
"""``gifts`` is the key's row in GIFTS, 0 where it has none (row 0 stays zero)."""
GIFTS = np.dtype(
    [
        *((name, "i8") for name in ("gift_count", "gift_sum", "last_gift_ts")),
        *((name, "f8") for name in ("gift_1h", "gift_1d", "gift_7d")),
        *((name, "i8") for name in ("gift_today", "comment_count", "like_count", "epoch")),
    ],
    align=True,
)
SHOWN = np.dtype([(name, "i8") for name in ("negative_count", "negative_today", "epoch")])
HEAT = np.dtype([(name, "i8") for name in HISTORY["streamer"][-4:]])
ROOM = np.dtype([*_KEY, ("category", "i8"), *((name, "i8") for name in HISTORY["room"])])
"""``category`` is counted from 1, so that 0 is unknown."""
TASTE = np.dtype([*_KEY, *((name, "i8") for name in HISTORY["taste"])])
RECENT = np.dtype([(name, "i8") for name in ("ts", "streamer", "clicks", "amount")])

TRIALS, SUCCESSES, TRIALS_SQUARED, SUCCESSES_SQUARED, VALUE = range(5)
HEAD, TAIL_10M, TAIL_60M = range(3)

Records = NDArray[Any]


class Story(NamedTuple):
    """Events and probes [n] in time order: what a group needs to know of them.

    ``x``: amount or watch_ms. ``category``: that of the room, for a probe as it says, for an event
    as the pass for rooms finds it. ``column``: the probe's place in the result.
    """

    kind: NDArray[np.int8]
    ts: Ints
    user_id: Ints
    streamer_id: Ints
    live_id: Ints
    x: Ints
    category: Ints
    column: Ints


ACTOR_INTS = tuple(name for name in HISTORY["pair"] if f"pair_{name}" not in DOUBLES)
ACTOR_DOUBLES = tuple(name for name in HISTORY["pair"] if f"pair_{name}" in DOUBLES)
INT_COLUMNS = (
    *(f"{actor}_{name}" for actor in ACTORS for name in ACTOR_INTS),
    *(f"streamer_{name}" for name in HISTORY["streamer"][-4:]),
    *(f"{g}_{name}_count" for g in ("user", "streamer") for name in ("entered", "negative")),
    *(f"{group}_{name}" for group in ("room", "taste") for name in HISTORY[group]),
)
"""State columns in the order of the rows of ``ints``."""
DOUBLE_COLUMNS = (
    *(f"{actor}_{name}" for actor in ACTORS for name in ACTOR_DOUBLES),
    "streamer_efficiency",
)
"""State columns in the order of the rows of ``doubles``."""
LAST_COLUMNS = tuple(i for i, name in enumerate(INT_COLUMNS) if "_last_" in name)
"""Rows of ``ints`` that are -1 before anything happened."""
