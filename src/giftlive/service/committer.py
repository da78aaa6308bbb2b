"""Group commit: what arrives while one group is being written is the next group.

A thread writes; the event loop applies what became durable, in the order of the log, and lets the
callers go. So an answer leaves only after its record is on disk, one sync serves all that waited,
and the state is touched by one thread alone. Without a limit on waiting the queue would hide a slow
disk; beyond ``limits.waiting`` callers are refused.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from giftlive.errors import UnavailableError
from giftlive.service.engine import Engine
from giftlive.service.record import TICK, Logged, Record
from giftlive.service.store.protocol import Store
from giftlive.service.telemetry import LOGGER

_LARGEST_GROUP = 256


@dataclass(frozen=True)
class Item:
    """A record that waits, and who waits for it."""

    record: Record
    future: asyncio.Future[tuple[Logged, Any]]


class Committer:
    """Writes records in groups and applies them.

    Attributes
    ----------
    seconds : what the last group took to become durable. groups, written : how many so far.
    broken : the store did not take the last group.
    spoilt : a record could not be applied; nothing more is taken.
    """

    def __init__(
        self, store: Store, engine: Engine, waiting: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.store, self.engine = store, engine
        self.seconds, self.groups, self.written, self.failures = 0.0, 0, 0, 0
        self.broken, self.spoilt = False, False
        self.observe: Any = lambda seconds, records: None
        self._loop, self._most = loop, waiting
        self._queue: list[Item] = []
        self._busy, self._ringing = 0, False
        self._wake, self._stopping, self._poll = threading.Condition(), False, False
        self._after = engine.state.seq
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """How many records wait or are being written."""
        return len(self._queue) + self._busy

    def submit(self, record: Record) -> asyncio.Future[tuple[Logged, Any]]:
        """Queue a record; the future is its place in the log and what applying it returned.

        Raises
        ------
        UnavailableError
            Too many wait already. The future raises it when the store cannot write.
        """
        if self.spoilt:
            raise UnavailableError("this worker is spoilt", "the state", "a restart")
        if self.depth >= self._most:
            raise UnavailableError(f"{self.depth} records wait", "the log", "a faster disk")
        future: asyncio.Future[tuple[Logged, Any]] = self._loop.create_future()
        self.engine.sent(record)
        with self._wake:
            self._queue.append(Item(record, future))
        if not self._ringing:  # once for all that this turn of the loop brings: waking costs
            self._ringing = True
            self._loop.call_soon(self._ring)
        return future

    def _ring(self) -> None:
        self._ringing = False
        with self._wake:
            self._wake.notify()

    def poll(self) -> None:
        """Read what other workers wrote, soon."""
        with self._wake:
            self._poll = True
            self._wake.notify()

    def stop(self) -> None:
        """Write what waits, then end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._queue or self._stopping or self._poll):
                    self._wake.wait()
                group = self._queue[:_LARGEST_GROUP]
                del self._queue[:_LARGEST_GROUP]
                self._busy, self._poll = len(group), False
                if not group and self._stopping:
                    return
            began = time.perf_counter()
            try:
                others, mine = self._commit(group)
            except UnavailableError as error:
                self._tell(self._failed, group, error)
            else:
                self.seconds = time.perf_counter() - began
                self._after += len(others) + sum(m is not None for m in mine)
                self._tell(self._done, group, others, mine)

    def _tell(self, function: Any, *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(function, *arguments)

    def _commit(self, group: Sequence[Item]) -> tuple[list[Logged], list[Logged | None]]:
        try:
            return self._write(group, {})
        except UnavailableError:
            known = {
                item.record.key: found
                for item in group
                if item.record.key and (found := self.store.find(item.record.key))
            }
            if not known:
                raise
            return self._write(group, known)

    def _write(
        self, group: Sequence[Item], known: dict[Any, Any]
    ) -> tuple[list[Logged], list[Logged | None]]:
        """Write a group without repetitions; None stands where a record was one."""
        kept: list[int] = []

        def compose(others: Sequence[Logged], last_ts: int) -> list[Record]:
            keys = {o.record.key for o in others if o.record.key} | set(known)
            ticked = any(o.record.kind == TICK for o in others)
            found = []
            for k, item in enumerate(group):
                record = item.record
                if (record.key and record.key in keys) or (ticked and record.kind == TICK):
                    continue
                last_ts = max(last_ts, record.ts)
                kept.append(k)
                found.append(record if record.ts == last_ts else replace(record, ts=last_ts))
            return found

        others, written = self.store.commit(self._after, compose)
        mine: list[Logged | None] = [None] * len(group)
        for k, logged in zip(kept, written, strict=True):
            mine[k] = logged
        return others, mine

    def _done(
        self, group: Sequence[Item], others: Sequence[Logged], mine: Sequence[Logged | None]
    ) -> None:
        self._busy, self.broken = 0, False
        by_key: dict[str | None, Logged] = {o.record.key: o for o in others if o.record.key}
        for item in group:
            self.engine.sent(item.record, -1)
        try:
            for other in others:
                self.engine.apply(other)
            for item, logged in zip(group, mine, strict=True):
                result = self.engine.apply(logged) if logged else None
                there = logged or by_key.get(item.record.key) or self._elsewhere(item.record)
                if not item.future.done():
                    item.future.set_result((there, result))
        except Exception:  # a defect: what is in memory is no longer what the log says
            LOGGER.exception("a record could not be applied; this worker has to be started again")
            self.spoilt = True
            self._failed(group, UnavailableError("this worker is spoilt", "the state", "a restart"))
        self.groups += 1
        self.written += len(group)
        self.observe(self.seconds, len(group))

    def _elsewhere(self, record: Record) -> Logged:
        """Return the record that made this one a repetition; a tick needs none."""
        found = self.store.find(record.key) if record.key else None
        return found or Logged(self.engine.state.seq, record)

    def _failed(self, group: Sequence[Item], error: UnavailableError) -> None:
        self._busy, self.broken = 0, True
        self.failures += 1
        for item in group:
            self.engine.sent(item.record, -1)
            if not item.future.done():
                item.future.set_exception(error)
