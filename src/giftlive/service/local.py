"""The service inside one program: no HTTP, no threads, one record after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from giftlive.service.answers import answer_of
from giftlive.service.applying import Heard
from giftlive.service.deciding import POPULARITY, SCORER, Request
from giftlive.service.engine import Engine, Origin, open_engine
from giftlive.service.events import Event
from giftlive.service.record import EVENTS, MODEL, POLICY, TICK, Record
from giftlive.service.scoring import Values
from giftlive.service.state import State
from giftlive.service.store.protocol import Store


@dataclass
class LocalService:
    """Decides as the server with ``clock = "requests"`` does: equal calls, equal answers.

    Time is what calls say it is, and never goes back.
    """

    store: Store
    engine: Engine

    @staticmethod
    def open(store: Store, origin: Origin, ts: int) -> LocalService:
        """Begin a log, or go on from the one that is there."""
        return LocalService(store, open_engine(store, origin, ts))

    @property
    def state(self) -> State:
        """The state, for readers."""
        return self.engine.state

    def decide(self, request: Request, ts: int) -> dict[str, Any]:
        """Return the answer to a request, the same one to the same request."""
        seq = self.state.requests.get(request.request_id)
        logged = self.store.get(seq) if seq is not None else None
        if logged is None:
            now = self._on(ts)
            mode = SCORER if self.state.vectors.values else POPULARITY
            record = self.engine.propose(request, now, mode, ts)
            self._write(record)
        else:
            record = logged.record
        return answer_of(record, self.state.settings.expiry_seconds)

    def hear(self, batch: Sequence[Event], ts: int | None = None) -> Heard:
        """Take in a batch of events, as of the latest of them."""
        now = self._on(max(e.ts for e in batch) if ts is None else ts)
        heard: Heard = self._write(Record(EVENTS, now, {"events": [e.plain() for e in batch]}))
        return heard

    def switch(self, change: dict[str, Any]) -> None:
        """Switch policies."""
        self._write(Record(POLICY, self.state.ts, change))

    def swap(self, values: Values) -> None:
        """Take other values."""
        self._write(Record(MODEL, self.state.ts, {"values": values.plain()}))

    def tick(self, ts: int) -> Any:
        """Let time pass; return the guardrails newly breached."""
        return self._write(Record(TICK, max(ts, self.state.ts), {}))

    def _on(self, ts: int) -> int:
        now = max(ts, self.state.ts)
        if self.state.tick_ts < 0 or now - self.state.tick_ts >= self.state.settings.tick_ms:
            self.tick(now)
        return now

    def _write(self, record: Record) -> Any:
        _, mine = self.store.commit(self.state.seq, lambda others, ts: [record])
        return self.engine.apply(mine[0])
