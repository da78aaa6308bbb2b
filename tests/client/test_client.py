"""The client: the same call again after a refusal that passes, and not after one that stays."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable

import httpx
import pytest

from giftlive.client import AsyncClient, Client, ServiceError
from giftlive.client.calls import Retries

Handler = Callable[[httpx.Request], httpx.Response]
QUICK = Retries(times=3, draw=lambda: 0.0)
REFUSED = {"error": {"code": "busy", "message": "later", "field": None, "hint": "wait"}}


def _script(*steps: httpx.Response | Exception) -> tuple[list[httpx.Request], Handler]:
    """Return a service that answers by a script, and the requests that it saw."""
    seen: list[httpx.Request] = []
    waiting = list(steps)

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        step = waiting.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    return seen, handler


def _client(handler: Handler) -> Client:
    return Client("http://s", "k", retries=QUICK, transport=httpx.MockTransport(handler))


async def _asynchronously(handler: Handler) -> object:
    transport = httpx.MockTransport(handler)
    async with AsyncClient("http://s", "k", retries=QUICK, transport=transport) as client:
        return await client.decide(7, [1, 2])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_call_is_repeated_as_it_was_until_it_is_answered(asynchronous: bool) -> None:
    seen, handler = _script(
        httpx.ConnectError("down"),
        httpx.Response(503, json=REFUSED),
        httpx.Response(200, json={"decision_id": "d"}),
    )
    if asynchronous:
        answer = asyncio.run(_asynchronously(handler))
    else:
        answer = _client(handler).decide(7, [1, 2])
    assert answer == {"decision_id": "d"}
    bodies = [json.loads(request.content) for request in seen]
    assert len(bodies) == 3
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["request_id"]
    assert seen[0].headers["Authorization"] == "Bearer k"


def test_events_get_ids_before_the_first_try() -> None:
    ok = httpx.Response(200, json={"accepted": 1})
    seen, handler = _script(httpx.ReadError("cut"), ok)
    _client(handler).send([{"type": "exit", "ts": 1, "user_id": 2}])
    assert seen[0].content == seen[1].content
    assert json.loads(seen[0].content)["events"][0]["event_id"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500])
def test_what_stays_wrong_is_not_sent_again(status: int) -> None:
    seen, handler = _script(httpx.Response(status, json=REFUSED))
    with pytest.raises(ServiceError, match="later") as caught:
        _client(handler).rooms()
    assert (caught.value.status, caught.value.code, len(seen)) == (status, "busy", 1)
    assert caught.value.hint == "wait"


def test_patience_ends() -> None:
    _, handler = _script(*[httpx.Response(429, json=REFUSED)] * 4)
    with pytest.raises(ServiceError, match="429"):
        _client(handler).prices()
    seen, handler = _script(*[httpx.ConnectError("down")] * 4)
    with pytest.raises(ServiceError, match="ConnectError"):
        _client(handler).policy()
    assert len(seen) == 4


def test_an_answer_that_is_not_json_is_still_an_error() -> None:
    _, handler = _script(httpx.Response(502, text="<html>"))
    with pytest.raises(ServiceError, match="502 unknown"):
        _client(handler).policy()


def test_waiting_grows_has_an_end_and_does_as_told() -> None:
    waits = [Retries(draw=lambda: 1.0).wait(k, None) for k in range(12)]
    assert waits[:3] == [0.05, 0.1, 0.2]
    assert max(waits) == 5.0
    assert QUICK.wait(0, "2") == 2.0
    assert QUICK.wait(0, "999") == 60.0
    assert QUICK.wait(0, "soon") < 0.1


def test_both_clients_have_the_same_calls() -> None:
    def calls(kind: type[object]) -> dict[str, str]:
        members = inspect.getmembers(kind, inspect.isfunction)
        public = {name: f for name, f in members if not name.startswith("_")}
        return {name: str(inspect.signature(f)) for name, f in public.items()}

    assert calls(Client) == calls(AsyncClient)
    asynchronous = inspect.getmembers(AsyncClient, inspect.iscoroutinefunction)
    assert {name for name, _ in asynchronous if not name.startswith("_")} == set(calls(Client))
