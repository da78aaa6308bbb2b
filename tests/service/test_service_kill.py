"""Killed at random points under load: nothing acknowledged is lost, the state is what it was."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from giftlive.rng import stream
from giftlive.service.engine import Origin, open_engine
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
    """Decides and reports until the server is gone; keeps what was acknowledged."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__()
        self.port, self.called = port, name
        self.decided: dict[str, str] = {}
        self.heard: set[str] = set()
        self.odd: list[int] = []

    def run(self) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10.0) as client:
            for k in range(100_000):
                rid, now = f"{self.called}-{k}", time.time_ns() // 1_000_000
                try:
                    body = {"request_id": rid, "user_id": k % 50, "candidates": [1, 2, 3]}
                    answer = client.post("/v1/decisions", json=body)
                    event = {"event_id": rid, "type": "click", "ts": now, "user_id": k % 50}
                    event["live_id"] = 1 + k % 3
                    if answer.status_code == 200:
                        self.decided[rid] = answer.json()["decision_id"]
                    heard = client.post("/v1/events", json={"events": [event]})
                    if heard.status_code == 200:
                        self.heard.add(rid)
                    self.odd += [c for c in (answer.status_code, heard.status_code) if c != 200]
                except httpx.TransportError:
                    return


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
        server.send_signal(signal.SIGKILL)
        server.wait()
        for load in loads:
            load.join(30.0)
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
