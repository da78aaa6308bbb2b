"""Faults in the middle of things: a database that restarts under load, clocks, disorder."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0
from tests.service.postgres_server import Server
from tests.service.serving import served

from giftlive.service.api.app import Service, make_app
from giftlive.service.deciding import Request
from giftlive.service.engine import Engine, Origin, open_engine
from giftlive.service.events import Event
from giftlive.service.local import LocalService
from giftlive.service.settings import DecisiveSettings, JoinSettings, ServiceSettings
from giftlive.service.store import Store, open_store
from giftlive.service.verification import verify_log

DECISIVE = DecisiveSettings(digest_every_ticks=2)
ORIGIN = Origin(DECISIVE, planted.values())


@contextmanager
def _by_the_wall(store: Store) -> Iterator[tuple[httpx.Client, Engine]]:
    engine = open_engine(store, ORIGIN, time.time_ns() // 1_000_000)
    how = ServiceSettings(decisive=DECISIVE)
    with served(make_app(Service(how, store, engine, open_to_all=True))) as client:
        yield client, engine


class _Caller(threading.Thread):
    """Decides and reports until told to stop; sends again what was refused, as a client does."""

    def __init__(self, url: str, number: int, stop: threading.Event) -> None:
        super().__init__()
        self.url, self.number, self.stop = url, number, stop
        self.codes: Counter[int] = Counter()
        self.unasked: list[str] = []
        self.decided: dict[str, str] = {}
        self.heard: set[str] = set()
        self.turned = threading.Condition()

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=30.0) as client:
            k = 0
            while not self.stop.is_set():
                k += 1
                name = f"{self.number}-{k}"
                asked = {"request_id": name, "user_id": k % 9, "candidates": [1, 2, 3]}
                answer = self._until_taken(client, "/v1/decisions", asked)
                now = time.time_ns() // 1_000_000
                event = {
                    "event_id": name,
                    "type": "click",
                    "ts": now,
                    "user_id": k % 9,
                    "live_id": 1,
                }
                heard = self._until_taken(client, "/v1/events", {"events": [event]})
                if answer is not None:
                    self.decided[name] = answer["decision_id"]
                if heard is not None:
                    self.heard.add(name)

    def _until_taken(self, client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
        while not self.stop.is_set():
            response = client.post(path, json=body)
            with self.turned:
                self.codes[response.status_code] += 1
                self.turned.notify_all()
            if response.status_code == 200:
                return response.json()
            if response.headers.get("Retry-After") != "1":
                self.unasked.append(response.text)
        return None

    def wait_for(self, code: int, more: int) -> None:
        """Return when so many more answers of a kind have come."""
        with self.turned:
            enough = self.codes[code] + more
            assert self.turned.wait_for(lambda: self.codes[code] >= enough, 60.0)


@pytest.mark.slow
def test_a_database_that_restarts_under_load_loses_nothing(postgres: Server) -> None:
    import psycopg

    with psycopg.connect(postgres.url, autocommit=True) as con:
        con.execute("drop table if exists giftlive_log, giftlive_api_key")
    stop = threading.Event()
    with _by_the_wall(open_store(postgres.url)) as (client, engine):
        callers = [_Caller(str(client.base_url), k, stop) for k in range(3)]
        for caller in callers:
            caller.start()
        try:
            for _ in range(2):
                for caller in callers:
                    caller.wait_for(200, 6)
                postgres.stop()
                try:
                    for caller in callers:
                        caller.wait_for(503, 2)
                finally:
                    postgres.start()
            for caller in callers:
                caller.wait_for(200, 6)
        finally:
            stop.set()
            for caller in callers:
                caller.join(60.0)
        digest = engine.state.digest
        store = open_store(postgres.url)
        assert set().union(*(caller.codes for caller in callers)) == {200, 503}
        assert [text for caller in callers for text in caller.unasked] == []
        rows = [logged.record for logged in store.read(0, 10**9)]
        decided = {r.meta["request_id"]: r.meta["decision_id"] for r in rows if r.key}
        heard = {row[0] for r in rows if r.kind == "events" for row in r.meta["events"]}
        acknowledged = {k: v for caller in callers for k, v in caller.decided.items()}
        assert len(acknowledged) >= 50
        assert acknowledged.items() <= decided.items()
        assert set().union(*(caller.heard for caller in callers)) <= heard
        assert len(decided) == sum(r.key is not None for r in rows)
        seq = engine.state.seq
        again = open_engine(store, ORIGIN, T0)
        if again.state.seq == seq == engine.state.seq:  # no tick came in between
            assert again.state.digest() == digest()
        assert verify_log(store).decisions == len(decided)
        store.close()


def test_clocks_that_jump_do_not_turn_time_nor_refuse_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two hours on, three back, forty days on, a year back: every call is taken, time stands."""
    store, jump, plain = MemoryStore(), [0], time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: plain() + jump[0])
    hour = 3_600_000_000_000
    with _by_the_wall(store) as (client, engine):
        for k, hours in enumerate((0, 2, -1, 40 * 24, -365 * 24)):
            jump[0] = hours * hour
            now = time.time_ns() // 1_000_000
            there = {"ts": now, "live_id": 7}
            opened = {"event_id": f"o{k}", "type": "room_open", "streamer_id": 1} | there
            click = {"event_id": f"c{k}", "type": "click", "user_id": 3} | there
            batch = [opened, click, click | {"event_id": f"f{k}", "ts": now + 10**10}]
            heard = client.post("/v1/events", json={"events": batch})
            assert heard.status_code == 200
            assert heard.json()["accepted"] >= 2
            behind = engine.state.ts > now + 10**10  # our time is ahead: nothing is in its future
            assert heard.json()["refused"] == ({} if behind else {f"f{k}": "clock_skew"})
            body = {"request_id": f"r{k}", "user_id": 3}
            answer = client.post("/v1/decisions", json=body)
            assert answer.status_code == 200
            assert [room["live_id"] for room in answer.json()["ranking"]] == [7]
            after = click | {"event_id": f"j{k}", "decision_id": answer.json()["decision_id"]}
            assert client.post("/v1/events", json={"events": [after]}).json()["joined"] == 1
            assert client.get("/readyz").status_code == 200
    times = [logged.ts for logged in store.read(0, 10**9)]
    assert times == sorted(times)
    assert times[-1] - times[0] >= 40 * 24 * 3_600_000
    assert verify_log(store).decisions == 5


