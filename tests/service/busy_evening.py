"""A small platform that lives by the wall clock: it asks, shows, watches, gives and leaves."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import httpx

from giftlive.rng import stream
from giftlive.service.settings import (
    DecisiveSettings,
    JoinSettings,
    PricerSettings,
    ServiceSettings,
)

ROOMS, USERS = 16, 60


def hurried() -> ServiceSettings:
    """Settings under which an evening passes in seconds: prices move, outcomes are soon final."""
    return ServiceSettings(
        decisive=DecisiveSettings(
            tick_ms=200,
            join=JoinSettings(click_seconds=1.5, settle_seconds=0.3, hold_seconds=1.0),
            pricer=PricerSettings(learning_rate=900.0),
        )
    )


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def open_rooms(client: httpx.Client) -> None:
    """Open rooms, most of them with few seats."""
    seats = [2, 3, 3, 4, 4, 5, 5, 6, 6, 8, 8, 10, 12, 20, None, None]
    events = [
        {"event_id": f"o{k}", "type": "room_open", "ts": now_ms(), "live_id": 100 + k}
        | {"streamer_id": 10 + k}
        | ({"seats": seats[k]} if seats[k] else {})
        for k in range(ROOMS)
    ]
    client.post("/v1/events", json={"events": events}).raise_for_status()


class Platform:
    """Who is watching where until when, and what they give."""

    def __init__(self, client: httpx.Client, seed: int = 0) -> None:
        self.client, self.rng = client, stream(seed, "busy evening")
        self.inside: deque[tuple[float, int, int, str]] = deque()
        self.number = 0

    def step(self) -> None:
        """One user comes; those whose time is over leave."""
        self.number += 1
        user = int(self.rng.integers(USERS))
        body = {"request_id": f"r{self.number}", "user_id": user}
        said = self.client.post("/v1/decisions", json=body).raise_for_status().json()
        events = self._left()
        if said["ranking"]:
            events += self._came(user, said["ranking"][0]["live_id"], said["decision_id"])
        if events:
            self.client.post("/v1/events", json={"events": events}).raise_for_status()

    def _came(self, user: int, live: int, decision: str) -> list[dict[str, Any]]:
        if self.rng.random() < 0.15:
            return [self._event("skip", user, live, decision)]
        found = [self._event("click", user, live, decision)]
        if self.rng.random() < 0.35:
            amount = int(1 + self.rng.pareto(1.6) * 4)
            found += [self._event("gift", user, live, decision) | {"amount": amount}]
        until = time.monotonic() + float(self.rng.exponential(2.0))
        self.inside.append((until, user, live, decision))
        return found

    def _left(self) -> list[dict[str, Any]]:
        now = time.monotonic()
        gone = [one for one in self.inside if one[0] <= now]
        self.inside = deque(one for one in self.inside if one[0] > now)
        return [self._event("leave", u, s, d) | {"watch_ms": 2000} for _, u, s, d in gone]

    def _event(self, kind: str, user: int, live: int, decision: str) -> dict[str, Any]:
        self.number += 1
        return {
            "event_id": f"{kind}-{self.number}",
            "type": kind,
            "ts": now_ms(),
            "user_id": user,
            "live_id": live,
            "decision_id": decision,
        }
