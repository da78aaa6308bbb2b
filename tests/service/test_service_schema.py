"""Every call of the description, with values that fit it and values that do not: never a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0
from tests.service.serving import served

from giftlive.service.api.app import Service, make_app
from giftlive.service.engine import Origin, open_engine
from giftlive.service.settings import DecisiveSettings, LimitSettings, ServiceSettings

CALLS = [
    ("POST", "/v1/decisions"),
    ("POST", "/v1/events"),
    ("PUT", "/v1/policy"),
    ("PUT", "/v1/model"),
    ("GET", "/v1/policy"),
    ("GET", "/v1/rooms"),
    ("GET", "/v1/prices"),
    ("GET", "/v1/history"),
    ("GET", "/v1/state"),
    ("GET", "/v1/export"),
    ("GET", "/v1/decisions/{decision_id}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    decisive = DecisiveSettings()
    limits = LimitSettings(requests_per_second=1e6)
    how = ServiceSettings(decisive=decisive, limits=limits, clock="requests")
    memory = MemoryStore()
    engine = open_engine(memory, Origin(decisive, planted.values()), T0)
    with served(make_app(Service(how, memory, engine, open_to_all=True))) as found:
        yield found


def _description(client: httpx.Client) -> Any:
    return schemathesis.openapi.from_dict(client.get("/openapi.json").json())


def test_every_call_is_in_the_list(client: httpx.Client) -> None:
    found = {
        (method.upper(), path)
        for path, calls in client.get("/openapi.json").json()["paths"].items()
        for method in calls
    }
    assert found == set(CALLS)


def test_examples_are_accepted(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    tried = 0
    for path, calls in paths.items():
        for method, call in calls.items():
            body = call.get("requestBody", {}).get("content", {}).get("application/json", {})
            for example in body.get("schema", {}).get("examples", []):
                if path == "/v1/model":
                    continue  # there is no such folder here
                response = client.request(method, path, json=example)
                assert response.status_code == 200, response.text
                tried += 1
    assert tried >= 6


def _tried(client: httpx.Client, method: str, path: str, examples: int) -> None:
    operation = _description(client)[path][method]

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def call(case: Any) -> None:
        arguments = case.as_transport_kwargs(base_url=str(client.base_url))
        arguments.pop("cookies", None)
        headers = arguments.pop("headers", None) or {}
        arguments["headers"] = {
            k: v for k, v in dict(headers).items() if k.lower() != "authorization"
        }  # generated keys are not always legal headers; keys have tests of their own
        response = client.request(**arguments)
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            assert set(response.json()) == {"error"}

    call()


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_call_fails(client: httpx.Client, method: str, path: str) -> None:
    _tried(client, method, path, 8 if method != "GET" else 3)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_call_fails_however_often(client: httpx.Client, method: str, path: str) -> None:
    _tried(client, method, path, 300)
