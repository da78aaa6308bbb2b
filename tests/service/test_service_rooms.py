"""Rooms live from their announcement to their end, whatever requests name; seats hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0
from tests.service.serving import served

from giftlive.errors import IntegrityError
from giftlive.policies import RandomBucket
from giftlive.service import engine
from giftlive.service.api.app import Service, make_app
from giftlive.service.deciding import Request
from giftlive.service.engine import Origin, open_engine
from giftlive.service.events import Event
from giftlive.service.frozen_state import frozen, thawed
from giftlive.service.local import LocalService
from giftlive.service.ruling import ALONE, AROUND
from giftlive.service.settings import DecisiveSettings, RoomSettings, ServiceSettings
from giftlive.service.verification import verify_log

GREEDY = DecisiveSettings(policy={"name": "greedy"})
HOUR = 3_600_000


def _service(memory: MemoryStore, settings: DecisiveSettings = GREEDY) -> LocalService:
    service = LocalService.open(memory, Origin(settings), T0)
    service.hear(planted.rooms(2, seats=5), T0)
    return service


def _close(live: int, ts: int, name: str = "close") -> Event:
    return Event(name, "room_close", ts, live_id=live)


def _shown(service: LocalService, name: str, ts: int, *named: int) -> list[int]:
    answer = service.decide(Request(name, 1, named or None, 9), ts)
    return sorted(room["live_id"] for room in answer["ranking"])


def _live(service: LocalService) -> list[int]:
    return sorted(service.state.rooms.slot_of)


def test_a_room_that_nobody_announced_is_one_for_its_request_only(memory: MemoryStore) -> None:
    service = _service(memory)
    assert _shown(service, "a", T0 + 10, 777, 778) == [777, 778]
    assert _live(service) == [100, 101]
    click = Event("c", "click", T0 + 20, 1, 777)
    assert service.hear([click], T0 + 30).joined == 1
    assert _live(service) == [100, 101]
    assert _shown(service, "b", T0 + 5_000) == [100, 101]


def test_a_closed_room_stays_closed_until_it_is_announced_again(memory: MemoryStore) -> None:
    service = _service(memory)
    service.hear([_close(100, T0 + 50)], T0 + 50)
    assert _shown(service, "a", T0 + 60, 100) == []
    assert service.decide(Request("b", 1, (101, 100)), T0 + 70)["closed"] == [100]
    assert _shown(service, "c", T0 + 80) == [101]
    late = Event("late", "room_open", T0 + 40, live_id=100, streamer_id=1)
    assert service.hear([late], T0 + 90).refused == {"late": "room_closed"}
    assert _live(service) == [101]
    service.hear([late._replace(event_id="new", ts=T0 + 100)], T0 + 100)
    assert _shown(service, "d", T0 + 110, 100) == [100]
    again = open_engine(memory, Origin(GREEDY), T0).state
    assert again.digest() == service.state.digest()
    assert verify_log(memory).decisions == 4


def test_a_close_that_overtook_its_opening_keeps_the_room_closed(memory: MemoryStore) -> None:
    service = _service(memory)
    service.hear([_close(300, T0 + 50)], T0 + 50)
    late = Event("late", "room_open", T0 + 10, live_id=300, streamer_id=1)
    assert service.hear([late], T0 + 60).refused == {"late": "room_closed"}
    assert _live(service) == [100, 101]


def test_a_decision_on_its_way_while_a_room_closes_does_not_open_it(memory: MemoryStore) -> None:
    service = _service(memory)
    record = service.engine.propose(Request("a", 1, (100,)), T0 + 10, "popularity")
    service.hear([_close(100, T0 + 11)], T0 + 11)
    _, mine = memory.commit(service.state.seq, lambda others, ts: [record])
    service.engine.apply(mine[0])
    assert _live(service) == [101]
    assert verify_log(memory).decisions == 1


def test_showing_a_room_does_not_keep_it_from_being_silent(memory: MemoryStore) -> None:
    silent = GREEDY.model_copy(update={"rooms": RoomSettings(silent_hours=2.0)})
    service = _service(memory, silent)
    for half in range(1, 4):
        _shown(service, f"r{half}", T0 + half * HOUR // 2)
    service.hear([Event("c", "click", T0 + 1, 1, 101)], T0 + 3 * HOUR // 2)
    service.tick(T0 + 2 * HOUR + 1_000)
    assert _live(service) == [101]
    # it was never said to be closed: whoever names it may be right
    assert _shown(service, "named", T0 + 2 * HOUR + 2_000, 100) == [100]
    assert _live(service) == [101]


def test_a_snapshot_knows_what_is_closed(memory: MemoryStore) -> None:
    service = _service(memory)
    service.hear([_close(100, T0 + 50)], T0 + 50)
    state = engine.first_state(memory)
    again = thawed(frozen(service.state), state, service.state.vectors.online)
    assert again.closed == {100: T0 + 50}
    assert again.digest() == service.state.digest()


HEED = ("greedy_with_cap", "dual_price")


def _within(wrapper: str, name: str) -> dict[str, Any]:
    return {"name": wrapper, "options": {"policy": {"name": name}}}


BUCKET = _within("random_bucket", "dual_price")


@pytest.mark.parametrize(
    ("change", "heeds"),
    [
        ({"kill_switch": True}, True),
        *(({"policy": {"name": name}}, name in HEED) for name in ALONE),
        *(({"policy": _within(name, "dual_price")}, name != "random_bucket") for name in AROUND),
        *(({"policy": _within(name, "softmax")}, name == "capacity_guard") for name in AROUND),
        ({"policy": {"name": "capacity_guard", "options": {"policy": BUCKET}}}, True),
    ],
)
def test_who_shows_a_room_without_a_free_seat(
    memory: MemoryStore, change: dict[str, Any], heeds: bool
) -> None:
    """Forty users and two rooms of five seats that decisions hold."""
    service = _service(memory)
    service.switch(change)
    for k in range(40):
        service.decide(Request(f"r{k}", k), T0 + 10 + k)
    held = service.state.rooms.held[:2]
    assert (held <= 5).all() == heeds
    assert (held.sum() == 10) == heeds


def test_the_default_sends_nobody_to_a_full_room(memory: MemoryStore) -> None:
    """Two full rooms and a free one, then three full ones: in the bucket and outside, over HTTP."""
    how = ServiceSettings(clock="requests")
    app = make_app(Service(how, memory, open_engine(memory, Origin(how.decisive), T0), True))
    users = np.arange(400)
    random = RandomBucket(share=0.05).contains(users, np.zeros_like(users))
    assert random.sum() > 10
    with served(app) as client:

        def hear(*told: dict[str, Any]) -> None:
            assert client.post("/v1/events", json={"events": told}).status_code == 200

        def ask(user: int, part: str) -> dict[str, Any]:
            body = {"request_id": f"{part}{user}", "user_id": user, "context": {"ts": T0 + 500}}
            answer: dict[str, Any] = client.post("/v1/decisions", json=body).json()
            return answer

        asked = [*np.flatnonzero(random).tolist(), *np.flatnonzero(~random)[:9].tolist()]
        for live, seats in ((1, 2), (2, 2), (3, len(asked))):
            room = {"event_id": f"o{live}", "type": "room_open", "ts": T0, "live_id": live}
            hear(room | {"streamer_id": live, "seats": seats})
        inside = {"type": "click", "ts": T0 + 100}
        hear(
            *(
                {"event_id": f"c{k}", "user_id": 900 + k, "live_id": 1 + k % 2} | inside
                for k in range(4)
            )
        )
        for user in asked:
            answer = ask(user, "a")
            (shown,) = answer["ranking"]
            assert (shown["live_id"], shown["propensity"]) == (3, 1.0)
            assert (answer["reason"] == "random_bucket") == random[user]
        for user in asked:  # decisions hold the seats of the third room now
            answer = ask(user, "b")
            assert (answer["ranking"], answer["reason"]) == ([], "seat")
    assert verify_log(memory).decisions == 2 * len(asked)


@pytest.mark.parametrize("around", [False, True])
def test_a_floor_of_exploration_shows_a_full_room_unless_guarded(
    memory: MemoryStore, around: bool
) -> None:
    service = _service(memory)
    floor = {
        "name": "exploration_floor",
        "options": {"floor": 0.5, "policy": {"name": "dual_price"}},
    }
    guarded = {"name": "capacity_guard", "options": {"policy": floor}}
    service.switch({"policy": guarded if around else floor})
    service.hear([Event(f"c{k}", "click", T0 + 1, 900 + k, 100) for k in range(5)], T0 + 2)
    service.hear([Event("new", "room_open", T0 + 3, live_id=300, streamer_id=1)], T0 + 3)
    for k in range(40):
        service.decide(Request(f"r{k}", k, (100, 300)), T0 + 10 + k)
    assert (service.state.rooms.held[service.state.rooms.slot_of[100]] == 0) == around


def test_below_the_first_place_no_full_room_is_shown(memory: MemoryStore) -> None:
    service = _service(memory)
    service.hear([Event(f"c{k}", "click", T0 + 1, k, 100 + k % 2) for k in range(10)], T0 + 2)
    assert service.state.rooms.seats_left(service.state.rooms.live()).tolist() == [0, 0]
    assert len(_shown(service, "a", T0 + 5)) == 1  # greedy does not ask whether it is full
    service.hear([Event("new", "room_open", T0 + 6, live_id=300, streamer_id=1)], T0 + 6)
    assert 300 in _shown(service, "b", T0 + 7)


def test_a_log_of_another_version_is_refused_with_what_to_do(
    memory: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(engine, "_VERSION", 2)
        _service(memory)
    for read in (lambda: open_engine(memory, Origin(GREEDY), T0), lambda: verify_log(memory)):
        with pytest.raises(IntegrityError, match="version 2") as error:
            read()
        assert "release that wrote it" in str(error.value.hint)
