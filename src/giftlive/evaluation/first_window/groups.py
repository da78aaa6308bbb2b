"""The features by what they are knowledge of; every column is in exactly one group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from giftlive.rng import stream
from giftlive.tables.features.declare import FIRST_WINDOW_FEATURES, SNAPSHOT_FEATURES
from giftlive.tables.matrix import Matrix
from giftlive.types import Ints

CLOCK, FIRST_WINDOW, SNAPSHOT, NOISE = "clock", "first window", "snapshot", "noise"
REAL = (
    *("pair history", "user history", "streamer history", "streamer heat", "supply efficiency"),
    *("same-day activity", "social", "profile", FIRST_WINDOW),
)
"""Groups that are ranked, beside noise; the clock is what they are added to."""
OUTSIDE = (SNAPSHOT, NOISE)
"""Groups that are not in the full model: not known at the decision, or known to mean nothing."""

NOISE_COLUMNS = 8
_NOISE = "noise_"
_CLOCK = frozenset({"hour", "weekday"})
_SNAPSHOT = frozenset(f.name for f in SNAPSHOT_FEATURES)
_WINDOW = frozenset(f.name for f in FIRST_WINDOW_FEATURES)
_HEAT = ("streamer_click_10m", "streamer_click_60m", "streamer_gift_10m", "streamer_gift_60m")
_EFFICIENCY = ("streamer_efficiency", "streamer_enter_rate", "streamer_negative_count")
_PROFILE = ("age", "gender", "device_brand", "device_price", "author", "live_type", "category")
_HISTORY = {
    "pair": "pair history",
    "taste": "pair history",
    "user": "user history",
    "streamer": "streamer history",
    "room": "streamer heat",
}


def group_of(name: str) -> str:
    """Return the group of the feature ``name``.

    The first rule that fits decides: clock, snapshot, first window, noise; same-day activity
    (since midnight), social (comments and likes; follows are in no log); heat (the last hour, and
    the room itself); supply efficiency; profile; then the history of what the name begins with.
    The user's past with the streamer's category is history of the pair (docs/tables.md).

    Examples
    --------
    >>> [group_of(n) for n in ("pair_gift_sum", "user_gift_today", "room_age_seconds")]
    ['pair history', 'same-day activity', 'streamer heat']
    """
    for group, names in ((CLOCK, _CLOCK), (SNAPSHOT, _SNAPSHOT), (FIRST_WINDOW, _WINDOW)):
        if name in names:
            return group
    if name.startswith(_NOISE):
        return NOISE
    if name.endswith("_today"):
        return "same-day activity"
    if name.endswith(("_comment_count", "_like_count")):
        return "social"
    if name in _EFFICIENCY:
        return "supply efficiency"
    if name in _HEAT:
        return "streamer heat"
    if name.endswith((*_PROFILE, "streamer")):
        return "profile"
    return _HISTORY.get(name.split("_", 1)[0], "other")


def columns_of(names: Sequence[str]) -> dict[str, Ints]:
    """Return the columns of every group that has any, in the order of the columns."""
    groups = [group_of(name) for name in names]
    return {
        group: np.array([j for j, g in enumerate(groups) if g == group], dtype=np.int64)
        for group in dict.fromkeys(groups)
    }


def with_noise(matrix: Matrix, seed: int) -> Matrix:
    """Return ``matrix`` with columns drawn at random, which must turn out to teach nothing."""
    noise = stream(seed, "noise columns").normal(size=(len(matrix), NOISE_COLUMNS))
    names = tuple(f"{_NOISE}{j}" for j in range(NOISE_COLUMNS))
    return replace(matrix, X=np.column_stack([matrix.X, noise]), names=(*matrix.names, *names))


def varying(matrix: Matrix, columns: Ints) -> Ints:
    """Return those of ``columns`` that are not one value on every row: the others say nothing."""
    part = matrix.X[:, columns]
    return columns[(part != part[:1]).any(axis=0)]
