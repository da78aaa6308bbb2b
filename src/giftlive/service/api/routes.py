"""The calls of ``/v1``: thin, each reads its request and asks the desk."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from giftlive.clock import MS_PER_HOUR
from giftlive.errors import (
    ConfigError,
    GiftLiveError,
    NotEnoughDataError,
    UnavailableError,
    UsageError,
)
from giftlive.service import deciding, views
from giftlive.service.api import bodies
from giftlive.service.api.access import Access
from giftlive.service.api.errors import ErrorBody, RefusedError, invalid, json_response
from giftlive.service.desk import ConflictError, Desk
from giftlive.service.export import Wanted, write_export
from giftlive.service.ruling import build
from giftlive.service.scoring import read_values

_BODY_SECONDS = 15.0
ANY = ("decide", "ingest")
SCOPES = {
    ("post", "/v1/decisions"): ("decide",),
    ("post", "/v1/events"): ("ingest",),
    ("get", "/v1/decisions/{decision_id}"): ("decide",),
    ("put", "/v1/policy"): ("admin",),
    ("put", "/v1/model"): ("admin",),
    ("get", "/v1/state"): ("admin",),
    ("get", "/v1/export"): ("admin",),
}
"""What the description says of the calls that do not take a key of ``ANY`` scope; admin has all."""
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": what}
    for status, what in (
        (401, "no valid key"),
        (403, "the key may not do this"),
        (408, "the body did not come"),
        (413, "the body is too large"),
        (422, "not as described"),
        (429, "too often: see Retry-After"),
        (503, "the store cannot write now: see Retry-After"),
    )
}


@dataclass
class Calls:
    """The handlers of one application."""

    desk: Desk
    access: Access

    async def decide(self, request: Request) -> Response:
        """Say which room to show to a user, now, and at what price.

        The answer is in the log, with the propensity of every candidate, before it is sent. The
        same `request_id` gets the same answer again.
        """
        self.access.require(request, ("decide",))
        body = await _read(request, bodies.DecisionBody)
        limits = self.desk.settings.limits
        if body.candidates is not None and len(body.candidates) > limits.candidates:
            raise _too_many("candidates", len(body.candidates), limits.candidates)
        if body.n > limits.slots:
            raise _too_many("n", body.n, limits.slots)
        ts = body.context.ts if body.context else None
        self._require_now(ts, "context.ts")
        named = None if body.candidates is None else tuple(body.candidates)
        asked = deciding.Request(body.request_id, body.user_id, named, body.n)
        try:
            return json_response(await self.desk.decide(asked, ts))
        except ConflictError as error:
            raise RefusedError(409, "conflict", error.what, "request_id", error.hint) from error
        except UnavailableError as error:
            raise _unavailable(error) from error

    async def hear(self, request: Request) -> Response:
        """Take in what happened: clicks, gifts, leaves, rooms opening and closing.

        Idempotent on `event_id`; late and out of order is fine. Acknowledged events are on disk.
        """
        self.access.require(request, ("ingest",))
        body = await _read(request, bodies.EventsBody)
        limits = self.desk.settings.limits
        if len(body.events) > limits.events:
            raise _too_many("events", len(body.events), limits.events)
        refused, batch = {}, []
        for event in body.events:
            try:
                self._require_now(event.ts, "ts")
                self._require_recent(event.ts)
                batch.append(event.event())
            except RefusedError as error:
                refused[event.event_id] = error.detail.code
        answer = {"accepted": 0, "joined": 0, "duplicates": 0}
        if batch:
            try:
                heard = await self.desk.hear(batch)
            except UnavailableError as error:
                raise _unavailable(error) from error
            refused |= heard.refused
            answer = {
                "accepted": heard.accepted,
                "joined": heard.joined,
                "duplicates": heard.duplicates,
            }
        return json_response(answer | {"refused": refused})

    async def rooms(self, request: Request) -> Response:
        """Return the live rooms, their load and their prices."""
        self.access.require(request, ANY)
        return json_response(views.rooms_of(self.desk.state))

    async def prices(self, request: Request) -> Response:
        """Return the prices in force, and whether they stand still."""
        self.access.require(request, ANY)
        return json_response(views.prices_of(self.desk.state))

    async def policy(self, request: Request) -> Response:
        """Return who decides, the shadow, the kill switch and the guardrails."""
        self.access.require(request, ANY)
        return json_response(views.policy_of(self.desk.state))

    async def history(self, request: Request) -> Response:
        """Return totals and guardrails over time, one point per tick, thinned."""
        self.access.require(request, ANY)
        since = _number(request, "since", 0)
        most = max(1, _number(request, "points", 600))
        return json_response({"points": self.desk.history.since(since, most)})

    async def state(self, request: Request) -> Response:
        """Return totals; with `digest=1` also a digest of the whole state."""
        self.access.require(request, ("admin",))
        found = views.summary_of(self.desk.state)
        if _number(request, "digest", 0):
            found["digest"] = self.desk.state.digest()
        return json_response(found)

    async def decision(self, request: Request) -> Response:
        """Say why a room was shown: every candidate taken apart."""
        self.access.require(request, ("decide",))
        try:
            found = self.desk.explain(request.path_params["decision_id"])
        except UnavailableError as error:
            raise _unavailable(error) from error
        if found is None:
            hint = "the latest decisions are kept at hand; older ones are in the export"
            raise RefusedError(404, "not_found", "no such decision", "decision_id", hint)
        return json_response(found)

    async def put_policy(self, request: Request) -> Response:
        """Switch policy, shadow or kill switch: all at once, between two decisions."""
        self.access.require(request, ("admin",))
        body = await _read(request, bodies.PolicyBody)
        switch = self.desk.state.switch
        if body.if_version is not None and body.if_version != switch.ruling.version:
            hint = f"now: {switch.ruling.version}"
            raise RefusedError(409, "conflict", "another policy acts", "if_version", hint)
        try:
            for name in ("policy", "shadow"):
                if getattr(body, name) is not None:
                    build(getattr(body, name), name)
            await self.desk.switch(body.change())
        except ConfigError as error:
            raise RefusedError(
                422, "invalid_policy", error.what, str(error.where), error.expected or error.hint
            ) from error
        except UnavailableError as error:
            raise _unavailable(error) from error
        return json_response(views.policy_of(self.desk.state))

    async def put_model(self, request: Request) -> Response:
        """Take the values of another run folder, between two decisions.

        The Scorer goes into the log, so that a replay needs no folder; decisions go on while it is
        read.
        """
        self.access.require(request, ("admin",))
        body = await _read(request, bodies.ModelBody)
        full = self.desk.state.settings.rerank > 0
        try:
            values = await asyncio.to_thread(read_values, Path(body.run), full=full)
            await self.desk.swap(values)
        except UnavailableError as error:
            raise _unavailable(error) from error
        except (GiftLiveError, OSError, ValueError) as error:
            hint = "a folder that `giftlive run` wrote"
            raise RefusedError(422, "invalid_run", "no values there", "run", hint) from error
        return json_response(views.policy_of(self.desk.state))

    async def export(self, request: Request) -> Response:
        """Return decisions and their final rewards as Parquet, readable by `giftlive ope`.

        `from` and `to` are ms UTC. Decisions not yet final are left out from the first such one
        on, unless `unfinished=1`; the header `X-Giftlive-Before` says where the file ends.
        """
        self.access.require(request, ("admin",))
        wanted = Wanted(
            _number(request, "from", 0),
            _number(request, "to", bodies.LARGEST_TS),
            request.query_params.get("policy_version", ""),
            bool(_number(request, "unfinished", 0)),
            self.desk.settings.limits.export_rows,
        )
        with tempfile.TemporaryDirectory(prefix="giftlive-export-") as folder:
            path = Path(folder) / "decision.parquet"
            join = self.desk.state.settings.join
            try:
                rows, before = await asyncio.to_thread(
                    write_export, self.desk.store, join, wanted, path
                )
            except UnavailableError as error:
                raise _unavailable(error) from error
            except NotEnoughDataError as error:
                raise RefusedError(404, "no_decisions", error.what, hint=error.hint) from error
            except UsageError as error:
                raise RefusedError(
                    409, "which_policy", error.what, str(error.where), error.expected
                ) from error
            body = await asyncio.to_thread(path.read_bytes)
        headers = {"X-Giftlive-Rows": str(rows), "X-Giftlive-Before": str(before)}
        headers["Content-Disposition"] = 'attachment; filename="decision.parquet"'
        return Response(body, 200, headers, media_type="application/vnd.apache.parquet")

    def router(self) -> APIRouter:
        """Return the routes with their descriptions."""
        router = APIRouter(prefix="/v1", responses=_ERRORS)
        ok: dict[str, Any] = {"response_class": Response}
        conflict: dict[int | str, dict[str, Any]] = {409: {"model": ErrorBody}}
        router.add_api_route(
            *("/decisions", self.decide),
            methods=["POST"],
            openapi_extra=_takes(bodies.DecisionBody),
            responses={200: {"model": bodies.DecisionAnswer}, **conflict},
            **ok,
        )
        router.add_api_route(
            *("/events", self.hear),
            methods=["POST"],
            openapi_extra=_takes(bodies.EventsBody),
            responses={200: {"model": bodies.EventsAnswer}},
            **ok,
        )
        router.add_api_route(
            *("/policy", self.put_policy),
            methods=["PUT"],
            openapi_extra=_takes(bodies.PolicyBody),
            responses=conflict,
            **ok,
        )
        router.add_api_route(
            *("/model", self.put_model),
            methods=["PUT"],
            openapi_extra=_takes(bodies.ModelBody),
            **ok,
        )
        for path, call in (("/rooms", self.rooms), ("/prices", self.prices)):
            router.add_api_route(path, call, methods=["GET"], **ok)
        router.add_api_route("/policy", self.policy, methods=["GET"], **ok)
        numbers = {"history": ("since", "points"), "state": ("digest",)}
        for name, call in (("history", self.history), ("state", self.state)):
            asks = {"parameters": [_query(number) for number in numbers[name]]}
            router.add_api_route(f"/{name}", call, methods=["GET"], openapi_extra=asks, **ok)
        asks = {"parameters": [_query(name) for name in ("from", "to", "unfinished")]}
        version = {"name": "policy_version", "in": "query", "schema": {"type": "string"}}
        asks["parameters"].append(version)
        none: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody}, **conflict}
        router.add_api_route(
            "/export", self.export, methods=["GET"], openapi_extra=asks, responses=none, **ok
        )
        missing: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody}}
        which = {"name": "decision_id", "in": "path", "required": True}
        router.add_api_route(
            *("/decisions/{decision_id}", self.decision),
            methods=["GET"],
            openapi_extra={"parameters": [which | {"schema": {"type": "string"}}]},
            responses=missing,
            **ok,
        )
        return router

    def _require_now(self, ts: int | None, field: str) -> None:
        """Refuse a time in the future beyond the clocks' difference."""
        most = int(self.desk.settings.limits.clock_skew_seconds * 1000)
        if (
            ts is not None
            and self.desk.settings.clock == "wall"
            and ts > self.desk.now(None) + most
        ):
            hint = "ms since 1970, UTC, by a clock that is set"
            raise RefusedError(422, "clock_skew", "a time in the future", field, hint)

    def _require_recent(self, ts: int) -> None:
        """Refuse what happened so long ago that it would be taken for news."""
        most = int(self.desk.settings.limits.event_age_hours * MS_PER_HOUR)
        if self.desk.settings.clock == "wall" and ts < self.desk.clock(None) - most:
            hint = f"events of the latest {most / MS_PER_HOUR:g} hours: limits.event_age_hours"
            raise RefusedError(422, "too_old", "a time too far in the past", "ts", hint)


async def _read(request: Request, form: type[Any]) -> Any:
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await request.body()
    except TimeoutError as error:
        raise RefusedError(408, "slow_body", "the body did not come", "body") from error
    except ClientDisconnect as error:
        raise RefusedError(408, "disconnected", "the caller left", "body") from error
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        raise invalid(error, form) from error


def _number(request: Request, name: str, usual: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise RefusedError(422, "invalid_request", "not a whole number", name)
    return int(text)


def _too_many(field: str, found: int, most: int) -> RefusedError:
    return RefusedError(
        422, "too_many", f"{found}, at most {most}", field, "ask in several requests"
    )


def _unavailable(error: UnavailableError) -> RefusedError:
    hint = "send the same request again: its id makes that safe"
    return RefusedError(503, "unavailable", error.what, hint=hint, retry_after=1.0)


def _takes(form: type[BaseModel]) -> dict[str, Any]:
    """Return the description of a JSON body, which the handler reads by itself."""
    schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _query(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999}
    return {"name": name, "in": "query", "required": False, "schema": schema}


FORMS = (bodies.DecisionBody, bodies.EventsBody, bodies.PolicyBody, bodies.ModelBody)
"""Bodies whose parts the API's description has to hold."""
