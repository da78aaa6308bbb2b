"""Decisions over HTTP and decisions in this program are the same, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0
from tests.service.serving import served

from giftlive.client import Client
from giftlive.models.folder import save
from giftlive.service.api.app import Service, make_app
from giftlive.service.deciding import Request
from giftlive.service.engine import Origin, open_engine
from giftlive.service.local import LocalService
from giftlive.service.record import DECISION
from giftlive.service.settings import DecisiveSettings, JoinSettings, ServiceSettings
from giftlive.service.verification import verify_log

DECISIVE = DecisiveSettings(
    seed=11,
    policy={
        "name": "random_bucket",
        "options": {
            "share": 0.3,
            "policy": {
                "name": "exploration_floor",
                "options": {"floor": 0.3, "policy": {"name": "dual_price"}},
            },
        },
    },
    join=JoinSettings(click_seconds=20.0, settle_seconds=2.0, hold_seconds=4.0),
)


def _bodies(batch: list[Any]) -> list[dict[str, Any]]:
    names = {"gift": "amount", "leave": "watch_ms", "watch": "watch_ms", "room_open": "seats"}
    found = []
    for e in batch:
        body = {"event_id": e.event_id, "type": e.type, "ts": e.ts}
        for name in ("user_id", "live_id", "streamer_id"):
            if getattr(e, name) >= 0:
                body[name] = getattr(e, name)
        if e.x >= 0:
            body[names[e.type]] = e.x
        found.append(body)
    return found


def test_over_http_and_in_this_program() -> None:
    memories = MemoryStore(), MemoryStore()
    origin = Origin(DECISIVE, planted.values())
    local = LocalService.open(memories[0], origin, 0)
    app = make_app(
        Service(
            ServiceSettings(decisive=DECISIVE, clock="requests"),
            memories[1],
            open_engine(memories[1], origin, 0),
            open_to_all=True,
        )
    )
    with served(app) as http, Client(str(http.base_url)) as client:
        local.hear(planted.rooms(8, seats=4))
        client.send(_bodies(planted.rooms(8, seats=4)))
        for call, what, ts in planted.day(3, 100):
            if call == "decide":
                named = None if what.candidates is None else list(what.candidates)
                mine = local.decide(what, ts)
                theirs = client.decide(
                    what.user_id, named, n=what.n, request_id=what.request_id, ts=ts
                )
                assert theirs == mine
            else:
                local.hear(what)
                client.send(_bodies(what))
    pairs = zip(memories[0].read(0, 10**6), memories[1].read(0, 10**6), strict=False)
    decided = [(a.record, b.record) for a, b in pairs if a.record.kind == DECISION]
    assert len(decided) == 100
    for one, two in decided:
        assert one.meta == two.meta
        assert {n: x.tobytes() for n, x in one.arrays.items()} == {
            n: x.tobytes() for n, x in two.arrays.items()
        }
    assert len({one.meta["reason"] for one, _ in decided}) >= 3


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with a Scorer of planted values."""
    values = planted.values(5)
    folder = tmp_path / "RUN" / "models"
    save(values.scorer, folder / "scorer")
    card = {"features": [f.name for f in (*values.user, *values.room, *values.pair)]}
    (folder / "value").mkdir()
    (folder / "value" / "card.json").write_text(str(card).replace("'", '"'), encoding="utf-8")
    return tmp_path / "RUN"


def test_values_are_swapped_between_two_decisions(run: Path) -> None:
    memory = MemoryStore()
    engine = open_engine(memory, Origin(DECISIVE, planted.values()), 0)
    how = ServiceSettings(decisive=DECISIVE, clock="requests")
    app = make_app(Service(how, memory, engine, open_to_all=True))
    with served(app) as http, Client(str(http.base_url)) as client:
        client.send(_bodies(planted.rooms(8)))
        before = client.decide(1, [100], request_id="a", ts=T0 + 10_000)
        assert http.put("/v1/model", json={"run": "/nowhere"}).status_code == 422
        after = client.set_model(str(run))
        assert after["values_version"] != "planted 0"
        again = client.decide(1, [100], request_id="b", ts=T0 + 10_001)
        assert again["policy_version"] != before["policy_version"]
        assert again["ranking"][0]["value"] != before["ranking"][0]["value"]
        assert client.decide(1, [100], request_id="a", ts=T0 + 20_000) == before
    assert verify_log(memory).decisions == 2


def test_requests_ask_what_they_ask() -> None:
    assert Request("a", 1).digest == Request("b", 1).digest
    assert Request("a", 1).digest != Request("a", 1, (1,)).digest
