"""The calls of the console: its files for everybody, its numbers for those with a key."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

import giftlive
from giftlive.errors import UnavailableError
from giftlive.service import views
from giftlive.service.api.access import Access
from giftlive.service.api.errors import RefusedError, invalid, json_response
from giftlive.service.console.assets import LANGUAGES, Asset, assets
from giftlive.service.console.boards import Boards
from giftlive.service.console.jobs import BusyError, Jobs, WhatIfBody
from giftlive.service.console.readings import decisions_of, latest_seqs, reach_of, revenue_of
from giftlive.service.desk import Desk
from giftlive.service.ruling import ALONE

_ANY = ("decide", "ingest")
_READ = ("decide",)
_LATEST = 50


@dataclass
class Console:
    """The console of one application.

    Attributes
    ----------
    run : folder whose studies are shown, None: none.
    """

    desk: Desk
    access: Access
    run: Path | None = None
    jobs: Jobs = field(default_factory=Jobs)
    boards: Boards = field(init=False)

    def __post_init__(self) -> None:
        self.boards = Boards(self.run)

    async def index(self, request: Request) -> Response:
        """Return the page."""
        return _sent(assets()["index.html"])

    async def asset(self, request: Request) -> Response:
        """Return a file of the page."""
        found = assets().get(request.path_params["name"])
        if found is None:
            raise RefusedError(404, "not_found", "no such file", "name")
        return _sent(found)

    async def about(self, request: Request) -> Response:
        """Return the totals, which code answers, and since when the policy acts."""
        self.access.require(request, _ANY)
        state = self.desk.state
        found = views.summary_of(state) | {"version": giftlive.__version__}
        found |= {"target_load": state.settings.pricer.target, "clock": self.desk.settings.clock}
        found |= {"policies": ALONE} | reach_of(self.desk.history.points)
        return json_response(found)

    async def revenue(self, request: Request) -> Response:
        """Return revenue per minute over time, with intervals."""
        self.access.require(request, _ANY)
        return json_response(revenue_of(list(self.desk.history.points)))

    async def decisions(self, request: Request) -> Response:
        """Return the latest decisions, the latest first."""
        self.access.require(request, _READ)
        state = self.desk.state
        seqs = latest_seqs(state, _LATEST)
        try:
            lines = await asyncio.to_thread(
                decisions_of, self.desk.store, seqs, state.settings.expiry_seconds
            )
        except UnavailableError as error:
            raise RefusedError(503, "unavailable", error.what, retry_after=1.0) from error
        return json_response({"decisions": lines})

    async def ask(self, request: Request) -> Response:
        """Start playing a what-if, or return the one that was played."""
        owner = self.access.require(request, _READ)
        try:
            asked = WhatIfBody.model_validate_json(await request.body())
        except ValidationError as error:
            raise invalid(error, WhatIfBody) from error
        try:
            job = await self.jobs.ask(asked, self.desk.state.switch.ruling.spec, owner)
        except BusyError as error:
            raise RefusedError(
                429, "busy", "somebody else's what-if is being played", retry_after=3.0
            ) from error
        return json_response(job.plain(), 202)

    async def answer(self, request: Request) -> Response:
        """Return how far a what-if is, and its result."""
        self.access.require(request, _READ)
        job = self.jobs.kept.get(request.path_params["job_id"])
        if job is None:
            raise RefusedError(404, "not_found", "no such what-if", "job_id")
        return json_response(job.plain())

    async def studies(self, request: Request) -> Response:
        """Return the gate board of the run, with ``lang`` of the sentences."""
        self.access.require(request, _ANY)
        lang = request.query_params.get("lang", LANGUAGES[0])
        if lang not in LANGUAGES:
            raise RefusedError(422, "invalid_request", "no such language", "lang")
        return json_response({"board": await self.boards.board(lang)})

    async def report(self, request: Request) -> Response:
        """Return the report of the run, a file to keep: it has scripts of its own."""
        self.access.require(request, _ANY)
        path = self.boards.report()
        if path is None:
            raise RefusedError(404, "not_found", "no report", hint="giftlive serve --run RUN")
        body = await asyncio.to_thread(path.read_bytes)
        headers = {"Content-Disposition": 'attachment; filename="report.html"'}
        return Response(body, 200, headers, media_type="text/html; charset=utf-8")

    async def close(self) -> None:
        """End what is being played."""
        await self.jobs.close()

    def router(self) -> APIRouter:
        """Return the routes; they serve the page and are no part of the API's description."""
        router = APIRouter(include_in_schema=False, default_response_class=Response)
        for path, call in (
            ("/", self.index),
            ("/console/{name}", self.asset),
            ("/v1/console/about", self.about),
            ("/v1/console/revenue", self.revenue),
            ("/v1/console/decisions", self.decisions),
            ("/v1/console/what-if/{job_id}", self.answer),
            ("/v1/console/studies", self.studies),
            ("/v1/console/report", self.report),
        ):
            router.add_api_route(path, call, methods=["GET"])
        router.add_api_route("/v1/console/what-if", self.ask, methods=["POST"])
        return router


def _sent(asset: Asset) -> Response:
    return Response(asset.body, media_type=asset.media_type)
