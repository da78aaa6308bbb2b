"""Faults: a store that fails, bodies that are no requests, slow callers; 503 at worst, no 500."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0
from tests.service.postgres_server import Server
from tests.service.serving import served

from giftlive.service.api import routes
from giftlive.service.api.app import Service, make_app
from giftlive.service.deciding import Request as Decision
from giftlive.service.engine import Origin, open_engine
from giftlive.service.events import Event
from giftlive.service.local import LocalService
from giftlive.service.settings import (
    DecisiveSettings,
    JoinSettings,
    LimitSettings,
    RoomSettings,
    ServiceSettings,
)
from giftlive.service.store import Store, open_store
from giftlive.service.store.sqlite import SqliteStore
from giftlive.service.verification import verify_log

DECISIVE = DecisiveSettings(
    policy={"name": "random_bucket", "options": {"share": 0.5}}, digest_every_ticks=5
)


@contextmanager
def service_on(
    store: Store, limits: LimitSettings | None = None
) -> Iterator[tuple[httpx.Client, Any]]:
    engine = open_engine(store, Origin(DECISIVE, planted.values()), T0)
    how = ServiceSettings(
        decisive=DECISIVE, limits=limits or LimitSettings(store_seconds=3.0), clock="requests"
    )
    with served(make_app(Service(how, store, engine, open_to_all=True))) as client:
        yield client, engine


def _ask(client: httpx.Client, k: int) -> httpx.Response:
    body = {"request_id": f"r{k}", "user_id": k % 7, "context": {"ts": T0 + 300 * k}}
    return client.post("/v1/decisions", json=body)


def _open_rooms(client: httpx.Client) -> None:
    rooms = [
        {"event_id": f"o{k}", "type": "room_open", "ts": T0, "live_id": 100 + k, "streamer_id": k}
        for k in range(4)
    ]
    assert client.post("/v1/events", json={"events": rooms}).status_code == 200


def test_a_full_disk_is_503_and_nothing_answered_is_lost(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "log.db")
    with service_on(store) as (client, engine):
        _open_rooms(client)
        pages = store._writer.execute("pragma page_count").fetchone()[0]
        store._writer.execute(f"pragma max_page_count = {pages + 3}")
        answers = [_ask(client, k) for k in range(30)]
        codes = [answer.status_code for answer in answers]
        assert set(codes) == {200, 503}
        refused = answers[codes.index(503)]
        assert refused.headers["Retry-After"] == "1"
        assert refused.json()["error"]["code"] == "unavailable"
        assert client.get("/readyz").status_code == 503
        store._writer.execute("pragma max_page_count = 100000")
        again = [_ask(client, k) for k in range(30)]
        assert {answer.status_code for answer in again} == {200}
        assert client.get("/readyz").status_code == 200
        for before, after in zip(answers, again, strict=True):
            assert before.status_code == 503 or before.json() == after.json()
        digest = engine.state.digest()
        assert open_engine(store, Origin(DECISIVE), T0).state.digest() == digest


def test_a_database_that_restarts_is_503_in_between(postgres: Server) -> None:
    import psycopg

    with psycopg.connect(postgres.url, autocommit=True) as con:
        con.execute("drop table if exists giftlive_log, giftlive_api_key")
    with service_on(open_store(postgres.url)) as (client, engine):
        _open_rooms(client)
        answered = {k: _ask(client, k).json() for k in range(5)}
        postgres.stop()
        try:
            down = [_ask(client, k) for k in range(5, 8)]
            assert [d.status_code for d in down] == [503] * 3
            assert down[0].headers["Retry-After"] == "1"
            assert "postgresql://" not in down[0].text
        finally:
            postgres.start()
        for k in range(10):
            answer = _ask(client, k)
            assert answer.status_code == 200
            assert k not in answered or answer.json() == answered[k]
        store = open_store(postgres.url)
        assert open_engine(store, Origin(DECISIVE), T0).state.digest() == engine.state.digest()
        assert verify_log(store).decisions == 10
        store.close()


def test_two_workers_share_one_log(postgres: Server) -> None:
    """Both decide, each learns what the other wrote, a request sent to both has one answer."""
    import psycopg

    with psycopg.connect(postgres.url, autocommit=True) as con:
        con.execute("drop table if exists giftlive_log, giftlive_api_key")
    with (
        service_on(open_store(postgres.url)) as (one, engine_one),
        service_on(open_store(postgres.url)) as (two, engine_two),
    ):
        _open_rooms(one)
        for k in range(12):
            first, second = _ask(one, k), _ask(two, k)
            assert first.status_code == second.status_code == 200
            assert first.json() == second.json()
        ask = {"request_id": "last", "user_id": 1, "context": {"ts": T0 + 9_000}}
        for client in (one, two, one):
            assert client.post("/v1/decisions", json=ask).status_code == 200
        deadline = time.monotonic() + 10.0
        while engine_one.state.seq != engine_two.state.seq and time.monotonic() < deadline:
            time.sleep(0.05)
        assert engine_one.state.digest() == engine_two.state.digest()
        assert engine_one.state.totals.decisions == 13


def test_a_record_that_cannot_be_applied_stops_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A defect in applying: 503 from then on, the log intact, and a restart that goes on."""
    memory = MemoryStore()
    with service_on(memory) as (client, engine):
        _open_rooms(client)
        assert _ask(client, 0).status_code == 200
        with monkeypatch.context() as broken:
            broken.setattr(type(engine), "apply", lambda self, logged: 1 // 0)
            assert _ask(client, 1).status_code == 503
        assert _ask(client, 2).status_code == 503
        assert client.get("/readyz").status_code == 503
    with service_on(memory) as (client, _):
        assert [_ask(client, k).status_code for k in range(3)] == [200] * 3
    assert verify_log(memory).decisions == 3


def test_what_is_remembered_has_an_end() -> None:
    """Bounded memory: a long stream, and nothing kept beyond what the settings say."""
    small = DecisiveSettings(
        remembered_requests=50,
        remembered_events=40,
        pairs_per_user=3,
        rooms=RoomSettings(largest=6, silent_hours=0.01),
        join=JoinSettings(remembered=30, click_seconds=5.0, settle_seconds=1.0),
    )
    service = LocalService.open(MemoryStore(), Origin(small, planted.values()), T0)
    for k in range(400):
        ts = T0 + 300 * k
        service.decide(Decision(f"r{k}", k % 5, (k % 40, 1000 + k)), ts)
        service.hear([Event(f"e{k}", "click", ts, k % 5, k % 40)], ts)
    state = service.state
    assert (len(state.requests), len(state.decisions), len(state.event_ids)) == (50, 50, 40)
    assert len(state.joiner.open) <= 30
    assert len(state.joiner.rows) <= 30
    assert len(state.rooms.slot_of) <= 6
    assert len(state.viewers) <= 6 * 5
    assert len(state.vectors.pairs) <= 5
    assert open_engine(service.store, Origin(small), T0).state.digest() == state.digest()


def test_a_slow_body_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "_BODY_SECONDS", 0.2)
    with service_on(MemoryStore()) as (client, _):
        with socket.create_connection((client.base_url.host, client.base_url.port)) as line:
            line.sendall(b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
            line.settimeout(5.0)
            assert line.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert client.get("/healthz").status_code == 200


def test_ten_megabytes_are_refused_unread() -> None:
    with service_on(MemoryStore()) as (client, engine):
        seq = engine.state.seq
        for path in ("/v1/decisions", "/v1/events"):
            response = client.post(path, content=b"[" * 10_000_000)
            assert response.status_code == 413
        assert client.put("/v1/policy", content=b"[" * 10_000_000).status_code == 413
        assert engine.state.seq == seq


@pytest.fixture(scope="module")
def target() -> Iterator[httpx.Client]:
    limits = LimitSettings(requests_per_second=1e6)
    with service_on(MemoryStore(), limits) as (client, _):
        yield client


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["request_id", "user_id", "events", "event_id", "policy", "name", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(
    path=st.sampled_from(["/v1/decisions", "/v1/events", "/v1/policy"]),
    body=st.binary(max_size=60) | _PLAIN.map(lambda x: json.dumps(x).encode()),
)
def test_garbage_is_refused_in_one_form(target: httpx.Client, path: str, body: bytes) -> None:
    method = "PUT" if path == "/v1/policy" else "POST"
    response = target.request(method, path, content=body)
    assert response.status_code == 422
    assert set(response.json()["error"]) == {"code", "message", "field", "hint"}


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "oracle_greedy"},
        {"name": "batch_optimal"},
        {"name": "softmax", "options": {"temperature": -1.0}},
        {"name": "softmax", "options": {"temperature": "hot"}},
        {"name": "softmax", "options": {"temperature": [1]}},
        {"name": "random_bucket", "options": {"policy": {"name": "nobody"}}},
        {"name": "greedy", "options": {"policy": {"name": "greedy"}}},
        {"name": "dual_price", "options": {"learning_rate": 3.0}},
        {"name": 3},
        {"options": {}},
        {"name": "greedy", "more": 1},
    ],
)
def test_policies_that_cannot_be_are_refused(target: httpx.Client, spec: dict[str, Any]) -> None:
    for name in ("policy", "shadow"):
        response = target.put("/v1/policy", json={name: spec})
        assert response.status_code == 422, response.text
        assert response.json()["error"]["code"] == "invalid_policy"
    assert target.get("/v1/policy").json()["policy"].startswith("random_bucket")


def test_a_clock_that_jumps_back_does_not_turn_time(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, now = MemoryStore(), [T0 * 1_000_000]
    engine = open_engine(memory, Origin(DECISIVE, planted.values()), T0)
    from giftlive.service import desk as desks

    monkeypatch.setattr(time, "time_ns", lambda: now[0])
    desk = desks.Desk(ServiceSettings(decisive=DECISIVE), engine, memory)
    assert desk.now(None) == T0
    engine.state.ts = T0 + 5_000
    now[0] -= 10**15
    assert desk.now(None) == T0 + 5_000
    now[0] += 10**16
    assert desk.now(None) > T0 + 5_000
