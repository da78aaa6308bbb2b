"""Whose property a feature is: the user's, the room's, or the pair's and the moment's."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.errors import UsageError
from giftlive.tables.features.declare import (
    FEATURES,
    FIRST_WINDOW_FEATURES,
    PLANTED_LEAK,
    SNAPSHOT_FEATURES,
)
from giftlive.types import Ints

SIDE_OF_GROUP = {
    "user": "user",
    "user_profile": "user",
    "streamer": "room",
    "streamer_profile": "room",
    "room": "room",
    "room_profile": "room",
    "pair": "context",
    "taste": "context",
    "context": "context",
    "first_window": "context",
    "planted": "context",
}
"""A user's taste for the room's category changes with the room, so it is the pair's."""

IDS = ("user_id", "streamer_id", "live_id")
"""Columns that say who it is; of no side, for no feature is an id."""

_DECLARED = {
    feature.name: SIDE_OF_GROUP[feature.group]
    for feature in (
        *FEATURES,
        *SNAPSHOT_FEATURES,
        *FIRST_WINDOW_FEATURES,
        *PLANTED_LEAK.values(),
    )
}


@dataclass(frozen=True)
class Sides:
    """Columns of a matrix by whose property they are; ids are in none.

    Attributes
    ----------
    user, room, context : indices; context holds the pair's and the moment's.
    """

    user: Ints
    room: Ints
    context: Ints

    @classmethod
    def of(cls, names: Sequence[str]) -> Sides:
        """Return the sides of declared features, in the order of ``names``.

        Raises
        ------
        UsageError
            A name is neither a declared feature nor an id.

        Examples
        --------
        >>> sides = Sides.of(("user_gift_sum", "hour", "streamer_gift_sum", "user_id"))
        >>> sides.user.tolist(), sides.room.tolist(), sides.context.tolist()
        ([0], [2], [1])
        """
        at: dict[str, list[int]] = {"user": [], "room": [], "context": []}
        for column, name in enumerate(names):
            if name not in IDS:
                at[_side(name)].append(column)
        return cls(*(np.array(at[side], dtype=np.int64) for side in ("user", "room", "context")))


def _side(name: str) -> str:
    if name not in _DECLARED:
        near = difflib.get_close_matches(name, _DECLARED, n=1, cutoff=0.0)[0]
        raise UsageError(
            f"no feature {name!r}",
            "Sides.of, names",
            "declared features and ids",
            f"did you mean {near}? For columns of your own, say whose they are: Sides(...)",
        )
    return _DECLARED[name]
