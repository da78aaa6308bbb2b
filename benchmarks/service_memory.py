"""Minutes of a platform's life through the decision service, and the memory of its process.

    giftlive bench service --minutes 30 [--run RUN] [--rate 20]

Time is what requests say, so that half an hour passes as fast as the service answers. Users come,
are shown rooms, watch, give and leave; rooms open and close all the time, and nothing of the log is
kept by the bench. Exit 1 when the last third of the time needs a tenth more memory than was
there before it, or a call is refused.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.client import Client

USERS, ROOMS, BEGIN = 5_000, 200, 1_746_374_400_000
ALLOWED = 1.10
_STEPS = 6


@dataclass
class Platform:
    """Who watches which room until when; rooms that come and go."""

    client: Client
    rate: int
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    inside: deque[tuple[int, int, int]] = field(default_factory=deque)
    rooms: deque[int] = field(default_factory=deque)
    opened: int = 0
    number: int = 0

    def second(self, second: int) -> None:
        """Let a second pass: decisions, what follows of them, and what followed of older ones."""
        now, events = BEGIN + 1_000 * second, []
        while len(self.rooms) < ROOMS:
            events.append(self._open(now))
        if second % 15 == 14:
            events.append(self._event("room_close", now, live_id=self.rooms.popleft()))
        while self.inside and self.inside[0][0] <= now:
            _, user, live = self.inside.popleft()
            told = {"user_id": user, "live_id": live, "watch_ms": 20_000}
            events.append(self._event("leave", now, **told))
        if events:
            self.client.send(events)
        self._decide(now)

    def _decide(self, now: int) -> None:
        events = []
        for user in self.rng.integers(0, USERS, self.rate).tolist():
            self.number += 1
            answer = self.client.decide(user, request_id=f"r{self.number}", ts=now)
            if not answer["ranking"] or self.rng.random() < 0.4:
                continue
            who = {"user_id": user, "live_id": answer["ranking"][0]["live_id"]}
            events.append(self._event("click", now, decision_id=answer["decision_id"], **who))
            if self.rng.random() < 0.05:
                amount = 1 + int(self.rng.pareto(1.2))
                events.append(self._event("gift", now + 1, amount=amount, **who))
            self.inside.append((now + 20_000, user, who["live_id"]))
        if events:
            self.client.send(events)

    def _open(self, now: int) -> dict[str, Any]:
        self.opened += 1
        self.rooms.append(self.opened)
        what = {"live_id": self.opened, "streamer_id": self.opened % 1_000, "seats": 30}
        return self._event("room_open", now, **what)

    def _event(self, kind: str, ts: int, **what: Any) -> dict[str, Any]:
        self.number += 1
        return {"event_id": f"e{self.number}", "type": kind, "ts": ts, **what}


def memory_mib(pid: int) -> float:
    """Return the resident memory of a process, MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return float(status.partition("VmRSS:")[2].split()[0]) / 1024.0


def play(pid: int, port: int, minutes: int, rate: int) -> int:
    """Print a line per sixth of the time; return 1 where memory did not stay."""
    from benchmarks.service import processor_seconds

    found: list[float] = []
    print(f"{'minute':>7s} {'decisions':>10s} {'MiB':>8s} {'cpu ms each':>12s} {'wall s':>8s}")
    began, before = time.perf_counter(), processor_seconds(pid)
    with Client(f"http://127.0.0.1:{port}", timeout=60.0) as client:
        platform = Platform(client, rate)
        for second in range(60 * minutes):
            platform.second(second)
            if (second + 1) % (10 * minutes) == 0:
                found.append(memory_mib(pid))
                decisions = rate * (second + 1)
                cpu = (processor_seconds(pid) - before) / decisions * 1e3
                wall = time.perf_counter() - began
                minute = (second + 1) // 60
                print(
                    f"{minute:7d} {decisions:10,d} {found[-1]:8.1f} {cpu:12.3f} {wall:8.1f}",
                    flush=True,
                )
    grown = found[-1] / found[2 * _STEPS // 3 - 1]
    print(f"last third: {grown:.3f} times the memory before it; allowed {ALLOWED:.2f}")
    return int(grown > ALLOWED)


def command(port: int, db: str, run: Path | None) -> list[str]:
    """Return the command of a service whose clock is that of its requests."""
    served = [sys.executable, "-m", "giftlive", "serve", "--no-keys", "--port", str(port)]
    return [*served, "--db", db, "--set", "clock=requests", *(["--run", str(run)] if run else [])]
