"""A log fed to a running service as a platform would: rooms open, users come, gifts follow.

Every entry of the log is a moment at which the platform asks for a decision, and what the log says
happened is reported when it happened. The log's users did what they did whatever the service says:
an event counts for a decision only where the service showed the room that the user entered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from giftlive.client.synchronous import Client
from giftlive.logs.store import Store

_LARGEST_BATCH = 500
_CHUNK = 4_096
_KINDS = ("open", "click", "comment", "like", "gift", "skip", "leave", "close")

_SQL = """
select ts, kind, user_id, live_id, streamer_id, x, id from (
  select start_ts as ts, 0 as kind, null as user_id, live_id, streamer_id, null as x, live_id as id
    from room
  union all select ts, 1, user_id, live_id, streamer_id, null, row_id from click
  union all select ts, 2, user_id, live_id, streamer_id, null, row_id from comment
  union all select ts, 3, user_id, live_id, streamer_id, null, row_id from likes
  union all select ts, 4, user_id, live_id, streamer_id, amount, row_id from gift
  union all select ts, 5, user_id, live_id, streamer_id, null, row_id from negative
  union all select ts + watch_ms, 6, user_id, live_id, streamer_id, watch_ms, row_id from click
  union all select end_ts, 7, null, live_id, streamer_id, null, live_id
    from room where end_ts is not null
) e where ts >= ? and ts < ? order by ts, kind, id
"""


@dataclass
class Progress:
    """What a replay has done so far.

    Attributes
    ----------
    ts : time of the log. seconds : of every decision's round trip, the latest few thousand.
    shown_same : decisions that showed the room which the user entered.
    """

    ts: int = 0
    decisions: int = 0
    events: int = 0
    joined: int = 0
    shown_same: int = 0
    amount: int = 0
    seconds: list[float] = field(default_factory=list)

    def timed(self, seconds: float) -> None:
        """Keep one round trip."""
        self.seconds.append(seconds)
        del self.seconds[:-4_000]


@dataclass
class Replay:
    """Feeds a log to a service.

    Attributes
    ----------
    speed : seconds of the log in a second of ours; 0: as fast as the service answers.
    seats : given to every room; None: no limit. run : put into every id, so that a log can be
        replayed again. shift_ms : added to every time: 0 for a service with ``clock = "requests"``.
    """

    client: Client
    store: Store
    speed: float = 0.0
    seats: int | None = None
    run: str = "replay"
    shift_ms: int = 0
    places: int = 1
    progress: Progress = field(default_factory=Progress)
    _waiting: list[dict[str, Any]] = field(default_factory=list)

    def play(
        self,
        from_ts: int = 0,
        to_ts: int = 1 << 62,
        most: int | None = None,
        watch: Callable[[Progress], None] = lambda progress: None,
    ) -> Progress:
        """Feed what the log holds of [from_ts, to_ts), at most ``most`` decisions of it.

        Parameters
        ----------
        watch : told after every decision how far it is.
        """
        began, first = time.monotonic(), None
        for ts, kind, user, live, streamer, x, row in self._rows(from_ts, to_ts):
            first = ts if first is None else first
            self._keep_pace(began, ts - first)
            self.progress.ts = ts
            if kind == 1:
                if most is not None and self.progress.decisions >= most:
                    break
                self._flush()
                self._decide(ts, user, live, row)
                watch(self.progress)
            self._happened(ts, kind, user, live, streamer, x, row)
        self._flush()
        return self.progress

    def _decide(self, ts: int, user: int, live: int, row: int) -> None:
        began = time.perf_counter()
        answer = self.client.decide(
            user, n=self.places, request_id=f"{self.run}-{row}", ts=ts + self.shift_ms
        )
        self.progress.timed(time.perf_counter() - began)
        self.progress.decisions += 1
        self.progress.shown_same += live in [room["live_id"] for room in answer["ranking"]]

    def _happened(
        self,
        ts: int,
        kind: int,
        user: int | None,
        live: int,
        streamer: int,
        x: int | None,
        row: int,
    ) -> None:
        name = _KINDS[kind]
        event: dict[str, Any] = {
            "event_id": f"{self.run}-{name}-{row}",
            "type": {"open": "room_open", "close": "room_close"}.get(name, name),
            "ts": ts + self.shift_ms,
            "live_id": live,
            "streamer_id": streamer,
        }
        if user is not None:
            event["user_id"] = user
        if name == "gift":
            event["amount"] = x
            self.progress.amount += int(x or 0)
        if name == "leave":
            event["watch_ms"] = x
        if name == "open" and self.seats is not None:
            event["seats"] = self.seats
        self._waiting.append(event)
        if len(self._waiting) >= _LARGEST_BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            heard = self.client.send(self._waiting)
            self.progress.events += heard["accepted"]
            self.progress.joined += heard["joined"]
            self._waiting.clear()

    def _keep_pace(self, began: float, passed_ms: int) -> None:
        if self.speed > 0.0:
            ahead = passed_ms / 1000.0 / self.speed - (time.monotonic() - began)
            if ahead > 0.0:
                self._flush()
                time.sleep(ahead)

    def _rows(self, from_ts: int, to_ts: int) -> Iterator[tuple[Any, ...]]:
        con = self.store.connect()
        try:
            found = con.execute(_SQL, [from_ts, to_ts])
            while rows := found.fetchmany(_CHUNK):
                yield from rows
        finally:
            con.close()
