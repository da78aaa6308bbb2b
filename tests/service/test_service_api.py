"""The API over HTTP, in this process: semantics, one error body, keys, limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0
from tests.service.serving import served

from giftlive.service.api.app import Service, make_app
from giftlive.service.engine import Origin, open_engine
from giftlive.service.keys import KeyBook, create_key
from giftlive.service.settings import DecisiveSettings, LimitSettings, ServiceSettings

DECISIVE = DecisiveSettings(policy={"name": "dual_price"}, tick_ms=200)


@contextmanager
def _client(
    memory: MemoryStore, limits: LimitSettings | None = None, *, free: bool = True, clock: str = ""
) -> Iterator[httpx.Client]:
    settings = ServiceSettings(
        decisive=DECISIVE,
        limits=limits or LimitSettings(),
        clock="wall" if clock == "wall" else "requests",
    )
    now = time.time_ns() // 1_000_000 if clock == "wall" else T0
    engine = open_engine(memory, Origin(DECISIVE, planted.values()), now)
    app = make_app(Service(settings, memory, engine, open_to_all=free))
    with served(app) as client:
        yield client


@pytest.fixture
def client(memory: MemoryStore) -> Iterator[httpx.Client]:
    with _client(memory) as found:
        yield found


@pytest.fixture(scope="module")
def careless() -> Iterator[httpx.Client]:
    """A service that several tests share: none of them leaves anything."""
    with _client(MemoryStore()) as found:
        yield found


def _opened(client: httpx.Client, count: int = 5) -> None:
    events = [
        {"event_id": f"o{k}", "type": "room_open", "ts": T0, "live_id": 100 + k, "streamer_id": k}
        for k in range(count)
    ]
    assert client.post("/v1/events", json={"events": events}).json()["accepted"] == count


def _ask(client: httpx.Client, request_id: str, **more: Any) -> Any:
    body = {"request_id": request_id, "user_id": 1, "context": {"ts": T0 + 500}} | more
    return client.post("/v1/decisions", json=body)


def _error(response: Any) -> tuple[int, str, str | None]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field", "hint"}
    return response.status_code, body["error"]["code"], body["error"]["field"]


def test_a_decision_is_in_the_log_when_it_is_answered(
    client: httpx.Client, memory: MemoryStore
) -> None:
    _opened(client)
    answer = _ask(client, "r1", n=2).json()
    logged = memory.find("d:r1")
    assert logged is not None
    assert logged.record.meta["decision_id"] == answer["decision_id"]
    assert logged.record.arrays["propensities"].sum() == pytest.approx(1.0)
    assert len(answer["ranking"]) == 2
    for room in answer["ranking"]:
        assert room["score"] == pytest.approx(room["value"] - room["price"] + room["bonus"])
    assert answer["expires_ts"] - answer["ts"] == 30_000


def test_the_same_request_gets_the_same_answer_and_another_one_a_conflict(
    client: httpx.Client,
) -> None:
    _opened(client)
    one, two = _ask(client, "r1"), _ask(client, "r1", context={"ts": T0 + 9_000})
    assert one.content == two.content
    assert _error(_ask(client, "r1", user_id=2)) == (409, "conflict", "request_id")


def test_events_are_joined_and_counted_once(client: httpx.Client) -> None:
    _opened(client)
    answer = _ask(client, "r1", candidates=[103]).json()
    click = {"event_id": "c", "type": "click", "ts": T0 + 600, "user_id": 1, "live_id": 103}
    gift = {**click, "event_id": "g", "type": "gift", "amount": 5}
    gift["decision_id"] = answer["decision_id"]
    stray = {**click, "event_id": "s", "live_id": 104}
    heard = client.post("/v1/events", json={"events": [click, gift, gift, stray]}).json()
    assert heard == {"accepted": 3, "joined": 2, "duplicates": 1, "refused": {}}
    rooms = {room["live_id"]: room for room in client.get("/v1/rooms").json()["rooms"]}
    assert (rooms[103]["viewers"], rooms[104]["viewers"], rooms[100]["viewers"]) == (1, 1, 0)


def test_why_this_room(client: httpx.Client) -> None:
    _opened(client)
    answer = _ask(client, "r1", n=2).json()
    found = client.get(f"/v1/decisions/{answer['decision_id']}").json()
    assert [c["live_id"] for c in found["candidates"] if c["place"] is not None] == [
        room["live_id"] for room in answer["ranking"]
    ]
    assert sum(c["propensity"] for c in found["candidates"]) == pytest.approx(1.0)
    assert len(found["candidates"]) == 5
    assert _error(client.get("/v1/decisions/nobody"))[:2] == (404, "not_found")


def test_switch_shadow_and_kill(client: httpx.Client) -> None:
    _opened(client)
    before = client.get("/v1/policy").json()["policy_version"]
    uniform = {"policy": {"name": "uniform"}, "if_version": before}
    assert client.put("/v1/policy", json=uniform).json()["policy"] == "uniform"
    assert _error(client.put("/v1/policy", json=uniform))[:2] == (409, "conflict")
    assert _ask(client, "r1").json()["reason"] == "random"
    client.put("/v1/policy", json={"shadow": {"name": "greedy"}})
    answer = _ask(client, "r2").json()
    assert answer["policy"] == "uniform"
    shadow = client.get(f"/v1/decisions/{answer['decision_id']}").json()["shadow"]
    assert shadow["policy"] == "greedy"
    assert shadow["propensity"] == float(shadow["action"] == answer["ranking"][0]["live_id"])
    client.put("/v1/policy", json={"kill_switch": True})
    assert _ask(client, "r3").json()["policy"] == "greedy_with_cap"
    client.put("/v1/policy", json={"kill_switch": False, "shadow": None})
    found = client.get("/v1/policy").json()
    assert (found["policy"], found["shadow"], found["kill_switch"]) == ("uniform", None, False)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "invalid_json", None),
        (b"{", "invalid_json", None),
        (b"[]", "invalid_request", None),
        (b"\xff\xfe", "invalid_json", None),
        (b'{"request_id": "r", "user_id": "1"}', "invalid_request", "user_id"),
        (b'{"request_id": "r", "user_id": 1.5}', "invalid_request", "user_id"),
        (b'{"request_id": "r", "user_id": -1}', "invalid_request", "user_id"),
        (b'{"request_id": "r", "user_id": 9223372036854775808}', "invalid_request", "user_id"),
        (b'{"request_id": "r/..", "user_id": 1}', "invalid_request", "request_id"),
        (b'{"request_id": "r", "user_id": 1, "n": 0}', "invalid_request", "n"),
        (b'{"request_id": "r", "user_id": 1, "n": 99}', "too_many", "n"),
        (b'{"request_id": "r", "user_id": 1, "x": 0}', "invalid_request", "x"),
        (b'{"request_id": "r", "user_id": 1, "candidates": [1, 1]}', "invalid_request", None),
        (b'{"request_id": "r", "user_id": 1, "candidates": [null]}', "invalid_request", None),
    ],
)
def test_bodies_that_are_not_as_described(
    careless: httpx.Client, body: bytes, code: str, field: str | None
) -> None:
    status, found, where = _error(careless.post("/v1/decisions", content=body))
    assert (status, found) == (422, code)
    assert field is None or where == field


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "gift"}, "needs amount"),
        ({"type": "click", "amount": 3}, "has no amount"),
        ({"type": "dance"}, "Input should be"),
        ({"type": "click", "user_id": None}, "needs user_id"),
        ({"type": "room_open"}, "needs streamer_id"),
    ],
)
def test_events_that_are_not_as_described(
    careless: httpx.Client, change: dict[str, Any], message: str
) -> None:
    event = {"event_id": "e", "type": "click", "ts": T0, "user_id": 1, "live_id": 2} | change
    response = careless.post("/v1/events", json={"events": [event]})
    assert _error(response)[:2] == (422, "invalid_request")
    assert message in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("decisions", {"request_id": "r", "user_id": 1, "n": 100}, "100, at most 20"),
        ("decisions", {"request_id": "r", "user_id": 1, "n": 10**6}, "1000000, at most 20"),
        ("decisions", {"request_id": "r", "user_id": "1"}, '"user_id":42'),
        ("decisions", {"request_id": "r"}, "the fields are request_id, user_id, context"),
        ("policy", {"kill_switch": True, "reason": "x"}, "no such field"),
        ("policy", {"kill_switch": True, "reason": "x"}, "kill_switch, because, if_version"),
        ("policy", {"policy": {"name": "softmax", "temperature": -1}}, "temperature beside `name`"),
        ("policy", {"policy": {"nam": "softmax"}}, "no `name`"),
        ("policy", {"policy": {"name": "softmax", "temperature": -1}}, '"options": {"temp'),
    ],
)
def test_refusals_say_what_would_do(
    careless: httpx.Client, path: str, body: dict[str, Any], words: str
) -> None:
    method = "PUT" if path == "policy" else "POST"
    response = careless.request(method, f"/v1/{path}", json=body)
    assert response.status_code == 422
    error = response.json()["error"]
    assert words in f"{error['message']} / {error['hint']}"


def test_the_examples_of_the_description_work_and_harm_nobody(memory: MemoryStore) -> None:
    """Sent as they stand, one after another: taken, and the kill switch stays off."""
    with _client(memory) as client:
        paths = client.get("/openapi.json").json()["paths"]
        for path, method in (("decisions", "post"), ("policy", "put"), ("events", "post")):
            content = paths[f"/v1/{path}"][method]["requestBody"]["content"]
            for example in content["application/json"]["schema"]["examples"]:
                sent = client.request(method.upper(), f"/v1/{path}", json=example)
                assert sent.status_code == 200, (path, example)
        assert not client.get("/v1/policy").json()["kill_switch"]


def test_limits(memory: MemoryStore) -> None:
    limits = LimitSettings(body_bytes=2048, candidates=3, events=1, requests_per_second=0.5)
    with _client(memory, limits) as client:
        big = client.post("/v1/decisions", content=b"x" * 3000)
        assert _error(big) == (413, "too_large", "body")
        chunked = client.post("/v1/decisions", content=(b"x" * 500 for _ in range(9)))
        assert _error(chunked) == (413, "too_large", "body")
        many = _ask(client, "r", candidates=[1, 2, 3, 4])
        assert _error(many)[:2] in ((422, "too_many"), (429, "too_many_requests"))
        often = [_ask(client, f"q{k}") for k in range(4)][-1]
        assert _error(often)[:2] == (429, "too_many_requests")
        assert int(often.headers["Retry-After"]) >= 1


def test_a_future_time_is_refused_by_a_service_with_a_clock(memory: MemoryStore) -> None:
    with _client(memory, clock="wall") as client:
        now = time.time_ns() // 1_000_000
        base = {"type": "click", "user_id": 1, "live_id": 2}
        batch = [base | {"event_id": "a", "ts": now}, base | {"event_id": "b", "ts": now + 10**7}]
        heard = client.post("/v1/events", json={"events": batch}).json()
        assert (heard["accepted"], heard["refused"]) == (1, {"b": "clock_skew"})
        assert _error(_ask(client, "r", context={"ts": now + 10**7}))[1] == "clock_skew"


def test_events_of_long_ago_are_refused_by_a_service_with_a_clock(memory: MemoryStore) -> None:
    with _client(memory, LimitSettings(event_age_hours=2.0), clock="wall") as client:
        now = time.time_ns() // 1_000_000
        base = {"type": "gift", "user_id": 1, "live_id": 2, "amount": 12_345}
        ages = {"a": 7_000_000, "b": 7_400_000, "c": now - 1_000}
        batch = [base | {"event_id": name, "ts": now - age} for name, age in ages.items()]
        heard = client.post("/v1/events", json={"events": batch}).json()
        assert (heard["accepted"], heard["refused"]) == (1, {"b": "too_old", "c": "too_old"})


def test_closed_candidates_are_left_out_and_named(client: httpx.Client) -> None:
    _opened(client)
    close = {"event_id": "x", "type": "room_close", "ts": T0 + 100, "live_id": 102}
    client.post("/v1/events", json={"events": [close]})
    answer = _ask(client, "r1", candidates=[102, 777]).json()
    assert [room["live_id"] for room in answer["ranking"]] == [777]
    assert answer["closed"] == [102]
    only = _ask(client, "r2", candidates=[102]).json()
    assert (only["ranking"], only["closed"], only["reason"]) == ([], [102], "no_candidate")
    assert _ask(client, "r1", candidates=[102, 777]).json() == answer
    live = [room["live_id"] for room in client.get("/v1/rooms").json()["rooms"]]
    assert live == [100, 101, 103, 104]


def test_keys_and_scopes(memory: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    keys = {}
    for scope in ("decide", "ingest", "admin"):
        keys[scope], row = create_key(scope, [scope], T0)
        memory.put_key(row)
    with _client(memory, free=False) as client:

        def status(path: str, key: str | None, method: str = "GET") -> int:
            headers = {} if key is None else {"Authorization": f"Bearer {key}"}
            return client.request(method, path, headers=headers, content=b"{}").status_code

        for path in ("/v1/rooms", "/v1/policy", "/v1/state", "/v1/decisions/x"):
            assert status(path, None) == 401
            assert status(path, "gl_" + "0" * 16 + "_" + "0" * 64) == 401
            assert status(path, keys["decide"][:-1] + "!") == 401
        assert status("/v1/rooms", keys["ingest"]) == 200
        assert status("/v1/state", keys["decide"]) == 403
        assert status("/v1/state", keys["admin"]) == 200
        assert status("/v1/policy", keys["decide"], "PUT") == 403
        assert status("/v1/policy", keys["admin"], "PUT") == 422
        assert status("/v1/decisions", keys["ingest"], "POST") == 403
        assert status("/v1/events", keys["decide"], "POST") == 403
        assert status("/v1/events", keys["ingest"], "POST") == 422
        assert status(f"/v1/rooms?key={keys['admin']}", None) == 401
        assert status(f"/v1/rooms?x={keys['admin']}", keys["admin"]) == 401
        assert client.get("/v1/rooms", headers={"X-API-Key": keys["admin"]}).status_code == 200
        assert client.get("/healthz").json() == {"status": "ok"}
        challenge = client.get("/v1/rooms")
        assert challenge.headers["WWW-Authenticate"] == "Bearer"
        assert _error(challenge)[1] == "unauthorised"
    ours = [r for r in caplog.records if r.name.startswith(("giftlive", "uvicorn"))]
    assert "ready" in [r.getMessage() for r in ours]
    for key in keys.values():
        assert key.split("_")[2] not in repr([(r.getMessage(), vars(r)) for r in ours])


def test_a_revoked_key_is_no_key_once_the_keys_are_read_again(memory: MemoryStore) -> None:
    key, row = create_key("shop", ["decide"], T0)
    memory.put_key(row)
    book = KeyBook(memory)
    assert book.row_of(key) == row
    memory.revoke_key(row.key_id, T0 + 1)
    book.read_at -= 1.0
    assert book.row_of(key) is None
    assert book.row_of(None) is None
    assert book.row_of("") is None


def test_health_metrics_page_and_unknown_paths(client: httpx.Client) -> None:
    _opened(client)
    _ask(client, "r")
    assert client.get("/readyz").json()["status"] == "ready"
    text = client.get("/metrics").text
    assert "giftlive_decisions 1.0" in text
    assert 'giftlive_requests_total{path="/v1/decisions",status="200"} 1.0' in text
    assert "GiftLive" in client.get("/").text
    assert _error(client.get("/v1/nothing"))[:2] == (404, "not_found")
    assert _error(client.delete("/v1/rooms"))[:2] == (405, "method_not_allowed")


def test_stopping_leaves_a_digest_that_the_replayed_state_has(memory: MemoryStore) -> None:
    from giftlive.service.verification import verify_log

    with _client(memory) as client:
        _opened(client)
        for k in range(10):
            _ask(client, f"r{k}", user_id=k, context={"ts": T0 + 150 * k})
    found = verify_log(memory)
    assert (found.decisions, found.digests, found.untaken) == (10, 1, 0)
