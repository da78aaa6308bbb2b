"""The spread of a stay: against the law's own expectation, against draws, at its borders."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from giftlive.rng import stream
from giftlive.types import Floats, Ints
from giftlive.world import World, potential_arrivals
from giftlive.world.stay import true_stay
from giftlive.world.truth import respond, true_click_probability, true_seat_seconds

WITHIN = (0.2, 1.0, 5.0, 30.0, 300.0, 1_800.0, np.inf)


@pytest.fixture(scope="module")
def pairs(evening: World) -> tuple[Ints, Ints, Ints]:
    """Twenty arrivals with all their rooms: user [n], rooms [n, m], ts [n]."""
    seen = potential_arrivals(evening, 1)
    keep = slice(0, len(seen), max(1, len(seen) // 20))
    return seen.user[keep], seen.rooms[keep], seen.ts[keep]


def staying(
    world: World, pairs: tuple[Ints, Ints, Ints], within: tuple[float, ...] = WITHIN
) -> Floats:
    user, room, ts = pairs
    return true_stay(world, user, room, ts, np.tile(within, (len(user), 1)))


def test_the_whole_stay_is_the_expected_seat_time(
    evening: World, pairs: tuple[Ints, Ints, Ints]
) -> None:
    user, room, ts = pairs
    whole = true_seat_seconds(evening, user[:, None], room, ts[:, None])
    assert_array_equal(staying(evening, pairs, (np.inf,))[:, :, 0], whole)
    cap = evening.scenario.watch.cap_seconds
    assert_allclose(staying(evening, pairs, (cap,))[:, :, 0], whole, rtol=1e-12)


@pytest.mark.parametrize("left_ms", [200, 500, 3_000, 900_000])
def test_a_room_about_to_end_holds_its_viewers_to_the_floor(
    evening: World, pairs: tuple[Ints, Ints, Ints], left_ms: int
) -> None:
    user, room, _ = pairs
    ts = evening.room_end[np.maximum(room[:, 0], 0)] - left_ms
    whole = true_seat_seconds(evening, user[:, None], room, ts[:, None])
    found = true_stay(evening, user, room, ts, np.full((len(user), 1), np.inf))
    assert whole.max() > 0
    assert_allclose(found[:, :, 0], whole, rtol=1e-12)


def test_time_grows_no_faster_than_the_clock(
    evening: World, pairs: tuple[Ints, Ints, Ints]
) -> None:
    user, room, ts = pairs
    found = staying(evening, pairs)
    enter = true_click_probability(evening, user[:, None], room, ts[:, None])
    assert np.all(np.diff(found, axis=2) >= -1e-12)
    assert np.all(found[:, :, :-1] <= enter[:, :, None] * np.array(WITHIN[:-1]) + 1e-12)
    # below the floor of half a second whoever enters is still there
    assert_allclose(found[:, :, 0], 0.2 * enter, rtol=1e-12)


def test_padding_and_closed_rooms_hold_nobody(evening: World) -> None:
    user, ts = np.array([0, 1]), np.array([evening.room_end[0], evening.room_start[0]])
    found = true_stay(evening, user, np.array([[0, -1], [-1, 0]]), ts, np.full((2, 1), np.inf))
    assert_array_equal(found[0], 0.0)
    assert found[1, 0, 0] == 0.0 < found[1, 1, 0]


@pytest.mark.parametrize("within", [10.0, 240.0, np.inf])
def test_draws_hold_seats_as_long_as_expected(
    evening: World, pairs: tuple[Ints, Ints, Ints], within: float
) -> None:
    """A z-test of 60,000 draws over different pairs against the mean of their expectations."""
    user, room, ts = pairs
    row = stream(3, "stays").integers(0, len(user), 60_000)
    u, r, t = user[row], room[row, 0], ts[row]
    held = respond(evening, u, r, t, 5).watch_ms / 1_000.0
    expected = true_stay(evening, u, r[:, None], t, np.full((len(row), 1), within))[:, 0, 0]
    error = np.minimum(held, within) - expected
    z = error.mean() / (error.std() / np.sqrt(len(row)))
    assert abs(z) < 4.0
