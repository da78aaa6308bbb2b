"""What the service does for its callers: decide, hear, switch; and the clock that moves it on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from giftlive.errors import UnavailableError, UsageError
from giftlive.service.answers import answer_of, explanation_of
from giftlive.service.applying import Heard
from giftlive.service.committer import Committer
from giftlive.service.deciding import MODEL as FULL_MODEL
from giftlive.service.deciding import POPULARITY, SCORER, Request
from giftlive.service.engine import Engine
from giftlive.service.events import Event
from giftlive.service.record import DIGEST, EVENTS, MODEL, POLICY, TICK, Record
from giftlive.service.scoring import Values
from giftlive.service.settings import ServiceSettings
from giftlive.service.state import State
from giftlive.service.store.protocol import Store
from giftlive.service.views import History, summary_of

_SAME = (
    *("live_rooms", "viewers", "open_decisions", "decisions", "events", "duplicate_events"),
    *("orphan_events", "amount"),
)


class ConflictError(UsageError):
    """A request id that was used for another request."""


@dataclass
class Desk:
    """The running service without its HTTP.

    Attributes
    ----------
    settings : limits and clock; what decides results is the log's. engine, store : the state.
    degraded_until : before this time (monotonic seconds) the full model is left out.
    """

    settings: ServiceSettings
    engine: Engine
    store: Store
    committer: Committer = field(init=False)
    history: History = field(default_factory=History)
    degraded_until: float = 0.0
    waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """The state, for readers."""
        return self.engine.state

    def clock(self, ts: int | None) -> int:
        """Return what the clock says, the machine's or the request's."""
        if self.settings.clock == "requests":
            return self.state.ts if ts is None else ts
        return time.time_ns() // 1_000_000

    def now(self, ts: int | None) -> int:
        """Return the time that counts: the clock's, but it never goes back."""
        return max(self.clock(ts), self.state.ts)

    async def decide(self, request: Request, ts: int | None = None) -> dict[str, Any]:
        """Return the answer to a request, the same one to the same request.

        Raises
        ------
        ConflictError
            The id was used for another request.
        UnavailableError
            The store cannot write now.
        """
        again = await self._answered(request)
        if again is not None:
            return again
        now = self.now(ts)
        await self._tick_if_due(now)
        record = self._proposed(request, now, self.clock(ts))
        future = self.committer.submit(record)
        self.waiting[request.request_id] = future
        try:
            logged, _ = await self._durable(future)
        finally:
            self.waiting.pop(request.request_id, None)
        return self._said(request, logged.record)

    async def hear(self, batch: Sequence[Event], ts: int | None = None) -> Heard:
        """Take in a batch of events; return what became of them once they are durable."""
        now = self.now(ts if ts is not None else max((e.ts for e in batch), default=None))
        await self._tick_if_due(now)
        record = Record(EVENTS, now, {"events": [e.plain() for e in batch]})
        _, heard = await self._durable(self.committer.submit(record))
        return heard if isinstance(heard, Heard) else Heard()

    async def switch(self, change: dict[str, Any]) -> int:
        """Switch policies; return the number of the record that did it."""
        record = Record(POLICY, self.now(None), change)
        logged, _ = await self._durable(self.committer.submit(record))
        return int(logged.seq)

    async def swap(self, values: Values) -> int:
        """Take other values between two decisions; return the number of the record that did it."""
        self.state.library[values.version] = values
        record = Record(MODEL, self.now(None), {"values": values.plain()})
        logged, _ = await self._durable(self.committer.submit(record))
        return int(logged.seq)

    def explain(self, decision_id: str) -> dict[str, Any] | None:
        """Return why a decision was as it was; None where there is none of this id."""
        seq = self.state.decisions.get(decision_id)
        logged = self.store.get(seq) if seq is not None else None
        if logged is None:
            return None
        return explanation_of(logged.record, self.state.settings.expiry_seconds)

    async def tick(self) -> None:
        """Let time pass, if anything has happened or waits to."""
        if self.settings.clock == "wall":
            await self._durable(self.committer.submit(Record(TICK, self.now(None), {})))

    async def run(self) -> None:
        """Tick for ever; a store that fails is tried again at the next tick."""
        state, every = self.state, self.state.settings.tick_ms / 1000.0
        while True:
            await asyncio.sleep(every)
            try:
                if state.seq != state.tick_seq or state.joiner.open or state.rooms.slot_of:
                    await self.tick()
                    self.history.add(state)
                    await self.check()
                else:
                    self.committer.poll()
            except UnavailableError:
                continue

    def problems(self) -> list[str]:
        """Return why the service is not ready, nothing where it is."""
        found = []
        if self.committer.spoilt:
            found.append("a record could not be applied: start again")
        if self.committer.broken:
            found.append("the log cannot be written")
        if self.committer.depth >= self.settings.limits.waiting:
            found.append("too many records wait")
        return found

    def measure(self, gauges: dict[str, Any]) -> None:
        """Set the gauges to how things stand."""
        state = self.state
        known = summary_of(state)
        for name, key in (("log_seq", "seq"), *((name, name) for name in _SAME)):
            gauges[name].set(known[key])
        gauges["waiting"].set(self.committer.depth)
        gauges["commit_failures"].set(self.committer.failures)
        age = (self.now(None) - state.tick_ts) / 1000.0 if state.tick_ts >= 0 else 0.0
        gauges["tick_age_seconds"].set(age)
        gauges["stale_prices"].set(state.pricer.stale)
        gauges["kill_switch"].set(state.switch.killed)
        watches = state.guardrails.watches.values()
        gauges["guardrails_breached"].set(sum(watch.breached for watch in watches))
        gauges["guardrail_trips"].set(len(state.guardrails.trips))

    async def check(self) -> None:
        """Now and then, write a digest of the state for ``--verify``."""
        state = self.state
        if state.ticks % state.settings.digest_every_ticks == 0 and state.seq == state.tick_seq:
            await self.seal()

    async def seal(self) -> None:
        """Write the digest of the state as it is now, with the number it belongs to."""
        meta = {"seq": self.state.seq, "digest": self.state.digest()}
        await self._durable(self.committer.submit(Record(DIGEST, self.now(None), meta)))

    async def _tick_if_due(self, now: int) -> None:
        state = self.state
        by_requests = self.settings.clock == "requests"
        due = by_requests and now - state.tick_ts >= state.settings.tick_ms
        if due or state.tick_ts < 0:
            await self._durable(self.committer.submit(Record(TICK, now, {})))

    async def _answered(self, request: Request) -> dict[str, Any] | None:
        waits = self.waiting.get(request.request_id)
        if waits is not None:
            logged, _ = await self._durable(asyncio.shield(waits))
            return self._said(request, logged.record)
        seq = self.state.requests.get(request.request_id)
        logged = self.store.get(seq) if seq is not None else None
        return self._said(request, logged.record) if logged else None

    def _said(self, request: Request, record: Record) -> dict[str, Any]:
        if record.meta.get("asked") != request.digest:
            raise ConflictError(
                "this id was used for another request",
                "request_id",
                "a new id for a new request",
                "send the same body again, or take another id",
            )
        return answer_of(record, self.state.settings.expiry_seconds)

    def _proposed(self, request: Request, now: int, clock_ts: int) -> Record:
        mode = SCORER
        if self.state.vectors.values is None:
            mode = POPULARITY
        elif self.state.settings.rerank and time.monotonic() >= self.degraded_until:
            mode = FULL_MODEL
        began = time.perf_counter()
        record = self.engine.propose(request, now, mode, clock_ts)
        limits = self.settings.limits
        if mode == FULL_MODEL and time.perf_counter() - began > limits.model_ms / 1000.0:
            self.degraded_until = time.monotonic() + limits.model_rest_seconds
        return record

    async def _durable(self, future: asyncio.Future[Any]) -> Any:
        try:
            async with asyncio.timeout(self.settings.limits.store_seconds):
                return await asyncio.shield(future)
        except TimeoutError as error:
            raise UnavailableError("the store is slow", "the log", "an answer in time") from error