def _outcome(order: np.random.Generator | None) -> tuple[Any, ...]:
    """Return what a few viewings come to whose events arrive in an order, and some twice."""
    settings = DecisiveSettings(join=JoinSettings(click_seconds=120.0, settle_seconds=60.0))
    service = LocalService.open(MemoryStore(), Origin(settings, planted.values()), T0)
    service.hear(planted.rooms(3, seats=50), T0)
    events = []
    for user in range(12):
        answer = service.decide(Request(f"r{user}", user, (100, 101, 102)), T0 + 1_000 + user)
        live, named = answer["ranking"][0]["live_id"], answer["decision_id"] if user % 2 else ""
        base = T0 + 2_000 + 10 * user
        told = [
            ("click", 0, -1),
            ("gift", 900, 5 + user),
            ("gift", 1_500, 1),
            ("leave", 4_000, 4_000),
        ]
        events += [
            Event(f"{kind}-{user}-{at}", kind, base + at, user, live, -1, x, named)
            for kind, at, x in told
        ]
    events.sort(key=lambda event: event.ts)
    if order is not None:
        events = [events[k] for k in order.permutation(len(events)).tolist()] + events[::5]
    for k in range(0, len(events), 4):
        service.hear(events[k : k + 4], T0 + 10_000 + 500 * k)
    inside = service.state.rooms.inside[:3].tolist()
    service.tick(T0 + 10**7)
    service.hear([Event("late", "gift", T0 + 5_000, 0, 100, -1, 10**6)], T0 + 10**7 + 5)
    service.tick(T0 + 2 * 10**7)
    totals = service.state.totals
    assert totals.duplicates == (len(events) - 48)
    return totals.shown, totals.clicked, totals.earned, totals.watched, totals.events, inside


@pytest.mark.parametrize("seed", range(4))
def test_events_late_twice_and_in_any_order_come_to_the_same(seed: int) -> None:
    """Gifts before their click, leaves before both, repetitions, one after all was final."""
    expected = _outcome(None)
    assert expected[:2] == (12.0, 12.0)
    assert expected[2] == sum(5 + user + 1 for user in range(12))
    assert expected[-1] == [0, 0, 0]
    assert _outcome(np.random.default_rng(seed)) == expected
