"""The floor of newcomers as a resource of the pricer: it binds, it is met, it costs nobody else."""

from __future__ import annotations

import numpy as np
import pytest
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0

from giftlive.service.deciding import Request
from giftlive.service.engine import Origin, open_engine
from giftlive.service.events import Event
from giftlive.service.local import LocalService
from giftlive.service.settings import DecisiveSettings, JoinSettings, PricerSettings
from giftlive.service.verification import verify_log

OLD, NEW = (1, 2, 3), 9


def _evening(floor: float, decisions: int = 900) -> tuple[LocalService, list[dict[str, float]]]:
    """Three rooms that everybody enters, then one of a streamer whom nobody has seen."""
    settings = DecisiveSettings(
        policy={"name": "dual_price"},
        pricer=PricerSettings(newcomer_floor=floor, newcomer_decisions=400, newcomer_rate=400.0),
        join=JoinSettings(click_seconds=5.0, settle_seconds=0.0),
    )
    service = LocalService.open(MemoryStore(), Origin(settings), T0)
    service.hear([Event(f"o{k}", "room_open", T0, -1, k, 10 + k) for k in OLD], T0)
    clicks = [Event(f"c{k}", "click", T0, k, OLD[k % 3], -1) for k in range(300)]
    service.hear(clicks, T0 + 1)
    for streamer in OLD:  # veterans: shown often before the evening begins
        service.state.pricer.known[10 + streamer] = 400
    service.hear([Event("new", "room_open", T0, -1, NEW, 99)], T0 + 2)
    shown = []
    for k in range(decisions):
        ts = T0 + 1_000 + 250 * k
        shown.append(service.decide(Request(f"r{k}", k, (*OLD, NEW)), ts)["ranking"][0])
    return service, shown


def test_without_a_floor_a_newcomer_is_never_shown() -> None:
    service, shown = _evening(0.0, 200)
    assert {room["live_id"] for room in shown} <= set(OLD)
    assert service.state.pricer.bonus == 0.0


@pytest.mark.parametrize("floor", [0.1, 0.3])
def test_the_floor_is_met_and_hardly_passed(floor: float) -> None:
    service, shown = _evening(floor)
    new = np.array([room["live_id"] == NEW for room in shown[200:]])
    assert abs(new.mean() - floor) < 0.05
    paid = [room for room in shown if room["live_id"] == NEW]
    assert all(room["bonus"] > 0.0 and room["price"] == 0.0 for room in paid)
    assert all(room["bonus"] == 0.0 for room in shown if room["live_id"] != NEW)
    assert 0.0 < service.state.pricer.bonus <= service.state.settings.pricer.newcomer_largest


def test_a_newcomer_does_not_stay_one() -> None:
    service, shown = _evening(0.3, 2_200)
    state = service.state
    assert state.pricer.known[99] >= 400
    assert not state.pricer.is_new(state.rooms, state.rooms.slot_of[NEW])
    assert {room["live_id"] for room in shown[-100:]} <= set(OLD)


def test_the_bonus_is_part_of_the_state_that_the_log_says() -> None:
    settings = DecisiveSettings(
        policy={"name": "dual_price"},
        pricer=PricerSettings(newcomer_floor=0.5, newcomer_decisions=30),
    )
    service = LocalService.open(MemoryStore(), Origin(settings), T0)
    service.hear([Event(f"o{k}", "room_open", T0, -1, k, 10 + k) for k in range(1, 5)], T0)
    for k in range(120):
        service.decide(Request(f"r{k}", k, (1, 2 + k % 3)), T0 + 700 * k)
    assert service.state.pricer.known
    assert verify_log(service.store).decisions == 120
    state = service.state
    before = state.digest()
    assert open_engine(service.store, Origin(settings), T0).state.digest() == before
    state.pricer.bonus += 1.0
    assert state.digest() != before
