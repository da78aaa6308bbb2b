"""What every request passes: size, time, count; nothing escapes as a stack trace."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from giftlive.service.api.errors import RefusedError
from giftlive.service.console.assets import POLICY
from giftlive.service.telemetry import Telemetry, say

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", POLICY.encode()),
]
Handler = Callable[[Request], Awaitable[Response]]
_SECRETS = ("key", "token", "secret", "auth")


class Gate:
    """ASGI middleware around the whole application.

    Parameters
    ----------
    known : paths that metrics count by name; all others count as ``other``.
    direct : handlers by (method, path) that need no router: it costs as much as a decision does.
    """

    def __init__(
        self,
        app: Any,
        telemetry: Telemetry,
        body_bytes: int,
        known: set[str],
        direct: Mapping[tuple[str, str], Handler],
    ) -> None:
        self._app, self._telemetry, self._most, self._known = app, telemetry, body_bytes, known
        self._direct = direct

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), [500]
        started = [False]

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                status[0], started[0] = message["status"], True
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        try:
            refused = self._refused(scope)
            if refused is not None:
                raise refused
            handler = self._direct.get((scope["method"], scope["path"]))
            if handler is None:
                await self._app(scope, self._bounded(receive), sending)
            else:
                response = await handler(Request(scope, self._bounded(receive)))
                await response(scope, receive, sending)
        except (Exception, asyncio.CancelledError) as error:
            refusal = _refusal(error)
            if not started[0]:
                await refusal.response()(scope, receive, sending)
        self._count(scope, status[0], time.perf_counter() - began)

    def _refused(self, scope: Any) -> RefusedError | None:
        """Return why a request is refused before it is read."""
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value) > self._most):
                return self._too_large()
        query = scope["query_string"].decode("latin-1").lower()
        names = [part.partition("=")[0] for part in query.split("&")]
        if "gl_" in query or any(secret in name for name in names for secret in _SECRETS):
            return RefusedError(
                401,
                "key_in_url",
                "a key does not belong in a URL",
                hint="send it as `Authorization: Bearer KEY`, and revoke this one",
            )
        return None

    def _bounded(self, receive: Any) -> Any:
        read = [0]

        async def receiving() -> Any:
            message = await receive()
            read[0] += len(message.get("body", b""))
            if read[0] > self._most:
                raise self._too_large()
            return message

        return receiving

    def _too_large(self) -> RefusedError:
        return RefusedError(
            413, "too_large", f"more than {self._most} bytes", "body", "send smaller batches"
        )

    def _count(self, scope: Any, status: int, seconds: float) -> None:
        path = scope["path"] if scope["path"] in self._known else "other"
        self._telemetry.answered(path, status, seconds)
        if status >= 500:
            say("request", logging.WARNING, path=path, status=status, ms=round(seconds * 1e3, 2))


def _refusal(error: BaseException) -> RefusedError:
    """Return what a caller is told; a bug is said in the log, not to the caller."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, asyncio.CancelledError):  # the service ends; its server would answer 500
        return RefusedError(503, "unavailable", "the service ends", retry_after=1.0)
    logging.getLogger("giftlive.service").error("a request failed", exc_info=error)
    hint = "it is in the service's log"
    return RefusedError(500, "internal", "the service has a defect", hint=hint)
