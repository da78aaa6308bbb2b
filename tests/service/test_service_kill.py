"""Killed at random points under load: nothing acknowledged is lost, the state is what it was."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from giftlive.rng import stream
from giftlive.service.engine import Origin, open_engine
from giftlive.service.record import DIGEST
from giftlive.service.server import Serving, write_snapshot
from giftlive.service.settings import DecisiveSettings, ServiceSettings
from giftlive.service.snapshots import Snapshots
from giftlive.service.store import open_store
from giftlive.service.verification import verify_log

pytestmark = pytest.mark.slow

ROUNDS = 4


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _start(url: str, port: int, kept: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "giftlive", "serve", "--db", url, "--port", str(port)]
    command += ["--no-keys", "--set", "decisive.digest_every_ticks=2"]
    command += ["--set", "decisive.tick_ms=100"]
    command += ["--snapshots", str(kept), "--set", "limits.snapshot_seconds=0.2"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    for _ in range(600):
        assert server.poll() is None
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return server
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


class _Load(threading.Thread):
    """Decides and reports until it is told that the server is gone; keeps what was acknowledged.

    A disk may stall: then the service says 503 with ``Retry-After``, or says nothing in time.
    """

    def __init__(self, port: int, name: str) -> None:
        super().__init__()
        self.port, self.called = port, name
        self.decided: dict[str, str] = {}
        self.heard: set[str] = set()
        self.odd: list[httpx.Response] = []
        self.gone = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10.0) as client:
            number = 0
            while not self.gone.is_set():
                number += 1
                with suppress(httpx.TransportError):
                    self._decide_and_report(client, number)

    def _decide_and_report(self, client: httpx.Client, number: int) -> None:
        rid, user = f"{self.called}-{number}", number % 50
        body = {"request_id": rid, "user_id": user, "candidates": [1, 2, 3]}
        if (answer := self._post(client, "/v1/decisions", body)) is not None:
            self.decided[rid] = answer.json()["decision_id"]
        event = {"event_id": rid, "type": "click", "ts": time.time_ns() // 1_000_000}
        event |= {"user_id": user, "live_id": 1 + number % 3}
        if self._post(client, "/v1/events", {"events": [event]}) is not None:
            self.heard.add(rid)

    def _post(self, client: httpx.Client, path: str, body: Any) -> httpx.Response | None:
        answer = client.post(path, json=body)
        if answer.status_code == 200:
            return answer
        if answer.status_code != 503 or "retry-after" not in answer.headers:
            self.odd.append(answer)
        return None


def _digests(url: str) -> int:
    store = open_store(url)
    try:
        return sum(logged.record.kind == DIGEST for logged in store.read(0, 10**9))
    finally:
        store.close()


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_nothing_acknowledged_is_lost(url: str, tmp_path: Path) -> None:
    kept = Snapshots(tmp_path / "kept")
    rng, port = stream(os.getpid(), "kill"), _free_port()
    decided: dict[str, str] = {}
    heard: set[str] = set()
    for round_ in range(ROUNDS):
        server = _start(url, port, kept.folder)
        loads = [_Load(port, f"{round_}-{k}") for k in range(4)]
        for load in loads:
            load.start()
        enough = 26 + int(80 * rng.random())
        while sum(len(load.decided) for load in loads) < enough:
            assert server.poll() is None
            time.sleep(0.01)
        while _digests(url) <= round_:  # written at a second tick before anything else is asked
            assert server.poll() is None
            time.sleep(0.1)
        server.send_signal(signal.SIGKILL)
        server.wait()
        for load in loads:
            load.gone.set()
        for load in loads:
            load.join(30.0)
            assert not load.is_alive()
            assert load.odd == []
            decided |= load.decided
            heard |= load.heard
        if round_ == 1:  # the next starts begin here, whatever their own have come to
            write_snapshot(Serving(ServiceSettings(), url, snapshots=kept.folder))
    store = open_store(url)
    found = verify_log(store, None, kept)
    origin = Origin(DecisiveSettings())
    assert open_engine(store, origin, 0, kept).state.digest() == found.digest
    logged = {r.record.meta["request_id"] for r in store.read(0, 10**9) if r.record.key}
    events = {
        row[0]
        for r in store.read(0, 10**9)
        if r.record.kind == "events"
        for row in r.record.meta["events"]
    }
    assert len(decided) > 100
    assert set(decided) <= logged
    assert heard <= events
    assert found.decisions == len(logged)
    assert found.digests >= ROUNDS
    assert found.snapshots >= 1
    assert found.untaken == 0
    store.close()
