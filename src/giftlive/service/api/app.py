"""The application: the desk behind HTTP, with health, metrics, description and a page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

import giftlive
from giftlive.errors import UnavailableError
from giftlive.service.api.access import Access
from giftlive.service.api.errors import RefusedError, json_response
from giftlive.service.api.gate import Gate
from giftlive.service.api.page import page
from giftlive.service.api.routes import ANY, FORMS, SCOPES, Calls
from giftlive.service.committer import Committer
from giftlive.service.console import Console
from giftlive.service.desk import Desk
from giftlive.service.engine import Engine
from giftlive.service.keys import KeyBook
from giftlive.service.limits import Buckets
from giftlive.service.settings import ServiceSettings
from giftlive.service.snapshot_keeping import keep_last, keep_snapshots
from giftlive.service.snapshots import Snapshots
from giftlive.service.store.protocol import Store
from giftlive.service.telemetry import Telemetry, say

_PATHS = {
    *("/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"),
    *("/v1/decisions", "/v1/events", "/v1/rooms", "/v1/prices", "/v1/policy", "/v1/history"),
    *("/v1/state", "/v1/export"),
}
_READY_TICKS = 30


@dataclass
class Service:
    """What an application is made of.

    Attributes
    ----------
    open_to_all : no key is asked for. run : folder whose studies the console shows.
    snapshots, db : where the state is kept now and then, and the URL of the log it is made from.
    """

    settings: ServiceSettings
    store: Store
    engine: Engine
    open_to_all: bool = False
    run: Path | None = None
    snapshots: Snapshots | None = None
    db: str = ""


def make_app(service: Service) -> Any:
    """Return the ASGI application; its lifespan starts and ends the clock and the writer."""
    telemetry = Telemetry()
    desk = Desk(service.settings, service.engine, service.store)
    limits = service.settings.limits
    book = None if service.open_to_all else KeyBook(service.store)
    buckets = Buckets(limits.requests_per_second, 2.0 * limits.requests_per_second)
    access = Access(book, buckets)
    calls, console = Calls(desk, access), Console(desk, access, service.run)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        desk.committer = Committer(service.store, service.engine, limits.waiting, loop)
        desk.committer.observe = telemetry.committed
        tasks = [asyncio.create_task(desk.run())]
        if service.snapshots is not None and service.db and limits.snapshot_seconds:
            keeping = keep_snapshots(service.db, service.snapshots, limits.snapshot_seconds)
            tasks.append(asyncio.create_task(keeping))
        say("ready", seq=desk.state.seq)
        try:
            yield
        finally:
            await console.close()
            for task in tasks:
                await cancelled(task)
            await _end(desk, service.snapshots)

    app = FastAPI(
        title="GiftLive",
        version=giftlive.__version__,
        summary="Who should see which live room, now, and at what price.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(calls.router())
    app.include_router(console.router())
    _add_own(app, desk, telemetry)
    _describe(app)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.state.desk = desk
    direct = {("POST", "/v1/decisions"): calls.decide, ("POST", "/v1/events"): calls.hear}
    return Gate(app, telemetry, limits.body_bytes, _PATHS, direct)


async def cancelled(task: asyncio.Task[None]) -> None:
    """End a task for sure: Python 3.11's ``wait_for`` drops a cancellation that meets a result."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.05)
    with suppress(asyncio.CancelledError):
        await task


async def _end(desk: Desk, snapshots: Snapshots | None) -> None:
    """Write what waits, the digest of the state and a snapshot, then let go of the store."""
    with suppress(UnavailableError):
        await desk.seal()
    desk.committer.stop()
    await asyncio.to_thread(desk.committer.join)
    if snapshots is not None and not desk.committer.spoilt:
        await asyncio.to_thread(keep_last, desk.state, desk.store, snapshots)
    desk.store.close()
    say("stopped", seq=desk.state.seq)


def _add_own(app: FastAPI, desk: Desk, telemetry: Telemetry) -> None:
    async def healthz(request: Request) -> Response:
        """Say that the process answers."""
        return json_response({"status": "ok"})

    async def readyz(request: Request) -> Response:
        """Say whether the log can be written and time moves."""
        problems = desk.problems()
        if problems:
            refused = RefusedError(503, "not_ready", "; ".join(problems), retry_after=1.0)
            return refused.response()
        return json_response({"status": "ready", "seq": desk.state.seq})

    async def metrics(request: Request) -> Response:
        """Return Prometheus' text form."""
        desk.measure(telemetry.gauges)
        return Response(telemetry.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def docs(request: Request) -> Response:
        """Return the page that says what every call takes and answers."""
        return Response(page(app.openapi()), media_type="text/html; charset=utf-8")

    app.add_api_route("/docs", docs, include_in_schema=False, response_class=Response)
    for call in (healthz, readyz, metrics):
        app.add_api_route(f"/{call.__name__}", call, methods=["GET"], response_class=Response)


def _describe(app: FastAPI) -> None:
    """Put keys and the bodies that handlers read by themselves into the description."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = plain()
            parts = schema.setdefault("components", {})
            for form in FORMS:
                own = form.model_json_schema(ref_template="#/components/schemas/{model}")
                parts.setdefault("schemas", {}).update(own.get("$defs", {}))
            parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            for path, calls in schema["paths"].items():
                if path.startswith("/v1/"):
                    for method, call in calls.items():
                        scopes = SCOPES.get((method, path), ANY)
                        call["security"] = [{"key": list(scopes)}]
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return error.response()


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    found = RefusedError(error.status_code, codes.get(error.status_code, "refused"), error.detail)
    response = found.response()
    response.headers.update(dict(error.headers or {}))
    return response


def now_ms() -> int:
    """Return the machine's time."""
    return time.time_ns() // 1_000_000
