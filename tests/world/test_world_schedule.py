"""Nobody is live twice, whatever the hours; and nothing overflows at the bounds of a setting."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.world import World, build_world, load_scenario
from giftlive.world.arrivals import visit_after
from giftlive.world.candidates import close_room, no_rooms, open_room
from giftlive.world.history import History
from giftlive.world.scenario import Scenario
from giftlive.world.state import joined


def overlapping(world: World) -> int:
    """Return how many rooms begin before their streamer's last one has been over for a minute."""
    first = world.origin_ms + world.arena_day * 86_400_000
    count = 0
    for part in (world.room_start < first, world.room_start >= first):
        star, start, end = world.room_streamer[part], world.room_start[part], world.room_end[part]
        order = np.lexsort((start, star))
        same = star[order][1:] == star[order][:-1]
        count += int(np.sum(same & (start[order][1:] < end[order][:-1])))
    return count


def beyond_the_day(scenario: Scenario, hours: tuple[float, float]) -> Scenario:
    """Return a scenario that its own rules would refuse."""
    return scenario.model_copy(
        update={"stars": scenario.stars.model_copy(update={"fixed_hours": hours})}
    )


@pytest.mark.parametrize("hours", [(-5.0, 30.0), (-30.0, 60.0), (0.0, 24.0), (20.0, 29.0)])
def test_a_streamer_never_has_two_rooms(hours: tuple[float, float]) -> None:
    small = load_scenario("scarce", "tiny", {"calendar.history_days": "3"})
    assert overlapping(build_world(beyond_the_day(small, hours), 1)) == 0


def test_long_rooms_end_before_the_next_begins() -> None:
    long = {"stars.room_minutes": "100000", "stars.room_sigma": "5", "calendar.history_days": "4"}
    world = build_world(load_scenario("kuailive", "0.001", long), 1)
    assert overlapping(world) == 0
    assert np.all(world.room_end - world.room_start >= 60_000)


def test_a_second_room_of_a_streamer_cannot_overrun_the_list() -> None:
    live = no_rooms(2)
    for room in range(5):
        open_room(live, room % 2, room, 10)
    assert live.total.tolist() == [2, 20]
    assert live.room.tolist() == [0, 1]
    for room in range(5):
        close_room(live, room % 2, 10)
    assert live.total.tolist() == [0, 0]
    assert (live.room.tolist(), live.place.tolist()) == ([-1, -1], [-1, -1])


@pytest.mark.parametrize(
    "changes",
    [
        {"visits.per_day": "1e-9"},
        {"visits.sigma": "4", "visits.phase_hours": "24"},
        {"stars.popularity_shape": "0.2", "stars.quality_sigma": "5", "seats.exponent": "2"},
        {"people.wealth_sigma": "5", "people.tail_shape": "0.2"},
    ],
)
def test_a_world_at_the_bounds_of_a_setting_is_finite(changes: dict[str, str]) -> None:
    small = {"calendar.history_days": "1", "sizes.users": "300", "sizes.streamers": "30"}
    world = build_world(load_scenario("scarce", "tiny", small | changes), 1)
    for part in (world.scene.users, world.scene.streamers):
        for name in part._fields:
            assert name == "budget" or np.all(np.isfinite(getattr(part, name))), name
    assert np.all(world.scene.streamers.weight > 0)
    assert np.all(world.scene.rooms.seats >= 1)
    log = joined(list(History(world).chunks()))
    assert np.all(np.isfinite(log.expected))


def test_a_visit_that_never_comes_lies_after_the_window() -> None:
    world = build_world(load_scenario("scarce", "tiny", {"calendar.history_days": "1"}), 1)
    users = world.scene.users
    scene = world.scene._replace(users=users._replace(activity=0.0 * users.activity + 1e-300))
    _, operational, ts = visit_after(scene, 0, -1, 0.0, world.origin_ms, 1)
    _, later, again = visit_after(scene, 0, 0, operational, world.origin_ms, 1)
    assert min(ts, again) > world.origin_ms + 3_650 * 86_400_000
    assert later >= operational
