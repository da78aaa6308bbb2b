"""Whose property a feature is: every declared one has a side, and nothing else has."""

from __future__ import annotations

import pytest

from giftlive.errors import UsageError
from giftlive.tables.features.declare import FEATURES, FIRST_WINDOW_FEATURES, SNAPSHOT_FEATURES
from giftlive.tables.features.sides import Sides


def test_every_declared_feature_is_on_one_side() -> None:
    names = [f.name for f in (*FEATURES, *SNAPSHOT_FEATURES, *FIRST_WINDOW_FEATURES)]
    sides = Sides.of(names)
    columns = [*sides.user, *sides.room, *sides.context]
    assert sorted(columns) == list(range(len(names)))


def test_sides_follow_the_groups_and_not_the_names() -> None:
    # What a user liked in rooms of this category changes with the room: it is the pair's.
    names = ("taste_gift_sum", "room_category", "user_age", "streamer_click_10m", "pair_gift_sum")
    sides = Sides.of(names)
    assert (sides.user.tolist(), sides.room.tolist()) == ([2], [1, 3])
    assert sides.context.tolist() == [0, 4]


def test_ids_are_on_no_side() -> None:
    sides = Sides.of(("streamer_id", "user_id", "live_id", "hour"))
    assert (sides.user.size, sides.room.size, sides.context.tolist()) == (0, 0, [3])
    assert sides.user.dtype == sides.context.dtype


def test_a_column_that_nobody_declared_is_refused() -> None:
    with pytest.raises(UsageError, match="user_gift_sums") as refusal:
        Sides.of(("user_gift_sums",))
    assert "did you mean user_gift_sum?" in refusal.value.hint
